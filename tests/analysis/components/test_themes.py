"""Themes: what matches by its words and by what it is about, the evidence, and what people taught."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
import spacy
from spacy.language import Language

from analysis.components import themes, vector
from analysis.components.normalise import Normaliser, vocabulary
from analysis.components.themes import Written, settings, variants
from analysis.encoder import EncoderMissing, pack, unpack
from analysis.theme_fit import FROM
from archive.vocabulary import NOTHING, Learned, Meeting, Taught, Theme

MEETING = Meeting(
    slug="m",
    title="M",
    hashtags=("opendata2012",),
    starts=datetime(2012, 3, 26, tzinfo=UTC),
    ends=datetime(2012, 3, 27, tzinfo=UTC),
    timezone="UTC",
)
WORDY = (
    Theme(
        slug="data",
        title="Open data to open governments",
        keywords={"en": ("open data", "transparency", "IT"), "es": ("datos abiertos", "política")},
    ),
    Theme(slug="cost", title='Costs ${a.b} of "services"', keywords={"fr": ("coût du service",)}),
    Theme(slug="sign", title="!!!", keywords={"en": ("🐙", "")}),
)
CITY = (
    Theme(
        slug="transport",
        title="Getting around",
        description="Buses, trains and bicycles: how people move in the city. Fares and safe streets.",
        keywords={"en": ("bus", "train", "cycle lane", "traffic")},
    ),
    Theme(
        slug="health",
        title="A healthy city",
        description="Hospitals and doctors near everybody, clean air, vaccination and mental health.",
        keywords={"en": ("hospital", "doctor", "vaccine", "mental health")},
    ),
    Theme(
        slug="schools",
        title="Schools and learning",
        description="Teachers, classrooms and digital skills for children and grown-ups.",
        keywords={"en": ("school", "teacher", "classroom", "pupils")},
    ),
)


def pipeline(agenda: Sequence[Theme]) -> Language:
    meeting = Meeting(
        slug="m",
        title="M",
        hashtags=MEETING.hashtags,
        starts=MEETING.starts,
        ends=MEETING.ends,
        timezone="UTC",
        themes=tuple(agenda),
    )
    nlp = spacy.blank("xx", vocab=vocabulary())
    nlp.tokenizer = Normaliser(nlp.vocab, meeting.hashtags)
    nlp.add_pipe(vector.NAME)
    nlp.add_pipe(themes.NAME, config=settings(meeting))
    return nlp


def slugs(nlp: Language, post: str) -> list[str]:
    return [found.slug for found in nlp(post)._.themes]


@pytest.fixture(scope="module")
def nlp() -> Language:
    return pipeline(WORDY)


@pytest.fixture(scope="module")
def city() -> Language:
    return pipeline(CITY)


@pytest.fixture
def wordy(monkeypatch: pytest.MonkeyPatch) -> Language:
    """A pipeline without an encoder."""

    def missing() -> None:
        raise EncoderMissing("not installed")

    monkeypatch.setattr(vector, "load", missing)
    monkeypatch.setattr(themes, "load", missing)
    return pipeline(WORDY)


@pytest.mark.parametrize(
    ("post", "expected"),
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
def test_which_themes_a_post_has_by_its_words(wordy: Language, post: str, expected: list[str]) -> None:
    assert [found.slug for found in wordy(post)._.themes] == expected


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        ("We need Open Data", ["data"]),
        ("#OpenData and #opendata and #open_data", ["data"]),
        ("Los DATOS ABIERTOS", ["data"]),
        ("le cou\u0302t du service", ["cost"]),
        ("Open data to open governments begins", ["data"]),
        ("an octopus 🐙!", ["sign"]),
        ("at #opendata2012 today", []),
        ("https://example.org/open-data @open_data", []),
        ("", []),
    ],
)
def test_which_themes_a_post_has(nlp: Language, post: str, expected: list[str]) -> None:
    assert slugs(nlp, post) == expected


@pytest.mark.parametrize("post", ["We need #OpenData now!", "a &amp; b: open data", "RT @x: OPEN-DATA rocks"])
def test_the_evidence_stands_in_the_posts_own_text(nlp: Language, post: str) -> None:
    doc = nlp(post)
    tag = nlp.get_pipe("theme").tags(doc)[0]
    (span,) = tag.evidence["spans"]
    assert post[span["start"] : span["end"]] == span["text"]
    assert span["text"].lower().replace("-", "").replace(" ", "") == "opendata"
    assert span["keyword"] == "open data"


def test_without_an_encoder_the_score_counts_keywords(wordy: Language) -> None:
    one, again, two = (
        wordy(text)._.themes[0] for text in ("open data", "open data, open data", "open data, transparency")
    )
    assert one.score == again.score == 0.5
    assert two.score == pytest.approx(2 / 3, abs=1e-4)
    assert (one.method, one.near) == ("words", ())
    assert wordy.get_pipe("theme").version.startswith("theme 2 words ")


def test_keywords_raise_the_score(city: Language) -> None:
    without, with_one = (
        city(text)._.theme_scores["transport"] for text in ("the tram", "the tram and the bus")
    )
    assert with_one > without


def test_a_keyword_inside_a_longer_one_counts_once(nlp: Language) -> None:
    (found,) = nlp("Open data to open governments")._.themes
    assert [match.keyword for match in found.matches] == ["Open data to open governments"]


def test_no_theme_is_said_as_none(nlp: Language) -> None:
    (tag,) = nlp.get_pipe("theme").tags(nlp("the cat sleeps on the stove"))
    assert (tag.label, tag.score) == ("none", None)
    assert [set(other) for other in tag.evidence["alternatives"]] == [{"theme", "score"}] * 3
    (tag,) = nlp.get_pipe("theme").tags(nlp(""))
    assert (tag.label, tag.score, tag.evidence) == ("none", None, None)


def test_evidence_stays_small(nlp: Language) -> None:
    tag = nlp.get_pipe("theme").tags(nlp("open data " * 500))[0]
    assert len(tag.evidence["spans"]) == 10
    assert len(tag.evidence["near"]) == 3


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


def test_no_themes_none_tagged() -> None:
    assert settings(MEETING) == {"themes": "[]"}
    bare = pipeline(())
    doc = bare("open data")
    assert (doc._.themes, doc._.theme_scores) == ((), {})
    assert bare.get_pipe("theme").tags(doc)[0].label == "none"
    bare.get_pipe("theme").teach(lesson(bare, [("open data", ())]))
    assert bare("open data")._.themes == ()


@pytest.mark.parametrize(
    "post",
    [
        "My tram is late again and there is no timetable at the stop",
        "Mi tranvía llega tarde otra vez y no hay horario en la parada",
        "Mon tram est encore en retard et il n’y a pas d’horaire à l’arrêt",
        "Meine Straßenbahn kommt wieder zu spät und es hängt kein Fahrplan",
    ],
)
def test_a_post_without_any_keyword_is_found_in_any_language(city: Language, post: str) -> None:
    doc = city(post)
    (found,) = doc._.themes
    assert (found.slug, found.method, found.matches) == ("transport", "vector", ())
    assert set(doc._.theme_scores) == {"transport", "health", "schools"}
    assert doc._.theme_scores["transport"] == found.score >= 0.5
    evidence = city.get_pipe("theme").tags(doc)[0].evidence
    assert evidence["method"] == "vector"
    assert evidence["near"][0]["cosine"] > 0.2
    assert {other["theme"] for other in evidence["alternatives"]} == {"health", "schools"}


@pytest.mark.parametrize(
    "post",
    ["😀😀", "lol ok", "good morning everyone", "xkcd qwrt zzpf", "?", "1234", "thanks!", "hola a todos"],
)
def test_noise_has_no_theme(city: Language, post: str) -> None:
    assert slugs(city, post) == []


@pytest.mark.parametrize(
    "dressed",
    [
        "RT @somebody: {}",
        "{} https://example.org/a/b",
        "@friend {}",
        "{} #opendata2012",
        "  {}  ",
    ],
)
def test_links_mentions_and_the_meetings_hashtag_change_nothing(city: Language, dressed: str) -> None:
    for post in ("The new hospital has no doctors", "Our pupils need better classrooms", "What a view!"):
        assert city(dressed.format(post))._.theme_scores == city(post)._.theme_scores
        assert city(post.upper())._.theme_scores == city(post)._.theme_scores


def test_neighbours_change_nothing(city: Language) -> None:
    posts = [
        f"{who} waits for the {what}" for who in ("she", "he", "my son") for what in ("bus", "nurse", "bell")
    ]
    together = [doc._.theme_scores for doc in city.pipe(posts)]
    assert together == [city(post)._.theme_scores for post in posts]


def test_a_stored_vector_gives_the_same_tags(city: Language) -> None:
    first = city("Cycle lanes are safe streets")
    again = city.make_doc("Cycle lanes are safe streets")
    again._.vector = unpack(pack(first._.vector))
    assert city(again)._.themes == first._.themes


def test_a_theme_more_does_not_shuffle_the_others(city: Language) -> None:
    posts = [
        "The new hospital has no doctors",
        "Our pupils need better classrooms",
        "The bus is late",
        "What a view!",
    ]
    more = pipeline(
        [*CITY, Theme(slug="taxes", title="Taxes and fees", description="Who pays what, and why.")]
    )
    for post in posts:
        assert slugs(more, post) == slugs(city, post)


def test_a_theme_with_a_title_alone_is_found() -> None:
    nlp = pipeline(
        [Theme(slug="water", title="Water and rivers"), Theme(slug="work", title="Trabajo y empleo")]
    )
    assert slugs(nlp, "The river is so dirty that nobody swims in it") == ["water"]
    assert slugs(nlp, "Young people cannot find a job here") == ["work"]


# What people teach.


def lesson(nlp: Language, posts: Sequence[tuple[str, tuple[str, ...]]], version: str = "abc") -> Learned:
    taught = [Taught(pack(nlp(text)._.vector), text, of) for text, of in posts]
    return Learned(corrections=tuple(taught), version=version)


def test_corrections_are_learned_and_forgotten() -> None:
    nlp = pipeline(CITY)
    component = nlp.get_pipe("theme")
    before = component.version
    posts = [
        f"The market square sells {what} today"
        for what in ("cheese", "apples", "bread", "flowers", "honey", "fish", "eggs", "soap")
    ]
    assert slugs(nlp, "The market square sells olives today") == []
    by_text = nlp("The market square sells olives today")._.theme_scores
    component.teach(lesson(nlp, [(post, ("schools",)) for post in posts]))
    assert component.version == f"{before} abc"
    (found,) = nlp("The market square sells olives today")._.themes
    assert (found.slug, found.method, found.before) == ("schools", "learned", by_text["schools"])
    (tag,) = component.tags(nlp("The market square sells olives today"))
    assert tag.evidence is not None and tag.evidence["before"] == by_text["schools"] < 0.5 <= tag.score
    tram = nlp("My tram is late again and there is no timetable at the stop")
    (beside,) = [one for one in component.tags(tram)[0].evidence["alternatives"] if one["theme"] == "schools"]
    assert {"score", "before"} <= beside.keys()
    assert slugs(nlp, "My tram is late again and there is no timetable at the stop") == ["transport"]
    component.teach(NOTHING)
    assert component.version == before
    assert slugs(nlp, "The market square sells olives today") == []


def market(nlp: Language, number: int, version: str = "abc") -> Learned:
    return lesson(nlp, [(f"The market sells cheese {n}", ("schools",)) for n in range(number)], version)


def test_what_changes_nothing_yet_gives_no_new_version() -> None:
    nlp = pipeline(CITY)
    component = nlp.get_pipe("theme")
    before = component.version
    component.teach(market(nlp, FROM - 1))
    assert component.version == before
    component.teach(Learned(keywords=(("transport", "es", "bus"),), version="k"))  # it has it already
    assert component.version == before
    keywords = (("transport", "es", "camión"),)
    component.teach(Learned(keywords=keywords, version="k"))
    with_keyword = component.version
    assert with_keyword != before
    component.teach(Learned(keywords, market(nlp, FROM - 1).corrections, "kc"))
    assert component.version == with_keyword
    component.teach(market(nlp, FROM))
    assert component.version == f"{before} abc"


def test_a_lesson_that_fails_leaves_the_former_one_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = pipeline(CITY)
    component = nlp.get_pipe("theme")
    component.teach(market(nlp, 2 * FROM))
    before = component.version
    scores = nlp("The market sells camión")._.theme_scores

    def fit(*_: object) -> None:
        raise ValueError("no lesson")

    monkeypatch.setattr(themes.theme_fit, "fit", fit)
    more = Learned((("transport", "es", "camión"),), market(nlp, FROM).corrections, "more")
    with pytest.raises(ValueError, match="no lesson"):
        component.teach(more)
    assert component.version == before
    assert nlp("The market sells camión")._.theme_scores == scores


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\x00", b"\x00\x3c" * 511, b"\x00\x7e" * 512, b"\x00\x7c" * 512],
    ids=["empty", "odd", "short", "nan", "inf"],
)
def test_a_damaged_vector_teaches_nothing_and_hinders_nothing(damaged: bytes) -> None:
    nlp = pipeline(CITY)
    component = nlp.get_pipe("theme")
    sound = market(nlp, FROM)
    component.teach(sound)
    scores = nlp("The market sells cheese")._.theme_scores
    bad = Taught(damaged, "The market sells cheese", ())
    component.teach(Learned((), (bad, *sound.corrections), "more"))
    assert nlp("The market sells cheese")._.theme_scores == scores
    component.teach(Learned((), (bad,) * FROM, "bad"))
    assert component.lesson is None


def test_accepted_keywords_are_looked_for() -> None:
    nlp = pipeline(CITY)
    nlp.get_pipe("theme").teach(Learned(keywords=(("transport", "es", "camión"),), version="k"))
    (found,) = nlp("Se subió al camión")._.themes
    assert found.slug == "transport"
    assert [match.keyword for match in found.matches] == ["camión"]


def test_a_post_that_cannot_be_meant_is_judged_by_its_words(city: Language) -> None:
    doc = city.make_doc("#bus")
    doc._.vector = np.zeros(512, dtype=np.float32)
    assert 0 <= city(doc)._.theme_scores["transport"] <= 1


def test_what_is_looked_for_is_the_title_and_the_keywords() -> None:
    assert Written("s", "A title", "about", ("a word", "A title")).wordings == ("A title", "a word")
