"""Shares with the uncertainty that a small number brings."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

from archive.vocabulary import NOT_SURE, SENTIMENTS, UNTAGGED

Z_95 = 1.959963984540054
LABELS = (*SENTIMENTS, NOT_SURE)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share of ``n`` > 0."""
    share, z2 = hits / n, Z_95 * Z_95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # None and all reach the bounds exactly, which rounding would miss by a hair.
    return max(0.0, middle - half) if hits else 0.0, min(1.0, middle + half) if hits < n else 1.0


def share(hits: int, n: int) -> dict[str, Any]:
    """``posts`` of ``n`` as a share with its interval; the share of nothing is ``None``."""
    low, high = wilson(hits, n) if n else (None, None)
    return {"posts": hits, "n": n, "share": hits / n if n else None, "low": low, "high": high}


def sentiment_shares(labels: Mapping[str, int]) -> dict[str, Any]:
    """The share of each sentiment, and of ``not_sure``, among the tagged; the untagged stand beside it."""
    n = sum(labels.get(label, 0) for label in LABELS)
    return {
        "n": n,
        **{label: share(labels.get(label, 0), n) for label in LABELS},
        UNTAGGED: labels.get(UNTAGGED, 0),
    }
