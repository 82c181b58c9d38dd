"""The matrix of n-grams."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.ngrams import Recipe
from training import ngrams

RECIPE = Recipe(bits=12, characters=(), pairs=False, marked=False)


def test_rare_ones_go_rows_have_length_one_and_the_rarer_weighs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ngrams, "BATCH", 2)
    found = ngrams.count(["red blue", "red blue", "red", "once", ""], RECIPE)
    rows = found.rows.toarray()
    assert rows.shape == (5, 2) == (5, len(found.kept))
    np.testing.assert_allclose((rows**2).sum(axis=1), [1, 1, 1, 0, 0], atol=1e-6)
    red = int(np.flatnonzero(rows[2])[0])
    assert rows[0, red] < rows[0, 1 - red]
    assert found.rarity[red] < found.rarity[1 - red]
