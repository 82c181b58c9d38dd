"""Measures become charts: Altair specifications without data, and the rows that fill them.

A specification depends only on themes and palette, so it can be kept; the rows change with every
refresh. Times are drawn in the meeting's zone: rows carry the local wall clock as milliseconds, and the
axes read them as UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import pyarrow as pa

from archive.vocabulary import NONE, UNTAGGED, Session, Theme

FEW = 10  # bins with fewer posts are hatched
LEGIBLE = 13  # characters of a session's title below which it is not begun
BINS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 360, 720, 1440)  # minutes
#: Of the rows of every chart: what it draws (``role``), local milliseconds, width in minutes, from and to on
#: the other axis, whose it is, and of how many posts.
COLUMNS = ("role", "t", "wide", "y", "y2", "label", "n")
TEXTS = ("role", "label")


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one ground; every one of them has at least 3:1 contrast on it."""

    card: str
    line: str
    text: str
    muted: str
    pause: str
    positive: str
    neutral: str
    negative: str
    none: str
    untagged: str
    themes: tuple[str, ...]


LIGHT = Palette(
    card="#ffffff",
    line="#e3e7ec",
    text="#1b1f27",
    muted="#5b6470",
    pause="#eef0f3",
    positive="#2166AC",
    neutral="#767676",
    negative="#B35806",
    none="#8a8f98",
    untagged="#c3c8cf",
    themes=(
        *("#0072B2", "#B15E00", "#007A5A", "#8E4A9E", "#B03A5B"),
        *("#6B6A00", "#3F4FA3", "#8A5A3C", "#2F7F86", "#5A5F6B"),
    ),
)
DARK = Palette(
    card="#161b22",
    line="#2a313b",
    text="#e6e9ef",
    muted="#9aa4b1",
    pause="#1f262f",
    positive="#6BAED6",
    neutral="#9AA0A8",
    negative="#E8924A",
    none="#7c828d",
    untagged="#454d59",
    themes=(
        *("#4DA3E0", "#E08A2E", "#2FB58A", "#BE8AD0", "#E0789A"),
        *("#B5B33A", "#8D9BE8", "#C98F6B", "#5FB8BF", "#9AA3B5"),
    ),
)


def theme_colour(position: int, palette: Palette) -> str:
    """The colour of the theme at this place of the agenda; they repeat after ten."""
    return palette.themes[position % len(palette.themes)]


