"""A meeting with a source of every kind, all servers of which are fakes, and a collector as a process.

``act`` lets somebody somewhere say, change or delete something; ``strike`` lets something go wrong at a
server. ``differences`` compares the archive with what the servers know, post by post and word by word.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from analysis.measures.honesty import status
from archive.errors import ArchiveError
from archive.integrity import verify
from archive.meeting import load
from archive.reading import open_readonly
from archive.store import Archive
from archive.times import utc_now
from tests.fakes.bluesky import JetstreamServer, ReposServer
from tests.fakes.mastodon import MastodonServer
from tests.fakes.tool import ChatFolder, WebhookTool
from tests.fakes.x import XServer

ROOT = Path(__file__).parents[2]
PAUSE = threading.Event()  # never set
TOKEN = "a-token-of-the-tests"
TEXTS = (
    "Is the data open? #{tag}",
    "Agile at last, {number} #{tag}",
    "¿Y los datos abiertos? #{tag} {number}",
)

#: The steps of X's conversation that listening goes through.
X_STEPS = ("rules:", "connect:", "live:", "search:")


class World:
    """All servers, the folder with the meeting file, and at most one collector."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 1,
        jetstream: int = 2,
        quick: bool = True,
        tag: str = "sample2012",
        texts: Sequence[str] = TEXTS,
    ) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.quick = quick
        self.tag = tag
        self.texts = texts
        # Else a rate limit may take the whole run.
        self.x = XServer((tag,), token=TOKEN, far=90)
        self.mastodon = MastodonServer((tag,), token=TOKEN)
        self.bluesky: Any = ReposServer((tag,)) if jetstream == 0 else JetstreamServer(jetstream, (tag,))
        self.zoom = ChatFolder(folder / "zoom")
        port = _free_port()
        self.webhook = WebhookTool(f"http://127.0.0.1:{port}", TOKEN)
        self.servers: dict[str, Any] = {
            name: getattr(self, name) for name in ("x", "mastodon", "bluesky", "zoom", "webhook")
        }
        self.faults = {name: list(server.FAULTS) for name, server in self.servers.items()}
        self.faults["x"] = [fault for fault in XServer.FAULTS if fault.startswith(X_STEPS)]
        # A message beyond any limit is given up, and what it held with it: a loss, and recorded as one.
        self.faults["bluesky"].remove("giant")
        self.keys: dict[str, list[str]] = {name: [] for name in self.servers}
        self.number = 0
        self.collector: subprocess.Popen[bytes] | None = None
        self.log = folder / "collector.log"
        self.meeting_file = folder / "meeting.toml"
        self.meeting_file.write_text(self._meeting(port), encoding="utf-8")
        (folder / ".env").write_text(
            f"X_BEARER_TOKEN={TOKEN}\nMASTODON_TOKEN={TOKEN}\nBACKCHANNEL_WEBHOOK_TOKEN={TOKEN}\n",
            encoding="utf-8",
        )
        self.path = folder / "world.db"
        Archive.open(self.path, load(folder)).close()

    def __enter__(self) -> World:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End everything."""
        self.kill()
        for server in self.servers.values():
            server.close()

    # -- the collector -----------------------------------------------------------------------------

    def start(self) -> None:
        """Start a collector."""
        module = ["-m", "tests.fakes.quick_collector"] if self.quick else ["backchannel.py", "collect"]
        with self.log.open("ab") as log:
            self.collector = subprocess.Popen(
                [sys.executable, *module, str(self.folder)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.collector is not None:
            self.collector.kill()
            self.collector.wait()
            self.collector = None

    def stop(self, seconds: float = 20) -> float:
        """End it as Ctrl-C would; the seconds it took."""
        assert self.collector is not None
        began = time.monotonic()
        self.collector.send_signal(signal.SIGINT)
        assert self.collector.wait(seconds) == 0, self.log.read_text(encoding="utf-8")[-3000:]
        self.collector = None
        return time.monotonic() - began

    def wait_until_listening(self, seconds: float = 30) -> None:
        """Wait until every source listens; fails with what they say instead."""
        self._wait(lambda: all(s["state"] in ("listening", "catching_up") for s in self.sources()), seconds)

    def sources(self) -> list[dict[str, Any]]:
        """The sources as ``backchannel status`` shows them."""
        with closing(open_readonly(self.path)) as conn:
            found: list[dict[str, Any]] = status(conn, utc_now())["sources"]
        return found

    # -- what people and servers do ----------------------------------------------------------------

    def act(self) -> None:
        """Somebody somewhere says something, or changes or deletes what was said."""
        name = self.random.choice(list(self.servers))
        server, known = self.servers[name], self.keys[name]
        what = self.random.random()
        if known and what < 0.1 and name != "x":
            server.edit(self.random.choice(known), self._text())
        elif known and what < 0.15 and name not in ("x", "zoom"):
            # People take back what they said lately; what is older is asked for again by a refresh only.
            server.delete(known.pop(self.random.randrange(max(0, len(known) - 500), len(known))))
        else:
            known.append(server.post(self._text(), self._author()))

    def act_on_x(self) -> None:
        """Edits and deletions on X, which only a refresh brings."""
        known = self.keys["x"]
        if len(known) > 5:
            self.x.delete(known.pop(self.random.randrange(len(known))))

    def strike(self) -> tuple[str, str]:
        """Something goes wrong at a server; which, and what."""
        name = self.random.choice(list(self.servers))
        fault = self.random.choice(self.faults[name])
        self.servers[name].fault(fault)
        return name, fault

    def calm(self) -> None:
        """Nothing goes wrong any more: faults that found no occasion are taken back."""
        for server in self.servers.values():
            armed = getattr(server, "_armed", None) or getattr(server, "_faults", None)
            if armed:
                armed.clear()

    def _text(self) -> str:
        self.number += 1
        return self.random.choice(self.texts).format(tag=self.tag, number=self.number)

    def _author(self) -> str:
        return f"bc_{self.random.choice(('ana', 'luis', 'eva', 'noor', 'kofi'))}"

    # -- what came of it ---------------------------------------------------------------------------

    def truth(self) -> dict[str, str]:
        """Every post that is there now, by key, with its newest text."""
        return {key: text for server in self.servers.values() for key, text in server.truth().items()}

    def archived(self) -> dict[str, str]:
        """The same of the archive."""
        with closing(open_readonly(self.path)) as conn:
            return {row[0]: row[1] for row in conn.execute("SELECT key, text FROM posts")}

    def differences(self, seconds: float = 60) -> list[str]:
        """What still differs after so many seconds; empty as soon as nothing does."""
        self._settle()
        until = time.monotonic() + seconds
        found = ["not compared yet"]
        while found and time.monotonic() < until:
            PAUSE.wait(0.2)
            found = _compared(self.truth(), self.archived())
        return found

    def _settle(self) -> None:
        finish = getattr(self.zoom, "finish", None)
        if finish is not None:
            finish()
        self.webhook.flush()

    def problems(self) -> list[str]:
        """What ``verify`` finds, and every second since the first that the ledger says nothing of."""
        found = list(verify(self.path))
        with closing(open_readonly(self.path)) as conn:
            rows = conn.execute(
                "SELECT name, started_at, ended_at FROM coverage ORDER BY name, started_at, id"
            ).fetchall()
        reached: dict[str, str] = {}
        for name, started_at, ended_at in rows:
            if name in reached and started_at > reached[name]:
                found.append(f"{name}: nothing is said of {reached[name]} to {started_at}")
            reached[name] = max(reached.get(name, ""), ended_at or "9999")
        return found

    def unexplained(self, seconds: float = 60) -> list[Any]:
        """Gaps that nobody has refilled or given up after so many seconds."""
        until = time.monotonic() + seconds
        while True:
            with closing(open_readonly(self.path)) as conn:
                rows = conn.execute(
                    "SELECT name, started_at, ended_at, cause FROM coverage WHERE backfilled IS NULL "
                    "AND state NOT IN ('listening', 'catching_up') AND ended_at IS NOT NULL"
                ).fetchall()
            if not rows or time.monotonic() > until:
                return [tuple(row) for row in rows]
            PAUSE.wait(0.2)

    def _wait(self, done: Any, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if done():
                    return
            except ArchiveError:
                pass
            PAUSE.wait(0.05)
        raise AssertionError([*self.sources(), self.log.read_text(encoding="utf-8")[-3000:]])

    def _meeting(self, port: int) -> str:
        now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        return f"""\
