"""Names are found by their capitals, taken out of texts, and hidden in vectors."""

from __future__ import annotations

import numpy as np

from training import names

TEXTS = [
    "Today Marta spoke about Brazil on Monday",
    "we thank Marta and brazil. Good night",
    "I saw Marta today (Good)",
    "EVERYBODY SHOUTS MARTA GOOD",
    "gut dass Haus und Haus",
    "Good day",
    "so Good",
]
LANGUAGES = ["en", "en", "en", "en", "de", "en", "en"]


def test_names_are_what_has_a_capital_without_need() -> None:
    assert names.names_of(TEXTS, LANGUAGES) == {"marta"}


def test_days_and_what_is_said_once_are_no_names() -> None:
    assert names.names_of(["on Monday", "a Monday", "a Tibor"], ["en"] * 3) == frozenset()


def test_texts_without_names() -> None:
    assert names.without(["Marta: thank you MARTA!", "Marta's"], frozenset({"marta"})) == [
        ": thank you !",
        "Marta's",
    ]


def test_the_commonest_names_are_tried_in_every_sentence() -> None:
    tried = names.sentences(frozenset({"marta"}), ["thank you Marta"])
    assert len(tried) == len(names.SENTENCES)
    assert tried[0][-1] == "marta speaks about the ports"
    assert "Olivia Smith speaks about the ports" in tried[0]
    assert len({len(some) for some in tried}) == 1


def test_what_tells_names_apart_becomes_small_and_the_rest_stays() -> None:
    vectors = np.zeros((2, 4, 3), dtype=np.float32)
    vectors[:, :, 0] = [0.5, -0.5, 0.3, -0.3]  # by name
    vectors[1, :, 1] = 1.0  # by sentence
    blind = names.blinder(vectors)
    assert np.linalg.norm(np.array([1, 0, 0]) @ blind) < 0.05
    np.testing.assert_allclose(np.array([0, 1, 0]) @ blind, [0, 1, 0], atol=1e-6)
