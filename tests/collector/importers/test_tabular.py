from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.vocabulary import Private, Skipped, Unmapped
from collector.importers import tabular
from collector.importers.base import head_of
from collector.importers.tabular import Row, header_of, mapped_rows, number, readable, rows
from collector.mapping import MappingError

Found = list[dict[str, str] | str]


def read(table: str, **options: object) -> Found:
    """The cells of each row, and the place and reason where there are none."""
    return [
        row.cells if isinstance(row, Row) else f"{row.where}: {row.reason}"
        for row in rows(io.BytesIO(table.encode()), **options)  # type: ignore[arg-type]
    ]


def test_quotes_commas_and_line_breaks_inside_cells() -> None:
    text = '\ufeffid,text\r\n1,"a ""b"", c\r\nd"\r\n\r\n2,plain\r\n'
    assert read(text) == [{"id": "1", "text": 'a "b", c\r\nd'}, {"id": "2", "text": "plain"}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_other_delimiters(delimiter: str) -> None:
    text = f"id{delimiter}text\n1{delimiter}one\n"
    assert read(text) == [{"id": "1", "text": "one"}]
    assert header_of(head_of(text.encode())) == ["id", "text"]


def test_blanks_and_empty_cells_are_left_out() -> None:
    row = next(rows(io.BytesIO(b"id,a,b\n1,,NA\n"), blank=frozenset({"NA"})))
    assert isinstance(row, Row)
    assert (row.cells, row.where, row.raw) == ({"id": "1"}, "line 2", '{"id":"1"}')


def test_unquoted_commas_in_the_last_column_are_put_together_where_it_is_the_text() -> None:
    text = "id,text\n1,one, two, three\n"
    assert read(text, text=("text",)) == [{"id": "1", "text": "one, two, three"}]
    assert read(text) == ["line 2: 4 cells where the header has 2"]


def test_a_quotation_mark_that_is_never_closed_costs_its_line_only() -> None:
    text = 'id,text\n1,"open\n2,"closed"\n3,fine\n'
    reason = "line 2: a quotation mark is opened in this line and never closed"
    assert read(text) == [reason, {"id": "2", "text": "closed"}, {"id": "3", "text": "fine"}]
    assert read('id,text\n1,fine\n2,"open\n3,\n')[1:] == [
        "line 3: a quotation mark is opened in this line and never closed",
        {"id": "3"},
    ]


def test_a_row_that_takes_too_many_lines_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "MAX_LINES", 3)
    found = read('id,text\n1,"open\n' + "2,fine\n" * 5)
    assert (
        found
        == ["line 2: a quotation mark is opened in this line and never closed"]
        + [{"id": "2", "text": "fine"}] * 5
    )


def test_patience_with_rows_that_prove_none_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tabular, "MAX_GIVEN_BACK", 5)
    monkeypatch.setattr(tabular, "MAX_LINES", 4)
    found = read("id,text\n" + 'x""","\n' * 20)  # each line goes on with the last, and opens anew
    assert found == [
        f"line {number}: a quotation mark is opened in this line and never closed" for number in range(2, 22)
    ]


def test_a_carriage_return_inside_a_line_is_a_blank() -> None:
    assert read("id,te\rxt\n1,a\rb\n") == [{"id": "1", "te xt": "a b"}]


def test_stray_quotation_marks_are_taken_as_they_are() -> None:
    assert read('id,text\n1,5" disk\n2,"a" b\n') == [
        {"id": "1", "text": '5" disk'},
        {"id": "2", "text": "a b"},
    ]


def test_a_line_too_long_costs_itself_only(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = tabular.text_lines
    monkeypatch.setattr(tabular, "text_lines", lambda stream: lines(stream, 20))
    long = "x" * 30
    found = read(f'id,text\n1,"open\n{long}\n2,fine\n{long}\n')
    assert found == [
        "line 2: a quotation mark is opened in this line and never closed",
        "line 3: longer than 20 characters (31)",
        {"id": "2", "text": "fine"},
        "line 5: longer than 20 characters (31)",
    ]


def test_files_without_rows() -> None:
    assert read("") == read("\n\n") == read("id,text\n") == []
    assert header_of(head_of(b"")) == []


def test_rows_become_items() -> None:
    def to_item(row: Row) -> Skipped:
        if row.cells["id"] == "2":
            raise MappingError("no good")
        return Skipped("fine")

    table = b"id,kind\n1,post\n2,post\n3,dm\n4\n"
    items = list(mapped_rows(rows(io.BytesIO(table)), to_item))
    assert items == [
        Skipped("fine"),
        Unmapped("no good", '{"id":"2","kind":"post"}', "line 3"),
        Private("line 4"),
        Unmapped("1 cells where the header has 2", "4\n", "line 5"),
    ]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12),
        ("0", 0),
        (None, None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("9" * 30, None),
        ("9" * 19, None),
    ],
)
def test_counts(cell: str | None, value: int | None) -> None:
    assert number(cell) == value


CELL = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\ufeff"), max_size=12
)


@given(st.lists(st.tuples(CELL, CELL, CELL).filter(any)))
def test_what_a_csv_writer_writes_is_read_as_it_was(table: list[tuple[str, ...]]) -> None:
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c"), *table])
    assert read(file.getvalue()) == [
        {name: cell for name, cell in zip("abc", row, strict=True) if cell} for row in table
    ]


@given(st.text(alphabet='",\n;a\r\0', max_size=60))
def test_rubbish_never_raises(text: str) -> None:
    assert all(isinstance(row, Row | Unmapped) for row in rows(io.BytesIO(("a,b\n" + text).encode())))


def test_a_column_named_twice_must_say_the_same_twice() -> None:
    found = read("id,id,text\n1,1,one\n2,3,two\n")
    assert found == [
        {"id": "1", "text": "one"},
        "line 3: the header names 'id' twice, and the cells below differ",
    ]


def test_what_can_be_read_of_rows_without_those_that_cannot() -> None:
    def even(cells: dict[str, str]) -> int:
        if (value := int(cells["n"])) % 2:
            raise MappingError("odd")
        return value

    assert list(readable(rows(io.BytesIO(b"n\n2\n3\n4,5\n6\n")), even)) == [2, 6]
