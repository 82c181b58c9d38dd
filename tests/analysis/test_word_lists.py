"""Files of words: what is missing or damaged is told with its name and what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from analysis.sentiment_model import ModelError
from analysis.word_lists import load

WORDS = TypeAdapter(dict[str, str])


def parse(text: str) -> dict[str, str]:
    return WORDS.validate_python(json.loads(text))


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text('{"en": "the été"}', encoding="utf-8")
    assert load(tmp_path / "w.json", "stop words", parse) == {"en": "the été"}


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as said:
        load(tmp_path / "w.json", "stop words", parse)
    assert str(said.value) == "w.json: the stop words are missing; install Backchannel again"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Expecting value"),
        (b"[]", "Input should be a valid dictionary"),
        (b'{"en": 1, "fr": 2}', "en: Input should be a valid string"),
        (b"\xff", "can't decode"),
    ],
)
def test_a_damaged_file_is_told_in_a_line(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "w.json").write_bytes(content)
    with pytest.raises(ModelError, match=f"w.json: the stop words are damaged .*{why}") as said:
        load(tmp_path / "w.json", "stop words", parse)
    assert str(said.value).endswith("; install Backchannel again")
    assert "\n" not in str(said.value)


def test_a_pattern_that_cannot_be_read_and_a_folder_in_its_place_are_damage(tmp_path: Path) -> None:
    (tmp_path / "w.json").write_text("(", encoding="utf-8")
    with pytest.raises(ModelError, match=r"w\.json: .* damaged"):
        load(tmp_path / "w.json", "cues", re.compile)
    with pytest.raises(ModelError, match="damaged"):
        load(tmp_path, "cues", re.compile)
