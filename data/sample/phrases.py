"""The phrases of the sample and how they are filled in.

``[a|b|]`` in a template is a choice, ``{slot}`` a value of that name.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

LANGUAGES = ("en", "es", "fr")
SENTIMENTS = ("positive", "neutral", "negative")
THEMES = ("defragment", "agility", "open-data")
CITIES = (
    *("Oslo", "Lyon", "Bogotá", "Santiago", "Seoul", "Madrid", "Ottawa", "Lisboa", "Tallinn", "Dublin"),
    *("Puebla", "Monterrey", "Guadalajara", "Mérida", "Oaxaca", "Bruxelles", "Lima", "Helsinki", "Kyoto"),
    *("Valencia", "Medellín", "Toulouse", "Porto", "Leeds", "Torino", "Utrecht", "Recife", "Québec"),
)
_CONTRACTIONS = ((" de el ", " del "), (" a el ", " al "), (" de le ", " du "), (" à le ", " au "))
_CHOICE = re.compile(r"\[([^\[\]]*\|[^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_FOLDER = Path(__file__).parent / "phrases"


@dataclass(frozen=True, slots=True)
class Line:
    """A finished sentence with what it was written to express."""

    text: str
    sentiment: str
    question: bool = False
    link: bool = False
    template: str = ""


@cache
def load(name: str) -> Mapping[str, Any]:
    """A file of phrases: a language code, or ``agenda``."""
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def say(rng: Random, language: str, topic: str, mood: str, slots: Mapping[str, str]) -> Line | None:
    """A line of a topic in a mood (a sentiment, ``question``, ``link``, ``reply``, ``thread``).

    None where that language has no such lines.
    """
    templates = load(language)[topic].get(mood)
    if not templates:
        return None
    template = rng.choice(templates)
    text = fill(rng, template, {**_fillers(rng, language), **slots})
    sentiment = mood if mood in SENTIMENTS else "neutral"
    return Line(text, sentiment, mood == "question", mood == "link", template)


def fill(rng: Random, template: str, slots: Mapping[str, str]) -> str:
    """The template with a choice made at every bracket and every slot filled in."""
    chosen = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)
    text = _SLOT.sub(lambda match: slots[match[1]], chosen).strip()
    for apart, together in _CONTRACTIONS:
        text = text.replace(apart, together)
    return text[0].upper() + text[1:]


def _fillers(rng: Random, language: str) -> dict[str, str]:
    countries = rng.sample(load(language)["countries"], 2)
    small = rng.randrange(3, 19)
    return {
        "country": countries[0],
        "country2": countries[1],
        "city": rng.choice(CITIES),
        "n": str(small),
        "n2": str(small + rng.randrange(2, 30)),
    }
