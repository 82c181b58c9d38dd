"""One measured figure, what it must and should be, and how all of them are shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and its bars. ``peer`` is what a user would pick instead, measured in the same run.

    ``ratio_must`` bounds ours / peer where more is better (peer / ours where less is): the only bar
    that holds on any machine, and the one that fails a run.
    """

    name: str
    ours: float
    unit: str
    must: float
    aim: float
    more_is_better: bool
    peer: float | None = None
    peer_name: str = ""
    ratio_must: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer."""
        if not self.peer or not self.ours:
            return None
        return self.ours / self.peer if self.more_is_better else self.peer / self.ours

    @property
    def failed(self) -> bool:
        return self.ratio_must is not None and (self.ratio or 0.0) < self.ratio_must

    @property
    def verdict(self) -> str:
        """Where the absolute figure stands on this machine."""
        reached = (lambda bar: self.ours >= bar) if self.more_is_better else (lambda bar: self.ours <= bar)
        return "aim" if reached(self.aim) else "must" if reached(self.must) else "below"


@contextmanager
def cpu_seconds() -> Iterator[Callable[[], float]]:
    """``with cpu_seconds() as spent: …; spent()``: CPU seconds of this process since the beginning."""
    start = time.process_time()
    yield lambda: time.process_time() - start


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: list[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| figure | ours | must | aim | reached | instead | its figure | times better | at least |",
        "| --- | ---: | ---: | ---: | --- | --- | ---: | ---: | ---: |",
    ]
    for f in figures:
        peer = "" if f.peer is None else _number(f.peer)
        ratio = "" if f.ratio is None else f"{f.ratio:.2f}"
        bar = "" if f.ratio_must is None else f"{f.ratio_must:.2f}"
        lines.append(
            f"| {f.name} | {_number(f.ours)} {f.unit} | {_number(f.must)} | {_number(f.aim)} | {f.verdict} "
            f"| {f.peer_name} | {peer} | {ratio} | {bar} |"
        )
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
