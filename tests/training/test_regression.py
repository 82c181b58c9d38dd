"""Logistic regression, on rows whose answer is plain."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from training.regression import fit

ROWS = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
ANSWERS = np.repeat([2, 0, 1], 4)


def test_it_learns_and_sparse_or_dense_is_the_same() -> None:
    dense = fit(ROWS, ANSWERS, np.ones(12), labels=3, penalty=1e-3)
    sparse = fit(csr_matrix(ROWS), ANSWERS, np.ones(12), labels=3, penalty=1e-3)
    assert (ROWS @ dense).argmax(axis=1).tolist() == ANSWERS.tolist()
    np.testing.assert_allclose(dense, sparse, atol=1e-3)


def test_a_penalty_makes_weights_small_and_a_post_without_weight_says_nothing() -> None:
    loose, tight = (fit(ROWS, ANSWERS, np.ones(12), labels=3, penalty=p) for p in (1e-3, 1.0))
    assert np.abs(tight).max() < np.abs(loose).max() / 3
    weights = np.where(ANSWERS == 0, 0.0, 1.0)
    unheard = fit(ROWS, ANSWERS, weights, labels=3, penalty=1e-3)
    assert np.abs(ROWS[ANSWERS == 0] @ unheard).max() < 1e-6
