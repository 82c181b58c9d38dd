"""The whole pipeline: behaviour that must hold whatever the models are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language

from analysis.pipeline import BATCH, PIPELINE, build, tag_texts, version
from analysis.texts import LONGEST
from archive.vocabulary import SENTIMENTS, Meeting, Tagging, Theme, Untagged


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
    assert tagging.themes == (("open-data", 0.5),)
    assert (tagging.sentiment, tagging.question) == ("positive", True)
    assert tagging.sentiment_score == round(tagging.sentiment_score or 0, 4)
    assert [tag.component for tag in tagging.tags] == [step.name for step in PIPELINE]


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
    assert together[:5] == [tag_texts(nlp, posts(text))[0] for text in texts[:5]]
    assert tag_texts(nlp, posts(*reversed(texts))) == list(reversed(together))


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
    assert after.themes == (*before.themes, ("lunch", 0.5))


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
    assert version(build(replace(meeting, title="Renamed"))) in versions
