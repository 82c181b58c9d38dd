"""Multinomial logistic regression on sparse or dense rows, in single precision and on one thread.

scikit-learn's stops at once on n-grams at its usual tolerance, and takes four times the memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

Singles = NDArray[np.float32]


def fit(
    rows: csr_matrix | Singles,
    answers: NDArray[np.int64],
    weights: NDArray[np.float64],
    *,
    labels: int,
    penalty: float,
    rounds: int = 45,
) -> Singles:
    """Coefficients (columns, labels). A bias a label is fitted and left out: calibration finds its own.

    ``penalty`` is half of what a squared coefficient costs, the loss being the mean over posts.
    """
    columns = rows.shape[1]
    right = np.eye(labels, dtype=np.float32)[answers]
    share = (weights / weights.sum()).astype(np.float32)[:, None]
    across = rows.T.tocsr() if isinstance(rows, csr_matrix) else rows.T

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        values = flat.reshape(columns + 1, labels).astype(np.float32)
        scores = rows @ values[:-1] + values[-1]
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        total = powers.sum(axis=1, keepdims=True)
        lost = float((share * (np.log(total) - (scores * right).sum(axis=1, keepdims=True))).sum())
        slope = (powers / total - right) * share
        gradient = np.empty((columns + 1, labels))
        gradient[:-1] = across @ slope + penalty * values[:-1]
        gradient[-1] = slope.sum(axis=0)
        return lost + penalty / 2 * float((values[:-1] ** 2).sum()), gradient.ravel()

    found: NDArray[np.float64] = minimize(
        loss,
        np.zeros((columns + 1) * labels),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": rounds, "maxcor": 6, "gtol": 1e-7, "ftol": 1e-6},
    ).x.reshape(columns + 1, labels)
    coefficients: Singles = found[:-1].astype(np.float32)
    return coefficients
