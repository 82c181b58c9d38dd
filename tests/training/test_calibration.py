"""Probabilities that are honest, and when an answer is sure."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.sentiment_model import softmax
from training.calibration import fuse, sure_bars


def drawn(posts: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores and answers drawn from just the probabilities that the scores say."""
    chance = np.random.default_rng(3)
    scores = chance.normal(0, 2, (posts, 3))
    answers = np.array([chance.choice(3, p=p) for p in softmax(scores)])
    return scores, answers


def test_scores_that_shout_or_lean_are_put_right() -> None:
    scores, answers = drawn(4000)
    (factor,), bias = fuse([4 * scores + np.array([0, 0, 2.0])], answers, np.ones(4000))
    assert factor == pytest.approx(0.25, abs=0.03)
    assert bias[2] - bias[0] == pytest.approx(-0.5, abs=0.2)


def test_a_model_that_knows_nothing_gets_no_say() -> None:
    scores, answers = drawn(4000)
    noise = np.random.default_rng(4).normal(0, 2, scores.shape)
    factors, _ = fuse([scores, noise], answers, np.ones(4000))
    assert factors[0] == pytest.approx(1, abs=0.1)
    assert abs(factors[1]) < 0.05


def test_sure_is_said_where_so_many_are_right_and_less_easily_of_a_label_that_errs() -> None:
    scores, answers = drawn(4000)
    chances, everywhere = softmax(scores), np.ones(4000, bool)
    answers[(answers != 2) & (chances.argmax(axis=1) == 2) & (np.arange(4000) % 2 == 0)] = 0
    said, best = chances.argmax(axis=1), chances.max(axis=1)
    low, high = (sure_bars(chances, answers, everywhere, right) for right in (0.8, 0.9))
    for bars, right in ((low, 0.8), (high, 0.9)):
        sure = best >= bars[said]
        assert (said == answers)[sure].mean() == pytest.approx(right, abs=0.005)
    assert (low < high).all()


def test_nothing_is_sure_where_no_bar_keeps_the_promise() -> None:
    chances = softmax(np.random.default_rng(5).normal(0, 2, (60, 3)))
    wrong = (chances.argmax(axis=1) + 1) % 3
    assert (sure_bars(chances, wrong, np.ones(60, bool), 0.8) >= 1).all()
