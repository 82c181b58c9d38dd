"""Training on a tiny fictional corpus; and the shipped model on the validation rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis import train
from analysis.sentiment_model import load
from archive.errors import UsageError

PRAISE = ("great", "lovely", "excellent", "wonderful", "brilliant")
BLAME = ("awful", "terrible", "boring", "useless", "dreadful")
PLAIN = ("scheduled", "listed", "printed", "numbered", "located")
THINGS = ("panel", "talk", "room", "paper", "session", "agenda")


def rows(prefix: str) -> list[dict[str, str]]:
    return [
        {
            "id": f"{prefix}-{label}-{word}-{thing}",
            "lang": "en" if number % 3 else "es",
            "label": label,
            "text": f"@user the {thing} was {word}",
        }
        for label, words in (("negative", BLAME), ("neutral", PLAIN), ("positive", PRAISE))
        for number, word in enumerate(words)
        for thing in THINGS
    ]


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a fictional corpus, and the model written beside it."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    for name, prefix in (("sentiment_train", "umsab"), ("sentiment_val", "te-val")):
        lines = "".join(json.dumps(row) + "\n" for row in rows(prefix))
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    monkeypatch.setenv("BACKCHANNEL_TEST_DATA", str(tmp_path))
    monkeypatch.setattr(train, "MODEL", tmp_path / "out" / "sentiment.npz")
    return tmp_path


def test_the_same_posts_give_the_same_model(corpus: Path) -> None:
    assert train.main(["sentiment"]) == 0
    first = (corpus / "out" / "sentiment.npz").read_bytes()
    card = (corpus / "out" / "sentiment.md").read_text(encoding="utf-8")
    assert train.main(["sentiment"]) == 0
    assert (corpus / "out" / "sentiment.npz").read_bytes() == first
    assert "| TweetEval, English | 90 | 1.000 |" in card
    model = load(corpus / "out" / "sentiment.npz")
    assert model.version in card
    assert [o.label for o in model.judge(["a lovely talk", "a dreadful room"])] == ["positive", "negative"]


def test_no_data_and_no_name_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BACKCHANNEL_TEST_DATA", str(tmp_path))
    assert train.main(["sentiment"]) == 2
    assert "BACKCHANNEL_TEST_DATA" in capsys.readouterr().err
    assert train.main([]) == 2
    with pytest.raises(UsageError):
        train.read_labelled(tmp_path / "none.jsonl")


def test_sure_is_said_only_from_where_answers_are_right_often_enough() -> None:
    chances = np.array([[0.5, 0.3, 0.2], [0.99, 0.005, 0.005], [0.6, 0.3, 0.1]])
    even = np.ones(3)
    assert train._sure_from(chances, np.array([1, 0, 0]), even) == 0.51
    assert train._sure_from(chances, np.array([1, 1, 1]), even) == 0.95


@pytest.mark.real_data
def test_the_shipped_model_beats_the_promised_figure_and_vader(test_data: Path) -> None:
    posts = train.read_labelled(test_data / "labelled" / "sentiment_val.jsonl")
    figures = train.measure(load(), posts)[0]
    assert (figures.name, figures.posts) == ("TweetEval, English", 2000)
    assert figures.recall >= 0.66
    assert figures.vader is not None
    assert figures.vader < figures.recall - 0.05
    assert figures.right_when_sure >= 0.75
