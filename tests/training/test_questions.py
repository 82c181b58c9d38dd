"""Training the question model on a tiny fictional corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis import linear_model
from analysis.question_model import signs
from training import questions
from training.linear import Choice

ASKED = (
    "Who pays for village {}?",
    "Can you send {} books?",
    "When does town {} open its data?",
    "Is law {} in force?",
)
OTHERS = ("Village {} pays for it.", "Read about town {} here: https://example.org/?a=1", "What a day in {}!")


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "labelled"
    folder.mkdir()
    rows = [
        {"id": f"{act}-{n}", "text": text.format(n), "act": act, "lang": "en"}
        for n in range(6)
        for act, texts in (("QUE", ASKED), ("STM", OTHERS))
        for text in texts
    ]
    (folder / "questions_tac_dev.json").write_text(json.dumps(rows), encoding="utf-8")
    monkeypatch.setenv("BACKCHANNEL_TEST_DATA", str(tmp_path))
    monkeypatch.setattr(questions, "MODEL", tmp_path / "out" / "questions.json")
    monkeypatch.setattr(questions, "CHOICES", (Choice(0.3, 1.4),))
    return tmp_path / "out"


def test_the_same_posts_give_the_same_model(corpus: Path) -> None:
    questions.train()
    first = (corpus / "questions.json").read_bytes()
    card = (corpus / "questions.md").read_text(encoding="utf-8")
    questions.train()
    assert (corpus / "questions.json").read_bytes() == first
    model = linear_model.load(corpus / "questions.json", "question")
    assert model.version in card
    assert "{" not in card
    assert "| tweets, a question mark outside links | 1.000 | 1.000 | 1.000 |" in card
    assert model.chance(signs("Who pays?"), None) > model.threshold > model.chance(signs("We pay."), None)
    request = model.chance(signs("Can you send the books?"), None)
    assert request < model.threshold, "whatever the labels say"
