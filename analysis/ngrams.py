"""Hashed word and character n-grams of many texts at once, in numpy alone.

scikit-learn's vectorizers walk every n-gram in Python, about 5,000 posts per CPU-second; here all
n-grams of a batch are hashed by the same few array operations. A hash is a difference of two prefix
sums, exact modulo 2**64, so that a text has the same features whatever stands beside it in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
Index = NDArray[np.int64]

BITS = 20
BUCKETS = 1 << BITS
CHARACTERS = (2, 3, 4, 5)

_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_SPACE, _WORD, _SIGN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Features:
    """The distinct n-grams of a batch: row i says that text ``text[i]`` has the n-gram ``bucket[i]``.

    Sorted by text, then bucket. ``word[i]`` is the word (of ``word_start``, ``word_end``, positions in
    the joined, padded text) where it first occurs.
    """

    texts: int
    text: Index
    bucket: Index
    word: Index
    word_start: Index
    word_end: Index
    word_text: Index
    joined: str

    def word_at(self, index: int) -> str:
        """The word itself, lower-cased."""
        return self.joined[self.word_start[index] : self.word_end[index]]


def features(texts: Sequence[str]) -> Features:
    """All word 1-2-grams and the character 2-5-grams inside words of these texts."""
    lowered = [text.lower() for text in texts]
    joined = f" {' '.join(lowered)} "
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kinds = _kinds(codes)
    starts, ends = _words(kinds)
    lengths = np.fromiter(map(len, lowered), dtype=np.int64, count=len(texts))
    word_text = np.searchsorted(np.cumsum(lengths + 1), starts - 1, side="right")
    prefix = _prefix_hashes(codes)
    hashes, words = [], []
    for grams, owners in (
        _word_grams(prefix, starts, ends, word_text),
        _character_grams(prefix, starts, ends),
    ):
        hashes.append(grams)
        words.append(owners)
    bucket = _bucket(np.concatenate(hashes))
    word = np.concatenate(words)
    keys = (word_text[word] << BITS) | bucket
    keys, first = np.unique(keys, return_index=True)
    return Features(
        texts=len(texts),
        text=keys >> BITS,
        bucket=keys & (BUCKETS - 1),
        word=word[first],
        word_start=starts,
        word_end=ends,
        word_text=word_text,
        joined=joined,
    )


def _words(kinds: NDArray[np.uint8]) -> tuple[Index, Index]:
    """Runs of letters and digits, and runs of other signs: ``don't``, ``:-)``, ``!!``."""
    borders = np.flatnonzero(np.diff(kinds)) + 1
    borders = np.concatenate(([0], borders, [len(kinds)]))
    keep = kinds[borders[:-1]] != _SPACE
    return borders[:-1][keep], borders[1:][keep]


def _prefix_hashes(codes: NDArray[np.uint32]) -> U64:
    terms = (codes.astype(np.uint64) + np.uint64(1)) * _MIX
    terms *= _powers(_BASE, len(codes) + 1)[: len(codes)]
    out = np.zeros(len(codes) + 1, dtype=np.uint64)
    np.cumsum(terms, out=out[1:])
    return out


def _hash(prefix: U64, starts: Index, ends: Index) -> U64:
    inverse = _powers(_INVERSE, len(prefix))
    return (prefix[ends] - prefix[starts]) * inverse[starts]


def _word_grams(prefix: U64, starts: Index, ends: Index, texts: Index) -> tuple[U64, Index]:
    single = _hash(prefix, starts, ends)
    number = np.arange(len(starts))
    pairs = np.flatnonzero(texts[1:] == texts[:-1])
    double = single[pairs] * np.uint64(_BASE) + _scramble(single[pairs + 1]) + np.uint64(1)
    return np.concatenate((single, double)), np.concatenate((number, number[pairs]))


def _character_grams(prefix: U64, starts: Index, ends: Index) -> tuple[U64, Index]:
    """N-grams inside a word and the blank or sign on either side of it."""
    begin, end = starts - 1, np.minimum(ends + 1, len(prefix) - 1)
    grams, owners = [], []
    for size in CHARACTERS:
        count = np.maximum(end - begin - size + 1, 0)
        owner = np.repeat(np.arange(len(starts)), count)
        first = np.cumsum(count) - count
        at = begin[owner] + np.arange(len(owner)) - first[owner]
        grams.append(_hash(prefix, at, at + size) + np.uint64(size))
        owners.append(owner)
    return np.concatenate(grams), np.concatenate(owners)


def _scramble(hashes: U64) -> U64:
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _MIX
    hashes = (hashes ^ (hashes >> np.uint64(27))) * _MIX_2
    return hashes ^ (hashes >> np.uint64(31))


def _bucket(hashes: U64) -> Index:
    return (_scramble(hashes) >> np.uint64(64 - BITS)).astype(np.int64)


def _kinds(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    return _kind_table()[np.minimum(codes, 0x10000)]


@cache
def _kind_table() -> NDArray[np.uint8]:
    """Space, word or sign for the first 65,536 characters; whatever lies beyond is a sign (emoji)."""
    table = np.full(0x10001, _SIGN, dtype=np.uint8)
    for code in range(0x10000):
        character = chr(code)
        if character.isspace():
            table[code] = _SPACE
        elif character.isalnum() or character in "'’_":
            table[code] = _WORD
    return table


_POWERS: dict[int, U64] = {}


def _powers(base: int, count: int) -> U64:
    """``base ** i`` modulo 2**64 for i below count, kept and grown as longer batches come."""
    known = _POWERS.get(base)
    if known is None or len(known) < count:
        size = 1 << max(count, 1 << 16).bit_length()
        known = np.full(size, base, dtype=np.uint64)
        known[0] = 1
        _POWERS[base] = known = np.cumprod(known, dtype=np.uint64)
    return known[:count]
