from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.vocabulary import Unmapped
from collector.importers.records import Record, dump, json_records, loads, unmapped

LONE = '{"text":"\\ud83d and no more"}'


def read(text: str | bytes, **options: Any) -> list[Any]:
    """The values of a file, and the reasons where there are none."""
    data = text.encode() if isinstance(text, str) else text
    return [
        record.value if isinstance(record, Record) else f"{record.where}: {record.reason}"
        for record in json_records(io.BytesIO(data), **options)
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1}\n{"a":2}',
        '{"a":1}\r\n\r\n{"a":2}\r\n',
        '\n\n{"a":1}\n{"a":2}\n',
        '[{"a":1},{"a":2}]',
        '[{"a":1}]\n[{"a":2}]\n',
        '[\n  {\n    "a": 1\n  },\n  {"a": 2}\n]\n',
        '{\n "a": 1\n}\n{\n "a": 2\n}\n',
        '[{"a":1},\n{"a":2}]',
    ],
)
def test_lines_arrays_and_documents_are_told_apart(text: str) -> None:
    assert read(text) == [{"a": 1}, {"a": 2}]


def test_an_empty_file_and_one_of_blanks_hold_nothing() -> None:
    assert read("") == read("\n \n") == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1, "te', "Unterminated string starting at at character 10"),
        ("nonsense", "Expecting value at character 1"),
        ('{"a": NaN}', "NaN is no JSON value"),
        ('{"a": -Infinity}', "-Infinity is no JSON value"),
        ('{"a": 1e999}', "a number with too many digits"),
        ('{"a": ' + "9" * 5000 + "}", "a number with too many digits"),
        ("[" * 100_000, "nested too deeply"),
        (LONE, "half a character (a lone surrogate)"),
        ('{"a":1} {"a":2}', "Extra data at character 9"),
    ],
)
def test_a_hostile_line_costs_itself_only(line: str, reason: str) -> None:
    assert read(f'{{"a":1}}\n{line}\n{{"a":2}}\n') == [{"a": 1}, f"line 2: damaged JSON: {reason}", {"a": 2}]


def test_a_damaged_first_line_is_no_reason_to_read_the_rest_otherwise() -> None:
    assert read('{"a": 1, "b\n{"a":2}\n')[1:] == [{"a": 2}]
    assert read('{"a": 1, "b') == ["line 1: damaged JSON: Unterminated string starting at at character 10"]


def test_a_damaged_element_costs_itself_only() -> None:
    pretty = '[\n  {\n    "a": 1\n  },\n  {\n    "a": ,\n    "b": {}\n  },\n  {\n    "a": 2\n  }\n]'
    assert read(pretty) == [{"a": 1}, "record 2: damaged JSON: Expecting value at character 10", {"a": 2}]
    pages = '[{"a":1}]\n[{"a":1},{"b\n[{"a":2}]\n'
    assert read(pages) == [
        {"a": 1},
        {"a": 1},
        "record 3: damaged JSON: Invalid control character at at character 13",
        {"a": 2},
    ]


def test_what_is_lost_after_damage_in_one_long_line_is_said() -> None:
    assert read('[{"a":1},{"a":,},{"a":2}]') == [
        {"a": 1},
        "record 2: damaged JSON: Expecting value at character 15; nothing after it could be read",
    ]
    assert "nothing after" in read('[{"a":1},{"a')[1]
    assert "nested too deeply" in read("[" * 100_000)[0]


def test_a_long_array_on_one_line_is_streamed() -> None:
    element = {"text": "x" * 50_000}
    stream = io.BytesIO(json.dumps([element] * 40).encode())
    records = json_records(stream, limit=100_000)
    assert isinstance(first := next(records), Record)
    assert first.value == element
    assert stream.tell() < 300_000
    assert sum(isinstance(record, Record) for record in records) == 39


@pytest.mark.parametrize("form", ["{}", "[{}]"])
def test_a_record_too_long_is_named(form: str) -> None:
    long = json.dumps({"a": "x" * 300_000})
    found = read(form.format(long).replace("{}", long) + "\n", limit=1000)
    assert len(found) == 1
    assert "longer than 1,000 characters" in found[0]


def test_a_long_line_among_others() -> None:
    found = read('{"a":1}\n{"a":"' + "x" * 200_000 + '"}\n{"a":2}\n', limit=100_000)
    assert found == [{"a": 1}, "line 2: longer than 100,000 characters (200,009)", {"a": 2}]


def test_the_text_of_a_record_is_its_payload() -> None:
    (record,) = json_records(io.BytesIO(b' {"id": 9000000000000000001} \n'))
    assert isinstance(record, Record)
    assert record.raw == '{"id": 9000000000000000001}'
    assert Record({"a": "ñ"}, "line 1").raw == '{"a":"ñ"}'


def test_whole_characters_written_as_two_halves_are_fine() -> None:
    assert loads('"\\ud83d\\ude00 \\\\ud83d"') == "😀 \\ud83d"


def test_a_payload_is_cut() -> None:
    item = unmapped("no reason", "x" * 200_000, "line 1")
    assert item.payload is not None
    assert len(item.payload) == 100_000
    assert unmapped("secret", None, "line 1") == Unmapped("secret", None, "line 1")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=3)), st.sampled_from([None, 1]), st.booleans())
def test_every_array_and_every_file_of_lines_comes_back(
    values: list[Any], indent: int | None, ascii_only: bool
) -> None:
    values = [value for value in values if "\\ud" not in json.dumps(value).lower()]
    array = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    assert read(array) == values
    assert read("".join(dump(value) + "\n" for value in values)) == values


@given(st.binary(max_size=300))
def test_rubbish_never_raises(data: bytes) -> None:
    assert all(isinstance(record, Record | Unmapped) for record in json_records(io.BytesIO(data)))


def test_a_key_that_stands_twice_is_refused_where_asked() -> None:
    text = '{"a": {"b": 1, "b": 2}}'
    assert loads(text) == {"a": {"b": 2}}
    with pytest.raises(ValueError, match="stands twice"):
        loads(text, once=True)
    assert loads('{"a": {"b": 1}, "b": 2}', once=True) == {"a": {"b": 1}, "b": 2}
