"""Language: closed to the meeting's, and unknown where nothing can be said."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from spacy.language import Language

from analysis.components.language import NAME, settings
from analysis.components.normalise import Normaliser, vocabulary
from analysis.language_model import LANGUAGES
from archive.vocabulary import Meeting


@cache
def pipeline(*languages: str) -> Language:
    """A pipeline that finds the language and nothing else."""
    blank = spacy.blank("xx", vocab=vocabulary())
    blank.tokenizer = Normaliser(blank.vocab)
    blank.add_pipe(NAME, config={"languages": list(languages)})
    return blank


@pytest.fixture(scope="module")
def nlp() -> Language:
    return pipeline("en", "es", "fr")


@pytest.mark.parametrize(
    ("post", "code"),
    [
        ("The minister answers questions about the new budget", "en"),
        ("La ministra responde preguntas sobre el presupuesto", "es"),
        ("La ministre répond aux questions sur le budget", "fr"),
        ("@bc_ana https://example.org/la-vie-est-belle The room is full", "en"),
        ("", None),
        ("ok", None),
        ("🎉🎉🎉 !!!", None),
        ("https://example.org/a", None),
        ("Это предложение написано по-русски", None),
        ("この文章は日本語で書かれています", None),
    ],
)
def test_the_language_of_a_post(nlp: Language, post: str, code: str | None) -> None:
    doc = nlp(post)
    assert doc._.language == code
    tag = nlp.get_pipe("language").tags(doc)[0]
    assert tag.label == (code or "unknown")
    assert (tag.score is None) or 0.3 <= tag.score <= 1


def test_a_language_given_beforehand_is_kept(nlp: Language) -> None:
    doc = nlp.make_doc("The minister answers questions")
    doc._.language = "fr"
    assert nlp(doc)._.language == "fr"


@pytest.mark.parametrize(
    ("post", "code"),
    [
        ("The budget was approved", "en"),
        ("Se aprobó el presupuesto", "es"),
        ("Le budget est adopté", "fr"),
        ("Der Haushalt ist beschlossen", "de"),
        ("Il bilancio è approvato", "it"),
        ("O orçamento foi aprovado", "pt"),
        ("تمت الموافقة على الميزانية", "ar"),
        ("muchas gracias #OpenGovernment #BestDayEver", "es"),
        ("merci beaucoup @bc_john_smith", "fr"),
        ("danke euch!! #FollowFriday", "de"),
        ("SE APROBÓ EL PRESUPUESTO", "es"),
        ("予算が承認されました", "ja"),
        ("Бюджет утверждён", "ru"),
        ("De begroting is goedgekeurd en we zijn er blij mee", "nl"),
    ],
)
def test_short_posts_in_a_meeting_of_ten_languages(post: str, code: str) -> None:
    assert pipeline("ar", "de", "en", "es", "fr", "it", "ja", "nl", "pt", "ru")(post)._.language == code


@pytest.mark.parametrize(
    ("post", "code"),
    [
        ("#ElPresupuestoDeLaCiudadEsPublico", "es"),
        ("#OpenGovernment #BestDayEver", "en"),
        ("#GouvernementOuvert", "fr"),
        ("ok #DatosAbiertos", "es"),
        ("#asambleaRibera #flood2026 #t1 #t2", None),
        ("#abc #def #ghi", None),
        ("#ClimateChange", None),
        (" ".join(f"#tag{n}" for n in range(10_000)), None),
    ],
)
@pytest.mark.parametrize("languages", [("en", "es", "fr"), LANGUAGES])
def test_hashtags_alone_speak_where_they_do_so_clearly(
    languages: tuple[str, ...], post: str, code: str | None
) -> None:
    if post != "ok #DatosAbiertos" or len(languages) == 3:
        assert pipeline(*languages)(post)._.language == code


def test_hashtags_alone_speak_where_there_is_one_language_only() -> None:
    one = pipeline("es")
    assert one("#ElPresupuestoDeLaCiudadEsPublico")._.language == "es"
    assert one("#Transparenz #oecd")._.language is None


def test_no_language_that_we_know_means_unknown() -> None:
    assert pipeline("nah")("The minister answers questions")._.language is None
    assert pipeline("nah", "en")("The minister answers questions")._.language == "en"


@hypothesis(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=60) | st.just("la casa de todos"), max_size=5))
def test_alone_or_in_a_batch(posts: list[str]) -> None:
    pipe = pipeline("de", "en", "es")
    alone = [(doc._.language, doc._.language_score) for doc in map(pipe, posts)]
    together = [(doc._.language, doc._.language_score) for doc in pipe.pipe(posts)]
    assert together == alone


def test_the_languages_come_from_the_meeting(meeting: Meeting) -> None:
    assert settings(meeting) == {"languages": ["en", "es", "fr"]}


@pytest.mark.real_data
def test_posts_of_seven_languages_are_told_apart(test_data: Path) -> None:
    labelled = (test_data / "labelled" / "sentiment_val.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in labelled.split("\n") if '"umsab-' in line]
    rows = [row for row in rows if row["lang"] in LANGUAGES]
    docs = list(pipeline(*LANGUAGES).pipe(row["text"].replace("http", " ") for row in rows))
    right = [doc._.language == row["lang"] for doc, row in zip(docs, rows, strict=True)]
    lengths = [len(" ".join(doc._.reading.text.split())) for doc in docs]
    short = [good for good, length in zip(right, lengths, strict=True) if length < 40]
    assert sum(right) / len(right) >= 0.985
    assert sum(short) / len(short) >= 0.95
