"""Bluesky: a commit of a repository, as Jetstream gives it in either version, as a post.

The network names accounts by their did; a handle may change any day and does not come along, so the
did stands in for it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from archive.vocabulary import Arm, Author, Engagement, Post, hashtags_in
from collector.mapping import MappingError, count, moment, table, tables, words

SOURCE = "bluesky"
POST = "app.bsky.feed.post"
REPOST = "app.bsky.feed.repost"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FACET = "app.bsky.richtext.facet"
_V2_COMMIT = "network.bsky.jetstream.subscribeEvents#commit"


@dataclass(frozen=True, slots=True)
class Commit:
    """A change of one record. ``seen_at`` is when the network saw it; of a deletion the record is gone."""

    did: str
    collection: str
    rkey: str
    operation: str
    record: Mapping[str, Any]
    seen_at: datetime | None

    @property
    def key(self) -> str:
        """The key of the post that the record is."""
        return f"{SOURCE}:{self.did}/{self.rkey}"


def commit_of(event: Mapping[str, Any]) -> Commit | str:
    """The commit of a Jetstream event, or the name of what else the event is. Raises MappingError.

    Version 1 nests the commit and counts microseconds; version 2 is flat, with a time, and its frames
    may come in an envelope.
    """
    event = table(event.get("payload")) or event
    kind = event.get("kind") or event.get("$type")
    if kind == "commit":
        change = table(event.get("commit"))
        seen_at = _from_microseconds(event.get("time_us"))
    elif kind == _V2_COMMIT:
        change = event
        seen_at = moment(event.get("time"))
    elif isinstance(kind, str) and kind:
        return f"{kind.rpartition('#')[2]} event"
    else:
        raise MappingError("neither kind nor $type: no Jetstream event")
    return Commit(
        did=_text(event, "did"),
        collection=_text(change, "collection"),
        rkey=_text(change, "rkey"),
        operation=_text(change, "operation"),
        record=table(change.get("record")),
        seen_at=seen_at,
    )


def to_post(commit: Commit, *, arm: Arm = "public") -> Post:
    """The post or repost of a commit that creates or updates one. Raises MappingError."""
    return _repost(commit, arm) if commit.collection == REPOST else _post(commit, arm)


def tags_of(record: Mapping[str, Any]) -> Iterator[str]:
    """All hashtags of a post's record as written, without '#': in its text, its facets and its ``tags``.

    They decide whether a post is one of the meeting's. ``Post.hashtags`` are those of the text alone, as
    measures.md has it: a facet marks a place in the text, and what stands in ``tags`` no reader sees.
    """
    text = record.get("text")
    if isinstance(text, str):
        # Bluesky's own apps take the wide '＃' for a hashtag too; NFKC makes it the plain one.
        yield from hashtags_in(text if text.isascii() else unicodedata.normalize("NFKC", text))
    for tag in _features(record, "tag", "tag"):
        yield tag.strip().removeprefix("#")
    tags = record.get("tags")
    if isinstance(tags, list):
        yield from (tag.strip().removeprefix("#") for tag in tags if isinstance(tag, str))


def commit_of_view(view: Mapping[str, Any]) -> Commit:
    """The commit behind a post as search and look-up show it (``app.bsky.feed.defs#postView``).

    Whether it was edited does not come along. Raises MappingError.
    """
    uri = view.get("uri")
    key = key_of(uri)
    if key is None:
        raise MappingError("a post without its address")
    did, _, rkey = key.removeprefix(f"{SOURCE}:").partition("/")
    return Commit(did, POST, rkey, "create", table(view.get("record")), moment(view.get("indexedAt")))


def with_counts(post: Post, view: Mapping[str, Any]) -> Post:
    """The post with the counters that a view of it shows."""
    names = {"likes": "like", "reposts": "repost", "replies": "reply", "quotes": "quote"}
    counters = {ours: count(view.get(f"{theirs}Count")) for ours, theirs in names.items()}
    known = any(value is not None for value in counters.values())
    return replace(post, engagement=Engagement(**counters)) if known else post


def key_of(uri: Any) -> str | None:
    """The key of the post behind an ``at://`` address; None for anything that is no post."""
    if not isinstance(uri, str) or not uri.startswith("at://"):
        return None
    did, _, rest = uri.removeprefix("at://").partition("/")
    collection, _, rkey = rest.partition("/")
    return f"{SOURCE}:{did}/{rkey}" if did and rkey and collection == POST else None


def _post(commit: Commit, arm: Arm) -> Post:
    record = commit.record
    text = record.get("text")
    if not isinstance(text, str):
        raise MappingError("text is missing")
    created_at, flags = _created_at(commit)
    parent = key_of(table(table(record.get("reply")).get("parent")).get("uri"))
    quoted = _quoted(table(record.get("embed")))
    return Post(
        key=commit.key,
        source=SOURCE,
        platform_id=f"{commit.did}/{commit.rkey}",
        author=_author(commit.did),
        text=text,
        created_at=created_at,
        kind="reply" if parent else "quote" if quoted else "original",
        language=_language(record),
        edited_at=commit.seen_at if commit.operation == "update" else None,
        arm=arm,
        reply_to=parent,
        reply_to_account=_did_of(parent),
        quote_of=quoted,
        hashtags=hashtags_in(text),
        mentions=tuple(dict.fromkeys(_features(record, "mention", "did"))),
        links=tuple(dict.fromkeys(_links(record))),
        url=f"https://bsky.app/profile/{commit.did}/post/{commit.rkey}",
        flags=flags,
    )


def _repost(commit: Commit, arm: Arm) -> Post:
    subject = key_of(table(commit.record.get("subject")).get("uri"))
    if subject is None:
        raise MappingError("a repost without the address of a post")
    created_at, flags = _created_at(commit)
    return Post(
        key=commit.key,
        source=SOURCE,
        platform_id=f"{commit.did}/{commit.rkey}",
        author=_author(commit.did),
        text="",
        created_at=created_at,
        kind="repost",
        arm=arm,
        repost_of=subject,
        repost_account=_did_of(subject),
        flags=flags,
    )


def _author(did: str) -> Author:
    return Author(key=f"{SOURCE}:{did}", source=SOURCE, handle=did, url=f"https://bsky.app/profile/{did}")


def _did_of(key: str | None) -> str | None:
    return key.removeprefix(f"{SOURCE}:").partition("/")[0] if key else None


def _created_at(commit: Commit) -> tuple[datetime, tuple[str, ...]]:
    """The author's time; where that is none, the network's, with a flag."""
    created_at = moment(commit.record.get("createdAt"))
    if created_at is not None:
        return created_at, ()
    if commit.seen_at is not None:
        return commit.seen_at, ("clock",)
    raise MappingError("createdAt is no time, and the event has none either")


def _language(record: Mapping[str, Any]) -> str | None:
    languages = record.get("langs")
    return words(languages[0]) if isinstance(languages, list) and languages else None


def _quoted(embed: Mapping[str, Any]) -> str | None:
    record = table(embed.get("record"))
    return key_of(record.get("uri")) or key_of(table(record.get("record")).get("uri"))


def _links(record: Mapping[str, Any]) -> Iterator[str]:
    yield from _features(record, "link", "uri")
    embed = table(record.get("embed"))
    for holder in (embed, table(embed.get("media"))):
        uri = words(table(holder.get("external")).get("uri"))
        if uri:
            yield uri


def _features(record: Mapping[str, Any], name: str, value: str) -> Iterator[str]:
    for facet in tables(record.get("facets")):
        for feature in tables(facet.get("features")):
            found = words(feature.get(value))
            if feature.get("$type") == f"{_FACET}#{name}" and found:
                yield found


def _text(holder: Mapping[str, Any], name: str) -> str:
    value = words(holder.get(name))
    if value is None:
        raise MappingError(f"{name} is missing")
    return value


def _from_microseconds(value: Any) -> datetime | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    try:
        return _EPOCH + timedelta(microseconds=value)
    except OverflowError:
        return None
