"""Hashed word and character n-grams of many texts at once, in numpy alone.

scikit-learn's vectorizers walk every n-gram in Python, about 5,000 posts per CPU-second; here all
n-grams of a batch are hashed by the same few array operations. A hash is a difference of two prefix
sums, exact modulo 2**64, so that a text has the same features whatever stands beside it in the batch.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
Index = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Which n-grams are counted: single words always, character n-grams of these sizes inside words, pairs
    of words, and once more, marked, words after a negator or a "but"; in ``1 << bits`` buckets."""

    bits: int
    characters: tuple[int, ...]
    pairs: bool
    marked: bool

    @property
    def buckets(self) -> int:
        return 1 << self.bits


#: Words after which the next ones mean something else: ``not a bad idea``.
NEGATORS = """
not no never nothing nobody none nor without hardly neither cannot cant can't dont don't doesnt doesn't
didnt didn't isnt isn't arent aren't wasnt wasn't werent weren't wont won't wouldnt wouldn't couldnt
couldn't shouldnt shouldn't hasnt hasn't havent haven't hadnt hadn't aint ain't
nunca jamás jamas nada nadie sin tampoco ni ningún ninguna ninguno
pas ne jamais rien aucun aucune sans ni
nicht kein keine keinen keinem keiner nie niemals nichts ohne nix
não nao nem ninguém ninguem sem nenhum nenhuma
non mai niente nulla nessuno nessuna senza né
لا لم لن ليس ليست مش مو غير بدون ولا
"""
#: So many words after a negator are under it, up to the next sign.
SCOPE = 4
#: What stands after such a word weighs more: ``nice slides, but …``.
CONTRASTS = """
but yet however though pero sino mais cependant pourtant aber doch jedoch ma però mas porém لكن ولكن
"""

_BASE = 0x9E3779B97F4A7C15 | 1
_INVERSE = pow(_BASE, -1, 1 << 64)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_NEGATED, _CONTRASTED = np.uint64(0x5BD1E995), np.uint64(0x1B873593)
_SPACE, _WORD, _SIGN, _PICTURE = 0, 1, 2, 3
_FIRST_PICTURE = 0x2190  # arrows, symbols, emoji: each stands for itself

_REPEATED = re.compile(r"(.)\1{2,}")
_SAME = {
    **dict.fromkeys((0xFE0E, 0xFE0F, 0x200B, 0x200C, 0x200D, 0x0640)),  # joiners, variants, tatweel
    **dict.fromkeys(range(0x1F3FB, 0x1F400)),  # the colours of skin of an emoji
    **dict.fromkeys((*range(0x064B, 0x0660), 0x0670)),  # Arabic vowel signs
    **str.maketrans("أإآىة’‘`", "ااايه'''"),
}


@dataclass(frozen=True, slots=True)
class Features:
    """The distinct n-grams of a batch: row i says that text ``text[i]`` has the n-gram ``bucket[i]``.

    Sorted by text, then bucket. ``word[i]`` is the word (of ``word_start``, ``word_end``, positions in
    the joined, padded text) where it first occurs. ``negated`` says of each word whether it stands after a
    negator, where the recipe asks for that.
    """

    texts: int
    text: Index
    bucket: Index
    word: Index
    word_start: Index
    word_end: Index
    word_text: Index
    negated: Flags
    joined: str

    def word_at(self, index: int) -> str:
        """The word itself, as it is counted (see ``plain``)."""
        return self.joined[self.word_start[index] : self.word_end[index]]


def plain(text: str) -> str:
    """What two texts have in common that say the same: no case, no ``soooo``, no colour of skin."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(_REPEATED.sub(r"\1\1", text.lower().translate(_SAME)).split())


def features(texts: Sequence[str], recipe: Recipe) -> Features:
    """The n-grams of these texts."""
    cleaned = [plain(text) for text in texts]
    joined = f" {' '.join(cleaned)} "
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    starts, ends, kinds = _words(_kinds(codes))
    lengths = np.fromiter(map(len, cleaned), dtype=np.int64, count=len(texts))
    word_text = np.searchsorted(np.cumsum(lengths + 1), starts - 1, side="right")
    prefix = _prefix_hashes(codes)
    single = _hash(prefix, starts, ends)
    found = [(single, np.arange(len(starts)))]
    negated = np.zeros(len(starts), dtype=bool)
    if recipe.pairs:
        found.append(_pairs(single, word_text))
    if recipe.marked:
        negated = _under_negation(single, kinds == _WORD, word_text)
        for mark, where in (
            (_NEGATED, negated),
            (_CONTRASTED, _after_contrast(single, word_text)),
        ):
            under = np.flatnonzero(where)
            found.append((single[under] + mark, under))
    for size in recipe.characters:
        found.append(_character_grams(prefix, starts, ends, size))
    bucket = _bucket(np.concatenate([hashes for hashes, _ in found]), recipe.bits)
    word = np.concatenate([owners for _, owners in found])
    keys, first = np.unique((word_text[word] << recipe.bits) | bucket, return_index=True)
    return Features(
        texts=len(texts),
        text=keys >> recipe.bits,
        bucket=keys & (recipe.buckets - 1),
        word=word[first],
        word_start=starts,
        word_end=ends,
        word_text=word_text,
        negated=negated,
        joined=joined,
    )


def _words(kinds: NDArray[np.uint8]) -> tuple[Index, Index, NDArray[np.uint8]]:
    """Runs of letters and digits, runs of other signs, and single pictures: ``don't``, ``:-)``, ``!!``."""
    borders = (kinds[1:] != kinds[:-1]) | (kinds[1:] == _PICTURE)
    at = np.concatenate(([0], np.flatnonzero(borders) + 1, [len(kinds)]))
    kind = kinds[at[:-1]]
    keep = kind != _SPACE
    return at[:-1][keep], at[1:][keep], kind[keep]


