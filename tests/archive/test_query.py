import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import SearchError
from archive.query import LONGEST, Query, parse


@pytest.mark.parametrize(
    ("typed", "match"),
    [
        ("", None),
        ("budget", '("budget")'),
        ("open data", '("open" AND "data")'),
        ("open AND data", '("open" AND "data")'),
        ('"open data" budget', '("open data" AND "budget")'),
        ("health OR education", '("health") OR ("education")'),
        ("a b OR c NOT d", '("a" AND "b") OR ("c") NOT "d"'),
        ("budget NOT lunch", '("budget") NOT "lunch"'),
        ("budget AND NOT lunch", '("budget") NOT "lunch"'),
        ("NOT lunch budget", '("budget") NOT "lunch"'),
        ("transpar*", '("transpar"*)'),
        ("#OpenData @ana_1", '("#OpenData" AND "@ana_1")'),
        ("near or not", '("near" AND "or" AND "not")'),
        ("text:budget ^first", '("text:budget" AND "^first")'),
        ("«datos abiertos»", '("datos abiertos")'),
        ("budget !!!", '("budget")'),
        ("* budget", '("budget")'),
        ("see (this", '("see" AND "(this")'),
    ],
)
def test_what_is_typed_becomes_a_query(typed: str, match: str | None) -> None:
    assert parse(typed) == Query(match)


def test_authors_narrow_the_whole_search() -> None:
    assert parse("budget from:@Ana") == Query('("budget")', ("ana",))
    assert parse('from:"Ana Beltrán" from:jens') == Query(None, ("ana beltrán", "jens"))
    assert not parse("")
    assert parse("from:ana")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ('"open data', "quotation mark is missing"),
        ("NOT lunch", "something to take them from"),
        ("budget OR NOT lunch", "something to take them from"),
        ("budget NOT", "After NOT comes"),
        ("budget NOT NOT lunch", "After NOT comes"),
        ("OR budget", "OR stands between two words"),
        ("budget AND", "AND stands between two words"),
        ("budget AND OR lunch", "OR stands between two words"),
        ("tr*", "at least 3 letters"),
        ("open-d*", "at least 3 letters"),
        ("!!! ???", "no letter or digit"),
        ("from:", "After from:"),
        ("budget NOT from:ana", "cannot stand after NOT"),
        ("(open OR free) data", "Brackets"),
        ("word " * 33, "At most 32"),
        ("x" * (LONGEST + 1), "at most 300"),
    ],
)
def test_what_cannot_be_meant_is_explained(typed: str, said: str) -> None:
    with pytest.raises(SearchError, match=said):
        parse(typed)


@given(st.text() | st.text(alphabet="ab* \"'()-+:^#@\x00\ud800ANDORT", max_size=60))
def test_no_text_at_all_makes_sqlite_complain(typed: str) -> None:
    try:
        query = parse(typed)
    except SearchError as error:
        assert str(error)
        return
    with sqlite3.connect(":memory:") as conn:
        conn.execute("CREATE VIRTUAL TABLE t USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')")
        conn.execute("INSERT INTO t VALUES ('an open bar')")
        if query.match is not None:
            conn.execute("SELECT count(*) FROM t WHERE t MATCH ?", (query.match,)).fetchone()
    conn.close()
