from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.pace import Backoff, Budget, Pace, SteadyClock

NOW = datetime(2012, 3, 26, 15, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_a_broken_connection_is_tried_at_once_then_ever_later() -> None:
    backoff = Backoff(Pace())
    assert [backoff.broken() for _ in range(9)] == [0, 0.25, 0.5, 1, 2, 4, 8, 16, 16]
    backoff.healthy()
    assert backoff.broken() == 0


def test_an_unusable_answer_waits_longer() -> None:
    backoff = Backoff(Pace())
    assert [backoff.unusable() for _ in range(8)] == [5, 10, 20, 40, 80, 160, 320, 320]


def test_a_rate_limit_is_waited_for_whatever_the_server_says_of_its_end() -> None:
    pace = Pace()
    assert Backoff(pace).limited(NOW + seconds(4), NOW) == 4
    assert Backoff(pace).limited(NOW + timedelta(days=3650), NOW) == 900
    backoff = Backoff(pace)
    assert [backoff.limited(None, NOW) for _ in range(6)] == [60, 120, 240, 480, 900, 900]
    backoff = Backoff(pace)
    assert [backoff.limited(NOW - seconds(5), NOW) for _ in range(4)] == [1, 2, 4, 8]


@given(st.lists(st.sampled_from(["broken", "unusable", "limited"]), min_size=1, max_size=200))
def test_no_series_of_failures_becomes_a_tight_loop_or_never_ends(kinds: list[str]) -> None:
    pace, total = Pace(), 0.0
    backoff = Backoff(pace)
    for kind in kinds:
        wait = backoff.limited(NOW, NOW) if kind == "limited" else getattr(backoff, kind)()
        assert 0 <= wait <= 900
        total += wait
    assert total >= 0.25 * (len(kinds) - 1)


def test_connections_keep_to_the_budget_of_the_server() -> None:
    budget, now, made = Budget(50, 900), 0.0, []
    while now < 3600:
        now += budget.wait(now)
        budget.connected(now)
        made.append(now)
        now += 0.01
    for moment in made:
        assert sum(moment - 900 < other <= moment for other in made) <= 50
    assert made[20] < 1, "the first half may come as fast as it must"
    assert max(b - a for a, b in pairwise(made)) < 900


def test_the_clock_follows_the_wall_but_never_runs_back() -> None:
    wall, monotonic = [NOW], [0.0]
    clock = SteadyClock(lambda: wall[0], lambda: monotonic[0])

    def pass_(mono: float, walls: float) -> datetime:
        monotonic[0] += mono
        wall[0] += seconds(walls)
        return clock()

    assert pass_(1, 1) == NOW + seconds(1)
    assert pass_(1, 3601) == NOW + seconds(3602), "a machine that slept"
    assert pass_(2, -3598) == NOW + seconds(3603), "set back by an hour: half speed"
    for _ in range(10_000):
        before = clock()
        assert pass_(1, 1) >= before
    assert clock() == wall[0], "caught up"


def test_a_rate_limit_that_always_ends_at_once_is_no_tight_loop() -> None:
    backoff = Backoff(Pace())
    assert [backoff.limited(NOW + seconds(0.001), NOW) for _ in range(3)] == [1, 1, 1]
