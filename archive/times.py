"""Times as the archive writes them: UTC text of one fixed width, so that they sort as text."""

from __future__ import annotations

from datetime import UTC, datetime

MINUTE = 16  # length of YYYY-MM-DDTHH:MM
HOUR = 13
DAY = 10


def utc_now() -> datetime:
    """The wall clock, aware and in UTC. Everything that waits or stamps takes it as an argument."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ`` of an aware time; a naive one is a programming error."""
    if moment.tzinfo is not UTC:
        if moment.tzinfo is None:
            raise ValueError("a time without a zone reached the archive")
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:26] + "Z"


def from_text(text: str) -> datetime:
    """The aware UTC time behind a text of the archive."""
    return datetime.fromisoformat(text)


def short(text: str) -> str:
    """A time of the archive as JSON and exports show it: no fraction where it is zero."""
    head, _, fraction = text.rstrip("Z").partition(".")
    fraction = fraction.rstrip("0")
    return f"{head}.{fraction}Z" if fraction else f"{head}Z"
