"""The question component: conventions, evidence, and whom it asks."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from analysis.components.normalise import Normaliser, vocabulary
from analysis.components.question import NAME, settings
from archive.vocabulary import Meeting

THEME = SimpleNamespace(slug="open-data", score=0.9)


@pytest.fixture(scope="module")
def nlp() -> Language:
    found = spacy.blank("xx", vocab=vocabulary())
    found.tokenizer = Normaliser(found.vocab)
    found.add_pipe(NAME)
    return found


def judged(nlp: Language, post: str, **left: object) -> Doc:
    doc = nlp.make_doc(post)
    for name, value in left.items():
        setattr(doc._, name, value)
    return nlp(doc)


@pytest.mark.parametrize(
    "post",
    [
        "When will the data be published?",
        "anyone know what it costs",
        "wondering if this works for small towns",
        "¿Cuándo se publican los datos?",
        "Est-ce que les données sont ouvertes",
        "Combien de villes participent ?",
        "متى تنشر البيانات؟",
    ],
)
def test_a_question_is_found_with_what_shows_it(nlp: Language, post: str) -> None:
    doc = judged(nlp, post)
    (tag,) = nlp.get_pipe(NAME).tags(doc)
    assert (tag.label, doc._.question, doc._.asked) == ("yes", True, False)
    assert tag.score == tag.evidence["probability"] > 0.35
    first = next(fired for fired in tag.evidence["fired"] if "text" in fired)
    assert post[first["start"] : first["end"]] == first["text"] != ""


@pytest.mark.parametrize(
    ("post", "shown"),
    [
        ("The speaker did not say what it costs #q4s", "#q4s"),
        ("#ask about the costs", "#ask"),
        ("Q: the costs of this", "Q:"),
        ("@chair Q2: the costs of this", "Q2:"),
        ("P: los costos", "P:"),
        ("Pregunta: los costos", "Pregunta:"),
        ("Question : les coûts", "Question :"),
        ("Question for Dr Olsvik: the costs of this", "Question for Dr Olsvik:"),
        ("RT @chair: Pregunta para la mesa: los costos", "Pregunta para la mesa:"),
        ("Question aux ministres : les coûts", "Question aux ministres :"),
        ("Frage an das Podium: die Kosten", "Frage an das Podium:"),
        ("Can you share the slides? #q4s", "#q4s"),
    ],
)
def test_conventions_count_by_themselves(nlp: Language, post: str, shown: str) -> None:
    doc = judged(nlp, post)
    (tag,) = nlp.get_pipe(NAME).tags(doc)
    assert (tag.label, tag.score, doc._.asked, doc._.to_chair) == ("yes", 1.0, True, True)
    fired = tag.evidence["fired"][0]
    assert (fired["rule"], fired["text"]) == ("convention", shown)
    assert post[fired["start"] : fired["end"]] == shown


@pytest.mark.parametrize(
    "post",
    [
        "D: no",
        "We asked a lot #asked",
        "a&#ask",
        "The answer: P: five",
        "IQ: high",
        "Question for all of us is who pays, see the slides",
        "@a" * 4_000,  # no pattern may try these in every way
        "# " * 4_000,
    ],
)
def test_what_is_no_convention(nlp: Language, post: str) -> None:
    assert not judged(nlp, post)._.asked


def test_what_came_in_by_the_question_channel_asks(nlp: Language) -> None:
    doc = judged(nlp, "the costs of this", asked=True)
    (tag,) = nlp.get_pipe(NAME).tags(doc)
    assert (tag.label, doc._.to_chair) == ("yes", True)
    assert tag.evidence["fired"][0] == {"rule": "asked in the Q&A channel"}


@pytest.mark.parametrize(
    "post",
    [
        "See https://example.org/?page=2",
        "Can you share the slides?",
        "¿Pueden compartir las láminas?",
        "Pouvez-vous partager les diapositives ?",
        "What a great talk!",
        "¡Cómo han cambiado las cosas!",
        "how nice",
        "Thanks to everybody who came",
        "",
    ],
)
def test_what_is_no_question(nlp: Language, post: str) -> None:
    doc = judged(nlp, post)
    (tag,) = nlp.get_pipe(NAME).tags(doc)
    assert (tag.label, doc._.question, doc._.to_chair) == ("no", False, False)


def test_a_request_says_why_it_is_none(nlp: Language) -> None:
    (tag,) = nlp.get_pipe(NAME).tags(judged(nlp, "Can you share the slides?"))
    request = next(fired for fired in tag.evidence["fired"] if fired["rule"] == "request")
    assert request["weight"] < 0
    assert request["text"] == "Can you share"


def test_a_plain_statement_needs_no_reasons(nlp: Language) -> None:
    (tag,) = nlp.get_pipe(NAME).tags(judged(nlp, "We pay."))
    assert tag.evidence is None


def test_the_chair_is_asked_about_the_matter_only(nlp: Language) -> None:
    post = "Who pays for it?"
    assert not judged(nlp, post, themes=[])._.to_chair
    assert judged(nlp, post, themes=[THEME])._.to_chair
    assert not judged(nlp, post, themes=[THEME], logistics=True)._.to_chair
    assert not judged(nlp, "We pay for it.", themes=[THEME])._.to_chair


def test_a_vector_is_heard(nlp: Language) -> None:
    def chance(vector: object) -> float:
        (tag,) = nlp.get_pipe(NAME).tags(judged(nlp, "Who pays for it?", vector=vector))
        return float(tag.evidence["probability"])

    direction = nlp.get_pipe(NAME).model.direction
    towards = (direction / np.linalg.norm(direction)).astype(np.float32)
    assert chance(towards) > chance(None) > chance(-towards)


def test_nothing_depends_on_the_meeting(meeting: Meeting) -> None:
    assert settings(meeting) == {}
