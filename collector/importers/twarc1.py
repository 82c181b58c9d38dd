"""Statuses of X API v1.1 as twarc 1 and others keep them: one a line, search pages, arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from archive.vocabulary import Arm, Deleted, Item, Private, Received, Skipped, Unmapped
from collector.importers.base import Context, Head, Record, json_records, mapped
from collector.mapping import MappingError, x_ids, x_v1

NAME = "twarc1"
TITLE = "X API v1.1, as twarc 1 keeps it (JSON lines, search pages, arrays)"
TRIED = True

_NOTICES = {
    "limit",
    "scrub_geo",
    "status_withheld",
    "user_withheld",
    "disconnect",
    "warning",
    "friends",
    "event",
}
_STATUS = re.compile(r'"(?:id_str|retweeted|favorited)"\s*:')
_DIRECT = re.compile(r'"(?:direct_message|message_create|messageCreate|dmConversation)"\s*:')


def sniff(head: Head) -> bool:
    """JSON with the names of a status and its user, or of a direct message."""
    text = head.text.lstrip()
    if not text.startswith(("{", "[")):
        return False
    return ('"screen_name"' in text and bool(_STATUS.search(text))) or bool(_DIRECT.search(text))


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """One item a status."""
    arm = context.arm or "public"
    return mapped(_statuses(json_records(stream)), lambda record: _item(record, arm))


def _statuses(records: Iterable[Record | Unmapped]) -> Iterator[Record | Unmapped]:
    """Pages and arrays taken apart."""
    for record in records:
        inner = record.value if isinstance(record, Record) else None
        if isinstance(inner, dict):
            inner = inner.get("statuses", inner.get("events"))
        if isinstance(record, Record) and isinstance(inner, list):
            for position, status in enumerate(inner, start=1):
                yield Record(status, f"{record.where}, post {position}")
        else:
            yield record


def _item(record: Record, arm: Arm) -> Item:
    status = record.value
    if not isinstance(status, dict):
        raise MappingError("no JSON object")
    if x_v1.is_private(status):
        return Private(record.where)
    if "delete" in status:
        if (post_id := x_v1.deleted_id(status)) is None:
            raise MappingError("a deletion that does not say of what")
        return Deleted(f"{x_ids.SOURCE}:{post_id}", x_ids.SOURCE)
    if not _NOTICES.isdisjoint(status):
        return Skipped("notice of the stream")
    return Received(x_v1.to_post(status, arm=arm), record.raw)
