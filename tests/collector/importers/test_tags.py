from __future__ import annotations

import pytest

from archive.vocabulary import Meeting
from collector.importers import IMPORTERS, tags
from collector.importers.base import Context, head_of
from tests.collector import golden


@pytest.mark.parametrize("case", golden.cases("tags"))
def test_golden(case: str, meeting: Meeting) -> None:
    context = Context(meeting, case)
    assert golden.made(tags, case, context) == golden.expected("tags", case)


@pytest.mark.parametrize("case", golden.cases("tags"))
def test_its_files_are_found_by_content(case: str) -> None:
    head = head_of((golden.TESTDATA / "tags" / case).read_bytes())
    assert next(importer.NAME for importer in IMPORTERS if importer.sniff(head)) == "tags"
