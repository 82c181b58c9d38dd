"""The training of the accurate tier, as far as it needs no torch."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from analysis.accurate import Floats, load, log_softmax
from analysis.pieces import unpack
from analysis.sentiment_model import LABELS, Opinion
from training import accurate, accurate_card, cards
from training.labelled import Labelled
from training.turns import is_made_up, turns

PLAIN = Opinion("neutral", (0.3, 0.4, 0.3), False, ())


def posts(count: int = 400) -> Labelled:
    languages = np.array(["en", "es", "fr", "en"] * (count // 4))
    labels = np.array([LABELS[number % 3] if number % 4 else "positive" for number in range(count)])
    texts = [f"text {number}" for number in range(count)]
    return Labelled([str(number) for number in range(count)], languages, labels, texts)


def test_some_of_each_language_are_held_out_and_always_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accurate, "HELD_OUT", {"en": 50})
    monkeypatch.setattr(accurate, "HELD_OUT_ELSEWHERE", 10)
    out = accurate.held_out(posts())
    assert [int(out[posts().languages == language].sum()) for language in ("en", "es", "fr")] == [50, 10, 10]
    assert np.array_equal(out, accurate.held_out(posts()))


def test_english_labels_weigh_the_same_together() -> None:
    rows = posts().with_more(turns())
    weights = accurate.weights(rows)
    english = (rows.languages == "en") & ~is_made_up(rows)
    sums = [weights[english & (rows.labels == label)].sum() for label in LABELS]
    assert sums == pytest.approx([sums[0]] * 3)
    assert set(weights[~english].tolist()) == {1.0}


class Knows:
    """A network that gives the right label so many logits, and noise."""

    def __init__(self, strength: float, seed: int) -> None:
        self.strength, self.chance = strength, np.random.default_rng(seed)

    def log_chances(self, texts: list[str]) -> Floats:
        odds = self.chance.normal(size=(len(texts), 3))
        odds[np.arange(len(texts)), accurate.answers(posts(len(texts)))] += self.strength
        return log_softmax(odds)


def test_what_knows_more_weighs_more() -> None:
    networks = {"accurate": Knows(2.0, 1), "accurate-en": Knows(0.2, 2)}
    voices = accurate.fit(networks, posts(1200), [PLAIN] * 1200)  # type: ignore[arg-type]
    assert voices["en"]["multilingual"] > 2 * abs(voices["en"]["english"])
    assert voices["other"]["english"] == 0
    assert len(voices["other"]["bias"]) == 3
    assert len(voices["en"]["sure_from"]) == 3 and all(0 < bar < 1 for bar in voices["en"]["sure_from"])


def test_a_network_is_written_with_its_pieces() -> None:
    words = np.random.default_rng(5).normal(size=(3, 32)).astype(np.float32)
    state = {"places": np.ones((4, 32), np.float32)}
    tuned = accurate.Tuned(
        ["<s>", "</s>", "日"], np.array([0, 0, -1], np.float32), words, state, {}, 1, 1e-12
    )
    with np.load(io.BytesIO(accurate.pieces_file(tuned)), allow_pickle=False) as arrays:
        assert bytes(arrays["pieces"]).decode().split("\n") == tuned.pieces
        assert np.abs(unpack(arrays["words"]) - words).max() < 0.5
        assert arrays["scores"].tolist() == [0, 0, -1]
        assert arrays["places"].shape == (4, 32)


def test_what_one_network_would_say_alone() -> None:
    said = accurate.alone(np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]])))
    assert [opinion.label for opinion in said] == ["negative", "positive"]
    assert said[1].score == pytest.approx(0.8)


def test_the_card_names_what_was_measured(tmp_path: Path) -> None:
    figures = {"together": [cards.Row("TweetEval, English", 2000, 0.75, 0.74, 0.6, 0.82)]}
    accurate_card.write(
        tmp_path / "card.md", load(), figures, {"accurate.onnx": 21_700_000}, 5, 6, accurate.RIGHT
    )
    card = (tmp_path / "card.md").read_text(encoding="utf-8")
    assert "`accurate.onnx` 21.7 MB" in card
    assert "| TweetEval, English | 2,000 | 0.750 |" in card
    assert load().version in card
