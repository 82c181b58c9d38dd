"""Fits the small yes-or-no models: signs and vectors of sentences, logistic regression, folds."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from analysis.encoder import load as load_encoder
from analysis.encoder import rounded
from analysis.linear_model import Sign
from analysis.texts import Reading, read

SENTENCES = Path(__file__).with_name("sentences")
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "ar")
BATCH = 256

Floats = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A made-up sentence; those of one ``group`` say the same."""

    text: str
    language: str
    group: int
    question: bool
    logistics: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts as a model sees them: the values of ``names`` (rows, names), vectors (rows, 512), answers."""

    names: tuple[str, ...]
    signs: Floats
    vectors: Floats
    answers: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Choice:
    """How strictly to fit: scikit-learn's C, and by how much vectors count more than signs."""

    strictness: float
    stretch: float


@dataclass(frozen=True, slots=True)
class Score:
    """Precision and recall, between 0 and 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        return 2 * self.precision * self.recall / max(self.precision + self.recall, 1e-9)


def sentences(path: Path = SENTENCES / "meeting.toml") -> list[Sentence]:
    """The made-up sentences of a file, in its order."""
    with path.open("rb") as file:
        groups = tomllib.load(file)["said"]
    return [
        Sentence(text, language, number, group["question"], group["logistics"])
        for number, group in enumerate(groups)
        for language in LANGUAGES
        for text in group.get(language, ())
    ]


def rows(
    texts: Sequence[str], answers: Sequence[bool], signs_of: Callable[[str, Reading], Sequence[Sign]]
) -> Rows:
    """Everything that a model is told of these posts; of signs of one name the last counts."""
    readings = [read(text) for text in texts]
    found = [
        {sign.name: sign.value for sign in signs_of(text, reading)}
        for text, reading in zip(texts, readings, strict=True)
    ]
    names = tuple(sorted({name for signs in found for name in signs}))
    encoder = load_encoder()
    vectors = [
        rounded(encoder.encode([reading.text for reading in readings[at : at + BATCH]]))
        for at in range(0, len(readings), BATCH)
    ]
    return Rows(
        names,
        np.array([[signs.get(name, 0.0) for name in names] for signs in found]),
        np.concatenate(vectors).astype(np.float64),
        np.array(answers, dtype=np.bool_),
    )


def fit(data: Rows, some: Index, weights: Floats, choice: Choice) -> dict[str, Any]:
    """The fields of a LinearModel, less its threshold, fitted on some rows; ``weights`` has one a row."""
    middle = data.vectors.mean(axis=0)
    seen = np.hstack([data.signs[some], choice.stretch * (data.vectors[some] - middle)])
    machine = LogisticRegression(C=choice.strictness, max_iter=1_000)
    machine.fit(seen, data.answers[some], sample_weight=weights[some])
    own = machine.coef_[0][: len(data.names)]
    direction = np.round(choice.stretch * machine.coef_[0][len(data.names) :], 5)
    return {
        "weights": {name: round(float(weight), 4) for name, weight in zip(data.names, own, strict=True)},
        "bias": round(float(machine.intercept_[0]), 4),
        "direction": direction.tolist(),
        "middle": round(float(middle @ direction), 5),
    }


def chances(model: dict[str, Any], data: Rows, some: Index) -> Floats:
    """What a fitted model says of rows, as LinearModel does."""
    own = np.array([model["weights"][name] for name in data.names])
    odds = data.signs[some] @ own + data.vectors[some] @ np.array(model["direction"])
    said: Floats = 1 / (1 + np.exp(-(odds + model["bias"] - model["middle"])))
    return said


def score(answers: NDArray[np.bool_], said: NDArray[np.bool_]) -> Score:
    """How right a yes is, and how many are found."""
    both = float((answers & said).sum())
    return Score(both / max(float(said.sum()), 1.0), both / max(float(answers.sum()), 1.0))


def thresholds() -> Iterator[float]:
    """Those that are tried."""
    return (round(float(value), 2) for value in np.arange(0.2, 0.9, 0.02))


def best_threshold(answers: NDArray[np.bool_], said: Floats) -> tuple[float, float]:
    """The middle of the five neighbouring thresholds with the best F1, and that mean F1."""
    tried = list(thresholds())
    f1 = np.array([score(answers, said >= value).f1 for value in tried])
    smooth = np.convolve(f1, np.ones(5) / 5, "valid")
    best = int(smooth.argmax())
    return tried[best + 2], float(smooth[best])
