"""Training the logistics model on a tiny fictional corpus beside the made-up sentences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis import linear_model
from analysis.logistics_model import signs
from training import logistics


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "labelled"
    folder.mkdir()
    for name in logistics.OTHERS:
        rows = [{"id": f"{name}-{n}", "text": f"Town {n} opens its books."} for n in range(5)]
        lines = (
            json.dumps(rows) if name.endswith(".json") else "".join(json.dumps(row) + "\n" for row in rows)
        )
        (folder / name).write_text(lines, encoding="utf-8")
    monkeypatch.setenv("BACKCHANNEL_TEST_DATA", str(tmp_path))
    monkeypatch.setattr(logistics, "MODEL", tmp_path / "out" / "logistics.json")
    return tmp_path / "out"


def test_the_model_and_its_card_are_written(corpus: Path) -> None:
    logistics.train()
    card = (corpus / "logistics.md").read_text(encoding="utf-8")
    model = linear_model.load(corpus / "logistics.json", "logistics")
    assert model.version in card
    assert "{" not in card
    trouble = model.chance(signs("The sound is down, and the stream too"), None)
    assert trouble > model.threshold > model.chance([], None)


def test_the_threshold_is_the_lowest_that_is_precise_enough() -> None:
    answers = np.array([True, False, True, True])
    assert logistics.strict_threshold(answers, np.array([0.9, 0.5, 0.8, 0.7])) == 0.52
    assert logistics.strict_threshold(~answers, np.array([0.9, 0.1, 0.8, 0.7])) == 0.9
