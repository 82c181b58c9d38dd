from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from collector.mapping import MAX_COUNT, count, moment, table, tables, words


def test_values_of_another_kind_are_nothing() -> None:
    assert table({"a": 1}) == {"a": 1}
    assert table([1]) == table(None) == {}
    assert tables([{"a": 1}, 2, None]) == [{"a": 1}]
    assert tables({"a": 1}) == []
    assert words("hola") == "hola"
    assert words(" ") is words(None) is words(5) is None


@pytest.mark.parametrize("value", [None, True, -1, 1.5, "3", MAX_COUNT + 1, float("inf")])
def test_what_is_no_count_is_unknown(value: Any) -> None:
    assert count(value) is None


def test_counts() -> None:
    assert (count(0), count(MAX_COUNT)) == (0, MAX_COUNT)


@pytest.mark.parametrize("value", [None, 5, "", "noon", "2012-03-26T09:00:00", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_is_unknown(value: Any) -> None:
    assert moment(value) is None


def test_times_are_in_utc() -> None:
    assert moment("2012-03-26T09:00:00-06:00") == datetime(2012, 3, 26, 15, tzinfo=UTC)
