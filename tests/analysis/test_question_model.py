"""The signs of a question: a table that can grow, and the shipped model on sentences it never saw."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from analysis import encoder
from analysis.question_model import kind_of_question, load, signs, signs_of_post
from analysis.sentiment_model import ModelError
from analysis.texts import read

SENTENCES = Path(__file__).parents[1] / "behaviour" / "meeting_sentences.toml"


def names(post: str) -> set[str]:
    return {sign.name for sign in signs_of_post(post, read(post))}


@pytest.mark.parametrize(
    ("post", "sign"),
    [
        ("Who pays?", "opens with a question word"),
        ("So, who is it?", "question word and verb"),
        ("متى ينشر التقرير؟", "opens with a question word"),
        ("価格は？", "question mark"),
        ("Is it open?", "opens with a verb"),
        ("¿Alguien sabe algo?", "opens with a verb"),
        ("La loi est-elle en vigueur ?", "question word inside"),
        ("Good talk. Who paid?", "sentences before"),
        ("What?! Who??", "several marks"),
        ("What??", "repeated mark"),
        ("Who pays? We do.", "words after the mark"),
        ("Can you share the slides?", "request"),
        ("Pouvez-vous monter le son ?", "request"),
        ("More figures, please?", "request"),
        ("Now: «Who pays?»", "quoted"),
        ("Really? Another pilot?", "rhetorical"),
        ("¿Quién lo diría? Funciona.", "rhetorical"),
        ("Nice, isn't it?", "tag"),
        ("I wonder whether it works", "indirect question"),
        ("Me pregunto si funciona", "indirect question"),
        ("Question for the panel: the costs", "label"),
        ("why is it so slow", "no mark: question word and verb"),
        ("anyone has figures", "no mark: verb first"),
        ("is the law in force", "no mark: verb and noun"),
        ("por qué tan lento", "no mark: question word"),
        ("Thanks. does anyone know", "no mark: not the first sentence"),
        ("do you know", "no mark: addressed"),
        ("We pay.", "no mark"),
    ],
)
def test_what_shows_a_question(post: str, sign: str) -> None:
    assert sign in names(post)


@pytest.mark.parametrize(
    ("post", "sign"),
    [
        ("See https://example.org/?page=2", "question mark"),
        ("Can you tell us when it ends?", "request"),
        ("Really?", "rhetorical"),
        ("Seriously? Who pays for it?", "rhetorical"),
        ("What a day!", "no mark: question word and verb"),
        ("can you share the slides", "no mark: verb first"),
        ("@ana is the best", "no mark: verb and noun"),
        ("#okfest is the best", "no mark: verb and noun"),
    ],
)
def test_what_shows_none(post: str, sign: str) -> None:
    assert sign not in names(post)


@pytest.mark.parametrize(
    "changed",
    [
        "Who pays for it? https://example.org/?a=b",
        "RT @ana: Who pays for it?",
        "@ana Who pays for it?",
        "Who pays for it? #opendata #q",
        "Who pays for it? #opendata https://example.org @ana",
        "WHO PAYS FOR IT?",
        "who pays for it?",
    ],
)
def test_what_stands_around_a_question_changes_nothing(changed: str) -> None:
    plain = {(sign.name, sign.value) for sign in signs("Who pays for it?")}
    assert {(sign.name, sign.value) for sign in signs_of_post(changed, read(changed))} == plain


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Good. Who pays?", "who"),
        ("¿Cuántos son?", "how many"),
        ("Combien de villes ?", "how many"),
        ("Is it open?", "yes or no"),
        ("Warum nicht gleich?", "why"),
        ("By what is it measured?", None),
        ("", None),
    ],
)
def test_what_a_question_asks_for(text: str, kind: str | None) -> None:
    assert kind_of_question(text) == kind


@pytest.mark.parametrize(
    "post",
    [
        *("", "?", "\ud800\x00?", "😀" * 500, "? " * 5_000, "?!" * 5_000, "-" * 9_000, "a'" * 5_000 + "?"),
        *("#a " * 3_000, "what is " * 1_200, "\n" * 9_000, "né? " * 2_000, "no, " * 2_500),
        "\u202e¿\u0301" * 2_000 + "؟",
    ],
)
def test_any_text_has_signs_that_stand_in_it(post: str) -> None:
    reading = read(post)
    for sign in signs_of_post(post, reading):
        assert 0 <= sign.start <= sign.end <= len(reading.text)
        assert 0 <= sign.value <= 5


def test_the_shipped_model_tells_questions_in_seven_languages() -> None:
    said = [
        (text, language, group["question"])
        for group in tomllib.loads(SENTENCES.read_text(encoding="utf-8"))["said"]
        for language in ("en", "es", "fr", "de", "it", "pt", "ar")
        for text in group[language]
    ]
    model = load()
    vectors = encoder.rounded(encoder.load().encode([read(text).text for text, _, _ in said]))
    for code in ("en", "es", "fr", "de", "it", "pt", "ar"):
        right = [
            (model.chance(signs_of_post(text, read(text)), vector) >= model.threshold) == asks
            for (text, language, asks), vector in zip(said, vectors, strict=True)
            if language == code
        ]
        assert np.mean(right) >= 0.9, code


def test_without_a_vector_the_signs_decide() -> None:
    model = load()
    assert model.chance(signs("When is the report published?"), None) > model.threshold
    assert model.chance(signs("The report is published."), None) < model.threshold


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="question model is missing"):
        load(tmp_path / "none.json")
