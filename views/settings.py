"""Which archive the dashboard shows, and how a page reads it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.errors import NotAnArchive
from archive.reading import open_readonly

ARCHIVE = "BACKCHANNEL_ARCHIVE"
READ_ONLY = "BACKCHANNEL_READ_ONLY"


def archive_path() -> Path:
    """The archive named by the environment; it reaches pages, routes, threads and tests alike."""
    named = os.environ.get(ARCHIVE)
    if not named:
        raise NotAnArchive("no archive was named; start the dashboard with `backchannel dashboard MEETING`")
    return Path(named)


def read_only() -> bool:
    """Whether viewers may change nothing, not even pause a replay."""
    return bool(os.environ.get(READ_ONLY))


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection for one drawing of a page."""
    conn = open_readonly(path)
    try:
        yield conn
    finally:
        conn.close()
