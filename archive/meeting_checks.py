"""What the tables of a meeting file must say together: order of times, names used once, known slugs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from archive.errors import Problem
from archive.meeting_tables import COMMON_KEYS, SOURCE_KEYS, SOURCE_REQUIRED, Table
from archive.toml_lines import Place
from archive.vocabulary import NONE, NOT_SURE, UNTAGGED

#: Slugs that the archive's columns and the pages' filters use for something else.
RESERVED = {
    "themes": (NONE, UNTAGGED, NOT_SURE),
    "sessions": (NONE, "before", "between", "after"),
}

Found = tuple[Place, Problem]
Fields = Mapping[str, Any]


def cross_check(tables: Mapping[str, Sequence[Table]]) -> list[Found]:
    """Every mistake that takes more than one field to see; fields found wrong before are absent here."""
    values = {
        name: [table.model_dump(exclude_none=True) for table in items] for name, items in tables.items()
    }
    meeting = values.get("meeting", [{}])[0]
    sessions = values.get("sessions", [])
    zone = ZoneInfo(meeting.get("timezone", "UTC"))
    found = [
        *_times(("meeting",), "meeting", meeting, zone),
        *_twice("themes", "slug", values.get("themes", [])),
        *_twice("sessions", "slug", sessions),
        *_twice("sources", "name", values.get("sources", [])),
        *_reserved("themes", values.get("themes", [])),
        *_reserved("sessions", sessions),
        *_overlaps(sessions, zone),
        *_unknown_themes(sessions, [theme.get("slug") for theme in values.get("themes", [])]),
    ]
    for index, session in enumerate(sessions):
        found += _times(("sessions", index), f"sessions {index + 1}", session, zone)
    for index, source in enumerate(values.get("sources", [])):
        found += _source_keys(index, source)
    for index, alert in enumerate(values.get("alerts", [])):
        found += _alert_words(index, alert)
    return found


def _times(place: Place, label: str, fields: Fields, zone: ZoneInfo) -> Iterator[Found]:
    for key in ("starts", "ends"):
        if key in fields and _skipped_by_clock(fields[key], zone):
            problem = Problem(
                f"{label}.{key}",
                str(fields[key]),
                f"in {zone.key} the clock skips this time when summer time begins",
            )
            yield (*place, key), problem
    if "starts" in fields and "ends" in fields:
        starts, ends = _utc(fields["starts"], zone), _utc(fields["ends"], zone)
        if ends <= starts:
            problem = Problem(
                f"{label}.ends", str(fields["ends"]), f"a time after starts, {fields['starts']}"
            )
            yield (*place, "ends"), problem


def _utc(moment: datetime, zone: ZoneInfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _skipped_by_clock(moment: datetime, zone: ZoneInfo) -> bool:
    if moment.tzinfo:
        return False
    return _utc(moment, zone).astimezone(zone).replace(tzinfo=None) != moment


def _twice(table: str, key: str, items: Sequence[Fields]) -> Iterator[Found]:
    first: dict[str, int] = {}
    for index, fields in enumerate(items):
        value = fields.get(key)
        if value is not None and (other := first.setdefault(value, index)) != index:
            problem = Problem(
                f"{table} {index + 1}.{key}",
                f'"{value}"',
                f"a {key} of its own; {table} {other + 1} has it already",
            )
            yield (table, index, key), problem


def _reserved(table: str, items: Sequence[Fields]) -> Iterator[Found]:
    for index, fields in enumerate(items):
        if fields.get("slug") in RESERVED[table]:
            problem = Problem(
                f"{table} {index + 1}.slug",
                f'"{fields["slug"]}"',
                f"another word; {', '.join(RESERVED[table])} mean something else in the archive",
            )
            yield (table, index, "slug"), problem


def _overlaps(sessions: Sequence[Fields], zone: ZoneInfo) -> Iterator[Found]:
    timed = sorted(
        (starts, ends, index)
        for index, fields in enumerate(sessions)
        if "starts" in fields
        and "ends" in fields
        and (starts := _utc(fields["starts"], zone)) < (ends := _utc(fields["ends"], zone))
    )
    latest: dict[str, tuple[datetime, int]] = {}  # by track: the end reached so far, and by whom
    for starts, ends, index in timed:
        track = sessions[index].get("track", "main")
        reached, other = latest.get(track, (starts, index))
        if starts < reached:
            problem = Problem(
                f"sessions {index + 1}",
                f"{sessions[index]['starts']} to {sessions[index]['ends']}",
                f"sessions of one track must not overlap: sessions {other + 1} of track {track} runs from"
                f" {sessions[other]['starts']} to {sessions[other]['ends']}; give one of them another track",
            )
            yield ("sessions", index), problem
        if ends > reached or other == index:
            latest[track] = (ends, index)


def _unknown_themes(sessions: Sequence[Fields], slugs: Sequence[str | None]) -> Iterator[Found]:
    known = [slug for slug in slugs if slug]
    for index, session in enumerate(sessions):
        for theme in session.get("themes", []):
            if theme not in known:
                allowed = f"one of {', '.join(known)}" if known else "there are no [[themes]] in this file"
                problem = Problem(f"sessions {index + 1}.themes", f'"{theme}"', allowed)
                yield ("sessions", index, "themes"), problem


def _source_keys(index: int, source: Fields) -> Iterator[Found]:
    kind = source.get("kind")
    if kind is None:
        return
    label = f"sources {index + 1}"
    keys = (*COMMON_KEYS, *SOURCE_KEYS[kind])
    for key in source:
        if key not in keys:
            problem = Problem(
                f"{label}.{key}", "an unknown key", f"a source of kind {kind} takes {', '.join(keys)}"
            )
            yield ("sources", index, key), problem
    for key in SOURCE_REQUIRED.get(kind, ()):
        if key not in source:
            problem = Problem(f"{label}.{key}", "nothing", f"a source of kind {kind} must have it")
            yield ("sources", index), problem


def _alert_words(index: int, alert: Fields) -> Iterator[Found]:
    if "when" in alert and ("words" in alert) != (alert["when"] == "word"):
        problem = Problem(
            f"alerts {index + 1}.words",
            "a list" if "words" in alert else "nothing",
            'when = "word" needs a list of words, and nothing else takes one',
        )
        yield ("alerts", index), problem
