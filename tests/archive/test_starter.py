"""The file that init writes is right as it stands."""

import tomllib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.agenda import Agenda, Slot
from archive.errors import UsageError
from archive.meeting import load
from archive.starter import starter, write_starter

TODAY = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)


def slot(title, hour, length=60, **more):
    starts = datetime(2012, 3, 26, hour, tzinfo=UTC)
    return Slot(title=title, starts=starts, ends=starts + timedelta(minutes=length), **more)


def test_it_loads_as_it_is(tmp_path):
    path = write_starter(tmp_path / "My Meeting", None, today=TODAY)
    meeting = load(path)
    assert meeting.slug == "my-meeting"
    assert meeting.hashtags == ("mymeeting",)
    assert meeting.starts == datetime(2026, 5, 8, 9, tzinfo=UTC)


def test_it_loads_with_every_comment_taken_away(tmp_path):
    path = write_starter(tmp_path / "m", None, today=TODAY)
    lines = path.read_text(encoding="utf-8").splitlines()
    open_lines = [
        line.removeprefix("# ") if " = " in line or line.startswith("# [") else line for line in lines
    ]
    (tmp_path / "m" / "roster.csv").write_text("name,country,group,attendance,accounts\n", encoding="utf-8")
    path.write_text("\n".join(line for line in open_lines if not line.startswith("# ")), encoding="utf-8")
    meeting = load(path)
    assert [theme.slug for theme in meeting.themes] == ["open-data"]
    assert meeting.sessions[0].themes == ("open-data",)
    assert meeting.attendance.by_country == {"MX": 30, "FR": 12}


def test_sessions_of_an_agenda(tmp_path):
    agenda = Agenda(
        title='The "great" meeting \x7f',
        timezone="America/Mexico_City",
        slots=(
            slot("Opening", 15, speakers=("Ana", "Luis")),
            slot("Beside it", 15, 30),
            slot("Coffee break", 16),
            slot("Elsewhere", 15, track="B"),
        ),
    )
    meeting = load(write_starter(tmp_path / "m", agenda, today=TODAY))
    assert meeting.title == 'The "great" meeting \x7f'
    assert meeting.timezone == "America/Mexico_City"
    assert [(s.slug, s.track, s.kind) for s in meeting.sessions] == [
        ("opening", "main", "session"),
        ("beside-it", "main (2)", "session"),
        ("coffee-break", "main", "break"),
        ("elsewhere", "B", "session"),
    ]
    assert meeting.sessions[0].speakers == ("Ana", "Luis")
    assert (meeting.starts, meeting.ends) == (agenda.slots[0].starts, agenda.slots[2].ends)


def test_an_unknown_zone_becomes_utc():
    assert 'timezone = "UTC"' in starter(
        "m", Agenda(title=None, timezone="Mars", slots=(slot("a", 9),)), today=TODAY
    )


@given(st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_any_name_and_title_give_toml(name, title):
    agenda = Agenda(title=title, timezone=None, slots=(slot(title, 9, speakers=(title,)),))
    assert tomllib.loads(starter(name, agenda, today=TODAY))["meeting"]["slug"]


def test_it_never_overwrites(tmp_path):
    path = tmp_path / "meeting.toml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="never overwritten"):
        write_starter(tmp_path, None, today=TODAY)
    assert path.read_text(encoding="utf-8") == "mine"
    with pytest.raises(UsageError, match="cannot be written"):
        write_starter(path / "below", None, today=TODAY)
