"""Probabilities that are honest, and when an answer is sure."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.sentiment_model import softmax
from training.calibration import fuse, sure_from


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


def test_sure_is_said_from_the_lowest_bar_that_keeps_the_promise() -> None:
    best = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    chances = np.stack((best, 1 - best, np.zeros(5)), axis=1)
    answers = np.array([0, 0, 1, 0, 1])
    assert sure_from(chances, answers, np.ones(5), 0.75) == 0.6
    assert sure_from(chances, answers, np.ones(5), 0.76) == 0.8
    assert sure_from(chances, answers, np.array([1, 1, 9, 1, 9]), 0.75) == 0.8
    assert sure_from(chances, np.full(5, 2), np.ones(5), 0.8) > 1
