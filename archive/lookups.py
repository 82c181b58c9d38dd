"""Looking up many keys with one statement."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any


def select_in(conn: sqlite3.Connection, select: str, column: str, keys: Iterable[str | int]) -> list[Any]:
    """The rows of ``select`` whose ``column`` is one of ``keys``, however many they are."""
    # One bound JSON array instead of thousands of parameters: SQLite's limit on those is no matter.
    return conn.execute(
        f"{select} WHERE {column} IN (SELECT value FROM json_each(?))", (json.dumps(list(keys)),)
    ).fetchall()
