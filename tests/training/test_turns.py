"""The made-up turns of speech."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from analysis.sentiment_model import LABELS
from training.turns import FRAMES, THINGS, is_made_up, turns

BEHAVIOUR = Path(__file__).parents[1] / "behaviour"
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "ar")


def test_every_language_has_every_label_and_the_turns_are_the_same_every_time() -> None:
    made_up = turns()
    assert made_up.texts == turns().texts
    counts = Counter(zip(made_up.languages.tolist(), made_up.labels.tolist(), strict=True))
    assert {language for language, _ in counts} == set(LANGUAGES)
    assert all(counts[language, label] >= 30 for language in LANGUAGES for label in LABELS)
    assert len(set(made_up.ids)) == len(made_up.ids)
    assert not any("{" in text for text in made_up.texts)


def test_a_frame_meets_several_things_and_signs_of_its_own_label() -> None:
    made_up = turns()
    filled = [text for name, text in zip(made_up.ids, made_up.texts, strict=True) if "en-positive-0-" in name]
    assert len(set(filled)) == THINGS
    thumbs = ["👎" in text for text in made_up.texts]
    assert set(made_up.labels[thumbs].tolist()) == {"negative"}


def test_every_thing_is_named() -> None:
    made_up = turns()
    for language, said in tomllib.loads(FRAMES.read_text(encoding="utf-8")).items():
        texts = [text for text, of in zip(made_up.texts, made_up.languages, strict=True) if of == language]
        assert all(any(thing in text for text in texts) for thing in said.get("x", ()))


def test_made_up_sentences_are_told_from_posts() -> None:
    assert is_made_up(turns()).all()
    assert not is_made_up(turns().part(np.zeros(len(turns().ids), bool))).any()


@pytest.mark.parametrize("table", sorted(path.stem for path in BEHAVIOUR.glob("*.toml")))
def test_no_sentence_of_the_tests_is_made_up(table: str) -> None:
    read = tomllib.loads((BEHAVIOUR / f"{table}.toml").read_text(encoding="utf-8"))
    held_out = {plain(text) for text in strings(read)}
    assert held_out.isdisjoint(plain(text) for text in turns().texts if len(plain(text)) > 3)


def plain(text: str) -> str:
    """The words of a text, without case and signs."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def strings(value: object) -> list[str]:
    """All texts in a table."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    return [text for one in value for text in strings(one)] if isinstance(value, list) else []
