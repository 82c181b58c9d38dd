"""The meeting file: what it may say, and that every mistake is answered, all of them at once."""

import json
import os
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import MeetingFileError
from archive.meeting import from_definition, load, to_definition, warnings
from archive.vocabulary import Meeting, Session, Theme

SMALLEST = """\
[meeting]
slug = "m"
title = "A meeting"
hashtags = ["m"]
starts = 2012-03-26T09:00:00
ends = 2012-03-27T18:00:00
timezone = "America/Mexico_City"
"""

FULL = (
    SMALLEST
    + """\
languages = ["en", "es"]
interface = "es"
lag = "2m"

[attendance]
registered = 120
by_country = { MX = 30, FR = 12 }
by_group = { press = 3 }

[[themes]]
slug = "open-data"
title = "Open data"
description = "Data for everybody."
keywords = { en = ["open data"], es = ["datos abiertos"] }

[[sessions]]
slug = "s1"
title = "Opening"
starts = 2012-03-26T09:00:00
ends = 2012-03-26T10:30:00
hashtags = ["opening"]
themes = ["open-data"]
speakers = ["Ana Perez"]

[[sessions]]
slug = "coffee"
title = "Coffee"
starts = 2012-03-26T10:30:00
ends = 2012-03-26T11:00:00
kind = "break"

[[sessions]]
slug = "s1b"
title = "In the other room"
starts = 2012-03-26T09:00:00
ends = 2012-03-26T10:30:00
track = "second"

[[sources]]
kind = "x"
max_posts = 20000
[[sources]]
kind = "x"
[[sources]]
kind = "mastodon"
name = "x-2"
base_url = "https://social.example.org"
[[sources]]
kind = "folder"
path = "zoom/"
date = 2012-03-26
[[sources]]
kind = "webhook"
arm = "room"

[participants]
roster = "roster.csv"

[moderation]
show = "automatic"
block = ["spam"]

[[alerts]]
when = "word"
words = ["fire"]

[privacy]
retain_until = 2013-03-27
quotes = "pseudonyms"
"""
)


@pytest.fixture
def write(tmp_path):
    def write(source):
        path = tmp_path / "meeting.toml"
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        return path

    return write


@pytest.fixture
def full(write, tmp_path):
    (tmp_path / "roster.csv").write_text(
        "name,country,group,attendance,accounts\nAna Perez,MX,press,room,x:@ana\n", encoding="utf-8"
    )
    return load(write(FULL))


def mistakes(path):
    with pytest.raises(MeetingFileError) as caught:
        load(path)
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_the_smallest_file_has_every_default(write):
    meeting = load(write(SMALLEST).parent)
    assert meeting == Meeting(
        slug="m",
        title="A meeting",
        hashtags=("m",),
        starts=datetime(2012, 3, 26, 15, tzinfo=UTC),
        ends=datetime(2012, 3, 28, 0, tzinfo=UTC),
        timezone="America/Mexico_City",
        moderation={"show": "approved", "block": [], "allow": []},
    )
    assert meeting.languages == ("en", "es", "fr", "de", "it", "pt", "ar")
    assert meeting.starts.tzinfo is UTC


def test_a_full_file(full):
    assert full.lag == timedelta(minutes=2)
    assert full.interface == "es"
    assert full.attendance.by_country == {"MX": 30, "FR": 12}
    assert full.attendance.room is None
    assert full.themes == (
        Theme(
            slug="open-data",
            title="Open data",
            description="Data for everybody.",
            keywords={"en": ("open data",), "es": ("datos abiertos",)},
        ),
    )
    assert full.sessions[0] == Session(
        slug="s1",
        title="Opening",
        starts=datetime(2012, 3, 26, 15, tzinfo=UTC),
        ends=datetime(2012, 3, 26, 16, 30, tzinfo=UTC),
        hashtags=("opening",),
        themes=("open-data",),
        speakers=("Ana Perez",),
    )
    assert full.participants[0].group == "press"
    assert full.moderation == {"show": "automatic", "block": ["spam"], "allow": []}
    assert full.alerts == ({"when": "word", "words": ["fire"]},)
    assert (full.retain_until, full.quotes) == (date(2013, 3, 27), "pseudonyms")
    assert warnings(full) == []


