"""Charts: rows from measures, specifications that never change with the data, words for the eyes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analysis import charts
from analysis.charts import DARK, LIGHT, Window
from archive.vocabulary import Session, Theme

START = datetime(2012, 3, 26, 15, 0, tzinfo=UTC)
THEMES = (Theme(slug="a", title="Theme A"), Theme(slug="b", title="Theme B"))


def window(minutes: int = 1, hours: float = 1) -> Window:
    ends = START + timedelta(hours=hours)
    zone = ZoneInfo("America/Mexico_City")
    return Window(starts=START, ends=ends, minutes=minutes, zone=zone, now=ends - timedelta(seconds=30))


@pytest.mark.parametrize(
    ("hours", "minutes"), [(1, 1), (2, 1), (3, 2), (33, 20), (100, 60), (24 * 365, 1440)]
)
def test_a_chart_has_no_more_than_120_bars(hours: int, minutes: int) -> None:
    assert charts.bin_minutes(START, START + timedelta(hours=hours)) == minutes


def test_bars_are_stacked_in_the_order_of_the_agenda() -> None:
    counts = [(START, "none", 4), (START, "b", 2), (START, "a", 3), (START, "gone", 9), (START, "a", 0)]
    rows = charts.activity_rows(counts, THEMES, (), window()).to_pandas()
    bars = rows[rows.role == "bar"]
    assert list(bars.label) == ["a", "b", "none"]
    assert list(zip(bars.y, bars.y2, strict=True)) == [(0, 3), (3, 5), (5, 9)]
    assert set(bars.n) == {3, 2, 4}


def test_the_bar_that_is_still_filling_is_marked() -> None:
    counts = [(START + timedelta(minutes=58), "a", 1), (START + timedelta(minutes=59), "a", 1)]
    rows = charts.activity_rows(counts, THEMES, (), window()).to_pandas()
    assert list(rows[rows.label == "a"].role) == ["bar", "running"]


def test_the_agenda_is_cut_to_the_window() -> None:
    sessions = (
        Session(slug="1", title="Before", starts=START - timedelta(hours=2), ends=START),
        Session(
            slug="2", title="Half", starts=START - timedelta(hours=1), ends=START + timedelta(minutes=30)
        ),
        Session(
            slug="3",
            title="Coffee",
            kind="break",
            starts=START + timedelta(minutes=30),
            ends=START + timedelta(minutes=45),
        ),
    )
    rows = charts.activity_rows([], THEMES, sessions, window()).to_pandas()
    drawn = rows[rows.role.isin(["session", "break"])]
    assert list(zip(drawn.label, drawn.y, strict=True)) == [("Half", 0.5), ("Coffee", 0.25)]


def test_times_are_the_wall_clock_of_the_meeting() -> None:
    nine = datetime(2012, 3, 26, 9, 0, tzinfo=UTC).timestamp() * 1000
    assert window().local_ms(START) == nine
    assert window(hours=30).label(START) == "26 Mar 09:00"


def test_thin_bins_are_hatched() -> None:
    bins = [
        (START, 9, 3, 0),
        (START + timedelta(minutes=5), 10, 2, 5),
        (START + timedelta(minutes=10), 0, 0, 0),
    ]
    rows = charts.sentiment_rows(bins, window(5), 0.5).to_pandas()
    assert list(rows[rows.role == "few"].y2.round(2)) == [pytest.approx(0.33)]
    assert list(rows[rows.role == "bar"].y2) == [pytest.approx(0.2), -0.5]


def test_the_axis_ends_at_the_next_quarter() -> None:
    bins = [[], [(START, 20, 2, 0)], [(START, 50, 13, 5)], [(START, 10, 0, 10)], [(START, 0, 0, 0)]]
    assert [charts.bound_of(one) for one in bins] == [0.25, 0.25, 0.5, 1.0, 0.25]


def test_one_post_alone_does_not_flatten_the_others() -> None:
    bins = [(START, 20, 4, 2), (START + timedelta(minutes=5), 1, 1, 0)]
    assert charts.bound_of(bins) == 0.25
    assert charts.bound_of(bins[1:]) == 1.0
    rows = charts.sentiment_rows(bins, window(5), 0.25).to_pandas()
    few = rows[rows.role == "few"]
    assert (list(few.y), list(few.y2)) == ([1.0], [0.25])  # what is told, what is drawn


def test_a_title_that_does_not_fit_is_left_to_its_slot() -> None:
    titles = [layer for layer in charts.activity_chart(THEMES, LIGHT)["layer"] if "text" in layer["encoding"]]
    assert "datum.room >= min(13, length(datum.label))" in json.dumps(titles)
    assert [one["field"] for one in titles[0]["encoding"]["tooltip"]] == ["label", "when", "until"]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("several_days", [False, True])
def test_specifications_carry_no_data_and_are_small(palette: charts.Palette, several_days: bool) -> None:
    for spec in (
        charts.activity_chart(THEMES, palette, several_days=several_days),
        charts.sentiment_chart(palette, several_days=several_days),
    ):
        assert "data" not in spec and "datasets" not in spec
        assert len(json.dumps(spec)) < 5000


def test_ten_themes_have_ten_colours_and_more_repeat() -> None:
    colours = [charts.theme_colour(place, LIGHT) for place in range(11)]
    assert len(set(colours)) == 10 and colours[10] == colours[0]


def test_pictures_in_words() -> None:
    counts = [(START, "a", 2), (START + timedelta(minutes=3), "a", 3), (START + timedelta(minutes=3), "b", 1)]
    assert charts.activity_alt(counts, window(), "per minute") == (
        "Posts per minute by theme, 09:00 to 10:00: 6 in all, most at 09:03, 4."
    )
    assert charts.activity_alt([], window(), "per minute").endswith("09:00 to 10:00: none.")
    bins = [(START, 8, 4, 2)]
    assert charts.sentiment_alt("A", bins) == "Sentiment of A, 8 posts: 50% positive, 25% negative."
    assert charts.sentiment_alt("A", []) == "Sentiment of A: no posts in this window."
