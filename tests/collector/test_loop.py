"""The collector as a whole: real threads, a real archive, sources whose conversations are written down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive.errors import ArchiveError, DamagedArchive, LeaseTaken, UsageError
from archive.reading import open_readonly
from archive.store import Archive
from archive.vocabulary import Counts, Deleted, Meeting, Received, SourceSpec, Unmapped
from collector import loop
from collector.loop import Settings, collect
from collector.pace import Pace
from collector.sources.base import (
    Acknowledge,
    Connected,
    Gap,
    Heard,
    IfKnown,
    Lost,
    Reached,
    Refilled,
    Refused,
    Setup,
    Signal,
)

Receive = Callable[..., Received]
PATIENCE = 20.0  # seconds
QUICK = Pace(broken=(0.01, 0.05), unusable=(0.01, 0.05), limited=(0.05, 0.1), probe=0.05)


class Scripted:
    """A source whose one feed does what a function says; ``done`` is set when it has said everything."""

    CONNECTS = (10_000, 1.0)

    def __init__(
        self, kind: str, talk: Callable[[Scripted], Iterator[Signal]], past: Sequence[Signal] = ()
    ) -> None:
        self.KIND = self.label = kind
        self.talk = talk
        self.past = past
        self.notice: str | None = None
        self.done = threading.Event()
        self.closed = threading.Event()
        self.cursors: list[str | None] = []
        self.gaps: list[Gap] = []

    def open_feed(self, setup: Setup) -> Any:
        self.setup = setup
        return self

    def listen(self, cursor: str | None) -> Iterator[Signal]:
        self.cursors.append(cursor)
        yield from self.talk(self)

    def refill(self, gap: Gap) -> Iterator[Signal]:
        self.gaps.append(gap)
        yield from self.past
        yield Refilled("search")

    def check(self) -> Iterator[Any]:
        return iter(())

    def refresh(self, since: datetime) -> Iterator[Signal]:
        return iter(())

    def close(self) -> None:
        self.closed.set()

    def stay(self) -> Iterator[Signal]:
        """Say no more, until closed."""
        self.done.set()
        while not self.closed.wait(0.02):
            yield Heard()


@pytest.fixture
def run(archive: Archive, meeting: Meeting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Collect from scripted sources until all have said what they have to say; returns the counts."""
    said: list[tuple[str, str]] = []

    def go(*sources: Scripted, until: Callable[[], bool] | None = None, **more: Any) -> Counts:
        by_kind = {source.KIND: source for source in sources}
        monkeypatch.setattr(loop, "find", by_kind.__getitem__)
        specs = tuple(SourceSpec(kind=kind, name=kind, arm="public") for kind in by_kind)  # type: ignore[arg-type]
        settings = Settings(tmp_path, {}, pace=QUICK, report=go.report)  # type: ignore[attr-defined]
        stop = threading.Event()

        def watch() -> None:
            limit = time.monotonic() + PATIENCE
            for source in sources:
                source.done.wait(max(0.0, limit - time.monotonic()))
            while until is not None and not until() and time.monotonic() < limit:
                stop.wait(0.02)
            stop.set()

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            return collect(archive, replace(meeting, sources=specs), settings, stop=stop, **more)
        finally:
            for source in sources:
                source.done.set()
            watcher.join()

    go.said = said  # type: ignore[attr-defined]
    go.report = lambda *words: said.append(words)  # type: ignore[attr-defined]
    return go


def posts(archive: Archive) -> list[str]:
    return [row[0] for row in archive.conn.execute("SELECT platform_id FROM posts ORDER BY platform_id")]


def states(archive: Archive, name: str) -> list[str]:
    rows = archive.conn.execute("SELECT state FROM coverage WHERE name = ? ORDER BY started_at, id", (name,))
    return [row[0] for row in rows]


