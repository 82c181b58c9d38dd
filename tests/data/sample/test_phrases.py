"""Phrases: choices and slots, contractions, and that every line of every language can be filled in."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from data.sample import phrases

SLOTS = {"speaker": "Ana", "session": "the opening", "claim": "Words"}
TOPICS = [
    (language, topic, mood)
    for language in phrases.LANGUAGES
    for topic, moods in phrases.load(language).items()
    if topic != "countries"
    for mood in moods
]


def test_choices_are_made_and_slots_filled() -> None:
    texts = {phrases.fill(Random(seed), "[so|very] {n} [good|]", {"n": "3"}) for seed in range(20)}
    assert texts == {"So 3 good", "Very 3 good", "So 3", "Very 3"}


@pytest.mark.parametrize(
    "text, expected",
    [("notas de el panel", "Notas del panel"), ("notes de le panel", "Notes du panel")],
)
def test_articles_are_contracted(text: str, expected: str) -> None:
    assert phrases.fill(Random(1), text, {}) == expected


def filled(language: str, topic: str, mood: str) -> Iterator[phrases.Line]:
    for seed in range(12):
        line = phrases.say(Random(seed), language, topic, mood, SLOTS)
        assert line is not None
        yield line


@pytest.mark.parametrize("language, topic, mood", TOPICS)
def test_every_line_can_be_said(language: str, topic: str, mood: str) -> None:
    for line in filled(language, topic, mood):
        assert line.text and not set("[]{}|") & set(line.text)
        assert line.sentiment == (mood if mood in phrases.SENTIMENTS else "neutral")
        assert line.question == (mood == "question") and line.link == (mood == "link")


def test_what_a_language_lacks_is_none() -> None:
    assert phrases.say(Random(1), "en", "reply", "link", SLOTS) is None


def test_countries_are_the_same_in_each_language() -> None:
    assert {len(phrases.load(language)["countries"]) for language in phrases.LANGUAGES} == {20}
