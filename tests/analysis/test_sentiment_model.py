"""The shipped sentiment model, and how it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.ngrams import BUCKETS, features
from analysis.sentiment_model import AT_ONCE, LABELS, Model, ModelError, load, save, softmax


@pytest.fixture(scope="module")
def model() -> Model:
    return load()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("What a great session, thank you so much! Love it 😍", "positive"),
        ("This is terrible, the worst panel ever. So disappointed.", "negative"),
        ("The next session starts on Monday at 10.", "neutral"),
        ("¡Excelente charla, muchas gracias!", "positive"),
        ("Quelle honte, c'est vraiment nul et triste", "negative"),
    ],
)
def test_plain_cases(model: Model, text: str, label: str) -> None:
    assert model.judge([text])[0].label == label


def test_the_evidence_names_the_telling_words(model: Model) -> None:
    opinion = model.judge(["I love this panel"])[0]
    assert opinion.words[0][0] == "love"
    assert opinion.words[0][1] > 0


def test_a_text_without_words_gets_an_answer_that_is_not_sure(model: Model) -> None:
    opinion = model.judge([""])[0]
    assert not opinion.sure
    assert opinion.words == ()
    assert model.judge([]) == []


def test_probabilities_belong_to_the_label(model: Model) -> None:
    opinion = model.judge(["so sad and angry"])[0]
    assert sum(opinion.probabilities) == pytest.approx(1)
    assert LABELS[int(np.argmax(opinion.probabilities))] == opinion.label
    assert opinion.score == max(opinion.probabilities)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=80), min_size=2, max_size=5))
def test_neighbours_change_nothing(model: Model, texts: list[str]) -> None:
    assert model.judge(texts) == [model.judge([text])[0] for text in texts]


def test_many_long_texts_are_judged_in_parts(model: Model) -> None:
    texts = ["what a great day " * (AT_ONCE // 40)] * 3 + ["so sad"]
    opinions = model.judge(texts)
    assert [o.label for o in opinions] == ["positive", "positive", "positive", "negative"]


def write_model(path: Path, word: str = "hurrah") -> Path:
    """A model that finds one word positive and knows nothing else."""
    weights, rarity = np.zeros((BUCKETS, 3)), np.zeros(BUCKETS)
    known = features([word]).bucket
    weights[known, 2], rarity[known] = 2.0, 1.0
    save(path, weights, rarity, np.zeros(3), 0.6)
    return path


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = load(write_model(tmp_path / "small.npz"))
    assert model.sure_from == 0.6
    happy, empty = model.judge(["hurrah", "nothing"])
    assert happy.label == "positive"
    assert happy.sure
    assert happy.words[0][0] == "hurrah"
    assert not empty.sure
    assert model.version == load(write_model(tmp_path / "again.npz")).version


def test_a_missing_damaged_or_foreign_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="make train"):
        load(tmp_path / "absent.npz")
    whole = write_model(tmp_path / "small.npz").read_bytes()
    for damage in (whole[: len(whole) // 2], b"", b"not a model"):
        (tmp_path / "bad.npz").write_bytes(damage)
        with pytest.raises(ModelError, match="damaged"):
            load(tmp_path / "bad.npz")
    np.savez(
        tmp_path / "old.npz",
        weights=np.zeros((4, 3)),
        rarity=np.zeros(4),
        bias=np.zeros(3),
        sure_from=0.5,
        format=1,
    )
    with pytest.raises(ModelError, match="another version"):
        load(tmp_path / "old.npz")


def test_softmax_bears_large_scores() -> None:
    assert softmax(np.array([[1000.0, 0.0, -1000.0]])).tolist() == [[1.0, 0.0, 0.0]]
