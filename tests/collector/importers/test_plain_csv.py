from __future__ import annotations

import io
from datetime import datetime

import pytest

from archive.vocabulary import Meeting, Received
from collector.importers import IMPORTERS, plain_csv
from collector.importers.base import Context, head_of
from tests.collector import golden


@pytest.mark.parametrize("case", golden.cases("plain-csv"))
def test_golden(case: str, meeting: Meeting) -> None:
    context = Context(meeting, case, zone=meeting.zone)
    assert golden.made(plain_csv, case, context) == golden.expected("plain-csv", case)


@pytest.mark.parametrize("case", golden.cases("plain-csv"))
def test_its_files_are_found_by_content(case: str) -> None:
    head = head_of((golden.TESTDATA / "plain-csv" / case).read_bytes())
    assert next(importer.NAME for importer in IMPORTERS if importer.sniff(head)) == "plain-csv"


def test_times_stand_beside_their_ids(meeting: Meeting) -> None:
    data = (golden.TESTDATA / "plain-csv" / "table.csv").read_bytes()
    times = list(plain_csv.times(io.BytesIO(data), Context(meeting, "file")))
    assert times[0] == ("9000000000000000001", datetime(2012, 3, 26, 9, 5))  # noqa: DTZ001
    assert len(times) == 5


def test_columns_in_another_order_and_case(meeting: Meeting) -> None:
    table = (
        b"Text,Screen_Name,Tweet_ID,Created_At\n"
        b"hola,@bc_ana,9000000000000000001,Mon Mar 26 15:00:00 +0000 2012\n"
    )
    assert plain_csv.sniff(head_of(table))
    (item,) = plain_csv.read(io.BytesIO(table), Context(meeting, "file"))
    assert isinstance(item, Received)
    assert item.post.created_at == meeting.starts
    assert item.post.author.key == "x:@bc_ana"
