"""From the commit of a post to its text in Chromium, and what keeping a page fresh costs the server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from archive.store import Archive
from archive.vocabulary import Received
from bench import synthetic
from bench.browser import FLAGS, chromium
from bench.figures import Figure, percentile
from views.live import QUICK, SLOW

SERVER = """
import sys
from pathlib import Path
from views.serve import run
run(Path(sys.argv[1]), ready=lambda address: print(address, flush=True))
"""
WATCH = """
window.seen = {};
const look = node => {
  const text = node.textContent || "";
  for (const [, n] of text.matchAll(/probe (\\d+) /g)) if (!(n in seen)) seen[n] = Date.now();
};
const roots = [document.body, ...[...document.querySelectorAll("*")].map(e => e.shadowRoot).filter(Boolean)];
for (const root of roots) new MutationObserver(changes => changes.forEach(c => look(c.target)))
  .observe(root, {childList: true, subtree: true, characterData: true});
"""


def run(folder: Path, *, history: int = 20_000, probes: int = 60, seconds: float = 40.0) -> list[Figure]:
    """One viewer; ``probes`` posts, two a second, into an archive with some history."""
    path = folder / "show.db"
    items = list(synthetic.posts(history))
    with Archive.open(path, synthetic.meeting()) as archive:
        for start in range(0, history, 1000):
            archive.write(items[start : start + 1000])
    executable = chromium()
    if executable is None:
        raise SystemExit("bench: no Chromium on PATH; install the package `chromium`")
    with _served(path) as (address, server), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS, headless=True)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        sizes: list[int] = []
        page.on(
            "websocket",
            lambda socket: socket.on("framereceived", lambda frame: sizes.append(len(frame))),
        )
        page.goto(address)
        page.wait_for_timeout(8000)
        page.evaluate(WATCH)
        delays = _probe(page, path, probes)
        spent, received = _refresh_cost(page, server, sizes, seconds)
        browser.close()
    return [
        Figure(
            "committed post to visible text, p95", percentile(delays, 0.95), "s", 0.5, 0.15, False, 2.26,
            "Streamlit polling every 2 s (research/dashboard.md)", 2.0,
        ),
        Figure("server CPU of one refresh of a page", spent * 1000, "CPU-ms", 20, 6, False),
        Figure("bytes of one refresh of a page", received / 1000, "KB", 20, 6, False),
    ]  # fmt: skip


@contextmanager
def _served(path: Path) -> Iterator[tuple[str, int]]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(path)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip(), server.pid
        server.terminate()


def _probe(page: Page, path: Path, probes: int) -> list[float]:
    committed: dict[str, float] = {}
    with Archive.open(path) as archive:
        for number in range(probes):
            item = next(synthetic.posts(1, seed=number, first=90_000_000 + number))
            moment = synthetic.START + timedelta(days=synthetic.DAYS, seconds=number)
            post = replace(item.post, text=f"probe {number} is on its way", created_at=moment)
            archive.write([Received(post, item.raw)])
            committed[str(number)] = time.time()
            page.wait_for_timeout(500)
    page.wait_for_timeout(2000)
    seen = page.evaluate("window.seen")
    missing = len(committed) - len(seen)
    return [seen[n] / 1000 - committed[n] for n in committed if n in seen] + [60.0] * missing


def _refresh_cost(page: Page, server: int, sizes: list[int], seconds: float) -> tuple[float, float]:
    """CPU seconds and bytes of one refresh: what a viewer adds to a server that is watching anyway."""
    sizes.clear()
    viewed = _spent(page, server, seconds)
    received = sum(sizes)
    page.goto("about:blank")
    page.wait_for_timeout(5000)
    alone = _spent(page, server, seconds)
    ticks = seconds / QUICK + seconds / SLOW
    return max(viewed - alone, 0.0) / ticks, received / ticks


def _spent(page: Page, server: int, seconds: float) -> float:
    before = _cpu(server)
    page.wait_for_timeout(seconds * 1000)
    return _cpu(server) - before


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
