from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.times import from_text, short, to_text, utc_now


@given(st.datetimes(timezones=st.just(UTC)))
def test_there_and_back(moment: datetime) -> None:
    assert from_text(to_text(moment)) == moment
    assert from_text(short(to_text(moment))) == moment


@given(*[st.datetimes(timezones=st.just(UTC))] * 2)
def test_text_sorts_as_the_times_do(one: datetime, other: datetime) -> None:
    assert (to_text(one) < to_text(other)) == (one < other)


def test_another_zone_becomes_utc_and_none_is_refused() -> None:
    moment = datetime(2012, 3, 26, 9, tzinfo=timezone(timedelta(hours=-6)))
    assert to_text(moment) == "2012-03-26T15:00:00.000000Z"
    with pytest.raises(ValueError, match="without a zone"):
        to_text(datetime(2012, 3, 26))  # noqa: DTZ001


def test_a_fraction_is_shown_only_where_there_is_one() -> None:
    assert short("2012-03-26T15:00:00.000000Z") == "2012-03-26T15:00:00Z"
    assert short("2012-03-26T15:00:00.250000Z") == "2012-03-26T15:00:00.25Z"


def test_now_is_aware() -> None:
    assert utc_now().tzinfo is UTC
