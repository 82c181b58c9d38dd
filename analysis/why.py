"""Why a post is tagged as it is: ``backchannel why`` and the dashboard's "why this tag"."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from archive.errors import UsageError
from archive.evidence import StoredTag, TaggedPost, tags_of
from archive.reading import open_readonly
from archive.times import short


def why(archive: sqlite3.Connection | Path, key: str) -> dict[str, Any]:
    """Everything that is known about a post's tags, ready for JSON.

    ``{"post", "text", "language", "tagged_at", "tagged_by", "failure", "tags": […], "history": […]}``; a
    tag is ``{"component", "label", "score", "version", "set_by", "overruled_by", "seen_at"}`` with its
    evidence beside it (spans, words, probabilities, alternatives, phrases near it, a person's note), in
    ``history`` also ``superseded_at``. ``overruled_by`` names the person whose word counts instead.
    ``language`` is the source's own mark. Raises UsageError where no such post is kept.
    """
    if isinstance(archive, Path):
        with closing(open_readonly(archive)) as conn:
            return why(conn, key)
    post = tags_of(archive, key)
    if post is None:
        raise UsageError(f"{key}: no such post is kept here; a key looks like x:1234567890123456789")
    return as_json(post)


def as_json(post: TaggedPost) -> dict[str, Any]:
    """A post's tags, those that count apart from those that did."""
    current = [tag for tag in post.tags if tag.superseded_at is None]
    people = {tag.component: tag.set_by for tag in current if tag.set_by is not None}
    return {
        "post": post.key,
        "text": post.text,
        "language": post.language,
        "tagged_at": None if post.tagged_at is None else short(post.tagged_at),
        "tagged_by": post.tagged_by,
        "failure": post.failure,
        "tags": [_tag(tag, None if tag.set_by else people.get(tag.component)) for tag in current],
        "history": [_tag(tag) for tag in post.tags if tag.superseded_at is not None],
    }


def _tag(tag: StoredTag, overruled_by: str | None = None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "component": tag.component,
        "label": tag.label,
        "score": None if tag.score is None else round(tag.score, 4),
        "version": tag.version,
        "set_by": tag.set_by,
        "overruled_by": overruled_by,
        "seen_at": short(tag.seen_at),
        **(tag.evidence or {}),
    }
    if tag.superseded_at is not None:
        shown["superseded_at"] = short(tag.superseded_at)
    return shown
