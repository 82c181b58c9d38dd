"""Participation: who took part, of those who could."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from analysis.measures.roster import matched
from analysis.measures.window import Window
from archive.vocabulary import ARMS, Meeting


def participation(window: Window, meeting: Meeting) -> dict[str, Any]:
    """Who took part, of those who could: per arm, and per group and country where there is a roster.

    With a roster its people are counted, by what it says of them. Without one, authors by the arm they
    wrote in: an account may stand for several people and a person have several, hence ``upper_bound``.
    """
    attendance = meeting.attendance
    present = {"room": attendance.room, "remote": attendance.remote}
    if meeting.participants:
        return _roster_participation(window, meeting, present)
    authors = dict(map(tuple, window.rows("SELECT arm, count(DISTINCT author_id) FROM chosen GROUP BY arm")))
    return {
        "label": "upper_bound",
        "arms": {arm: _share(authors.get(arm, 0), present.get(arm)) for arm in ARMS},
        "groups": {name: _share(None, of) for name, of in sorted(attendance.by_group.items())},
        "countries": {name: _share(None, of) for name, of in sorted(attendance.by_country.items())},
    }


def _roster_participation(
    window: Window, meeting: Meeting, present: Mapping[str, int | None]
) -> dict[str, Any]:
    attendance = meeting.attendance
    authors = {row[0] for row in window.rows("SELECT DISTINCT author_id FROM chosen")}
    people = {person for number, person in matched(window.conn, meeting).items() if number in authors}
    arms = Counter(person.attendance for person in people)
    groups = Counter(person.group for person in people if person.group)
    countries = Counter(person.country for person in people if person.country)
    return {
        "label": "roster",
        "arms": {arm: _share(arms[arm] if arm != "public" else None, present.get(arm)) for arm in ARMS},
        "groups": _shares(groups, {name.casefold(): of for name, of in attendance.by_group.items()}),
        "countries": _shares(countries, attendance.by_country),
    }


def _shares(counts: Mapping[str, int], of: Mapping[str, int]) -> dict[str, Any]:
    return {name: _share(counts.get(name, 0), of.get(name)) for name in sorted({*counts, *of})}


def _share(authors: int | None, of: int | None) -> dict[str, Any]:
    share = authors / of if authors is not None and of else None
    return {"authors": authors, "of": of, "share": share}


def intensity(window: Window, meeting: Meeting) -> float | None:
    """Posts for each registered person and day of the meeting."""
    last = meeting.ends - timedelta(microseconds=1)  # a meeting that ends at midnight has no day more
    days = (last.astimezone(meeting.zone).date() - meeting.starts.astimezone(meeting.zone).date()).days + 1
    registered = meeting.attendance.registered
    return window.kinds.posts / (registered * days) if registered else None
