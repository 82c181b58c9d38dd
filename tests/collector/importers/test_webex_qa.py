"""Webex's Q&A reports: the golden pairs, and the variants of columns that are known by their header."""

from __future__ import annotations

import pytest

from archive.vocabulary import Received
from collector.importers import IMPORTERS, webex_qa
from collector.importers.base import Context, head_of
from tests.collector.golden import TESTDATA, cases, expected, made
from tests.collector.meeting_tools import MEETING, read


@pytest.mark.parametrize("case", cases("webex-qa"))
def test_golden(case: str) -> None:
    assert made(webex_qa, case, Context(MEETING, case)) == expected("webex-qa", case)


@pytest.mark.parametrize("case", cases("webex-qa"))
def test_its_files_are_taken_by_no_other_importer(case: str) -> None:
    head = head_of((TESTDATA / "webex-qa" / case).read_bytes())
    assert [importer.NAME for importer in IMPORTERS if importer.sniff(head)] == ["webex-qa"]


@pytest.mark.parametrize(
    "header", ["Question,Asked by", "Questioner;Question;Answer", "Question\tAttendee Name\tTime"]
)
def test_its_header_has_variants(header: str) -> None:
    assert webex_qa.sniff(head_of(header.encode()))


@pytest.mark.parametrize(
    "text", ["Question,Author,Upvotes\n", "Question,Asker Name\n", "Attendee Name,Duration\n"]
)
def test_other_tables_are_none(text: str) -> None:
    assert not webex_qa.sniff(head_of(text.encode()))


def test_its_posts_are_of_webex() -> None:
    (item,) = read(webex_qa, "Question,Asked by\nWhy?,Bc Ana\n")
    assert isinstance(item, Received)
    assert item.post.author.key == "webex:Bc Ana"