def test_sources_have_names_arms_and_defaults(full):
    assert [(source.name, source.arm) for source in full.sources] == [
        ("x", "public"),
        ("x-3", "public"),
        ("x-2", "public"),
        ("folder", "remote"),
        ("webhook", "room"),
    ]
    assert full.sources[0].settings == {
        "token_env": "X_BEARER_TOKEN",
        "stall_after": 20,
        "max_posts": 20000,
    }
    assert full.sources[3].settings == {"format": "auto", "path": "zoom/", "date": "2012-03-26"}


def test_it_comes_out_of_the_archive_as_it_went_in(full):
    definition = json.loads(json.dumps(to_definition(full)))
    assert from_definition(definition) == full
    assert from_definition(definition).sessions[0].starts.tzinfo is UTC


@given(
    st.builds(
        Meeting,
        slug=st.just("m"),
        title=st.text(min_size=1),
        hashtags=st.tuples(st.text(min_size=1)),
        starts=st.datetimes(timezones=st.just(UTC)),
        ends=st.datetimes(timezones=st.just(UTC)),
        timezone=st.just("UTC"),
        lag=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=1)),
        themes=st.lists(st.builds(Theme, slug=st.text(), title=st.text())).map(tuple),
        alerts=st.lists(st.fixed_dictionaries({"when": st.just("deaf")})).map(tuple),
        quotes=st.sampled_from(["names", "none"]),
        retain_until=st.none() | st.dates(),
    )
)
def test_round_trip_of_any_meeting(meeting):
    assert from_definition(json.loads(json.dumps(to_definition(meeting)))) == meeting


def test_every_mistake_at_once_with_line_field_found_and_allowed(write):
    problems = mistakes(
        write("""\
[meeting]
slug = "E Leaders"
title = " "
hashtags = ["#one", "two words"]
starts = 2012-03-26
ends = "tomorrow"
timezone = "Mexico"
languges = ["en"]
lag = "two"
[attendance]
room = "80"
by_country = { Mexico = 3, FR = -1 }
[[themes]]
slug = "open data"
keywords = { en = "a" }
[[sources]]
kind = "x"
token_env = "AAAA%secret"
[[sources]]
kind = "telegram"
[surprise]
""")
    )
    assert [(problem.line, problem.field, problem.found) for problem in problems] == [
        (2, "meeting.slug", '"E Leaders"'),
        (3, "meeting.title", '" "'),
        (4, "meeting.hashtags", '"#one"'),
        (4, "meeting.hashtags", '"two words"'),
        (5, "meeting.starts", "2012-03-26"),
        (6, "meeting.ends", '"tomorrow"'),
        (7, "meeting.timezone", '"Mexico"'),
        (8, "meeting.languges", "an unknown key"),
        (9, "meeting.lag", '"two"'),
        (11, "attendance.room", '"80"'),
        (12, "attendance.by_country", '"Mexico"'),
        (12, "attendance.by_country", "-1"),
        (13, "themes 1.title", "nothing"),
        (14, "themes 1.slug", '"open data"'),
        (15, "themes 1.keywords", '"a"'),
        (18, "sources 1.token_env", "something that is no such name"),
        (20, "sources 2.kind", '"telegram"'),
        (21, "surprise", "an unknown key"),
    ]
    said = str(MeetingFileError(write(""), problems))
    assert "did you mean languages?" in said
    assert 'meeting.toml, line 9: meeting.lag: found "two"; allowed is a length of time' in said
    assert "secret" not in said.replace("never the secret itself", "")


@pytest.mark.parametrize(
    ("source", "found", "line"),
    [
        ("", "an empty file", None),
        (" \n\n", "an empty file", None),
        ("[meeting\nslug = 1", "Expected ']'", 1),
        ("[meeting]\nslug = m\n", "Invalid value", 2),
        ('[meeting]\nslug = "m', "Unterminated string", 2),
        ("[meeting]\nslug = 1\nslug = 2\n", "Cannot overwrite a value", 3),
        (b"[meeting]\n\xff\xfe", "bytes that are no text in UTF-8", 2),
        (b"SQLite format 3\x00" + bytes(range(256)), "bytes that are no text", None),
        (b"#" * 1_000_001, "more than 1 MB", None),
        ("a = " + "[" * 50_000, "too deep", None),
        ("a" + ".a" * 50_000 + " = 1", "too deep", None),
        ("a = " + "9" * 5_000, "thousands of digits", None),
        ("themes = 1\n", "1", 1),
        ("[[meeting]]\n", "[a table with nothing in it]", 1),
        ("[themes]\n", "a table with nothing in it", 1),
        ("x = 1\n", "an unknown key", 1),
    ],
)
def test_a_file_that_is_no_meeting_file(write, source, found, line):
    problems = mistakes(write(source))
    assert any(found in problem.found and line in (None, problem.line) for problem in problems), problems


