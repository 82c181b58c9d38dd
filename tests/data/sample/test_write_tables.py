"""The meeting file, the roster, the ledger and the labels of the sample."""

from __future__ import annotations

import csv
import itertools
import json
import tomllib
from collections.abc import Callable
from random import Random

from data.sample import people, write_tables
from data.sample.schedule import agenda
from data.sample.story import Draft


def test_the_meeting_file_holds_the_agenda() -> None:
    meeting = tomllib.loads(write_tables.meeting_file(agenda()))
    assert [session["slug"] for session in meeting["sessions"]] == [slot.slug for slot in agenda()]
    assert meeting["sessions"][0]["speakers"] and meeting["sessions"][2]["kind"] == "break"
    assert meeting["sources"][-1]["date"].isoformat() == "2012-03-27"


def test_the_roster_names_each_person_once_with_all_accounts() -> None:
    everybody = people.make(Random(3))
    rows = list(csv.DictReader(write_tables.roster(Random(1), everybody).splitlines()))
    assert len({row["name"] for row in rows}) == len(rows) > 50
    accounts = ";".join(row["accounts"] for row in rows)
    assert all(f"{label}:" in accounts for label in ("x", "mastodon", "bluesky", "zoom"))


def test_the_ledger_has_no_overlaps_and_one_gap() -> None:
    spans = [json.loads(line) for line in write_tables.coverage(agenda(), 12)]
    for name in {span["name"] for span in spans}:
        own = [span for span in spans if span["name"] == name]
        for span, following in itertools.pairwise(own):
            assert span["started_at"] < span["ended_at"] <= following["started_at"]
    assert [span["missing_estimate"] for span in spans if span["state"] == "deaf"] == [12]


def test_reposts_and_deleted_posts_have_no_label(draft: Callable[..., Draft]) -> None:
    post = draft(1, theme="agility", sentiment="positive")
    drafts = [post, draft(2, repost_of=post), draft(3, deleted_at=post.at)]
    (line,) = write_tables.gold(drafts, {id(one): f"x:{one.id}" for one in drafts})
    assert json.loads(line) == {
        "key": f"x:{post.id}",
        "language": "en",
        "themes": ["agility"],
        "sentiment": "positive",
        "question": False,
    }
