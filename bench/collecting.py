"""Collecting under load: fakes of every network on loopback, the real command in a process of its own.

What is counted is the collector's own CPU and memory, never that of the fakes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.browser import FLAGS, chromium
from bench.figures import Figure, percentile
from bench.showing import WATCH
from tests.fakes.bluesky import JetstreamServer
from tests.fakes.world import World

PAUSE = threading.Event()  # never set
NETWORKS = ("x", "mastodon", "bluesky", "zoom", "webhook")


def run(folder: Path, *, sustained: float = 600, burst: float = 30) -> list[Figure]:
    """Sustained load, a burst with a viewer, the noise of all of Bluesky, and recovery."""
    return [
        *_sustained(folder / "sustained", sustained),
        *_burst(folder / "burst", burst),
        *_noise(folder / "noise"),
        *_recovery(folder / "recovery"),
    ]


def _sustained(folder: Path, seconds: float, rate: int = 300) -> list[Figure]:
    with _world(folder) as world:
        pid = _pid(world)
        _say(world, rate, 10)  # imports and caches are no part of it
        before, memory = _cpu(pid), _memory(pid)
        began = time.monotonic()
        _say(world, rate, seconds)
        passed, spent = time.monotonic() - began, _cpu(pid) - before
        lost = len(world.differences(60))
        grown = _memory(pid) - memory
    name = f"collecting {rate} posts/s for {seconds / 60:g} min from five sources"
    return [
        Figure(f"{name}: of a core", 100 * spent / passed, "%", 60, 40, False),
        Figure("posts lost or doubled meanwhile", lost, "", 0, 0, False),
        Figure("memory that the collector grew by meanwhile", grown / 1e6, "MB", 100, 50, False),
    ]


def _burst(folder: Path, seconds: float, rate: int = 2_500) -> list[Figure]:
    executable = chromium()
    if executable is None:
        raise SystemExit("bench: no Chromium on PATH; install the package `chromium`")
    with _world(folder) as world, _dashboard(world) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS, headless=True)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        page.wait_for_timeout(8000)
        page.evaluate(WATCH)
        sent: dict[str, float] = {}
        talker = threading.Thread(target=_say, args=(world, rate, seconds, sent))
        talker.start()
        while talker.is_alive():
            page.wait_for_timeout(500)
        shown = _delays(page, sent)
        browser.close()
        lost = len(world.differences(120))
        peak = _memory(_pid(world), "VmHWM")
    return [
        Figure(f"burst of {rate:,} posts/s for {seconds:g} s: lost or doubled", lost, "", 0, 0, False),
        Figure("a post to its text on the page meanwhile, p95", percentile(shown, 0.95), "s", 2, 1, False),
        Figure("the collector's memory at most", peak / 1e6, "MB", 400, 300, False),
    ]


def _noise(folder: Path, rate: int = 1_000, seconds: float = 30) -> list[Figure]:
    """The whole network's posts, of which one in a hundred is ours."""
    with _world(folder) as world:
        server: JetstreamServer = world.bluesky
        pid = _pid(world)
        before, began, number = _cpu(pid), time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            due = int(passed * rate) - number
            server.foreign(due)
            number += due
            if due:
                server.post(f"probe {number} #{world.tag}")
            PAUSE.wait(0.1)
        spent = _cpu(pid) - before
        lost = len(world.differences(30))
    share = 100 * spent / seconds
    return [
        Figure(f"Bluesky: {rate:,} events/s read and filtered: of a core", share, "%", 100, 30, False),
        Figure("posts lost of them", lost, "", 0, 0, False),
    ]


def _recovery(folder: Path, times: int = 10) -> list[Figure]:
    """A stream that breaks, a post while nobody listens, and when it is in the archive."""
    delays = []
    with _world(folder) as world:
        for number in range(times):
            world.mastodon.fault("cut")
            world.mastodon.post(f"breaks the stream {number} #{world.tag}")
            key = world.mastodon.post(f"said meanwhile {number} #{world.tag}", delivered=False)
            began = time.monotonic()
            _until(lambda key=key: key in world.archived())  # type: ignore[misc]
            delays.append(time.monotonic() - began)
            PAUSE.wait(11)  # a connection that lasted is tried again at once
    slowest = percentile(delays, 0.95)
    return [Figure("a broken stream to the first recovered post, p95", slowest, "s", 2, 1, False)]


@contextmanager
def _world(folder: Path) -> Iterator[World]:
    folder.mkdir()
    with World(folder, quick=False) as world:
        world.start()
        world.wait_until_listening(60)
        yield world
        world.stop(30)


@contextmanager
def _dashboard(world: World) -> Iterator[str]:
    command = [sys.executable, "backchannel.py", "dashboard", str(world.folder), "--port", "8765"]
    root = Path(__file__).parent.parent
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split(" ", 1)[1].strip()
        server.terminate()


def _say(world: World, rate: int, seconds: float, sent: dict[str, float] | None = None) -> None:
    """So many posts a second over all sources, in portions of a tenth of a second."""
    began, number = time.monotonic(), len(sent or ())
    first = world.number
    while (passed := time.monotonic() - began) < seconds:
        due = int(passed * rate) - (number if sent is not None else world.number - first)
        for place, name in enumerate(NETWORKS):
            texts = []
            for _ in range(due // len(NETWORKS) + (place < due % len(NETWORKS))):
                world.number += 1
                texts.append(f"probe {world.number} is on its way #{world.tag}")
                if sent is not None:
                    sent[str(world.number)] = time.time()
            number += len(texts)
            if texts:
                world.servers[name].post_many(texts)
        PAUSE.wait(0.1)


def _delays(page: Page, sent: dict[str, float]) -> list[float]:
    seen: dict[str, Any] = page.evaluate("window.seen")
    return [seen[number] / 1000 - sent[number] for number in seen if number in sent] or [60.0]


def _pid(world: World) -> int:
    assert world.collector is not None
    return world.collector.pid


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int, name: str = "VmRSS") -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def _until(done: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not done() and time.monotonic() < until:
        PAUSE.wait(0.02)
