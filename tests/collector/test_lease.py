"""The lease: taken, renewed in good time, given back; a second collector is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.errors import ArchiveBusy
from archive.store import Archive
from archive.vocabulary import Meeting
from collector.lease import SECONDS, Lease


class Wall:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_a_lease_lasts_as_long_as_it_is_kept(tmp_path: Path, meeting: Meeting) -> None:
    wall = Wall()
    with Archive.open(tmp_path / "a.db", meeting, clock=wall) as archive:
        with Lease(archive, "one", wall) as lease:
            for _ in range(100):
                wall.now += timedelta(seconds=1)
                lease.keep()
            with pytest.raises(ArchiveBusy, match="one, process"), Lease(archive, "two", wall):
                pass
        with Lease(archive, "two", wall):
            pass


def test_a_dead_holder_is_outlived(tmp_path: Path, meeting: Meeting) -> None:
    wall = Wall()
    with Archive.open(tmp_path / "a.db", meeting, clock=wall) as archive:
        Lease(archive, "killed", wall).keep()
        wall.now += timedelta(seconds=SECONDS + 1)
        with Lease(archive, "next", wall):
            pass
