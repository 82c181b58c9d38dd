"""Posts, facets and times as the Archive page draws them: plain strings, never markup."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from typing import Any

from analysis.charts import DARK, LIGHT, theme_colour
from analysis.measures.marks import asked_alike, marks_of
from archive import posts
from archive.agenda_slots import sessions_of
from archive.evidence import tags_of
from archive.facets import DIMENSIONS, Timeline
from archive.search import Found, Hit, hits_of
from archive.shown import account
from archive.times import from_text
from archive.vocabulary import KINDS, NONE, NOT_SURE, SENTIMENTS, UNKNOWN, UNTAGGED, Meeting
from views.reasons import Around, marked, reasons

TITLES = {"theme": "Theme", "sentiment": "Sentiment", "kind": "Kind", "language": "Language"}
WORDS = {
    NONE: "no theme",
    UNTAGGED: "not tagged yet",
    NOT_SURE: "not sure",
    UNKNOWN: "not known",
    "und": "undetermined",
}
LOGISTICS = {"1": "stream, sound, room", "0": "everything else", UNKNOWN: WORDS[UNTAGGED]}
PLACES = {
    "before": "before the meeting",
    "between": "between sessions",
    "after": "after the meeting",
    NONE: "no session",
}
LANGUAGES = {
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "de": "German",
    "it": "Italian",
    "pt": "Portuguese",
    "ar": "Arabic",
    "ja": "Japanese",
    "zh": "Chinese",
    "ko": "Korean",
    "nl": "Dutch",
    "ru": "Russian",
    "tr": "Turkish",
    "ca": "Catalan",
    "pl": "Polish",
}
DONE = {"repost": "reposted", "reply": "replied", "quote": "quoted"}
MANY_TRACKS = 3
ALIKE = 10  # questions of others that ask the same, in an opened post

#: ``marks`` by row number; what is not marked says nothing.
Marks = Mapping[int, Mapping[str, Any]]
NO_MARKS: Marks = {}
UNMARKED: Mapping[str, Any] = {"to_chair": False, "logistics": False, "group": None}


def heading(meeting: Meeting) -> str:
    """The page's heading, above the search box, as HTML."""
    starts, ends = (moment.astimezone(meeting.zone) for moment in (meeting.starts, meeting.ends))
    days = f"{starts.day} {starts:%b %Y}" if starts.date() == ends.date() else _span(starts, ends)
    zone = meeting.timezone.replace("_", " ")
    return (
        f'<header class="archive-head"><h1><bdi>{escape(meeting.title)}</bdi></h1>'
        f"<p>{escape(days)} · all times in {escape(zone)}</p></header>"
    )


def _span(starts: datetime, ends: datetime) -> str:
    first = (
        f"{starts.day}"
        if (starts.year, starts.month) == (ends.year, ends.month)
        else f"{starts.day} {starts:%b}"
    )
    return f"{first}–{ends.day} {ends:%b %Y}"


def themes(meeting: Meeting) -> dict[str, dict[str, Any]]:
    """Title and colours (on a light and on a dark ground) of every theme, and of posts without one."""
    known = {
        theme.slug: {"title": theme.title, "colours": [theme_colour(at, LIGHT), theme_colour(at, DARK)]}
        for at, theme in enumerate(meeting.themes)
    }
    none = {"title": WORDS[NONE], "colours": [LIGHT.none, DARK.none]}
    untagged = {"title": WORDS[UNTAGGED], "colours": [LIGHT.untagged, DARK.untagged]}
    return {**known, NONE: none, UNTAGGED: untagged}


def facets(found: Found | None, parameters: Mapping[str, str], meeting: Meeting) -> list[dict[str, Any]]:
    """The facets in the order of the page, each value with its label and number of posts."""
    drawn = []
    for name in DIMENSIONS:
        chosen = parameters.get(name) or None
        counts = dict(found.facets[name]) if found else {}
        if chosen is not None:
            counts.setdefault(chosen, 0)
        values = [
            {"value": value, "label": label(name, value, meeting), "posts": counts[value]}
            for value in _in_order(name, counts, meeting)
        ]
        drawn.append(
            {
                "name": name,
                "title": TITLES.get(name, name.capitalize()),
                "chosen": chosen,
                "label": label(name, chosen, meeting) if chosen else "",
                "values": values if len(values) > 1 or chosen else [],
            }
        )
    return drawn


