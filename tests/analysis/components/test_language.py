"""Language: closed to the meeting's, and unknown where nothing can be said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import spacy

from analysis.components.language import LanguageFinder, settings
from analysis.components.normalise import Normaliser, vocabulary
from archive.vocabulary import Meeting


@pytest.fixture(scope="module")
def nlp() -> spacy.language.Language:
    blank = spacy.blank("xx", vocab=vocabulary())
    blank.tokenizer = Normaliser(blank.vocab)
    blank.add_pipe("language", config={"languages": ["en", "es", "fr"]})
    return blank


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
def test_the_language_of_a_post(nlp: spacy.language.Language, post: str, code: str | None) -> None:
    doc = nlp(post)
    assert doc._.language == code
    tag = nlp.get_pipe("language").tags(doc)[0]
    assert tag.label == (code or "unknown")
    assert (tag.score is None) or 0.3 <= tag.score <= 1


def test_a_language_given_beforehand_is_kept(nlp: spacy.language.Language) -> None:
    doc = nlp.make_doc("The minister answers questions")
    doc._.language = "fr"
    assert nlp(doc)._.language == "fr"


def test_no_language_that_we_know_means_unknown(nlp: spacy.language.Language) -> None:
    assert LanguageFinder(nlp, "language", ["nah"]).find("The minister answers") == (None, None)


def test_the_languages_come_from_the_meeting(meeting: Meeting) -> None:
    assert settings(meeting) == {"languages": ["en", "es", "fr"]}


@pytest.mark.real_data
def test_posts_of_three_languages_are_told_apart(test_data: Path, nlp: spacy.language.Language) -> None:
    labelled = (test_data / "labelled" / "sentiment_val.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in labelled.split("\n") if '"umsab-' in line]
    seen = {code: [0, 0] for code in ("en", "es", "fr")}
    for row in rows:
        if row["lang"] in seen:
            counts = seen[row["lang"]]
            counts[0] += nlp(row["text"].replace("http", " "))._.language == row["lang"]
            counts[1] += 1
    assert all(right / n >= 0.97 for right, n in seen.values()), seen
