from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from collector.gaps import NEAR, Gaps
from collector.sources.base import Gap, Refilled
from tests.conftest import START


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_gaps_close_to_each_other_are_one_and_the_first_stays_alone() -> None:
    first = Gap(at(-9000), at(0), first=True)
    gaps = Gaps([first, Gap(at(10), at(20)), Gap(at(50), at(60)), Gap(at(900), at(910))])
    assert gaps.next(at(1000)) == (first, None)
    gaps.finish()
    assert gaps.next(at(1000)) == (Gap(at(10), at(60)), None)
    gaps.finish()
    assert gaps.next(at(1000)) == (Gap(at(900), at(910)), None)
    assert gaps.is_behind
    gaps.finish()
    assert gaps.next(at(1000)) is None
    assert not gaps.is_behind


def test_what_is_asked_again_comes_when_due_and_after_what_is_new() -> None:
    early, new, brought = Gap(at(0), at(1)), Gap(at(500), at(501)), Refilled("search", again=30)
    gaps = Gaps([early])
    assert gaps.next(at(2)) == (early, None)
    gaps.put_back(early, brought, at(30))
    assert gaps.next(at(29)) is None
    assert not gaps.is_behind, "it was answered once"
    gaps.waiting.append(new)
    assert gaps.next(at(31)) == (new, None)
    gaps.finish()
    assert gaps.next(at(31)) == (early, brought)
    assert not gaps.is_behind


def test_a_replay_brings_what_lies_behind_its_beginning() -> None:
    gaps = Gaps()
    before, old, last = Gap(at(-900), at(0), first=True), Gap(at(10), at(20)), Gap(at(50), at(60))
    gaps.replay([before, old, last], at(40))
    assert gaps.waiting == [before, old]
    assert gaps.replaying == [last]
    assert gaps.replayed() == [last]
    assert gaps.replayed() == []
    gaps = Gaps()
    gaps.replay([before], at(-300))
    assert gaps.waiting == [Gap(at(-900), at(-300), first=True)]
    assert gaps.replaying == [Gap(at(-300), at(0))]
    gaps.replay([old], None)
    assert gaps.replaying == [old]


def test_a_replay_that_is_cut_off_leaves_the_rest_to_a_refill() -> None:
    gaps = Gaps()
    gaps.replay([Gap(at(0), at(10)), Gap(at(20), at(30))], None)
    gaps.cut_off(at(0), at(25))
    assert gaps.waiting == [Gap(at(0), at(10)), Gap(at(20), at(25))]
    assert gaps.replaying == [Gap(at(25), at(30))]
    gaps = Gaps()
    gaps.cut_off(at(5), at(9))
    assert gaps.waiting == [Gap(at(5), at(9))]


@given(st.lists(st.integers(0, 2000), min_size=2, max_size=20, unique=True), st.integers(0, 2000))
def test_nothing_that_was_missed_is_forgotten(moments: list[int], since: int) -> None:
    edges = sorted(moments)
    missed = [Gap(at(a), at(b)) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    gaps = Gaps()
    gaps.replay(missed, at(since))
    covered = [*gaps.replayed()]
    while (found := gaps.next(at(5000))) is not None:
        covered.append(found[0])
        gaps.finish()
    for gap in missed:
        assert any(each.starts <= gap.starts and gap.ends <= each.ends for each in covered)
    merged = sum((each.ends - each.starts for each in covered), timedelta())
    assert merged <= sum((gap.ends - gap.starts for gap in missed), timedelta()) + len(missed) * NEAR
