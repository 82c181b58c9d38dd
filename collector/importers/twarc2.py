"""X API v2 as twarc 2 keeps it: a response a line, or flattened to a post a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, BinaryIO

from archive.vocabulary import Arm, Item, Private, Received, Skipped, Unmapped
from collector.importers.base import Context, Head, Record, json_records, mapped
from collector.mapping import MappingError, table, x_ids, x_v2

NAME = "twarc2"
TITLE = "X API v2, as twarc 2 keeps it (JSON lines of responses, or flattened)"
TRIED = True

_OURS = re.compile(
    r'"(?:author_id|edit_history_tweet_ids|referenced_tweets|in_reply_to_user_id|public_metrics'
    r'|newest_id|result_count|dm_conversation_id|event_type)"\s*:'
)
_DIRECT = {"dm_conversation_id", "dm_event_id", "event_type", "sender_id"}
_PARTS = {"data", "includes", "errors", "meta"}


def sniff(head: Head) -> bool:
    """JSON with the names of API v2."""
    return head.text.lstrip().startswith(("{", "[")) and bool(_OURS.search(head.text))


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """One item a post of ``data``; what is included is context, and ``errors`` are partial results."""
    arm = context.arm or "public"
    return mapped(_posts(json_records(stream)), lambda record: _item(record, arm))


def _posts(records: Iterable[Record | Unmapped]) -> Iterator[Record | Unmapped]:
    """Responses and arrays taken apart, a payload a post."""
    for record in records:
        value = record.value if isinstance(record, Record) else None
        if isinstance(record, Record) and isinstance(value, list):
            for position, post in enumerate(value, start=1):
                yield Record(post, f"{record.where}, post {position}")
        elif isinstance(record, Record) and isinstance(value, dict) and value.get("data"):
            yield from _taken_apart(value, record.where)
        else:
            yield record


def _taken_apart(page: dict[str, Any], where: str) -> Iterator[Record]:
    for position, payload in enumerate(x_v2.payloads(page), start=1):
        if "__twarc" in page:
            payload["__twarc"] = {"retrieved_at": table(page["__twarc"]).get("retrieved_at")}
        yield Record(payload, f"{where}, post {position}")


def _item(record: Record, arm: Arm) -> Item:
    value = record.value
    if not isinstance(value, dict):
        raise MappingError("no JSON object")
    if "data" not in value and not _PARTS.isdisjoint(value):
        return Skipped("response without posts")
    payload = value if "data" in value else x_v2.from_flat(value)
    if not _DIRECT.isdisjoint(table(payload["data"])):
        return Private(record.where)
    post = x_v2.to_post(payload, arm=arm)
    return Received(post, record.raw, observed_at=_retrieved_at(value))


def _retrieved_at(value: dict[str, Any]) -> datetime | None:
    """When twarc fetched the response; later versions of a post are told by it."""
    try:
        return x_ids.iso_time(table(value.get("__twarc")).get("retrieved_at"))
    except MappingError:
        return None
