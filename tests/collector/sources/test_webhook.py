"""The webhook with a tool that posts to it: every fault, states, stop, check; and the example of the docs."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from archive.store import Archive
from archive.vocabulary import Item, Meeting, Received, SourceSpec
from collector import loop
from collector.sources import webhook, webhook_server
from collector.sources.base import (
    Acknowledge,
    Connected,
    Gap,
    Heard,
    Lost,
    Refilled,
    Refused,
    Setup,
    Signal,
    Unavailable,
)
from collector.sources.webhook import WebhookFeed
from collector.sources.webhook_server import Endpoint, Limits
from tests.fakes.tool import WebhookTool

TOKEN = "a token that nobody guesses"
PATIENCE = 20.0  # seconds
DOCS = Path(__file__).parents[3] / "docs" / "meeting-tool.md"


@pytest.fixture(autouse=True)
def unforced(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the server may take its time to end: it is to do so by itself all the same."""
    if "in_time" not in request.node.name:
        monkeypatch.setattr(webhook_server, "_BY_ITSELF", PATIENCE)


class NoShelf:
    def recent_ids(self, source: str, since: datetime) -> list[str]:
        return []

    def recent_aliases(self, source: str, since: datetime) -> list[str]:
        return []


@pytest.fixture
def setup(tmp_path: Path, meeting: Meeting) -> Callable[..., Setup]:
    def make(listen: str = "127.0.0.1:0", token: str | None = TOKEN) -> Setup:
        settings = {"listen": listen, "token_env": "HOOK"}
        spec = SourceSpec(kind="webhook", name="hook", arm="remote", settings=settings)
        secrets = {} if token is None else {"HOOK": token}
        return Setup(spec, meeting, tmp_path, secrets, NoShelf(), lambda: datetime.now(UTC))

    return make


class Driver:
    """The smallest loop there is: writes up to each ``Acknowledge``, then acknowledges."""

    def __init__(self, archive: Archive | None, feed: WebhookFeed) -> None:
        self.archive = archive
        self.feed = feed
        self.signals: list[Signal] = []
        self._connected = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Driver:
        self._thread.start()
        assert self._connected.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self.feed.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        batch: list[Item] = []
        for signal in self.feed.listen(None):
            self.signals.append(signal)
            match signal:
                case Connected():
                    self._connected.set()
                case Acknowledge(done):
                    if self.archive is not None:
                        self.archive.write(batch)
                        done()
                    batch.clear()
                case Heard():
                    pass
                case _:
                    batch.append(signal)  # type: ignore[arg-type]


@contextmanager
def _archive(tmp_path: Path, meeting: Meeting) -> Iterator[Archive]:
    with Archive.open(tmp_path / "sample.db", meeting) as archive:
        yield archive


def stored(archive: Archive) -> dict[str, str]:
    return {row[0]: row[1] for row in archive.conn.execute("SELECT key, text FROM posts")}


@pytest.mark.parametrize("fault", WebhookTool.FAULTS)
def test_a_fault_changes_nothing(
    fault: str, tmp_path: Path, meeting: Meeting, setup: Callable[..., Setup]
) -> None:
    feed = WebhookFeed(setup())
    with (
        _archive(tmp_path, meeting) as archive,
        Driver(archive, feed),
        WebhookTool(feed.url, TOKEN) as tool,
    ):
        keys = [tool.post(f"Message {number}") for number in range(3)]
        tool.fault(fault, 2)
        keys.append(tool.post("Meanwhile", "bc_luis", reply_to=keys[0]))
        tool.edit(keys[1], "Message 1, corrected")
        tool.fault(fault)
        tool.delete(keys[2])
        tool.post_many([f"after {number}" for number in range(20)])
        assert tool.flush()
        assert stored(archive) == tool.truth()
        dump = "\n".join(archive.conn.iterdump())
        assert "a secret" not in dump and TOKEN not in dump
        assert {200, *tool.answers} <= {200, 400, 401, 413, 422}


def test_nothing_is_lost_while_nobody_listens(
    tmp_path: Path, meeting: Meeting, setup: Callable[..., Setup]
) -> None:
    feed = WebhookFeed(setup())
    with _archive(tmp_path, meeting) as archive, Driver(archive, feed):
        address = feed.url.removeprefix("http://")
    with _archive(tmp_path, meeting) as archive, WebhookTool(f"http://{address}", TOKEN) as tool:
        for number in range(10):
            tool.post(f"to nobody {number}")
        for _ in range(3):
            with Driver(archive, WebhookFeed(setup(address))):
                tool.post("to somebody")
                tool.flush(0.05)
            tool.post("to nobody again")
        with Driver(archive, WebhookFeed(setup(address))):
            assert tool.flush()
            assert stored(archive) == tool.truth()


