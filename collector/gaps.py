"""What of a source was missed and is still to come back. Its users share a lock; it keeps none itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from collector.sources.base import Gap, Refilled

NEAR = timedelta(minutes=1)  # gaps so close to each other are refilled as one


@dataclass(slots=True)
class Gaps:
    """Gaps that wait for a refill, that a replay is bringing, and that are to be asked for again."""

    waiting: list[Gap] = field(default_factory=list)
    replaying: list[Gap] = field(default_factory=list)
    again: dict[Gap, tuple[datetime, Refilled]] = field(default_factory=dict)  # when, and what it brought
    under_way: bool = False

    @property
    def is_behind(self) -> bool:
        """Whether anything is still to come back; what is asked for once more was answered already."""
        return bool(self.waiting or self.under_way or self.replaying)

    def replay(self, gaps: Sequence[Gap], since: datetime | None) -> None:
        """The server goes on from ``since``, or from all that is missing where that is None."""
        asked, self.replaying = _divided(gaps, since)
        self.waiting += asked

    def replayed(self) -> list[Gap]:
        """Those that a replay has brought to the end."""
        brought, self.replaying = self.replaying, []
        return brought

    def cut_off(self, starts: datetime, ends: datetime) -> None:
        """A replay begins at ``ends`` only: what lies before it is left to a refill."""
        for gap in self.replayed() or [Gap(starts, ends)]:
            if gap.starts < ends:
                self.waiting.append(replace(gap, ends=min(gap.ends, ends)))
            if gap.ends > ends:
                self.replaying.append(replace(gap, starts=max(gap.starts, ends), first=False))

    def next(self, now: datetime) -> tuple[Gap, Refilled | None] | None:
        """What to ask for: a new gap, with those close behind it, else one that is due again.

        With it comes what an earlier pass brought. ``put_back`` or ``finish`` ends what it begins.
        """
        found: tuple[Gap, Refilled | None] | None = None
        if self.waiting:
            gap = self.waiting.pop(0)
            while not gap.first and self.waiting and self.waiting[0].starts - gap.ends < NEAR:
                gap = Gap(gap.starts, max(gap.ends, self.waiting.pop(0).ends))
            found = gap, None
        elif due := _first(gap for gap, (moment, _) in self.again.items() if moment <= now):
            found = due, self.again.pop(due)[1]
        self.under_way = found is not None and found[1] is None
        return found

    def put_back(self, gap: Gap, end: Refilled, moment: datetime) -> None:
        """To be asked for once more; newer gaps have their turn meanwhile."""
        self.again[gap] = moment, end
        self.under_way = False

    def finish(self) -> None:
        """What was asked for is done with."""
        self.under_way = False


def _first(gaps: Iterable[Gap]) -> Gap | None:
    return next(iter(gaps), None)


def _divided(gaps: Sequence[Gap], since: datetime | None) -> tuple[list[Gap], list[Gap]]:
    """What a replay that begins at ``since`` leaves out of the gaps, and what it brings.

    The last gap began after all that was heard, so a cursor, which is what was heard, covers it.
    """
    if since is None:
        return [], list(gaps)
    asked: list[Gap] = []
    replayed: list[Gap] = []
    for place, gap in enumerate(gaps):
        if gap.first and gap.starts < since:
            asked.append(replace(gap, ends=min(since, gap.ends)))
            if since < gap.ends:
                replayed.append(Gap(since, gap.ends))
        elif gap.ends <= since and place < len(gaps) - 1:
            asked.append(gap)
        else:
            replayed.append(gap)
    return asked, replayed
