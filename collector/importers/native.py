"""Our own exports: the NDJSON files of ``export``, best those of a full one, which bring all back.

Of a full export ``posts`` carries every observation with its payload and what people corrected, ``keywords``
what they decided, ``tombstones`` what was deleted, ``coverage`` when each source was heard and ``quarantine``
what could not be mapped. The other tables follow from these. The machine's tags are not brought back: ``tag``
makes them anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from archive.codec import (
    corrected_from_json,
    decision_from_json,
    post_from_json,
    received_from_json,
    span_from_json,
)
from archive.export_tables import FULL_TABLES, POST_COLUMNS, TABLES
from archive.vocabulary import (
    COUNTERS,
    Author,
    Corrected,
    Deleted,
    Item,
    Post,
    Received,
    Unmapped,
    hashtags_in,
)
from collector.importers.base import Context, Head, Record, dump, json_records, unmapped
from collector.mapping import MappingError, moment, words
from collector.mapping.chat import links_in

NAME = "backchannel"
TITLE = "Backchannel's own export (NDJSON)"
TRIED = True

_NAMES = {frozenset(table.columns): table.name for table in (*TABLES, *FULL_TABLES)}
_POSTS = frozenset(POST_COLUMNS)
_OF_A_FULL_ONE = {"observations", "corrections"}
POSTS_FILE = "posts.ndjson"
_BEFORE_TEXT = POST_COLUMNS[: POST_COLUMNS.index("author_key") + 1]
_AS_THEY_ARE = (
    *("key", "source", "platform_id", "kind", "text", "language", "created_at", "edited_at", "arm"),
    *("reply_to", "repost_of", "quote_of", "url"),
)


def sniff(head: Head) -> bool:
    """The first line is an object with exactly the columns of one of our tables."""
    line = head.text.lstrip().partition("\n")[0]
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        # A post with its observations may be longer than the head.
        return line.startswith('{"key": ') and all(f'"{name}": ' in line for name in _BEFORE_TEXT)
    return isinstance(row, dict) and _table_of(row) is not None


def is_empty_table(path: Path) -> bool:
    """A table of ours without rows is a file without bytes: there is nothing wrong with it."""
    ours = path.suffix == ".ndjson" and path.stem in _NAMES.values()
    return ours and path.is_file() and path.stat().st_size == 0


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """What the rows of one table give back; a table that follows from others gives nothing."""
    for record in json_records(stream):
        if isinstance(record, Unmapped):
            yield record
            continue
        try:
            yield from list(_items(record))
        except ValueError as error:
            yield unmapped(str(error), record.raw, record.where)
        except RecursionError:
            yield unmapped("nested too deeply", record.text, record.where)


def _items(record: Record) -> Iterator[Item]:
    row = record.value
    table = _table_of(row) if isinstance(row, dict) else None
    if table is None:
        raise MappingError("no row of one of our tables")
    if table == "posts":
        said, damaged = _said(row, record.where)
        first, *others = _posts(row)
        yield replace(first, corrections=said)
        yield from others
        yield from damaged
    elif table == "tombstones":
        yield from _deleted(row)
    elif table == "coverage" and row["posts"] is None:  # its rows that count posts are no intervals
        yield span_from_json(row)
    elif table == "quarantine":
        reason = words(row["reason"]) or "unknown"
        payload = row["payload"]
        yield Unmapped(reason, payload if isinstance(payload, str) else None, str(row["location"]))
    elif table == "keywords":
        yield decision_from_json(row)


def _table_of(row: Mapping[str, Any]) -> str | None:
    columns = frozenset(row)
    return "posts" if columns - _OF_A_FULL_ONE == _POSTS else _NAMES.get(columns)


def _said(row: Mapping[str, Any], where: str) -> tuple[tuple[Corrected, ...], list[Unmapped]]:
    """What people said of the post of a row; and apart, what of it cannot be read."""
    said = []
    damaged = []
    entries = row.get("corrections", [])
    for entry in entries if isinstance(entries, list) else [entries]:
        try:
            if not isinstance(entry, dict):
                raise MappingError("it is no object")
            said.append(corrected_from_json(entry))
        except ValueError as error:
            payload = dump({"key": row["key"], "corrections": [entry]})
            accounts = (str(row["author_key"]), f"{row['source']}:@{row['author_handle']}")
            damaged.append(replace(unmapped(f"a correction: {error}", payload, where), accounts=accounts))
    return tuple(said), damaged


def _posts(row: Mapping[str, Any]) -> Iterator[Received]:
    if "observations" not in row:
        yield Received(_post(row), received_at=moment(row["received_at"]))
        return
    observations = row["observations"]
    if not isinstance(observations, list) or not observations:
        raise MappingError("observations is no list of them")
    for observation in observations:
        if not isinstance(observation, dict):
            raise MappingError("observations is no list of them")
        yield received_from_json(observation)


def _post(row: Mapping[str, Any]) -> Post:
    """The post as far as its row tells it: hashtags and links from the text, no mentions."""
    text = row["text"] if isinstance(row["text"], str) else ""
    document = {name: row[name] for name in _AS_THEY_ARE if row[name] is not None}
    document["author"] = {
        name: value
        for name, column in (("key", "author_key"), ("handle", "author_handle"), ("name", "author_name"))
        if (value := row[column]) is not None
    } | {"source": row["source"]}
    counters = {name: row[name] for name in COUNTERS if row[name] is not None}
    if counters:
        document["engagement"] = counters
    document["hashtags"] = list(hashtags_in(text))
    document["links"] = list(links_in(text))
    return post_from_json(document)


def _deleted(row: Mapping[str, Any]) -> Iterator[Item]:
    key, source = words(row["key"]), words(row["source"])
    if key is None or source is None:
        raise MappingError("a deletion without key or source")
    seen_at = moment(row["seen_at"])
    yield Deleted(key, source, seen_at)
    if row["post_seen"]:
        # That we once had it is told by a shadow of it, which its deletion keeps out.
        author = Author(key=f"{source}:deleted", source=source)
        yield Received(
            Post(
                key=key,
                source=source,
                platform_id=key.partition(":")[2] or key,
                author=author,
                text="",
                created_at=seen_at or _LONG_AGO,
                kind=None,
            )
        )


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
