"""When things happen: the agenda, what is said at which minute, and how busy every minute is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from data.sample.phrases import load

ZONE = ZoneInfo("America/Mexico_City")
FIRST_DAY = datetime(2012, 3, 26, tzinfo=ZONE)
LISTENING_FROM = datetime(2012, 3, 25, 18, tzinfo=ZONE)
LISTENING_TO = datetime(2012, 3, 28, 10, tzinfo=ZONE)
#: While X was not heard: in the middle of the agility session.
GAP = (datetime(2012, 3, 26, 15, 18, tzinfo=ZONE), datetime(2012, 3, 26, 15, 31, tzinfo=ZONE))

#: Posts written a minute outside sessions and breaks, by local hour of each day from the 25th on.
_QUIET: tuple[Mapping[int, float], ...] = (
    {18: 0.12, 19: 0.16, 20: 0.2, 21: 0.16, 22: 0.1, 23: 0.04},
    {0: 0.02, 5: 0.02, 6: 0.06, 7: 0.2, 8: 0.55, 18: 0.5, 19: 0.3, 20: 0.2, 21: 0.16, 22: 0.12, 23: 0.07},
    {0: 0.03, 2: 0.02, 6: 0.05, 7: 0.16, 8: 0.4, 17: 0.9, 18: 0.6, 19: 0.3, 20: 0.2, 21: 0.12, 22: 0.08},
    {0: 0.02, 7: 0.05, 8: 0.1, 9: 0.1},
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A session or break of the agenda; ``really_ends`` is when it did end."""

    slug: str
    title: str
    titles: Mapping[str, str]
    starts: datetime
    ends: datetime
    really_ends: datetime
    is_break: bool
    themes: tuple[str, ...]
    speakers: tuple[str, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something a speaker said, in the three languages."""

    at: datetime
    speaker: str
    theme: str
    claims: Mapping[str, str]


def agenda() -> tuple[Slot, ...]:
    """The slots of the two days, in order."""
    return tuple(_slot(entry) for entry in load("agenda")["sessions"])


def _slot(entry: Mapping[str, Any]) -> Slot:
    starts = entry["starts"].replace(tzinfo=ZONE)
    ends = entry["ends"].replace(tzinfo=ZONE)
    speakers = tuple(entry.get("speakers", ()))
    return Slot(
        slug=entry["slug"],
        title=entry["title"],
        titles=entry.get("titles", {}),
        starts=starts,
        ends=ends,
        really_ends=ends + timedelta(minutes=entry.get("overrun", 0)),
        is_break=entry.get("kind") == "break",
        themes=tuple(entry.get("themes", ())),
        speakers=speakers,
        moments=tuple(
            Moment(
                at=(starts + timedelta(minutes=moment["at"])).astimezone(UTC),
                speaker=speakers[moment["by"]],
                theme=moment["theme"],
                claims={language: moment[language] for language in ("en", "es", "fr")},
            )
            for moment in entry.get("moments", ())
        ),
    )


def slot_at(slots: tuple[Slot, ...], at: datetime) -> Slot | None:
    """What was really going on: a session that ran late goes before the break that it cut."""
    running = [slot for slot in slots if slot.starts <= at < slot.really_ends]
    return min(running, key=lambda slot: slot.starts) if running else None


def arrivals(rng: Random, slots: tuple[Slot, ...]) -> Iterator[datetime]:
    """The moments at which somebody writes something of their own, quotes of speakers left out."""
    minute = LISTENING_FROM
    while minute < LISTENING_TO:
        for _ in range(_poisson(rng, _rate(slots, minute))):
            yield (minute + timedelta(seconds=rng.random() * 60)).astimezone(UTC)
        minute += timedelta(minutes=1)


def _rate(slots: tuple[Slot, ...], minute: datetime) -> float:
    slot = slot_at(slots, minute)
    if slot is None:
        return _QUIET[(minute.date() - LISTENING_FROM.date()).days].get(minute.hour, 0.0)
    if slot.is_break:
        return 0.55
    late = minute >= slot.ends
    return 2.2 if late else 0.68 + 0.5 * (minute - slot.starts < timedelta(minutes=10))


def _poisson(rng: Random, mean: float) -> int:
    count, mass = 0, rng.expovariate(1.0)
    while mass < mean:
        count += 1
        mass += rng.expovariate(1.0)
    return count
