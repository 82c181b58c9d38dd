"""Clocks that are local without saying so: found out from the times inside the ids of X posts.

Some formats write times without a zone. Where a row's id carries its own time, the two tell the shift;
the zone that explains the shift of nearly all rows, changes to summer time included, is taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from collector.mapping import MappingError
from collector.mapping.x_ids import time_of_id

SHARE = 0.99  # of the rows that a zone must explain
TOLERANCE = timedelta(minutes=2)
MAX_AHEAD = 14 * 60 + 2  # minutes; no clock is further from UTC
MAX_BUCKETS = 50_000  # memory: what comes later counts only where its bucket is there

#: Asked in this order, after UTC and the meeting's own: of zones that fit alike, the best known.
WELL_KNOWN = (
    "America/New_York",
    "Europe/London",
    "Europe/Paris",
    "America/Chicago",
    "America/Los_Angeles",
    "America/Denver",
    "America/Mexico_City",
    "America/Sao_Paulo",
    "America/Bogota",
    "America/Argentina/Buenos_Aires",
    "Europe/Athens",
    "Europe/Moscow",
    "Africa/Cairo",
    "Africa/Lagos",
    "Africa/Johannesburg",
    "Africa/Nairobi",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Bangkok",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Brisbane",
    "Australia/Sydney",
    "Australia/Adelaide",
    "Pacific/Auckland",
)

_Bucket = tuple[int, int]

_SLOT = 1800  # seconds; clocks change on the half hour at the finest


@dataclass(frozen=True, slots=True)
class Finding:
    """The zone to read a file's times in. ``fits`` is None where no row could tell."""

    zone: ZoneInfo
    fits: float | None
    rows: int

    def note(self) -> str:
        """What was found, for people."""
        if self.fits is None:
            return "The times carry no zone and no id tells it: taken as UTC. --timezone Z decides otherwise."
        if self.fits < SHARE:
            return (
                f"The times carry no zone, and no zone explains those inside the ids of {self.rows:,} rows: "
                "taken as UTC. --timezone Z decides otherwise."
            )
        return (
            f"The times carry no zone; the ids of {self.rows:,} rows say {self.zone.key} "
            f"({self.fits:.1%} of them). --timezone Z decides otherwise."
        )


def find_zone(times: Iterable[tuple[str, datetime]], meeting: ZoneInfo) -> Finding | None:
    """The zone of local times, by the ids that stand beside them: UTC, the meeting's, any other.

    None where there is nothing to find: every time says its own zone.
    """
    counted, local = _shifts(times)
    shifts = counted.most_common()
    rows = counted.total()
    if not local:
        return None
    if not rows:
        return Finding(ZoneInfo("UTC"), None, 0)
    possible = sum(count for (_, ahead), count in shifts if abs(ahead) <= MAX_AHEAD) >= rows * SHARE
    for name in _candidates(meeting) if possible else ():
        zone = ZoneInfo(name)
        fits = _explained(shifts, zone, rows)
        if fits >= SHARE:
            return Finding(zone, fits, rows)
    return Finding(ZoneInfo("UTC"), 0, rows)


def as_utc(local: datetime, zone: ZoneInfo | None, post_id: str = "") -> datetime:
    """A time as UTC: by its own offset, else in ``zone`` (None: UTC).

    In the hour that a clock runs through twice the id says which of the two it was. MappingError at
    the ends of time.
    """
    known = local if local.tzinfo is not None else local.replace(tzinfo=zone or UTC)
    try:
        first, second = (known.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        raise MappingError(f"no time that can be: {local}") from None
    if local.tzinfo is not None:
        return known.astimezone(UTC)
    if first == second or (inside := time_of_id(post_id)) is None:
        return first
    return min(first, second, key=lambda moment: abs(moment - inside))


def _shifts(times: Iterable[tuple[str, datetime]]) -> tuple[Counter[_Bucket], int]:
    """How many rows there are by (half hour of the id's time, minutes that the local clock is ahead).

    Beside them the number of all rows whose time says no zone, told by an id or not.
    """
    found: Counter[_Bucket] = Counter()
    rows = 0
    for post_id, local in times:
        if local.tzinfo is not None:
            continue
        rows += 1
        if (moment := time_of_id(post_id)) is None:
            continue
        ahead = (local.replace(tzinfo=UTC) - moment) // timedelta(minutes=1)
        bucket = (int(moment.timestamp()) // _SLOT, ahead)
        if bucket in found or len(found) < MAX_BUCKETS:
            found[bucket] += 1
    return found, rows


def _explained(shifts: Sequence[tuple[_Bucket, int]], zone: ZoneInfo, rows: int) -> float:
    """The share of rows whose shift is the zone's own at that moment; 0 as soon as it is too small."""

    @cache
    def offset(slot: int) -> timedelta:
        return datetime.fromtimestamp(slot * _SLOT, zone).utcoffset() or timedelta()

    missed = 0
    for (slot, ahead), count in shifts:
        if abs(offset(slot) - timedelta(minutes=ahead)) > TOLERANCE:
            missed += count
            if missed > rows * (1 - SHARE):
                return 0
    return 1 - missed / rows


def _candidates(meeting: ZoneInfo) -> Iterator[str]:
    first = ("UTC", meeting.key, *WELL_KNOWN)
    yield from first
    yield from sorted(name for name in available_timezones() if name not in first and "/" in name)
