from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from archive import rollups
from archive.export_tables import POST_COLUMNS
from archive.reading import open_readonly
from archive.schema import LOG_TABLES, migrations
from archive.store import Archive
from archive.vocabulary import Correction, Meeting


def test_migrations_apply_once() -> None:
    db = Database(memory=True)
    migrations.apply(db)
    before = db.schema
    migrations.apply(db)
    assert db.schema == before
    assert migrations.pending(db) == []


def test_the_search_index_finds_accents_without_them(archive: Archive) -> None:
    assert (
        "remove_diacritics 2"
        in archive.conn.execute("SELECT sql FROM sqlite_master WHERE name = 'posts_fts'").fetchone()[0]
    )


def test_log_tables_exist(archive: Archive) -> None:
    names = {row[0] for row in archive.conn.execute("SELECT name FROM sqlite_master")}
    assert set(LOG_TABLES) <= names


def test_the_readable_view_has_the_promised_columns(archive: Archive) -> None:
    columns = [row[1] for row in archive.conn.execute("PRAGMA table_info(posts_readable)")]
    assert tuple(columns) == POST_COLUMNS


def test_a_file_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path, meeting: Meeting) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as conn:
        db = Database(conn)
        migrations.apply(db, stop_before="m003_meaning")
        conn.execute(
            "INSERT INTO authors (id, key, source, observed_at, profile_hash) VALUES (1, 'a', 'x', '', '')"
        )
        conn.execute(
            "INSERT INTO posts (key, source, platform_id, author_id, text, created_at, arm, session, "
            "has_link, content_hash, payload_hash, tagged_at, sentiment, question) VALUES "
            "('x:9', 'x', '9', 1, 'old', '2012-03-26T15:00:00', 'public', 's1', 0, '', '', 'y', 'neutral', 1)"
        )
        conn.execute("INSERT INTO post_themes VALUES (1, 'agility', 0.5)")
        conn.execute("INSERT INTO posts_fts (rowid, text) VALUES (1, 'old')")
        conn.commit()
    with closing(open_readonly(path)) as conn:
        row = conn.execute("SELECT text, sentiment, to_chair, logistics FROM posts").fetchone()
        assert tuple(row) == ("old", "neutral", 1, None)
        assert conn.execute("SELECT changes, version FROM learning").fetchone()[:] == (0, "")
    with Archive.open(path, meeting) as archive:
        assert len(archive.stale_themes(5, "theme 2")) == len(archive.to_refine(5)) == 1
        assert archive.ungrouped()
        totals = "SELECT * FROM rollup_totals WHERE dimension IN ('logistics', 'to_chair') ORDER BY 1"
        migrated = archive.conn.execute(totals).fetchall()
        with archive.transaction() as conn:
            rollups.rebuild(conn)
        assert migrated == archive.conn.execute(totals).fetchall()
        archive.correct("x:9", Correction(by="Eva", sentiment="negative"))
