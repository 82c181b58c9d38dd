"""Bluesky's Jetstream: events a line, as the stream gives them, version 1 or 2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from archive.vocabulary import Arm, Deleted, Item, Received, Skipped
from collector.importers.base import Context, Head, Record, json_records, mapped
from collector.mapping import MappingError, table
from collector.mapping.bluesky import POST, REPOST, SOURCE, commit_of, to_post

NAME = "jetstream"
TITLE = "Bluesky Jetstream events (JSON lines)"
TRIED = True

_EVENT = re.compile(r'"time_us"|"network\.bsky\.jetstream\.')


def sniff(head: Head) -> bool:
    """An event names its account by a did, and the stream's time or type."""
    return (
        head.text.lstrip().startswith(("{", "["))
        and '"did"' in head.text
        and _EVENT.search(head.text) is not None
    )


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Posts, reposts and their deletions; likes, follows, other applications' records are skipped."""
    arm = context.arm or "public"
    yield from mapped(json_records(stream), lambda record: _item(record, arm))


def _item(record: Record, arm: Arm) -> Item:
    commit = commit_of(table(record.value))
    if isinstance(commit, str):
        return Skipped(commit)
    if commit.collection not in (POST, REPOST):
        return Skipped(commit.collection)
    if commit.operation == "delete":
        return Deleted(commit.key, SOURCE, commit.seen_at)
    if commit.operation not in ("create", "update"):
        raise MappingError(f"unknown operation {commit.operation[:40]!r}")
    return Received(to_post(commit, arm=arm), record.raw, commit.seen_at)
