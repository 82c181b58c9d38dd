"""Search among a million posts: the newest twenty with snippets, and facets with counts."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from archive.facets import Selection
from archive.reading import open_readonly
from archive.search import Searcher
from bench.figures import Figure, percentile

QUERIES = (
    "datos abiertos",
    "gobierno",
    "transparency",
    '"open data"',
    "innovation AND budget",
    "minist*",
    "school",
    "open NOT data",
    "citoyen OR ciudadano",
    "panel question",
    "réseau",
    "kelo",
    "fraple*",
    "minister",
    "données ouvertes",
    "budget",
    "ponencia",
    '"gobierno abiertos"',
    "water policy",
    "identity OR record",
    "speaker AND answer",
    "agency NOT open",
    "platf*",
    "tran*",
    "numérique",
    "ciudad",
    "health",
    "street",
    "trámite",
    "agilité",
    "panel",
    "people",
    "session answer",
    "report minister",
    '"open government"',
    "suta*",
)


def run(big: Path) -> list[Figure]:
    """CPU milliseconds at p95 over words from rare to common, with and without filters."""
    conn = open_readonly(big)
    searcher = Searcher(conn)
    searcher.find("warm", Selection())
    plain = [_cpu_ms(searcher, q, Selection()) for q in QUERIES]  # each once: the last ones are remembered
    searcher.close()
    conn = open_readonly(big)
    searcher = Searcher(conn)
    searcher.find("warm", Selection())
    theme = Selection(theme="open-data", language="en")
    narrowed = [_cpu_ms(searcher, q, theme) for q in QUERIES]
    peer = [_like_ms(conn, q.strip('"*#').split()[0]) for q in QUERIES[:4]]
    searcher.close()
    return [
        Figure(
            "search at 1M posts: newest 20, p95",
            percentile(plain, 0.95),
            "CPU-ms",
            50,
            25,
            False,
            percentile(peer, 0.95),
            "LIKE '%word%' ordered by time",
            1.0,
        ),
        Figure("the same with theme and language", percentile(narrowed, 0.95), "CPU-ms", 50, 25, False),
    ]


def _cpu_ms(searcher: Searcher, query: str, selection: Selection) -> float:
    began = time.process_time()
    searcher.find(query, selection)
    return (time.process_time() - began) * 1000


def _like_ms(conn: sqlite3.Connection, word: str) -> float:
    began = time.process_time()
    conn.execute(
        "SELECT key, text FROM posts WHERE text LIKE ? ORDER BY created_at DESC LIMIT 20", (f"%{word}%",)
    ).fetchall()
    return (time.process_time() - began) * 1000
