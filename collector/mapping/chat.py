"""A message of a meeting tool's chat as a post: all that the tools have in common."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from unicodedata import normalize

from archive.times import to_text
from archive.vocabulary import Arm, Author, Kind, Post, hashtags_in
from collector.mapping import MappingError

_LINK = re.compile(r"https?://[^\s<>\"“”]{1,2000}")
_ENDS = ".,;:!?'’…"
_REMEMBERED = 100_000  # messages whose ordinals are still counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a chat tells of a message; ``id`` and ``author_id`` are the tool's own, where it has some."""

    name: str
    text: str
    at: datetime
    id: str | None = None
    author_id: str | None = None
    kind: Kind = "original"
    reply_to: str | None = None
    reply_to_account: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class Ordinals:
    """Tells apart the messages of one author in one second: the first is 0, the next 1."""

    _seen: Counter[tuple[datetime, str]] = field(default_factory=Counter)

    def next(self, at: datetime, author: str) -> int:
        """The ordinal of the next message of this author at this moment."""
        mark = (at.replace(microsecond=0), author)
        ordinal = self._seen[mark]
        self._seen[mark] += 1
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return ordinal

    def take_back(self, at: datetime, author: str) -> None:
        """Un-count the newest message of this author at this moment."""
        mark = (at.replace(microsecond=0), author)
        self._seen[mark] -= 1
        if self._seen[mark] <= 0:
            del self._seen[mark]


def to_post(source: str, message: Message, ordinals: Ordinals, *, arm: Arm) -> Post:
    """The post of a message. Raises MappingError where nobody said it."""
    name = display_name(message.name)
    account = message.author_id or name
    if not account:
        raise MappingError("a message without an author")
    ordinal = ordinals.next(message.at, account)
    platform_id = message.id or message_id(message.at, account, ordinal)
    return Post(
        key=f"{source}:{platform_id}",
        source=source,
        platform_id=platform_id,
        author=Author(key=f"{source}:{account}", source=source, name=name or None),
        text=message.text,
        created_at=message.at,
        kind=message.kind,
        arm=arm,
        reply_to=message.reply_to,
        reply_to_account=message.reply_to_account,
        hashtags=hashtags_in(message.text),
        links=links_in(message.text),
        flags=message.flags,
    )


def display_name(name: str) -> str:
    """A name as it is compared: composed characters, no space around it."""
    return normalize("NFC", name).strip()


def message_id(at: datetime, account: str, ordinal: int) -> str:
    """What stands in for an id where a tool has none: the same whenever the same chat is read again."""
    words = f"{to_text(at)}\x1f{account}\x1f{ordinal}"
    return blake2b(words.encode(), digest_size=12).hexdigest()


def links_in(text: str) -> tuple[str, ...]:
    """The addresses written in a text, each once, without the punctuation that follows them."""
    return tuple(dict.fromkeys(_trimmed(found) for found in _LINK.findall(text)))


def _trimmed(link: str) -> str:
    while link[-1] in _ENDS or (link[-1] in ")]}" and link.count(link[-1]) > link.count(_opening(link[-1]))):
        link = link[:-1]
    return link


def _opening(closing: str) -> str:
    return {")": "(", "]": "[", "}": "{"}[closing]
