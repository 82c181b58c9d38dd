from __future__ import annotations

from sqlite_utils import Database

from archive.export_tables import POST_COLUMNS
from archive.schema import LOG_TABLES, migrations
from archive.store import Archive


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
