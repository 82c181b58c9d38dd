"""The spool: whatever goes in comes out by time, equal times as they came, through files on disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.spool import Spool

START = datetime(2012, 3, 26, tzinfo=UTC)


@given(st.lists(st.integers(0, 20), max_size=40), st.integers(1, 7))
def test_things_come_out_by_time_and_then_as_they_came(minutes: list[int], run: int) -> None:
    with Spool[int](run) as spool:
        for number, minute in enumerate(minutes):
            spool.add(START + timedelta(minutes=minute), number)
        expected = [number for number, _ in sorted(enumerate(minutes), key=lambda entry: entry[1])]
        assert len(spool) == len(minutes)
        assert [thing for _, thing in spool] == expected
        assert [thing for _, thing in spool] == expected, "it can be read twice"
        assert spool.first == (START + timedelta(minutes=min(minutes)) if minutes else None)
        assert spool.last == (START + timedelta(minutes=max(minutes)) if minutes else None)


def test_the_files_are_closed_with_it() -> None:
    with Spool[str](1) as spool:
        spool.add(START, "a")
        (file,) = spool._files
    assert file.closed
