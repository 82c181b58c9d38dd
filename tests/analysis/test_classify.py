"""One line out for each line in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language

from analysis import classify as module
from analysis.classify import classify
from analysis.pipeline import BATCH, build, tag_texts
from archive.vocabulary import Meeting


@pytest.fixture
def nlp(meeting: Meeting) -> Language:
    return build(meeting)


def test_a_line_gets_all_that_is_promised(nlp: Language, meeting: Meeting) -> None:
    line = json.dumps({"id": "a", "text": "I love open data, when do we start?"})
    (answer,) = (json.loads(out) for out in classify(nlp, meeting, [line]))
    assert list(answer) == [
        "id",
        "language",
        "sentiment",
        "sentiment_score",
        "sure",
        "themes",
        "theme_scores",
        "question",
    ]
    assert answer["id"] == "a"
    assert answer["language"] == "en"
    assert answer["sentiment"] == "positive"
    assert 1 / 3 <= answer["sentiment_score"] <= 1
    assert answer["themes"] == ["open-data"]
    scores = answer["theme_scores"]
    assert list(scores) == ["open-data", "agility", "defragment"]
    assert scores["open-data"] > 0.5 > max(scores["agility"], scores["defragment"])
    assert answer["question"] is True


def test_lang_overrides_detection(nlp: Language, meeting: Meeting) -> None:
    line = json.dumps({"id": 1, "text": "hello out there, everybody", "lang": "fr"})
    assert json.loads(next(classify(nlp, meeting, [line])))["language"] == "fr"


@pytest.mark.parametrize(
    ("lang", "language"), [("EN", "en"), ("en-GB", "en"), ("FR-ca", "fr"), ("kab", "kab")]
)
def test_a_code_counts_without_case_and_region(
    nlp: Language, meeting: Meeting, lang: str, language: str
) -> None:
    text = "I love open data, this is great"
    lines = [json.dumps({"id": 1, "text": text, "lang": code}) for code in (lang, language)]
    answer, plain = (json.loads(out) for out in classify(nlp, meeting, lines))
    assert answer == plain
    assert answer["language"] == language


@pytest.mark.parametrize("lang", [None, "unknown", "Unknown", "und"])
def test_a_language_that_is_not_known_is_found(nlp: Language, meeting: Meeting, lang: str | None) -> None:
    line = {"id": 1, "text": "hello out there, everybody"}
    lines = [json.dumps(line), json.dumps({**line, "lang": lang})]
    plain, answer = (json.loads(out) for out in classify(nlp, meeting, lines))
    assert answer == plain
    assert answer["language"] == "en"


BAD = [
    ("", None),
    ("nonsense", None),
    ("[1]", None),
    (b"\xff\xfe{}", None),
    ("[" * 100_000, None),
    ('{"text": "no id"}', None),
    ('{"id": true, "text": "x"}', None),
    ('{"id": NaN, "text": "x"}', None),
    ('{"id": [], "text": "x"}', None),
    ('{"id": "a"}', "a"),
    ('{"id": "a", "text": 3}', "a"),
    ('{"id": 7, "text": "x", "lang": 3}', 7),
    ('{"id": 7, "text": "x", "lang": ""}', 7),
    ('{"id": 7, "text": "x", "lang": "x"}', 7),
    ('{"id": 7, "text": "x", "lang": "english!"}', 7),
    ('{"id": 7, "text": "x", "lang": "en-"}', 7),
    ('{"id": 7, "text": "x", "lang": false}', 7),
]


@pytest.mark.parametrize(("line", "name"), BAD)
def test_a_hostile_line_is_answered_with_an_error(
    nlp: Language, meeting: Meeting, line: str | bytes, name: object
) -> None:
    good = json.dumps({"id": "good", "text": "\ud800 fine"})
    first, bad, last = (json.loads(out) for out in classify(nlp, meeting, [good, line, good]))
    assert set(bad) == {"id", "error"}
    assert bad["id"] == name
    assert first == last
    assert first["id"] == "good"


def test_order_holds_over_batches(nlp: Language, meeting: Meeting) -> None:
    lines = [json.dumps({"id": n, "text": f"post {n}"}) for n in range(BATCH + 5)]
    assert [json.loads(out)["id"] for out in classify(nlp, meeting, lines)] == list(range(BATCH + 5))


def test_a_text_that_breaks_a_component_breaks_no_other(
    nlp: Language, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fragile(nlp: Language, posts: list, **known: object) -> list:
        if any(post.text == "poison" for post in posts):
            raise RuntimeError("bad taste")
        return tag_texts(nlp, posts)

    monkeypatch.setattr(module, "tag_texts", fragile)
    lines = [json.dumps({"id": n, "text": text}) for n, text in enumerate(["a", "poison", "c"])]
    answers = [json.loads(out) for out in classify(nlp, meeting, lines)]
    assert answers[1] == {"id": 1, "error": "RuntimeError: bad taste"}
    assert [answer["id"] for answer in answers] == [0, 1, 2]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_lines_get_as_many_answers(lines: list[str]) -> None:
    answers = [json.loads(out) for out in classify(NLP, MEETING, lines)]
    assert len(answers) == len(lines)
    assert all("id" in answer for answer in answers)


def _bare() -> Meeting:
    from datetime import UTC, datetime

    return Meeting(
        slug="b",
        title="B",
        hashtags=("b",),
        starts=datetime(2012, 3, 26, tzinfo=UTC),
        ends=datetime(2012, 3, 27, tzinfo=UTC),
        timezone="UTC",
    )


MEETING = _bare()
NLP = build(MEETING)