def test_the_conversation(setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "BEAT", 0.02)
    feed = WebhookFeed(setup())
    assert feed.label == "webhook"
    signals = feed.listen(None)
    assert next(signals) == Connected()
    assert next(signals) == Heard() and next(signals) == Heard()
    answers: list[requests.Response] = []
    headers = {"Authorization": f"Bearer {TOKEN}"}
    value = {"id": 1, "author": "Ana", "text": "Hello"}

    def send() -> None:
        answers.append(requests.post(f"{feed.url}/posts", json=value, headers=headers, timeout=PATIENCE))

    sender = threading.Thread(target=send)
    sender.start()
    heard = list(_until_acknowledge(signals))
    assert [item.post.text for item in heard if isinstance(item, Received)] == ["Hello"]
    # Nobody is told anything before it is stored.
    sender.join(0.1)
    assert sender.is_alive() and not answers
    acknowledge = heard[-1]
    assert isinstance(acknowledge, Acknowledge)
    acknowledge.done()
    sender.join(PATIENCE)
    assert answers[0].json() == {
        "accepted": 1,
        "items": [{"outcome": "stored", "id": "1", "key": "webhook:1"}],
    }
    feed.close()
    feed.close()
    assert [signal for signal in signals if not isinstance(signal, Heard)] == []
    acknowledge.done()  # late, and harmless
    assert list(feed.listen(None)) == [Connected()]


def _until_acknowledge(signals: Iterator[Signal]) -> Iterator[Signal]:
    for signal in signals:
        yield signal
        if isinstance(signal, Acknowledge):
            return


def test_what_is_not_stored_is_not_accepted(setup: Callable[..., Setup]) -> None:
    feed = WebhookFeed(setup(), Limits(commit=0.1, waiting=4))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with Driver(None, feed):
        answer = requests.post(
            f"{feed.url}/posts", json={"author": "Ana", "text": "Hello"}, headers=headers, timeout=PATIENCE
        )
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0


def test_who_waits_when_it_stops_is_told_to_come_again(setup: Callable[..., Setup]) -> None:
    feed = WebhookFeed(setup(), Limits(leave=0.1))
    answers: list[int] = []

    def send() -> None:
        value = {"author": "Ana", "text": "Hello"}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answers.append(
            requests.post(f"{feed.url}/posts", json=value, headers=headers, timeout=PATIENCE).status_code
        )

    sender = threading.Thread(target=send)
    with Driver(None, feed) as driver:
        sender.start()
        while not any(isinstance(signal, Acknowledge) for signal in driver.signals):
            sender.join(0.01)
    sender.join(PATIENCE)
    assert answers == [503]


