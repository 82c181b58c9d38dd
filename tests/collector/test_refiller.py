"""One pass of a refill, on a clock that only waiting moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from archive.collecting import Paid
from archive.vocabulary import Skipped
from collector.inbox import Closed, Inbox
from collector.pace import Pace
from collector.refiller import GIVE_UP, Refiller
from collector.sources.base import (
    Acknowledge,
    Exhausted,
    Gap,
    Heard,
    Limited,
    Lost,
    Reached,
    Refilled,
    Refused,
    Spent,
    Unavailable,
)
from tests.conftest import START

GAP = Gap(START, START + timedelta(seconds=9))
POST = Skipped("stands for a post")


class World:
    def __init__(self, *passes: list[Any]) -> None:
        self.passes = list(passes)
        self.now = START
        self.waits: list[float] = []
        self.stopped = False
        self.got: list[Any] = []
        self.past = Inbox(self.commit)
        feed: Any = self
        self.refiller = Refiller("x", feed, self.past, lambda: self.now, self.wait, Pace())

    def refill(self, gap: Gap) -> Iterator[Any]:
        assert gap == GAP
        for signal in self.passes.pop(0) if len(self.passes) > 1 else self.passes[0]:
            if isinstance(signal, Exception):
                raise signal
            yield signal

    def commit(self) -> None:
        for message in self.past.take(99):
            if isinstance(message, Acknowledge):
                message.done()
            else:
                self.got.append(message)

    def wait(self, seconds: float) -> bool:
        if seconds:
            self.waits.append(seconds)
            self.now += timedelta(seconds=seconds)
        return self.stopped

    def ask(self, before: Refilled | None = None) -> Refilled | None:
        return self.refiller.ask(GAP, before)


def test_what_comes_is_handed_on_and_its_end_told_behind_the_commit() -> None:
    world = World([POST, Heard(), Spent(3), Reached("no matter"), POST, Refilled("search")])
    assert world.ask() == Refilled("search")
    assert world.got == [POST, Paid("x", 3), POST]


def test_failures_are_tried_again_and_limits_waited_for() -> None:
    limit = Limited("later", START + timedelta(seconds=40))
    world = World([POST, limit], [Lost("cut")], [Unavailable("503")], [POST, Refilled("search")])
    assert world.ask() == Refilled("search")
    assert world.waits[0] == 40


@pytest.mark.parametrize(
    ("error", "by"), [(Refused("no right"), "nothing"), (Exhausted("the ceiling"), "a part")]
)
def test_what_cannot_be_asked_is_a_loss(error: Exception, by: str) -> None:
    assert World([POST, error]).ask() == Refilled(by, str(error))


def test_what_an_earlier_pass_brought_still_counts() -> None:
    assert World([Refused("no right")]).ask(Refilled("search")) == Refilled("search", "no right")


def test_one_that_never_works_is_given_up() -> None:
    world = World([ZeroDivisionError()])
    assert world.ask() == Refilled("nothing", "ZeroDivisionError")
    assert world.now - START > GIVE_UP
    assert World([]).ask() == Refilled("nothing", "the source did not say how it ended")


def test_a_stop_ends_it_without_a_word() -> None:
    world = World([POST, Refilled("search")])
    world.stopped = True
    assert world.ask() is None
    world = World([POST, POST, Refilled("search")])
    world.past.arrived = lambda: setattr(world, "stopped", True)
    with pytest.raises(Closed):
        world.ask()


def test_a_stop_before_the_commit_leaves_the_gap_open() -> None:
    world = World([Refilled("search")])

    def stop() -> None:
        world.stopped = True

    world.past.arrived = stop
    assert world.ask() is None
