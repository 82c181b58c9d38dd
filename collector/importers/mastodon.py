"""Mastodon: arrays of statuses as the REST interface pages them, a status a line, or a single status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import BinaryIO

from archive.vocabulary import Arm, Item, Private, Received, Unmapped
from collector.importers.base import Context, Head, Record, dump, json_records, mapped
from collector.mapping import MappingError, table
from collector.mapping.mastodon import audience, for_all_eyes, to_post

NAME = "mastodon"
TITLE = "Mastodon statuses (JSON)"
TRIED = True

_LISTS = ("statuses", "ancestors", "descendants")  # of a search, of a thread


def sniff(head: Head) -> bool:
    """A status names its uri, its visibility and its reblog; no other format does."""
    return head.text.lstrip().startswith(("{", "[")) and all(
        f'"{name}"' in head.text for name in ("uri", "visibility", "reblog")
    )


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Each status as a post. What may be private leaves no payload behind."""
    arm = context.arm or "public"
    yield from mapped(_statuses(json_records(stream)), lambda record: _item(record, arm))


def _statuses(records: Iterable[Record | Unmapped]) -> Iterator[Record | Unmapped]:
    """The statuses of pages one by one, those of searches and threads too; damage without its payload."""
    for record in records:
        if isinstance(record, Unmapped):
            yield replace(record, payload=None)
        elif isinstance(record.value, list):
            for number, status in enumerate(record.value, 1):
                yield Record(status, f"{record.where}, item {number}")
        elif isinstance(record.value, dict) and (
            lists := [record.value[n] for n in _LISTS if n in record.value]
        ):
            found = [status for page in lists if isinstance(page, list) for status in page]
            for number, status in enumerate(found, 1):
                yield Record(status, f"{record.where}, item {number}")
        else:
            yield record


def _item(record: Record, arm: Arm) -> Item:
    status = table(record.value)
    readers = audience(status)
    if readers == "private":
        return Private(record.where)
    if readers == "unknown":
        reason = "no visibility that we know: it may be private" if status else "no status"
        return Unmapped(reason, None, record.where)
    shown = for_all_eyes(status)
    hidden = shown is not status
    try:
        return Received(to_post(status, arm=arm), dump(shown) if hidden else record.raw)
    except MappingError as error:
        if hidden:
            return Unmapped(str(error), None, record.where)
        raise