[meeting]
slug = "world"
title = "A meeting of the tests"
hashtags = ["{self.tag}"]
starts = {(now - timedelta(minutes=1)).isoformat()}
ends = {(now + timedelta(days=1)).isoformat()}
timezone = "UTC"
[[themes]]
slug = "open-data"
title = "Open data"
keywords = {{ en = ["open data", "data"], es = ["datos abiertos"] }}
[[sources]]
kind = "x"
base_url = "{self.x.url}"
stall_after = 2
[[sources]]
kind = "mastodon"
base_url = "{self.mastodon.url}"
stall_after = 3
[[sources]]
kind = "bluesky"
base_url = "{self.bluesky.url}"
stall_after = 3
[[sources]]
kind = "folder"
name = "zoom"
path = "zoom/"
format = "zoom"
date = {now.date().isoformat()}
[[sources]]
kind = "webhook"
listen = "127.0.0.1:{port}"
"""


def _compared(truth: dict[str, str], archived: dict[str, str]) -> list[str]:
    lost = [f"lost {key}: {truth[key]!r}" for key in sorted(truth.keys() - archived.keys())]
    kept = [f"kept {key}: {archived[key]!r}" for key in sorted(archived.keys() - truth.keys())]
    other = [
        f"{key}: {archived[key]!r} instead of {truth[key]!r}"
        for key in sorted(truth.keys() & archived.keys())
        if truth[key] != archived[key]
    ]
    return lost + kept + other


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
