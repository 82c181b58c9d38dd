"""Rows of the ledger become the outages that a person counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from analysis.measures.ledger import gap
from analysis.measures.outages import NEWEST, outages_of
from archive.times import to_text

NOON = datetime(2012, 3, 26, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def down(
    starts: float,
    ends: float | None,
    cause: str | None = "cut",
    refilled: str | None = None,
    missing: int | None = None,
) -> dict[str, Any]:
    until = None if ends is None else to_text(at(ends))
    return gap(to_text(at(starts)), until, cause, refilled, missing)


def counts(*gaps: dict[str, Any]) -> tuple[int, int, int, int, int]:
    """Total, pending, refilled, unknown, missing, an hour after noon."""
    found = outages_of(gaps, at(3600))
    return found["total"], found["pending"], found["refilled"], found["unknown"], found["missing"]


def test_without_gaps_there_is_nothing_to_say() -> None:
    assert counts() == (0, 0, 0, 0, 0)
    assert outages_of([], NOON)["newest"] == []


def test_each_gap_counts_once_by_what_became_of_it() -> None:
    assert counts(
        down(0, 10, refilled="search", missing=0),
        down(100, 110),
        down(200, 210, refilled="search; reposts are lost", missing=3),
        down(300, 310, refilled="search; reposts are lost", missing=0),
        down(400, 410, refilled="nothing; it cannot be asked"),
        down(500, 510, refilled="nothing; it cannot be asked", missing=11),
    ) == (6, 1, 1, 1, 14)


def test_rows_that_follow_one_another_are_one_outage() -> None:
    (one,) = outages_of(
        [
            down(0, 10.5, "cut"),
            down(10.5, 20, "too many requests"),
            down(20.4, 40, "cut"),  # between the end of a wait and the next refusal nothing is written
            down(40, 41, None),
        ],
        at(60),
    )["newest"]
    assert one == {
        "from": "2012-03-26T12:00:00Z",
        "to": "2012-03-26T12:00:41Z",
        "causes": ["cut", "too many requests"],
        "refilled": [],
        "pending": True,
        "missing": None,
    }


def test_one_refill_of_several_rows_counts_once() -> None:
    lost = "search; reposts are lost"
    assert counts(down(0, 10, refilled=lost, missing=7), down(10, 20, refilled=lost, missing=7)) == (
        1,
        0,
        0,
        0,
        7,
    )
    # Two refills, and a refill that leaves a part.
    assert counts(down(0, 10, refilled=lost, missing=7), down(10, 20, refilled="a", missing=0)) == (
        1,
        0,
        0,
        0,
        7,
    )
    assert counts(down(0, 10, refilled="a", missing=0), down(10, 20)) == (1, 1, 0, 0, 0)


def test_an_outage_that_lasts_is_listed_but_not_counted() -> None:
    waiting = [down(0, 10), down(100, 110, "cut"), down(110, 9000, "too many requests")]
    found = outages_of(waiting, at(3600))
    assert (found["total"], found["newest"][0]["to"]) == (1, None)
    deaf = outages_of([down(0, None)], at(3600))
    assert (deaf["total"], deaf["newest"][0]["to"], deaf["newest"][0]["pending"]) == (0, None, True)


def test_only_the_newest_are_listed_however_many_there_are() -> None:
    found = outages_of([down(60 * n, 60 * n + 9) for n in range(50)], at(3600))
    assert (found["total"], len(found["newest"])) == (50, NEWEST)
    assert [one["from"][14:16] for one in found["newest"][:2]] == ["49", "48"]
