"""The archive as files that other programs read: one per table, CSV or a JSON object a line.

Posts are named by their keys. Times are UTC. In CSV a cell that a spreadsheet could take for a formula
begins with an apostrophe. With ``full`` every post carries its ``observations`` and its ``corrections``:
importing those files into an empty archive gives the same archive.
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from archive import corrections, observations
from archive.canonical import canonical, fingerprint
from archive.codec import corrected_to_json
from archive.errors import UsageError
from archive.export_tables import FULL_TABLES, TABLES, Table
from archive.filters import Filters
from archive.reading import explained, open_readonly
from archive.times import short

__all__ = [
    "FORMATS",
    "Written",
    "canonical",
    "export",
    "fingerprint",
    "rows_of",
    "safe_cell",
    "write_csv",
    "write_ndjson",
]

FORMATS = ("csv", "ndjson")

#: What spreadsheets take for the beginning of a formula, or skip before one.
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")

Row = dict[str, Any]
Write = Callable[[TextIO, Sequence[str], Iterable[Row]], int]


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written, and its number of rows."""

    path: Path
    rows: int


def export(
    path: Path,
    directory: Path,
    formats: Sequence[str] = FORMATS,
    filters: Filters | None = None,
    *,
    full: bool = False,
) -> list[Written]:
    """Write the tables of an archive into a folder, one file per table and format.

    A file is there as a whole or not at all. Raises UsageError, or what ``open_readonly`` raises.
    """
    unknown = [name for name in formats if name not in _WRITERS]
    if unknown or not formats:
        raise UsageError(f"no format {unknown[0] if unknown else ''!r}; there are {', '.join(FORMATS)}")
    try:
        with closing(open_readonly(path)) as conn:
            directory.mkdir(parents=True, exist_ok=True)
            conn.execute("BEGIN")  # all tables as they stand at one moment
            return list(_write_all(conn, directory, formats, filters or Filters(), full))
    except OSError as error:
        raise UsageError(f"{directory}: cannot be written ({error.strerror})") from None
    except sqlite3.Error as error:
        raise explained(error, path) from error


def safe_cell(value: Any) -> Any:
    """A cell for CSV: what could be a formula gets an apostrophe before it, true and false are words."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_RISKY) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(map(str, value)) if isinstance(value, list) else value


def write_csv(file: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write rows as CSV with a header; returns their number."""
    writer = csv.writer(file)
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([safe_cell(row[name]) for name in columns])
        count += 1
    return count


def write_ndjson(file: TextIO, columns: Sequence[str], rows: Iterable[Row]) -> int:
    """Write rows as JSON objects, one a line; returns their number."""
    count = 0
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


_WRITERS: Mapping[str, Write] = {"csv": write_csv, "ndjson": write_ndjson}


def rows_of(conn: sqlite3.Connection, table: Table, filters: Filters) -> Iterator[Row]:
    """The rows of a table for the posts that the filters leave, as JSON shows them."""
    where, params = filters.where("p")
    chosen = f"WITH chosen AS (SELECT p.* FROM posts p WHERE {where or '1'}) "
    cursor = conn.execute(chosen + table.sql, params) if table.of_posts else conn.execute(table.sql)
    for values in cursor:
        yield {name: _shown(name, value) for name, value in zip(table.columns, values, strict=True)}


def _write_all(
    conn: sqlite3.Connection, directory: Path, formats: Sequence[str], filters: Filters, full: bool
) -> Iterator[Written]:
    for table in (*TABLES, *(FULL_TABLES if full else ())):
        for name in formats:
            rows = rows_of(conn, table, filters)
            if full and table.name == "posts" and name == "ndjson":
                rows = _as_a_whole(conn, rows)
            yield _write(directory / f"{table.name}.{name}", table, rows, _WRITERS[name])


def _as_a_whole(conn: sqlite3.Connection, rows: Iterable[Row]) -> Iterator[Row]:
    """Posts with everything that was observed of them and, where there is any, that people said of them."""
    for row in rows:
        whole = {**row, "observations": observations.of_key(conn, row["key"])}
        if said := corrections.of_key(conn, row["key"]):
            whole["corrections"] = [corrected_to_json(word) for word in said]
        yield whole


def _write(path: Path, table: Table, rows: Iterable[Row], write: Write) -> Written:
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            count = write(file, table.columns, rows)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return Written(path, count)


def _shown(name: str, value: Any) -> Any:
    if value is None:
        return [] if name == "themes" else None
    if name.endswith("_at"):
        return short(value)
    if name in ("sure", "question", "bot", "post_seen", "to_chair"):
        return bool(value)
    if name == "themes":
        return str(value).split()
    return json.loads(value) if name in ("evidence", "content") else value
