"""What a reader would expect of the tags, whatever their accuracy: tables of posts that can grow.

Each table is a TOML file beside this one. A row that the models cannot do yet stands in its table with
``fails`` and the reason: it is expected to fail, and says so once it does not any more.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from spacy.language import Language

from analysis.pipeline import build, tag_texts
from archive.meeting import load
from archive.vocabulary import SENTIMENTS, TIERS, Tagging, Theme, Tier, Untagged

HERE = Path(__file__).parent
MEETING = load(HERE)
ANOTHER = Theme(
    slug="museums",
    title="Museums and music",
    description="Festivals, archives and old songs: what keeps a culture alive.",
    keywords={"en": ("museum", "song", "festival")},
)
ASPECTS = ("themes", "question", "language", *TIERS)


def table(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


def case(row: dict[str, Any], which: str, *more: Any) -> Any:
    """A row as a test of its own, named by its text; expected to fail where it says so."""
    name = " · ".join([row.get("text") or row["en"], which, *map(str, more)]).strip(" ·")
    why = row.get("fails", {}).get(which)
    marks = [pytest.mark.xfail(reason=why, strict=True)] if why else []
    return pytest.param(row, which, *more, id=name, marks=marks)


@cache
def pipeline(tier: Tier = "fast", *, wider: bool = False) -> Language:
    meeting = replace(MEETING, themes=(*MEETING.themes, ANOTHER)) if wider else MEETING
    return build(meeting, tier=tier)


@cache
def tagged(text: str, tier: Tier = "fast", *, wider: bool = False, asked: bool = False) -> Tagging:
    """The tags of a post that stands alone."""
    return tags_of([text], tier, wider=wider, asked=asked)[0]


def tags_of(texts: Iterable[str], tier: Tier, *, wider: bool = False, asked: bool = False) -> list[Tagging]:
    posts = [Untagged(n, str(n), "", text, None, None, asked=asked) for n, text in enumerate(texts)]
    return tag_texts(pipeline(tier, wider=wider), posts)


def themes(tagging: Tagging) -> set[str]:
    return {slug for slug, _ in tagging.themes}


# Themes.

PARALLEL = [
    (row, language) for row in table("themes")["post"] for language in MEETING.languages if language in row
]


@pytest.mark.parametrize(("row", "language"), [case(row, language) for row, language in PARALLEL])
def test_a_post_has_its_theme_in_every_language(row: dict[str, Any], language: str) -> None:
    assert row["theme"] in themes(tagged(row[language])), row[language]


@pytest.mark.parametrize(("row", "which"), [case(row, "theme") for row in table("noise")["post"]])
def test_noise_has_no_theme(row: dict[str, Any], which: str) -> None:
    assert themes(tagged(row["text"])) == set()


@pytest.mark.parametrize(
    ("row", "which"), [case(row, f"{language} beside another theme") for row, language in PARALLEL]
)
def test_another_theme_moves_no_post_from_its_own(row: dict[str, Any], which: str) -> None:
    text = row[which.split()[0]]
    alone, wider = tagged(text), tagged(text, wider=True)
    assert themes(wider) - {ANOTHER.slug} == themes(alone), text


# What changes nothing.

CHANGES = table("changes")


def changed(text: str, change: str) -> str:
    if change in ("lower", "upper"):
        return str(getattr(text, change)())
    return str(CHANGES["changes"][change]).replace("{text}", text)


def aspect_of(text: str, aspect: str) -> object:
    if aspect in TIERS:
        return tagged(text, aspect).sentiment  # type: ignore[arg-type]
    found = tagged(text)
    return themes(found) if aspect == "themes" else getattr(found, aspect)


@pytest.mark.parametrize(
    ("row", "which"),
    [
        case(row, f"{change} {aspect}")
        for row in CHANGES["post"]
        for change in CHANGES["changes"]
        for aspect in ASPECTS
    ],
)
def test_what_is_added_changes_nothing(row: dict[str, Any], which: str) -> None:
    change, aspect = which.split()
    text = changed(row["text"], change)
    assert aspect_of(text, aspect) == aspect_of(row["text"], aspect), text


# Sentiment.


@pytest.mark.parametrize(
    ("row", "tier"), [case(row, tier) for row in table("sentiment")["post"] for tier in TIERS]
)
def test_a_post_is_read_as_it_is_meant(row: dict[str, Any], tier: Tier) -> None:
    label = tagged(row["text"], tier).sentiment
    assert label == row.get("is", label), row["text"]
    assert label != row.get("not"), row["text"]


@pytest.mark.parametrize(
    ("row", "tier"), [case(row, tier) for row in table("unsure")["post"] for tier in TIERS]
)
def test_what_nobody_can_tell_is_not_sure(row: dict[str, Any], tier: Tier) -> None:
    found = tagged(row["text"], tier)
    assert not found.sure, f"{row['text']}: {found.sentiment} {found.sentiment_score}"


NAMES = table("names")


@pytest.mark.parametrize(
    ("row", "tier"),
    [
        case({"text": name, "fails": NAMES["fails"].get(name, {})}, tier)
        for name in NAMES["names"]
        for tier in TIERS
    ],
)
def test_a_name_changes_no_sentiment(row: dict[str, Any], tier: Tier) -> None:
    name, usual = row["text"], NAMES["names"][0]
    for sentence in NAMES["sentences"]:
        found = tagged(sentence.replace("{name}", name), tier).sentiment
        assert found == tagged(sentence.replace("{name}", usual), tier).sentiment, sentence


# Questions and logistics.


@pytest.mark.parametrize(("row", "which"), [case(row, "question") for row in table("questions")["post"]])
def test_a_question_is_told_from_what_only_looks_like_one(row: dict[str, Any], which: str) -> None:
    assert tagged(row["text"], asked=row.get("asked", False)).question is row["question"], row["text"]


@pytest.mark.parametrize(
    ("row", "which"), [case(row, "to_chair") for row in table("questions")["post"] if "to_chair" in row]
)
def test_a_question_on_the_matter_is_for_the_chair(row: dict[str, Any], which: str) -> None:
    assert tagged(row["text"], asked=row.get("asked", False)).to_chair is row["to_chair"], row["text"]


@pytest.mark.parametrize(("row", "which"), [case(row, "logistics") for row in table("logistics")["post"]])
def test_logistics_are_told_from_the_matter(row: dict[str, Any], which: str) -> None:
    assert tagged(row["text"]).logistics is row["logistics"], row["text"]


# Whatever stands beside it, and whatever comes.


def every_text() -> list[str]:
    rows = [row for name in ("sentiment", "questions", "logistics", "noise") for row in table(name)["post"]]
    return [row["text"] for row in rows] + [row[language] for row, language in PARALLEL]


@pytest.mark.parametrize("tier", TIERS)
def test_neighbours_change_nothing(tier: Tier) -> None:
    texts = every_text()
    for text, found in zip(texts, tags_of(texts, tier), strict=True):
        assert said(found) == said(tagged(text, tier)), text
        assert scores(found) == pytest.approx(scores(tagged(text, tier)), abs=0.001), text


def said(found: Tagging) -> tuple[object, ...]:
    marks = (found.sure, found.question, found.asked, found.logistics, found.names)
    return found.language, tuple(slug for slug, _ in found.themes), found.sentiment, *marks


def scores(found: Tagging) -> dict[str, float]:
    return {**found.theme_scores, "sentiment": found.sentiment_score or 0.0}


HOSTILE = {
    "empty": "",
    "white space": " \n\t\u00a0\u200b",
    "emoji only": "🇲🇽👩‍👩‍👧‍👦🏽" * 50,
    "one letter": "a",
    "digits": "0123456789" * 40,
    "very long": "the last ferry is full " * 52_200,
    "one very long word": "a" * 1_200_000,
    "mixed scripts": "Привет hola مرحبا 你好 สวัสดี γειά नमस्ते 안녕 bonjour",
    "right to left": "\u202eثمن العبّارة مرتفع جدا\u202c #عبّارة",
    "zalgo": "".join(f"{letter}{'̴̶̸͕͖ͤͥ' * 20}" for letter in "the ferry is late"),
    "lone surrogates": "\ud800 the ferry \udfff is late \ud83d",
    "NUL and other controls": "the\x00ferry\x07is\x1blate\x7f",
    "ten thousand hashtags": " ".join(f"#tag{n}" for n in range(10_000)),
    "ten thousand mentions": "@bc_ana " * 10_000,
    "ten thousand links": "https://example.org/a " * 10_000,
    "unknown language": "Zer moduz zaude gaur arratsaldean, lagun maitea",
    "HTML": "<script>alert('ferry')</script> &lt;b&gt; &amp;amp; &#0; &#xFFFFFFF;",
    "JSON": '{"themes": ["energy"], "sentiment": null}',
    "SQL": "'); DROP TABLE posts; --",
    "format strings": "%s %n {0} ${energy} \\u0000 \\x00",
    "question marks": "?" * 20_000,
    "brackets": "(" * 50_000,
    "combining marks only": "\u0301" * 5_000,
    "private use and noncharacters": "\ue000\ufffe\uffff\U0010ffff",
    "byte order marks": "\ufeff\ufeffferry",
}


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_text_gets_tags_and_spoils_no_other(name: str, tier: Tier) -> None:
    before, found, after = tags_of(["The ferry is late", HOSTILE[name], "Merci 😍"], tier)
    assert found.sentiment in SENTIMENTS
    assert found.language is None or found.language in MEETING.languages
    assert json.dumps([tag.evidence for tag in found.tags])
    assert said(before) == said(tagged("The ferry is late", tier))
    assert said(after) == said(tagged("Merci 😍", tier))


@pytest.mark.parametrize("name", ["empty", "white space", "combining marks only", "ten thousand mentions"])
def test_nothing_said_is_nothing_found(name: str) -> None:
    found = tagged(HOSTILE[name])
    assert (found.language, found.themes, found.question, found.logistics) == (None, (), False, False)
    assert not found.sure


def test_the_tables_are_large_enough_to_mean_something() -> None:
    sizes = {
        "themes": len(table("themes")["post"]),
        "changes": len(CHANGES["post"]) * len(CHANGES["changes"]),
        "sentiment": len(table("sentiment")["post"]),
        "questions": len(table("questions")["post"]),
        "logistics": len(table("logistics")["post"]),
        "names": len(NAMES["names"]),
    }
    least = {"themes": 40, "changes": 60, "sentiment": 60, "questions": 40, "logistics": 40, "names": 30}
    assert {name: size for name, size in sizes.items() if size < least[name]} == {}
