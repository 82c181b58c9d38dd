from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis import linear_model
from analysis.linear_model import Sign, told
from analysis.sentiment_model import ModelError
from analysis.texts import read

FIELDS: dict[str, Any] = {
    "weights": {"mark": 2.0, "request": -1.0},
    "bias": -1.0,
    "direction": [1.0] + [0.0] * 511,
    "middle": 0.5,
    "threshold": 0.5,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    linear_model.save(tmp_path / "model.json", FIELDS)
    return tmp_path / "model.json"


def test_signs_and_vector_add_up_to_a_probability(path: Path) -> None:
    model = linear_model.load(path, "question")
    mark = Sign("mark", 1.0, 0, 1)
    assert model.chance([mark], None) == pytest.approx(1 / (1 + np.exp(-1)))
    vector = np.zeros(512, dtype=np.float32)
    vector[0] = 1.5
    assert model.chance([mark], vector) == pytest.approx(1 / (1 + np.exp(-2)))
    assert model.chance([], None) == pytest.approx(1 / (1 + np.exp(1)))
    assert model.weight(Sign("request", 3.0, 0, 1)) == -3.0
    assert model.weight(Sign("never seen", 1.0, 0, 1)) == 0.0


def test_far_beyond_sure_nothing_overflows(path: Path) -> None:
    model = linear_model.load(path, "question")
    assert model.chance([Sign("mark", 1e6, 0, 1)], None) == pytest.approx(1.0)
    assert model.chance([Sign("mark", -1e6, 0, 1)], None) == pytest.approx(0.0)


def test_evidence_is_weightiest_first_and_stands_in_the_post(path: Path) -> None:
    post = "RT @ana: why #OpenData? " + "x" * 200
    reading = read(post)
    at = reading.text.index("?")
    signs = [
        Sign("request", 1.0, at, at + 1),
        Sign("mark", 1.0, at, at + 1),
        Sign("mark", 2.0, 0, len(reading.text)),
        Sign("unknown", 1.0, 0, 1),
    ]
    shown = told(linear_model.load(path, "question"), signs, post, reading)
    assert [one["weight"] for one in shown] == [4.0, 2.0, -1.0]
    assert "text" not in shown[0], "what is seen in the whole post has no place"
    assert shown[1] == {
        "rule": "mark",
        "weight": 2.0,
        "start": post.index("?"),
        "end": post.index("?") + 1,
    } | {"text": "?"}


def test_a_file_says_of_what_version_it_is(path: Path) -> None:
    first = linear_model.load(path, "question").version
    linear_model.save(path, {**FIELDS, "bias": 0.0})
    assert linear_model.load(path, "question").version != first


def test_a_missing_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="logistics model is missing; `make train`"):
        linear_model.load(tmp_path / "none.json", "logistics")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", json.dumps({"format": 1}), json.dumps({**FIELDS, "format": 1, "direction": [1.0]})],
)
def test_a_damaged_model_is_told(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match="damaged"):
        linear_model.load(path, "question")


def test_a_model_of_another_version_is_told(path: Path) -> None:
    path.write_text(json.dumps({**FIELDS, "format": 99}), encoding="utf-8")
    with pytest.raises(ModelError, match="another version"):
        linear_model.load(path, "question")
