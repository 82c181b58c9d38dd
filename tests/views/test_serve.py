"""Starting and stopping the dashboard."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import urllib.request
from pathlib import Path

import pytest
from streamlit import config
from streamlit.runtime import Runtime

from archive.errors import UsageError
from archive.store import Archive
from views import serve, settings


@pytest.fixture(autouse=True)
def only_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit allows one runtime in a process; every test here is the first."""
    monkeypatch.setattr(Runtime, "_instance", None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_an_address_that_others_reach_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="no sign-in yet"):
        serve.refuse_public(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_is_allowed(host: str) -> None:
    serve.refuse_public(host)


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"--port {port}"):
            serve.run(tmp_path / "a.db", port=port)


def test_without_a_port_the_next_free_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(serve, "PORT", port)
        with serve.bind("127.0.0.1", None) as listening:
            assert port < listening.getsockname()[1] < port + 20


def test_it_serves_and_stops_from_another_thread(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.ARCHIVE, "")
    answers: list[int] = []
    servers: list[serve.Server] = []

    def visit(address: str) -> None:
        def go() -> None:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=10) as answer:
                answers.append(answer.status)
            servers[0].stop()

        threading.Thread(target=go).start()

    serve.run(archive.path, port=0, ready=visit, started=servers.append)
    assert answers == [200]
    assert os.environ[settings.ARCHIVE] == str(archive.path.absolute())
    assert config.get_option("runner.postScriptGC") is False
    assert config.get_option("browser.gatherUsageStats") is False
    assert config.get_option("server.fileWatcherType") == "none"


def test_a_signal_ends_it_and_the_caller_goes_on(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.ARCHIVE, "")
    before = signal.getsignal(signal.SIGTERM)
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGTERM))
    serve.run(archive.path, port=0, ready=lambda _: timer.start())
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("origin", "handed_on"),
    [
        ("http://127.0.0.1:8501", True),
        (None, True),
        ("http://127.0.0.1:9000", False),
        ("http://localhost:8501", False),
        ("https://canary.example.org", False),
    ],
)
def test_a_page_of_another_address_gets_no_websocket(origin: str | None, handed_on: bool) -> None:
    reached: list[str] = []
    sent: list[dict[str, object]] = []

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        reached.append(str(scope["type"]))

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    headers = [(b"host", b"127.0.0.1:8501")] + ([(b"origin", origin.encode())] if origin else [])
    asyncio.run(serve.OwnPagesOnly(app)({"type": "websocket", "headers": headers}, receive, send))  # type: ignore[arg-type]
    assert (reached, sent) == (
        (["websocket"], []) if handed_on else ([], [{"type": "websocket.close", "code": 1008}])
    )


def test_pages_themselves_may_be_asked_for_from_anywhere() -> None:
    reached: list[str] = []

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        reached.append(str(scope["type"]))

    headers = [(b"host", b"127.0.0.1:8501"), (b"origin", b"http://127.0.0.1:9000")]
    asyncio.run(serve.OwnPagesOnly(app)({"type": "http", "headers": headers}, None, None))  # type: ignore[arg-type]
    assert reached == ["http"]
