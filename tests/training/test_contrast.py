"""The lens: words cut out of posts, and a matrix that brings them together again."""

from __future__ import annotations

import re

import numpy as np
import pytest

from training import contrast
from training.contrast import learn, pairs
from training.labelled import Labelled

TEXTS = [
    "The town publishes its #OpenData about buses today",
    "People want the town to answer their letters",
    "Every town has buses that nobody ever counted",
    "The town listens, said the people at the market",
    "hm",
]


def posts(texts: list[str]) -> Labelled:
    number = len(texts)
    languages = np.array(["en"] * (number - 1) + ["fr"])
    return Labelled([str(n) for n in range(number)], languages, np.array(["neutral"] * number), texts)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrast, "RARE", 1)
    monkeypatch.setattr(contrast, "STEPS", 60)
    monkeypatch.setattr(contrast, "AT_ONCE", 32)
    monkeypatch.setattr(contrast, "PACE", 1e-2)


def test_a_word_is_cut_out_of_its_post() -> None:
    rests, words, languages = pairs(posts(TEXTS))
    assert len(rests) == len(words) == len(languages) == 4
    for rest, word in zip(rests, words, strict=True):
        whole = [text.lower().replace("#opendata", "open data") for text in TEXTS]
        without = [" ".join(re.sub(rf"\b{word}\b", " ", text).split()) for text in whole]
        (post,) = (text for text, left in zip(whole, without, strict=True) if left == rest)
        assert word in post
    assert pairs(posts(TEXTS)) == (rests, words, languages)


def test_english_posts_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contrast, "ENGLISH", 2)
    assert pairs(posts(TEXTS))[2].count("en") == 2


def test_the_lens_brings_words_nearer_to_their_posts() -> None:
    rng = np.random.default_rng(0)
    size = 24
    hidden = rng.normal(size=(200, size)).astype(np.float32)
    hidden[:, size // 2 :] = 0
    noise = np.zeros_like(hidden)
    noise[:, size // 2 :] = rng.normal(size=(200, size // 2))
    turned = np.roll(noise, 1, axis=0)
    rests, words = (unit(hidden + other) for other in (noise, turned))
    lens = learn(rests, words, np.arange(200), ["en"] * 200)

    def found(matrix: np.ndarray) -> float:
        left, right = unit(rests @ matrix), unit(words @ matrix)
        return float(((left @ right.T).argmax(axis=1) == np.arange(200)).mean())

    assert found(lens) > found(np.eye(size, dtype=np.float32)) + 0.05
    assert np.array_equal(lens, learn(rests, words, np.arange(200), ["en"] * 200))


def test_the_slope_is_the_derivative_of_the_loss() -> None:
    rng = np.random.default_rng(1)
    rests, words = (rng.normal(size=(6, 4)) for _ in range(2))
    same, lens = np.array([0, 1, 2, 3, 4, 4]), np.eye(4) + 0.1 * rng.normal(size=(4, 4))

    def loss(matrix: np.ndarray) -> float:
        left, right = unit(rests @ matrix), unit(words @ matrix)
        cosines = left @ right.T / contrast.TEMPERATURE
        cosines[4, 5] = cosines[5, 4] = -1 / contrast.TEMPERATURE
        rows = (
            np.log(np.exp(cosines).sum(axis=1)) + np.log(np.exp(cosines).sum(axis=0)) - 2 * np.diag(cosines)
        )
        return float(rows.mean() / 2)

    slope = contrast._slope(lens, rests, words, same)
    for place in ((0, 0), (1, 2), (3, 1)):
        nudge = np.zeros((4, 4))
        nudge[place] = 1e-5
        by_hand = (loss(lens + nudge) - loss(lens - nudge)) / 2e-5
        assert slope[place] == pytest.approx(by_hand, abs=1e-4)
