"""Sessions out of an agenda that somebody else keeps: an iCal file or pretalx's ``schedule.json``.

Only what a meeting file needs is read: title, beginning, end, room and speakers.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from archive.errors import InputError

MAX_BYTES = 20_000_000

_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_BREAK = re.compile(
    r"(?:(?:morning|afternoon|coffee|tea|lunch|networking)\W+)*(?:coffee|tea|lunch|dinner|break|reception)"
    r"|pause(?: café| déjeuner)?|déjeuner|descanso|receso|almuerzo|comida|café",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A session as an agenda gives it; times are aware where the agenda knows its zone, else naive."""

    title: str
    starts: datetime
    ends: datetime
    track: str = "main"
    speakers: tuple[str, ...] = ()

    @property
    def is_break(self) -> bool:
        """Whether its title says that nothing is on."""
        return bool(_BREAK.fullmatch(self.title.strip()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """The slots of an agenda in order, with the name and zone of the event where it tells them."""

    title: str | None
    timezone: str | None
    slots: tuple[Slot, ...]


def read_agenda(path: Path) -> Agenda:
    """The agenda in a file, whose form is found by its content. Raises ``InputError``."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: more than 20 MB; an agenda is a small file")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name an iCal file or pretalx's schedule.json") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: this is no text in UTF-8; save the agenda again as UTF-8") from None
    if text.lstrip().startswith("{"):
        agenda = _pretalx(path, text)
    elif "BEGIN:VCALENDAR" in text[:2000].upper():
        agenda = _ical(text)
    else:
        raise InputError(f"{path}: neither iCal (BEGIN:VCALENDAR) nor pretalx's schedule.json")
    if not agenda.slots:
        raise InputError(f"{path}: no session with a title, a beginning and an end in it")
    return agenda


def slugs(slots: tuple[Slot, ...]) -> list[str]:
    """A short name for every slot, made of its title, each one once."""
    used: dict[str, int] = {}
    made = []
    for slot in slots:
        plain = unicodedata.normalize("NFKD", slot.title).encode("ascii", "ignore").decode().lower()
        slug = "-".join(re.findall(r"[a-z0-9]+", plain))[:40].strip("-") or "session"
        if slug in ("none", "before", "between", "after"):
            slug = f"session-{slug}"
        used[slug] = used.get(slug, 0) + 1
        made.append(slug if used[slug] == 1 else f"{slug}-{used[slug]}")
    return made if len(set(made)) == len(made) else [f"s{number}" for number in range(1, len(made) + 1)]


def _sorted(slots: list[Slot]) -> tuple[Slot, ...]:
    def moment(slot: Slot) -> datetime:
        return slot.starts if slot.starts.tzinfo else slot.starts.replace(tzinfo=UTC)

    return tuple(sorted(slots, key=lambda slot: (moment(slot), slot.track, slot.title)))


def _pretalx(path: Path, text: str) -> Agenda:
    try:
        conference = json.loads(text)["schedule"]["conference"]
        slots = [slot for talk in _talks(conference) if (slot := _pretalx_slot(talk))]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f"{path}: JSON, but not pretalx's schedule.json (schedule, conference, days, rooms)"
        ) from None
    return Agenda(
        title=_text(conference.get("title")) or None,
        timezone=_text(conference.get("time_zone_name")) or None,
        slots=_sorted(slots),
    )


def _talks(conference: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for day in conference["days"]:
        for room, talks in day["rooms"].items():
            for talk in talks:
                yield {**talk, "room": talk.get("room") or room}


def _pretalx_slot(talk: Mapping[str, Any]) -> Slot | None:
    title = _text(talk.get("title"))
    if not title:
        return None
    starts = datetime.fromisoformat(talk["date"])
    hours, _, minutes = str(talk["duration"]).partition(":")
    people = talk.get("persons") or ()
    return Slot(
        title=title,
        starts=starts,
        ends=starts + timedelta(hours=int(hours), minutes=int(minutes or 0)),
        track=_text(talk["room"]) or "main",
        speakers=tuple(name for person in people if (name := _text(person.get("public_name")))),
    )


def _text(value: object) -> str:
    """The words of a pretalx field, which may be translated: ``{"en": "…"}``."""
    if isinstance(value, dict):
        value = next(iter(value.values()), "")
    return " ".join(str(value or "").split())


def _ical(text: str) -> Agenda:
    title = zone = None
    event: dict[str, tuple[str, str]] | None = None
    slots: list[Slot] = []
    for name, parameters, value in _ical_lines(text):
        if name == "BEGIN" and value.upper() == "VEVENT":
            event = {}
        elif name == "END" and value.upper() == "VEVENT" and event is not None:
            if slot := _ical_slot(event):
                slots.append(slot)
            event = None
        elif event is not None:
            event.setdefault(name, (parameters, value))
        elif name == "X-WR-CALNAME":
            title = _unescaped(value)
        elif name in ("X-WR-TIMEZONE", "TZID") and zone is None:
            zone = value.strip()
    return Agenda(title=title, timezone=zone, slots=_sorted(slots))


def _ical_lines(text: str) -> Iterator[tuple[str, str, str]]:
    # A line that begins with a blank continues the one before (RFC 5545, 3.1).
    for line in re.sub(r"\r?\n[ \t]", "", text).splitlines():
        head, colon, value = line.partition(":")
        # A colon may stand inside a quoted parameter.
        while colon and head.count('"') % 2:
            more, colon, value = value.partition(":")
            head = f"{head}:{more}"
        if colon:
            name, _, parameters = head.partition(";")
            yield name.upper(), parameters, value


def _ical_slot(event: Mapping[str, tuple[str, str]]) -> Slot | None:
    title = " ".join(_unescaped(event.get("SUMMARY", ("", ""))[1]).split())
    starts = _ical_time(*event["DTSTART"]) if "DTSTART" in event else None
    ends = _ical_time(*event["DTEND"]) if "DTEND" in event else None
    if starts and ends is None and (length := _DURATION.fullmatch(event.get("DURATION", ("", ""))[1])):
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in length.groups())
        ends = starts + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    # An entry of whole days, or one without length, is no session.
    if not title or starts is None or ends is None or starts.tzname() != ends.tzname() or ends <= starts:
        return None
    place = " ".join(_unescaped(event.get("LOCATION", ("", ""))[1]).split())
    return Slot(title=title, starts=starts, ends=ends, track=place or "main")


def _ical_time(parameters: str, value: str) -> datetime | None:
    try:
        if value.endswith("Z"):
            return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        moment = datetime.strptime(value, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - the zone follows
    except ValueError:
        return None
    zone = re.search(r'TZID="?([^";]+)', parameters)
    try:
        return moment.replace(tzinfo=ZoneInfo(zone[1])) if zone else moment
    except (KeyError, ValueError, OSError):
        return moment


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda match: " " if match[1] in "nN" else match[1], value)
