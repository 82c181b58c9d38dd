"""Questions: a table that can grow."""

from __future__ import annotations

import pytest

from analysis.components.normalise import Normaliser, vocabulary
from analysis.components.question import settings, signs
from analysis.pipeline import build
from archive.vocabulary import Meeting

QUESTIONS = [
    ("When will the data be published?", "question mark"),
    ("Why is there no budget for this", "question word"),
    ("Anyone know where the stream is", "question word"),
    ("wondering if this works for small towns", "question word"),
    ("¿Cuándo se publican los datos?", "question mark"),
    ("Por qué no hay presupuesto", "question word"),
    ("Est-ce que les données sont ouvertes", "question word"),
    ("Qué significa abierto para una ciudad", "question word"),
    ("Great talk! Cómo se paga esto", "question word"),
    ("Combien de villes participent ?", "question mark"),
    ("متى تنشر البيانات؟", "question mark"),
    ("The speaker did not say what it costs #q4s", "convention"),
    ("#ask about the costs", "convention"),
    ("Q: the costs of this", "convention"),
    ("Please share the slides. Who wrote them?", "question mark"),
    ("Is this ok?? See https://example.org", "question mark"),
]
OTHERS = [
    "See https://example.org/?page=2",
    "Can you share the slides?",
    "Could you please repeat that?",
    "¿Pueden compartir las láminas?",
    "Pouvez-vous partager les diapositives ?",
    "Please send the link?",
    "What a great talk!",
    "¡Qué día! Muchas ideas",
    "Qué mal que no haya wifi",
    "¡Cómo han cambiado las cosas!",
    "how nice",
    "Thanks to everybody who came",
    "We asked a lot #asked",
    "",
]


@pytest.mark.parametrize(("post", "rule"), QUESTIONS)
def test_a_question_is_found_with_what_shows_it(post: str, rule: str) -> None:
    fired = signs(Normaliser(vocabulary())(post))
    assert fired[0]["rule"] == rule
    assert post[fired[0]["start"] : fired[0]["end"]] == fired[0]["text"] != ""


@pytest.mark.parametrize("post", OTHERS)
def test_what_is_no_question(post: str) -> None:
    assert signs(Normaliser(vocabulary())(post)) == []


def test_the_tag_says_yes_or_no(meeting: Meeting) -> None:
    nlp = build(meeting)
    finder = nlp.get_pipe("question")
    (yes,), (no,) = finder.tags(nlp("Who pays?")), finder.tags(nlp("We pay."))
    assert (yes.label, no.label, no.evidence) == ("yes", "no", None)
    assert yes.evidence["fired"][0]["text"] == "?"
    assert settings(meeting) == {}
