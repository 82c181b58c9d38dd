"""Webex: the chat of a meeting saved as text.

Above each message, or in front of it, stands who spoke to whom: ``from Ana to Everyone:  2:03 PM``,
``2:03 PM from Ana to Everyone: text``. What went to one person or to the host is private; a header without
a time may be one, so nothing is kept of what stands below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal

from archive.vocabulary import Item, Private, Received, Skipped, Unmapped
from collector.importers.base import Context, Head, dump, text_lines
from collector.importers.chat_blocks import Block, blocks
from collector.importers.local_times import Clock
from collector.importers.personal import person, unread
from collector.mapping import MappingError
from collector.mapping.chat import Message, Ordinals, to_post

NAME = "webex"
TITLE = "Webex saved chat (text)"
TRIED = False

Audience = Literal["public", "panelists", "private", "unknown"]

_TIME = r"(?:[\d/.-]{6,10},?\s{1,3})?\d{1,2}:\d\d(?::\d\d)?(?:\s?[AaPp]\.?\s?[Mm]\.?)?"
_EVERYBODY = (
    r"everyone|everybody|all|all participants|all attendees|all panelists and attendees"
    r"|entire audience|todos|todas|todos los participantes|tous|tout le monde|tous les participants"
)
_PANELISTS = r"(?:all )?panelists|all panelists and hosts?|hosts? and panelists"
_START = (
    rf"(?:[\[(]?(?P<before>{_TIME})[\])]?\s{{1,9}})?(?P<from>(?:from|de)\s{{1,9}})?(?P<name>[^:]{{1,300}}?)"
    r"\s{1,9}(?:to|a|à)\s{1,9}"
)
_END = r"\s{0,9}:\s{0,40}(?P<rest>.*)"
#: In this order: a name may hold the word "to" itself.
_HEADERS = tuple(
    re.compile(_START + audience + _END, re.IGNORECASE | re.DOTALL)
    for audience in (rf"(?:(?P<all>{_EVERYBODY})|(?P<panel>{_PANELISTS}))", r"[^:]{1,300}?")
)
_ALMOST_HEADER = re.compile(r"\d.{0,40}?\b(?:from|de)\b.{1,300}?\b(?:to|a|à)\b[^:]{1,300}:", re.IGNORECASE)
_MARKS = re.compile(r"[^\w\[(]{1,20}")  # invisible ones, mostly
_ONLY_TIME = re.compile(_TIME)
_HEAD = 4000  # characters in which the first header must stand


@dataclass(frozen=True, slots=True)
class _Header:
    audience: Audience
    at: str | None
    name: str
    text: str


def sniff(head: Head) -> bool:
    """One of the first lines says who wrote to everyone, and when."""
    headers = (_header_of(line.strip()) for line in head.text[:_HEAD].split("\n"))
    return any(header is not None and header.audience in ("public", "panelists") for header in headers)


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Each message as a post. Private ones are counted; those that may be leave only their reason.

    InputError where neither the file, the context nor a meeting of one day tells the date.
    """
    clock = Clock(context, rolling=True)
    ordinals = Ordinals()
    for block in blocks(text_lines(stream), _header_of):
        if isinstance(block, Unmapped):
            yield Unmapped(block.reason, None, block.where)
        elif block.header is not None:
            yield _item(block.header, block, clock, ordinals)
        elif block.text:
            yield _unknown(block.where)


def _header_of(line: str) -> _Header | None:
    """The header that a line is: with ``from``, or with nothing but a time behind the colon."""
    line = _MARKS.sub("", line, count=1) if _MARKS.match(line) else line
    match = next((found for header in _HEADERS if (found := header.fullmatch(line))), None)
    if match is not None:
        rest = match["rest"].strip()
        if match["before"] and match["from"]:
            return _Header(_audience(match), match["before"], match["name"], rest)
        if not match["before"] and _ONLY_TIME.fullmatch(rest):
            return _Header(_audience(match), rest, match["name"], "")
    if (match is not None and match["from"]) or _ALMOST_HEADER.match(line):
        return _Header("unknown", None, "", "")
    return None


def _audience(match: re.Match[str]) -> Audience:
    found = match.groupdict()
    if found.get("all"):
        return "public"
    return "panelists" if found.get("panel") else "private"


def _item(header: _Header, block: Block[_Header], clock: Clock, ordinals: Ordinals) -> Item:
    if header.audience == "private":
        return Private(block.where)
    if header.at is None:
        return _unknown(block.where)
    text = "\n".join(part for part in (header.text, block.text) if part)
    if not text:
        return Skipped("empty message")
    name = person(header.name)
    raw = dump({"at": header.at, "from": name, "text": text})
    try:
        at, flags = clock.read(header.at)
        flags += ("to_panelists",) if header.audience == "panelists" else ()
        message = Message(name=name, text=text, at=at, flags=flags)
        return Received(to_post(NAME, message, ordinals, arm=clock.context.arm or "remote"), raw)
    except MappingError as error:
        return unread(error, raw, block.where, f"{NAME}:{name}")


def _unknown(where: str) -> Unmapped:
    return Unmapped("it cannot be said to whom this went, so it is not kept", None, where)
