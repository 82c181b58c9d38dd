"""A real server on loopback and a real Chromium."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.browser import FLAGS, chromium

ROOT = Path(__file__).parents[2]
SERVE = (
    "import sys; from pathlib import Path; from views import serve;"
    "serve.run(Path(sys.argv[1]), port=0, ready=lambda at: print(at, flush=True))"
)

expect.set_options(timeout=15_000)  # a busy machine takes its time; what has come is not waited for

Started = tuple["subprocess.Popen[str]", str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, headless."""
    executable = chromium()
    if executable is None:
        pytest.fail("no Chromium on PATH: install chromium")
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=executable, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def start() -> Iterator[Callable[[Path], Started]]:
    """Start the dashboard of an archive in a process of its own: the process and its address."""
    running: list[subprocess.Popen[str]] = []

    def run(archive: Path) -> Started:
        command = [sys.executable, "-W", "ignore", "-c", SERVE, str(archive)]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        running.append(server)
        assert server.stdout is not None
        return server, server.stdout.readline().strip()

    yield run
    for server in running:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        if server.stdout is not None:
            server.stdout.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address in a window of its own and wait until the page stands."""
    windows = []

    def go(address: str, wait: str = ".pulse h1:not(:empty)", **options: Any) -> Page:
        before = options.pop("before", None)
        window = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        windows.append(window)
        page = window.new_page()
        if before:
            before(page)
        page.goto(address)
        page.wait_for_selector(wait, timeout=30_000)
        return page

    yield go
    for window in windows:
        window.close()