def _prefix_hashes(codes: NDArray[np.uint32]) -> U64:
    terms = (codes.astype(np.uint64) + np.uint64(1)) * _MIX
    terms *= _powers(_BASE, len(codes) + 1)[: len(codes)]
    out = np.zeros(len(codes) + 1, dtype=np.uint64)
    np.cumsum(terms, out=out[1:])
    return out


def _hash(prefix: U64, starts: Index, ends: Index) -> U64:
    inverse = _powers(_INVERSE, len(prefix))
    return (prefix[ends] - prefix[starts]) * inverse[starts]


def _pairs(single: U64, texts: Index) -> tuple[U64, Index]:
    first = np.flatnonzero(texts[1:] == texts[:-1])
    return single[first] * np.uint64(_BASE) + _scramble(single[first + 1]) + np.uint64(1), first


def _under_negation(single: U64, is_word: Flags, texts: Index) -> Flags:
    """Words at most SCOPE after a negator, no sign between, in the same text."""
    here = np.arange(len(single))
    negator = _last(np.isin(single, _hashes(NEGATORS)))
    near = (here > negator) & (here - negator <= SCOPE) & (negator > _last(~is_word))
    under: Flags = near & (texts[negator] == texts)
    return under


def _after_contrast(single: U64, texts: Index) -> Flags:
    """Words that come after a contrast in the same text."""
    contrast = _last(np.isin(single, _hashes(CONTRASTS)))
    found: Flags = (contrast >= 0) & (contrast < np.arange(len(single))) & (texts[contrast] == texts)
    return found


def _last(where: Flags) -> Index:
    """For each place the last one up to it that is marked; -1 before the first."""
    return np.maximum.accumulate(np.where(where, np.arange(len(where)), -1), dtype=np.int64)


@cache
def _hashes(words: str) -> U64:
    codes = [np.frombuffer(plain(word).encode("utf-32-le"), dtype=np.uint32) for word in words.split()]
    return np.concatenate([_hash(_prefix_hashes(c), np.array([0]), np.array([len(c)])) for c in codes])


def _character_grams(prefix: U64, starts: Index, ends: Index, size: int) -> tuple[U64, Index]:
    """N-grams inside a word and the blank or sign on either side of it."""
    begin, end = starts - 1, np.minimum(ends + 1, len(prefix) - 1)
    count = np.maximum(end - begin - size + 1, 0)
    owner = np.repeat(np.arange(len(starts)), count)
    first = np.cumsum(count) - count
    at = begin[owner] + np.arange(len(owner)) - first[owner]
    return _hash(prefix, at, at + size) + np.uint64(size), owner


def _scramble(hashes: U64) -> U64:
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _MIX
    hashes = (hashes ^ (hashes >> np.uint64(27))) * _MIX_2
    return hashes ^ (hashes >> np.uint64(31))


def _bucket(hashes: U64, bits: int) -> Index:
    return (_scramble(hashes) >> np.uint64(64 - bits)).astype(np.int64)


def _kinds(codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    return _kind_table()[np.minimum(codes, 0x10000)]


@cache
def _kind_table() -> NDArray[np.uint8]:
    """Space, word, sign or picture for the first 65,536 characters; whatever lies beyond is a picture."""
    table = np.full(0x10001, _PICTURE, dtype=np.uint8)
    for code in range(0x10000):
        character = chr(code)
        if character.isspace():
            table[code] = _SPACE
        elif character.isalnum() or character in "'_" or unicodedata.category(character)[0] == "M":
            table[code] = _WORD
        elif code < _FIRST_PICTURE:
            table[code] = _SIGN
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
