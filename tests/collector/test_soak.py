"""A meeting with every kind of source, where something goes wrong all the time: nothing is lost unexplained.

One minute in ``make test``, ten in ``make test-all``, an hour with ``make soak``.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.world import ROOT, World

PAUSE = threading.Event()  # never set
HOUR = float(os.environ.get("SOAK_SECONDS", "0"))


@contextmanager
def talking(world: World, per_second: float) -> Iterator[None]:
    """People say things all the while."""
    over = threading.Event()
    failed: list[BaseException] = []

    def talk() -> None:
        try:
            while not over.wait(1 / per_second):
                world.act()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not failed, failed


def assert_nothing_unexplained(world: World, *, seconds: float) -> None:
    """The archive is what the servers know, and the ledger says what every source did every second."""
    assert world.differences(seconds) == []
    assert world.problems() == []
    assert world.unexplained(seconds) == []


def soak(
    folder: Path, *, seconds: float, every: float, per_second: float, seed: int = 1, quick: bool = True
) -> None:
    struck: Counter[tuple[str, str]] = Counter()
    with World(folder, seed=seed, quick=quick) as world:
        world.start()
        world.wait_until_listening()
        with talking(world, per_second):
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                PAUSE.wait(every)
                struck[world.strike()] += 1
        world.calm()
        print(f"{len(world.truth())} posts, faults armed: {dict(struck)}")
        try:
            assert_nothing_unexplained(world, seconds=90 if quick else 900)
        except AssertionError:
            print(world.log.read_text(encoding="utf-8")[-6000:])
            raise
        assert_it_stops_in_time(world)
        world.act_on_x()
        command = [sys.executable, "backchannel.py", "refresh", str(world.folder), "--source", "x"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        assert world.differences(5) == [], "deletions on X, which only a refresh brings"


def assert_it_stops_in_time(world: World) -> None:
    """The best of some times, since a busy machine may be slow."""
    took = [world.stop()]
    while min(took) >= 2.5 and len(took) < 5:
        world.start()
        world.wait_until_listening()
        took.append(world.stop())
    assert min(took) < 2.5


def test_a_minute_of_faults(tmp_path: Path) -> None:
    soak(tmp_path, seconds=45, every=2, per_second=20)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_minutes_of_faults(tmp_path: Path) -> None:
    soak(tmp_path, seconds=600, every=5, per_second=10, seed=random.randrange(10**6))


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.skipif(not HOUR, reason="an hour: make soak")
def test_an_hour_of_faults(tmp_path: Path) -> None:
    """With the patience of the product: back-off of minutes, probes once a minute."""
    soak(tmp_path, seconds=HOUR, every=60, per_second=5, seed=random.randrange(10**6), quick=False)


def kills(folder: Path, times: int, seed: int = 1) -> None:
    rng = random.Random(seed)
    with World(folder, seed=seed) as world:
        world.start()
        world.wait_until_listening()
        with talking(world, 60):
            for _ in range(times):
                PAUSE.wait(rng.uniform(0.0, 1.5))
                world.kill()
                PAUSE.wait(rng.uniform(0.0, 0.5))
                world.start()
        world.wait_until_listening()
        try:
            assert_nothing_unexplained(world, seconds=90)
        except AssertionError:
            print(world.log.read_text(encoding="utf-8")[-6000:])
            raise


def test_ten_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    kills(tmp_path, 10)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_hundred_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    kills(tmp_path, 100, seed=random.randrange(10**6))
