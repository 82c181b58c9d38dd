from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from archive.checkup import Finding
from archive.vocabulary import Meeting
from collector.sources import x
from tests.collector.sources.x_observer import TOKEN, Clock, setup_of
from tests.fakes.x import ANSWERS, XServer


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer() as opened:
        yield opened


def findings(server: XServer, meeting: Meeting, **settings: Any) -> list[Finding]:
    feed = x.open_feed(setup_of(server, meeting, Clock(), **settings))
    found = list(feed.check())
    feed.close()
    assert all(TOKEN not in finding.text and "\n" not in finding.text for finding in found)
    return found


def test_all_is_well(server: XServer, meeting: Meeting) -> None:
    server.rules["7"] = {"id": "7", "value": "#other", "tag": "theirs"}
    found = findings(server, meeting, max_posts=20_000, spent=1_000)
    assert {finding.state for finding in found} == {"ok"}
    texts = "\n".join(finding.text for finding in found)
    assert "0 of our rules and 1 of others" in texts
    assert "449 of 450 requests left" in texts
    assert "0 of 3,000,000 posts" in texts
    assert "at most 19,000 more posts will be read, about $95.00" in texts
    assert "the clock agrees" in texts
    assert list(server.rules) == ["7"]


@pytest.mark.parametrize("fault", [name for name in ANSWERS if name not in ("silent", "null_data")])
def test_what_is_in_the_way_is_said_in_one_line(fault: str, server: XServer, meeting: Meeting) -> None:
    server.fault(f"rules:{fault}")
    found = findings(server, meeting)
    if fault in ("nan", "surrogate"):
        assert found[0].state == "failed"
        return
    (finding,) = found
    assert (finding.about, finding.state) == ("source x", "failed")


def test_no_token(server: XServer, meeting: Meeting) -> None:
    (finding,) = findings(server, meeting, secrets={})
    assert finding.text == "no token: put X_BEARER_TOKEN into the environment or into .env"


@pytest.mark.parametrize(("seconds", "text"), [(60, "behind"), (-60, "ahead of")])
def test_a_clock_that_is_wrong(seconds: int, text: str, server: XServer, meeting: Meeting) -> None:
    server.skew = timedelta(seconds=seconds)
    (finding,) = [one for one in findings(server, meeting) if "clock" in one.text]
    assert finding.state == "warning"
    assert text in finding.text and "set it" in finding.text


@pytest.mark.parametrize(("read", "state"), [(79, "ok"), (80, "warning"), (100, "failed")])
def test_what_the_project_has_used(read: int, state: str, server: XServer, meeting: Meeting) -> None:
    server.project_cap, server.read = 100, read
    (finding,) = [one for one in findings(server, meeting) if "this month" in one.text]
    assert finding.state == state


def test_usage_that_is_not_told(server: XServer, meeting: Meeting) -> None:
    server.fault("usage:403")
    assert any("does not tell how many" in finding.text for finding in findings(server, meeting))
    server.project_cap = 0
    assert not any("this month read" in finding.text for finding in findings(server, meeting))


def test_ceilings(server: XServer, meeting: Meeting) -> None:
    assert findings(server, meeting)[-1].state == "warning"
    finding = findings(server, meeting, max_posts=5, spent=7)[-1]
    assert (finding.state, "raise it" in finding.text) == ("failed", True)
