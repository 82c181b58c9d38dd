"""Agendas as other programs write them."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from archive.agenda import Slot, read_agenda, slugs
from archive.errors import InputError

ICAL = """\
BEGIN:VCALENDAR\r
X-WR-CALNAME:E-Leaders\\, 2012\r
X-WR-TIMEZONE:America/Mexico_City\r
BEGIN:VEVENT\r
DTSTART;TZID="America/Mexico_City":20120326T103000\r
DURATION:PT30M\r
SUMMARY:Coffee\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART:20120326T150000Z\r
DTEND:20120326T163000Z\r
SUMMARY:Opening of a very\r
  long day\\nwith a line break\r
LOCATION:Room A\r
DESCRIPTION;ALTREP="http://example.org/a:b":ignored\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;VALUE=DATE:20120326\r
SUMMARY:A whole day is no session\r
END:VEVENT\r
BEGIN:VEVENT\r
DTSTART;TZID=Nowhere/At_All:20120327T090000\r
DTEND;TZID=Nowhere/At_All:20120327T100000\r
SUMMARY:Floating\r
END:VEVENT\r
END:VCALENDAR\r
"""


def talk(title, start, duration, **more):
    return {"title": title, "date": start, "duration": duration, **more}


PRETALX = {
    "schedule": {
        "conference": {
            "title": "A conference",
            "time_zone_name": "Europe/Paris",
            "days": [
                {
                    "rooms": {
                        "Hall": [
                            talk({"en": "Second"}, "2026-05-01T10:00:00+02:00", "00:45"),
                            talk(
                                "First",
                                "2026-05-01T09:00:00+02:00",
                                "01:00",
                                persons=[{"public_name": "Ana Perez"}, {}],
                            ),
                            talk("", "2026-05-01T11:00:00+02:00", "00:30"),
                        ]
                    }
                }
            ],
        }
    }
}


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "agenda"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_agenda(path)

    return read


def test_ical(read):
    agenda = read(ICAL)
    assert (agenda.title, agenda.timezone) == ("E-Leaders, 2012", "America/Mexico_City")
    assert [(slot.title, slot.track, slot.is_break) for slot in agenda.slots] == [
        ("Opening of a very long day with a line break", "Room A", False),
        ("Coffee", "main", True),
        ("Floating", "main", False),
    ]
    assert agenda.slots[0].starts == datetime(2012, 3, 26, 15, tzinfo=UTC)
    assert agenda.slots[1].ends - agenda.slots[1].starts == timedelta(minutes=30)
    assert agenda.slots[2].starts.tzinfo is None


def test_pretalx(read):
    agenda = read(json.dumps(PRETALX))
    assert (agenda.title, agenda.timezone) == ("A conference", "Europe/Paris")
    assert [slot.title for slot in agenda.slots] == ["First", "Second"]
    assert agenda.slots[0] == Slot(
        title="First",
        starts=datetime(2026, 5, 1, 9, tzinfo=timezone(timedelta(hours=2))),
        ends=datetime(2026, 5, 1, 10, tzinfo=timezone(timedelta(hours=2))),
        track="Hall",
        speakers=("Ana Perez",),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "neither iCal"),
        ("name,time\n", "neither iCal"),
        ("{", "not pretalx"),
        ('{"schedule": {"conference": {"days": 3}}}', "not pretalx"),
        ('{"schedule": {"conference": {"days": [{"rooms": {"a": [{"title": "T"}]}}]}}}', "not pretalx"),
        ('{"schedule": {"conference": {"days": []}}}', "no session"),
        ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "no session"),
        (b"\xff\xfe", "no text in UTF-8"),
        (b" " * 20_000_001, "more than 20 MB"),
    ],
)
def test_what_is_no_agenda(read, text, said):
    with pytest.raises(InputError, match=said):
        read(text)


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_agenda(tmp_path / "no.ics")


def test_slugs_are_short_plain_and_different():
    at = datetime(2012, 3, 26, tzinfo=UTC)
    titles = ["Ouverture à l’été", "Opening!", "Opening", "会议", "Before", "x" * 99]
    made = slugs(tuple(Slot(title=title, starts=at, ends=at) for title in titles))
    assert made == ["ouverture-a-lete", "opening", "opening-2", "session", "session-before", "x" * 40]
    clash = slugs(tuple(Slot(title=title, starts=at, ends=at) for title in ("a", "a", "a 2")))
    assert len(set(clash)) == 3