def test_all_sources_are_stored_with_how_far_they_were_read(
    run: Any, archive: Archive, receive: Receive
) -> None:
    def x(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield from (receive(number) for number in range(600))
        yield Reached("600")
        yield from self.stay()

    def mastodon(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield from (receive(number) for number in range(600, 620))
        yield from self.stay()

    first = Scripted("x", x, past=[receive(700)])
    counts = run(
        first,
        Scripted("mastodon", mastodon),
        until=lambda: "search" in backfilled(archive) and has_caught_up(archive),
    )
    assert counts.new == 621
    assert len(posts(archive)) == 621
    assert archive.resume("x", "x", datetime.now(UTC)).cursor == "600"
    assert states(archive, "x")[-2:] == ["listening", "stopped"]
    assert first.gaps[0].first
    again = Scripted("x", x)
    run(again)
    assert again.cursors == ["600"]
    assert not again.gaps or not again.gaps[0].first


def backfilled(archive: Archive) -> set[str]:
    with closing(open_readonly(archive.path)) as conn:
        return {row[0] for row in conn.execute("SELECT backfilled FROM coverage WHERE name = 'x'") if row[0]}


def has_caught_up(archive: Archive) -> bool:
    """Whether x said something since its past is complete: the ledger ends with the last sign of life."""
    with closing(open_readonly(archive.path)) as conn:
        return bool(
            conn.execute(
                "SELECT 1 FROM coverage c JOIN heartbeats h ON h.name = c.name WHERE c.name = 'x' "
                "AND c.state = 'listening' AND c.ended_at IS NULL AND h.heard_at > c.started_at"
            ).fetchone()
        )


def test_a_source_that_fails_in_every_way_harms_no_other(
    run: Any, archive: Archive, receive: Receive
) -> None:
    ways = iter([Lost("cut"), ZeroDivisionError("ours"), RecursionError(), MemoryError(), Refused("401")])

    def bad(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        error = next(ways, None)
        if error is None:
            yield from self.stay()
        else:
            raise error

    def good(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        for number in range(50):
            yield receive(number)
            self.closed.wait(0.005)
        yield from self.stay()

    run(Scripted("x", bad), Scripted("mastodon", good))
    assert len(posts(archive)) == 50
    causes = [row[0] for row in archive.conn.execute("SELECT cause FROM coverage WHERE name = 'x'")]
    assert {"cut", "401"} <= set(causes)
    assert any("ZeroDivisionError" in (cause or "") for cause in causes)


def test_what_matters_only_of_posts_we_hold(run: Any, archive: Archive, receive: Receive) -> None:
    held, other = receive(1).post.key, receive(2).post.key

    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield receive(1)
        yield IfKnown(held, receive(3, kind="repost", repost_of=held))
        yield IfKnown(other, receive(4, kind="repost", repost_of=other))
        yield IfKnown(receive(3).post.key, receive(5, kind="repost", repost_of=receive(3).post.key))
        yield IfKnown(other, Deleted(other, "x"))
        yield from self.stay()

    run(Scripted("x", talk))
    assert posts(archive) == [receive(number).post.platform_id for number in (1, 3, 5)]
    assert archive.conn.execute("SELECT count(*) FROM tombstones").fetchone()[0] == 0

    def later(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield IfKnown(held, Deleted(held, "x"))
        yield from self.stay()

    run(Scripted("x", later))
    assert posts(archive) == []


def test_a_delivery_is_acknowledged_only_when_it_is_stored(
    run: Any, archive: Archive, receive: Receive
) -> None:
    seen = []

    def count() -> None:
        conn = open_readonly(archive.path)
        seen.append(conn.execute("SELECT count(*) FROM posts").fetchone()[0])
        conn.close()

    def fail() -> None:
        raise RuntimeError("who was to be told is gone")

    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield receive(1)
        yield Acknowledge(fail)
        yield Acknowledge(count)
        yield from self.stay()

    run(Scripted("webhook", talk))
    assert seen == [1]


def test_a_full_disk_stops_acknowledging_and_loses_nothing(
    run: Any, archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, failures, acknowledged = archive.collect, [ArchiveError("the disk is full")] * 2, []

    def collect_or_fail(items: Any, marks: Any, **more: Any) -> Counts:
        if items and failures:
            raise failures.pop()
        return write(items, marks, **more)

    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield receive(1)
        yield Acknowledge(lambda: acknowledged.append(len(failures)))
        yield from self.stay()

    monkeypatch.setattr(loop, "RETRY", 0.02)
    monkeypatch.setattr(archive, "collect", collect_or_fail)
    run(Scripted("webhook", talk))
    assert acknowledged == [0]
    assert len(posts(archive)) == 1
    assert ("archive", "the disk is full") in run.said


def test_a_disk_that_stays_full_ends_the_run_with_an_error(
    run: Any, archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(items: Any, marks: Any, **more: Any) -> Counts:
        raise ArchiveError("the disk is full")

    def talk(self: Scripted) -> Iterator[Signal]:
        yield receive(1)
        yield from self.stay()

    monkeypatch.setattr(loop, "RETRY", 0.02)
    monkeypatch.setattr(loop, "STOPPING", 0.1)
    monkeypatch.setattr(archive, "collect", fail)
    with pytest.raises(ArchiveError, match="disk is full"):
        run(Scripted("x", talk))


@pytest.mark.parametrize("seconds", [None, 0.5])
def test_a_full_disk_does_not_keep_a_run_from_ending(
    seconds: float | None, run: Any, archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[float] = []

    def fail(items: Any, marks: Any, **more: Any) -> Counts:
        begun.append(time.monotonic())
        raise ArchiveError("the disk is full")

    def talk(self: Scripted) -> Iterator[Signal]:
        yield receive(1)
        while not begun:
            yield Heard()
        if seconds is not None:
            self.closed.wait(60)
        yield from self.stay()

    monkeypatch.setattr(archive, "collect", fail)
    with pytest.raises(ArchiveError, match="disk is full"):
        run(Scripted("x", talk), seconds=seconds)
    assert time.monotonic() - begun[0] < 10


def test_a_damaged_archive_ends_the_run_at_once(
    run: Any, archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(items: Any, marks: Any, **more: Any) -> Counts:
        raise DamagedArchive("malformed")

    def talk(self: Scripted) -> Iterator[Signal]:
        yield receive(1)
        yield from self.stay()

    monkeypatch.setattr(archive, "collect", fail)
    with pytest.raises(DamagedArchive):
        run(Scripted("x", talk))


def test_an_item_that_cannot_be_stored_goes_to_quarantine_and_spares_its_neighbours(
    run: Any, archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, poison = archive.collect, receive(13).post.key

    def collect_or_fail(items: Any, marks: Any, **more: Any) -> Counts:
        if any(isinstance(item, Received) and item.post.key == poison for item in items):
            raise OverflowError("too large")
        return write(items, marks, **more)

    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield from (receive(number) for number in range(30))
        yield from self.stay()

    monkeypatch.setattr(archive, "collect", collect_or_fail)
    run(Scripted("x", talk))
    assert len(posts(archive)) == 29
    reason, payload = archive.conn.execute("SELECT reason, payload FROM quarantine").fetchone()
    assert "OverflowError" in reason
    assert payload == receive(13).raw


def test_it_stops_in_time_although_a_server_holds_on(run: Any, archive: Archive, receive: Receive) -> None:
    release = threading.Event()

    def stubborn(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield receive(1)
        self.done.set()
        release.wait(60)

    def busy(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        self.done.set()
        for number in range(10_000, 1_000_000):
            yield receive(number)

    began = time.monotonic()
    try:
        counts = run(Scripted("x", stubborn), Scripted("mastodon", busy))
        assert time.monotonic() - began < PATIENCE  # by themselves they would go on for minutes
        assert len(posts(archive)) == counts.new
    finally:
        release.set()


def test_it_ends_after_the_seconds_asked_for_and_listens_to_the_source_named(
    run: Any, archive: Archive, receive: Receive
) -> None:
    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield receive(1 if self.KIND == "x" else 2)
        while not self.closed.wait(0.02):
            yield Heard()

    began = time.monotonic()
    run(Scripted("x", talk), Scripted("mastodon", talk), seconds=1.0, only="mastodon")
    assert 1.0 <= time.monotonic() - began < PATIENCE - 5  # when it would have been stopped
    assert posts(archive) == [receive(2).post.platform_id]
    assert states(archive, "x") == []


def test_what_cannot_be_collected_is_said(archive: Archive, meeting: Meeting, tmp_path: Path) -> None:
    settings = Settings(tmp_path, {})
    with pytest.raises(UsageError, match=r"no \[\[sources\]\]"):
        collect(archive, meeting, settings, stop=threading.Event())
    spec = SourceSpec(kind="x", name="mine", arm="public")
    with pytest.raises(UsageError, match="there are mine"):
        collect(archive, replace(meeting, sources=(spec,)), settings, stop=threading.Event(), only="yours")


def test_there_is_one_collector(run: Any, archive: Archive) -> None:
    archive.acquire_lease("process 1 on another machine", 60)
    with pytest.raises(LeaseTaken, match="another machine"):
        run(Scripted("x", Scripted.stay))


def test_a_lease_taken_over_by_another_ends_the_run(run: Any, archive: Archive) -> None:
    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        with Archive.open(archive.path) as other:
            other.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
            other.acquire_lease("another", 7200)
        while not self.closed.wait(0.02):
            yield Heard()

    class Impatient(loop.Lease):
        def keep(self) -> None:
            self._renew_at = None
            super().keep()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "Lease", Impatient)
        with pytest.raises(LeaseTaken):
            run(Scripted("x", talk))


def test_nothing_is_written_after_what_could_not_be(
    run: Any, archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a cursor, or a sign of life, would vouch for posts that are lost."""
    write, failures = archive.collect, [SystemExit(130)]

    def collect_or_fail(items: Any, marks: Any, **more: Any) -> Counts:
        if items and failures:
            raise failures.pop()
        return write(items, marks, **more)

    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield receive(1)
        while failures:
            self.closed.wait(0.01)
        yield receive(2)
        yield Reached("2")
        yield from self.stay()

    monkeypatch.setattr(archive, "collect", collect_or_fail)
    with pytest.raises(SystemExit):
        run(Scripted("x", talk))
    assert posts(archive) == []
    assert archive.resume("x", "x", datetime.now(UTC)).cursor is None


def test_a_server_that_holds_on_has_stopped_all_the_same(
    run: Any, archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def stubborn(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield receive(1)
        self.done.set()
        release.wait(60)

    monkeypatch.setattr(loop, "STOPPING", 0.1)
    try:
        run(Scripted("x", stubborn))
    finally:
        release.set()
    assert states(archive, "x")[-1] == "stopped"


def test_one_whose_place_was_taken_keeps_its_posts_and_leaves_the_ledger_alone(
    run: Any, archive: Archive, receive: Receive
) -> None:
    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        with Archive.open(archive.path) as other:
            other.release_lease(other.lease_holder() or "")
            other.acquire_lease("another", 60)
            other.turn("x", "x", "listening", datetime.now(UTC))
        yield receive(1)
        yield Reached("1")
        while not self.closed.wait(0.02):
            yield Heard()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collector.lease.SECONDS", 0.3)
        with pytest.raises(LeaseTaken):
            run(Scripted("x", talk))
    assert posts(archive) == [receive(1).post.platform_id]
    assert states(archive, "x")[-1] == "listening"
    assert archive.lease_holder() == "another"


def test_what_cannot_be_stored_is_kept_as_it_came_but_not_of_those_who_opted_out(
    run: Any, archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = archive.collect
    poison = receive(13)
    garbage = Unmapped("garbage", "as it came", "there", accounts=("x:\ud800",))

    def collect_or_fail(items: Any, marks: Any, **more: Any) -> Counts:
        if any(item is garbage or (isinstance(item, Received) and item.raw == poison.raw) for item in items):
            raise OverflowError("too large")
        return write(items, marks, **more)

    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        yield garbage
        yield poison
        yield from self.stay()

    archive.opt_out(poison.post.author.key)
    monkeypatch.setattr(archive, "collect", collect_or_fail)
    run(Scripted("x", talk))
    kept = archive.conn.execute("SELECT payload FROM quarantine").fetchall()
    assert kept == [("as it came",)]


def test_a_log_that_cannot_be_written_ends_nothing(
    run: Any, archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(name: str, text: str) -> None:
        raise OSError(28, "No space left on device")

    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        if len(self.cursors) == 1:
            raise Lost("cut")
        yield receive(1)
        yield from self.stay()

    run.report = full
    run(Scripted("x", talk))
    assert len(posts(archive)) == 1


def test_a_deletion_that_overtakes_its_post_is_honoured(
    run: Any, archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deletion comes by the stream, of a post that a search has found but that is not stored yet."""

    def talk(self: Scripted) -> Iterator[Signal]:
        yield Connected()
        for number in (1, 2, 3):
            key = receive(number).post.key
            yield IfKnown(key, Deleted(key, "x"))
        self.closed.wait(0.2)
        yield from (receive(number) for number in (1, 2, 3, 4))
        yield from self.stay()

    monkeypatch.setattr(loop, "OVERTAKING", 2)
    run(Scripted("x", talk))
    assert posts(archive) == [receive(number).post.platform_id for number in (1, 4)], "so many are remembered"
