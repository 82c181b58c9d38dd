"""The Live page: pushed key figures and posts, charts in a slow fragment beside them."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from analysis import charts
from analysis.charts import Palette, Window, theme_colour
from analysis.measures import latest, live
from archive import playback
from archive.agenda_slots import sessions_of
from archive.errors import ArchiveError
from archive.reading import load_meeting
from archive.vocabulary import UNTAGGED, Meeting, Theme
from views import archive, components, push, settings
from views.snapshot import Clock, clock_of
from views.style import is_dark, palette

HOUR = timedelta(hours=1)
QUICK = 6.0  # seconds between two drawings of the posts over time
SLOW = 12.0  # seconds between two drawings of what changes more slowly
POLL = 2.0  # seconds between two looks where push is blocked
THEMES = 6  # sentiment pictures that fit on a page
FAST = 100.0  # meeting seconds a second, of a replay
SPEEDS = (0.125, 86_400.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """What the pictures are drawn from; without posts there is no window."""

    conn: sqlite3.Connection
    meeting: Meeting
    clock: Clock
    phase: str
    window: Window | None


def page(path: Path) -> None:
    """Draw the page for the archive at ``path``."""
    state = push.hub(path).whole()
    if "trouble" in state:
        components.message(state["trouble"]["heading"], [state["trouble"]["text"]])
        _until_mended(path)
        return
    components.pulse(
        state,
        push.ROUTE,
        on_control=lambda: _control(path),
        on_polling=_nothing,
        on_go=lambda: _go("pulse"),
        fixed=settings.read_only(),
    )
    with st.container(key="columns"):
        left, right = st.columns([63, 37], gap="small")
        with left:
            pace = _pace(state["now"])
            st.fragment(_drawn, run_every=QUICK / pace)(path, _over_time)
            components.pushed("heard", state, push.ROUTE, on_go=lambda: _go("heard"))
            st.fragment(_drawn, run_every=SLOW / pace)(path, _in_detail)
        with right:
            components.pushed("posts", state, push.ROUTE, on_go=lambda: _go("posts"))
    if st.session_state.get("pulse", {}).get("polling"):
        _poll(path)


def _pace(now: dict[str, Any]) -> int:
    # A replay runs through an hour in seconds: its pictures have to keep up.
    if not now["replay"]:
        return 1
    return 4 if now["replay"]["speed"] > FAST else 2


@st.fragment(run_every=POLL)
def _until_mended(path: Path) -> None:
    if "trouble" not in push.hub(path).whole():
        st.rerun()


@st.fragment(run_every=POLL)
def _poll(path: Path) -> None:
    components.feed(push.hub(path).whole())


def _nothing() -> None:
    pass


def _control(path: Path) -> None:
    """Pause, resume or change the speed of the replay."""
    if settings.read_only():
        return
    wish = st.session_state["pulse"].get("control") or {}
    if "paused" in wish:
        playback.set_paused(path, bool(wish["paused"]))
    if "speed" in wish:
        low, high = SPEEDS
        playback.set_speed(path, min(high, max(low, float(wish["speed"]))))


def _drawn(path: Path, picture: Callable[[Moment], None]) -> None:
    """Draw from the archive as it is now. Whatever goes wrong, the page as a whole says so."""
    try:
        with settings.reading(path) as conn:
            meeting, clock, posts = load_meeting(conn), clock_of(conn), latest.span(conn)
            window = window_of(meeting, clock, posts) if posts else None
            picture(Moment(conn, meeting, clock, clock.phase(meeting), window))
    except (ArchiveError, sqlite3.Error):
        if "trouble" in push.hub(path).whole():
            st.rerun()


def _over_time(at: Moment) -> None:
    if at.phase == "after":
        _ended(at.meeting, at.window is not None)
    if at.phase == "before" or (at.phase == "during" and at.window is None):
        _agenda(at.meeting, at.clock)
    if at.window:
        with components.card("activity"):
            _activity(at.conn, at.meeting, at.window, palette())


def _in_detail(at: Moment) -> None:
    if at.window is not None and at.meeting.themes:
        with components.card("sentiment"):
            _sentiment(at.conn, at.meeting, at.window, palette())


def window_of(meeting: Meeting, clock: Clock, posts: tuple[datetime, datetime]) -> Window:
    """What the charts show: the last hour, and once the meeting is over all of it.

    Where no post falls into the meeting, all posts.
    """
    if clock.phase(meeting) != "after":
        ends = clock.now.replace(second=0, microsecond=0) + timedelta(minutes=1)
        return Window(starts=ends - HOUR, ends=ends, minutes=1, zone=meeting.zone, now=clock.now)
    first, last = posts
    starts, ends = meeting.starts, meeting.ends
    if last < starts or first >= ends:
        starts, ends = first.replace(second=0, microsecond=0), last + timedelta(minutes=1)
    minutes = charts.bin_minutes(starts, ends)
    return Window(starts=starts, ends=ends, minutes=minutes, zone=meeting.zone, now=clock.now)


# Posts per minute.


def _activity(conn: sqlite3.Connection, meeting: Meeting, window: Window, colours: Palette) -> None:
    counts = binned(live.per_minute(conn, window.starts, window.ends), window)
    legend = [(theme_colour(place, colours), theme.title) for place, theme in enumerate(meeting.themes)]
    legend += [(colours.none, "no theme")] if meeting.themes else []
    legend += [(colours.untagged, "not tagged yet")] if _waiting(counts) else []
    unit = "per minute" if window.minutes == 1 else f"in {_length(window.minutes)}"
    by = " by theme" if meeting.themes else ""
    aside = "The pale bar is still filling." if window.now < window.ends else ""
    components.heading(f"Posts {unit}{by}", legend, aside=aside)
    st.vega_lite_chart(
        charts.activity_rows(counts, meeting.themes, meeting.sessions, window),
        _activity_spec(tuple(theme.slug for theme in meeting.themes), is_dark(), _days(window)),
        alt=charts.activity_alt(counts, window, unit),
        key="activity",
    )


def _waiting(counts: list[tuple[datetime, str, int]]) -> bool:
    # The few that are being tagged this moment would make the legend come and go.
    return 20 * sum(n for _, slug, n in counts if slug == UNTAGGED) > sum(n for _, _, n in counts)


@cache
def _activity_spec(slugs: tuple[str, ...], dark: bool, several_days: bool) -> dict[str, Any]:
    themes = [Theme(slug=slug, title=slug) for slug in slugs]
    return charts.activity_chart(themes, charts.DARK if dark else charts.LIGHT, several_days=several_days)


def binned(minutes: list[tuple[str, str, int]], window: Window) -> list[tuple[datetime, str, int]]:
    """Counts by minute added up to the bins of the window."""
    sums: Counter[tuple[datetime, str]] = Counter()
    for minute, theme, posts in minutes:
        sums[_start(minute, window), theme] += posts
    return [(start, theme, posts) for (start, theme), posts in sorted(sums.items())]


def _start(minute: str, window: Window) -> datetime:
    # Bins begin at round times of the meeting's clock, so that they stay where they are as time goes on.
    moment = datetime.fromisoformat(minute).replace(tzinfo=UTC)
    wall = moment.astimezone(window.zone)
    return moment - timedelta(minutes=(wall.hour * 60 + wall.minute) % window.minutes)


def _length(minutes: int) -> str:
    if minutes % 60:
        return f"{minutes} minutes"
    hours = minutes // 60
    return "an hour" if hours == 1 else f"{hours} hours"


def _days(window: Window) -> bool:
    return window.ends - window.starts > timedelta(days=1)


# Sentiment shares.


def _sentiment(conn: sqlite3.Connection, meeting: Meeting, window: Window, colours: Palette) -> None:
    wide = Window(
        starts=window.starts,
        ends=window.ends,
        minutes=charts.bin_minutes(window.starts, window.ends, at_most=24, at_least=5),
        zone=window.zone,
        now=window.now,
    )
    bins = moods(live.sentiment_bins(conn, wide.starts, wide.ends, 1), wide)
    busiest = sorted(meeting.themes, key=lambda theme: -sum(one[1] for one in bins.get(theme.slug, ())))
    shown = [theme for theme in meeting.themes if theme in busiest[:THEMES]]
    more = len(meeting.themes) - len(shown)
    note = (
        f"Share of posts in {_length(wide.minutes)}: positive above the line, negative below. "
        f"Hatched: fewer than {charts.FEW} posts." + (f" {more} more themes had fewer posts." if more else "")
    )
    legend = [(colours.positive, "▲ positive"), (colours.negative, "▼ negative")]
    if not bins:
        components.heading("Sentiment by theme", note="Nothing in this window has been tagged yet.")
        return
    components.heading("Sentiment by theme", legend, note)
    bound = charts.bound_of(one for theme in shown for one in bins.get(theme.slug, ()))
    spec = _sentiment_spec(is_dark(), _days(window))
    for row in range(0, len(shown), 3):
        for place, column in enumerate(st.columns(3 if len(shown) > 1 else 1, gap="small")):
            if row + place < len(shown):
                theme = shown[row + place]
                with column:
                    colour = theme_colour(meeting.themes.index(theme), colours)
                    _mood(theme, bins.get(theme.slug, []), wide, bound, colour, spec)


def _mood(
    theme: Theme,
    bins: list[tuple[datetime, int, int, int]],
    window: Window,
    bound: float,
    colour: str,
    spec: dict[str, Any],
) -> None:
    n = sum(one[1] for one in bins)
    components.swatch(colour, theme.title, f"n = {n:,}")
    st.vega_lite_chart(
        charts.sentiment_rows(bins, window, bound),
        spec,
        alt=charts.sentiment_alt(theme.title, bins),
        key=f"sentiment-{theme.slug}",
    )


@cache
def _sentiment_spec(dark: bool, several_days: bool) -> dict[str, Any]:
    return charts.sentiment_chart(charts.DARK if dark else charts.LIGHT, several_days=several_days)


def moods(minutes: list[dict[str, Any]], window: Window) -> dict[str, list[tuple[datetime, int, int, int]]]:
    """By theme ``(start, posts, positive, negative)`` for the bins of the window."""
    sums: dict[str, dict[datetime, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for one in minutes:
        into = sums[one["theme"]][_start(one["bin"], window)]
        for place, label in enumerate(("n", "positive", "negative")):
            into[place] += one[label]
    return {
        theme: [(start, n, positive, negative) for start, (n, positive, negative) in sorted(bins.items())]
        for theme, bins in sums.items()
    }


# The agenda, the end, the way to the archive.


def _agenda(meeting: Meeting, clock: Clock) -> None:
    several = (meeting.ends - meeting.starts) > timedelta(days=1)
    form = "%a %-d %b, %H:%M" if several else "%H:%M"
    rows = [
        (
            f"{one.starts.astimezone(meeting.zone).strftime(form)}–{one.ends.astimezone(meeting.zone):%H:%M}",
            one.title,
            "now" if one.starts <= clock.now < one.ends else one.kind,
        )
        for one in sessions_of(meeting)
    ]
    with components.card("agenda"):
        day = "" if several else f"{meeting.starts.astimezone(meeting.zone):%A %-d %B %Y}. "
        components.heading("Agenda", note=f"{day}Times in {meeting.timezone.replace('_', ' ')}.")
        components.agenda(rows)


def _ended(meeting: Meeting, posts: bool) -> None:
    with components.card("ended"), st.container(horizontal=True, vertical_alignment="center"):
        ended = meeting.ends.astimezone(meeting.zone).strftime("%-d %B %Y, %H:%M")
        after = "Late posts still count." if posts else "No posts were kept."
        components.heading("The meeting is over", note=f"It ended on {ended}. {after}")
        if posts:
            st.button("Search the archive", on_click=_to_archive, key="to-archive")


def _to_archive() -> None:
    st.query_params["page"] = "archive"


def _go(part: str) -> None:
    """Look for what was clicked in the archive: a post, a name, complaints."""
    wish = st.session_state[part].get("go")
    if isinstance(wish, dict):
        asked = {name: str(wish[name]) for name in archive.PARAMETERS if name in wish}
        st.query_params.from_dict({"page": "archive", **asked})