def bin_minutes(starts: datetime, ends: datetime, at_most: int = 120, at_least: int = 1) -> int:
    """The finest bin in minutes with which the window has no more than ``at_most`` bars."""
    minutes = (ends - starts).total_seconds() / 60
    fitting = (size for size in BINS if size >= at_least and minutes / size <= at_most)
    return next(fitting, BINS[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a chart over time shows: UTC, half-open, in bins of so many minutes of the meeting's zone."""

    starts: datetime
    ends: datetime
    minutes: int
    zone: ZoneInfo
    now: datetime

    def local_ms(self, moment: datetime) -> int:
        """The wall clock of the meeting as though it were UTC, in milliseconds."""
        wall = moment.astimezone(self.zone).replace(tzinfo=UTC)
        return int(wall.timestamp() * 1000)

    def running(self, start: datetime) -> bool:
        """Whether the bin that starts here is not over yet."""
        return start <= self.now < start + timedelta(minutes=self.minutes)

    def label(self, start: datetime) -> str:
        """``14:05`` or, where the window has several days, ``26 Mar 14:05``."""
        days = (self.ends - self.starts) > timedelta(days=1)
        return start.astimezone(self.zone).strftime("%-d %b %H:%M" if days else "%H:%M")


# Posts over time, stacked by theme.


def activity_rows(
    counts: Iterable[tuple[datetime, str, int]],
    themes: Sequence[Theme],
    sessions: Sequence[Session],
    window: Window,
) -> pa.Table:
    """Rows of ``activity_chart`` from ``(start of the bin, theme, posts)``."""
    order = {slug: place for place, slug in enumerate(_slugs(themes))}
    rows = [_frame(window, 0.0, 1.0), *_agenda(sessions, window)]
    height: dict[datetime, int] = {}
    for start, slug, posts in sorted(counts, key=lambda c: (c[0], order.get(c[1], 0))):
        if not posts or slug not in order:
            continue
        base = height.get(start, 0)
        height[start] = base + posts
        role = "running" if window.running(start) else "bar"
        rows.append(_bar(window, start, role=role, y=base, y2=base + posts, label=slug, n=posts))
    return _table(rows)


def activity_chart(
    themes: Sequence[Theme], palette: Palette, *, several_days: bool = False, height: int = 190
) -> dict[str, Any]:
    """Posts over time stacked by theme over the agenda: sessions titled, breaks shaded."""
    colours = [theme_colour(place, palette) for place in range(len(themes))]
    scale = alt.Scale(domain=_slugs(themes), range=[*colours, palette.none, palette.untagged])
    bars = (
        alt.Chart()
        .transform_filter("datum.role == 'bar' || datum.role == 'running'")
        .mark_rect()
        .encode(
            y=alt.Y("y:Q", title=None, axis=alt.Axis(tickMinStep=1, tickCount=4, format="d")),
            y2="y2",
            x2="end",
            color=alt.Color("label:N", scale=scale, legend=None),
            opacity=alt.condition("datum.role == 'running'", alt.value(0.45), alt.value(1)),
            tooltip=[
                alt.Tooltip("when:N", title="from"),
                alt.Tooltip("label:N", title="theme"),
                alt.Tooltip("n:Q", title="posts"),
            ],
        )
    )
    layers = [*_agenda_layers(palette), _frame_layer(), bars]
    return _spec(layers, palette, height, several_days)


def _slugs(themes: Sequence[Theme]) -> list[str]:
    return [*(theme.slug for theme in themes), NONE, UNTAGGED]


# Sentiment shares of one theme: positive above, negative below.


def sentiment_rows(bins: Iterable[tuple[datetime, int, int, int]], window: Window, bound: float) -> pa.Table:
    """Rows of ``sentiment_chart`` from ``(start, posts, positive, negative)``; the axis ends at ±bound."""
    rows = [_frame(window, -bound, bound)]
    for start, posts, positive, negative in bins:
        for label, hits in (("positive", positive), ("negative", -negative)):
            if hits:
                role = "few" if posts < FEW else "bar"
                share = hits / posts  # ``y`` tells it, ``y2`` is as much of it as the axis has room for
                cut = max(-bound, min(bound, share))
                rows.append(_bar(window, start, role=role, y=share, y2=cut, label=label, n=posts))
    return _table(rows)


def sentiment_chart(palette: Palette, *, several_days: bool = False, height: int = 96) -> dict[str, Any]:
    """Share of positive posts above the line, of negative ones below; thin bins hatched."""
    scale = alt.Scale(domain=["positive", "negative"], range=[palette.positive, palette.negative])
    colour = alt.Color("label:N", scale=scale, legend=None)
    axis = alt.Axis(labelExpr="format(abs(datum.value), '.0%')", tickCount=3, grid=True)
    bars = (
        alt.Chart()
        .transform_filter("datum.role == 'bar' || datum.role == 'few'")
        .transform_calculate(share="abs(datum.y)")
        .mark_rect()
        .encode(
            y=alt.Y("y2:Q", title=None, axis=axis),
            y2=alt.datum(0),
            x2="end",
            color=colour,
            opacity=alt.condition("datum.role == 'few'", alt.value(0.22), alt.value(1)),
            tooltip=[
                alt.Tooltip("when:N", title="from"),
                alt.Tooltip("label:N", title="sentiment"),
                alt.Tooltip("share:Q", title="share", format=".0%"),
                alt.Tooltip("n:Q", title="of posts"),
            ],
        )
    )
    # Vega has no hatching: three strokes from edge to edge, one above the other.
    hatching = (
        alt.Chart()
        .transform_filter("datum.role == 'few'")
        .transform_calculate(stroke="[0, 1, 2]")
        .transform_flatten(["stroke"])
        .transform_calculate(from_="datum.y2 * datum.stroke / 3", to="datum.y2 * (datum.stroke + 1) / 3")
        .mark_rule(strokeWidth=1.2)
        .encode(y=alt.Y("from_:Q"), x2="end", y2="to", color=colour)
    )
    zero = alt.Chart().mark_rule(color=palette.muted, strokeWidth=1).encode(y=alt.datum(0))
    return _spec([_frame_layer(), bars, hatching, zero], palette, height, several_days, ticks=3)


def bound_of(bins: Iterable[tuple[datetime, int, int, int]]) -> float:
    """Where the axis of the sentiment charts ends: the largest share, up to the next quarter.

    Hatched bins do not stretch it, unless there are no others: one post alone is always 0 or 100 %.
    """
    known = [one for one in bins if one[1]]
    solid = [one for one in known if one[1] >= FEW] or known
    largest = max((max(positive, negative) / posts for _, posts, positive, negative in solid), default=0.0)
    return next(step for step in (0.25, 0.5, 0.75, 1.0) if largest <= step)


# Words for those who do not see the picture.


def activity_alt(counts: Sequence[tuple[datetime, str, int]], window: Window, unit: str) -> str:
    """One sentence: the window, how many, and the peak."""
    bins: dict[datetime, int] = {}
    for start, _, posts in counts:
        bins[start] = bins.get(start, 0) + posts
    span = f"{window.label(window.starts)} to {window.label(window.ends)}"
    if not bins:
        return f"Posts {unit} by theme, {span}: none."
    peak = max(sorted(bins), key=lambda start: bins[start])
    told = f"{sum(bins.values())} in all, most at {window.label(peak)}, {bins[peak]}"
    return f"Posts {unit} by theme, {span}: {told}."


def sentiment_alt(title: str, bins: Sequence[tuple[datetime, int, int, int]]) -> str:
    """One sentence: theme, number of posts, shares over the whole window."""
    posts = sum(one[1] for one in bins)
    if not posts:
        return f"Sentiment of {title}: no posts in this window."
    positive = sum(one[2] for one in bins) / posts
    negative = sum(one[3] for one in bins) / posts
    return f"Sentiment of {title}, {posts} posts: {positive:.0%} positive, {negative:.0%} negative."


# Parts of the rows.


def _frame(window: Window, low: float, high: float) -> dict[str, Any]:
    # Invisible, so that the axes span the window whatever falls into it.
    wide = (window.ends - window.starts).total_seconds() / 60
    return {"role": "frame", "t": window.local_ms(window.starts), "wide": wide, "y": low, "y2": high}


def _bar(window: Window, start: datetime, **values: Any) -> dict[str, Any]:
    gap = window.minutes * 0.06
    t = window.local_ms(start) + gap * 60_000
    return {"t": t, "wide": window.minutes - 2 * gap, **values}


def _agenda(sessions: Sequence[Session], window: Window) -> list[dict[str, Any]]:
    length = (window.ends - window.starts).total_seconds()
    rows = []
    for session in sessions:
        starts, ends = max(session.starts, window.starts), min(session.ends, window.ends)
        if starts < ends:
            seconds = (ends - starts).total_seconds()
            rows.append(
                {
                    "role": session.kind,
                    "t": window.local_ms(starts),
                    "wide": seconds / 60,
                    "y": seconds / length,  # its share of the width, for the length of its title
                    "label": session.title,
                }
            )
    return rows


def _table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    # Every column is always there with one type, so that the specification never changes.
    columns = {}
    for name in COLUMNS:
        if name in TEXTS:
            columns[name] = pa.array([row.get(name, "") for row in rows], pa.string()).dictionary_encode()
        else:
            kind = pa.float64() if name == "t" else pa.float32()
            columns[name] = pa.array([row.get(name) for row in rows], kind)
    return pa.table(columns)


# Parts of the specifications.


def _frame_layer() -> alt.Chart:
    layer: alt.Chart = (
        alt.Chart()
        .transform_filter("datum.role == 'frame'")
        .mark_rect(opacity=0, tooltip=None)
        .encode(x2="end", y=alt.Y("y:Q", title=None), y2="y2")
    )
    return layer


def _agenda_layers(palette: Palette) -> list[alt.Chart]:
    either = "datum.role == 'session' || datum.role == 'break'"
    whole = {"y": alt.value(0), "y2": alt.value("height")}
    pauses = (
        alt.Chart()
        .transform_filter("datum.role == 'break'")
        .mark_rect(fill=palette.pause, tooltip=None)
        .encode(x2="end", **whole)
    )
    starts = alt.Chart().transform_filter(either).mark_rule(color=palette.line, strokeWidth=1).encode(**whole)
    told = [
        alt.Tooltip("label:N", title="session"),
        alt.Tooltip("when:N", title="from"),
        alt.Tooltip("until:N", title="to"),
    ]
    slots = (
        alt.Chart()
        .transform_filter(either)
        .mark_rect(fill=palette.pause, stroke=palette.card, strokeWidth=2, cornerRadius=4)
        .encode(x2="end", y=alt.value(-23), y2=alt.value(-3), tooltip=told)
    )
    titles = (
        alt.Chart()
        .transform_filter(either)
        # A title that fits, or enough of it to be understood; else its slot tells it when pointed at.
        .transform_calculate(room="floor(datum.y * width / 6.2) - 1")
        .transform_filter(f"datum.room >= min({LEGIBLE}, length(datum.label))")
        .transform_calculate(title="truncate(datum.label, datum.room, 'right', '…')")
        .mark_text(align="left", baseline="top", dx=6, fontSize=11.5, color=palette.muted)
        .encode(y=alt.value(-18), text="title:N", tooltip=told)
    )
    return [pauses, starts, slots, titles]


def _spec(
    layers: Sequence[alt.Chart],
    palette: Palette,
    height: int,
    several_days: bool,
    *,
    ticks: int = 7,
) -> dict[str, Any]:
    chart = (
        alt.layer(*layers, data=alt.NamedData("rows"))
        .properties(height=height, padding={"left": 0, "right": 4, "top": 4, "bottom": 0})
        .configure(background="transparent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=palette.muted,
            labelFontSize=12,
            domain=False,
            ticks=False,
            gridColor=palette.line,
            labelPadding=6,
        )
    )
    spec: dict[str, Any] = chart.to_dict()
    spec.pop("data")
    # What all layers share is said once: it is sent with every refresh.
    spec["encoding"] = (
        alt.Chart().encode(x=_time_axis(several_days, ticks)).to_dict(validate=False)["encoding"]
    )
    form = "%-d %b %H:%M" if several_days else "%H:%M"
    spec["transform"] = [
        {"calculate": "datum.t + datum.wide * 60000", "as": "end"},
        {"calculate": f"utcFormat(datum.t, '{form}')", "as": "when"},
        {"calculate": "utcFormat(datum.end, '%H:%M')", "as": "until"},
    ]
    return spec


def _time_axis(several_days: bool, ticks: int) -> alt.X:
    # Where there are several days, midnight is called by the day that begins.
    day = "utchours(datum.value) + utcminutes(datum.value) ? '%H:%M' : '%a %-d %b'"
    named = {"labelExpr": f"utcFormat(datum.value, {day})"}
    hours: dict[str, Any] = named if several_days else {"format": "%H:%M"}
    axis = alt.Axis(**hours, tickCount=ticks, labelFlush=True, grid=False, labelOverlap=True)
    return alt.X("t:T", title=None, scale=alt.Scale(type="utc", nice=False), axis=axis)
