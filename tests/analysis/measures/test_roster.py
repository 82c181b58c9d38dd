from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest

from analysis.measures.roster import countries, matched
from archive.store import Archive
from archive.vocabulary import Attendance, Author, Meeting, Participant, Received

PEOPLE = (
    Participant(name="Ana", country="MX", accounts=("x:@BC_Ana", "mastodon:ana@example.org")),
    Participant(name="Luis", country="MX", accounts=("x:777",)),
    Participant(name="Eva", country="FR", accounts=("zoom:Eva Roth",)),
    Participant(name="Pia", accounts=("x:bc_pia",)),
    Participant(name="Silent", country="DE", accounts=("x:@silent",)),
)
ACCOUNTS = (
    Author(key="x:1", source="x", handle="bc_ana"),
    Author(key="mastodon:ana@example.org", source="mastodon", handle="Ana@example.org"),
    Author(key="x:777", source="x", handle="bc_luis"),
    Author(key="zoom:Eva Roth", source="zoom", name="Eva Roth"),
    Author(key="x:@bc_pia", source="x", handle="bc_pia"),
    Author(key="youtube:bc_ana", source="youtube", handle="bc_ana"),
)


@pytest.fixture
def listed(archive: Archive, meeting: Meeting, receive: Callable[..., Received]) -> Meeting:
    archive.write(
        [
            receive(n, author=author, source=author.source, key=f"{author.source}:{n}")
            for n, author in enumerate(ACCOUNTS)
        ]
    )
    return replace(meeting, participants=PEOPLE)


def test_accounts_are_matched_by_handle_id_or_name_within_their_network(
    conn: sqlite3.Connection, listed: Meeting
) -> None:
    keys = dict(map(tuple, conn.execute("SELECT id, key FROM authors")))
    assert {keys[number]: person.name for number, person in matched(conn, listed).items()} == {
        "x:1": "Ana",
        "mastodon:ana@example.org": "Ana",
        "x:777": "Luis",
        "zoom:Eva Roth": "Eva",
        "x:@bc_pia": "Pia",
    }


def test_countries_count_people_and_not_accounts(conn: sqlite3.Connection, listed: Meeting) -> None:
    found = countries(conn, replace(listed, attendance=Attendance(by_country={"FR": 3, "JP": 1})))
    assert list(found["seen"].items()) == [("MX", 2), ("FR", 1)]
    assert found["missing"] == ["DE", "JP"]


def test_nobody_is_matched_without_a_roster(conn: sqlite3.Connection, meeting: Meeting) -> None:
    assert matched(conn, meeting) == {}
