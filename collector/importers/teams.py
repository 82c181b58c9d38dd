"""Microsoft Teams: the chat of a meeting as Microsoft Graph gives it (JSON), or as copied from the window.

The copied text has a line ``[3/16/2026 2:03 PM] Name`` above each message. Of Graph's messages those of a
chat between two people are private; where it is not told which chat one belongs to, nothing of it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast

from archive.vocabulary import Arm, Deleted, Engagement, Item, Private, Received, Skipped, Unmapped
from collector.importers.base import (
    HEAD_BYTES,
    Context,
    Head,
    Record,
    dump,
    head_of,
    json_records,
    loads,
    mapped,
    text_lines,
    unmapped,
)
from collector.importers.chat_blocks import Block, blocks
from collector.importers.lines import Rejoined
from collector.importers.local_times import Clock, is_time
from collector.importers.personal import person, unread, without_addresses
from collector.mapping import MappingError, moment, table, tables, words
from collector.mapping.chat import Message, Ordinals, to_post
from collector.mapping.html_text import text_of

NAME = "teams"
TITLE = "Microsoft Teams meeting chat (JSON of Microsoft Graph, or copied as text)"
TRIED = False

_HEADER = re.compile(
    r"\[(?P<at>[^\[\]]{4,60})\]\s{1,9}(?P<name>[^:]{1,300}?)\s{0,9}(?::(?P<text>.*))?", re.DOTALL
)
_PRIVATE_CHATS = ("@unq.gbl.spaces", "48:notes")  # between two people; with oneself
_EMOJI = re.compile(r'<emoji\b[^<>]{0,300}?\balt="([^"<>]{0,40})"[^<>]{0,300}>')
_MAIL_KEYS = re.compile(r"mail|principal_?name", re.IGNORECASE)
_WORDLESS = Skipped("a message without words")  # a sticker, a file, a picture


def sniff(head: Head) -> bool:
    """Messages of Graph with the chat or channel they belong to; or a first line ``[date time] name``."""
    text = head.text.lstrip()
    if text.startswith(("{", "[")) and '"createdDateTime"' in text:
        return '"body"' in text and ('"chatId"' in text or '"channelIdentity"' in text)
    return _header_of(text.partition("\n")[0].strip()) is not None


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Each message as a post. InputError where the copied text tells no day and nothing else does."""
    beginning = stream.read(HEAD_BYTES)
    stream = cast(BinaryIO, Rejoined(beginning, stream))
    text = head_of(beginning).text.lstrip()
    if _header_of(text.partition("\n")[0].strip()) is None and text.startswith(("{", "[")):
        arm = context.arm or "remote"
        ordinals = Ordinals()
        yield from mapped(_messages(json_records(stream)), lambda record: _item(record, ordinals, arm))
    else:
        yield from _from_text(stream, context)


@dataclass(frozen=True, slots=True)
class _Header:
    at: str
    name: str
    text: str


def _header_of(line: str) -> _Header | None:
    match = _HEADER.fullmatch(line)
    if match is None or not is_time(match["at"]):
        return None
    return _Header(match["at"], match["name"], (match["text"] or "").strip())


def _from_text(stream: BinaryIO, context: Context) -> Iterator[Item]:
    clock = Clock(context, rolling=True)
    ordinals = Ordinals()
    for block in blocks(text_lines(stream), _header_of):
        if isinstance(block, Unmapped):
            yield block
        elif block.header is not None:
            yield _from_block(block.header, block, clock, ordinals)
        elif block.text:
            yield unmapped("no time and name above it", without_addresses(block.text, "…"), block.where)


def _from_block(header: _Header, block: Block[_Header], clock: Clock, ordinals: Ordinals) -> Item:
    text = "\n".join(part for part in (header.text, block.text) if part)
    if not text:
        return _WORDLESS
    name = person(header.name)
    raw = dump({"at": header.at, "from": name, "text": text})
    try:
        at, flags = clock.read(header.at)
        message = Message(name=name, text=text, at=at, flags=flags)
        return Received(to_post(NAME, message, ordinals, arm=clock.context.arm or "remote"), raw)
    except MappingError as error:
        return unread(error, raw, block.where, f"{NAME}:{name}")


