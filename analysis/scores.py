"""Figures of two tables of posts by classes, what is true and what was found, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES, RESAMPLES_AT_ONCE, SEED = 1000, 100, 2012

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def table(sets: Sequence[frozenset[str]], classes: Sequence[str]) -> Bools:
    """Which post has which class: posts by classes."""
    return np.array([[name in some for name in classes] for some in sets], dtype=bool)


def compare(truth: Bools, found: Bools, classes: Sequence[str], counted: Bools) -> dict[str, Any]:
    """Figures of two tables of posts by classes; ``counted`` says which classes the means are over."""
    posts = len(truth)
    right = int((truth == found).all(axis=1).sum())
    every = np.ones((1, posts))
    precision, recall, f1 = (values[0] for values in _rates(every, truth, found))
    again = [_rates(weights, truth, found) for weights in _resamples(posts)]
    recalls, f1s = (np.concatenate([rates[which] for rates in again]) for which in (1, 2))
    return {
        "posts": posts,
        "accuracy": rounded(right / posts),
        "accuracy_95": wilson(right, posts),
        "macro_f1": _mean(f1, counted),
        "macro_f1_95": _interval(f1s, counted),
        "macro_recall": _mean(recall, counted),
        "macro_recall_95": _interval(recalls, counted),
        "classes": {
            name: {
                "precision": rounded(precision[n]),
                "recall": rounded(recall[n]),
                "f1": rounded(f1[n]),
                "f1_95": _interval(f1s, np.arange(len(classes)) == n),
                "support": int(truth[:, n].sum()),
            }
            for n, name in enumerate(classes)
        },
        "confusion": _confusion(truth, found, classes),
    }


def _rates(weights: Floats, truth: Bools, found: Bools) -> tuple[Floats, Floats, Floats]:
    """Precision, recall and F1, samples by classes, for posts weighted in each sample; NaN is undefined."""
    hits = weights @ (truth & found)
    support, given = weights @ truth, weights @ found
    with np.errstate(invalid="ignore"):
        return hits / given, hits / support, 2 * hits / (support + given)


def _resamples(posts: int) -> Iterator[Floats]:
    """How often each post is in each sample drawn with replacement, a chunk of samples at a time."""
    random = np.random.default_rng(SEED)
    chances = np.full(posts, 1 / posts)
    for _ in range(RESAMPLES // RESAMPLES_AT_ONCE):
        yield random.multinomial(posts, chances, size=RESAMPLES_AT_ONCE).astype(float)


def _mean(values: Floats, counted: Bools) -> float | None:
    return rounded(values[counted].mean()) if counted.any() else None


def _interval(samples: Floats, counted: Bools) -> list[float] | None:
    """The middle 95 % of the means over some classes, each mean over the classes defined in its sample."""
    chosen = samples[:, counted]
    defined = ~np.isnan(chosen)
    chosen, defined = chosen[defined.any(axis=1)], defined[defined.any(axis=1)]
    if not chosen.size:
        return None
    means = np.where(defined, chosen, 0).sum(axis=1) / defined.sum(axis=1)
    return [round(float(bound), 4) for bound in np.percentile(means, (2.5, 97.5))]


def wilson(hits: int, posts: int) -> list[float]:
    """The 95 % interval of a share."""
    z, share = 1.96, hits / posts
    middle = (share + z * z / (2 * posts)) / (1 + z * z / posts)
    half = z * sqrt(share * (1 - share) / posts + z * z / (4 * posts * posts)) / (1 + z * z / posts)
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def _confusion(truth: Bools, found: Bools, classes: Sequence[str]) -> dict[str, dict[str, int]]:
    """For each true class how often which was found: itself, or what was given where it was missed."""
    counts = (truth & ~found).astype(int).T @ (found & ~truth).astype(int)
    counts += np.diag((truth & found).sum(axis=0))
    return {
        name: {other: int(n) for other, n in zip(classes, row, strict=True) if n}
        for name, row in zip(classes, counts, strict=True)
        if row.any()
    }


def rounded(value: float | np.floating[Any]) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
