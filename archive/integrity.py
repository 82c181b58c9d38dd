"""Is the file whole, and do its own counts agree with it? And a copy that can be trusted."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from archive.errors import ArchiveError, DamagedArchive, UsageError
from archive.reading import explained, open_readonly
from archive.vocabulary import Meeting

_PAGES = 1000  # copied at a time, so that writers get their turn

_THEMES = """
    SELECT id AS post_id, '*' AS theme FROM posts
    UNION ALL SELECT post_id, theme FROM post_themes t
        WHERE EXISTS (SELECT 1 FROM posts p WHERE p.id = t.post_id AND p.tagged_at IS NOT NULL)
    UNION ALL SELECT id, 'none' FROM posts p WHERE tagged_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM post_themes t WHERE t.post_id = p.id)
    UNION ALL SELECT id, 'untagged' FROM posts WHERE tagged_at IS NULL"""
_SENTIMENT = """CASE WHEN p.tagged_at IS NULL THEN 'untagged'
    WHEN p.sure = 1 AND p.sentiment IS NOT NULL THEN p.sentiment ELSE 'not_sure' END"""
_COUNTS = "count(*) AS posts, sum(CASE WHEN p.kind = 'repost' THEN 0 ELSE 1 END) AS authored"

_MINUTES = f"""
    SELECT substr(p.created_at, 1, 16), p.session, t.theme, {_SENTIMENT}, p.source, {_COUNTS}
    FROM posts p JOIN ({_THEMES}) t ON t.post_id = p.id GROUP BY 1, 2, 3, 4, 5"""
_TOTALS = " UNION ALL ".join(
    f"SELECT '{dimension}', {value}, {_COUNTS} FROM posts p WHERE {where} GROUP BY 2"
    for dimension, value, where in (
        ("all", "'*'", "1"),
        ("kind", "coalesce(p.kind, 'unknown')", "1"),
        ("source", "p.source", "1"),
        ("session", "p.session", "1"),
        ("arm", "p.arm", "1"),
        ("language", "coalesce(p.language, '')", "1"),
        ("tagged", "CASE WHEN p.tagged_at IS NULL THEN '0' ELSE '1' END", "1"),
        ("sentiment", _SENTIMENT, "1"),
        ("language_detected", "coalesce(p.language_detected, '')", "p.tagged_at IS NOT NULL"),
        ("question", "CAST(coalesce(p.question, 0) AS TEXT)", "p.tagged_at IS NOT NULL"),
        ("logistics", "CAST(coalesce(p.logistics, 0) AS TEXT)", "p.tagged_at IS NOT NULL"),
        ("to_chair", "CAST(coalesce(p.to_chair, 0) AS TEXT)", "p.tagged_at IS NOT NULL"),
    )
)
_TOTALS += f""" UNION ALL SELECT 'theme', t.theme, {_COUNTS}
    FROM posts p JOIN ({_THEMES}) t ON t.post_id = p.id WHERE t.theme <> '*' GROUP BY 2"""
_AUTHORS = f"""
    SELECT a.key, {_COUNTS.replace("count(*)", "count(p.id)")}, min(p.created_at), max(p.created_at)
    FROM authors a LEFT JOIN posts p ON p.author_id = a.id GROUP BY a.id"""

#: What is kept, what it must equal, and what to say where it does not.
_KEPT = (
    (
        "the counts per minute (rollup_minutes)",
        "SELECT minute, session, theme, sentiment, source, posts, authored FROM rollup_minutes",
        _MINUTES,
    ),
    ("the totals (rollup_totals)", "SELECT dimension, value, posts, authored FROM rollup_totals", _TOTALS),
    (
        "the counts per author (authors)",
        "SELECT key, posts, authored, first_post_at, last_post_at FROM authors",
        _AUTHORS,
    ),
)


def backup(source: Path, target: Path) -> int:
    """Copy an archive, consistent even while others write to it; returns the size in bytes.

    Raises UsageError where ``target`` exists or cannot be written, DamagedArchive where the copy would
    be worth nothing, else what ``open_readonly`` raises.
    """
    if target.exists():
        raise UsageError(f"{target}: is there already, and a backup never overwrites; name a new file")
    if not target.parent.is_dir():
        raise UsageError(f"{target.parent}: there is no such folder")
    unfinished = target.with_name(f".{target.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(open_readonly(source)) as conn, closing(sqlite3.connect(unfinished)) as copy:
            conn.backup(copy, pages=_PAGES)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, to be carried anywhere
            damage = [row[0] for row in copy.execute("PRAGMA quick_check(1)") if row[0] != "ok"]
        if damage:
            raise DamagedArchive(f"{source.name}: is damaged ({damage[0]}), so a copy would be too")
        os.link(unfinished, target)  # unlike a renaming, fails where the name was taken meanwhile
    except FileExistsError:
        raise UsageError(f"{target}: is there already, and a backup never overwrites") from None
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror})") from None
    except sqlite3.Error as error:
        raise explained(error, source) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target.stat().st_size


def verify(path: Path, meeting: Meeting | None = None) -> list[str]:
    """What is wrong with an archive, in sentences; an empty list where nothing is. Never raises for it.

    Where a ``meeting`` is given, the archive must be its.
    """
    try:
        with closing(open_readonly(path, meeting)) as conn:
            conn.execute("BEGIN")
            return list(_problems(conn))
    except ArchiveError as error:
        return [str(error)]
    except sqlite3.Error as error:
        return [str(explained(error, path))]


def _problems(conn: sqlite3.Connection) -> Iterator[str]:
    damage = [row[0] for row in conn.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
    if damage:  # counting in a damaged file would only add noise
        yield from (f"the file is damaged: {said}" for said in damage)
        return
    for table, _, parent, _ in conn.execute("PRAGMA foreign_key_check").fetchmany(20):
        yield f"a row of {table} belongs to a row of {parent} that is not there"
    yield from _search_problems(conn)
    for what, kept, recounted in _KEPT:
        wrong = _differences(conn, kept, recounted)
        if wrong:
            yield f"{what} do not equal a recount: {wrong} rows differ"


def _search_problems(conn: sqlite3.Connection) -> Iterator[str]:
    """The search index against the texts. FTS5 checks itself only where it may write: in a temporary copy."""
    with closing(sqlite3.connect("")) as copy:
        conn.backup(copy)
        try:
            copy.execute("INSERT INTO posts_fts (posts_fts, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError:
            yield "the search index does not fit the posts"


def _differences(conn: sqlite3.Connection, kept: str, recounted: str) -> int:
    sql = f"""WITH kept AS ({kept}), recounted AS ({recounted})
        SELECT count(*) FROM (
            SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM recounted)
            UNION ALL SELECT * FROM (SELECT * FROM recounted EXCEPT SELECT * FROM kept))"""
    return int(conn.execute(sql).fetchone()[0])
