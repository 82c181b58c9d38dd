from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.vocabulary import Unmapped
from collector.importers.lines import TextReader, decoded, decoded_head, text_lines

TEXT = "año #sample2012\r\nΔelta 😀\nlast"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_their_marks(encoding: str) -> None:
    lines = list(text_lines(io.BytesIO(TEXT.encode(encoding))))
    assert [str(line).rstrip() for line in lines] == ["año #sample2012", "Δelta 😀", "last"]


def test_what_is_not_utf8_is_read_as_windows_1252_line_by_line() -> None:
    data = "año\n".encode("cp1252") + "año\n".encode() + b"\x81\n" + "fin ñ".encode("cp1252")
    assert list(text_lines(io.BytesIO(data))) == ["año\n", "año\n", "\ufffd\n", "fin ñ"]


def test_carriage_returns_alone_end_lines_where_there_is_nothing_else() -> None:
    assert list(text_lines(io.BytesIO(b"one\rtwo\rthree"))) == ["one\n", "two\n", "three"]


def test_a_line_too_long_is_named_with_its_size_and_the_next_is_read() -> None:
    data = b"a" * 10 + b"\n" + b"b" * 200_000 + b"\n" + b"c\n" + b"d" * 50
    first, second, third, fourth = text_lines(io.BytesIO(data), limit=20)
    assert (first, third) == ("a" * 10 + "\n", "c\n")
    assert second == Unmapped("longer than 20 characters (200,001)", None, "line 2")
    assert fourth == Unmapped("longer than 20 characters (50)", None, "line 4")


@pytest.mark.parametrize("cut", range(1, 5))
def test_a_head_may_end_in_the_middle_of_a_character(cut: int) -> None:
    data = "x😀".encode()[: 1 + cut]
    assert decoded_head(data) == ("x😀" if cut == 4 else "x")


def test_heads_of_other_encodings() -> None:
    assert decoded_head("ñandú".encode("cp1252") + b"    ") == "ñandú    "
    assert decoded_head("hola".encode("utf-16")[:-1]) == "hol"


def test_heads_with_carriage_returns_alone() -> None:
    assert decoded_head(b"one\rtwo\r") == "one\ntwo\n"
    assert decoded_head(b"one\r\ntwo\r") == "one\r\ntwo\r"
    assert decoded(b"\xe9") == "é"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r")), st.integers(1, 7))
def test_reading_in_small_pieces_loses_nothing(text: str, size: int) -> None:
    text = text.lstrip("\ufeff")
    reader = TextReader(io.BytesIO(text.encode()))
    pieces = []
    while piece := reader.readline(4 * size):
        pieces.append(piece)
    assert "".join(pieces) == text
