"""Figures for the cards."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.sentiment_model import LABELS, Opinion
from training.cards import Row, measure, table
from training.labelled import Labelled


def opinion(label: str, sure: bool) -> Opinion:
    chances = np.where(np.array(LABELS) == label, 0.8, 0.1).tolist()
    return Opinion(LABELS[LABELS.index(label)], (chances[0], chances[1], chances[2]), sure, ())


def test_figures_by_set() -> None:
    ids = ["te-val-1", "te-val-2", "umsab-es-val-1", "umsab-es-val-2", "umsab-fr-val-1"]
    truth = ["positive", "negative", "neutral", "positive", "positive"]
    said = ["positive", "positive", "neutral", "neutral", "positive"]
    posts = Labelled(ids, np.array(["en", "en", "es", "es", "fr"]), np.array(truth), [""] * 5)
    opinions = [opinion(label, number != 3) for number, label in enumerate(said)]
    english, spanish, french = rows = measure(posts, opinions)
    assert (english.posts, english.recall, english.sure, english.right_when_sure) == (2, 0.5, 1.0, 0.5)
    assert (spanish.f1, spanish.sure, spanish.right_when_sure) == (pytest.approx(1 / 3), 0.5, 1.0)
    assert french.f1 == 1
    written = table(rows)
    assert "| UMSAB, es | 2 | 0.500 | 0.333 | 0.50 | 1.00 |" in written
    assert "| UMSAB, mean | 3 | 0.750 | 0.667 | 0.75 | 1.00 |" in written


def test_hindi_counts_in_one_mean_only() -> None:
    rows = [Row("UMSAB, hi", 2, 0.2, 0.2, 0.0, 0.0), Row("UMSAB, it", 2, 0.6, 0.6, 1.0, 0.5)]
    written = table(rows)
    assert "| UMSAB, mean | 4 | 0.400 | 0.400 | 0.50 | 0.50 |" in written
    assert "| UMSAB, mean without hi | 2 | 0.600 | 0.600 | 1.00 | 0.50 |" in written
    assert "without hi" not in table(rows[1:])


def test_nothing_sure_is_no_division_by_nothing() -> None:
    posts = Labelled(["umsab-es-val-1"], np.array(["es"]), np.array(["neutral"]), [""])
    assert measure(posts, [opinion("neutral", False)])[0].right_when_sure == 0
    assert "| 0.00 | 0.00 |" in table(measure(posts, [opinion("neutral", False)]))