def _in_order(name: str, counts: Mapping[str, int], meeting: Meeting) -> list[str]:
    """Agenda and scales keep their own order; the rest stays by frequency."""
    fixed: dict[str, tuple[str, ...]] = {
        "theme": (*(theme.slug for theme in meeting.themes), NONE, UNTAGGED),
        "sentiment": (*SENTIMENTS, NOT_SURE, UNTAGGED),
        "logistics": ("1", "0", UNKNOWN),
        "kind": (*reversed(KINDS), UNKNOWN),
        "session": ("before", *(one.slug for one in sessions_of(meeting)), "between", "after", NONE),
    }
    first = [value for value in fixed.get(name, ()) if value in counts]
    return [*first, *(value for value in counts if value not in first)]


def label(name: str, value: str, meeting: Meeting) -> str:
    """What a value of a facet is called."""
    if name == "theme":
        return next((theme.title for theme in meeting.themes if theme.slug == value), WORDS.get(value, value))
    if name == "session":
        return place(value, meeting)
    if name == "logistics":
        return LOGISTICS.get(value, value)
    if name == "language":
        return WORDS.get(value) or LANGUAGES.get(value.split("-")[0], value)
    if name == "source":
        return value.capitalize()
    return WORDS.get(value, value)


def place(session: str, meeting: Meeting) -> str:
    """The title of a session, or where else in time a post belongs."""
    titles = {one.slug: one.title for one in sessions_of(meeting)}
    return titles.get(session) or PLACES.get(session, session)


def timeline(line: Timeline | None, meeting: Meeting) -> dict[str, Any] | None:
    """Counts with the edges of their bins on the meeting's wall clock, and the agenda beside them."""
    if line is None:
        return None
    size = len(line.counts)
    moments = [datetime.fromtimestamp(line.starts + at * line.width, UTC) for at in range(size + 1)]
    return {
        "counts": list(line.counts),
        "edges": [_minute(moment, meeting) for moment in moments],
        "width": line.width,
        "every": _every(line.width),
        "slots": _slots(moments[0], moments[-1], meeting),
    }


def _every(width: int) -> str:
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if width % size == 0:
            return f"{width // size} {word}{'s' if width > size else ''}"
    return f"{width} seconds"


def _slots(starts: datetime, ends: datetime, meeting: Meeting) -> list[list[dict[str, Any]]]:
    """The agenda in rows, one a track, in percent of the timeline; none where it would be too small."""
    if not meeting.sessions or (meeting.ends - meeting.starts) < 0.15 * (ends - starts):
        return []
    span = ends - starts
    rows: dict[str, list[dict[str, Any]]] = {}
    for one in meeting.sessions:
        first, last = max(one.starts, starts), min(one.ends, ends)
        if first < last:
            rows.setdefault(one.track, []).append(
                {
                    "title": one.title,
                    "from": _minute(one.starts, meeting),
                    "to": _minute(one.ends, meeting),
                    "left": round(100 * ((first - starts) / span), 3),
                    "width": round(100 * ((last - first) / span), 3),
                    "pause": one.kind == "break",
                }
            )
    return list(rows.values())[:MANY_TRACKS]


def _minute(moment: datetime, meeting: Meeting) -> str:
    return f"{moment.astimezone(meeting.zone):%Y-%m-%dT%H:%M}"


def local_text(text: str | None, meeting: Meeting) -> str | None:
    """A time of the address as its field shows it, or None where there is none."""
    try:
        moment = datetime.fromisoformat(text or "")
        return _minute(moment, meeting) if moment.tzinfo else f"{moment:%Y-%m-%dT%H:%M}"
    except (ValueError, OverflowError):
        return None


