"""The agenda of the sample, and how busy it is when."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime, timedelta
from random import Random

from data.sample import schedule
from data.sample.schedule import ZONE


def test_sessions_follow_each_other_without_overlap() -> None:
    slots = schedule.agenda()
    for slot, following in itertools.pairwise(slots):
        assert slot.starts < slot.ends <= following.starts
    for slot in slots:
        for moment in slot.moments:
            assert slot.starts <= moment.at < slot.really_ends
            assert moment.speaker in slot.speakers
            assert {len(claim) < 100 for claim in moment.claims.values()} == {True}


def test_one_session_runs_late_into_lunch() -> None:
    (late,) = [slot for slot in schedule.agenda() if slot.really_ends > slot.ends]
    at = late.ends + timedelta(minutes=5)
    assert schedule.slot_at(schedule.agenda(), at) == late
    lunch = schedule.slot_at(schedule.agenda(), late.really_ends)
    assert lunch is not None and lunch.is_break


def test_nobody_is_on_the_agenda_at_night() -> None:
    assert schedule.slot_at(schedule.agenda(), datetime(2012, 3, 27, 3, tzinfo=ZONE)) is None


def test_days_are_busy_and_nights_quiet() -> None:
    times = list(schedule.arrivals(Random(4), schedule.agenda()))
    hours = Counter(at.astimezone(ZONE).strftime("%d %H") for at in times)
    assert times == sorted(times, key=lambda at: at.replace(second=0, microsecond=0))
    assert hours["26 10"] > 25 and hours["27 03"] <= 4
    assert min(times) >= schedule.LISTENING_FROM and max(times) < schedule.LISTENING_TO
