"""The fast tier of sentiment: two linear models, over n-grams and over the theme encoder's vectors, as one.

Read and applied with numpy alone. Where a text has no vector, the n-grams answer alone, less surely.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.ngrams import Features, Recipe, features
from archive.errors import BackchannelError
from archive.vocabulary import Sentiment
from data import shipped

Floats = NDArray[np.float64]

#: The order of the columns of the weights.
LABELS: tuple[Sentiment, ...] = ("negative", "neutral", "positive")
RECIPE = Recipe(bits=20, characters=(2, 3, 4, 5), pairs=True, marked=True)
MODEL = shipped("models", "sentiment.npz")
FORMAT = 2
WORDS_SHOWN = 3
DENIED = 0.5  # from which gain on a word under a negator bears a label, which then is not sure
AT_ONCE = 200_000  # characters; more are judged in parts, so that memory stays small


class ModelError(BackchannelError):
    """A model file is missing, damaged, or of another version."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a model says of one text.

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
class Voice:
    """How scores become probabilities: the weight of the n-grams, that of the vector, and a bias a label.

    For each label an answer is sure from the probability in ``sure_from`` on: the first row is for English,
    the second for other languages.
    """

    ngrams: float
    vector: float
    bias: Floats
    sure_from: Floats


@dataclass(frozen=True, slots=True)
class Model:
    """``table`` has a row a bucket: three weights and the n-gram's rarity; ``head`` (3, 512) the weights of
    a vector. ``together`` is for texts with a vector, ``alone`` for the others."""

    table: NDArray[np.float32]
    head: Floats
    together: Voice
    alone: Voice
    version: str

    def judge(
        self,
        texts: Sequence[str],
        vectors: Sequence[NDArray[np.float32] | None],
        languages: Sequence[str | None] = (),
    ) -> list[Opinion]:
        """An opinion on each reading text. Each stands alone: its neighbours change nothing.

        The language, where known, only moves the bar for "sure".
        """
        if not texts:
            return []
        if len(texts) > 1 and sum(map(len, texts)) > AT_ONCE:
            middle = len(texts) // 2
            halves = (slice(middle), slice(middle, None))
            return [one for half in halves for one in self.judge(texts[half], vectors[half], languages[half])]
        found = features(texts, RECIPE)
        rows = weighted(found, self.table)
        by_ngrams: Floats = np.stack(
            [np.bincount(found.text, rows[:, c], minlength=len(texts)) for c in range(3)], axis=1
        )
        by_vector = vector_scores(self.head, vectors)
        with_vector = np.array([vector is not None for vector in vectors])
        chances = np.where(
            with_vector[:, None],
            probabilities(self.together, by_ngrams, by_vector),
            probabilities(self.alone, by_ngrams, by_vector),
        )
        labels = chances.argmax(axis=1)
        spoken = np.bincount(found.text, minlength=len(texts)) > 0
        gains = _gains(found, rows, labels)
        sure = spoken & (chances.max(axis=1) >= self._bars(with_vector, languages, labels))
        sure &= ~_denied(found, gains)
        return [
            Opinion(LABELS[label], (p[0], p[1], p[2]), certain, told)
            for label, p, certain, told in zip(
                labels.tolist(), chances.tolist(), sure.tolist(), _telling_words(found, gains), strict=True
            )
        ]

    def _bars(
        self, with_vector: NDArray[np.bool_], languages: Sequence[str | None], labels: NDArray[np.int64]
    ) -> Floats:
        elsewhere = np.ones(len(labels), dtype=np.int64)
        elsewhere[[number for number, language in enumerate(languages) if language == "en"]] = 0
        together, alone = (voice.sure_from[elsewhere, labels] for voice in (self.together, self.alone))
        return np.where(with_vector, together, alone)


def weighted(found: Features, table: NDArray[np.float32]) -> Floats:
    """For each row of the features the bucket's three weights and rarity; the weights at unit length."""
    rows = table[found.bucket].astype(np.float64)
    length = np.sqrt(np.bincount(found.text, rows[:, 3] ** 2, minlength=found.texts))
    rows[:, :3] /= np.maximum(length, 1e-9)[found.text, None]
    return rows


