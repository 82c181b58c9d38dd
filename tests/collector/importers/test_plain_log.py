from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest

from archive.vocabulary import Meeting, Received, Unmapped
from collector.importers import IMPORTERS, plain_log
from collector.importers.base import Context, head_of
from collector.importers.lines import text_lines
from tests.collector import golden
from tests.collector.x_times import id_of


@pytest.mark.parametrize("case", golden.cases("plain-log"))
def test_golden(case: str, meeting: Meeting) -> None:
    context = Context(meeting, case, date(2012, 3, 26), meeting.zone)
    assert golden.made(plain_log, case, context) == golden.expected("plain-log", case)


@pytest.mark.parametrize("case", golden.cases("plain-log"))
def test_its_files_are_found_by_content(case: str) -> None:
    head = head_of((golden.TESTDATA / "plain-log" / case).read_bytes())
    assert next(importer.NAME for importer in IMPORTERS if importer.sniff(head)) == "plain-log"


def log(line: str) -> io.BytesIO:
    """A log of one line."""
    return io.BytesIO(f"{line}\n".encode())


def test_times_stand_beside_their_ids(meeting: Meeting) -> None:
    data = (golden.TESTDATA / "plain-log" / "log.txt").read_bytes()
    times = list(plain_log.times(io.BytesIO(data), Context(meeting, "file", date(2012, 3, 26))))
    assert times[0] == ("9000000000000000001", datetime(2012, 3, 26, 9, 5))  # noqa: DTZ001
    assert len(times) == 3  # neither the day that does not exist, nor a day without a time


def test_the_id_tells_the_year(meeting: Meeting) -> None:
    line = log(f"{id_of(datetime(2014, 1, 1, 1, 30, tzinfo=UTC))}  Dec 31 19:30  @bc_ana  happy new year")
    (item,) = plain_log.read(line, Context(meeting, "file", zone=meeting.zone))
    assert isinstance(item, Received)
    assert item.post.created_at == datetime(2014, 1, 1, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(("day", "year"), [(None, 2011), (date(2015, 1, 2), 2014)])
def test_without_it_the_date_or_the_meeting_does(meeting: Meeting, day: date | None, year: int) -> None:
    (item,) = plain_log.read(log("9e+17  Dec 30 19:30  @bc_ana  hola"), Context(meeting, "file", day))
    assert isinstance(item, Received)
    assert item.post.created_at == datetime(year, 12, 30, 19, 30, tzinfo=UTC)


def test_a_line_too_long_is_named(meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_log, "text_lines", lambda stream: text_lines(stream, 10))
    found = list(plain_log.read(log("x" * 30), Context(meeting, "file")))
    assert found == [Unmapped("longer than 10 characters (31)", None, "line 1")]
    assert list(plain_log.times(log("x" * 30), Context(meeting, "file"))) == []
