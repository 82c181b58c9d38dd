from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from archive import facets
from archive.facets import MOST_BINS, Selection, bins, load, overview, to_micros
from archive.store import Archive
from archive.vocabulary import Deleted, Received, Tagging
from tests.conftest import START

Receive = Callable[..., Received]
TAGGING = Tagging(
    language="en", themes=(), sentiment="positive", sentiment_score=0.8, sure=True, question=False, tags=()
)


@pytest.fixture
def tagged(archive: Archive, receive: Receive) -> Archive:
    """Twelve posts: each third with a theme, fourth not sure, fifth about logistics; two are not tagged."""
    archive.write([receive(n, kind="reply" if n % 2 else "original", language="es") for n in range(12)])
    results = []
    for post in archive.untagged(20, newest_first=False)[:10]:
        themes = (("open-data", 1.0), ("agility", 0.5)) if post.id % 3 == 0 else ()
        logistics = post.id % 5 == 0
        results.append((post, replace(TAGGING, themes=themes, sure=post.id % 4 != 0, logistics=logistics)))
    archive.save_tags(results, version="1")
    return archive


def counts(archive: Archive, selection: Selection) -> dict[str, dict[str, int]]:
    columns = load(archive.conn)
    rows = np.arange(len(columns.ids))
    found = columns.facets(rows, columns.chosen(rows, selection))
    return {name: dict(pairs) for name, pairs in found.items()}


def test_the_rollups_and_the_columns_count_alike(tagged: Archive) -> None:
    tagged.save_tags([(post, TAGGING) for post in tagged.untagged(20)], version="1")
    whole = overview(tagged.conn, 0)
    assert whole is not None
    total, found, timeline = whole
    columns = load(tagged.conn)
    rows = np.arange(len(columns.ids))
    assert total == len(rows) == 12
    assert found == columns.facets(rows, {})
    assert timeline == columns.timeline(rows, 0)


def test_an_untagged_post_has_the_language_of_its_source(tagged: Archive) -> None:
    assert overview(tagged.conn, 0) is None
    assert counts(tagged, Selection())["language"] == {"en": 10, "es": 2}


def test_a_language_that_we_do_not_know_is_not_that_of_the_source(tagged: Archive, receive: Receive) -> None:
    tagged.write([receive(20)])
    waiting = {post.id: post for post in tagged.untagged(20)}
    tagged.save_tags([(waiting[11], replace(TAGGING, language=None))], version="1")
    assert counts(tagged, Selection())["language"] == {"en": 10, "es": 1, "unknown": 1, "untagged": 1}
    assert counts(tagged, Selection(language="unknown"))["kind"] == {"original": 1}
    tagged.save_tags([(post, TAGGING) for post in tagged.untagged(20)], version="1")
    whole = overview(tagged.conn, 0)
    assert whole is not None and dict(whole[1]["language"]) == {"en": 12, "unknown": 1}


def test_every_value_is_counted(tagged: Archive) -> None:
    found = counts(tagged, Selection())
    assert found["theme"] == {"none": 7, "open-data": 3, "agility": 3, "untagged": 2}
    assert found["sentiment"] == {"positive": 8, "not_sure": 2, "untagged": 2}
    assert found["logistics"] == {"0": 8, "1": 2, "unknown": 2}
    assert found["kind"] == {"original": 6, "reply": 6}
    assert found["source"] == {"x": 12}
    assert found["session"] == {"s1": 12}


def test_a_choice_narrows_the_other_facets_only(tagged: Archive) -> None:
    found = counts(tagged, Selection(theme="open-data", kind="reply"))
    assert found["theme"] == {"none": 4, "open-data": 1, "agility": 1, "untagged": 1}
    assert found["kind"] == {"original": 2, "reply": 1}
    assert found["sentiment"] == {"positive": 1}
    assert counts(tagged, Selection(logistics="1"))["kind"] == {"original": 1, "reply": 1}
    assert counts(tagged, Selection(theme="no-such-theme"))["kind"] == {}
    assert counts(tagged, Selection(kind="no-such-kind"))["theme"] == {}


def test_times_are_half_open(tagged: Archive) -> None:
    columns = load(tagged.conn)
    rows = np.arange(12)
    selection = Selection(from_=START + timedelta(minutes=2), to=START + timedelta(minutes=5))
    assert rows[columns.chosen(rows, selection)["time"]].tolist() == [2, 3, 4]
    assert selection
    assert not Selection()


def test_a_deleted_post_leaves_a_gap_that_does_not_matter(tagged: Archive) -> None:
    tagged.write([Deleted(key=f"x:9{4:018d}", source="x")])
    columns = load(tagged.conn)
    assert columns.positions(np.array([1, 5, 6, 99])).tolist() == [0, 4]
    assert sum(counts(tagged, Selection())["theme"].values()) == 11 + 3


def test_an_empty_archive_has_nothing_to_count(archive: Archive) -> None:
    assert overview(archive.conn, 0) == (0, {name: [] for name in facets.DIMENSIONS}, None)
    columns = load(archive.conn)
    assert columns.positions(np.array([1])).tolist() == []
    assert columns.timeline(np.arange(0), 0) is None


@pytest.mark.parametrize("seconds", [0, 59, 3_600, 86_400, 400 * 86_400, 40_000 * 86_400])
@pytest.mark.parametrize("offset", [0, -21_600, 20_700])
def test_bins_are_few_and_cover_all(seconds: int, offset: int) -> None:
    first = 1_332_774_011
    starts, width, size = bins(first, first + seconds, offset)
    assert size <= MOST_BINS
    assert starts <= first < starts + width
    assert starts + (size - 1) * width <= first + seconds < starts + size * width
    assert (starts + offset) % width == 0


def test_a_timeline_counts_every_post_once(tagged: Archive) -> None:
    columns = load(tagged.conn)
    timeline = columns.timeline(np.arange(12), 0)
    assert timeline is not None
    assert (timeline.width, timeline.counts) == (60, (1,) * 12)
    assert timeline.starts == int(START.timestamp())


def test_microseconds_are_exact() -> None:
    moment = START.replace(microsecond=999_999)
    assert to_micros(moment) == int(START.timestamp()) * 1_000_000 + 999_999


def test_places_tell_what_comes_before(archive: Archive, receive: Receive) -> None:
    archive.write([receive(n, created_at=START + timedelta(minutes=n // 2)) for n in range(6)])
    columns = load(archive.conn)
    assert columns.places(to_micros(START), 1) == (0, 1)
    assert columns.places(to_micros(START), 2) == (1, 2)
    assert columns.places(to_micros(START), 99) == (2, 2)
    assert columns.places(0, 1) == (0, 0)
    assert Counter(columns.rank.tolist()) == Counter(range(6))
