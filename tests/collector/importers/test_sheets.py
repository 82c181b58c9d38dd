from __future__ import annotations

import io

import pytest

from archive.errors import InputError
from archive.vocabulary import Meeting
from collector.importers.base import Context, head_of
from collector.importers.sheets import Form, Sheet, picked, plain, written_time, zoned
from collector.importers.tabular import Row, rows

FORM = Form(
    "zoom",
    {"question": ("question",), "name": ("author",), "time": ("time",), "answer": ("answer",)},
    ("question", "name"),
)
TABLE = 'Topic,Host\n"A, b",Bc Ana\nMade:,today\n\nQuestion,Author\n"Is it\nopen?",Bc Tom\n'


def sheet(data: bytes, meeting: Meeting) -> Sheet:
    return Sheet.of(io.BytesIO(data), FORM, Context(meeting, "file"))


def found(data: bytes, meeting: Meeting) -> list[tuple[dict[str, str] | str, str]]:
    return [
        (row.cells if isinstance(row, Row) else row.reason, row.where)
        for row in rows(sheet(data, meeting).stream)
    ]


@pytest.mark.parametrize(
    ("encoding", "end"),
    [
        *((encoding, end) for encoding in ("utf-8", "utf-8-sig", "utf-16") for end in ("\n", "\r\n", "\r")),
        ("cp1252", "\n"),
    ],
)
def test_lines_before_the_table_leave_places_true(encoding: str, end: str, meeting: Meeting) -> None:
    table = TABLE.replace("\n", end).replace("Tom", "Tomé")
    wanted = [({"Question": "Is it\nopen?", "Author": "Bc Tomé"}, "line 6")]
    (row,) = found(table.encode(encoding), meeting)
    assert isinstance(row[0], dict)
    row[0]["Question"] = row[0]["Question"].replace("\r\n", "\n").replace("\r", "\n")
    assert [row] == wanted


def test_what_stands_before_the_table_is_told(meeting: Meeting) -> None:
    facts = sheet(TABLE.encode(), meeting).facts
    assert (facts["host"], facts["topic"], facts["made"]) == ("Bc Ana", "A, b", "today")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_comma_too_many_at_the_end_of_rows(encoding: str, end: str, meeting: Meeting) -> None:
    table = 'x,\nQuestion,Author\n"One\ntwo",Bc Tom,\nThree,Bc Eva,\n'.replace("\n", end)
    names = [
        cells["Author"] for cells, _ in found(table.encode(encoding), meeting) if isinstance(cells, dict)
    ]
    assert names == ["Bc Tom", "Bc Eva"]


def test_a_table_that_is_damaged_from_its_first_row_on(meeting: Meeting) -> None:
    assert found(b'Question,Author\n"open\rx"y\n', meeting) != []
    assert found(b"Question,Author", meeting) == []
    assert found(b'Question,Author\nplain\rbreak,Bc Tom\n"a",b\n', meeting)[-1] == (
        {"Question": "a", "Author": "b"},
        "line 3",
    )


def test_a_file_without_a_header_says_so(meeting: Meeting) -> None:
    with pytest.raises(InputError, match="file: none of its first 60 lines"):
        sheet(b"a,b\n1,2\n", meeting)
    with pytest.raises(InputError):
        sheet(b"\n" * 100 + b"Question,Author\n", meeting)
    assert FORM.line(head_of(b'["question","author"]\n')) is None


def test_columns_go_by_any_of_their_names_numbers_and_zones() -> None:
    form = Form("zoom", {"time": ("asked at", "time"), "answer": ("answer s",)}, ())
    assert form.named(["Time", "ASKED_AT (UTC)", "Answer(s)"]) == {
        "time": "ASKED_AT (UTC)",
        "answer": "Answer(s)",
    }
    assert form.named(["Answer(s) 2", ""], " 2") == {"answer": "Answer(s) 2"}
    assert plain("  Réponse(s)_À ") == "reponse s a"


def test_cells_and_times_of_a_row() -> None:
    columns = {"date": "Date", "time": "Time (UTC)"}
    assert picked({"Date": "x", "Time (UTC)": " "}, columns) == {"date": "x"}
    assert written_time({"date": "3/4/2026", "time": "14:03"}, columns) == "3/4/2026 14:03 UTC"
    assert written_time({"date": "3/4/2026", "time": "3/4/2026 14:03"}, columns) == "3/4/2026 14:03 UTC"
    assert written_time({"date": "3/4/2026"}, columns) == "3/4/2026"
    assert written_time({}, columns) is None
    assert zoned("14:03", "Time") == "14:03"
