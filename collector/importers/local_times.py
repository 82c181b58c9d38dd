"""Times as the exports of meeting tools write them: mostly without a zone, often without a date.

``3/16/2026 2:03:10 PM``, ``Mar 16, 2026 14:03``, ``16.03.2026 14:03``, ``2026-03-16T14:03:10Z``, ``2:03 PM``:
whatever is missing is taken from the context. Where two numbers may both be the month, the reading that
is nearest to the meeting is taken, the month first where both are as near.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from unicodedata import category, normalize

from archive.errors import InputError
from archive.vocabulary import Meeting
from collector.clocks import as_utc
from collector.importers.base import Context
from collector.mapping import MappingError

#: The flag of a time that the file does not tell: the beginning of the stream, session or meeting.
GUESSED = ("clock",)

_LONGEST = 80  # characters; no time is longer
_HALF_DAY = timedelta(hours=12)
_CLOCK = re.compile(
    r"(?P<date>.*?)"
    r"(?:^|[T,\s])(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s?(?P<half>[ap])\.?\s?m\b\.?)?"
    r"\s?\(?(?P<zone>Z|(?:UTC|GMT)(?:\s?[+-]\d{1,2}(?::?\d\d)?)?|[+-]\d{1,2}(?::?\d\d)?)?\)?",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)")
_IN_WORDS = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th|\.)?\s)?([a-z]{3,12})\.?,?\s(?:(\d{1,2})(?:st|nd|rd|th)?,?\s)?(\d{4})"
)
_FILLERS = re.compile(
    r"\b(?:de|del|at|le|el|a las|a)\b|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b", re.IGNORECASE
)
#: By their beginnings without accents, in English, Spanish and French; the longer before the shorter.
_MONTHS = {
    "juin": 6, "juil": 7, "jan": 1, "ene": 1, "feb": 2, "fev": 2, "mar": 3, "apr": 4, "abr": 4, "avr": 4,
    "may": 5, "mai": 5, "jun": 6, "jul": 7, "aug": 8, "ago": 8, "aou": 8, "sep": 9, "set": 9, "oct": 10,
    "nov": 11, "dec": 12, "dic": 12,
}  # fmt: skip


@dataclass(slots=True)
class Clock:
    """Reads the times of one file, in UTC.

    ``rolling`` is for the lines of a chat, which are in order: where they tell no day, a clock that falls
    back by half a day has passed midnight.
    """

    context: Context
    rolling: bool = False
    day: date | None = None
    last: datetime | None = None

    def read(self, text: str) -> tuple[datetime, tuple[str, ...]]:
        """The moment of a time, and ``GUESSED`` where only its day is told.

        MappingError where it is none; InputError where its day is told by nobody.
        """
        text = tidy(text)
        if len(text) > _LONGEST:
            raise MappingError("a time of more characters than any has")
        match = _CLOCK.fullmatch(text)
        if match is None:
            day = day_of(text, self.context)
            if day is None:
                raise MappingError(f"no time that can be read: {text!r}")
            return self._start_on(day, text), GUESSED
        written = match["date"].strip(" ,-")
        day = day_of(written, self.context) if written else None
        if written and day is None:
            raise MappingError(f"no date that can be read: {text!r}")
        moment = datetime.combine(day or self._day(), _time(match, text), _offset(match["zone"]))
        if day is None and self.rolling:
            moment = self._after_midnight(moment)
        if self.rolling:
            self.last = moment
            self.day = day or self.day
        return as_utc(moment, self.context.zone or self.context.meeting.zone), ()

    def start(self) -> datetime:
        """When the first session of the day begins: the context's day, else the meeting's only one.

        InputError where the day is not known, or nothing begins on it.
        """
        day = self._day()
        try:
            return self._start_on(day, str(day))
        except MappingError:
            raise InputError(
                f"{self.context.file} tells no times, and on {day} neither the meeting nor a session begins: "
                "say which day it was with --date"
            ) from None

    def _start_on(self, day: date, text: str) -> datetime:
        meeting = self.context.meeting
        zone = self.context.zone or meeting.zone
        starts = [meeting.starts, *(session.starts for session in meeting.sessions)]
        that_day = [start for start in starts if start.astimezone(zone).date() == day]
        if not that_day:
            raise MappingError(f"only a day, on which nothing begins: {text!r}")
        return min(that_day).astimezone(UTC)

    def _day(self) -> date:
        if self.day is None:
            self.day = self.context.date or only_day(self.context)
        return self.day

    def _after_midnight(self, moment: datetime) -> datetime:
        if self.last is not None and self.last.replace(tzinfo=None) - moment.replace(tzinfo=None) > _HALF_DAY:
            try:
                self.day = self._day() + timedelta(days=1)
            except OverflowError:
                raise MappingError("a day after the last one") from None
            return datetime.combine(self.day, moment.timetz())
        return moment


def is_time(text: str) -> bool:
    """Whether a text looks like a time that at least tells its half of the day or its date."""
    match = _CLOCK.fullmatch(tidy(text)) if len(text) <= _LONGEST else None
    return match is not None and bool(match["half"] or any(char.isdigit() for char in match["date"]))


def has_date(text: str) -> bool:
    """Whether a time says its date too, or is no time at all."""
    match = _CLOCK.fullmatch(tidy(text))
    return match is None or bool(match["date"].strip())


def tidy(text: str) -> str:
    """A time without invisible marks, and with plain blanks."""
    visible = "".join(char for char in text[: 2 * _LONGEST] if category(char) != "Cf")
    return " ".join(normalize("NFKC", visible).split())


def only_day(context: Context) -> date:
    """The day of a meeting of one day. InputError where it lasts several."""
    first, last = _days(context.meeting)
    if first != last:
        raise InputError(
            f"{context.file}: its times have no date and the meeting lasts several days; "
            f"say which day it is, for example --date {first.isoformat()}"
        )
    return first


def day_of(text: str, context: Context) -> date | None:
    """The day that a date names, None where it names none."""
    try:
        if match := _YEAR_FIRST.fullmatch(text):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _YEAR_LAST.fullmatch(text):
            year = int(match[4]) + (2000 if len(match[4]) == 2 else 0)
            return _nearest(year, int(match[1]), int(match[3]), context, day_first=match[2] == ".")
        return _in_words(text)
    except ValueError:
        return None


def _nearest(year: int, first: int, second: int, context: Context, *, day_first: bool) -> date:
    if first > 12 or day_first:
        return date(year, second, first)
    if second > 12:
        return date(year, first, second)
    begins, ends = (context.date, context.date) if context.date else _days(context.meeting)

    def distance(day: date) -> timedelta:
        return max(begins - day, day - ends, timedelta(0))

    return min(date(year, first, second), date(year, second, first), key=distance)


def _in_words(text: str) -> date | None:
    bare = "".join(char for char in normalize("NFKD", text.casefold()) if category(char) != "Mn")
    match = _IN_WORDS.fullmatch(" ".join(_FILLERS.sub(" ", bare).strip(" ,").split()))
    if match is None or (match[1] is None) == (match[3] is None):
        return None
    month = next((number for name, number in _MONTHS.items() if match[2].startswith(name)), None)
    return date(int(match[4]), month, int(match[1] or match[3])) if month else None


def _time(match: re.Match[str], text: str) -> time:
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise MappingError(f"no time of a day: {text!r}")
        hour = hour % 12 + (12 if match["half"] in "pP" else 0)
    try:
        fraction = (match["fraction"] or "").ljust(6, "0")[:6]
        return time(hour, int(match["minute"]), int(match["second"] or 0), int(fraction))
    except ValueError:
        raise MappingError(f"no time of a day: {text!r}") from None


def _offset(zone: str | None) -> timezone | None:
    if zone is None:
        return None
    match = re.search(r"([+-])(\d{1,2}):?(\d\d)?", zone)
    if match is None:
        return UTC
    ahead = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    if ahead >= timedelta(days=1):
        raise MappingError(f"no zone: {zone!r}")
    return timezone(-ahead if match[1] == "-" else ahead)


def _days(meeting: Meeting) -> tuple[date, date]:
    """The first and the last day of a meeting, in its own zone."""
    last = meeting.ends - timedelta(microseconds=1)
    return meeting.starts.astimezone(meeting.zone).date(), last.astimezone(meeting.zone).date()
