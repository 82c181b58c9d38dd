"""Scores of posts that a model was not trained on, made into honest probabilities and a bar for "sure"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from analysis.sentiment_model import Floats, softmax

Answers = NDArray[np.int64]

#: The share of answers called sure that must be right.
RIGHT = 0.8


def fuse(scores: Sequence[Floats], answers: Answers, weights: Floats) -> tuple[Floats, Floats]:
    """The factor of each model's scores and a bias a label that make the likeliest sum.

    ``scores`` has an array (posts, labels) a model; one model alone gets its temperature. ``answers`` are
    columns, ``weights`` say what a post counts.
    """
    stacked = np.stack(scores)
    models, posts, labels = stacked.shape
    share, right = weights / weights.sum(), np.eye(labels)[answers]

    def loss(values: Floats) -> tuple[float, Floats]:
        factors, bias = values[:models], values[models:]
        chances = softmax(np.tensordot(factors, stacked, 1) + bias)
        lost = -float((share * np.log(np.maximum(chances[np.arange(posts), answers], 1e-12))).sum())
        slope = (chances - right) * share[:, None]
        return lost, np.concatenate(((stacked * slope).sum(axis=(1, 2)), slope.sum(axis=0)))

    start = np.concatenate((np.ones(models), np.zeros(labels)))
    found = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return found[:models], found[models:] - found[models:].mean()


def sure_bars(chances: Floats, answers: Answers, some: NDArray[np.bool_], right: float = RIGHT) -> Floats:
    """For each label the probability from which on an answer is sure, of which a share of ``right`` is right.

    A label that is rare is wrong more often at the same probability: how likely an answer is right is fitted
    from its probability and its label, on some of the posts, and one bar on that is the lowest that will do.
    Where no bar will, those that nothing reaches.
    """
    best, said = chances[some].max(axis=1), chances[some].argmax(axis=1)
    good = said == answers[some]
    labels = np.eye(chances.shape[1])[said]

    def loss(values: Floats) -> float:
        odds = values[0] * _odds(best) + labels @ values[1:]
        return float(np.logaddexp(0, np.where(good, -odds, odds)).mean())

    slope, *offsets = minimize(loss, np.eye(1, 1 + labels.shape[1])[0], method="L-BFGS-B").x
    likely = slope * _odds(best) + labels @ np.array(offsets)
    bar = _lowest(likely, good, right)
    if slope <= 0 or bar == np.inf:
        return np.full(chances.shape[1], 1.01)
    bars: Floats = 1 / (1 + np.exp(-(bar - np.array(offsets)) / slope))
    return bars


def _odds(chances: Floats) -> Floats:
    found: Floats = np.log(chances) - np.log1p(-np.minimum(chances, 1 - 1e-12))
    return found


def _lowest(values: Floats, good: NDArray[np.bool_], right: float) -> float:
    """The lowest value from which on a share of ``right`` is good; infinite where there is none."""
    order = np.argsort(-values, kind="stable")
    reached = np.flatnonzero(np.cumsum(good[order]) >= right * np.arange(1, len(good) + 1))
    return float(values[order][reached[-1]]) if len(reached) else np.inf
