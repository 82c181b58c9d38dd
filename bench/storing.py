"""Posts stored per CPU-second, against raw rows put into SQLite with the same library."""

from __future__ import annotations

import gc
import json
import sqlite3
import threading
import time
from pathlib import Path

from sqlite_utils import Database

from analysis.measures import live
from archive.reading import open_readonly
from archive.store import Archive
from archive.vocabulary import Received
from bench import synthetic
from bench.figures import Figure, cpu_seconds, percentile

BATCH = 1000


def run(folder: Path, big: Path, *, count: int = 40_000, seconds: float = 20.0) -> list[Figure]:
    """``big`` is an archive of a million posts, to which the sustained part adds."""
    items = list(synthetic.posts(count))
    return [_stored(folder, items), *_sustained(big, seconds)]


def _stored(folder: Path, items: list[Received]) -> Figure:
    gc.collect()
    gc.freeze()  # the posts of the whole run are at hand here, as they never are in an import
    with Archive.open(folder / "ours.db", synthetic.meeting()) as archive, cpu_seconds() as spent:
        for start in range(0, len(items), BATCH):
            archive.write(items[start : start + BATCH])
        ours = len(items) / spent()
    # What a user would do with the raw lines: insert_all into one table, and full-text search on it.
    db = Database(folder / "peer.db")
    db.enable_wal()
    rows = [{**json.loads(item.raw or "{}"), "key": item.post.key} for item in items]
    with cpu_seconds() as spent:
        table = db.table("posts", pk="key")
        table.insert_all(rows[:1], pk="key", batch_size=BATCH)
        table.enable_fts(["text"], tokenize="unicode61 remove_diacritics 2", create_triggers=True)
        table.insert_all(rows[1:], pk="key", batch_size=BATCH, replace=True)
        peer = len(items) / spent()
    db.close()
    return Figure(
        "stored per CPU-second in batches",
        ours,
        "posts",
        12_000,
        25_000,
        True,
        peer,
        "sqlite-utils `insert_all` of raw rows with FTS: no side tables, rollups, payload or versions",
        0.5,
    )


def _sustained(big: Path, seconds: float) -> list[Figure]:
    """2,000 posts/s into a file of a million while two readers draw the page and search."""
    stop = threading.Event()
    waits: list[float] = []
    busy: list[str] = []
    readers = [threading.Thread(target=_read, args=(big, stop, waits, busy)) for _ in range(2)]
    for reader in readers:
        reader.start()
    written, began = 0, time.monotonic()
    with Archive.open(big) as archive:
        first = archive.conn.execute("SELECT count(*) + 10000000 FROM posts").fetchone()[0]
        source = synthetic.posts(int(2000 * seconds), seed=2, first=first)
        while (elapsed := time.monotonic() - began) < seconds:
            due = int(elapsed * 2000) - written
            if due >= 100:
                batch = [item for _, item in zip(range(min(due, BATCH)), source, strict=False)]
                archive.write(batch)
                written += len(batch)
            else:
                stop.wait(0.005)
    rate = written / (time.monotonic() - began)
    stop.set()
    for reader in readers:
        reader.join()
    return [
        Figure("sustained into a file of 1M posts, posts/s", rate, "/s", 1_000, 2_000, True),
        Figure("readers' p95 meanwhile", percentile(waits, 0.95) * 1000, "ms", 10, 5, False),
        Figure("readers' BUSY meanwhile", float(len(busy)), "", 0, 0, False),
    ]


def _read(path: Path, stop: threading.Event, waits: list[float], busy: list[str]) -> None:
    conn = open_readonly(path)
    while not stop.wait(0.05):
        began = time.perf_counter()
        try:
            live.newest(conn, 0, 20)
            conn.execute(
                "SELECT theme, sum(posts) FROM rollup_minutes WHERE minute >= '2012-03-28T14' GROUP BY theme"
            ).fetchall()
        except sqlite3.OperationalError as error:
            busy.append(str(error))
        waits.append(time.perf_counter() - began)
    conn.close()
