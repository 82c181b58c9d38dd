"""Where a replay stands, and what its viewers ask of it: the one row of the table ``playback``.

The replay moves ``position``; a viewer changes ``paused`` and ``speed``. Neither writes the other's
columns, so that both may write at any moment. A replay is over when ``position`` has reached ``ends``.
"""

from __future__ import annotations

import math
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive.errors import NotAnArchive, UsageError
from archive.reading import explained
from archive.times import from_text, to_text

_PATIENCE = 10.0  # seconds that a viewer's wish waits for the writer


@dataclass(frozen=True, slots=True)
class Playback:
    """A replay: ``position`` is the meeting's time that was true at ``seen_at`` on the wall clock.

    ``speed`` is seconds of the meeting per second.
    """

    starts: datetime
    ends: datetime
    position: datetime
    speed: float
    paused: bool
    seen_at: datetime

    @property
    def finished(self) -> bool:
        """Whether everything has been played."""
        return self.position >= self.ends


def playback(conn: sqlite3.Connection) -> Playback | None:
    """The replay of this archive; None where nothing was ever replayed into it."""
    row = conn.execute("SELECT starts, ends, position, speed, paused, seen_at FROM playback").fetchone()
    if row is None:
        return None
    starts, ends, position, speed, paused, seen_at = tuple(row)
    return Playback(
        starts=from_text(starts),
        ends=from_text(ends),
        position=from_text(position),
        speed=speed,
        paused=bool(paused),
        seen_at=from_text(seen_at),
    )


def write_playback(conn: sqlite3.Connection, state: Playback) -> None:
    """Begin a replay, or set all of its state; inside a transaction of the archive."""
    conn.execute(
        "INSERT OR REPLACE INTO playback VALUES (1, ?, ?, ?, ?, ?, ?)",
        (
            to_text(state.starts),
            to_text(state.ends),
            to_text(state.position),
            checked_speed(state.speed),
            int(state.paused),
            to_text(state.seen_at),
        ),
    )


def move(conn: sqlite3.Connection, position: datetime, seen_at: datetime) -> None:
    """The replay has come to ``position``; what viewers asked for stays."""
    conn.execute("UPDATE playback SET position = ?, seen_at = ?", (to_text(position), to_text(seen_at)))


def set_paused(path: Path, paused: bool) -> None:
    """Ask the replay that runs into this archive to wait, or to go on."""
    _ask(path, "UPDATE playback SET paused = ?", int(paused))


def set_speed(path: Path, speed: float) -> None:
    """Ask the replay for another speed. UsageError where it is no number above zero."""
    _ask(path, "UPDATE playback SET speed = ?", checked_speed(speed))


def checked_speed(speed: float) -> float:
    """The speed, if a replay can run at it. Raises UsageError."""
    if not math.isfinite(speed) or speed <= 0:
        raise UsageError(f"a replay cannot run at the speed {speed:g}: give a number above 0, such as 288")
    return speed


def _ask(path: Path, statement: str, value: float) -> None:
    if not path.is_file():
        raise NotAnArchive(f"{path}: there is no archive here")
    try:
        with closing(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)) as conn:
            conn.execute("BEGIN IMMEDIATE")
            conn.execute(statement, (value,))
            conn.execute("COMMIT")
    except sqlite3.Error as error:
        raise explained(error, path) from error