def test_no_file_and_no_folder(tmp_path):
    assert mistakes(tmp_path)[0].found == f"nothing at {tmp_path / 'meeting.toml'}"
    (tmp_path / "meeting.toml").mkdir()
    assert mistakes(tmp_path / "meeting.toml" / "deeper.toml")[0].found.startswith("nothing at")


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(write):
    assert load(write(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())).slug == "m"


def test_hashtags_may_have_one_letter_or_another_script(write):
    meeting = load(write(SMALLEST.replace('["m"]', '["m", "año2012", "会议"]')))
    assert meeting.hashtags == ("m", "año2012", "会议")


@pytest.mark.parametrize(
    ("lag", "expected"), [("0", 0), ('"90s"', 90), ('"2m"', 120), ('"1 h"', 3600), ('"24h"', 86400)]
)
def test_lags(write, lag, expected):
    assert load(write(SMALLEST + f"lag = {lag}\n")).lag == timedelta(seconds=expected)


@pytest.mark.parametrize("lag", ["2", '"2"', "-1", '"25h"', "true", "false", '"-2m"', "0.5"])
def test_no_lags(write, lag):
    assert mistakes(write(SMALLEST + f"lag = {lag}\n"))[0].field == "meeting.lag"


@pytest.mark.parametrize(
    "address", ["ftp://example.org", "example.org", "https://", "https://ana:pw@example.org", "ws://[::1"]
)
def test_no_addresses(write, address):
    source = SMALLEST + f'[[sources]]\nkind = "mastodon"\nbase_url = "{address}"\n'
    assert mistakes(write(source))[0].field == "sources 1.base_url"


@pytest.mark.parametrize("listen", ["8600", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "a b:80"])
def test_nowhere_to_listen(write, listen):
    source = SMALLEST + f'[[sources]]\nkind = "webhook"\nlisten = "{listen}"\n'
    assert mistakes(write(source))[0].field == "sources 1.listen"


def test_mistakes_of_the_roster_stand_at_the_line_that_names_it(write):
    path = write(SMALLEST + '[participants]\nroster = "r.csv"\n')
    assert [(problem.line, problem.field) for problem in mistakes(path)] == [(9, "participants.roster")]
    path.with_name("r.csv").write_text("name,country,group,attendance,accounts\n,MX,,,\n", encoding="utf-8")
    assert [(problem.line, problem.field) for problem in mistakes(path)] == [(9, "r.csv line 2, name")]


def test_warnings_are_no_errors(write):
    source = SMALLEST + (
        '[[themes]]\nslug = "t"\ntitle = "T"\n[[sessions]]\nslug = "s"\ntitle = "S"\n'
        "starts = 2012-03-25T09:00:00\nends = 2012-03-25T10:00:00\n"
    )
    said = warnings(load(write(source)))
    assert len(said) == 2
    assert "session s lies outside the meeting" in said[0]
    assert "theme t has neither keywords" in said[1]
    assert "no [[themes]]" in warnings(load(write(SMALLEST)))[0]


@pytest.mark.parametrize("year", ["9999", "0001"])
def test_times_at_the_ends_of_the_calendar_are_mistakes(write, year):
    source = re.sub(r"(starts|ends) = \d{4}", rf"\1 = {year}", SMALLEST)
    assert {problem.field for problem in mistakes(write(source))} == {"meeting.starts", "meeting.ends"}


def test_a_nul_is_no_part_of_a_title(write):
    source = re.sub(r"title = .*", r'title = "a\\u0000b"', SMALLEST)
    assert [problem.field for problem in mistakes(write(source))] == ["meeting.title"]


def test_what_is_no_ordinary_file(tmp_path):
    os.mkfifo(tmp_path / "meeting.toml")
    assert mistakes(tmp_path)[0].found == "no ordinary file"
