from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.measures import rising as module
from analysis.measures.rising import Agenda, Candidate, Counts, log_odds_z, merged, rising
from archive.reading import open_readonly
from archive.store import Archive
from archive.vocabulary import Deleted, Meeting, Received, Session
from tests.conftest import START

Receive = Callable[..., Received]


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    module._counts.clear()
    yield
    module._counts.clear()


@pytest.fixture
def chatter(archive: Archive, receive: Receive) -> None:
    """Sixty posts of nine people on this and that in the first hour."""
    words = ("coffee", "slides", "weather", "budget")
    archive.write(
        [receive(n, author=f"a{n % 9}", text=f"{words[n % 4]} again, number {n}") for n in range(60)]
    )


def terms(found: list[dict[str, Any]]) -> list[tuple[str, int, int, int]]:
    return [(one["term"], one["posts"], one["authors"], one["earlier"]) for one in found]


@pytest.mark.usefixtures("chatter")
def test_a_topic_rises_with_three_authors_against_what_was_before(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    late = [receive(90 + n, author=f"b{n % 4}", text=f"Water Tariffs rise, and coffee {n}") for n in range(8)]
    loud = [receive(110 + n, author="loud", text="buy shoes") for n in range(3)]
    archive.write([*late, *loud])
    found = rising(conn, at(112), meeting)
    assert terms(found) == [("Water Tariffs rise", 8, 4, 0)]
    assert found[0]["z"] >= 1.64
    # The newest post of each author, the newest author first.
    assert found[0]["examples"] == [late[n].post.key for n in (7, 6, 5)]
    assert rising(conn, at(300), meeting) == []


@pytest.mark.usefixtures("chatter")
def test_reposts_and_copies_of_posts_do_not_make_a_topic(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    archive.write(
        [receive(90 + n, author=f"b{n}", kind="repost", text="water tariffs") for n in range(6)]
        + [receive(100 + n, author=f"b{n}", kind=None, text="RT @x: water tariffs") for n in range(6)]
    )
    assert rising(conn, at(110), meeting) == []


@pytest.mark.usefixtures("chatter")
@pytest.mark.parametrize(
    "text",
    ["open data", "#opendata", "Transparency!", "datos abiertos", "#sample2012", "governments", "Rosa Luz"],
)
def test_what_the_agenda_says_is_left_out(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive, text: str
) -> None:
    archive.write([receive(90 + n, author=f"b{n}", text=text) for n in range(6)])
    session = replace(meeting.sessions[0], speakers=("Rosa Luz",))
    own = replace(meeting, sessions=(session,))
    assert rising(conn, at(99), own) == []


def test_a_phrase_of_the_agenda_has_all_the_words(meeting: Meeting) -> None:
    agenda = Agenda(
        replace(
            meeting,
            sessions=(
                Session(slug="a", title="Data for water", starts=START, ends=START),
                Session(slug="b", title="Tea break", kind="break", starts=START, ends=START),
            ),
        )
    )
    assert ("data", "water") in agenda
    assert ("datos", "abiertos") not in agenda  # as they are counted:
    assert ("dato", "abierto") in agenda
    assert ("water", "silo") not in agenda
    assert ("tea",) not in agenda


def test_few_posts_widen_the_window(
    archive: Archive,
    conn: sqlite3.Connection,
    meeting: Meeting,
    receive: Receive,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive.write([receive(n, author=f"a{n % 9}", text="small things") for n in range(60)])
    archive.write([receive(70 + n, author=f"b{n}", text="water tariffs") for n in range(6)])
    assert [one["term"] for one in rising(conn, at(95), meeting)] == ["water tariffs"]
    monkeypatch.setattr(module, "FEW", 0)
    assert rising(conn, at(95), meeting) == []


@pytest.mark.usefixtures("chatter")
def test_at_a_moment_of_the_past_what_comes_later_is_not_known(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    archive.write([receive(90 + n, author=f"b{n}", text="water tariffs") for n in range(6)])
    then = rising(conn, at(96), meeting)
    archive.write([receive(120 + n, author=f"c{n}", text="water tariffs and more") for n in range(50)])
    assert rising(conn, at(96), meeting) == then
    assert then[0]["earlier"] == 0


def test_the_commonest_spelling_is_shown(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    archive.write([receive(n, author=f"a{n % 9}", text="small things") for n in range(60)])
    spellings = ("GGanimate", "#gganimate", "gganimate", "gganimate", "GGANIMATE")
    archive.write([receive(90 + n, author=f"b{n}", text=text) for n, text in enumerate(spellings)])
    assert [one["term"] for one in rising(conn, at(99), meeting)] == ["gganimate"]


def test_an_empty_archive_has_no_topics(conn: sqlite3.Connection, meeting: Meeting) -> None:
    assert rising(conn, at(0), meeting) == []


def test_at_the_very_beginning_nothing_rises(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    archive.write([receive(n, author=f"a{n}", text="good water here") for n in range(9)])
    assert rising(conn, at(9), meeting) == []


def test_log_odds_are_surer_with_more_posts() -> None:
    few, many = log_odds_z(3, 10, 3, 100), log_odds_z(30, 100, 30, 1000)
    assert 0 < few < many
    assert log_odds_z(5, 100, 50, 1000) == pytest.approx(0, abs=0.05)
    assert log_odds_z(0, 10, 5, 10) < 0


# Merging.


def candidate(words: str, posts: Sequence[int], z: float = 2.0) -> Candidate:
    return Candidate(tuple(words.split()), frozenset(posts), 0, z)


@pytest.mark.parametrize(
    ("candidates", "topics"),
    [
        ([candidate("a b", range(9)), candidate("a", range(10), 3.0), candidate("b", range(9))], ["a b"]),
        ([candidate("a b", range(4)), candidate("a", range(10), 3.0)], ["a"]),
        ([candidate("a b", range(9)), candidate("b c", range(8)), candidate("c d", range(9))], ["a b c d"]),
        ([candidate("a", range(9)), candidate("b", range(9, 18))], ["a", "b"]),
        ([candidate("a", range(9)), candidate("b", range(9))], ["a"]),
        ([], []),
    ],
)
def test_terms_of_the_same_posts_are_one_topic(candidates: list[Candidate], topics: list[str]) -> None:
    assert [" ".join(one.words) for one in merged(candidates)] == topics
    assert merged(reversed(candidates)) == merged(candidates)


# What is kept between two refreshes.


def counted(conn: sqlite3.Connection) -> tuple[dict[str, int], set[int]]:
    counts = Counts(frozenset(), frozenset())
    counts.refresh(conn)
    return dict(counts.terms), set(counts.posts)


Step = tuple[str, int, str]
steps = st.lists(
    st.tuples(
        st.sampled_from(["write", "edit", "delete", "repost", "look"]),
        st.integers(0, 9),
        st.sampled_from(["water tariffs", "open water", "RT @x: water", "", "\ud7ff data", "data"]),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=steps)
def test_whatever_happens_the_counts_are_those_of_a_first_look(
    tmp_path: Path, meeting: Meeting, receive: Receive, plan: list[Step]
) -> None:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
    with Archive.open(path, meeting) as archive, closing(open_readonly(path)) as conn:
        counts = Counts(frozenset(), frozenset())
        for moment, (what, number, text) in enumerate(plan):
            seen_at = at(moment)
            match what:
                case "write" | "repost":
                    kind = "repost" if what == "repost" else "original"
                    archive.write([receive(number, text=text, kind=kind, observed_at=seen_at)])
                case "edit":
                    archive.write([receive(number, text=text, edited_at=seen_at, observed_at=seen_at)])
                case "delete":
                    archive.write([Deleted(receive(number).post.key, "x")])
                case _:
                    counts.refresh(conn)
        counts.refresh(conn)
        assert (dict(counts.terms), set(counts.posts)) == counted(conn)


def test_a_post_that_is_no_repost_after_all(
    archive: Archive, conn: sqlite3.Connection, receive: Receive
) -> None:
    archive.write([receive(0, text="water"), receive(1, text="tariffs", kind="repost")])
    counts = Counts(frozenset(), frozenset())
    counts.refresh(conn)
    archive.write([receive(1, text="tariffs", edited_at=at(3)), Deleted(receive(0).post.key, "x")])
    counts.refresh(conn)
    assert dict(counts.terms) == {"tariff": 1}
    archive.write([receive(1, text="tariffs", kind="repost", edited_at=at(4)), receive(2, text="water")])
    counts.refresh(conn)
    assert dict(counts.terms) == {"water": 1}


def test_only_the_newest_posts_of_a_very_long_meeting_count(
    archive: Archive, conn: sqlite3.Connection, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ", 20)
    archive.write([receive(n, text="early") for n in range(50)])
    counts = Counts(frozenset(), frozenset())
    counts.refresh(conn)
    assert sorted(counts.posts) == list(range(31, 51))
    for n in range(50, 60):
        archive.write([receive(n, text="late")])
        counts.refresh(conn)
        assert len(counts.posts) <= 22
    assert counts.terms["late"] == 10
    archive.write([Deleted(receive(0).post.key, "x"), Deleted(receive(55).post.key, "x")])
    counts.refresh(conn)
    assert counts.terms["late"] == 9
    archive.write([receive(n, text="flood") for n in range(60, 100)])
    counts.refresh(conn)
    assert dict(counts.terms) == {"flood": 20}


def test_counts_are_kept_by_file_and_only_of_a_few(
    tmp_path: Path, meeting: Meeting, receive: Receive
) -> None:
    for number in range(module.ARCHIVES + 2):
        path = tmp_path / f"{number}.db"
        with Archive.open(path, meeting) as archive, closing(open_readonly(path)) as conn:
            archive.write([receive(n, author=f"a{n}", text=f"topic{number}") for n in range(4)])
            rising(conn, at(5), meeting)
            rising(conn, at(5), replace(meeting))
    assert len(module._counts) == module.ARCHIVES
    kept = {max(counts.terms) for counts in module._counts.values()}
    assert kept == {f"topic{number}" for number in range(2, module.ARCHIVES + 2)}


def test_an_archive_in_memory_is_counted_each_time() -> None:
    with closing(sqlite3.connect(":memory:")) as conn:
        first = module._counts_of(conn, frozenset(), frozenset())
        assert first is not module._counts_of(conn, frozenset(), frozenset())
    assert not module._counts


@pytest.mark.usefixtures("chatter")
def test_a_refresh_reads_what_is_new(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive
) -> None:
    rising(conn, at(59), meeting)
    archive.write([receive(61, author="b", text="news")])
    asked: list[str] = []
    conn.set_trace_callback(asked.append)
    rising(conn, at(62), meeting)
    conn.set_trace_callback(None)
    texts = [sql for sql in asked if "text FROM posts" in sql and "> 60" in sql]
    assert len(texts) == 1
    plans = [row[3] for sql in asked for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert [plan for plan in plans if re.match(r"SCAN posts\b(?!.*INDEX)", plan)] == []


@pytest.mark.parametrize(
    "text", ["", "🐙" * 50, "x" * 100_000, "#a" * 10_000, "data\x00data", "‏نريد البيانات", "Z͑ͫ̓ͪ̂ͫ" * 500]
)
def test_hostile_posts(
    archive: Archive, conn: sqlite3.Connection, meeting: Meeting, receive: Receive, text: str
) -> None:
    archive.write([receive(n, author=f"a{n}", text=f"quiet {n}") for n in range(30)])
    archive.write([receive(90 + n, author=f"b{n}", text=text) for n in range(5)])
    assert len(rising(conn, at(99), meeting)) <= 10
