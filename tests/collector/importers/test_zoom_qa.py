"""Zoom's Q&A reports: the golden pairs, and the variants of columns that are known by their header."""

from __future__ import annotations

import pytest

from archive.vocabulary import Received
from collector.importers import IMPORTERS, zoom_qa
from collector.importers.base import Context, head_of
from tests.collector.golden import TESTDATA, cases, expected, made
from tests.collector.meeting_tools import MEETING, read


@pytest.mark.parametrize("case", cases("zoom-qa"))
def test_golden(case: str) -> None:
    assert made(zoom_qa, case, Context(MEETING, case)) == expected("zoom-qa", case)


@pytest.mark.parametrize("case", cases("zoom-qa"))
def test_its_files_are_taken_by_no_other_importer(case: str) -> None:
    head = head_of((TESTDATA / "zoom-qa" / case).read_bytes())
    assert [importer.NAME for importer in IMPORTERS if importer.sniff(head)] == ["zoom-qa"]


@pytest.mark.parametrize(
    "header",
    [
        "#,Question,Asker Name,Asker Email,Answer(s)",
        "question;ASKER_NAME",
        "Pregunta\tAsker Name (Original Name)",
    ],
)
def test_its_header_has_variants(header: str) -> None:
    assert zoom_qa.sniff(head_of(header.encode()))


@pytest.mark.parametrize(
    "text", ["Question,Author,Upvotes\n", "Asker Name\n", "Question Details,\nTopic,Host\n", "{}"]
)
def test_other_tables_are_none(text: str) -> None:
    assert not zoom_qa.sniff(head_of(text.encode()))


def test_its_posts_are_of_zoom_and_of_the_remote_arm() -> None:
    for arm in (None, "room"):
        (item,) = read(zoom_qa, "Question,Asker Name\nWhy?,Bc Ana\n", arm=arm)
        assert isinstance(item, Received)
        assert (item.post.source, item.post.arm) == ("zoom", arm or "remote")
