import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import DamagedArchive, SearchError
from archive.facets import Selection
from archive.filters import Filters
from archive.reading import open_readonly
from archive.search import (
    CLOSE,
    LONGEST_SHOWN,
    OPEN,
    Found,
    Searcher,
    hits_of,
    rows_in_order,
    segments,
)
from archive.store import Archive
from archive.vocabulary import Correction, Deleted, Received, Tagging
from tests.conftest import START

Receive = Callable[..., Received]
TEXTS = (
    "Open data is for everybody #OpenData",
    "México abre sus datos: datos abiertos para todos",
    "Who pays for the open budget? Ask @bc_jens",
    "Transparency needs data, and data needs transparency",
    "Lunch is served",
)
TAGGING = Tagging(
    language="en",
    themes=(("open-data", 0.9),),
    sentiment="positive",
    sentiment_score=0.8,
    sure=True,
    question=False,
    tags=(),
)


class Clock:
    """Seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.step = 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def searcher(archive: Archive, receive: Receive, clock: Clock) -> Iterator[Searcher]:
    """Fifty posts, five texts in turn, written in an order that is not that of their times."""
    numbers = [*range(25, 50), *range(25)]
    archive.write([receive(n, text=TEXTS[n % 5], author=("ana", "jens")[n % 2]) for n in numbers])
    searching = Searcher(open_readonly(archive.path), clock=clock)
    yield searching
    searching.close()


def texts(found: Found) -> set[str]:
    return {"".join(piece for piece, _ in hit.segments) for hit in found.hits}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("mexico", {1}),
        ("open", {0, 2}),
        ("#opendata", {0}),
        ("@bc_jens", {2}),
        ('"datos abiertos"', {1}),
        ('"abiertos datos"', set()),
        ("open NOT budget", {0}),
        ("lunch OR mexico", {1, 4}),
        ("transpar*", {3}),
        ("open data", {0}),
        ("nothing of this", set()),
    ],
)
def test_words_find_posts(searcher: Searcher, typed: str, expected: set[int]) -> None:
    found = searcher.find(typed, limit=100)
    assert texts(found) == {TEXTS[n] for n in expected}
    assert found.total == len(found.hits) == 10 * len(expected)


def test_matches_are_segments_and_never_markup(
    searcher: Searcher, archive: Archive, receive: Receive
) -> None:
    assert searcher.find("datos").hits[0].segments == (
        ("México abre sus ", False),
        ("datos", True),
        (": ", False),
        ("datos", True),
        (" abiertos para todos", False),
    )
    hostile = f"{OPEN}zebra{CLOSE}{CLOSE} <b>zebra</b> {OPEN}"
    archive.write([receive(90, text=hostile)])
    pieces = searcher.find("zebra").hits[0].segments
    assert OPEN not in "".join(piece for piece, _ in pieces)
    assert "".join(piece for piece, _ in pieces) == "zebra <b>zebra</b> "


def test_a_text_without_a_search_is_one_segment_and_not_endless(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1, text="long " * 1000)])
    with_all = Searcher(open_readonly(archive.path))
    ((text, match),) = with_all.find().hits[0].segments
    assert (len(text), match) == (LONGEST_SHOWN + 1, False)
    with_all.close()


@pytest.mark.parametrize("typed", ["", "data OR open OR mexico OR lunch"])
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("tagged", [False, True])
def test_pages_follow_each_other_without_gap_or_repetition(
    searcher: Searcher, archive: Archive, typed: str, order: str, tagged: bool
) -> None:
    if tagged:  # only then the whole archive can be shown from its rollups
        archive.save_tags([(post, TAGGING) for post in archive.untagged(100)], version="1")
    pages = [searcher.find(typed, order=order)]  # type: ignore[arg-type]
    while pages[-1].after:
        pages.append(searcher.find(typed, order=order, after=pages[-1].after))  # type: ignore[arg-type]
    assert [len(page.hits) for page in pages] == [20, 20, 10]
    times = [hit.created_at for page in pages for hit in page.hits]
    assert times == sorted(times, reverse=order == "newest")
    assert len(set(times)) == 50
    ids = [hit.id for page in pages for hit in page.hits]
    assert searcher.all_ids(typed, order=order) == ids  # type: ignore[arg-type]


def test_a_page_goes_on_where_its_last_post_was_even_after_it_is_gone(
    searcher: Searcher, archive: Archive
) -> None:
    first = searcher.find("open OR data")
    expected = [hit.key for hit in searcher.find("open OR data", after=first.after).hits]
    archive.write([Deleted(key=first.hits[-1].key, source="x")])
    assert [hit.key for hit in searcher.find("open OR data", after=first.after).hits] == expected


def test_an_author_narrows_by_handle_or_name(searcher: Searcher) -> None:
    assert searcher.find("from:@BC_Jens", limit=99).total == 25
    assert {hit.name for hit in searcher.find("from:jens", limit=99).hits} == {"Jens"}
    assert searcher.find("from:jens lunch").total == 5
    assert searcher.find("from:nobody").total == 0


def test_facets_narrow_and_are_counted(searcher: Searcher, archive: Archive) -> None:
    posts = archive.untagged(100, newest_first=False)
    archive.save_tags([(post, TAGGING) for post in posts if "pen" in post.text], version="1")
    found = searcher.find("data", Selection(theme="open-data"))
    assert texts(found) == {TEXTS[0]}
    assert found.total == 10
    assert dict(found.facets["theme"]) == {"open-data": 10, "untagged": 10}
    hit = found.hits[0]
    assert (hit.themes, hit.sentiment, hit.sure, hit.tagged) == (("open-data",), "positive", True, True)


def test_counts_equal_a_recount(archive: Archive, receive: Receive) -> None:
    labels = [
        (("open-data",), "positive", True, "en"),
        (("agility", "open-data"), "negative", True, "es"),
        ((), "neutral", False, None),
    ]
    kinds = ("original", "reply", "repost", "quote", None)
    archive.write(
        [
            receive(
                n * 3,
                text=TEXTS[n % 5],
                kind=kinds[n % 4 if n % 7 else 4],
                language="fr" if n % 3 else None,
            )
            for n in range(80)
        ]
    )
    for n in (76, 78):  # while they wait for their tags
        archive.correct(f"x:9{n * 3:018d}", Correction(by="Eva", language="es"))
    waiting = archive.untagged(100, newest_first=False)[:70]
    for at, (themes, sentiment, sure, language) in enumerate(labels):
        tagging = replace(
            TAGGING,
            themes=tuple((theme, 1.0) for theme in themes),
            sentiment=sentiment,  # type: ignore[arg-type]
            sure=sure,
            language=language,
        )
        archive.save_tags([(post, tagging) for post in waiting[at::3]], version="1")
    searching = Searcher(open_readonly(archive.path))
    choices: list[dict[str, str]] = [
        {},
        {"theme": "agility"},
        {"theme": "none", "language": "fr"},
        {"theme": "untagged"},
        {"language": "unknown"},
        {"language": "untagged", "session": "s1"},
        {"kind": "reply", "session": "s1"},
        {"language": "es", "kind": "original", "theme": "open-data"},
        {"source": "x", "session": "between"},
    ]
    for chosen in choices:
        for typed, words in (("", "%"), ("data", "%data%"), ("transparency", "%transparency%")):
            found = searching.find(typed, Selection(**chosen))
            for name in ("kind", "session", "language", "theme"):
                others = {key: value for key, value in chosen.items() if key != name}
                for value, posts in found.facets[name]:
                    narrowed = Filters(**{**others, name: value})
                    if (name, value) != ("kind", "unknown"):
                        assert posts == recount(archive, narrowed, words), (chosen, typed, name, value)
            assert found.total == recount(archive, Filters(**chosen), words)
    searching.close()


def recount(archive: Archive, filters: Filters, words: str) -> int:
    where, values = filters.where("p")
    sql = f"SELECT count(*) FROM posts p WHERE p.text LIKE ? AND {where or '1'}"
    posts: int = archive.conn.execute(sql, (words, *values)).fetchone()[0]
    return posts


def test_the_timeline_is_of_what_was_found(searcher: Searcher) -> None:
    chosen = Selection(from_=START + timedelta(minutes=10), to=START + timedelta(minutes=20))
    found = searcher.find("lunch", chosen)
    assert found.total == 2
    assert found.timeline is not None
    assert (sum(found.timeline.counts), len(found.timeline.counts)) == (2, 6)


def test_new_posts_are_seen_at_once_or_soon(
    searcher: Searcher, archive: Archive, receive: Receive, clock: Clock
) -> None:
    assert searcher.find("zebra").total == 0
    archive.write([receive(60, text="a zebra")])
    assert searcher.find("zebra").total == 1
    clock.step = 1.0  # reading the columns seems to take long
    archive.write([receive(61, text="a zebra")])
    assert searcher.find("zebra").total == 2
    archive.write([receive(62, text="a zebra")])
    assert searcher.find("zebra").total == 2
    clock.now += 60
    assert searcher.find("zebra").total == 3


def test_a_search_that_takes_too_long_is_stopped_and_explained(
    archive: Archive, receive: Receive, clock: Clock
) -> None:
    archive.write([receive(n, text=f"word{n} and more words") for n in range(3000)])
    searching = Searcher(open_readonly(archive.path), clock=clock)
    searching.find("more")
    clock.step = 10.0
    with pytest.raises(SearchError, match="longer than 5 seconds"):
        searching.find("more", limit=3000)
    clock.step = 0.0
    assert searching.find("more").total == 3000
    searching.close()


def test_a_page_that_never_was_is_explained(searcher: Searcher) -> None:
    with pytest.raises(SearchError, match="first page"):
        searcher.find("data", after="nonsense")


def test_a_damaged_archive_is_named(archive: Archive, receive: Receive, tmp_path: Path) -> None:
    archive.write([receive(n) for n in range(2000)])
    archive.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = archive.path.read_bytes()
    broken = tmp_path / "broken.db"
    broken.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) // 2))
    searching = Searcher(open_readonly(broken))
    with pytest.raises(DamagedArchive):
        searching.find("post")
    searching.close()


def test_hits_and_rows_by_key_and_number(searcher: Searcher, archive: Archive) -> None:
    hits = searcher.find("mexico").hits
    assert hits_of(archive.conn, [hits[0].key])[hits[0].key].id == hits[0].id
    rows = list(rows_in_order(archive.conn, [hits[1].id, 10_000, hits[0].id]))
    assert [row["key"] for row in rows] == [hits[1].key, hits[0].key]
    assert rows[0]["author_handle"] == f"bc_{hits[1].name}".lower()


def test_segments() -> None:
    assert segments(f"a {OPEN}b{CLOSE} c") == (("a ", False), ("b", True), (" c", False))
    assert segments("") == ()
    assert segments(f"{OPEN}{CLOSE}x") == (("x", False),)


WORDS = ("open", "data", "budget", "Transparency", "méxico", "datos", "lunch", "#OpenData", "who")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(st.sampled_from([*WORDS, "AND", "OR", "NOT", '"', "*", "tran*", "("]), max_size=7), st.text())
def test_whatever_is_typed_finds_or_explains(searcher: Searcher, words: list[str], other: str) -> None:
    for typed in (" ".join(words), other):
        try:
            found = searcher.find(typed, limit=100)
        except SearchError:
            continue
        assert found.total == len(found.hits)
        assert sum(n for _, n in found.facets["kind"]) == found.total


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
def test_every_result_has_every_word(searcher: Searcher, words: list[str]) -> None:
    found = searcher.find(" ".join(words), limit=100)
    expected = [text for text in TEXTS if {fold(word) for word in words} <= set(tokens(text))]
    assert texts(found) == set(expected)
    for hit in found.hits:
        assert {fold(piece) for piece, match in hit.segments if match} == {fold(word) for word in words}


def fold(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.strip("#")).casefold()
    return "".join(c for c in plain if not unicodedata.combining(c))


def tokens(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", fold(text.replace("#", " ")))
