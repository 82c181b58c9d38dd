"""The lines of a saved Zoom chat: who said it, to whom, and what of the text was said.

Three forms are known: of 2020 (``14:03:10<TAB> From Ana : text``), of 2022-23 (a header, then the text
behind a tab) and of 2025-26 (with a date, and reactions among the lines). What went to one person, or
may have, is private.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from typing import Literal
from unicodedata import category

Audience = Literal["public", "panelists", "private", "unknown"]

_TIME = re.compile(
    r"(?:(?P<date>\d{4}-\d\d-\d\d)[ T])?(?P<time>\d{1,2}:\d\d:\d\d)(?P<gap>[ \t]+)From[ \t]+(?P<rest>.*)",
    re.DOTALL,
)
_ALMOST_HEADER = re.compile(
    r"[^\w\t]{0,9}(?:\d{4}-\d+-\d+.)?\d{1,2}[:.]\d+.{0,12}\bFrom\b"
    # With seconds and a colon it may be one in another language, or with another clock or date.
    r"|[^\w\t]{0,9}(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\D{1,3})?\d{1,2}[:.：]\d\d[:.：]\d\d\b.*\s\S.*[:：]",
    re.IGNORECASE,
)
_PRIVATE_WORDS = (
    r"privat\w{0,4}|privé|direct[ -]?message|dm|direktnachricht|message (?:direct|privé)"
    r"|mensaje (?:directo|privado)|mensagem direta|messaggio diretto|direct bericht|личное сообщение"
    r"|私聊|私信|直接消息|ダイレクト ?メッセージ|개인 ?메시지|다이렉트 ?메시지"
)
_PRIVATE_MARK = re.compile(
    rf"[(（]\s*(?:{_PRIVATE_WORDS})\s*[)）]\s*[:：]|[(（]\s*privately\s*[)）]", re.IGNORECASE
)
_EVERYBODY = (
    r"everyone in (?:the )?meeting|everyone in (?:the )?waiting room|everyone|all panelists and attendees"
    r"|all attendees|todos|todas|tout le monde|alle|tutti"
)
_PANELISTS = r"(?:all |the )?panelists|hosts? (?:and|&) panelists|all hosts (?:and|&) panelists"
_ADDRESSED = re.compile(
    rf"(?P<name>[^:]{{1,300}}?)[ \t]{{1,9}}to[ \t]{{1,9}}(?:(?P<all>{_EVERYBODY})|(?P<panel>{_PANELISTS}))"
    r"[ \t]{0,9}:[ \t]?(?P<text>.*)",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN = re.compile(r"(?P<name>.+?) :(?: (?P<text>.*))?", re.DOTALL)
_TO = re.compile(r"[\s(]to\s", re.IGNORECASE)
_TO_SOMEBODY = re.compile(r"\sto\s.{1,120}?\s:\s")
_REPLY = re.compile(r"Replying to [\"“](?P<quoted>.{1,200}?)[\"”]:?[ \t]*(?:\n+|$)", re.DOTALL)
_REACTION = re.compile(r"Reacted to [\"“].*[\"”] with \S|Removed an? \S+ reaction from [\"“]", re.DOTALL)
_INLINE = re.compile(r"[^:\n]+:(?P<emoji>\S{1,12})")


@dataclass(frozen=True, slots=True)
class Header:
    """The beginning of a message. ``at`` is None where the line's time is none of a day."""

    day: date | None
    at: time | None
    audience: Audience
    name: str = ""
    text: str = ""
    dated: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """The words of a message; ``quoted`` is the beginning of the one that it answers."""

    text: str
    is_reaction: bool = False
    quoted: str | None = None


def header_of(line: str) -> Header | None:
    """The header that a line is; None where it goes on with the message before."""
    match = _TIME.fullmatch(line)
    if match is None:
        return _broken_header(line)
    audience, name, text = _addressed(match["rest"], one_line="\t" in match["gap"])
    day, at = _date(match["date"]), _time(match["time"])
    if match["date"] and day is None:
        at = None
    return Header(day, at, audience, name, text, dated=match["date"] is not None)


def body_of(text: str, *, dated: bool = False) -> Body:
    """The words of a message without what Zoom adds; in the dated form it adds reactions at the end."""
    text = text.strip("\n").rstrip()
    if _REACTION.match(text):
        return Body(text, is_reaction=True)
    lines = text.split("\n")
    while dated and len(lines) > 1 and _is_inline_reaction(lines[-1]):
        lines.pop()
    text = "\n".join(lines)
    reply = _REPLY.match(text)
    if reply is None:
        return Body(text)
    return Body(text[reply.end() :].strip("\n"), quoted=reply["quoted"])


def _broken_header(line: str) -> Header | None:
    """A damaged line must never join a private message to the public one before it."""
    if line.startswith("\t"):
        return None
    if _PRIVATE_MARK.search(line):
        return Header(None, None, "private")
    return Header(None, None, "unknown") if _ALMOST_HEADER.match(line) else None


def _addressed(rest: str, *, one_line: bool) -> tuple[Audience, str, str]:
    """To whom, by whom, and the text that follows on the same line: always in the form of 2020."""
    if _PRIVATE_MARK.search(rest):
        return "private", "", ""
    match = _ADDRESSED.fullmatch(rest)
    if match is not None:
        return ("public" if match["all"] else "panelists"), match["name"], match["text"]
    if _TO.search(rest.partition(":")[0]) and ":" in rest:
        return "private", "", ""
    match = _PLAIN.fullmatch(rest)
    if match is None:
        return "unknown", "", ""
    if _TO.search(match["name"]):
        return "private", "", ""
    text = match["text"] or ""
    # A name may hold " : " itself; then what looks like text is the rest of a header.
    is_header = _TO.search(text) and text.rstrip().endswith(":") and not one_line
    if is_header or _TO_SOMEBODY.search(text):
        return "unknown", "", ""
    return "public", match["name"], text


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text.zfill(8))
    except ValueError:
        return None


def _is_inline_reaction(line: str) -> bool:
    match = _INLINE.fullmatch(line.strip())
    return (
        match is not None
        and any(category(c) == "So" for c in match["emoji"])
        and not any(category(c)[0] in "LNZ" for c in match["emoji"])
    )
