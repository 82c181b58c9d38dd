"""One source against a scripted feed, on a clock of its own: what the ledger says of every second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.collecting import Mark, Recovered, Standing, Turn, write_marks
from archive.coverage import LISTENING
from archive.store import Archive
from archive.vocabulary import Meeting, Received
from collector.inbox import Inbox
from collector.pace import Budget, Pace
from collector.runner import BEFORE, Runner
from collector.sources.base import (
    Acknowledge,
    CaughtUp,
    Connected,
    Exhausted,
    Gap,
    Heard,
    Limited,
    Lost,
    Missed,
    Reached,
    Refilled,
    Refused,
    Signal,
    Spent,
    Unavailable,
)
from tests.conftest import START

Step = Signal | Exception | float | Callable[[], None]
Row = tuple[str, float, float | None, str | None, str | None]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@dataclass
class Script:
    """A feed whose conversations are lists of signals, errors and seconds that pass."""

    world: World
    talks: list[list[Step]]
    refills: list[list[Step]] = field(default_factory=list)
    label: str = "x"
    notice: str | None = None
    cursors: list[str | None] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def listen(self, cursor: str | None) -> Iterator[Signal]:
        self.cursors.append(cursor)
        if not self.talks:
            self.world.stopped = True
            return iter(())
        return self.world.play(self.talks.pop(0))

    def refill(self, gap: Gap) -> Iterator[Signal]:
        self.gaps.append(gap)
        return self.world.play(self.refills.pop(0) if self.refills else [Refilled("search")])

    def check(self) -> Iterator[Any]:
        return iter(())

    def refresh(self, since: datetime) -> Iterator[Signal]:
        return iter(())

    def close(self) -> None:
        pass


class World:
    """Time that passes only when somebody waits, and an archive that is written when asked."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.now = START
        self.stopped = False
        self.waits: list[float] = []
        self.said: list[str] = []

    def clock(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> bool:
        if seconds and not self.stopped:
            self.waits.append(seconds)
            self.now += timedelta(seconds=seconds)
        return self.stopped

    def play(self, steps: list[Step]) -> Iterator[Signal]:
        for step in steps:
            match step:
                case float() | int():
                    self.now += timedelta(seconds=step)
                case Exception():
                    raise step
                case _ if callable(step):
                    step()
                case _:
                    yield step

    def commit(self) -> None:
        """What the writer does with what was refilled."""
        messages = self.running.past.take(10_000)
        self.archive.write(message for message in messages if isinstance(message, Received))
        for message in messages:
            if isinstance(message, Acknowledge):
                message.done()

    def refill(self) -> None:
        """What the second thread does, as far as it comes now."""
        while (found := self.running._next_gap()) is not None:
            self.running._refill(*found)

    def runner(self, *talks: list[Step], refills: list[list[Step]] | None = None, **standing: Any) -> Runner:
        known = {"cursor": None, "spent": 0, "gaps": (), "is_new": False, **standing}
        self.feed = Script(self, list(talks), refills or [])
        self.running = Runner(
            name="x",
            feed=self.feed,
            live=Inbox(),
            past=Inbox(self.commit),
            standing=Standing(**known),
            clock=self.clock,
            monotonic=lambda: (self.now - START).total_seconds(),
            wait=self.wait,
            budget=Budget(50, 900),
            meeting_starts=START,
            pace=Pace(),
            report=lambda name, text: self.said.append(text),
        )
        return self.running

    def ledger(self, *talks: list[Step], **more: Any) -> list[Row]:
        """Listen through the conversations, write what came of it, and read the ledger."""
        self.runner(*talks, **more).listen()
        return self.store()

    def store(self) -> list[Row]:
        messages = self.running.live.take(10_000)
        marks = [message for message in messages if isinstance(message, Mark)]
        self.recovered = [mark for mark in marks if isinstance(mark, Recovered)]
        with self.archive.transaction() as conn:
            write_marks(conn, marks, "now")
        rows = self.archive.conn.execute(
            "SELECT state, started_at, ended_at, cause, backfilled FROM coverage ORDER BY started_at, id"
        )

        def after(text: str | None) -> float | None:
            return None if text is None else (datetime.fromisoformat(text) - START).total_seconds()

        return [(state, after(a) or 0.0, after(b), cause, by) for state, a, b, cause, by in rows]


@pytest.fixture
def world(archive: Archive) -> World:
    return World(archive)


def test_a_lost_connection_is_a_gap_from_the_last_sign_of_life(world: World) -> None:
    first: list[Step] = [2, Connected(), 20, Heard(), 20, Lost("it fell silent")]
    second: list[Step] = [1, Connected(), 5, world.refill, 30, Heard(), 4]
    assert world.ledger(first, second) == [
        ("deaf", 0, 2, "connecting", None),
        ("listening", 2, 22, None, None),
        ("deaf", 22, 43, "it fell silent", "search"),
        ("catching_up", 43, 48, None, None),
        ("listening", 48, 78, None, None),
        ("deaf", 78, 82, "the server closed the connection", None),
        ("stopped", 82, None, "collecting was ended", None),
    ]
    assert world.feed.gaps == [Gap(at(22), at(43))]


def test_the_first_time_what_was_said_before_is_looked_for(world: World) -> None:
    world.now = at(60)
    with world.archive.transaction() as conn:
        from archive import coverage

        coverage.resume(conn, "x", "x", world.now, START)
    rows = world.ledger([1, Connected(), world.refill, 1, Heard()], is_new=True, gaps=((START, at(60)),))
    assert rows[:3] == [
        ("stopped", 0, 60, "collecting had not begun", "search"),
        ("deaf", 60, 61, "connecting", "search"),
        ("listening", 61, 62, None, None),
    ]
    assert world.feed.gaps == [Gap(START - BEFORE, at(61), first=True)]


def test_after_a_restart_the_ledgers_gaps_go_on_to_the_new_connection(world: World) -> None:
    gaps = ((at(10), at(20)), (at(300), at(400)))
    world.now = at(400)
    world.ledger([2, Connected(), world.refill, Heard()], gaps=gaps)
    assert world.feed.gaps == [Gap(at(10), at(20)), Gap(at(300), at(402))]


def test_a_replay_closes_the_gap_by_itself(world: World) -> None:
    first: list[Step] = [Connected(), Reached("7"), 10, Heard(), Lost("cut")]
    second: list[Step] = [1, Connected(replays="the cursor"), 3, CaughtUp(), 1, Heard()]
    rows = world.ledger(first, second)
    assert rows[1:] == [
        ("deaf", 10, 11, "cut", "the cursor"),
        ("catching_up", 11, 14, None, None),
        ("listening", 14, 15, None, None),
        ("deaf", 15, 15.25, "the server closed the connection", None),
        ("stopped", 15.25, None, "collecting was ended", None),
    ]
    assert world.feed.cursors == [None, "7", "7"]
    assert world.feed.gaps == []


def test_a_replay_that_begins_too_late_leaves_the_rest_to_a_refill(world: World) -> None:
    first: list[Step] = [Connected(), 10, Heard(), Lost("cut")]
    second: list[Step] = [
        500,
        Connected(replays="the cursor"),
        Missed("too old", None, at(400)),
        1,
        world.refill,
    ]
    rows = world.ledger(first, [*second, CaughtUp()], refills=[[Refilled("nothing", "no search here")]])
    assert world.feed.gaps == [Gap(at(10), at(400))]
    assert ("deaf", 10, 400, "cut", "nothing; no search here") in rows
    assert ("deaf", 400, 510, "cut", "the cursor") in rows
    assert "too old" in world.said


def test_a_refill_that_ends_while_a_replay_does_is_not_forgotten(world: World) -> None:
    """Else the ledger would say for the rest of the meeting that something is still to come back."""
    begun: list[Any] = []
    finishing = threading.Thread(target=lambda: world.running._refill(*begun[0]))
    armed = [False]

    def begin() -> None:
        begun.append(world.running._next_gap())
        armed[0] = True

    def clock() -> datetime:
        # Asked for the time of what is said after the replay: just then the refill ends, too.
        if armed[0] and not world.running._gaps.replaying:
            armed[0] = False
            finishing.start()
            finishing.join(0.2)  # it may have to wait for us
        return world.now

    gaps = ((at(10), at(20)), (at(30), at(40)))
    world.now = at(40)
    runner = world.runner(
        [1, Connected("the cursor", since=at(35)), begin, 1, CaughtUp(), finishing.join, 1, Heard(), 1],
        gaps=gaps,
    )
    runner.clock = clock
    runner.listen()
    assert world.feed.gaps == [Gap(at(10), at(20))]
    assert [row[:3] for row in world.store()][-3:] == [
        ("listening", 42, 43),
        ("deaf", 43, 44),
        ("stopped", 44, None),
    ]


def test_a_refill_that_ends_after_the_listening_does_not_say_that_we_listen(world: World) -> None:
    begun: list[Any] = []

    def begin() -> None:
        begun.append(world.running._next_gap())

    def stop() -> None:
        world.stopped = True

    world.runner([1, Connected(), 1, Heard(), begin, 1, stop, Heard()], gaps=((at(-9), at(0)),)).listen()
    world.now = at(4)
    world.running._refill(*begun[0])
    assert world.store()[-1][:3] == ("stopped", 3, None)
    assert world.recovered == [], "it was broken off"
    assert world.said[-1] == "stopped: collecting was ended"


def test_no_right_is_a_stop_that_is_probed_once_a_minute(world: World) -> None:
    refused = Refused("X answers 401: wrong token")
    rows = world.ledger([Connected(), 5, refused], [refused], [refused], [Connected(), world.refill, Heard()])
    assert (
        rows[:3]
        == [
            ("listening", 0, 0, None, None),
            ("stopped", 0, 185, "X answers 401: wrong token", "search"),
            ("listening", 185, 185, None, None),
        ]
        or ("stopped", 0, 185, "X answers 401: wrong token", "search") in rows
    )
    assert world.waits == [60, 60, 60]


def test_a_rate_limit_is_a_wait_with_its_end(world: World) -> None:
    rows = world.ledger([Limited("too many", at(90))])
    assert ("waiting", 0, 90, "too many", None) in rows
    assert world.waits == [90]


def test_an_unusable_answer_and_a_fault_of_ours_are_deaf_times(world: World) -> None:
    rows = world.ledger([Unavailable("it answers 503")], [ZeroDivisionError("x")], [Connected(), Heard()])
    assert ("deaf", 0, 5, "it answers 503", None) in rows
    assert ("deaf", 5, 15, "a fault of this program (ZeroDivisionError: x)", None) in rows


def test_a_ceiling_ends_the_listening_for_good(world: World) -> None:
    rows = world.ledger([Connected(), 1, Spent(9), Exhausted("the ceiling is reached")], [Connected()])
    assert rows[-1] == ("stopped", 1, None, "the ceiling is reached", None)
    assert len(world.feed.talks) == 1
    assert world.archive.spent("x") == 9


def test_a_server_that_closes_at_once_again_and_again_is_not_hammered(world: World) -> None:
    world.ledger(*[[Connected()] for _ in range(40)])
    assert (world.now - START).total_seconds() > 300
    assert world.waits[:4] == [0.25, 0.5, 1, 2]


def test_a_machine_that_slept_leaves_a_gap_although_the_connection_lived(world: World) -> None:
    rows = world.ledger([Connected(), 10, Heard(), 3600, Heard(), world.refill, 1, Heard()])
    assert ("deaf", 10, 3610, "nothing was heard for 3,600 s: asleep?", "search") in rows
    assert world.feed.gaps == [Gap(at(10), at(3610))]


def test_what_costs_money_is_said_while_listening(world: World) -> None:
    def warn() -> None:
        world.feed.notice = "80 of at most 100 posts read"

    rows = world.ledger([Connected(), 1, warn, Spent(80), 1, Heard()])
    assert ("listening", 1, 2, "80 of at most 100 posts read", None) in rows


def test_a_folder_learns_whose_it_is(world: World) -> None:
    def learn() -> None:
        world.feed.label = "zoom"

    world.ledger([Connected(), 1, learn, Heard()])
    assert world.archive.conn.execute("SELECT DISTINCT source FROM coverage").fetchall() == [("zoom",)]


def test_a_refill_goes_on_until_it_is_done(world: World, receive: Any) -> None:
    post = receive(1)
    refills: list[list[Step]] = [
        [post, Limited("later", at(40))],
        [post, Lost("cut")],
        [post, Spent(1), Refilled("search", "retweets")],
    ]
    first: list[Step] = [Connected(), 10, Heard(), Lost("cut")]
    rows = world.ledger(first, [5, Connected(), world.refill], refills=refills)
    assert ("deaf", 10, 15, "cut", "search; retweets") in rows
    assert world.waits[0] == 25, "until the limit's end"
    assert world.archive.conn.execute("SELECT count(*) FROM posts").fetchone()[0] == 1


def test_a_search_that_lags_is_asked_again_and_holds_up_no_newer_gap(world: World) -> None:
    late, done = Refilled("search", again=30), Refilled("search")
    first: list[Step] = [Connected(), 10, Heard(), Lost("cut")]
    second: list[Step] = [5, Connected(), world.refill, 20, Heard(), Lost("cut again")]
    third: list[Step] = [5, Connected(), world.refill, 5, world.refill, Heard(), 60, world.refill, Heard()]
    rows = world.ledger(first, second, third, refills=[[late], [late], [done], [done]])
    gaps = [Gap(at(10), at(15)), Gap(at(35), at(40))]
    assert world.feed.gaps == [gaps[0], gaps[1], gaps[0], gaps[1]]
    assert ("deaf", 10, 15, "cut", "search") in rows
    assert ("deaf", 35, 40, "cut again", "search") in rows
    assert ("listening", 40, 105, None, None) in rows, "it was answered once"
    assert world.archive.resume("x", "x", at(200)).again == ()


def test_what_was_to_be_asked_again_is_so_after_a_restart(world: World) -> None:
    late = Refilled("search", again=30)
    world.ledger([Connected(), 10, Heard(), Lost("cut")], [5, Connected(), world.refill], refills=[[late]])
    standing = world.archive.resume("x", "x", at(20))
    assert standing.again == ((at(10), at(15)),)
    world.stopped = False
    talk: list[Step] = [Connected(), world.refill, Heard()]
    again = Refilled("search", "retweets", 3)
    world.ledger(talk, refills=[[again]], again=standing.again)
    assert world.feed.gaps[0] == Gap(at(10), at(15))
    assert world.archive.resume("x", "x", at(200)).again == ()
    row = world.archive.conn.execute(
        "SELECT backfilled, missing_estimate FROM coverage WHERE cause = 'cut'"
    ).fetchone()
    assert row == ("search; retweets", 3)


def test_a_refill_without_right_is_a_recorded_loss_and_one_that_never_works_too(world: World) -> None:
    talk: list[Step] = [Connected(), 10, Heard(), Lost("cut")]
    again: list[Step] = [5, Connected(), world.refill]
    rows = world.ledger(talk, again, refills=[[Refused("no search for you")]])
    assert ("deaf", 10, 15, "cut", "nothing; no search for you") in rows


def test_a_refill_that_never_works_is_given_up_after_an_hour(world: World) -> None:
    talk: list[Step] = [Connected(), 10, Heard(), Lost("cut")]
    broken: list[list[Step]] = [[Unavailable("it answers 500")] for _ in range(100)]
    rows = world.ledger(talk, [5, Connected(), world.refill], refills=broken)
    assert ("deaf", 10, 15, "cut", "nothing; it answers 500") in rows
    assert 3600 < (world.now - START).total_seconds() < 4300


def test_gaps_close_to_each_other_are_refilled_as_one(world: World) -> None:
    cut: list[Step] = [Connected(), 20, Heard(), 1, Lost("cut")]
    world.ledger(cut, cut, cut, [Connected(), world.refill])
    assert len(world.feed.gaps) == 1


def test_a_connection_that_lived_is_no_excuse_for_hammering_later(world: World) -> None:
    world.ledger([Connected(), 60, Heard(), Lost("cut")], *[[Lost("down")] for _ in range(6)])
    assert world.waits == [0.25, 0.5, 1, 2, 4, 8]


def test_a_machine_that_slept_while_a_post_was_handed_on_leaves_a_gap(world: World, receive: Any) -> None:
    runner = world.runner([Connected(), 1, receive(1), Heard(), 1, Heard()])
    put = runner.live.put

    def sleep(message: Any) -> None:
        put(message)
        if isinstance(message, Received):
            world.now += timedelta(hours=1)

    runner.live.put = sleep  # type: ignore[method-assign]
    runner.listen()
    assert ("deaf", 1, 3601) in [row[:3] for row in world.store()]
    assert Gap(at(1), at(3601)) in runner._gaps.waiting


def test_a_replay_closes_only_the_gaps_that_it_goes_back_to(world: World) -> None:
    gaps = ((at(10), at(20)), (at(30), at(50)), (at(300), at(400)))
    world.now = at(400)
    talk: list[Step] = [2, Connected("the cursor", since=at(40)), world.refill, CaughtUp()]
    world.ledger(talk, gaps=gaps)
    assert world.feed.gaps == [Gap(at(10), at(20))]
    recovered = [(each.starts, each.ends) for each in world.recovered]
    assert recovered == [(at(10), at(20)), (at(30), at(50)), (at(300), at(402))]


def test_a_replay_does_not_look_back_further_than_it_goes(world: World) -> None:
    world.now = at(400)
    talk: list[Step] = [2, Connected("the cursor", since=at(100)), world.refill, CaughtUp()]
    world.ledger(talk, is_new=True, gaps=((START, at(400)),))
    assert world.feed.gaps == [Gap(START - BEFORE, at(100), first=True)]
    assert [(each.starts, each.first) for each in world.recovered] == [
        (START - BEFORE, True),
        (at(100), False),
    ]


def test_killed_before_the_past_was_searched_it_is_searched_at_the_next_start(world: World) -> None:
    gaps = ((START, at(61)), (at(100), at(200)))
    world.now = at(200)
    talk: list[Step] = [2, Connected("the cursor", since=at(99)), world.refill, CaughtUp()]
    world.ledger(talk, is_new=True, gaps=gaps)
    assert world.feed.gaps == [Gap(START - BEFORE, at(61), first=True)]
    assert Gap(at(100), at(202)) in [Gap(each.starts, each.ends) for each in world.recovered]


def test_a_second_look_that_fails_does_not_undo_the_first(world: World) -> None:
    refills: list[list[Step]] = [[Refilled("search", again=30)], [Refused("no search any more")]]
    talk: list[Step] = [5, Connected(), world.refill, 31, world.refill]
    rows = world.ledger([Connected(), 10, Heard(), Lost("cut")], talk, refills=refills)
    assert ("deaf", 10, 15, "cut", "search; no search any more") in rows


def test_a_reason_that_no_file_can_hold_is_made_plain(world: World) -> None:
    rows = world.ledger([Connected(), 1, Lost("half a \ud800 pair\x00" + "x" * 1000)])
    cause = next(row[3] for row in rows if row[0] == "deaf" and row[1] == 0)
    assert cause is not None
    assert cause.startswith("half a   pair xxx")
    assert len(cause) <= 300


def test_one_that_did_not_end_by_itself_can_still_be_said_to_have_stopped(world: World) -> None:
    runner = world.runner([Connected(), 5, Heard(), 5, Heard()])
    assert runner.parting() == Turn("x", "x", "stopped", START, "collecting was ended")
    runner.listen()
    assert runner.parting() is None, "it said so itself"


PAUSES = st.sampled_from([0, 0.5, 20, 91, 3600])
ENDINGS = st.sampled_from(
    [Lost("cut"), Unavailable("503"), Limited("429"), Limited("429", at(900)), Refused("401"), None]
)
TALKS = st.lists(st.tuples(PAUSES, st.booleans(), st.lists(PAUSES, max_size=4), PAUSES, ENDINGS), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(talks=TALKS)
def test_every_second_is_listening_exactly_where_that_is_proven(meeting: Meeting, talks: Any) -> None:
    """Against an observer of the server, who knows when it had us on the line and when it last spoke."""
    heard: list[list[datetime]] = []  # first and last word of each conversation that nothing interrupted

    def connected() -> None:
        heard.append([world.now, world.now])

    def spoke() -> None:
        if world.now - heard[-1][1] > timedelta(seconds=90):
            connected()
        heard[-1][1] = world.now

    def talk(before: float, accepted: bool, words: list[float], after: float, ending: Any) -> list[Step]:
        spoken = [step for pause in words for step in (pause, spoke, Heard())]
        said: list[Step] = [before, *([connected, Connected(), *spoken, world.refill] if accepted else [])]
        return [*said, after, *([ending] if ending else [])]

    with TemporaryDirectory() as folder, Archive.open(Path(folder) / "a.db", meeting) as archive:
        world = World(archive)
        rows = world.ledger(*(talk(*each) for each in talks), is_new=True)
    listened = sum(((ends - starts) for starts, ends in heard), timedelta()).total_seconds()
    assert sum(row[2] - row[1] for row in rows if row[0] in LISTENING and row[2]) == pytest.approx(listened)
    assert [row[2] for row in rows[:-1]] == [row[1] for row in rows[1:]], "neither holes nor overlaps"
    assert rows[0][1] == 0
    assert rows[-1][2] is None
    last = max((ends for _, ends in heard), default=START)
    deaf = [row for row in rows if row[0] not in LISTENING and row[2] and at(row[2]) < last]
    assert all(row[4] == "search" for row in deaf), "what was refilled says so"


LIVES = st.lists(st.tuples(TALKS, st.booleans(), st.floats(0, 1), PAUSES), max_size=4)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives=LIVES)
def test_killed_at_any_commit_and_started_again_every_gap_is_refilled(meeting: Meeting, lives: Any) -> None:
    heard: list[list[datetime]] = []

    def connected() -> None:
        heard.append([world.now, world.now])

    def spoke() -> None:
        if world.now - heard[-1][1] > timedelta(seconds=90):
            connected()
        heard[-1][1] = world.now

    def talk(
        replays: bool, before: float, accepted: bool, words: list[float], after: float, ending: Any
    ) -> list[Step]:
        spoken = [step for pause in words for step in (pause, spoke, Heard())]
        begun = [connected, Connected("the cursor" if replays else None)]
        caught_up: list[Step] = [CaughtUp()] if replays else []
        said: list[Step] = [before, *([*begun, *spoken, *caught_up, world.refill] if accepted else [])]
        return [*said, after, *([ending] if ending else [])]

    def live(talks: Any, replays: bool, committed: float) -> None:
        now = asdict(world.archive.resume("x", "x", world.now))
        world.runner(*(talk(replays, *each) for each in talks), **now).listen()
        messages = world.running.live.take(10_000)
        with world.archive.transaction() as conn:
            marks = [message for message in messages if isinstance(message, Mark)]
            write_marks(conn, marks[: round(committed * len(marks))], "now")
        world.stopped = False

    with TemporaryDirectory() as folder, Archive.open(Path(folder) / "a.db", meeting) as archive:
        world = World(archive)
        for talks, replays, committed, dead in lives:
            live(talks, replays, committed)
            world.now += timedelta(seconds=dead)
        live([(1, True, [1, 1], 0, None)], False, 1)
        rows = world.store()
    assert [row[2] for row in rows[:-1]] == [row[1] for row in rows[1:]], "neither holes nor overlaps"
    for state, starts, ends, _, by in rows[:-1]:
        assert ends is not None
        if state in LISTENING:
            assert any(one <= at(starts) and at(ends) <= other for one, other in heard) or starts == ends
        elif at(ends) <= heard[-1][0]:
            assert by in ("search", "the cursor")