def test_a_commit_while_it_stops_is_still_told(
    setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = WebhookFeed(setup())
    signals = feed.listen(None)
    next(signals)
    answers: list[int] = []

    def send() -> None:
        value = {"author": "Ana", "text": "Hello"}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        answers.append(
            requests.post(f"{feed.url}/posts", json=value, headers=headers, timeout=PATIENCE).status_code
        )

    sender = threading.Thread(target=send)
    sender.start()
    acknowledge = list(_until_acknowledge(signals))[-1]
    assert isinstance(acknowledge, Acknowledge)
    leave = Endpoint._leave

    def commit_meanwhile(endpoint: Endpoint) -> None:
        leave(endpoint)
        acknowledge.done()

    monkeypatch.setattr(Endpoint, "_leave", commit_meanwhile)
    feed.close()
    assert list(signals) == []
    sender.join(PATIENCE)
    assert answers == [200]


def test_it_ends_in_time_whoever_is_there(setup: Callable[..., Setup]) -> None:
    """Within what the loop gives its sources: the best of some times, since a busy machine may be slow."""
    head = f"POST /posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 99\r\n\r\n"
    took: list[float] = []
    while not took or (min(took) >= loop.STOPPING and len(took) < 10):
        feed = WebhookFeed(setup())
        with Driver(None, feed):
            address = urlsplit(feed.url)
            place = (str(address.hostname), address.port or 0)
            with requests.Session() as idle, socket.create_connection(place, PATIENCE) as slow:
                assert idle.get(f"{feed.url}/health", timeout=PATIENCE).ok
                slow.sendall(head.encode() + b'{"author"')
                began = time.monotonic()
                feed.close()
                with suppress(ConnectionError):
                    while slow.recv(65_536):
                        pass
        took.append(time.monotonic() - began)
    assert min(took) < loop.STOPPING


def test_without_a_token_nothing_listens(setup: Callable[..., Setup]) -> None:
    for token in (None, "  "):
        with pytest.raises(Refused, match="no HOOK in the environment"):
            next(WebhookFeed(setup(token=token)).listen(None))


def test_a_taken_port_says_what_to_do(setup: Callable[..., Setup]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(Unavailable, match="name another port with listen"):
            next(WebhookFeed(setup(address)).listen(None))
    with pytest.raises(Unavailable, match="mend listen"):
        next(WebhookFeed(setup("no.such.host.invalid:8600")).listen(None))


def test_a_server_that_ends_by_itself_is_lost(
    setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "BEAT", 0.01)
    monkeypatch.setattr(Endpoint, "is_running", lambda self: False)
    signals = WebhookFeed(setup()).listen(None)
    next(signals)
    with pytest.raises(Lost, match="ended by itself"):
        next(signals)


def test_nothing_to_refill_or_refresh(setup: Callable[..., Setup]) -> None:
    now = datetime.now(UTC)
    feed = webhook.open_feed(setup())
    (refilled,) = feed.refill(Gap(now, now))
    assert isinstance(refilled, Refilled) and refilled.by == "nothing" and refilled.lost
    assert list(feed.refresh(now)) == []


def states(feed: WebhookFeed) -> dict[str, str]:
    return {finding.state: finding.text for finding in feed.check()}


def test_check(setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_PROBE_SECONDS", PATIENCE)
    assert list(states(WebhookFeed(setup()))) == ["ok"]
    assert "put it there" in states(WebhookFeed(setup(token=None)))["failed"]
    assert "shorter than" in states(WebhookFeed(setup(token="short")))["warning"]
    assert "other machines" in states(WebhookFeed(setup("0.0.0.0:0")))["warning"]
    assert "warning" not in states(WebhookFeed(setup("localhost:0")))
    assert "other machines" in states(WebhookFeed(setup("no.such.host.invalid:0")))["warning"]
    feed = WebhookFeed(setup())
    with Driver(None, feed):
        again = WebhookFeed(setup(feed.url.removeprefix("http://")))
        assert "a collector listens there already" in states(again)["ok"]
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(PATIENCE)
        closer = threading.Thread(target=lambda: other.accept()[0].close())
        closer.start()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        assert "stop what uses it" in states(WebhookFeed(setup(address)))["failed"]
        closer.join()


def test_ipv6(setup: Callable[..., Setup]) -> None:
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6) as probe:
        address = f"[::1]:{probe.getsockname()[1]}"
        probe.close()
        feed = WebhookFeed(setup(address))
        with Driver(None, feed):
            assert feed.url == f"http://{address}"
            assert requests.get(f"{feed.url}/health", timeout=PATIENCE).json() == {"status": "listening"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_of_the_docs_works(tmp_path: Path, meeting: Meeting, setup: Callable[..., Setup]) -> None:
    (bot,) = (block for block in blocks("python") if "def tell" in block)
    (curl,) = (block for block in blocks("sh") if "curl" in block)
    feed = WebhookFeed(setup())
    with _archive(tmp_path, meeting) as archive, Driver(archive, feed):
        environment = {"BACKCHANNEL_WEBHOOK_TOKEN": TOKEN, "PATH": "/usr/bin:/bin"}
        script = bot.replace("http://127.0.0.1:8600", feed.url)
        said = '{"id": "m1", "from": "Ana", "body": "Is the data open?"}\n'
        subprocess.run(
            [sys.executable, "-c", script],
            input=said + said,
            text=True,
            check=True,
            timeout=60,
            env=environment,
        )
        assert stored(archive) == {"webhook:m1": "Is the data open?"}
        line = curl.replace("http://127.0.0.1:8600", feed.url)
        done = subprocess.run(
            ["/bin/sh", "-c", line], env=environment, check=False, capture_output=True, timeout=60
        )
        if b"curl" not in done.stderr or b"not found" not in done.stderr:
            assert b'"accepted":1' in done.stdout, done.stderr
            assert len(stored(archive)) == 2
