"""Training the fast tier on a tiny fictional corpus; and the shipped model on the validation rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from analysis.sentiment_model import MODEL, load
from training import cards, labelled, sentiment

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
            "text": f"@user the {thing} was {word} http",
        }
        for label, words in (("negative", BLAME), ("neutral", PLAIN), ("positive", PRAISE))
        for number, word in enumerate(words)
        for thing in THINGS
    ]


def encode(texts: Sequence[str]) -> np.ndarray:
    """Vectors that know praise and blame."""
    vectors = np.zeros((len(texts), 512), dtype=np.float32)
    for row, text in enumerate(texts):
        vectors[row, 0] = any(word in text for word in PRAISE)
        vectors[row, 1] = any(word in text for word in BLAME)
    return vectors


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a fictional corpus; the model is written beside it."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    for name, prefix in (("sentiment_train", "umsab"), ("sentiment_val", "te-val")):
        lines = "".join(json.dumps(row) + "\n" for row in rows(prefix))
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    monkeypatch.setenv("BACKCHANNEL_TEST_DATA", str(tmp_path))
    monkeypatch.setattr(sentiment, "MODEL", tmp_path / "out" / "sentiment.npz")
    monkeypatch.setattr(sentiment, "encode", encode)
    return tmp_path


def test_the_same_posts_give_the_same_model(corpus: Path) -> None:
    sentiment.train()
    first = (corpus / "out" / "sentiment.npz").read_bytes()
    card = (corpus / "out" / "sentiment.md").read_text(encoding="utf-8")
    sentiment.train()
    assert (corpus / "out" / "sentiment.npz").read_bytes() == first
    assert "| TweetEval, English | 90 | 1.000 | 1.000 |" in card
    assert "{" not in card
    model = load(corpus / "out" / "sentiment.npz")
    assert model.version in card
    texts = ["a lovely talk", "a dreadful room", "zzz"]
    assert [o.label for o in model.judge(texts[:2], [None, None])] == ["positive", "negative"]
    assert model.judge(texts[2:], list(encode(["lovely"])))[0].label == "positive"


def test_labels_weigh_the_same_within_english_and_within_the_others() -> None:
    languages = np.array(["en"] * 6 + ["es"] * 3)
    labels = np.array(["neutral"] * 4 + ["positive", "negative", "positive", "positive", "neutral"])
    posts = labelled.Labelled([""] * 9, languages, labels, [""] * 9)
    weights = sentiment.even(posts)
    english = [weights[(languages == "en") & (labels == label)].sum() for label in np.unique(labels)]
    assert english == [6.0, 6.0, 6.0]
    assert weights[6] * 2 == weights[8]


def test_the_card_is_that_of_the_shipped_model() -> None:
    assert f"version `{load().version}`" in MODEL.with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.real_data
def test_words_alone_keep_the_promised_figure(test_data: Path) -> None:
    posts = labelled.sentiment("sentiment_val.jsonl")
    opinions = load().judge(labelled.readings(posts.texts), [None] * len(posts.texts))
    english = cards.measure(posts, opinions)[0]
    assert (english.name, english.posts) == ("TweetEval, English", 2000)
    assert english.recall >= 0.64
    assert english.right_when_sure >= 0.78
