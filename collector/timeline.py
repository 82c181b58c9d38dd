"""The items of archive files at the moments when a collector would have met them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from archive.codec import span_from_json
from archive.errors import InputError
from archive.vocabulary import Decision, Deleted, Item, Meeting, Received, Span
from collector import importing
from collector.spool import Spool

#: The file in which a sample or an export keeps its coverage ledger.
COVERAGE = "coverage.ndjson"
#: Networks whose payloads carry the moment at which they were passed on, not that of a later search.
_STREAMED = frozenset({"bluesky"})


def fill(
    spool: Spool[Item], meeting: Meeting, paths: Iterable[Path], stop: Callable[[], bool] = lambda: False
) -> None:
    """Put every item of the files into the spool at its moment. InputError names a file that is no use.

    Without a ledger among them, the replay is all the listening that is known of: each source listens
    from the first item to the last.
    """
    sources: set[str] = set()
    has_ledger = False
    for path in paths:
        previous: datetime | None = None
        for item in items_of(meeting, path):
            previous = moment_of(item) or previous or meeting.starts
            spool.add(previous, item)
            has_ledger = has_ledger or isinstance(item, Span)
            if isinstance(item, Received):
                sources.add(item.post.source)
            if len(spool) % 1_000 == 0 and stop():
                return
    if not has_ledger and spool.first is not None and spool.last is not None:
        for source in sorted(sources):
            for item in _whole(source, spool.first, spool.last):
                spool.add(spool.first if item.ended_at is None else spool.last, item)


def items_of(meeting: Meeting, path: Path) -> Iterator[Item]:
    """The items of one file; those of a ledger twice for every interval, at its beginning and its end.

    What people corrected and decided afterwards is left out: nobody had said it then.
    """
    if path.name == COVERAGE:
        for span in spans(path):
            yield from _begun_and_ended(span)
        return
    for item in importing.read_file(meeting, path):
        if isinstance(item, Received) and item.corrections:
            yield replace(item, corrections=())
        elif not isinstance(item, Decision):
            yield item


def moment_of(item: Item) -> datetime | None:
    """When a collector would have met an item; None for what has no time of its own."""
    if isinstance(item, Received):
        post = item.post
        streamed = item.observed_at if post.source in _STREAMED else None
        return item.received_at or streamed or post.edited_at or post.created_at
    if isinstance(item, Deleted):
        return item.seen_at
    if isinstance(item, Span):
        return item.ended_at or item.started_at
    return None


def spans(path: Path) -> Iterator[Span]:
    """The intervals of a ledger written as JSON lines, in the columns of the table ``coverage``."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield span_from_json(json.loads(line))
                except (ValueError, AttributeError, RecursionError) as error:
                    raise InputError(
                        f"{path.name}, line {number}: no interval of a coverage ledger ({error}); "
                        "wanted are name, source, state, started_at and, where known, ended_at"
                    ) from None


def _begun_and_ended(span: Span) -> Iterator[Span]:
    """What is known of an interval when it begins, and when it has ended."""
    yield replace(span, ended_at=None, missing_estimate=None)
    if span.ended_at is not None:
        yield span


def _whole(source: str, starts: datetime, ends: datetime) -> Iterator[Span]:
    span = Span(
        name=source, source=source, state="listening", started_at=starts, ended_at=ends, cause="replay"
    )
    yield from _begun_and_ended(span)
