"""The shipped sentiment model, and how it is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.ngrams import features
from analysis.sentiment_model import (
    AT_ONCE,
    LABELS,
    RECIPE,
    Model,
    ModelError,
    Opinion,
    Voice,
    load,
    save,
    softmax,
)

DIMENSIONS = 512


@pytest.fixture(scope="module")
def model() -> Model:
    return load()


def alone(model: Model, texts: Sequence[str]) -> list[Opinion]:
    return model.judge(texts, [None] * len(texts))


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
def test_plain_cases_by_words_alone(model: Model, text: str, label: str) -> None:
    assert alone(model, [text])[0].label == label


def test_the_evidence_names_the_telling_words(model: Model) -> None:
    opinion = alone(model, ["I love this panel"])[0]
    assert opinion.words[0][0] == "love"
    assert opinion.words[0][1] > 0


def test_a_text_without_words_gets_an_answer_that_is_not_sure(model: Model) -> None:
    opinion = alone(model, [""])[0]
    assert not opinion.sure
    assert opinion.words == ()
    assert alone(model, []) == []


def test_probabilities_belong_to_the_label(model: Model) -> None:
    opinion = alone(model, ["so sad and angry"])[0]
    assert sum(opinion.probabilities) == pytest.approx(1)
    assert LABELS[int(np.argmax(opinion.probabilities))] == opinion.label
    assert opinion.score == max(opinion.probabilities)


def some_vectors(count: int) -> list[np.ndarray | None]:
    vectors = np.random.default_rng(1).normal(0, 0.05, (count, DIMENSIONS)).astype(np.float32)
    return [vector if number % 3 else None for number, vector in enumerate(vectors)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=80), min_size=2, max_size=5))
def test_neighbours_change_nothing(model: Model, texts: list[str]) -> None:
    vectors = some_vectors(len(texts))
    one_by_one = [model.judge([text], [vector])[0] for text, vector in zip(texts, vectors, strict=True)]
    assert model.judge(texts, vectors) == one_by_one


def test_a_vector_that_was_stored_says_the_same_as_a_fresh_one(model: Model) -> None:
    fresh = some_vectors(2)[1]
    assert fresh is not None
    stored = fresh.astype(np.float16).astype(np.float32)
    assert model.judge(["so so"], [fresh]) == model.judge(["so so"], [stored])
    assert model.judge(["so so"], [fresh]) != alone(model, ["so so"])


def test_many_long_texts_are_judged_in_parts(model: Model) -> None:
    texts = ["what a great day " * (AT_ONCE // 40)] * 3 + ["so sad"]
    assert [o.label for o in alone(model, texts)] == ["positive", "positive", "positive", "negative"]


def write_model(path: Path, word: str = "hurrah") -> Path:
    """A model that finds one word positive, and vectors negative where their first value is large."""
    weights, rarity = np.zeros((RECIPE.buckets, 3)), np.zeros(RECIPE.buckets)
    known = features([word], RECIPE).bucket
    weights[known, 2], rarity[known] = 2.0, 1.0
    head = np.zeros((3, DIMENSIONS))
    head[0, 0] = 3.0
    together = Voice(0.5, 2.0, np.zeros(3), np.array([[0.9, 0.9, 0.9], [0.999, 0.9, 0.9]]))
    save(path, weights, rarity, head, together, Voice(1.0, 0.0, np.zeros(3), np.full((2, 3), 0.6)))
    return path


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = load(write_model(tmp_path / "small.npz"))
    happy, empty = alone(model, ["hurrah", "nothing"])
    assert (happy.label, happy.sure, happy.words[0][0]) == ("positive", True, "hurrah")
    assert not empty.sure
    assert model.version == load(write_model(tmp_path / "again.npz")).version


def test_a_vector_has_a_say_and_a_bar_of_its_own(tmp_path: Path) -> None:
    model = load(write_model(tmp_path / "small.npz"))
    bad = np.eye(1, DIMENSIONS, dtype=np.float32)[0]
    with_vector, without = model.judge(["nothing", "nothing"], [bad, None])
    assert with_vector.label == "negative"
    assert with_vector.probabilities[0] == pytest.approx(softmax(np.array([[6.0, 0, 0]]))[0, 0])
    assert without.probabilities == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    bars = model.judge(["nothing"] * 3, [bad] * 3, ["en", "es", None])
    assert [one.sure for one in bars] == [True, False, False]
    assert len({one.probabilities for one in bars}) == 1


def test_a_missing_damaged_or_foreign_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="make train"):
        load(tmp_path / "absent.npz")
    whole = write_model(tmp_path / "small.npz").read_bytes()
    for damage in (whole[: len(whole) // 2], b"", b"not a model"):
        (tmp_path / "bad.npz").write_bytes(damage)
        with pytest.raises(ModelError, match="damaged"):
            load(tmp_path / "bad.npz")
    voice = np.zeros(11)
    small = {"weights": np.zeros((4, 3)), "rarity": np.zeros(4), "head": np.zeros((3, 512))}
    np.savez(tmp_path / "old.npz", together=voice, alone=voice, format=1, **small)
    with pytest.raises(ModelError, match="another version"):
        load(tmp_path / "old.npz")


def test_softmax_bears_large_scores() -> None:
    assert softmax(np.array([[1000.0, 0.0, -1000.0]])).tolist() == [[1.0, 0.0, 0.0]]
