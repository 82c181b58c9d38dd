from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive.vocabulary import Meeting
from collector.sources import web, x_api
from collector.sources.base import Limited, Lost, Refused, SourceError, Unavailable
from collector.sources.x_api import Account, Answer
from tests.collector.sources.x_observer import TOKEN, Clock, setup_of
from tests.fakes.x import ANSWERS, XServer


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer(keep_alive=0.05) as opened:
        yield opened


@pytest.fixture
def account(server: XServer, meeting: Meeting) -> Iterator[Account]:
    opened = Account(setup_of(server, meeting, Clock()))
    yield opened
    opened.close()


def answer(body: bytes = b"{}", **headers: str) -> Answer:
    return Answer("X", 200, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize("fault", ANSWERS)
def test_every_fault_is_one_of_ours_and_shows_no_token(
    fault: str,
    account: Account,
    server: XServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if fault == "silent":  # any other fault is an answer, which a busy machine may give late
        monkeypatch.setattr(x_api, "ANSWER_SECONDS", 1.0)
    caplog.set_level(logging.DEBUG)
    server.fault(f"rules:{fault}")
    try:
        found: Answer = account.get_rules()
        found.value()
    except SourceError as error:
        assert TOKEN not in str(error) and len(str(error)) < 400
    else:
        assert fault == "null_data"
    assert server.struck[f"rules:{fault}"] == 1
    assert TOKEN not in caplog.text
    assert server.leaked == []
    monkeypatch.undo()
    assert account.get_rules().value()["meta"]["result_count"] == 0


@pytest.mark.parametrize(
    ("fault", "kind"), [("401", Refused), ("403", Refused), ("429_far", Limited), ("503", Unavailable)]
)
def test_what_a_status_means(fault: str, kind: type[SourceError], account: Account, server: XServer) -> None:
    server.fault(f"lookup:{fault}")
    with pytest.raises(kind, match=r"as the test wants it|Too Many Requests"):
        account.get_tweets(["1"])


def test_the_address_is_that_of_the_settings(server: XServer, meeting: Meeting) -> None:
    for base in (server.url, f"{server.url}/", f"{server.url}/2/"):
        account = Account(setup_of(server, meeting, Clock(), base_url=base))
        account.get_rules()
        account.close()
    account = Account(setup_of(server, meeting, Clock(), base_url=f"{server.url}/gateway"))
    with pytest.raises(x_api.Absent, match="404"):
        account.get_rules()
    assert server.requests[-1][0] == "GET /gateway/2/tweets/search/stream/rules"
    account.close()
    account = Account(setup_of(server, meeting, Clock(), base_url=None))
    assert account.base == "https://api.x.com"
    account.close()


def test_no_netrc_of_the_machine_replaces_the_token(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert account.get_rules().status == 200
    assert base64.b64encode(b"somebody:secret")  # what would have been sent


def test_an_answer_that_takes_too_long(server: XServer, meeting: Meeting) -> None:
    clock = Clock()
    account = Account(setup_of(server, meeting, clock))
    plain = x_api.web.body

    def late(*asked: Any) -> bytes:
        clock.advance(minutes=3)
        return plain(*asked)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Lost, match="too slowly"):
        patch.setattr(x_api.web, "body", late)
        account.get_rules()
    account.close()


def test_an_answer_that_is_too_long(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_api, "MAX_BODY", 5)
    with pytest.raises(Unavailable, match="more than 5 bytes"):
        account.get_rules()


def test_the_stream_is_opened_once_and_not_again(account: Account, server: XServer) -> None:
    with pytest.raises(Unavailable, match="409"):
        account.open_stream()
    server.rules["1"] = {"id": "1", "value": "#sample2012", "tag": "ours"}
    response = account.open_stream()
    server.wait_for_listeners()
    closer = threading.Timer(0.1, account.close)
    closer.start()
    with pytest.raises(Lost):
        list(web.lines(response, "the stream"))
    closer.join()
    assert [path for path, _ in server.requests].count("GET /2/tweets/search/stream") == 2
    with pytest.raises(Lost):
        account.get_rules()


def test_the_connects_of_a_window_are_counted(server: XServer, account: Account) -> None:
    server.connects = 0
    server.rules["1"] = {"id": "1", "value": "#sample2012", "tag": "ours"}
    with pytest.raises(Limited) as caught:
        account.open_stream()
    assert caught.value.until is not None
    assert caught.value.until > datetime.now(UTC) + timedelta(minutes=14)


def test_credits_that_are_used_up_are_named() -> None:
    assert "used up" in x_api._advice(429, b'{"type":"https://api.x.com/2/problems/usage-capped"}')


def test_dates_and_rates() -> None:
    assert answer(date="Thu, 26 Nov 2026 12:00:00 GMT").date == datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert answer(date="Thu, 26 Nov 2026 12:00:00 -0000").date == datetime(2026, 11, 26, 12, tzinfo=UTC)
    assert answer(date="yesterday").date is None
    assert answer().date is None
    limits = {"x_rate_limit_limit": "450", "x_rate_limit_remaining": "7"}
    assert x_api.rate_of(answer(**limits, x_rate_limit_reset="60")) == (
        450,
        7,
        datetime(1970, 1, 1, 0, 1, tzinfo=UTC),
    )
    for strange in ("", "soon", "9" * 30):
        assert x_api.rate_of(answer(**limits, x_rate_limit_reset=strange)) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"7", b"[" * 9000])
def test_a_body_that_is_no_object(body: bytes) -> None:
    assert answer(body).text is not None
    with pytest.raises(Unavailable):
        answer(body).value()
