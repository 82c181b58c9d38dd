"""Matching accounts to the people who agreed to it: the organiser's roster and nothing else."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from typing import Any

from analysis.measures.networks import fold
from archive.vocabulary import Meeting, Participant


def matched(conn: sqlite3.Connection, meeting: Meeting) -> dict[int, Participant]:
    """The participant behind each author that the roster names, by the author's row number.

    A roster names an account ``<source>:<handle, id or name>``, a handle with or without ``@``.
    """
    named: dict[str, Participant] = {}
    keys: set[str] = set()
    for person in meeting.participants:
        for account in person.accounts:
            source, _, rest = account.partition(":")
            named[f"{source}:{fold(rest)}"] = person
            keys.update((account, f"{source}:@{fold(rest)}"))
    handles = [name.partition(":")[2] for name in named]
    rows = conn.execute(
        "SELECT id, key, source, handle FROM authors WHERE posts > 0 "
        "AND (key IN (SELECT value FROM json_each(?)) "
        "OR handle COLLATE NOCASE IN (SELECT value FROM json_each(?)))",
        (json.dumps(sorted(keys)), json.dumps(handles)),
    )
    found: dict[int, Participant] = {}
    for number, key, source, handle in rows:
        for spelling in filter(None, (handle, key.partition(":")[2])):
            if match := named.get(f"{source}:{fold(spelling)}"):
                found[number] = match
    return found


def countries(conn: sqlite3.Connection, meeting: Meeting) -> dict[str, Any]:
    """Which countries are heard, by the roster: ``seen`` (code: people who posted), and those ``missing``.

    Missing are countries of the roster and of the attendance from which nobody on the roster has posted.
    """
    people = set(matched(conn, meeting).values())
    seen = Counter(person.country for person in people if person.country)
    expected = {person.country for person in meeting.participants if person.country}
    return {
        "seen": dict(sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))),
        "missing": sorted({*expected, *meeting.attendance.by_country} - set(seen)),
    }
