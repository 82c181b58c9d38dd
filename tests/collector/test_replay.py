"""The replay on a fake clock: order, speed, pause, start, jumps, edits, kills, the same archive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from archive.canonical import canonical
from archive.errors import ArchiveBusy, InputError, UsageError
from archive.meeting import load
from archive.playback import playback, set_paused, set_speed
from archive.store import Archive
from archive.times import from_text
from archive.vocabulary import Counts, Meeting, Span
from collector import timeline
from collector.importing import import_file
from collector.replay import replay
from data import sample

START = datetime(2012, 3, 26, 15, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)
DID = "did:plc:el12fictional"


@dataclass
class Wall:
    """A wall clock that moves only when somebody waits; ``then`` runs after each wait."""

    now: datetime = WALL
    waits: int = 0
    then: Callable[[float], object] = field(default=lambda _: None)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        assert 0 < seconds <= 0.1
        self.now += timedelta(seconds=seconds)
        self.waits += 1
        self.then(self.passed)

    @property
    def passed(self) -> float:
        return (self.now - WALL).total_seconds()


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def archive(tmp_path: Path, meeting: Meeting, wall: Wall) -> Iterator[Archive]:
    with Archive.open(tmp_path / "replayed.db", meeting, clock=wall) as opened:
        yield opened


def chat(folder: Path, *minutes: float, name: str = "chat.txt") -> Path:
    """A chat with a message at each of these minutes after nine o'clock, not in their order."""
    path = folder / name
    lines = []
    for minute in minutes:
        at = START - timedelta(hours=6) + timedelta(minutes=minute)
        lines.append(f"{at:%Y-%m-%d %H:%M:%S} From Ana Perez to Everyone:\n\tMinute {minute:g}\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


def stream(folder: Path, *events: tuple[float, str, str, str | None]) -> Path:
    """Jetstream events: (minute seen, operation, record key, text); written one minute earlier if created."""
    path = folder / "jetstream.jsonl"
    lines = []
    for minute, operation, rkey, text in events:
        seen = START + timedelta(minutes=minute)
        commit: dict[str, object] = {
            "operation": operation,
            "collection": "app.bsky.feed.post",
            "rkey": rkey,
        }
        if text is not None:
            commit["record"] = {"text": text, "createdAt": f"{START:%Y-%m-%dT%H:%M:%SZ}", "langs": ["en"]}
        time_us = int(seen.timestamp() * 1_000_000)
        lines.append(json.dumps({"did": DID, "time_us": time_us, "kind": "commit", "commit": commit}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def texts(archive: Archive) -> list[str]:
    return [row[0] for row in archive.conn.execute("SELECT text FROM posts ORDER BY id")]


def play(archive: Archive, wall: Wall, meeting: Meeting, *paths: Path, **options: object) -> Counts:
    return replay(
        archive,
        meeting,
        paths,
        **{"speed": 60.0, "clock": wall, "wait": wall.wait, **options},  # type: ignore[arg-type]
    )


def test_posts_come_in_order_and_in_time(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    seen: dict[str, float] = {}

    def look(passed: float) -> None:
        for text in texts(archive):
            seen.setdefault(text, passed)

    wall.then = look
    counts = play(archive, wall, meeting, chat(tmp_path, 12, 0, 4, 9), speed=60.0)
    look(wall.passed)
    assert list(seen) == ["Minute 0", "Minute 4", "Minute 9", "Minute 12"]
    for text, passed in seen.items():
        due = float(text.split()[1])
        assert due <= passed <= due + 0.21, "committed within two ticks"
    assert counts.new == 4


def test_at_speed_one_a_post_is_a_tenth_of_a_second_late_at_most(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    seen: dict[str, float] = {}

    def look(passed: float) -> None:
        for text in texts(archive):
            seen.setdefault(text, passed)

    path = chat(tmp_path, 0, 0.05, 0.15, 0.25)
    real_write = archive.write

    def write(items: object) -> Counts:
        counts = real_write(items)  # type: ignore[arg-type]
        look(wall.passed)
        return counts

    archive.write = write  # type: ignore[method-assign, assignment]
    play(archive, wall, meeting, path, speed=1.0)
    assert [round(passed, 3) for passed in seen.values()] == pytest.approx([0, 3, 9, 15], abs=0.1)


def test_received_at_is_the_replays_clock_and_created_at_stays(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    path = stream(
        tmp_path, (1, "create", "3aaaaaaaaaaaa", "on time"), (27, "create", "3bbbbbbbbbbbb", "late")
    )
    play(archive, wall, meeting, path)
    rows = archive.conn.execute("SELECT text, created_at, received_at FROM posts ORDER BY id").fetchall()
    assert [(text, from_text(received) - from_text(created)) for text, created, received in rows] == [
        ("on time", timedelta(minutes=1)),
        ("late", timedelta(minutes=27)),
    ]


def test_before_the_start_everything_is_backlog(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    at_first: list[list[str]] = []
    wall.then = lambda _: at_first.append(texts(archive))
    start = START + timedelta(minutes=10)
    play(archive, wall, meeting, chat(tmp_path, 1, 5, 10, 12), start=start, speed=60.0)
    assert at_first[0] == ["Minute 1", "Minute 5", "Minute 10"]
    assert wall.passed == pytest.approx(2, abs=0.2)


def test_a_viewer_pauses_and_goes_on(archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path) -> None:
    during_pause: list[int] = []

    def steer(passed: float) -> None:
        if 2 <= passed < 10:
            set_paused(archive.path, True)
            if passed > 3:
                during_pause.append(len(texts(archive)))
        elif 10 <= passed < 10.5:
            set_paused(archive.path, False)

    wall.then = steer
    play(archive, wall, meeting, chat(tmp_path, 0, 1, 4), speed=60.0)
    assert set(during_pause) == {2}
    assert wall.passed == pytest.approx(12, abs=0.5)


def test_a_viewer_changes_the_speed(archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path) -> None:
    wall.then = lambda passed: set_speed(archive.path, 600) if passed >= 5 else None
    play(archive, wall, meeting, chat(tmp_path, 0, 25), speed=60.0)
    assert wall.passed == pytest.approx(5 + 2, abs=0.5)
    state = playback(archive.conn)
    assert state is not None and state.speed == 600


def test_quiet_hours_are_jumped_over_but_no_session(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    # Nothing from minute 5 to 230 of a meeting of 240 minutes is sat through; the ten hours after are not.
    play(archive, wall, meeting, chat(tmp_path, 5, 230, 840), speed=6_000.0)
    assert wall.passed == pytest.approx(225 / 100 + 10 / 100, abs=0.4)


def test_nothing_is_jumped_over_when_asked(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    play(archive, wall, meeting, chat(tmp_path, 5, 840), speed=6_000.0, quiet=None)
    assert wall.passed == pytest.approx(835 / 100, abs=0.2)


def test_a_jump_goes_to_the_next_session_at_most(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    play(archive, wall, meeting, chat(tmp_path, -300, 60), speed=6_000.0)
    assert wall.passed == pytest.approx(60 / 100, abs=0.2)


def test_edits_and_deletions_come_at_their_time(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    shown: list[list[str]] = []

    def look(_: float) -> None:
        if not shown or shown[-1] != texts(archive):
            shown.append(texts(archive))

    wall.then = look
    path = stream(
        tmp_path,
        (1, "create", "3aaaaaaaaaaaa", "first words"),
        (4, "update", "3aaaaaaaaaaaa", "better words"),
        (6, "delete", "3bbbbbbbbbbbb", None),
        (7, "create", "3bbbbbbbbbbbb", "never seen"),
        (9, "delete", "3aaaaaaaaaaaa", None),
        (12, "create", "3cccccccccccc", "last"),
    )
    play(archive, wall, meeting, path)
    look(0)
    assert shown == [["first words"], ["better words"], [], ["last"]]


def span(name: str, state: str, starts: float, ends: float, **more: object) -> dict[str, object]:
    return {
        "name": name,
        "source": "zoom",
        "state": state,
        "started_at": (START + timedelta(minutes=starts)).isoformat(),
        "ended_at": (START + timedelta(minutes=ends)).isoformat(),
        **more,
    }


def test_the_ledger_follows_and_only_listening_sources_give_signs_of_life(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    ledger = tmp_path / timeline.COVERAGE
    rows = [
        span("zoom", "listening", 0, 10),
        span("zoom", "deaf", 10, 20, cause="cable", missing_estimate=3),
        span("zoom", "listening", 20, 30),
    ]
    ledger.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    in_gap: list[tuple[str, str | None]] = []

    def look(passed: float) -> None:
        if 12 < passed < 19:
            state = archive.conn.execute("SELECT state, ended_at FROM coverage ORDER BY id DESC").fetchone()
            in_gap.append(tuple(state))
            heard = archive.conn.execute("SELECT heard_at FROM heartbeats").fetchone()[0]
            assert from_text(heard) <= START + timedelta(minutes=10)

    wall.then = look
    play(archive, wall, meeting, chat(tmp_path, 0, 5, 25), ledger)
    assert set(in_gap) == {("deaf", None)}
    stored = archive.conn.execute(
        "SELECT state, ended_at, cause, missing_estimate FROM coverage ORDER BY started_at"
    ).fetchall()
    assert [(row[0], from_text(row[1]), *row[2:]) for row in map(tuple, stored)] == [
        ("listening", START + timedelta(minutes=10), None, None),
        ("deaf", START + timedelta(minutes=20), "cable", 3),
        ("listening", START + timedelta(minutes=30), None, None),
    ]
    heard_at = archive.conn.execute("SELECT heard_at FROM heartbeats").fetchone()[0]
    assert from_text(heard_at) > START + timedelta(minutes=29)


def test_a_finished_replay_says_so_and_is_not_played_again(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    told: list[datetime] = []
    path = chat(tmp_path, 0, 3)
    play(archive, wall, meeting, path, progress=lambda position, counts: told.append(position))
    state = playback(archive.conn)
    assert state is not None and state.finished and not state.paused
    assert told == sorted(told) and told[-1] < state.ends
    assert play(archive, wall, meeting, path) == Counts()


def test_a_stopped_replay_stands_still_and_goes_on_later(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    path = chat(tmp_path, *range(10))
    first = play(archive, wall, meeting, path, stop=lambda: wall.passed >= 4.5)
    state = playback(archive.conn)
    assert state is not None and state.paused and not state.finished
    assert texts(archive) == [f"Minute {minute}" for minute in range(5)]
    second = play(archive, wall, meeting, path)
    assert texts(archive) == [f"Minute {minute}" for minute in range(10)]
    assert (first.new, second.new, second.duplicate) == (5, 5, 0)
    assert wall.passed == pytest.approx(9, abs=0.6)


class Killed(Exception):
    """Stands for SIGKILL: nothing after it is done."""


def test_a_killed_replay_goes_on_where_it_was(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    path = chat(tmp_path, *range(10))

    def kill(passed: float) -> None:
        if passed > 6.2:
            raise Killed

    wall.then = kill
    with pytest.raises(Killed):
        play(archive, wall, meeting, path)
    wall.then = lambda _: None
    play(archive, wall, meeting, path, start=START)
    assert texts(archive) == [f"Minute {minute}" for minute in range(10)]
    assert wall.passed == pytest.approx(9, abs=0.5)


def test_stopped_in_its_backlog_it_loses_nothing(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.replay.BATCH", 2)
    path = chat(tmp_path, 0, 1, 1, 1, 2, 3)
    start = START + timedelta(minutes=3)
    play(archive, wall, meeting, path, start=start, stop=lambda: len(texts(archive)) >= 2)
    assert 2 <= len(texts(archive)) < 6
    play(archive, wall, meeting, path, start=start)
    assert len(texts(archive)) == 6


def test_other_files_begin_anew(archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path) -> None:
    play(archive, wall, meeting, chat(tmp_path, 0, 3))
    play(archive, wall, meeting, chat(tmp_path, 1, 2, name="other.txt"))
    assert texts(archive) == ["Minute 0", "Minute 3", "Minute 1", "Minute 2"]


def test_many_posts_of_one_moment_are_all_written(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.replay.BATCH", 3)
    path = chat(tmp_path, 0, *[5.0] * 10)
    play(archive, wall, meeting, path, start=START + timedelta(minutes=1))
    assert len(texts(archive)) == 11


def test_it_ends_in_the_same_archive_as_an_import(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    paths = [
        chat(tmp_path, 3, 0, 7),
        stream(
            tmp_path,
            (1, "create", "3aaaaaaaaaaaa", "first words"),
            (2, "create", "3bbbbbbbbbbbb", "stays"),
            (4, "update", "3bbbbbbbbbbbb", "stays, but better"),
            (9, "delete", "3aaaaaaaaaaaa", None),
        ),
    ]
    play(archive, wall, meeting, *paths)
    with Archive.open(tmp_path / "imported.db", meeting) as imported:
        for path in paths:
            import_file(imported, meeting, path)
        for source in ("zoom", "bluesky"):
            imported.write(_listened(archive, source))
    assert list(canonical(archive.path)) == list(canonical(tmp_path / "imported.db"))


def _listened(archive: Archive, source: str) -> list[Span]:
    """The replay's own entry in the ledger, which an import has not."""
    starts, ends = archive.conn.execute(
        "SELECT started_at, ended_at FROM coverage WHERE name = ?", (source,)
    ).fetchone()
    return [
        Span(
            name=source,
            source=source,
            state="listening",
            started_at=from_text(starts),
            ended_at=from_text(ends),
            cause="replay",
        )
    ]


def test_nothing_to_play(archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path) -> None:
    empty = tmp_path / timeline.COVERAGE
    empty.write_text("", encoding="utf-8")
    assert play(archive, wall, meeting, empty) == Counts()
    assert playback(archive.conn) is None


def test_what_cannot_be_played_is_said(
    archive: Archive, wall: Wall, meeting: Meeting, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="speed"):
        play(archive, wall, meeting, chat(tmp_path, 0), speed=0.0)
    strange = tmp_path / "strange.txt"
    strange.write_text("nothing that anybody knows", encoding="utf-8")
    with pytest.raises(InputError):
        play(archive, wall, meeting, strange)
    archive.acquire_lease("somebody else", 60)
    with pytest.raises(ArchiveBusy, match="somebody else"):
        play(archive, wall, meeting, chat(tmp_path, 0))


def test_the_sample_replayed_is_the_sample_imported(tmp_path: Path) -> None:
    meeting, wall = load(sample.MEETING), Wall()
    with Archive.open(tmp_path / "replayed.db", meeting, clock=wall) as replayed:
        play(replayed, wall, meeting, *sample.post_files(), sample.COVERAGE, speed=86_400.0)
    with Archive.open(tmp_path / "imported.db", meeting) as imported:
        for path in sample.post_files():
            import_file(imported, meeting, path, date=date(2012, 3, 27))
        imported.write(timeline.spans(sample.COVERAGE))
    assert list(canonical(tmp_path / "replayed.db")) == list(canonical(tmp_path / "imported.db"))
