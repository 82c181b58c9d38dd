"""Posts as rows: what a version of a post is, its hash, and the way there and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from archive.times import from_text, to_text
from archive.vocabulary import KINDS, Author, Kind, Post, Received

#: The columns of ``posts`` that an observation decides, in the order of ``content``.
CONTENT_COLUMNS = (
    "source",
    "platform_id",
    "kind",
    "kind_among",
    "text",
    "language",
    "created_at",
    "edited_at",
    "arm",
    "reply_to",
    "reply_to_account",
    "repost_of",
    "repost_account",
    "quote_of",
    "url",
    "flags",
)

Content = tuple[str | None, ...]


class Unfit(ValueError):
    """A text that SQLite and its readers could not carry unharmed."""


def digest(data: bytes) -> str:
    """Sixteen hexadecimal digits that stand for some bytes."""
    return blake2b(data, digest_size=8).hexdigest()


class Record:
    """One observation of a post, ready to be compared with others and written.

    The better of two observations of a post is the later version, then the later observation, then
    the smaller hash of the payload, then of the content (a payload may be read in two ways, by two
    versions of us): so the order of arrival never matters.
    """

    __slots__ = (
        "content",
        "content_hash",
        "created_at",
        "hashtags",
        "item",
        "links",
        "mentions",
        "observed_at",
        "payload_hash",
        "post",
        "version_at",
    )

    def __init__(self, item: Received) -> None:
        post = item.post
        self.item = item
        self.post = post
        self.created_at = created_at = to_text(post.created_at)
        edited_at = to_text(post.edited_at) if post.edited_at else None
        self.version_at = edited_at or created_at
        self.observed_at = to_text(item.observed_at) if item.observed_at else None
        self.hashtags = _distinct(post.hashtags)
        self.mentions = _distinct([account.casefold() for account in post.mentions])
        self.links = _distinct(post.links)
        self.content: Content = (
            post.source,
            post.platform_id,
            post.kind,
            " ".join(kind for kind in KINDS if kind in post.kind_among) or None,
            post.text,
            post.language,
            created_at,
            edited_at,
            post.arm,
            post.reply_to,
            post.reply_to_account,
            post.repost_of,
            post.repost_account,
            post.quote_of,
            post.url,
            " ".join(sorted(post.flags)) or None,
        )
        author = post.author
        check_fit(*self.content, *self.hashtags, *self.mentions, *self.links, *post.aliases)
        check_fit(author.handle, author.name, author.url, author.description, author.location)
        # A version is what its reader sees. Other columns may differ between two servers that show it.
        identity = (post.key, post.author.key, post.text, created_at, edited_at or "")
        self.content_hash = digest(_fit("\x1f".join(identity)))
        self.payload_hash = digest(_fit(item.raw)) if item.raw is not None else self.content_hash

    def rank(self) -> tuple[str, str]:
        """The order of observations, but for the hashes that decide between equals."""
        return self.version_at, self.observed_at or ""

    def beats(self, rank: tuple[str, str], payload_hash: str, content_hash: str) -> bool:
        """Is this observation to be preferred to another one?"""
        mine, hashes = self.rank(), (self.payload_hash, self.content_hash)
        return mine > rank or (mine == rank and hashes < (payload_hash, content_hash))

    def as_version(self) -> str:
        """The content as the ``versions`` table keeps it."""
        return version_text(self.content, self.hashtags, self.mentions, self.links)


def _distinct(values: Sequence[str]) -> list[str]:
    return sorted(set(values)) if len(values) > 1 else list(values)


def check_fit(*texts: str | None) -> None:
    """Raise Unfit if SQLite and its readers could not carry one of these texts unharmed."""
    _fit("".join(filter(None, texts)))


def _fit(text: str) -> bytes:
    if "\x00" in text:
        raise Unfit("it holds a NUL character")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Unfit("it holds half of a surrogate pair, which is no character") from None


def version_text(content: Content, hashtags: list[str], mentions: list[str], links: list[str]) -> str:
    """One version of a post as JSON, the same whichever way it came."""
    fields: dict[str, Any] = {
        name: value for name, value in zip(CONTENT_COLUMNS, content, strict=True) if value is not None
    }
    fields.update(hashtags=hashtags, mentions=mentions, links=links)
    return json.dumps(fields, ensure_ascii=False, sort_keys=True)


def post_of(key: str, author: Author, fields: dict[str, Any]) -> Post:
    """The post behind a version's fields (see ``version_text``)."""
    among = (fields.get("kind_among") or "").split()
    kinds: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind in among)
    return Post(
        key=key,
        author=author,
        source=fields["source"],
        platform_id=fields["platform_id"],
        kind=fields.get("kind"),
        kind_among=kinds,
        text=fields["text"],
        language=fields.get("language"),
        created_at=from_text(fields["created_at"]),
        edited_at=from_text(fields["edited_at"]) if fields.get("edited_at") else None,
        arm=fields["arm"],
        reply_to=fields.get("reply_to"),
        reply_to_account=fields.get("reply_to_account"),
        repost_of=fields.get("repost_of"),
        repost_account=fields.get("repost_account"),
        quote_of=fields.get("quote_of"),
        url=fields.get("url"),
        flags=tuple((fields.get("flags") or "").split()),
        hashtags=tuple(fields["hashtags"]),
        mentions=tuple(fields["mentions"]),
        links=tuple(fields["links"]),
    )


def rekeyed(item: Received, key: str) -> Received:
    """The same observation under the key that it turned out to be an alias of."""
    aliases = (*item.post.aliases, item.post.key)
    return replace(item, post=replace(item.post, key=key, aliases=aliases))


def profile(author: Author) -> tuple[str | int | None, ...]:
    """An author's describing columns, in the order of the ``authors`` table."""
    bot = None if author.bot is None else int(author.bot)
    return (
        author.handle,
        author.name,
        author.url,
        author.description,
        author.location,
        author.followers,
        bot,
    )


def profile_hash(author: Author) -> str:
    """What decides between two profiles seen at the same moment."""
    return digest(_fit("\x1f".join("\x1e" if part is None else str(part) for part in profile(author))))
