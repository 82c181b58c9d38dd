"""Slido's questions: the golden pairs, and the variants of columns that are known by their header."""

from __future__ import annotations

import pytest

from archive.vocabulary import Received
from collector.importers import IMPORTERS, slido
from collector.importers.base import Context, head_of
from tests.collector.golden import TESTDATA, cases, expected, made
from tests.collector.meeting_tools import MEETING, read


@pytest.mark.parametrize("case", cases("slido"))
def test_golden(case: str) -> None:
    assert made(slido, case, Context(MEETING, case)) == expected("slido", case)


@pytest.mark.parametrize("case", cases("slido"))
def test_its_files_are_taken_by_no_other_importer(case: str) -> None:
    head = head_of((TESTDATA / "slido" / case).read_bytes())
    assert [importer.NAME for importer in IMPORTERS if importer.sniff(head)] == ["slido"]


@pytest.mark.parametrize(
    "header",
    [
        "Question,Author,Upvotes",
        "Date;Time;Question text;Participant name;Score",
        "Pregunta,Autor,Votos",
        "Question,Auteur,Votes,Heure",
    ],
)
def test_its_header_has_variants(header: str) -> None:
    assert slido.sniff(head_of(header.encode()))


@pytest.mark.parametrize(
    "text", ["Question,Author\n", "Author,Upvotes\n", "Poll,Option,Votes\n", '["Question"]']
)
def test_other_tables_are_none(text: str) -> None:
    assert not slido.sniff(head_of(text.encode()))


def test_votes_are_likes_and_only_where_they_are_a_number() -> None:
    table = "Question,Author,Upvotes\nWhy?,Bc Ana,7\nHow?,Bc Ana,-1\nWho?,Bc Ana,\n"
    items = [item for item in read(slido, table) if isinstance(item, Received)]
    assert [item.post.engagement.likes if item.post.engagement else None for item in items] == [7, None, None]
    assert {item.post.source for item in items} == {"slido"}
