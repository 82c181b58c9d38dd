"""Themes by keyword: what matches, what does not, and where the evidence stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from spacy.language import Language

from analysis.components.themes import settings, variants
from analysis.pipeline import build
from archive.vocabulary import Meeting, Theme


@pytest.fixture(scope="module")
def nlp() -> Language:
    meeting = Meeting(
        slug="m",
        title="M",
        hashtags=("opendata2012",),
        starts=datetime(2012, 3, 26, tzinfo=UTC),
        ends=datetime(2012, 3, 27, tzinfo=UTC),
        timezone="UTC",
        themes=(
            Theme(
                slug="data",
                title="Open data to open governments",
                keywords={"en": ("open data", "transparency", "IT"), "es": ("datos abiertos", "política")},
            ),
            Theme(slug="cost", title='Costs ${a.b} of "services"', keywords={"fr": ("coût du service",)}),
            Theme(slug="sign", title="!!!", keywords={"en": ("🐙", "")}),
        ),
    )
    return build(meeting)


@pytest.mark.parametrize(
    ("post", "slugs"),
    [
        ("We need Open Data", ["data"]),
        ("#OpenData and #opendata and #open_data", ["data"]),
        ("open-data policy", ["data"]),
        ("Los DATOS ABIERTOS", ["data"]),
        ("la politica", ["data"]),
        ("cou\u0302t des services", []),
        ("le cou\u0302t du service", ["cost"]),
        ("le coût du service et transparency", ["data", "cost"]),
        ("Open data to open governments begins", ["data"]),
        ("an octopus 🐙!", ["sign"]),
        ("it is fine", []),
        ("our IT department", ["data"]),
        ("#it matters", ["data"]),
        ("opens databases", []),
        ("at #opendata2012 today", []),
        ("https://example.org/open-data @open_data", []),
        ("", []),
    ],
)
def test_which_themes_a_post_has(nlp: Language, post: str, slugs: list[str]) -> None:
    assert [found.slug for found in nlp(post)._.themes] == slugs


@pytest.mark.parametrize("post", ["We need #OpenData now!", "a &amp; b: open data", "RT @x: OPEN-DATA rocks"])
def test_the_evidence_stands_in_the_posts_own_text(nlp: Language, post: str) -> None:
    doc = nlp(post)
    tag = nlp.get_pipe("theme").tags(doc)[0]
    (span,) = tag.evidence["spans"]
    assert post[span["start"] : span["end"]] == span["text"]
    assert span["text"].lower().replace("-", "").replace(" ", "") == "opendata"
    assert span["keyword"] == "open data"


def test_more_different_keywords_score_higher(nlp: Language) -> None:
    one, again, two = (
        nlp(text)._.themes[0].score
        for text in ("open data", "open data, open data", "open data, transparency")
    )
    assert one == again == 0.5
    assert two == pytest.approx(2 / 3, abs=1e-4)


def test_a_keyword_inside_a_longer_one_counts_once(nlp: Language) -> None:
    (found,) = nlp("Open data to open governments")._.themes
    assert [match.keyword for match in found.matches] == ["Open data to open governments"]


def test_no_theme_is_said_as_none(nlp: Language) -> None:
    (tag,) = nlp.get_pipe("theme").tags(nlp("lunch was good"))
    assert (tag.label, tag.score, tag.evidence) == ("none", None, None)


def test_evidence_stays_small(nlp: Language) -> None:
    (tag,) = nlp.get_pipe("theme").tags(nlp("open data " * 500))
    assert len(tag.evidence["spans"]) == 10


@pytest.mark.parametrize(
    ("keyword", "way"),
    [
        ("service", "services"),
        ("services", "service"),
        ("city", "cities"),
        ("cities", "city"),
        ("dato abierto", "datos abiertos"),
        ("open data", "opendata"),
        ("Budget", "budget"),
    ],
)
def test_the_ways_of_a_keyword(keyword: str, way: str) -> None:
    assert way.split() in variants(keyword)


@pytest.mark.parametrize(("keyword", "other"), [("news", "new"), ("process", "proces"), ("status", "statu")])
def test_what_is_no_plural_is_left_alone(keyword: str, other: str) -> None:
    assert [other] not in variants(keyword)


def test_a_keyword_without_words_matches_nothing() -> None:
    assert variants("") == variants("--") == []


def test_no_themes_none_tagged(meeting: Meeting) -> None:
    bare = Meeting(
        slug="b",
        title="B",
        hashtags=("b",),
        starts=meeting.starts,
        ends=meeting.ends,
        timezone="UTC",
    )
    assert settings(bare) == {"phrases": "[]"}
    assert build(bare)("open data")._.themes == ()
