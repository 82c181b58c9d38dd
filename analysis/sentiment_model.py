"""The shipped sentiment model: a linear model over hashed n-grams, read and applied with numpy alone."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.ngrams import BUCKETS, Features, features
from analysis.texts import as_trained
from archive.errors import BackchannelError
from archive.vocabulary import Sentiment
from data import shipped

Floats = NDArray[np.float64]

#: The order of the columns of the weights.
LABELS: tuple[Sentiment, ...] = ("negative", "neutral", "positive")
MODEL = shipped("models", "sentiment.npz")
FORMAT = 1
WORDS_SHOWN = 3
AT_ONCE = 200_000  # characters; more are judged in parts, so that memory stays small


class ModelError(BackchannelError):
    """A model file is missing, damaged, or of another version."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the model says of one text.

    ``probabilities`` in the order of ``LABELS``; ``words`` are those that spoke most for the label, with
    their weight: the sum of the weights of the n-grams that first occur in them.
    """

    label: Sentiment
    probabilities: tuple[float, float, float]
    sure: bool
    words: tuple[tuple[str, float], ...]

    @property
    def score(self) -> float:
        """The probability of the label."""
        return max(self.probabilities)


@dataclass(frozen=True, slots=True)
class Model:
    """``table`` has a row a bucket: three weights, already scaled to log-odds, and the n-gram's rarity."""

    table: NDArray[np.float32]
    bias: Floats
    sure_from: float
    version: str

    def judge(self, texts: Sequence[str]) -> list[Opinion]:
        """An opinion on each text. Each stands alone: its neighbours change nothing."""
        if not texts:
            return []
        if len(texts) > 1 and sum(map(len, texts)) > AT_ONCE:
            middle = len(texts) // 2
            return self.judge(texts[:middle]) + self.judge(texts[middle:])
        found = features([as_trained(text) for text in texts])
        rows = self.table[found.bucket].astype(np.float64)
        length = np.sqrt(np.bincount(found.text, rows[:, 3] ** 2, minlength=len(texts)))
        rows[:, :3] /= np.maximum(length, 1e-9)[found.text, None]
        scores = np.stack(
            [np.bincount(found.text, rows[:, c], minlength=len(texts)) for c in range(3)], axis=1
        )
        chances = softmax(scores + self.bias)
        labels = chances.argmax(axis=1)
        words = _telling_words(found, rows, labels)
        return [
            Opinion(LABELS[label], (p[0], p[1], p[2]), p[label] >= self.sure_from, told)
            for label, p, told in zip(labels.tolist(), chances.tolist(), words, strict=True)
        ]


def load(path: Path = MODEL) -> Model:
    """Read a model file. Raises ModelError, which says what to do."""
    try:
        content = path.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            table = np.concatenate((arrays["weights"], arrays["rarity"][:, None]), axis=1, dtype=np.float32)
            bias = arrays["bias"].astype(np.float64)
            written_as, sure_from = int(arrays["format"]), float(arrays["sure_from"])
    except FileNotFoundError as error:
        raise ModelError(f"{path.name}: the sentiment model is missing; `make train` rebuilds it") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise ModelError(f"{path.name}: the sentiment model is damaged ({error})") from error
    if written_as != FORMAT or table.shape != (BUCKETS, 4) or bias.shape != (3,):
        raise ModelError(f"{path.name}: the sentiment model belongs to another version of this program")
    return Model(table, bias, sure_from, hashlib.sha256(content).hexdigest()[:8])


def save(path: Path, weights: Floats, rarity: Floats, bias: Floats, sure_from: float) -> None:
    """Write a model file: ``weights`` is (BUCKETS, 3), ``rarity`` (BUCKETS,); both kept as float16."""
    np.savez_compressed(
        path,
        weights=weights.astype(np.float16),
        rarity=rarity.astype(np.float16),
        bias=bias,
        sure_from=np.float64(sure_from),
        format=np.int64(FORMAT),
    )


def softmax(scores: Floats) -> Floats:
    """Scores, a row a text, as probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances: Floats = powers / powers.sum(axis=1, keepdims=True)
    return chances


def _telling_words(
    found: Features, rows: Floats, labels: NDArray[np.int64]
) -> list[tuple[tuple[str, float], ...]]:
    """For each text the words that speak most for its label, against the mean of the three."""
    gain = rows[np.arange(len(rows)), labels[found.text]] - rows[:, :3].mean(axis=1)
    by_word = np.bincount(found.word, gain, minlength=len(found.word_start))
    told: list[list[tuple[str, float]]] = [[] for _ in labels]
    spoken = np.flatnonzero(by_word > 0.01)
    order = spoken[np.lexsort((-by_word[spoken], found.word_text[spoken]))]
    owners = found.word_text[order]
    rank = np.arange(len(order)) - np.searchsorted(owners, owners)
    for word in order[rank < WORDS_SHOWN].tolist():
        told[found.word_text[word]].append((found.word_at(word), round(float(by_word[word]), 3)))
    return [tuple(words) for words in told]
