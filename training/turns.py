"""Made-up opinions for training: turns of speech and signs that tweets have too seldom to learn them from."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.sentiment_model import LABELS
from training.labelled import Labelled

FRAMES = Path(__file__).parent / "sentences" / "turns.toml"
THINGS = 5  # that each frame is filled with


def turns(things: int = THINGS) -> Labelled:
    """The frames of all languages, each filled with so many things; the same every time."""
    frames = tomllib.loads(FRAMES.read_text(encoding="utf-8"))
    signs = {label: itertools.cycle(those) for label, those in frames.pop("signs").items()}
    rows = []
    for language, said in frames.items():
        for label in LABELS:
            for number, frame in enumerate(said[label]):
                for filled in range(things if "{" in frame else 1):
                    thing = said["x"][(number * things + filled) % len(said["x"])]
                    sign = next(signs[label]) if "{i}" in frame else ""
                    text = frame.format(x=thing, i=sign)
                    rows.append((f"turn-{language}-{label}-{number}-{filled}", language, label, text))
    ids, languages, labels, texts = zip(*rows, strict=True)
    return Labelled(list(ids), np.array(languages), np.array(labels), list(texts))


def is_made_up(posts: Labelled) -> NDArray[np.bool_]:
    """Those of some posts that are turns."""
    return np.array([name.startswith("turn-") for name in posts.ids])
