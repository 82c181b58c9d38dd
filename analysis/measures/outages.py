"""The gaps of a source as a person counts them: one outage may be many rows of the ledger.

A connection breaks, then the server says 502, then that there were too many requests: three rows, with a
state and a cause each, and one time without listening.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from archive.times import from_text

NEWEST = 20
#: Between two attempts the ledger may say nothing for a moment: it is one outage all the same.
ONE_OUTAGE = timedelta(seconds=5)


def outages_of(gaps: Sequence[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """The gaps of one source as a person counts them: rows of the ledger that follow one another are one.

    ``total`` of those that are over; of them ``pending`` (nobody refilled them yet), ``refilled`` (wholly),
    ``unknown`` (refilled in part or not at all, and nobody can say how many posts are lost) and ``missing``,
    the posts thought lost in the others. ``newest`` are the latest, also the one that lasts, newest first.
    """
    found: list[Outage] = []
    for gap in gaps:
        if not (found and found[-1].goes_on(gap)):
            found.append(Outage(gap["from"]))
        found[-1].add(gap)
    over = found if not found or found[-1].is_over(now) else found[:-1]  # only the last one can go on
    settled = [outage for outage in over if not outage.pending]
    return {
        "total": len(over),
        "pending": len(over) - len(settled),
        "refilled": sum(outage.whole for outage in settled),
        "unknown": sum(outage.missing is None for outage in settled),
        "missing": sum(outage.missing or 0 for outage in settled),
        "newest": [outage.as_json(now) for outage in found[: -NEWEST - 1 : -1]],
    }


@dataclass(slots=True)
class Outage:
    """Gaps that follow one another; ``ends`` is None while they last."""

    starts: str
    ends: str | None = None
    causes: dict[str, None] = field(default_factory=dict)
    refills: dict[tuple[str | None, int | None], None] = field(default_factory=dict)

    def goes_on(self, gap: dict[str, Any]) -> bool:
        """Whether the gap follows this outage at once."""
        if self.ends is None or self.ends == gap["from"]:
            return True
        return from_text(gap["from"]) - from_text(self.ends) <= ONE_OUTAGE

    def add(self, gap: dict[str, Any]) -> None:
        """The outage lasts until the end of this gap."""
        self.ends = gap["to"]
        if gap["cause"]:
            self.causes[gap["cause"]] = None
        # One refill of several rows writes the same into each of them: it counts once.
        self.refills[gap["backfilled"], gap["missing_estimate"]] = None

    def is_over(self, now: datetime) -> bool:
        """Whether it has ended; a wait ends in the future."""
        return self.ends is not None and from_text(self.ends) <= now

    @property
    def pending(self) -> bool:
        """Whether a part of it was not refilled yet."""
        return any(by is None for by, _ in self.refills)

    @property
    def missing(self) -> int | None:
        """The posts thought lost, None where a part of it leaves that unknown."""
        known = [missing for _, missing in self.refills if missing is not None]
        return sum(known) if len(known) == len(self.refills) else None

    @property
    def whole(self) -> bool:
        """Whether it was refilled and nothing of it is lost."""
        return self.missing == 0 and not any(by is None or "; " in by for by, _ in self.refills)

    def as_json(self, now: datetime) -> dict[str, Any]:
        """``from``, ``to`` (None while it lasts), ``causes``, ``refilled`` by what and ``missing``."""
        return {
            "from": self.starts,
            "to": self.ends if self.is_over(now) else None,
            "causes": list(self.causes),
            "refilled": list(dict.fromkeys(by for by, _ in self.refills if by is not None)),
            "pending": self.pending,
            "missing": self.missing,
        }
