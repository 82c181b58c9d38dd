"""Small yes-or-no models: a weight for each sign that is found in a post, and for what its vector says.

Logistic regression in one readable JSON file. Questions and logistics are told apart by one each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.sentiment_model import ModelError
from analysis.texts import Reading

Vector = NDArray[np.float32]

FORMAT = 1
LONGEST_SHOWN = 100  # characters: what is seen in the whole post is not shown as a place in it
FARTHEST = 30.0  # log-odds beyond it are no surer


class Sign(NamedTuple):
    """Something that speaks for or against, and the half-open stretch of the text that shows it."""

    name: str
    value: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class LinearModel:
    """``direction`` is (512,): the weights of a post's vector, less ``middle``, what a usual one gives."""

    weights: Mapping[str, float]
    bias: float
    direction: NDArray[np.float64]
    middle: float
    threshold: float
    version: str

    def chance(self, signs: Iterable[Sign], vector: Vector | None) -> float:
        """The probability of yes. Without a vector the signs decide alone."""
        odds = self.bias + sum(self.weight(sign) for sign in signs)
        if vector is not None:
            odds += float(self.direction @ vector) - self.middle
        return 1 / (1 + exp(-max(-FARTHEST, min(FARTHEST, odds))))

    def weight(self, sign: Sign) -> float:
        """What a sign adds to the log-odds; 0 for one that was never seen in training."""
        return self.weights.get(sign.name, 0.0) * sign.value


def load(path: Path, what: str) -> LinearModel:
    """Read a model file; ``what`` names it in messages. Raises ModelError, which says what to do."""
    try:
        content = path.read_bytes()
        told = json.loads(content)
        if told["format"] != FORMAT:
            raise ModelError(f"{path.name}: the {what} model belongs to another version of this program")
        model = LinearModel(
            weights={str(name): float(weight) for name, weight in told["weights"].items()},
            bias=float(told["bias"]),
            direction=np.array(told["direction"], dtype=np.float64),
            middle=float(told["middle"]),
            threshold=float(told["threshold"]),
            version=hashlib.sha256(content).hexdigest()[:8],
        )
    except FileNotFoundError as error:
        raise ModelError(f"{path.name}: the {what} model is missing; `make train` rebuilds it") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path.name}: the {what} model is damaged ({error})") from error
    if model.direction.shape != (512,):
        raise ModelError(f"{path.name}: the {what} model is damaged (a direction of another length)")
    return model


def save(path: Path, model: Mapping[str, Any]) -> None:
    """Write a model file: the fields of LinearModel but for ``version``, as JSON values."""
    ordered = {"format": FORMAT, **model, "weights": dict(sorted(model["weights"].items()))}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in ordered.items())
    path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def told(model: LinearModel, signs: Iterable[Sign], post: str, reading: Reading) -> list[dict[str, Any]]:
    """Signs as evidence, the weightiest first: ``rule``, ``weight``, and its place in the post's own text."""
    shown = [(sign, round(model.weight(sign), 3)) for sign in signs]
    return [
        {"rule": sign.name, "weight": weight, **_span(sign, post, reading)}
        for sign, weight in sorted(shown, key=lambda pair: -abs(pair[1]))
        if weight
    ]


def _span(sign: Sign, post: str, reading: Reading) -> dict[str, Any]:
    if not 0 < sign.end - sign.start <= LONGEST_SHOWN:
        return {}
    start, end = reading.original(sign.start, sign.end)
    return {"start": start, "end": end, "text": post[start:end]}
