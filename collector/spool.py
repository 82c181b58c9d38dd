"""Any number of things put into order by time, in little memory: sorted runs in unnamed files, merged."""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import IO, Generic, TypeVar

T = TypeVar("T")
RUN = 10_000  # things held in memory at once


class Spool(Generic[T]):
    """Takes things in any order; iterating gives them by time, equal times as they came.

    The files have no name and vanish with the process, so that nothing of what people wrote stays behind.
    """

    def __init__(self, run: int = RUN) -> None:
        self._run = run
        self._pending: list[tuple[datetime, int, T]] = []
        self._files: list[IO[bytes]] = []
        self._count = 0
        self.first: datetime | None = None
        self.last: datetime | None = None

    def __enter__(self) -> Spool[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()

    def __len__(self) -> int:
        return self._count

    def add(self, at: datetime, thing: T) -> None:
        """Put something in at its time."""
        self._pending.append((at, self._count, thing))
        self._count += 1
        self.first = at if self.first is None else min(self.first, at)
        self.last = at if self.last is None else max(self.last, at)
        if len(self._pending) >= self._run:
            self._write_run()

    def __iter__(self) -> Iterator[tuple[datetime, T]]:
        runs: list[Iterator[tuple[datetime, int, T]]] = [_read(file) for file in self._files]
        self._pending.sort(key=_order)
        for at, _, thing in heapq.merge(*runs, self._pending, key=_order):
            yield at, thing

    def _write_run(self) -> None:
        self._pending.sort(key=_order)
        file = tempfile.TemporaryFile(buffering=1 << 16)  # noqa: SIM115, closed with the spool
        for entry in self._pending:
            pickle.dump(entry, file, pickle.HIGHEST_PROTOCOL)
        self._files.append(file)
        self._pending = []


def _read(file: IO[bytes]) -> Iterator[tuple[datetime, int, T]]:
    file.seek(0)
    while True:
        try:
            yield pickle.load(file)
        except EOFError:
            return


def _order(entry: tuple[datetime, int, object]) -> tuple[datetime, int]:
    return entry[:2]
