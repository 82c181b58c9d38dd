"""The shipped language model, and how it is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.language_model import LANGUAGES, LONGEST, RECIPE, load, save, words
from analysis.ngrams import features
from analysis.sentiment_model import ModelError


def write_model(path: Path) -> Path:
    """A model that takes one word for German and knows nothing else."""
    weights, rarity = np.zeros((RECIPE.buckets, len(LANGUAGES))), np.zeros(RECIPE.buckets)
    known = features(["doch"], RECIPE).bucket
    weights[known, LANGUAGES.index("de")], rarity[known] = 2.0, 1.0
    save(path, weights, rarity, 0.5, np.zeros(len(LANGUAGES)))
    return path


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = load(write_model(tmp_path / "small.npz"))
    scores = model.judge(["doch", ""])
    assert LANGUAGES[int(scores[0].argmax())] == "de"
    assert not scores[1].any()
    assert model.other == 0.5
    assert model.version == load(write_model(tmp_path / "again.npz")).version


def test_the_shipped_model_knows_its_languages() -> None:
    thanks = "شكرا جزيلا, vielen dank, thank you, muchas gracias, merci à tous, grazie mille, muito obrigado"
    model = load()
    found = (model.judge(thanks.split(", ")) + model.bias).argmax(axis=1)
    assert [LANGUAGES[column] for column in found.tolist()] == list(LANGUAGES)


def test_words_are_what_is_left_of_a_text() -> None:
    assert words("Don't PANIC: 42 :-) café2go_now 🎉") == "don't panic café2go now"
    assert len(words("a" * 5 * LONGEST)) == LONGEST


def test_a_missing_damaged_or_foreign_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="make train"):
        load(tmp_path / "absent.npz")
    whole = write_model(tmp_path / "small.npz").read_bytes()
    for number, damage in enumerate((whole[: len(whole) // 2], b"", b"not a model")):
        bad = tmp_path / f"bad{number}.npz"
        bad.write_bytes(damage)
        with pytest.raises(ModelError, match="damaged"):
            load(bad)
    old = {"weights": np.zeros((4, 7)), "rarity": np.zeros(4), "other": 1.0, "bias": np.zeros(7), "format": 1}
    np.savez(tmp_path / "old.npz", **old)
    with pytest.raises(ModelError, match="another version"):
        load(tmp_path / "old.npz")