def post(hit: Hit, meeting: Meeting, marks: Marks = NO_MARKS) -> dict[str, Any]:
    """A post of a list."""
    moment = from_text(hit.created_at).astimezone(meeting.zone)
    mood = (hit.sentiment if hit.sure and hit.sentiment else NOT_SURE) if hit.tagged else None
    mark = marks.get(hit.id, UNMARKED)
    return {
        "key": hit.key,
        "author": account(hit.handle, hit.name),
        "name": hit.name if hit.handle and hit.name != hit.handle else None,
        "kind": DONE.get(hit.kind or ""),
        "source": hit.source.capitalize(),
        "at": hit.created_at,
        "when": f"{moment.day} {moment:%b %H:%M}",
        "segments": [list(piece) for piece in hit.segments],
        "tagged": hit.tagged,
        "themes": list(hit.themes),
        "mood": mood,
        "question": hit.question,
        "to_chair": mark["to_chair"],
        "asked": asked(mark["group"]),
        "logistics": mark["logistics"],
        "language": hit.language,
        "edited": hit.edited_at is not None,
        "replies": hit.replies,
    }


def asked(group: Mapping[str, Any] | None) -> str | None:
    """How many others ask the same; None where nobody does."""
    if group is None:
        return None
    several = f" in {group['languages']} languages" if group["languages"] > 1 else ""
    return f"asked by {group['authors']}{several}"


def opened(conn: sqlite3.Connection, key: str, meeting: Meeting) -> dict[str, Any]:
    """A post with all there is to know about it, or the reason why there is nothing."""
    detail = posts.read(conn, key)
    if detail is None:
        gone = "This post is not in the archive: it was deleted, its author opted out, or it never was here."
        return {"key": key, "gone": gone}
    hit = detail.hit
    url = hit.url if hit.url and hit.url.startswith(("https://", "http://")) else None
    tagged = tags_of(conn, hit.key)
    alike = asked_alike(conn, hit.id, ALIKE)
    others = hits_of(conn, alike)
    text = "".join(piece for piece, _ in detail.text)
    mine = marks_of(conn, [hit.id])
    return {
        **post(hit, meeting, mine),
        "segments": marked(text, tagged.tags if tagged else ()),
        "when": _full(hit.created_at, meeting),
        "place": place(hit.session, meeting),
        "url": url,
        "versions": [
            {"when": f"{_full(one.at, meeting)}, until {_full(newer.at, meeting)}", "text": one.text}
            for newer, one in pairwise(detail.versions)
        ],
        "thread": [{**post(one.hit, meeting), "depth": one.depth} for one in detail.thread],
        "absent": "It answers a post that is not in this archive." if detail.absent else None,
        "cut": "The thread goes on." if detail.cut else None,
        "passed_on": post(detail.passed_on, meeting) if detail.passed_on else None,
        "quoted": post(detail.quoted, meeting) if detail.quoted else None,
        "engagement": [_counted(one, meeting) for one in detail.engagement],
        "alike": [post(others[one], meeting) for one in alike if one in others],
        "values": _values(hit),
        **reasons(tagged, _around(hit, meeting, mine, tagged.language if tagged else None)),
    }


def _around(hit: Hit, meeting: Meeting, marks: Marks, language: str | None) -> Around:
    return Around(
        label=lambda component, one: label(component, one, meeting),
        when=lambda at: _full(at, meeting),
        to_chair=marks.get(hit.id, UNMARKED)["to_chair"],
        language=language,
    )


def _values(hit: Hit) -> dict[str, str | None]:
    """What a correction begins with; None where the tagger was not sure, or has not been there."""
    return {
        "sentiment": hit.sentiment if hit.sure else None,
        "question": ("yes" if hit.question else "no") if hit.tagged else None,
        "language": hit.language or UNKNOWN,
    }


def correcting(meeting: Meeting) -> dict[str, Any]:
    """What a correction may choose from: themes, and languages with their names."""
    return {
        "themes": [theme.slug for theme in meeting.themes],
        "languages": [
            *([code, label("language", code, meeting)] for code in meeting.languages),
            [UNKNOWN, "none of these"],
        ],
    }


def _full(text: str, meeting: Meeting) -> str:
    moment = from_text(text).astimezone(meeting.zone)
    return f"{moment.day} {moment:%b %Y %H:%M:%S}"


def _counted(count: posts.Count, meeting: Meeting) -> dict[str, Any]:
    return {
        "when": _full(count.observed_at, meeting) if count.observed_at else "at import",
        "likes": count.likes,
        "reposts": count.reposts,
        "replies": count.replies,
        "quotes": count.quotes,
        "impressions": count.impressions,
    }
