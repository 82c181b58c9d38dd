"""The n-grams of many texts as a sparse matrix, rare ones left out, rarer ones weighing more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from analysis.ngrams import Recipe, features

RAREST = 2  # texts in which an n-gram must occur
BATCH = 512


@dataclass(frozen=True, slots=True)
class Ngrams:
    """A row a post, at unit length; a column for each bucket of ``kept``, weighted by its ``rarity``."""

    rows: csr_matrix
    kept: NDArray[np.int64]
    rarity: NDArray[np.float64]


def count(texts: Sequence[str], recipe: Recipe) -> Ngrams:
    """The n-grams of these texts."""
    rows, columns = [], []
    for start in range(0, len(texts), BATCH):
        found = features(texts[start : start + BATCH], recipe)
        rows.append(found.text + start)
        columns.append(found.bucket)
    row, column = np.concatenate(rows), np.concatenate(columns)
    texts_with = np.bincount(column, minlength=recipe.buckets)
    kept = np.flatnonzero(texts_with >= RAREST)
    rarity = np.log((1 + len(texts)) / (1 + texts_with[kept])) + 1
    common = texts_with[column] >= RAREST
    row, column = row[common], np.searchsorted(kept, column[common])
    values = rarity[column].astype(np.float32)
    matrix = csr_matrix((values, (row, column)), shape=(len(texts), len(kept)))
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return Ngrams((diags(1 / np.maximum(length, 1e-9).astype(np.float32)) @ matrix).tocsr(), kept, rarity)
