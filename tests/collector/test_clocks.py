from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from collector import clocks
from collector.clocks import Finding, as_utc
from collector.mapping import MappingError
from tests.collector.x_times import id_of

MEXICO = ZoneInfo("America/Mexico_City")
SUMMER = datetime(2013, 7, 1, tzinfo=UTC)


def find_zone(times: Iterable[tuple[str, datetime]], meeting: ZoneInfo) -> Finding:
    """What is found, where there is something to find."""
    finding = clocks.find_zone(times, meeting)
    assert finding is not None
    return finding


def rows(
    zone: str, start: datetime = SUMMER, days: int = 4, lag: float = 0
) -> Iterator[tuple[str, datetime]]:
    """A post every half hour: its id, and its time by a clock of the zone that shows no seconds."""
    for number in range(48 * days):
        moment = start + timedelta(minutes=30 * number, seconds=17 * number % 60)
        shown = moment.astimezone(ZoneInfo(zone)) + timedelta(seconds=lag)
        yield id_of(moment), shown.replace(tzinfo=None, second=0)


@pytest.mark.parametrize(
    "zone",
    [
        "UTC",
        "America/Mexico_City",
        "America/New_York",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Pacific/Kiritimati",
    ],
)
def test_the_zone_that_explains_the_shift_is_found(zone: str) -> None:
    finding = find_zone(rows(zone), MEXICO)
    assert finding.fits == 1
    assert finding.rows == 192
    moment = SUMMER.replace(tzinfo=None)
    assert (
        moment.replace(tzinfo=finding.zone).utcoffset() == moment.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    )
    assert finding.zone.key in finding.note()


def test_a_change_to_winter_time_tells_zones_apart() -> None:
    autumn = datetime(2013, 10, 25, tzinfo=UTC)
    assert find_zone(rows("America/New_York", autumn, 20), MEXICO).zone.key == "America/New_York"
    assert find_zone(rows("America/Caracas", autumn, 20), MEXICO).zone.key == "America/Caracas"
    assert find_zone(rows("Europe/Lisbon", autumn, 20), MEXICO).zone.key == "Europe/London"


def test_utc_is_preferred_then_the_meeting() -> None:
    assert find_zone(rows("Europe/London", datetime(2013, 1, 1, tzinfo=UTC)), MEXICO).zone.key == "UTC"
    assert find_zone(rows("America/New_York"), ZoneInfo("America/Toronto")).zone.key == "America/Toronto"


def test_one_row_in_a_hundred_may_be_wrong() -> None:
    good = list(rows("America/New_York"))
    bad = [(post_id, local + timedelta(hours=3)) for post_id, local in good[:4]]
    assert find_zone([*good[1:], *bad[:1]], MEXICO).zone.key == "America/New_York"
    finding = find_zone([*good[4:], *bad], MEXICO)
    assert finding.zone.key == "UTC"
    assert "no zone explains" in finding.note()


def test_clocks_that_are_merely_wrong_are_not_explained() -> None:
    assert find_zone(rows("America/New_York", lag=600), MEXICO).zone.key == "UTC"
    assert find_zone(rows("UTC", lag=16 * 3600), MEXICO).fits == 0


def test_without_an_id_that_tells_the_times_are_utc() -> None:
    local = SUMMER.replace(tzinfo=None)
    finding = find_zone([("4.6e+17", local), ("12", local), (id_of(SUMMER), SUMMER)], MEXICO)
    assert (finding.zone.key, finding.fits, finding.rows) == ("UTC", None, 0)
    assert "--timezone" in finding.note()


def test_times_that_say_their_zone_leave_nothing_to_find() -> None:
    assert clocks.find_zone([(id_of(SUMMER), SUMMER)], MEXICO) is None
    assert clocks.find_zone([], MEXICO) is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "MAX_BUCKETS", 10)
    finding = find_zone(rows("America/New_York"), MEXICO)
    assert (finding.zone.key, finding.rows) == ("America/New_York", 10)


def test_times_become_utc() -> None:
    new_york = ZoneInfo("America/New_York")
    local = datetime(2013, 7, 1, 8)  # noqa: DTZ001
    assert as_utc(local, new_york) == datetime(2013, 7, 1, 12, tzinfo=UTC)
    assert as_utc(local, None) == datetime(2013, 7, 1, 8, tzinfo=UTC)
    assert as_utc(local.replace(tzinfo=MEXICO), new_york) == datetime(2013, 7, 1, 13, tzinfo=UTC)


@pytest.mark.parametrize("local", ["0001-01-01", "0001-01-01T00:00+09:00"])
def test_there_is_nothing_before_the_beginning(local: str) -> None:
    with pytest.raises(MappingError, match="no time that can be"):
        as_utc(datetime.fromisoformat(local), ZoneInfo("Asia/Tokyo"))


@pytest.mark.parametrize("hour", [5, 6])
def test_in_the_hour_that_comes_twice_the_id_decides(hour: int) -> None:
    moment = datetime(2013, 11, 3, hour, 30, tzinfo=UTC)
    local = datetime(2013, 11, 3, 1, 30)  # noqa: DTZ001
    assert as_utc(local, ZoneInfo("America/New_York"), id_of(moment)) == moment
    assert as_utc(local, ZoneInfo("America/New_York")).hour == 5
