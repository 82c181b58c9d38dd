"""The whole pipeline: behaviour that must hold whatever the models are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language

from analysis import logistics_model, name_lists, terms
from analysis.encoder import DIMENSIONS
from analysis.pipeline import (
    BATCH,
    PIPELINE,
    build,
    learned_version,
    tag_texts,
    teach,
    theme_texts,
    themes_by,
    version,
)
from analysis.sentiment_model import ModelError
from analysis.texts import LONGEST
from archive.vocabulary import NOTHING, SENTIMENTS, Learned, Meeting, Tagging, Theme, Untagged


def posts(*texts: str) -> list[Untagged]:
    return [Untagged(n, f"x:9{n:018d}", "v", text, None, "original") for n, text in enumerate(texts)]


@pytest.fixture(scope="module")
def nlp() -> Language:
    from datetime import UTC, datetime

    return build(
        Meeting(
            slug="m",
            title="M",
            hashtags=("sample2012",),
            starts=datetime(2012, 3, 26, tzinfo=UTC),
            ends=datetime(2012, 3, 27, tzinfo=UTC),
            timezone="UTC",
            languages=("en", "es", "fr"),
            themes=(
                Theme(slug="open-data", title="Open data", keywords={"es": ("datos abiertos",)}),
                Theme(slug="agility", title="Agility"),
            ),
        )
    )


def test_a_post_gets_all_its_tags(nlp: Language) -> None:
    (tagging,) = tag_texts(nlp, posts("I love open data! When do we start?"))
    assert tagging.language == "en"
    assert themes(tagging) == ("open-data",)
    assert set(tagging.theme_scores) == {"open-data", "agility"}
    assert tagging.vector is not None and len(tagging.vector) == 2 * DIMENSIONS
    assert (tagging.sentiment, tagging.question) == ("positive", True)
    assert tagging.sentiment_score == round(tagging.sentiment_score or 0, 4)
    silent = {"vector"}  # which is no finding
    assert [tag.component for tag in tagging.tags] == [s.name for s in PIPELINE if s.name not in silent]


HOSTILE = {
    "empty": "",
    "blank": " \n\t\u2028",
    "emoji": "🎉" * 300,
    "right to left": "البيانات المفتوحة مهمة جدا \u202eabc",
    "zalgo": "o\u0338\u0321\u031b\u0300" * 200,
    "hashtags": " ".join(f"#Tag{n}" for n in range(10_000)),
    "surrogate": "\ud83d half \udc00",
    "control": "\x00\x01\x7f\ufeff\ufffe",
    "markup": "<script>alert(1)</script> {{x}} %s ${a.b}",
    "entities": "&#0; &#xFFFFFF; &#99999999; &nosuch; &amp;amp;amp;",
    "one word": "a" * 50_000,
    "huge": "open data is great " * 63_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_get_tags(nlp: Language, name: str) -> None:
    text = HOSTILE[name]
    (tagging,) = tag_texts(nlp, posts(text))
    assert tagging.sentiment in SENTIMENTS
    assert tagging.sure in (True, False)
    if len(text) > LONGEST:
        assert all(tag.evidence and tag.evidence["read"] == LONGEST for tag in tagging.tags)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_no_text_is_too_strange(nlp: Language, text: str) -> None:
    (tagging,) = tag_texts(nlp, posts(text))
    for tag in tagging.tags:
        for span in (tag.evidence or {}).get("spans", []):
            assert text[span["start"] : span["end"]] == span["text"]


def test_the_same_alone_and_in_a_batch(nlp: Language) -> None:
    texts = ["Open data rocks", "nada", "", "¿Qué es agility?", "so sad today 😢"] + ["filler"] * BATCH
    together = tag_texts(nlp, posts(*texts))
    alone = [tag_texts(nlp, posts(text))[0] for text in texts[:5]]
    backwards = tag_texts(nlp, posts(*reversed(texts)))
    for found, other in [
        *zip(together, alone, strict=False),
        *zip(together, reversed(backwards), strict=True),
    ]:
        assert labels(found) == labels(other)
        assert figures(found) == pytest.approx(figures(other), abs=0.001)


def labels(tagging: Tagging) -> list[tuple[str, str]]:
    return [(tag.component, tag.label) for tag in tagging.tags]


def figures(tagging: Tagging) -> list[float]:
    return [tagging.sentiment_score or 0, *tagging.theme_scores.values()]


def themes(tagging: Tagging) -> tuple[str, ...]:
    return tuple(slug for slug, _ in tagging.themes)


@pytest.mark.parametrize(
    "core", ["Open data helps small towns", "Los datos abiertos ayudan", "Lunch is served"]
)
@pytest.mark.parametrize(
    "change",
    [
        "{} https://example.org/agility?open=data",
        "@bc_agility {}",
        "RT @bc_ana: {}",
        "{} #sample2012 #thanks",
        "{} @bc_open_data@example.org",
    ],
)
def test_links_mentions_and_marks_change_no_theme(nlp: Language, core: str, change: str) -> None:
    plain, changed = tag_texts(nlp, posts(core, change.format(core)))
    assert themes(plain) == themes(changed)
    assert plain.language == changed.language


@pytest.mark.parametrize("core", ["Open data helps small towns", "Agility, at last"])
def test_case_changes_no_theme(nlp: Language, core: str) -> None:
    assert len({themes(t) for t in tag_texts(nlp, posts(core, core.upper(), core.lower()))}) == 1


def test_three_languages_one_theme(meeting: Meeting) -> None:
    tagged = tag_texts(build(meeting), posts("open data", "datos abiertos", "Open Data"))
    assert {themes(t) for t in tagged} == {("open-data",)}


def test_another_theme_leaves_the_rest_alone(meeting: Meeting) -> None:
    text = posts("open data and agility, and lunch")
    more = replace(meeting, themes=(*meeting.themes, Theme(slug="lunch", title="Lunch")))
    before, after = tag_texts(build(meeting), text)[0], tag_texts(build(more), text)[0]
    assert set(themes(after)) - {"lunch"} == set(themes(before))


def test_a_language_known_beforehand_is_kept(nlp: Language) -> None:
    some = posts("Bonjour tout le monde", "Hello everybody out there")
    tagged = tag_texts(nlp, some, languages=["es", None])
    assert [t.language for t in tagged] == ["es", "en"]


def test_the_version_tells_settings_apart(meeting: Meeting) -> None:
    versions = {
        version(build(changed))
        for changed in (
            meeting,
            replace(meeting, languages=("en",)),
            replace(meeting, themes=meeting.themes[:1]),
            replace(meeting, hashtags=("other",)),
        )
    }
    assert len(versions) == 4
    assert version(build(replace(meeting, quotes="none"))) in versions


def test_themes_from_stored_vectors_are_those_of_the_first_tagging(nlp: Language) -> None:
    some = posts("Open data helps small towns", "Agility, at last", "Lunch is served", "")
    first = tag_texts(nlp, some)
    stored = [replace(post, vector=found.vector) for post, found in zip(some, first, strict=True)]
    again = theme_texts(nlp, stored)
    assert [found.themes for found in again] == [found.themes for found in first]
    assert [found.vector for found in again] == [found.vector for found in first]
    assert [list(found.tags) for found in again] == [
        [tag for tag in found.tags if tag.component == "theme"] for found in first
    ]


def test_what_is_taught_is_another_version_of_the_themes_only(meeting: Meeting) -> None:
    learned = Learned(keywords=(("agility", "en", "manchego cheese"),), version="abc")
    plain, taught = build(meeting), build(meeting, learned=learned)
    assert version(plain) == version(taught)
    assert themes_by(plain) != themes_by(taught)
    assert (learned_version(plain), learned_version(taught)) == ("", "abc")
    (found,) = tag_texts(taught, posts("Manchego cheese for all"))
    assert (themes(found), found.themes_by) == (("agility",), themes_by(taught))
    teach(taught, NOTHING)
    assert themes_by(taught) == themes_by(plain)


def test_a_question_from_the_questions_channel_is_for_the_chair(nlp: Language) -> None:
    text = "Will the minister answer today?"
    plain, asked = tag_texts(nlp, [*posts(text), *(replace(post, asked=True) for post in posts(text))])
    assert (plain.asked, asked.asked) == (False, True)
    assert asked.to_chair and asked.question


@pytest.mark.parametrize(
    ("module", "constant", "file"),
    [
        (logistics_model, "CUES", "logistics.toml"),
        (name_lists, "LISTS", "names.json"),
        (terms, "STOP_WORDS", "stopwords.json"),
    ],
)
def test_without_a_file_of_words_nothing_is_built(
    meeting: Meeting,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    constant: str,
    file: str,
) -> None:
    monkeypatch.setattr(module, constant, tmp_path / file)
    with pytest.raises(ModelError, match=f"{file}: .* missing"):
        build(meeting)
