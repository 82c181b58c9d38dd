"""The sample as Jetstream passes on changes of repositories: an event a line, in the order seen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from data.sample.story import Draft

_POST = "app.bsky.feed.post"
_FACETS = (
    (re.compile(r"(?<![\w&])#(\w+)"), "tag", 1, "tag"),
    (re.compile(r"https?://\S+"), "link", 0, "uri"),
)


def events(rng: Random, drafts: list[Draft]) -> Iterator[str]:
    """JSON lines: creations, some reposts and likes, and the deletions."""
    found: list[tuple[datetime, dict[str, Any]]] = []
    for draft in drafts:
        seen_at = draft.seen_at or draft.at + timedelta(milliseconds=rng.randrange(80, 900))
        found.append((seen_at, _commit(draft, seen_at, "create", _record(draft))))
        if draft.deleted_at:
            found.append((draft.deleted_at, _commit(draft, draft.deleted_at, "delete", None)))
        elif rng.random() < 0.35:
            name = rng.choice(("like", "repost", "repost"))
            found.append(_reaction(rng, draft, rng.choice(drafts), name, seen_at))
    for _, event in sorted(found, key=lambda entry: entry[0]):
        yield json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def _commit(draft: Draft, at: datetime, operation: str, record: dict[str, Any] | None) -> dict[str, Any]:
    change = {"operation": operation, "collection": _POST, "rkey": draft.id}
    return _event(draft.author.did, at, change if record is None else change | {"record": record})


def _event(did: str, at: datetime, change: dict[str, Any]) -> dict[str, Any]:
    return {"did": did, "time_us": round(at.timestamp() * 1_000_000), "kind": "commit", "commit": change}


def _reaction(
    rng: Random, draft: Draft, other: Draft, name: str, seen_at: datetime
) -> tuple[datetime, dict[str, Any]]:
    at = seen_at + timedelta(seconds=20 + rng.expovariate(1 / 300))
    record = {"$type": f"app.bsky.feed.{name}", "createdAt": _time(at), "subject": {"uri": _uri(draft)}}
    change = {
        "operation": "create",
        "collection": f"app.bsky.feed.{name}",
        "rkey": f"{other.id[:9]}{draft.id[-4:]}",
        "record": record,
    }
    return at, _event(other.author.did, at, change)


def _record(draft: Draft) -> dict[str, Any]:
    record: dict[str, Any] = {
        "$type": _POST,
        "createdAt": _time(draft.at),
        "langs": [draft.language],
        "text": draft.text,
        "facets": list(_facets(draft.text)),
    }
    if draft.parent:
        uri = {"uri": _uri(draft.parent)}
        record["reply"] = {"parent": uri, "root": uri}
    return record


def _facets(text: str) -> Iterator[dict[str, Any]]:
    for pattern, name, group, field in _FACETS:
        for match in pattern.finditer(text):
            start = len(text[: match.start()].encode())
            yield {
                "index": {"byteStart": start, "byteEnd": start + len(match[0].encode())},
                "features": [{"$type": f"app.bsky.richtext.facet#{name}", field: match[group]}],
            }


def _uri(draft: Draft) -> str:
    return f"at://{draft.author.did}/{_POST}/{draft.id}"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
