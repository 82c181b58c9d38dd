"""The tags of a post with the evidence for them, present and past."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archive.posts import resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTag:
    """A tag as it was written. ``superseded_at`` is ``None`` while it counts.

    ``set_by`` is ``None`` for a machine's tag, else who made the correction. What of the ``evidence`` is the
    fast tier's in a tag of the accurate one is called so, in tags of earlier versions too.
    """

    component: str
    label: str
    score: float | None
    evidence: Mapping[str, Any] | None
    version: str
    set_by: str | None
    seen_at: str
    superseded_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedPost:
    """A post and all its tags in the order of writing.

    ``tagged_at`` is ``None`` while it waits; ``failure`` is why tagging it failed, where it did.
    """

    key: str
    text: str
    kind: str | None
    language: str | None
    sure: bool | None
    tagged_at: str | None
    tagged_by: str | None
    failure: str | None
    tags: tuple[StoredTag, ...]


def tags_of(conn: sqlite3.Connection, key: str) -> TaggedPost | None:
    """The post behind a key (the key of any of its versions will do) with its tags; ``None``: unknown."""
    found = resolve(conn, key)
    if found is None:
        return None
    row = conn.execute(
        "SELECT p.key, p.text, p.kind, p.language, p.sure, p.tagged_at, p.tagged_by, f.reason "
        "FROM posts p LEFT JOIN tag_failures f ON f.post_id = p.id WHERE p.id = ?",
        (found[0],),
    ).fetchone()
    tags = conn.execute(
        "SELECT component, label, score, evidence, version, set_by, seen_at, superseded_at "
        "FROM tags WHERE post_id = ? ORDER BY id",
        (found[0],),
    )
    return TaggedPost(
        key=row[0],
        text=row[1],
        kind=row[2],
        language=row[3],
        sure=None if row[4] is None else bool(row[4]),
        tagged_at=row[5],
        tagged_by=row[6],
        failure=row[7],
        tags=tuple(_tag(tag) for tag in tags),
    )


def _tag(row: sqlite3.Row | tuple[Any, ...]) -> StoredTag:
    return StoredTag(
        component=row[0],
        label=row[1],
        score=row[2],
        evidence=None if row[3] is None else _with_its_owner(json.loads(row[3])),
        version=row[4],
        set_by=row[5],
        seen_at=row[6],
        superseded_at=row[7],
    )


def _with_its_owner(evidence: dict[str, Any]) -> dict[str, Any]:
    """Tags of the accurate tier used to call the fast tier's words ``words``."""
    if evidence.get("tier") != "accurate":
        return evidence
    return {"fast_words" if name == "words" else name: found for name, found in evidence.items()}
