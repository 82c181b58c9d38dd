"""How far a post is about each theme of a meeting: from what the organiser wrote of it, and nothing else.

A theme's phrases (its title, its keywords, the parts of its description) are compared with the post as
vectors, in two ways: as the encoder gives them, and through a *lens*, a matrix learned from which words stand
in which posts. Both count against the best of the other themes, and against generic subjects: a post that is
a little about everything is about nothing. Keywords found in the post count as well. A handful of constants
weighs all this; they and the lens are learned once and are shipped (``data/models/themes.md``).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.encoder import DIMENSIONS
from analysis.encoder import VERSION as ENCODER
from analysis.sentiment_model import ModelError
from data import shipped

Singles = NDArray[np.float32]
Floats = NDArray[np.float64]
Rows = TypeVar("Rows", Singles, Floats)

CONSTANTS = shipped("models", "themes.json")
FORMAT = 1
BEST = 2  # phrases of a theme that are nearest to a post, whose mean counts
NAMES = 6  # titles and keywords with which a theme is well described
HITS = 2  # keywords found beyond which more say no more
GENERIC = 10  # generic subjects that may be more like a post than the one that counts as a rival
PARTS = re.compile(r"[,;:.()?!¿¡؟،؛。、！？，；：]|\s(?:and|y|e|et|und)\s", re.IGNORECASE)
LONGEST_PART = 200  # characters
MOST_PARTS = 40
USUAL = 50  # posts that the shipped centre counts for, beside those of the meeting


class Encoder(Protocol):
    """What is needed of ``analysis.encoder``."""

    def encode(self, texts: Sequence[str]) -> Singles: ...


@dataclass(frozen=True, slots=True)
class Constants:
    """What the pieces of evidence weigh in log-odds; a post is said to be about a theme from ``begins`` on.

    ``plain`` and ``lens`` weigh likeness, the ``rival_`` ones that of the best other theme (negative);
    ``hits`` each keyword found, up to two, ``hit`` that there is one, ``phrase`` that one has several words.
    Generic subjects and small talk stand in for a rival where they are more like the post, less a margin.
    A theme of which little is written is less like any post: it is allowed ``few_names`` for the share of
    NAMES that it lacks, and ``no_details`` without a description.
    """

    plain: float
    lens: float
    rival_plain: float
    rival_lens: float
    hits: float
    hit: float
    phrase: float
    bias: float
    begins: float
    generic_margin: float
    smalltalk_margin: float
    few_names: float
    no_details: float


ARRAYS = ("lens", "generic", "smalltalk", "centre")
EVIDENCE = ("plain", "lens", "rival_plain", "rival_lens", "hits", "hit", "phrase")


@dataclass(frozen=True, slots=True)
class Model:
    """``lens`` is (512, 512); ``generic`` has a row of 512 a generic subject, ``smalltalk`` one a
    sentence that is about nothing; ``centre`` (512) is the mean of posts."""

    constants: Constants
    lens: Singles
    generic: Singles
    smalltalk: Singles
    centre: Singles
    version: str

    def seen(self, vectors: Singles) -> tuple[Floats, Floats]:
        """Vectors as the encoder gives them and through the lens; rows of unit length.

        In double precision: what a product of single precision gives in the fourth decimal depends on how
        many posts stand beside one, and a post gets the same tags whatever stands beside it.
        """
        wide = vectors.astype(np.float64)
        return wide, unit(wide @ self.lens.astype(np.float64))

    def middle(self, posts: Singles) -> Singles:
        """What is usual among posts of a meeting, (512): their mean, as if USUAL more stood at the centre."""
        middle: Singles = (USUAL * self.centre + posts.sum(axis=0)) / np.float32(USUAL + len(posts))
        return middle


@dataclass(frozen=True, slots=True)
class Phrases:
    """What an organiser wrote of a theme, in pieces that are compared one by one."""

    names: tuple[str, ...]
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Keywords found in posts, (posts, themes): how many different ones; has one of them several words?"""

    hits: Floats
    phrase: Floats


