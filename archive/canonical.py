"""What makes two archives the same: all that they say, without when and in which order they learnt it.

Every table as sorted NDJSON, rows named by the keys of posts and authors. Left out are row numbers,
times of receiving and of our own work, and the tables that are a log.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from archive.reading import explained, open_readonly
from archive.schema import LOG_TABLES

_LEFT_OUT = {
    "authors": {"id", "observed_at"},
    "posts": {"id", "author_id", "received_at", "tagged_at"},
    "tags": {"id", "post_id", "seen_at", "superseded_at"},
    "quarantine": {"id", "hash", "location", "seen_at"},
    "opt_outs": {"seen_at"},
    "keywords": {"seen_at"},
    "question_groups": {"post_id", "representative"},
}
_NAMED = {
    "posts": {
        "author": "(SELECT key FROM authors WHERE id = t.author_id)",
        "tagged": "t.tagged_at IS NOT NULL",
    },
    "tags": {"superseded": "t.superseded_at IS NOT NULL"},
    "question_groups": {"representative": "(SELECT key FROM posts WHERE id = t.representative)"},
}
_POST = "(SELECT key FROM posts WHERE id = t.post_id)"
#: What was known of a post that is gone says nothing any more.
_ONLY = {"aliases": "WHERE key IN (SELECT key FROM posts)"}


def canonical(path: Path) -> Iterator[str]:
    """The lines that two archives have in common exactly if they are the same."""
    with closing(open_readonly(path)) as conn:
        try:
            conn.execute("BEGIN")
            for table in _tables(conn):
                yield from _lines(conn, table)
        except sqlite3.Error as error:
            raise explained(error, path) from error


def fingerprint(path: Path) -> str:
    """A digest of ``canonical``: 64 hexadecimal digits."""
    mark = sha256()
    for line in canonical(path):
        mark.update(line.encode() + b"\n")
    return mark.hexdigest()


def _tables(conn: sqlite3.Connection) -> list[str]:
    rows = conn.execute("SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main'")
    names = {row[0] for row in rows if not row[0].startswith("sqlite_")}
    return sorted(names.difference(LOG_TABLES))


def _lines(conn: sqlite3.Connection, table: str) -> Iterator[str]:
    columns = [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]
    left_out = _LEFT_OUT.get(table, {"id", "post_id"})
    shown = {name: f"t.{name}" for name in columns if name not in left_out}
    shown |= _NAMED.get(table, {})
    if "post_id" in columns:
        shown["post"] = _POST
    order = ", ".join(str(number) for number in range(1, len(shown) + 1))
    sql = f"SELECT {', '.join(shown.values())} FROM {table} t {_ONLY.get(table, '')} ORDER BY {order}"
    for row in conn.execute(sql):
        fields = dict(zip(shown, row, strict=True))
        yield json.dumps({"table": table, **fields}, ensure_ascii=False, sort_keys=True)
