from __future__ import annotations

import io
from datetime import datetime

import pytest

from archive.vocabulary import Meeting
from collector.importers import IMPORTERS, twitter_r
from collector.importers.base import Context, head_of
from tests.collector import golden


@pytest.mark.parametrize("case", golden.cases("twitter-r"))
def test_golden(case: str, meeting: Meeting) -> None:
    context = Context(meeting, case, zone=meeting.zone)
    assert golden.made(twitter_r, case, context) == golden.expected("twitter-r", case)


@pytest.mark.parametrize("case", golden.cases("twitter-r"))
def test_its_files_are_found_by_content(case: str) -> None:
    head = head_of((golden.TESTDATA / "twitter-r" / case).read_bytes())
    assert next(importer.NAME for importer in IMPORTERS if importer.sniff(head)) == "twitter-r"


def test_times_stand_beside_their_ids(meeting: Meeting) -> None:
    data = (golden.TESTDATA / "twitter-r" / "table.csv").read_bytes()
    times = list(twitter_r.times(io.BytesIO(data + b"half,a\n"), Context(meeting, "file")))
    assert times[0] == ("9000000000000000001", datetime(2012, 3, 26, 9, 5))  # noqa: DTZ001
    assert len(times) == 4


def test_it_says_that_it_was_never_tried() -> None:
    assert not twitter_r.TRIED
