from __future__ import annotations

import io

import pytest

from archive.vocabulary import Meeting, Received
from collector.importers import IMPORTERS, rtweet
from collector.importers.base import Context, head_of
from collector.mapping import MappingError
from tests.collector import golden


@pytest.mark.parametrize("case", golden.cases("rtweet"))
def test_golden(case: str, meeting: Meeting) -> None:
    context = Context(meeting, case)
    assert golden.made(rtweet, case, context) == golden.expected("rtweet", case)


@pytest.mark.parametrize("case", golden.cases("rtweet"))
def test_its_files_are_found_by_content(case: str) -> None:
    head = head_of((golden.TESTDATA / "rtweet" / case).read_bytes())
    assert next(importer.NAME for importer in IMPORTERS if importer.sniff(head)) == "rtweet"


@pytest.mark.parametrize("mark", ["maybe", "1"])
def test_a_mark_that_is_neither_true_nor_false_is_a_mistake(mark: str) -> None:
    row = {"status_id": "x9000000000000000001", "screen_name": "bc_ana", "is_retweet": mark}
    with pytest.raises(MappingError, match="is_retweet is neither TRUE nor FALSE"):
        rtweet.to_post({**row, "created_at": "2012-03-26 15:00:00", "text": "hola"})


def test_the_arm_can_be_another(meeting: Meeting) -> None:
    table = (
        b"status_id,screen_name,created_at,text,is_retweet\n"
        b"x9000000000000000001,bc_ana,2012-03-26,hola,FALSE\n"
    )
    (item,) = rtweet.read(io.BytesIO(table), Context(meeting, "file", arm="room"))
    assert isinstance(item, Received)
    assert item.post.arm == "room"
    assert item.raw is not None
    assert '"text":"hola"' in item.raw
