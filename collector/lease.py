"""Holding the collector's lease of an archive for as long as a run lasts."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from datetime import datetime, timedelta

from archive.errors import LeaseTaken
from archive.store import Archive

SECONDS = 15.0  # that the lease outlives a holder who was killed

_HOLDER = re.compile(r"process (\d+) on (.+)")


class Lease:
    """The one collector's place, taken when entered, given back when left. Raises LeaseTaken.

    That of a process of this machine which is no more is taken over at once.
    """

    def __init__(self, archive: Archive, what: str, clock: Callable[[], datetime]) -> None:
        self._archive = archive
        self._clock = clock
        self.holder = f"{what}, process {os.getpid()} on {socket.gethostname()}"
        self._renew_at: datetime | None = None

    def __enter__(self) -> Lease:
        try:
            self.keep()
        except LeaseTaken:
            holder = self._archive.lease_holder()
            if holder is None or not _is_dead(holder):
                raise
            self._archive.release_lease(holder)
            self.keep()
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.release_lease(self.holder)

    def keep(self) -> None:
        """Renew the lease once a third of it has passed; call it a few times a second."""
        now = self._clock()
        if self._renew_at is None or now >= self._renew_at:
            self._archive.acquire_lease(self.holder, SECONDS)
            self._renew_at = now + timedelta(seconds=SECONDS / 3)


def _is_dead(holder: str) -> bool:
    """Whether a holder was a process of this machine that has ended."""
    match = _HOLDER.search(holder)
    if match is None or match[2] != socket.gethostname():
        return False
    try:
        os.kill(int(match[1]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False
