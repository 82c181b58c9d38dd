"""Times without zones, dates or both, as people and programs of several countries write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import UsageError
from archive.vocabulary import Meeting
from collector.importers.base import Context
from collector.importers.local_times import GUESSED, Clock, has_date, is_time, only_day
from collector.mapping import MappingError

STARTS = datetime(2026, 3, 4, 15, tzinfo=UTC)  # nine o'clock in Mexico City
AT = datetime(2026, 3, 4, 20, 3, tzinfo=UTC)


@pytest.fixture
def spring() -> Meeting:
    return Meeting(
        slug="spring",
        title="Spring",
        hashtags=(),
        starts=STARTS,
        ends=STARTS + timedelta(hours=8),
        timezone="America/Mexico_City",
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04 14:03",
        "2026-03-04T14:03:00",
        "2026/3/4 14:03",
        "2026-03-04T20:03:00Z",
        "2026-03-04T20:03:00.000+00:00",
        "2026-03-04 20:03 UTC",
        "2026-03-04 21:03:00 GMT+1",
        "2026-03-04 14:03 (UTC-06:00)",
        "3/4/2026 2:03 PM",
        "4/3/2026, 14:03",
        "4.3.2026 14:03",
        "3/4/26 2:03:00 p. m.",
        "\u200e3/\u200e4/\u200e2026 2:03\u202fPM",
        "Mar 4, 2026 02:03 PM",
        "Wednesday, March 4th, 2026 at 2:03 PM",
        "4 March 2026 14:03",
        "4 de marzo de 2026, 14:03",
        "4 mars 2026 14:03",
        "14:03",
        "2:03 pm",
    ],
)
def test_one_moment_in_many_forms(text: str, spring: Meeting) -> None:
    assert Clock(Context(spring, "file")).read(text) == (AT, ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no time"),
        ("soon", "no time that can be read: 'soon'"),
        ("x" * 100, "more characters"),
        ("25:00", "no time of a day"),
        ("13:00 PM", "no time of a day"),
        ("14:60", "no time of a day"),
        ("2026-02-30 14:03", "no date that can be read"),
        ("Foo 4, 2026 14:03", "no date that can be read"),
        ("4 March 5 2026 14:03", "no date that can be read"),
        ("yesterday 14:03", "no date that can be read"),
        ("2026-03-04 14:03 UTC+99", "no zone"),
        ("2026-03-05", "only a day, on which nothing begins"),
        ("0001-01-01 00:00 +14:00", "no time that can be"),
    ],
)
def test_what_is_no_time_says_so(text: str, reason: str, spring: Meeting) -> None:
    with pytest.raises(MappingError, match=reason.replace("+", r"\+")):
        Clock(Context(spring, "file")).read(text)


def test_of_two_readings_the_nearer_one_to_the_meeting_is_taken(spring: Meeting) -> None:
    def day(text: str, meeting: Meeting = spring, **known: date) -> date:
        at, _ = Clock(Context(meeting, "file", **known)).read(f"{text} 12:00")  # type: ignore[arg-type]
        return at.date()

    assert day("3/4/2026") == day("4/3/2026") == date(2026, 3, 4)
    assert day("3/3/2026") == date(2026, 3, 3)
    assert day("3/16/2026") == day("16/3/2026") == date(2026, 3, 16)
    assert day("3/4/2026", date=date(2026, 4, 3)) == date(2026, 4, 3)


def test_a_fraction_of_a_second_is_kept(spring: Meeting) -> None:
    at, _ = Clock(Context(spring, "file")).read("2026-03-04T20:03:00.1234567Z")
    assert at.time() == time(20, 3, 0, 123456)


def test_a_day_alone_is_taken_for_the_beginning_of_its_first_session(spring: Meeting) -> None:
    assert Clock(Context(spring, "file")).read("2026-03-04") == (STARTS, GUESSED)


def test_the_zone_may_be_another_one(spring: Meeting) -> None:
    at, _ = Clock(Context(spring, "file", zone=ZoneInfo("Asia/Tokyo"))).read("14:03")
    assert at == datetime(2026, 3, 4, 5, 3, tzinfo=UTC)


def test_a_meeting_of_several_days_needs_a_date(spring: Meeting) -> None:
    longer = replace(spring, ends=spring.ends + timedelta(days=1))
    with pytest.raises(UsageError, match="--date 2026-03-04"):
        Clock(Context(longer, "file")).read("14:03")
    assert Clock(Context(longer, "file", date=date(2026, 3, 5))).read("14:03")[0] == AT + timedelta(days=1)
    assert only_day(Context(spring, "file")) == date(2026, 3, 4)


def test_where_no_times_are_told_something_must_begin(spring: Meeting) -> None:
    assert Clock(Context(spring, "file")).start() == STARTS
    with pytest.raises(UsageError, match="--date"):
        Clock(Context(spring, "file", date=date(2026, 3, 5))).start()


def test_in_a_chat_the_day_goes_on(spring: Meeting) -> None:
    chat = Clock(Context(spring, "file"), rolling=True)
    days = [chat.read(text)[0].date() for text in ("2026-03-05 12:00", "17:59", "00:30", "00:29")]
    assert days == [date(2026, 3, day) for day in (5, 5, 6, 6)]
    table = Clock(Context(spring, "file"))
    assert table.read("2026-03-05 12:00")[0].date() != table.read("12:00")[0].date()
    chat.day, chat.last = date.max, datetime.combine(date.max, time(23))
    with pytest.raises(MappingError, match="after the last one"):
        chat.read("00:00")


def test_what_looks_like_a_time() -> None:
    assert is_time("2:03 PM") and is_time("3/4/2026 14:03")
    assert not is_time("14:03") and not is_time("lunch") and not is_time("x" * 1000)
    assert has_date("3/4/2026 14:03") and has_date("lunch") and not has_date("2:03 PM")


@given(
    at=st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(microsecond=0)),  # noqa: DTZ001
    form=st.sampled_from(
        [
            "%Y-%m-%d %H:%M:%S",
            "%d.%m.%Y %H:%M:%S",
            "%b %d, %Y %I:%M:%S %p",
            "%d %B %Y %H:%M:%S",
            "%Y-%m-%dT%H:%M:%S",
        ]
    ),
)
def test_what_is_written_is_read(at: datetime, form: str) -> None:
    meeting = Meeting(slug="m", title="M", hashtags=(), starts=STARTS, ends=STARTS, timezone="UTC")
    assert Clock(Context(meeting, "file")).read(at.strftime(form)) == (at.replace(tzinfo=UTC), ())


@given(st.text(max_size=100))
def test_any_text_is_a_time_or_none(text: str) -> None:
    meeting = Meeting(
        slug="m", title="M", hashtags=(), starts=STARTS, ends=STARTS + timedelta(hours=1), timezone="UTC"
    )
    try:
        at, _ = Clock(Context(meeting, "file"), rolling=True).read(text)
    except MappingError as error:
        assert str(error)
    else:
        assert at.tzinfo is not None