def vector_scores(head: Floats, vectors: Sequence[NDArray[np.float32] | None]) -> Floats:
    """A score a label for each vector, zeros where there is none.

    Through float16, as vectors are stored, and row by row: fresh or stored, alone or in a batch, a vector
    gets the same scores.
    """
    scores = np.zeros((len(vectors), len(LABELS)))
    known = {row: vector for row, vector in enumerate(vectors) if vector is not None}
    if known:
        stacked = np.stack(list(known.values())).astype(np.float16).astype(np.float64)
        scores[list(known)] = np.stack([(stacked * row).sum(axis=1) for row in head], axis=1)
    return scores


def probabilities(voice: Voice, by_ngrams: Floats, by_vector: Floats) -> Floats:
    """Three probabilities a text."""
    return softmax(voice.ngrams * by_ngrams + voice.vector * by_vector + voice.bias)


def softmax(scores: Floats) -> Floats:
    """Scores, a row a text, as probabilities."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances: Floats = powers / powers.sum(axis=1, keepdims=True)
    return chances


def load(path: Path = MODEL) -> Model:
    """Read a model file. Raises ModelError, which says what to do."""
    try:
        content = path.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            table = np.concatenate((arrays["weights"], arrays["rarity"][:, None]), axis=1, dtype=np.float32)
            head, written_as = arrays["head"].astype(np.float64), int(arrays["format"])
            together, alone = (_voice(arrays[name]) for name in ("together", "alone"))
    except FileNotFoundError as error:
        raise ModelError(f"{path.name}: the sentiment model is missing; `make train` rebuilds it") from error
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile, EOFError) as error:
        raise ModelError(f"{path.name}: the sentiment model is damaged ({error})") from error
    if written_as != FORMAT or table.shape != (RECIPE.buckets, 4) or head.ndim != 2 or len(head) != 3:
        raise ModelError(f"{path.name}: the sentiment model belongs to another version of this program")
    return Model(table, head, together, alone, hashlib.sha256(content).hexdigest()[:8])


def save(path: Path, weights: Floats, rarity: Floats, head: Floats, together: Voice, alone: Voice) -> None:
    """Write a model file: ``weights`` is (buckets, 3), ``rarity`` (buckets,), kept as float16, ``head`` (3,
    512) as float32."""
    np.savez_compressed(
        path,
        weights=weights.astype(np.float16),
        rarity=rarity.astype(np.float16),
        head=head.astype(np.float32),
        together=_written(together),
        alone=_written(alone),
        format=np.int64(FORMAT),
    )


def _written(voice: Voice) -> Floats:
    return np.array([voice.ngrams, voice.vector, *voice.bias, *voice.sure_from.ravel()])


def _voice(written: Floats) -> Voice:
    ngrams, vector = written[:2].tolist()
    return Voice(ngrams, vector, written[2:5], written[5:].reshape(2, 3))


def _gains(found: Features, rows: Floats, labels: NDArray[np.int64]) -> Floats:
    """What each word speaks for the label of its text, against the mean of the three."""
    gain = rows[np.arange(len(rows)), labels[found.text]] - rows[:, :3].mean(axis=1)
    return np.bincount(found.word, gain, minlength=len(found.word_start)).astype(np.float64)


def _denied(found: Features, gains: Floats) -> NDArray[np.bool_]:
    """Texts whose label rests on a word under a negator: ``not a bad idea``."""
    texts = np.zeros(found.texts, dtype=bool)
    texts[found.word_text[found.negated & (gains > DENIED)]] = True
    return texts


def _telling_words(found: Features, gains: Floats) -> list[tuple[tuple[str, float], ...]]:
    """For each text the words that speak most for its label."""
    told: list[list[tuple[str, float]]] = [[] for _ in range(found.texts)]
    spoken = np.flatnonzero(gains > 0.01)
    order = spoken[np.lexsort((-gains[spoken], found.word_text[spoken]))]
    owners = found.word_text[order]
    rank = np.arange(len(order)) - np.searchsorted(owners, owners)
    for word in order[rank < WORDS_SHOWN].tolist():
        told[found.word_text[word]].append((found.word_at(word), round(float(gains[word]), 3)))
    return [tuple(words) for words in told]
