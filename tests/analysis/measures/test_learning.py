"""How far the tagger is with what people taught it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analysis.measures.learning import ENOUGH, check_keyword, learning, posts_by_theme, taught_by_theme
from archive.errors import UsageError
from archive.store import Archive
from archive.vocabulary import Correction, Learned, Meeting, Received, Tagging, Taught

NOW = datetime(2012, 3, 26, 20, 3, tzinfo=UTC)
Receive = Callable[..., Received]


def key(number: int) -> str:
    return f"x:9{number:018d}"


def tagging(themes_by: str) -> Tagging:
    return Tagging(
        language="en",
        themes=(("agility", 0.9),),
        sentiment="neutral",
        sentiment_score=0.9,
        sure=True,
        question=False,
        tags=(),
        themes_by=themes_by,
    )


@pytest.fixture
def archive(tmp_path: Path, meeting: Meeting, receive: Receive) -> Iterator[Archive]:
    """Ten posts, all tagged by the first version of the themes, at a clock that stands."""
    with Archive.open(tmp_path / "a.db", meeting, clock=lambda: NOW) as archive:
        archive.write([receive(n) for n in range(10)])
        archive.save_tags([(post, tagging("themes 1")) for post in archive.untagged(100)], version="1")
        yield archive


def test_nothing_is_said_where_nobody_taught_anything(archive: Archive) -> None:
    assert learning(archive.conn) is None
    archive.correct(key(1), Correction(by="Ana", sentiment="positive"))
    archive.decide("agility", "es", "pruebas", accepted=False, by="Ana")
    assert learning(archive.conn) is None


def test_what_was_taught_waits_for_the_tagger(archive: Archive) -> None:
    archive.correct(key(1), Correction(by="Ana", themes=("open-data", "agility")))
    archive.correct(key(1), Correction(by="Ana", themes=("open-data",)))
    archive.correct(key(2), Correction(by="Ana", themes=()))
    archive.decide("agility", "es", "pruebas", accepted=True, by="Ana")
    found = {"corrections": 2, "keywords": 1, "fitted_at": None, "enough": True, "waiting": 0}
    assert learning(archive.conn) == found
    assert taught_by_theme(archive.conn) == {"open-data": 1, "none": 1}
    assert posts_by_theme(archive.conn) == {"agility": 8, "open-data": 1, "none": 1}


def test_posts_are_counted_until_the_last_is_tagged_anew(archive: Archive) -> None:
    taught = Taught(b"", "text", ("open-data",))
    archive.fitted(Learned((), (taught,), "abc"), 0.2)
    archive.chosen_by("themes 2")
    taught_at = {"corrections": 1, "keywords": 0, "fitted_at": "2012-03-26T20:03:00Z"}
    found = {**taught_at, "enough": False, "waiting": 10}
    assert learning(archive.conn) == found
    with archive.transaction() as conn:
        conn.execute("UPDATE posts SET themes_by = 'themes 2' WHERE id <= 7")
        conn.execute("UPDATE posts SET themes_by = 'themes 3' WHERE id = 8")
    assert learning(archive.conn) == found | {"waiting": 3}


def test_a_new_version_of_the_themes_is_seen_too(archive: Archive) -> None:
    archive.chosen_by("themes 2")
    found = learning(archive.conn)
    assert found is not None and (found["fitted_at"], found["waiting"]) == (None, 10)


def test_some_corrections_of_a_theme_are_enough(archive: Archive) -> None:
    for number in range(ENOUGH):
        before = learning(archive.conn)
        assert before is None or not before["enough"]
        archive.correct(key(number), Correction(by="Ana", themes=("open-data",)))
    found = learning(archive.conn)
    assert found is not None and found["enough"]


def test_posts_of_no_theme_are_not_enough_of_one(archive: Archive) -> None:
    for number in range(ENOUGH):
        archive.correct(key(number), Correction(by="Ana", themes=()))
    found = learning(archive.conn)
    assert found is not None and (found["corrections"], found["enough"]) == (ENOUGH, False)


@pytest.mark.parametrize("keyword", ["the", "The", "of  the", "#THE", "que", "rt", "don’t"])
def test_a_keyword_that_says_nothing_is_refused(meeting: Meeting, keyword: str) -> None:
    with pytest.raises(UsageError, match="in posts about anything"):
        check_keyword(meeting, keyword)


@pytest.mark.parametrize("keyword", ["fish quay", "the quay", "datos abiertos", "", "x"])
def test_a_keyword_that_says_something_is_not(meeting: Meeting, keyword: str) -> None:
    check_keyword(meeting, keyword)


def test_counting_them_reads_no_post_that_is_up_to_date(archive: Archive) -> None:
    archive.fitted(Learned((), (), "abc"), 0.2)
    archive.chosen_by("themes 1")
    asked: list[str] = []
    archive.conn.set_trace_callback(asked.append)
    learning(archive.conn)
    archive.conn.set_trace_callback(None)
    counting = next(sql for sql in asked if "UNION ALL" in sql)
    plan = [row[3] for row in archive.conn.execute(f"EXPLAIN QUERY PLAN {counting}")]
    assert any("SEARCH posts USING INDEX posts_themes_by (themes_by<" in step for step in plan), plan
    assert not any(step.startswith("SCAN posts") for step in plan), plan
