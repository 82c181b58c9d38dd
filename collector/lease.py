"""Holding the collector's lease of an archive for as long as a run lasts."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from datetime import datetime, timedelta

from archive.store import Archive

SECONDS = 15.0  # that the lease outlives a holder who was killed


class Lease:
    """The one collector's place, taken when entered, given back when left. Raises ArchiveBusy."""

    def __init__(self, archive: Archive, what: str, clock: Callable[[], datetime]) -> None:
        self._archive = archive
        self._clock = clock
        self._holder = f"{what}, process {os.getpid()} on {socket.gethostname()}"
        self._renew_at: datetime | None = None

    def __enter__(self) -> Lease:
        self.keep()
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.release_lease(self._holder)

    def keep(self) -> None:
        """Renew the lease once a third of it has passed; call it a few times a second."""
        now = self._clock()
        if self._renew_at is None or now >= self._renew_at:
            self._archive.acquire_lease(self._holder, SECONDS)
            self._renew_at = now + timedelta(seconds=SECONDS / 3)
