"""The promise of the columns: as design.md lists them, each table answering to its own SQL."""

from __future__ import annotations

import pytest

from archive.export_tables import FULL_TABLES, POST_COLUMNS, TABLES, Table
from archive.store import Archive

ALL = (*TABLES, *FULL_TABLES)


def test_columns_of_posts_are_those_promised() -> None:
    promised = """
        key, source, platform_id, kind, author_key, author_handle, author_name, text, language,
        language_detected, created_at, received_at, edited_at, arm, session, reply_to, repost_of, quote_of,
        url, likes, reposts, replies, quotes, impressions, sentiment, sentiment_score, sure, themes, question
    """
    assert tuple(promised.replace(",", " ").split()) == POST_COLUMNS


def test_no_two_tables_have_the_same_columns() -> None:
    assert len({frozenset(table.columns) for table in ALL}) == len(ALL)


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_the_sql_gives_as_many_columns(table: Table, archive: Archive) -> None:
    cursor = archive.conn.execute(f"WITH chosen AS (SELECT * FROM posts) {table.sql}")
    assert len(cursor.description) == len(table.columns)
