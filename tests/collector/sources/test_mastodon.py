"""Mastodon against a server that fails at every step: the archive ends as what the server has."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.collecting import Shelf
from archive.errors import UsageError
from archive.store import Archive
from archive.vocabulary import Deleted, Meeting, Private, Received, SourceSpec, Unmapped
from collector.sources import mastodon
from collector.sources.base import (
    Connected,
    Gap,
    IfKnown,
    Limited,
    Lost,
    Refilled,
    Refused,
    Setup,
    SourceError,
    Unavailable,
)
from collector.sources.mastodon_wire import Client
from tests.fakes.mastodon import CONNECT_FAULTS, PAGE_FAULTS, STREAM_FAULTS, TOKEN, MastodonServer

PATIENCE = 20.0
SECRET = "a secret"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def server() -> Iterator[MastodonServer]:
    with MastodonServer(heartbeat=0.1) as opened:
        yield opened


@pytest.fixture
def setup_of(archive: Archive, meeting: Meeting, tmp_path: Path) -> Callable[..., Setup]:
    """The setup of a source that listens to a server; keywords are settings."""

    def make(server: MastodonServer, token: str | None = TOKEN, **given: Any) -> Setup:
        values = {"base_url": server.url, "token_env": "MASTODON_TOKEN", "stall_after": 10, **given}
        spec = SourceSpec(kind="mastodon", name="m", arm="public", settings=values)
        secrets = {"MASTODON_TOKEN": token} if token else {}
        return Setup(spec, meeting, tmp_path, secrets, Shelf(archive.path), now)

    return make


class Driver:
    """A small loop: listens, connects again without waiting, refills each gap, writes to the archive."""

    def __init__(self, feed: mastodon.MastodonFeed, archive: Archive, beside: Driver | None = None) -> None:
        self.feed = feed
        self.archive = archive
        self.errors: list[SourceError] = []
        self.refills: list[Refilled] = []
        self._heard_at = now() - timedelta(minutes=1)
        self._first = True
        # Those who write to one archive take turns.
        self._changed = beside._changed if beside else threading.Condition()
        self._gaps: queue.Queue[Gap | None] = queue.Queue()
        self._stopped = False
        self._threads = [threading.Thread(target=work) for work in (self._run, self._refill_all)]
        self.bug: Exception | None = None

    def __enter__(self) -> Driver:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._gaps.put(None)
        self.feed.close()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        if self.bug is not None:
            raise self.bug

    def texts(self) -> dict[str, str]:
        with self._changed:
            return dict(self.archive.conn.execute("SELECT key, text FROM posts"))

    def wait_for(self, wanted: Callable[[], bool], what: str = "what was awaited") -> None:
        with self._changed:
            assert self._changed.wait_for(wanted, PATIENCE), (what, self.errors, self.bug)

    def wait_for_truth(self, *servers: MastodonServer) -> None:
        truth: dict[str, str] = {}
        found: dict[str, str] = {}

        def is_true() -> bool:
            truth.clear()
            found.clear()
            truth.update(item for server in servers for item in server.truth().items())
            found.update(self.archive.conn.execute("SELECT key, text FROM posts").fetchall())
            return found == truth

        try:
            self.wait_for(is_true, "the archive as the server has it")
        except AssertionError:
            assert found == truth  # says what is missing
            raise

    def _run(self) -> None:
        while not self._stopped:
            try:
                for signal in self.feed.listen(None):
                    self._take(signal)
                    if isinstance(signal, Connected):
                        gap = Gap(self._heard_at, now(), first=self._first)
                        self._first = False
                        self._gaps.put(gap)
                    self._heard_at = now()
            except SourceError as error:
                self._note(error)
            except Exception as bug:
                self.bug = bug
                return

    def _refill_all(self) -> None:
        """One gap after the other, each stored before the next is asked for, as the collector does it.

        Two at once would not know of each other's posts: what one has read and not stored yet, the other
        cannot ask for again, and nobody would hear that it was deleted meanwhile.
        """
        while (gap := self._gaps.get()) is not None:
            self._refill(gap)

    def _refill(self, gap: Gap) -> None:
        while not self._stopped:
            try:
                items: list[Any] = []
                try:
                    items.extend(self.feed.refill(gap))
                finally:
                    self._take(*items)
                return
            except SourceError as error:
                self._note(error)
            except Exception as bug:
                self.bug = bug
                return

    def _take(self, *signals: Any) -> None:
        with self._changed:
            known = [
                signal.item
                for signal in signals
                if isinstance(signal, IfKnown) and self.archive.known([signal.key])
            ]
            self.refills += [signal for signal in signals if isinstance(signal, Refilled)]
            items = [item for item in signals if isinstance(item, Received | Deleted | Unmapped | Private)]
            if items or known:
                self.archive.write([*items, *known])
            self._changed.notify_all()

    def _note(self, error: SourceError) -> None:
        with self._changed:
            if not self._stopped:
                self.errors.append(error)
            self._changed.notify_all()


@pytest.fixture
def drive(archive: Archive, setup_of: Callable[..., Setup], tmp_path: Path) -> Callable[..., Driver]:
    def make(server: MastodonServer, fault: str = "", beside: Driver | None = None) -> Driver:
        stall_after = 1 if "silen" in fault else 10
        return Driver(mastodon.open_feed(setup_of(server, stall_after=stall_after)), archive, beside)

    return make


# -- every fault at every step ---------------------------------------------------------------------


@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_a_stream_that_fails(fault: str, server: MastodonServer, drive: Callable[..., Driver]) -> None:
    early = server.post("Before anybody listened #sample2012")
    with drive(server, fault) as driver:
        driver.wait_for_truth(server)
        for step in range(4):  # before a post, an edit, a deletion, a boost
            server.wait_for_listeners()
            server.fault(fault)
            match step:
                case 0:
                    early = server.post("One & <two>\nthree #sample2012")
                case 1:
                    server.edit(early, "Mended #Sample2012")
                case 2:
                    server.delete(early)
                case 3:
                    server.post("", author="bc_ben", repost_of=server.post("Boosted #sample2012"))
            driver.wait_for(lambda: server.struck[fault] > step, fault)  # noqa: B023
            driver.wait_for_truth(server)
    assert SECRET not in dump(driver.archive)


@pytest.mark.parametrize("fault", CONNECT_FAULTS)
def test_a_server_that_refuses_to_begin(
    fault: str, server: MastodonServer, drive: Callable[..., Driver]
) -> None:
    server.fault(fault, times=2)
    server.post("Before anybody listened #sample2012")
    with drive(server, fault) as driver:
        driver.wait_for_truth(server)
        server.post("And after #sample2012")
        driver.wait_for_truth(server)
    kinds = {
        "connect_401": Refused,
        "connect_403": Refused,
        "connect_429": Limited,
        "connect_closed": Lost,
        "connect_silent": Lost,
    }
    expected = [] if fault == "connect_empty" else [kinds.get(fault, Unavailable)] * 2
    assert [type(error) for error in driver.errors][:2] == expected
    assert TOKEN not in repr(driver.errors)


@pytest.mark.parametrize("fault", PAGE_FAULTS)
def test_a_timeline_that_fails(fault: str, server: MastodonServer, drive: Callable[..., Driver]) -> None:
    server.post_many(f"Post {number} #sample2012" for number in range(50))
    times = 1 if "silen" in fault else 2
    with drive(server, fault) as driver:
        driver.wait_for_truth(server)
        known = sorted(server.truth())
        for round_ in range(3):
            server.wait_for_listeners()
            server.fault("cut")
            server.post("Nobody hears this #sample2012")
            driver.wait_for(lambda: server.struck["cut"] > round_)  # noqa: B023
            server.edit(known[3 * round_], "Edited in the gap #sample2012", delivered=False)
            server.delete(known[3 * round_ + 1], delivered=False)
            server.fault(fault, times=times)
            driver.wait_for_truth(server)
            driver.wait_for(lambda: len(driver.refills) > round_ + 1)  # noqa: B023
    assert server.struck[fault] == 3 * times
    assert all(refilled.lost is None for refilled in driver.refills)
    assert SECRET not in dump(driver.archive)


def test_all_faults_at_once(server: MastodonServer, drive: Callable[..., Driver]) -> None:
    faults = [name for name in server.FAULTS if "silen" not in name]
    with drive(server) as driver:
        keys = [server.post("First #sample2012")]
        for number, fault in enumerate(faults):
            server.fault(fault)
            keys.append(server.post(f"Post {number} #sample2012"))
            server.edit(keys[number // 2], f"Edited {number} #sample2012")
        for key in keys[::3]:
            server.delete(key)
        driver.wait_for_truth(server)


def dump(archive: Archive) -> str:
    tables = ("posts", "raw", "versions", "quarantine")
    return repr([archive.conn.execute(f"SELECT * FROM {table}").fetchall() for table in tables])


# -- identity --------------------------------------------------------------------------------------


def test_two_instances_show_one_post(archive: Archive, drive: Callable[..., Driver]) -> None:
    with (
        MastodonServer(heartbeat=0.1) as home,
        MastodonServer(home="other.example", heartbeat=0.1) as away,
        drive(home) as here,
        drive(away, beside=here),
    ):
        home.wait_for_listeners()
        away.wait_for_listeners()
        shared = home.share(home.post("Seen twice #sample2012"), away)
        gone = home.share(home.post("Gone #sample2012"), away)
        away.post("Only here #sample2012")
        home.edit(shared, "Seen twice, edited #sample2012")
        here.wait_for_truth(home, away)
        home.delete(gone)
        here.wait_for_truth(home, away)
        wanted = {
            f"mastodon:{each.url.removeprefix('http://')}/{each.id_of(shared)}" for each in (home, away)
        }

        def is_known_at_both() -> bool:
            names = archive.conn.execute("SELECT alias FROM aliases WHERE key = ?", [shared])
            return {name for (name,) in names} == wanted

        # What one of them tells is the truth already; the other may still be on its way.
        here.wait_for(is_known_at_both, "the post's names at both instances")


OPERATIONS = ("create", "edit one", "edit two", "delete")


@given(order=st.permutations(OPERATIONS), doubled=st.sampled_from(OPERATIONS))
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_order_ends_the_same(
    order: list[str], doubled: str, told: dict[str, Any], meeting: Meeting, tmp_path_factory: Any
) -> None:
    for names in ([*order, doubled], [name for name in [*order, doubled] if name != "delete"]):
        folder = tmp_path_factory.mktemp("order")
        with Archive.open(folder / "order.db", meeting) as archive:
            for name in names:
                archive.write([told[name]])
            texts = [row[0] for row in archive.conn.execute("SELECT text FROM posts")]
        assert texts == ([] if "delete" in names else ["edit two #sample2012"])


@pytest.fixture
def told(server: MastodonServer, setup_of: Callable[..., Setup]) -> dict[str, Any]:
    """What a stream says of one post, within one second, and what a timeline says of it at last."""
    feed = mastodon.open_feed(setup_of(server))
    signals = feed.listen(None)
    for signal in signals:
        if isinstance(signal, Connected):
            break
    key = server.post("create #sample2012")
    for text in ("edit one #sample2012", "edit two #sample2012"):
        server.edit(key, text)
    server.delete(key)
    items = [signal for signal in signals_until(signals, Deleted) if isinstance(signal, Received | Deleted)]
    signals.close()
    return dict(zip(OPERATIONS, items, strict=True))


def signals_until(signals: Iterator[Any], kind: type) -> Iterator[Any]:
    for signal in signals:
        yield signal
        if isinstance(signal, kind):
            return


def test_stream_timeline_and_question_make_the_same_row(
    server: MastodonServer, setup_of: Callable[..., Setup], meeting: Meeting, tmp_path: Path
) -> None:
    feed = mastodon.open_feed(setup_of(server))
    signals = feed.listen(None)
    assert any(isinstance(signal, Connected) for signal in itertools.islice(signals, 5))
    answered = server.post("A question? #sample2012")
    server.edit(
        server.post("An answer #sample2012", reply_to=answered, indexable=False), "Better #sample2012"
    )
    streamed = list(itertools.islice((signal for signal in signals if isinstance(signal, Received)), 3))
    signals.close()
    gap = Gap(now() - timedelta(minutes=1), now())
    asked = [signal for signal in feed.refill(gap) if isinstance(signal, Received)]
    rows = []
    for number, items in enumerate(
        itertools.islice(itertools.permutations([*streamed, *asked]), 0, None, 13)
    ):
        with Archive.open(tmp_path / f"{number}.db", meeting) as archive:
            archive.write(items)
            columns = "key, text, reply_to, flags, edited_at, observed_at, payload_hash"
            rows.append(archive.conn.execute(f"SELECT {columns} FROM posts ORDER BY key").fetchall())
    assert len(asked) == 2
    assert all(row == rows[0] for row in rows)
    assert rows[0][1][3] == "not_indexable"
    assert rows[0][1][2] == f"mastodon:{server.url.removeprefix('http://')}/{server.id_of(answered)}"


# -- refilling -------------------------------------------------------------------------------------


def refill(feed: mastodon.MastodonFeed, gap: Gap) -> tuple[list[Any], Refilled]:
    *signals, last = feed.refill(gap)
    assert isinstance(last, Refilled)
    return [signal for signal in signals if isinstance(signal, Received | Deleted | Unmapped)], last


def test_a_refill_reads_back_to_the_gap_and_no_further(
    server: MastodonServer, setup_of: Callable[..., Setup]
) -> None:
    for hours in range(300):
        server.post("Long ago #sample2012", created_at=now() - timedelta(hours=400 - hours))
    server.post("Just before #sample2012", created_at=now() - timedelta(minutes=20))
    key = server.post("In the gap #sample2012")
    feed = mastodon.open_feed(setup_of(server))
    items, refilled = refill(feed, Gap(now() - timedelta(minutes=5), now()))
    assert items[0].post.key == key
    assert len(items) == 80
    assert (refilled.by, refilled.lost, refilled.again) == ("timeline", None, 20.0)
    items, _ = refill(feed, Gap(now() - timedelta(minutes=5), now(), first=True))
    assert [item.post.key for item in items] == [key]


def test_a_second_refill_is_not_asked_for_again(
    server: MastodonServer, setup_of: Callable[..., Setup]
) -> None:
    feed = mastodon.open_feed(setup_of(server))
    gap = Gap(now() - timedelta(minutes=5), now())
    assert [refill(feed, gap)[1].again for _ in range(2)] == [20.0, None]
    assert refill(feed, Gap(now() - timedelta(hours=5), now() - timedelta(hours=4)))[1].again is None


def test_a_limit_in_the_middle_of_paging(server: MastodonServer, setup_of: Callable[..., Setup]) -> None:
    keys = server.post_many(f"Post {number} #sample2012" for number in range(150))
    feed = mastodon.open_feed(setup_of(server))
    gap = Gap(now() - timedelta(minutes=5), now())
    got: list[str] = []
    with pytest.raises(Limited) as limited:
        for signal in feed.refill(gap):
            if isinstance(signal, Received):
                got.append(signal.post.key)
                if len(got) == 75:
                    server.reset = now() + timedelta(hours=3)
                    server.fault("page_429")
    assert limited.value.until == server.reset
    asked_before = server.requests["/api/v1/timelines/tag/sample2012"]
    got += [item.post.key for item in refill(feed, gap)[0]]
    assert sorted(got) == sorted(keys)
    assert server.requests["/api/v1/timelines/tag/sample2012"] - asked_before == 3


@pytest.mark.parametrize("reset", [None, "nonsense", "2001-01-01T00:00:00Z", "99999999999999999999"])
def test_any_reset(reset: str | None, server: MastodonServer, setup_of: Callable[..., Setup]) -> None:
    server.reset = reset
    server.fault("connect_429")
    with pytest.raises(Limited):
        list(mastodon.open_feed(setup_of(server)).listen(None))


@pytest.mark.parametrize("batches", [True, False])
def test_edits_and_deletions_that_nobody_told(
    batches: bool, archive: Archive, setup_of: Callable[..., Setup]
) -> None:
    with MastodonServer(batches=batches) as server:
        keys = server.post_many(f"Post {number} #sample2012" for number in range(50))
        feed = mastodon.open_feed(setup_of(server))
        gap = Gap(now() - timedelta(minutes=5), now())
        archive.write(refill(feed, gap)[0])
        for key in keys[:5]:
            server.edit(key, "Without the hashtag", delivered=False)
        for key in keys[5:10]:
            server.delete(key, delivered=False)
        archive.write([item for item in feed.refresh(gap.starts) if isinstance(item, Received | Deleted)])
        texts = dict(archive.conn.execute("SELECT key, text FROM posts"))
        assert len(texts) == 45
        assert [texts[key] for key in keys[:5]] == ["Without the hashtag"] * 5
        assert not set(texts).intersection(keys[5:10])


def test_what_is_not_asked_for_again_is_said(
    server: MastodonServer, setup_of: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch, archive: Archive
) -> None:
    monkeypatch.setattr(mastodon, "RECHECKED", 20)
    server.post_many(f"Post {number} #sample2012" for number in range(30))
    feed = mastodon.open_feed(setup_of(server))
    archive.write(refill(feed, Gap(now() - timedelta(minutes=5), now()))[0])
    _, refilled = refill(feed, Gap(now() - timedelta(minutes=4), now()))
    assert refilled.lost == "edits and deletions of 10 older posts, which were not asked for again"


# -- hashtags, tokens, closing ---------------------------------------------------------------------


def test_several_hashtags(archive: Archive, setup_of: Callable[..., Setup]) -> None:
    with MastodonServer(("sample2012", "otro"), heartbeat=0.1) as server:
        setup = setup_of(server)
        both = replace(setup.meeting, hashtags=("sample2012", "otro"))
        feed = mastodon.open_feed(replace(setup, meeting=both))
        with Driver(feed, archive) as driver:
            server.wait_for_listeners(2)
            for text in ("#otro", "#sample2012", "#otro and #sample2012"):
                server.post(text)
            driver.wait_for_truth(server)
            server.fault("end")
            server.post("Nobody hears this #sample2012")
            driver.wait_for_truth(server)
            server.wait_for_listeners(2)


def test_no_token(server: MastodonServer, setup_of: Callable[..., Setup]) -> None:
    feed = mastodon.open_feed(setup_of(server, token=None))
    with pytest.raises(Refused, match="MASTODON_TOKEN"):
        list(feed.listen(None))
    assert not server.requests
    assert [finding.state for finding in feed.check()] == ["ok", "failed"]


def test_a_wrong_token(server: MastodonServer, setup_of: Callable[..., Setup]) -> None:
    feed = mastodon.open_feed(setup_of(server, token="bc-wrong"))
    with pytest.raises(Refused, match="The access token is invalid") as refused:
        list(feed.listen(None))
    assert "bc-wrong" not in str(refused.value)
    *_, finding = feed.check()
    assert finding.state == "failed"
    assert "read:statuses" in finding.text


@pytest.mark.parametrize(
    "streaming", ["wss://elsewhere.example", "ws://localhost:1", "wss://[", "gopher://x", "x"]
)
def test_the_token_goes_to_its_own_host_only(streaming: str, setup_of: Callable[..., Setup]) -> None:
    with MastodonServer(streaming=streaming) as server:
        with pytest.raises(Unavailable):
            list(mastodon.open_feed(setup_of(server)).listen(None))
        assert server.requests["/api/v1/streaming/hashtag"] == 0


@pytest.mark.parametrize("base_url", ["", "ftp://x.example", "https://", "words"])
def test_an_address_that_is_none(
    base_url: str, server: MastodonServer, setup_of: Callable[..., Setup]
) -> None:
    with pytest.raises(UsageError, match="base_url"):
        mastodon.open_feed(setup_of(server, base_url=base_url))


def test_close_ends_what_waits(server: MastodonServer, setup_of: Callable[..., Setup]) -> None:
    server.heartbeat = 60
    feed = mastodon.open_feed(setup_of(server, stall_after=60))
    connected = threading.Event()
    ended: list[list[Any]] = []

    def listen() -> None:
        signals = []
        for signal in feed.listen(None):
            signals.append(signal)
            connected.set()
        ended.append(signals)

    thread = threading.Thread(target=listen)
    thread.start()
    assert connected.wait(PATIENCE)
    feed.close()
    feed.close()
    thread.join(PATIENCE)  # by itself it would wait for a minute
    assert ended
    for follower in threading.enumerate():
        if follower.name.startswith("mastodon #"):
            follower.join(PATIENCE)
            assert not follower.is_alive()
    with pytest.raises(Lost):
        list(feed.refill(Gap(now(), now())))


def test_close_is_never_taken_for_a_fault(server: MastodonServer, setup_of: Callable[..., Setup]) -> None:
    """Many times, since a connection that went before its stream was heard of once in some hundred."""
    for _ in range(30):
        feed = mastodon.open_feed(setup_of(server))
        signals = feed.listen(None)
        assert next(signals) == Connected()
        closing = threading.Thread(target=feed.close)
        closing.start()
        assert list(signals) == []
        closing.join()


def test_close_ends_a_refill(
    server: MastodonServer, setup_of: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.sources.web.CONNECT_SECONDS", 60.0)
    server.fault("page_silent")
    feed = mastodon.open_feed(setup_of(server, stall_after=60))
    timer = threading.Timer(0.2, feed.close)
    timer.start()
    started_at = now()
    with pytest.raises(Lost):
        list(feed.refill(Gap(now(), now())))
    assert now() - started_at < timedelta(seconds=PATIENCE)  # by itself it would wait for a minute
    timer.join()


# -- check -----------------------------------------------------------------------------------------


def test_check(server: MastodonServer, setup_of: Callable[..., Setup]) -> None:
    findings = list(mastodon.open_feed(setup_of(server)).check())
    assert [finding.state for finding in findings] == ["ok"] * 4
    assert "Mastodon 4." in findings[0].text


def test_check_of_a_server_that_does_not_describe_itself(
    server: MastodonServer, setup_of: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway may pass on the timelines and streams only."""

    def gone(client: Client) -> None:
        client.account(404)  # which nobody has: answered as any unknown address is

    monkeypatch.setattr(Client, "instance_v1", gone)
    monkeypatch.setattr(Client, "instance_v2", gone)
    findings = list(mastodon.open_feed(setup_of(server)).check())
    assert [finding.state for finding in findings] == ["ok"] * 4
    assert "does not tell" in findings[0].text


def test_check_of_the_clock(server: MastodonServer, setup_of: Callable[..., Setup]) -> None:
    setup = replace(setup_of(server), clock=lambda: now() - timedelta(hours=1))
    (finding,) = [each for each in mastodon.open_feed(setup).check() if each.state == "warning"]
    assert "s behind that of" in finding.text


@pytest.mark.parametrize("fault", ["connect_403", "connect_503", "page_429"])
def test_check_of_a_server_that_fails(
    fault: str, server: MastodonServer, setup_of: Callable[..., Setup]
) -> None:
    server.fault(fault)
    *_, finding = mastodon.open_feed(setup_of(server)).check()
    assert finding.state == "failed"


def test_check_of_nobody(setup_of: Callable[..., Setup]) -> None:
    with MastodonServer() as server:
        setup = setup_of(server)
    (finding,) = mastodon.open_feed(setup).check()
    assert (finding.state, "base_url" in finding.text) == ("failed", True)
