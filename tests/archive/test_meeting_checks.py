"""Mistakes that take two fields to see."""

from datetime import datetime

import pytest

from archive.meeting_checks import cross_check
from archive.meeting_tables import REPEATED, SINGLE


def check(**tables):
    models = {**SINGLE, **REPEATED}
    return [
        (problem.field, problem.found)
        for _, problem in cross_check(
            {name: [models[name].model_validate(item) for item in items] for name, items in tables.items()}
        )
    ]


def at(hour, minute=0, day=26, month=3):
    return datetime(2012, month, day, hour, minute)  # noqa: DTZ001 - the clock of the meeting


def session(slug, starts, ends, **more):
    return {"slug": slug, "title": slug, "starts": starts, "ends": ends, **more}


def test_nothing_wrong():
    assert check(meeting=[{"starts": at(9), "ends": at(18), "timezone": "UTC"}]) == []
    assert check() == []


@pytest.mark.parametrize("ends", [at(9), at(8)])
def test_an_end_must_come_after_its_beginning(ends):
    assert [field for field, _ in check(meeting=[{"starts": at(9), "ends": ends}])] == ["meeting.ends"]
    assert [field for field, _ in check(sessions=[session("a", at(9), ends)])] == ["sessions 1.ends"]


def test_a_time_that_the_clock_skips():
    meeting = {"starts": at(2, 30, 25), "ends": at(9), "timezone": "Europe/Paris"}
    assert [field for field, _ in check(meeting=[meeting])] == ["meeting.starts"]


def test_sessions_of_one_track_must_not_overlap():
    day = [
        session("long", at(9), at(12)),
        session("short", at(9, 30), at(10)),
        session("late", at(11), at(13)),
        session("next", at(13), at(14)),
        session("beside", at(9), at(14), track="second"),
    ]
    assert [field for field, _ in check(sessions=day)] == ["sessions 2", "sessions 3"]


def test_names_are_given_once():
    themes = [{"slug": "a", "title": "A"}, {"slug": "a", "title": "B"}]
    assert check(themes=themes) == [("themes 2.slug", '"a"')]
    sources = [{"kind": "x", "name": "n"}, {"kind": "x"}, {"kind": "x"}, {"kind": "bluesky", "name": "n"}]
    assert check(sources=sources) == [("sources 4.name", '"n"')]


def test_words_that_mean_something_else():
    assert check(themes=[{"slug": "untagged"}]) == [("themes 1.slug", '"untagged"')]
    assert check(sessions=[session("between", at(9), at(10))]) == [("sessions 1.slug", '"between"')]


def test_sessions_name_themes_that_are_there():
    themes = [{"slug": "a", "title": "A"}]
    assert check(themes=themes, sessions=[session("s", at(9), at(10), themes=["a", "b"])]) == [
        ("sessions 1.themes", '"b"')
    ]
    assert check(sessions=[session("s", at(9), at(10), themes=["b"])]) == [("sessions 1.themes", '"b"')]


def test_keys_of_sources_by_kind():
    assert check(sources=[{"kind": "x", "path": "a"}]) == [("sources 1.path", "an unknown key")]
    assert check(sources=[{"kind": "folder"}, {"kind": "mastodon"}]) == [
        ("sources 1.path", "nothing"),
        ("sources 2.base_url", "nothing"),
    ]
    assert check(sources=[{"name": "no-kind"}]) == []


def test_words_belong_to_the_alert_for_words():
    assert check(alerts=[{"when": "word"}]) == [("alerts 1.words", "nothing")]
    assert check(alerts=[{"when": "deaf", "words": ["a"]}]) == [("alerts 1.words", "a list")]
    assert check(alerts=[{"when": "word", "words": ["a"]}, {"when": "deaf"}]) == []
