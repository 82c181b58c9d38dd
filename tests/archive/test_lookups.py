from __future__ import annotations

import sqlite3

from archive.lookups import select_in


def test_thousands_of_keys_in_one_statement() -> None:
    conn = sqlite3.connect(":memory:")
    conn.execute("CREATE TABLE t (k TEXT, n INTEGER)")
    conn.executemany("INSERT INTO t VALUES (?, ?)", [(f"k'{n}", n) for n in range(5000)])
    rows = select_in(conn, "SELECT n FROM t", "k", (f"k'{n}" for n in range(0, 50_000, 10)))
    assert sorted(row[0] for row in rows) == list(range(0, 5000, 10))
    conn.close()
