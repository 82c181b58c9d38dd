from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from collector.sources.base import Exhausted, Limited
from collector.sources.x_budget import Budget

NOW = datetime(2012, 3, 26, 15, tzinfo=UTC)


def test_without_a_ceiling_everything_may_be_read() -> None:
    budget = Budget(None)
    assert budget.ask(500, NOW) == 500
    budget.take(500, 500)
    budget.require_room(NOW)
    assert (budget.spent, budget.notice) == (500, None)


def test_no_request_reaches_beyond_the_ceiling() -> None:
    budget = Budget(100, spent=30)
    assert budget.ask(50, NOW) == 50
    assert budget.ask(50, NOW) == 20
    with pytest.raises(Limited, match="set aside") as caught:
        budget.require_room(NOW)
    assert caught.value.until == NOW + timedelta(seconds=5)
    with pytest.raises(Limited):
        budget.ask(1, NOW)
    budget.take(5, 50)
    budget.take(20, 20)
    assert budget.spent == 55
    assert budget.ask(100, NOW, least=10) == 45
    budget.take(36, 45)
    with pytest.raises(Exhausted, match="max_posts = 100 is reached: raise it"):
        budget.ask(100, NOW, least=10)
    budget.take(9)
    with pytest.raises(Exhausted):
        budget.require_room(NOW)
    assert budget.notice == "100 % of the 100 posts that may be read have been read"


def test_threads_share_it() -> None:
    budget = Budget(10_000)

    def read(_: int) -> int:
        asked = budget.ask(7, NOW)
        budget.take(3, asked)
        return 3

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(read, range(2_000))) == 6_000
    assert budget.spent == 6_000
    assert budget.ask(10_000, NOW) == 4_000
