"""Tells the languages apart that have labelled posts: a linear model over character n-grams.

py3langid knows a hundred languages and is weak on a post of five words; this one knows seven.
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.ngrams import Recipe, features
from analysis.sentiment_model import Floats, ModelError
from data import shipped

#: The languages it knows: the order of the columns of the weights.
LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "pt")
RECIPE = Recipe(bits=17, characters=(1, 2, 3, 4), pairs=False, marked=False)
MODEL = shipped("models", "language.npz")
FORMAT = 1
LONGEST = 300  # characters that are looked at

_WORD = re.compile(r"[^\W\d_][^\W_]*(?:['’][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Model:
    """``table`` has a row a bucket: a weight a language and the n-gram's rarity. ``other`` is the factor of
    the logarithms that py3langid finds, ``bias`` one a language."""

    table: NDArray[np.float32]
    other: float
    bias: Floats
    version: str

    def judge(self, texts: Sequence[str]) -> Floats:
        """Scores, a row a text of words, a column a language: logarithms, up to a constant."""
        found = features(texts, RECIPE)
        rows = self.table[found.bucket].astype(np.float64)
        length = np.sqrt(np.bincount(found.text, rows[:, -1] ** 2, minlength=len(texts)))
        rows[:, :-1] /= np.maximum(length, 1e-9)[found.text, None]
        return np.stack(
            [np.bincount(found.text, rows[:, c], minlength=len(texts)) for c in range(len(LANGUAGES))], axis=1
        )


def words(text: str) -> str:
    """What is looked at of a text: its words, in lower case."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text[:LONGEST]).lower()))


@cache
def load(path: Path = MODEL) -> Model:
    """Read a model file. Raises ModelError, which says what to do."""
    try:
        content = path.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            table = np.concatenate((arrays["weights"], arrays["rarity"][:, None]), axis=1, dtype=np.float32)
            other, bias = float(arrays["other"]), arrays["bias"].astype(np.float64)
            written_as = int(arrays["format"])
    except FileNotFoundError as error:
        raise ModelError(f"{path.name}: the language model is missing; `make train` rebuilds it") from error
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile, EOFError) as error:
        raise ModelError(f"{path.name}: the language model is damaged ({error})") from error
    if written_as != FORMAT or table.shape != (RECIPE.buckets, len(LANGUAGES) + 1):
        raise ModelError(f"{path.name}: the language model belongs to another version of this program")
    return Model(table, other, bias, hashlib.sha256(content).hexdigest()[:8])


def save(path: Path, weights: Floats, rarity: Floats, other: float, bias: Floats) -> None:
    """Write a model file: ``weights`` is (buckets, languages), ``rarity`` (buckets,); kept as float16."""
    np.savez_compressed(
        path,
        weights=weights.astype(np.float16),
        rarity=rarity.astype(np.float16),
        other=np.float64(other),
        bias=bias,
        format=np.int64(FORMAT),
    )