class Agenda:
    """The themes of a meeting as the model compares posts with them. ``phrases``: a Phrases a theme."""

    def __init__(self, model: Model, encoder: Encoder, phrases: Sequence[Phrases]) -> None:
        self.model = model
        self.phrases = [(*of.names, *of.details) for of in phrases]
        self._views = model.seen(encoder.encode([text for texts in self.phrases for text in texts]))
        self._generic = model.seen(model.generic)
        self._smalltalk = model.seen(model.smalltalk)
        self._names, self._details = [], []
        begin = 0
        for of in phrases:
            middle = begin + len(of.names)
            end = middle + len(of.details)
            self._names.append(slice(begin, middle))
            self._details.append(slice(middle, end) if of.details else slice(begin, middle))
            begin = end
        self._allowance = np.array([_allowance(of, model.constants) for of in phrases])

    def evidence(self, vectors: Singles, words: Words) -> Floats:
        """What speaks for each theme, (posts, themes, EVIDENCE). ``vectors`` are of unit length."""
        views = self.model.seen(vectors)
        alike = [self._likeness(view, number) for number, view in enumerate(views)]
        rivals = [
            self._rival(like, view, number)
            for number, (like, view) in enumerate(zip(alike, views, strict=True))
        ]
        hits = np.minimum(words.hits, HITS)
        return np.stack([*alike, *rivals, hits, np.minimum(hits, 1), words.phrase], axis=2)

    def judge(self, vectors: Singles, words: Words) -> Floats:
        """Log-odds, (posts, themes); a post is said to be about a theme from ``begins`` on."""
        odds: Floats = weigh(self.evidence(vectors, words), self.model.constants) + self._allowance
        return odds

    def nearest(self, vector: Singles, theme: int, most: int = 3) -> list[tuple[str, float]]:
        """The phrases of a theme that are nearest to a post, with the cosine."""
        begin = self._names[theme].start
        cosines = self._views[0][begin : begin + len(self.phrases[theme])] @ vector
        order = np.argsort(-cosines, kind="stable")[:most]
        return [(self.phrases[theme][n], round(float(cosines[n]), 4)) for n in order.tolist()]

    def _likeness(self, view: Floats, number: int) -> Floats:
        cosines = view @ self._views[number].T
        found = [
            _best(cosines[:, names]) + _best(cosines[:, details])
            for names, details in zip(self._names, self._details, strict=True)
        ]
        return np.stack(found, axis=1)

    def _rival(self, likeness: Floats, view: Floats, number: int) -> Floats:
        """For each theme how like the best other one is, or what is about nothing, whichever is more."""
        nothing = self._nothing(view, number)[:, None]
        order = np.sort(np.concatenate([likeness, nothing], axis=1), axis=1)
        best, second = order[:, -1:], order[:, -2:-1]
        rival: Floats = np.where(likeness == best, second, best)
        return rival

    def _nothing(self, view: Floats, number: int) -> Floats:
        of = self.model.constants
        generic = view @ self._generic[number].T
        subject = -np.partition(-generic, GENERIC, axis=1)[:, GENERIC]
        smalltalk = _best(view @ self._smalltalk[number].T)
        found: Floats = np.maximum(2 * subject - of.generic_margin, 2 * smalltalk - of.smalltalk_margin)
        return found


def weigh(evidence: Floats, constants: Constants) -> Floats:
    """Evidence, (posts, themes, EVIDENCE), as log-odds."""
    odds: Floats = evidence @ [getattr(constants, name) for name in EVIDENCE] + constants.bias
    return odds


def phrases_of(title: str, description: str, keywords: Sequence[str]) -> Phrases:
    """The phrases of a theme. A theme with a title alone is compared by that, and by what it consists of."""
    parts = [part for part in map(_tidy, PARTS.split(title)) if part]
    names = [*keywords, title] if keywords else [title, *parts]
    details = [part for part in map(_tidy, PARTS.split(description)) if part]
    return Phrases(_different(names), _different(details)[:MOST_PARTS])


def unit(rows: Rows) -> Rows:
    """Rows scaled to length 1; a row of zeros stays."""
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    scaled: Rows = rows / np.maximum(length, rows.dtype.type(1e-12))
    return scaled


def probability(odds: Floats) -> Floats:
    """Log-odds as numbers between 0 and 1."""
    chance: Floats = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    return chance


@cache
def load(path: Path = CONSTANTS) -> Model:
    """Read the shipped model. Raises ModelError, which says what to do."""
    arrays = path.with_suffix(".npz")
    try:
        content = path.read_bytes(), arrays.read_bytes()
        written = json.loads(content[0])
        constants = Constants(**{name: float(value) for name, value in written["constants"].items()})
        with np.load(io.BytesIO(content[1]), allow_pickle=False) as found:
            lens, generic, smalltalk, centre = (found[name].astype(np.float32) for name in ARRAYS)
        fits = (written["format"], written["encoder"]) == (FORMAT, ENCODER)
    except FileNotFoundError as error:
        raise ModelError(
            f"{path.stem}: the model of the themes is missing; `make train` rebuilds it"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path.stem}: the model of the themes is damaged ({error})") from error
    fits &= lens.shape == (DIMENSIONS, DIMENSIONS) and centre.shape == (DIMENSIONS,)
    fits &= all(rows.ndim == 2 and rows.shape[1] == DIMENSIONS for rows in (generic, smalltalk))
    if not fits or len(generic) <= GENERIC or not len(smalltalk):
        raise ModelError(f"{path.stem}: the model of the themes belongs to another version of this program")
    return Model(
        constants, lens, generic, smalltalk, centre, hashlib.sha256(b"".join(content)).hexdigest()[:8]
    )


def save(path: Path, model: Model, about: object) -> None:
    """Write a model: the constants as JSON with ``about`` them, the rest as float16 beside it."""
    written = {"format": FORMAT, "encoder": ENCODER, "constants": asdict(model.constants), "about": about}
    path.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    lens, generic, smalltalk, centre = (getattr(model, name).astype(np.float16) for name in ARRAYS)
    arrays = path.with_suffix(".npz")
    np.savez_compressed(arrays, lens=lens, generic=generic, smalltalk=smalltalk, centre=centre)


def _allowance(of: Phrases, constants: Constants) -> float:
    lacking = max(0.0, 1 - len(of.names) / NAMES)
    return constants.few_names * lacking + constants.no_details * (not of.details)


def _best(cosines: Floats) -> Floats:
    """The mean of the best few, a row a post."""
    few = min(BEST, cosines.shape[1])
    mean: Floats = -np.partition(-cosines, few - 1, axis=1)[:, :few].mean(axis=1)
    return mean


def _tidy(part: str) -> str:
    return " ".join(part.split())[:LONGEST_PART]


def _different(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
