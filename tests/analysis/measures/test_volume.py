from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from analysis.measures.networks import networks
from analysis.measures.volume import peak, volume
from analysis.measures.window import Window
from archive.store import Archive
from archive.vocabulary import Received

Receive = Callable[..., Received]
Windows = Callable[..., Window]


def figures(window: Window) -> dict[str, Any]:
    return volume(window, networks(window))


@pytest.fixture
def discussion(archive: Archive, receive: Receive) -> None:
    """Seven posts over an hour and a bit: three originals, two replies, a quote and a repost."""
    archive.write(
        [
            receive(0, author="ana", text="Hello #Sample2012 #opendata", language="en"),
            receive(1, author="luis", kind="reply", reply_to_account="BC_ana", text="yes #sample2012"),
            receive(2, author="ana", kind="reply", reply_to_account="bc_ANA", text="and more"),
            receive(3, author="eva", kind="quote", text="This! #opendata", links=("https://example.org/a",)),
            receive(4, author="eva", kind="repost", text="RT #sample2012", links=("https://example.org/b",)),
            receive(61, author="luis", text="later", language="es"),
            receive(62, author="eva", text="later still", language="und"),
        ]
    )


@pytest.mark.usefixtures("discussion")
def test_counts_by_kind_add_up(window: Windows) -> None:
    found = figures(window())
    names = ("posts", "reposts", "authored", "originals", "replies", "quotes", "replies_to_self")
    assert [found[name] for name in names] == [7, 1, 6, 3, 2, 1, 1]
    assert (found["with_link"], found["authored_with_link"]) == (2, 1)
    assert found["by_kind"] == {"original": 3, "quote": 1, "reply": 2, "repost": 1}
    assert found["by_source"] == {"x": 7}


@pytest.mark.usefixtures("discussion")
def test_bins_are_in_utc_and_empty_ones_absent(window: Windows) -> None:
    found = figures(window())
    assert found["first_post_at"] == "2012-03-26T15:00:00Z"
    assert found["last_post_at"] == "2012-03-26T16:02:00Z"
    assert found["per_minute"]["2012-03-26T15:04"] == 1
    assert len(found["per_minute"]) == 7
    assert found["per_hour"] == {"2012-03-26T15": 5, "2012-03-26T16": 2}
    assert found["per_day"] == {"2012-03-26": 7}
    assert found["peak_hour"] == {"hour": "2012-03-26T15", "posts": 5}


@pytest.mark.usefixtures("discussion")
def test_languages_leave_out_unmarked_posts_and_keep_und(window: Windows) -> None:
    assert figures(window())["languages"] == {"en": 1, "es": 1, "und": 1}


@pytest.mark.usefixtures("discussion")
def test_top_hashtags_fold_case_and_break_ties_from_a_to_z(window: Windows) -> None:
    assert figures(window())["top_hashtags"] == [["sample2012", 3], ["opendata", 2]]


@pytest.mark.usefixtures("discussion")
def test_filters_restrict_everything(window: Windows) -> None:
    found = figures(window(kind="reply"))
    assert (found["posts"], found["replies"], found["reposts"]) == (2, 2, 0)
    assert found["per_hour"] == {"2012-03-26T15": 2}
    assert found["top_hashtags"] == [["sample2012", 1]]
    assert found["by_theme"] == {"untagged": 2}


@pytest.mark.usefixtures("discussion")
def test_tags_move_posts_out_of_untagged(window: Windows, tag: Callable[..., None]) -> None:
    tag(0, themes=("agility", "open-data"), sentiment="positive", language="en")
    tag(1, sentiment="negative", sure=False, language="es")
    for found in (figures(window()), figures(window(source="x"))):
        assert found["by_theme"] == {"agility": 1, "none": 1, "open-data": 1, "untagged": 5}
        assert found["by_sentiment"] == {"not_sure": 1, "positive": 1, "untagged": 5}
        assert found["languages_detected"] == {"en": 1, "es": 1}


@pytest.mark.usefixtures("discussion")
def test_a_language_that_was_not_found_is_counted_too(window: Windows, tag: Callable[..., None]) -> None:
    tag(0, language="en")
    tag(1, language=None)
    for found in (figures(window()), figures(window(source="x"))):
        assert found["languages_detected"] == {"en": 1, "unknown": 1}
    assert figures(window(language="unknown"))["posts"] == 1


def test_an_empty_archive_has_no_posts_and_no_peak(window: Windows) -> None:
    found = figures(window())
    assert (found["posts"], found["reposts"], found["with_link"]) == (0, 0, 0)
    assert found["first_post_at"] is found["last_post_at"] is found["peak_hour"] is None
    assert (found["languages"], found["per_minute"], found["top_hashtags"]) == ({}, {}, [])


def test_what_a_format_cannot_tell_is_unknown_and_not_nought(
    archive: Archive, receive: Receive, window: Windows
) -> None:
    archive.write(
        [receive(0, kind=None, kind_among=("reply", "quote", "original")), receive(1, kind="repost")]
    )
    found = figures(window())
    assert (found["posts"], found["reposts"], found["authored"]) == (2, 1, 1)
    assert found["originals"] is found["replies"] is found["quotes"] is found["replies_to_self"] is None
    assert found["languages"] is None
    assert found["languages_detected"] is None
    assert figures(window(kind="repost"))["replies"] == 0


def test_where_nothing_is_known_of_the_kind_even_authored_is_unknown(
    archive: Archive, receive: Receive, window: Windows
) -> None:
    archive.write([receive(0, kind=None)])
    found = figures(window())
    assert found["reposts"] is found["authored"] is found["authored_with_link"] is None
    assert found["with_link"] == 0


def test_the_earliest_hour_wins_a_tie() -> None:
    assert peak({"2012-03-26T15": 2, "2012-03-26T16": 3, "2012-03-26T17": 3}) == {
        "hour": "2012-03-26T16",
        "posts": 3,
    }


def test_a_time_window_is_half_open(archive: Archive, receive: Receive, window: Windows) -> None:
    items = [receive(number) for number in range(4)]
    archive.write(items)
    starts = items[1].post.created_at
    assert figures(window(from_=starts, to=starts + timedelta(minutes=2)))["posts"] == 2