def _messages(records: Iterable[Record | Unmapped]) -> Iterator[Record | Unmapped]:
    """The messages of pages one by one, with the replies below them; damage without its payload."""
    for record in records:
        if isinstance(record, Unmapped):
            yield replace(record, payload=None)
            continue
        value = record.value
        page = value.get("value") if isinstance(value, dict) else None
        found = page if isinstance(page, list) else [value]
        for number, message in enumerate(found, 1):
            where = f"{record.where}, item {number}" if isinstance(page, list) else record.where
            yield Record(message, where)
            for reply in tables(table(message).get("replies")):
                yield Record(reply, f"{where}, a reply")


def _item(record: Record, ordinals: Ordinals, arm: Arm) -> Item:
    sent = table(record.value)
    chat = words(sent.get("chatId")) or ""
    if any(mark in chat for mark in _PRIVATE_CHATS):
        return Private(record.where)
    if not chat and not table(sent.get("channelIdentity")):
        reason = "neither chat nor channel is told: it may be private, so it is not kept"
        return Unmapped(reason, None, record.where)
    if sent.get("messageType", "message") != "message":
        return Skipped("a message of the system")
    try:
        return _sent(sent, ordinals, arm)
    except MappingError as error:
        accounts = (f"{NAME}:{account}" for account in _author(sent) if account)
        return unread(error, dump(_kept(sent)), record.where, *accounts)


def _sent(sent: Any, ordinals: Ordinals, arm: Arm) -> Item:
    own_id = words(sent.get("id"))
    if own_id is None:
        raise MappingError("no id")
    if sent.get("deletedDateTime") is not None:
        return Deleted(f"{NAME}:{own_id}", NAME, moment(sent["deletedDateTime"]))
    at = moment(sent.get("createdDateTime"))
    if at is None:
        raise MappingError("createdDateTime is no time")
    text, links = _text(table(sent.get("body")))
    if not text:
        return _WORDLESS
    name, author_id = _author(sent)
    answered = _answered(sent)
    message = Message(
        name=name,
        text=text,
        at=at,
        id=own_id,
        author_id=author_id,
        kind="reply" if answered else "original",
        reply_to=f"{NAME}:{answered}" if answered else None,
    )
    post = to_post(NAME, message, ordinals, arm=arm)
    edited_at = moment(sent.get("lastEditedDateTime"))
    post = replace(post, edited_at=edited_at, engagement=_likes(sent.get("reactions")))
    return Received(replace(post, links=links) if links else post, dump(_kept(sent)))


def _author(sent: Any) -> tuple[str, str | None]:
    """The name and the id of the person, the bot or the device that sent a message."""
    by = table(sent.get("from"))
    author = table(by.get("user")) or table(by.get("application")) or table(by.get("device"))
    return person(words(author.get("displayName"))), words(author.get("id"))


def _text(body: Any) -> tuple[str, tuple[str, ...]]:
    content = words(body.get("content")) or ""
    if body.get("contentType") == "html":
        return text_of(_EMOJI.sub(r"\1", content))
    return content.strip(), ()


def _answered(sent: Any) -> str | None:
    """The id of the message that this one answers: its parent, or the first that it quotes."""
    if parent := words(sent.get("replyToId")):
        return parent
    for attachment in tables(sent.get("attachments")):
        if attachment.get("contentType") == "messageReference":
            try:
                quoted = table(loads(words(attachment.get("content")) or ""))
            except ValueError:
                quoted = {}
            return words(quoted.get("messageId")) or words(attachment.get("id"))
    return None


def _likes(reactions: Any) -> Engagement | None:
    if not isinstance(reactions, list):
        return None
    return Engagement(likes=sum(table(one).get("reactionType") in ("like", "👍") for one in reactions))


def _kept(value: Any, key: str = "") -> Any:
    """A payload without e-mail addresses, which Graph gives under keys of their own, or as names."""
    if isinstance(value, dict):
        return {name: _kept(inner, name) for name, inner in value.items() if not _MAIL_KEYS.search(name)}
    if isinstance(value, list):
        return [_kept(inner) for inner in value]
    return person(value) if key == "displayName" and isinstance(value, str) else value
