"""The commands that listen: ``collect``, ``live``, ``refresh``, ``check``, with real processes and files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.reading import open_readonly
from tests.command import Said
from tests.fakes.x import XServer
from tests.test_backchannel import MEETING, ROOT

FOLDER = """
[[sources]]
kind = "folder"
name = "chat"
path = "chat/"
date = 2012-03-26
"""
PAUSE = threading.Event()  # never set
LINE = "09:00:{:02}\t From Ana Perez : Is the data open? {}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "meeting.toml").write_text(MEETING + FOLDER, encoding="utf-8")
    (tmp_path / "chat").mkdir()
    (tmp_path / "chat" / "chat.txt").write_text(LINE.format(1, "first"), encoding="utf-8")
    return tmp_path


def add_source(folder: Path, text: str) -> None:
    with (folder / "meeting.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[[sources]]\n{text}\n")


def posts(folder: Path) -> int:
    with closing(open_readonly(folder / "m.db")) as conn:
        return int(conn.execute("SELECT count(*) FROM posts").fetchone()[0])


def until(done: Callable[[], bool], seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        with suppress(Exception):
            if done():
                return
        PAUSE.wait(0.05)
    raise AssertionError("not in time")


def collected(run: Callable[..., Said], folder: Path, seconds: str, done: Callable[[], bool]) -> list[Said]:
    """Collect for so long, again where a busy machine needs longer; what was said each time."""
    said: list[Said] = []
    while not said or not done():
        assert len(said) < 10, said[-1]
        said.append(run("collect", folder, "--for", seconds))
        assert said[-1].code == 0
    return said


def test_collect_takes_what_is_there_and_ends_when_told(run: Callable[..., Said], folder: Path) -> None:
    said = collected(run, folder, "1", lambda: posts(folder) == 1)[-1]
    assert "new 1" in said.out
    assert "chat: listening" in said.err
    said = run("status", folder, "--json")
    (chat,) = said.json["sources"]
    assert (chat["name"], chat["source"], chat["state"]) == ("chat", "zoom", "stopped")
    assert chat["reason"] == "collecting was ended"
    again = run("collect", folder, "--for", "1", "--source", "chat")
    assert "new 0" in again.out


def test_collect_says_what_it_cannot_do(run: Callable[..., Said], folder: Path, tmp_path: Path) -> None:
    said = run("collect", folder, "--source", "x")
    assert (said.code, "there are chat" in said.err) == (2, True)
    assert run("collect", folder, "--for", "soon").code == 2
    (folder / "meeting.toml").write_text(MEETING, encoding="utf-8")
    for command in ("collect", "live", "refresh"):
        said = run(command, folder)
        assert (said.code, "[[sources]]" in said.err) == (2, True)
    assert not (folder / "m.db").exists(), "nothing half-written"


def test_a_source_without_its_token_is_stopped_and_the_others_go_on(
    run: Callable[..., Said],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("X_BEARER_TOKEN", raising=False)
    add_source(folder, 'kind = "x"\nbase_url = "http://127.0.0.1:9"')
    collected(run, folder, "1.5", lambda: posts(folder) == 1)
    sources = {source["name"]: source for source in run("status", folder, "--json").json["sources"]}
    assert sources["x"]["state"] == "stopped"
    assert "X_BEARER_TOKEN" in sources["x"]["reason"]


def test_a_secret_is_read_from_env_and_written_nowhere(
    run: Callable[..., Said],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("X_BEARER_TOKEN", raising=False)
    with XServer(("m2012",), token="s3cr3t-token") as server:
        server.post("Before anybody listened #m2012", created_at=datetime.now(UTC) - timedelta(minutes=5))
        add_source(folder, f'kind = "x"\nbase_url = "{server.url}"\nstall_after = 2')
        (folder / ".env").write_text("X_BEARER_TOKEN=s3cr3t-token\n", encoding="utf-8")
        said = collected(run, folder, "2", lambda: posts(folder) == 2)
        checked = run("check", folder)
        refreshed = run("refresh", folder)
        assert server.leaked == []
    assert refreshed.code == 0
    assert refreshed.out.splitlines()[0].startswith("chat: read 0")
    assert "rules" in checked.out
    for each in (*said, checked, refreshed):
        assert "s3cr3t" not in each.out + each.err
    for file in folder.iterdir():
        if file.is_file() and file.name != ".env":
            assert b"s3cr3t" not in file.read_bytes(), file.name


def test_check_asks_every_source(
    run: Callable[..., Said],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_source(folder, 'kind = "x"\nbase_url = "http://127.0.0.1:9"')
    monkeypatch.setenv("X_BEARER_TOKEN", "a-token")
    said = run("check", folder)
    assert said.code == 1
    lines = [line for line in said.out.splitlines() if "source x" in line]
    assert lines
    assert any(line.startswith("failed") for line in lines)
    assert "Traceback" not in said.out
    assert any("source chat" in line and line.startswith("ok") for line in said.out.splitlines())
    offline = run("check", folder, "--offline")
    assert offline.code == 0
    assert "not asked" in offline.out


def test_two_collectors_never_feed_one_archive(run: Callable[..., Said], folder: Path) -> None:
    command = [sys.executable, str(ROOT / "backchannel.py"), "collect", str(folder)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: posts(folder) == 1)
        said = run("collect", folder, "--for", "1")
        assert (said.code, "another collector" in said.err) == (1, True)
    finally:
        first.send_signal(signal.SIGTERM)
        out, err = first.communicate(timeout=20)
    assert first.returncode == 0, err
    assert "new 1" in out


def test_a_collector_that_is_told_to_ends_in_time(folder: Path) -> None:
    """The best of some times, since a busy machine may be slow."""
    command = [sys.executable, str(ROOT / "backchannel.py"), "collect", str(folder)]
    took: list[float] = []
    while not took or (min(took) >= 2.5 and len(took) < 5):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        with process.stderr as said:
            assert any("chat: listening" in line for line in said)
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            said.read()
        assert process.wait(20) == 0
        took.append(time.monotonic() - began)
    assert min(took) < 2.5


def test_the_lease_of_a_killed_collector_is_taken_over_at_once(
    run: Callable[..., Said],
    folder: Path,
) -> None:
    command = [sys.executable, str(ROOT / "backchannel.py"), "collect", str(folder)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: posts(folder) == 1)
    first.kill()
    first.wait()
    assert run("collect", folder, "--for", "0.5").code == 0
    gaps = run("status", folder, "--json").json["sources"][0]["gaps"]
    assert "the collector was not running" in [gap["cause"] for gap in gaps]


class Live:
    """``backchannel live`` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, str(ROOT / "backchannel.py"), "live", str(folder), "--no-browser"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said: list[str] = []
        self.thread = threading.Thread(target=self._read)
        self.thread.start()
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        self.thread.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


