"""Every bad row of a roster is named; nobody is guessed."""

import csv

import pytest

from archive.roster import read
from archive.vocabulary import GROUPS, Participant

HEADER = "name,country,group,attendance,accounts\n"


@pytest.fixture(autouse=True)
def _field_limit():
    before = csv.field_size_limit(131_072)  # importers raise it for the whole process
    yield
    csv.field_size_limit(before)


@pytest.fixture
def roster(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "roster.csv"
        path.write_bytes(text.encode(encoding))
        return read(path, GROUPS)

    return write


def test_people_with_their_accounts(roster):
    people, problems = roster(
        HEADER
        + "Ana Perez,mx,Government,room,x:@ana_p; zoom:Ana Perez\n"
        + "\n"
        + '"Gil, Luis",,,,"x:@luis mastodon:luis@example.org zoom:Luis Gil"\n'
        + "Eva Roth,DE,academia,Remote,\n"
    )
    assert problems == []
    assert people == (
        Participant(
            name="Ana Perez",
            country="MX",
            group="government",
            attendance="room",
            accounts=("x:@ana_p", "zoom:Ana Perez"),
        ),
        Participant(name="Gil, Luis", accounts=("x:@luis", "mastodon:luis@example.org", "zoom:Luis Gil")),
        Participant(name="Eva Roth", country="DE", group="academia", attendance="remote"),
    )


def test_bom_and_columns_in_another_order(roster):
    people, problems = roster("accounts,attendance,group,country,name\r\nx:@a,,,,Ana\r\n", "utf-8-sig")
    assert problems == []
    assert people[0].accounts == ("x:@a",)


def test_every_bad_row_is_named(roster):
    people, problems = roster(
        HEADER + ",Mexico,press,online,@ana\nAna,MX\nEva,,,,x:@eva\nLuis,,,,x:@EVA\n",
    )
    assert [person.name for person in people] == ["Eva"]
    assert [problem.field for problem in problems] == [
        "roster.csv line 2, name",
        "roster.csv line 2, country",
        "roster.csv line 2, group",
        "roster.csv line 2, attendance",
        "roster.csv line 2, accounts",
        "roster.csv line 3",
        "roster.csv line 5, accounts",
    ]
    assert "line 4 already" in problems[-1].expected


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("", "utf-8", "an empty file"),
        ("name;country\n", "utf-8", "name;country"),
        ("náme\n", "latin-1", "not UTF-8"),
        (HEADER + "a" * 200_000, "utf-8", "field larger than field limit"),
        (HEADER + "é" * 5_000_001, "utf-8", "more than 10 MB"),
    ],
)
def test_a_file_that_is_no_roster(roster, text, encoding, found):
    people, problems = roster(text, encoding)
    assert people == ()
    assert found in problems[0].found


def test_no_file_and_no_file_that_can_be_read(tmp_path):
    _, missing = read(tmp_path / "no.csv", GROUPS)
    assert missing[0].found.startswith("no file")
    _, folder = read(tmp_path, GROUPS)
    assert folder[0].field == "participants.roster"
