from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.measures.shares import sentiment_shares, share, wilson


def test_the_interval_of_ten_in_a_hundred() -> None:
    low, high = wilson(10, 100)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)


def test_the_share_of_nothing_is_unknown() -> None:
    assert share(0, 0) == {"posts": 0, "n": 0, "share": None, "low": None, "high": None}


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_stays_within_bounds(pair: tuple[int, int]) -> None:
    hits, n = pair
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n + 1e-12
    assert hits / n - 1e-12 <= high <= 1


@given(st.integers(1, 10_000))
def test_none_and_all_reach_the_bounds_exactly(n: int) -> None:
    assert wilson(0, n)[0] == 0
    assert wilson(n, n)[1] == 1


def test_untagged_posts_are_no_part_of_the_shares() -> None:
    found = sentiment_shares({"positive": 3, "not_sure": 1, "untagged": 6})
    assert found["n"] == 4
    assert found["positive"]["share"] == pytest.approx(0.75)
    assert found["negative"]["share"] == 0
    assert found["untagged"] == 6