@pytest.fixture
def live(folder: Path) -> Iterator[Live]:
    running = Live(folder)
    yield running
    if running.process.poll() is None:
        running.stop()


def children(folder: Path, what: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if str(folder) in words and what in words:
                found.append(int(path.parent.name))
    return found


def test_live_collects_tags_and_shows_and_starts_again_what_dies(folder: Path, live: Live) -> None:
    assert live.address.startswith("Dashboard: http://127.0.0.1:")
    until(lambda: posts(folder) == 1)
    for what in ("collect", "tag"):
        (pid,) = children(folder, what)
        os.kill(pid, signal.SIGKILL)
        until(lambda what=what, pid=pid: children(folder, what) not in ([], [pid]))  # type: ignore[misc]
    with (folder / "chat" / "chat.txt").open("a", encoding="utf-8") as chat:
        chat.write(LINE.format(2, "second"))
    until(lambda: posts(folder) == 2)

    def tagged() -> bool:
        with closing(open_readonly(folder / "m.db")) as conn:
            return not conn.execute("SELECT 1 FROM posts WHERE tagged_at IS NULL").fetchall()

    until(tagged)
    assert live.stop() == 0
    said = "".join(live.said)
    assert "the collector was ended by signal 9; it is started again" in said
    assert "the tagger was ended by signal 9; it is started again" in said
    assert "chat: listening" in said
    assert "Traceback" not in said
    assert children(folder, "collect") == children(folder, "dashboard") == []
