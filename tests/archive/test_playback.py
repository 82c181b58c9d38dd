"""The playback row: written by the replay, steered by viewers, neither in the other's way."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.errors import ArchiveBusy, NotAnArchive, UsageError
from archive.playback import Playback, move, playback, set_paused, set_speed, write_playback
from archive.reading import open_readonly
from archive.store import Archive

START = datetime(2012, 3, 26, 15, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
STATE = Playback(START, START + timedelta(hours=2), START, 288.0, False, WALL)


def begin(archive: Archive, state: Playback = STATE) -> None:
    with archive.transaction() as conn:
        write_playback(conn, state)


def test_nothing_was_ever_replayed(archive: Archive) -> None:
    assert playback(archive.conn) is None


def test_a_state_is_read_back_as_written(archive: Archive) -> None:
    begin(archive)
    begin(archive, replace(STATE, paused=True, speed=1.5))
    with open_readonly(archive.path) as conn:
        assert playback(conn) == replace(STATE, paused=True, speed=1.5)


def test_viewers_and_replay_leave_each_other_alone(archive: Archive) -> None:
    begin(archive)
    set_paused(archive.path, True)
    set_speed(archive.path, 60)
    with archive.transaction() as conn:
        move(conn, START + timedelta(minutes=5), WALL + timedelta(seconds=1))
    assert playback(archive.conn) == replace(
        STATE,
        paused=True,
        speed=60.0,
        position=START + timedelta(minutes=5),
        seen_at=WALL + timedelta(seconds=1),
    )
    set_paused(archive.path, False)
    state = playback(archive.conn)
    assert state is not None and not state.paused and not state.finished


def test_it_is_finished_at_its_end() -> None:
    assert replace(STATE, position=STATE.ends).finished
    assert not replace(STATE, position=STATE.ends - timedelta(microseconds=1)).finished


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_impossible_speeds_are_refused(archive: Archive, speed: float) -> None:
    with pytest.raises(UsageError, match="cannot run at the speed"):
        set_speed(archive.path, speed)
    with pytest.raises(UsageError, match="above 0"):
        begin(archive, replace(STATE, speed=speed))


def test_wishes_need_an_archive(tmp_path: Path) -> None:
    with pytest.raises(NotAnArchive):
        set_paused(tmp_path / "none.db", True)
    (tmp_path / "words.db").write_text("no database at all, only words in a file")
    with pytest.raises(NotAnArchive):
        set_paused(tmp_path / "words.db", True)


def test_a_wish_waits_and_then_says_that_the_archive_is_busy(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(archive)
    monkeypatch.setattr("archive.playback._PATIENCE", 0.01)
    holder = sqlite3.connect(archive.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(ArchiveBusy):
        set_speed(archive.path, 2)
    holder.close()
