"""Why a post has its tags, from evidence of every form and from none."""

from __future__ import annotations

from typing import Any

import pytest

from archive.evidence import StoredTag, TaggedPost
from views.reasons import Around, chances, fired, marked, reasons

TITLES = {
    "open-data": "Open data",
    "agility": "Agility",
    "none": "no theme",
    "es": "Spanish",
    "en": "English",
}


def tag(component: str = "theme", label: str = "open-data", **fields: object) -> StoredTag:
    values: dict[str, object] = {
        "score": None,
        "evidence": None,
        "version": f"{component} 3",
        "set_by": None,
        "seen_at": "15:00",
        "superseded_at": None,
        **fields,
    }
    return StoredTag(component=component, label=label, **values)  # type: ignore[arg-type]


def told(*tags: StoredTag, to_chair: bool = False, **fields: Any) -> dict[str, Any]:
    values: dict[str, object] = {
        "key": "x:1",
        "text": "",
        "kind": None,
        "language": None,
        "sure": None,
        "tagged_at": None,
        "tagged_by": None,
        "failure": None,
        "tags": tags,
        **fields,
    }
    post = TaggedPost(**values)  # type: ignore[arg-type]
    around = Around(
        lambda _, label: TITLES.get(label, label),
        lambda at: f"at {at}",
        to_chair=to_chair,
        language=fields.get("language"),
    )
    return reasons(post, around)


def lines(found: dict[str, Any], place: int = 0) -> list[str]:
    return [" ".join([said, *words]) for said, words, _ in found["why"][place]["lines"]]


def test_a_theme_says_what_fired_what_is_near_and_what_else_was_weighed() -> None:
    found = told(
        tag(
            score=0.8,
            evidence={
                "spans": [{"text": "Open data", "start": 0, "end": 9}, {"text": "Open data"}],
                "near": [{"phrase": "licence", "cosine": 0.6}, "portal"],
                "alternatives": [
                    {"theme": "agility", "score": 0.3, "before": 0.6},
                    {"theme": "open-data", "score": 0.8},
                ],
                "method": "learned",
                "before": 0.314,
                "read": 2000,
            },
        )
    )
    assert found["why"][0]["labels"] == [["open-data", "Open data"]]
    assert (found["why"][0]["title"], found["why"][0]["score"]) == ("Theme", 0.8)
    assert lines(found) == [
        "Words of the theme, marked above: Open data",
        "Closest in meaning: licence portal",
        "Also weighed: Agility 0.30",
        "With what corrections taught. Without: 0.31.",
        "Only its first 2,000 characters were read.",
    ]


def test_no_theme_says_how_near_the_others_came() -> None:
    found = told(tag(label="none", evidence={"alternatives": [{"theme": "agility", "score": 0.31}]}))
    assert lines(found) == ["No theme is likelier than not: Agility 0.31"]
    assert lines(told(tag(evidence={"method": "learned"}))) == ["With what corrections taught."]
    assert lines(told(tag(evidence={"method": "words"}))) == [
        "By its words alone: nothing here knew its meaning."
    ]


def test_sentiment_that_is_not_sure_is_called_so() -> None:
    probabilities = {"positive": 0.4, "neutral": 0.35, "negative": 0.25}
    evidence = {
        "probabilities": probabilities,
        "sure": False,
        "words": [["good", 0.3], ["but", -0.1], [None, 1], []],
    }
    reason = told(tag("sentiment", "positive", score=0.4, evidence=evidence))["why"][0]
    assert (reason["labels"], reason["score"]) == ([["not_sure", "not sure"]], None)
    assert reason["chances"] == [["positive", 0.4], ["neutral", 0.35], ["negative", 0.25]]
    assert [line[0] for line in reason["lines"]] == [
        "Not likely enough: counted as not sure.",
        "Speaks for positive:",
        "Speaks against it:",
        "By the quick reading; a closer one may follow.",
    ]


def test_words_of_the_quick_reading_do_not_speak_for_the_close_one() -> None:
    evidence = {"sure": True, "tier": "accurate", "fast_words": [["good", 0.3], ["day", 0.1], [None, 1], []]}
    found = told(tag("sentiment", "positive", evidence=evidence))
    assert lines(found) == ["The quick reading went by: good day", "By the close reading."]
    for none in ({}, {"fast_words": []}):
        found = told(tag("sentiment", "positive", evidence={"tier": "accurate", **none}))
        assert lines(found) == ["By the close reading."]


def test_a_post_of_hashtags_says_why_it_is_not_sure() -> None:
    found = told(tag("sentiment", "neutral", evidence={"sure": False, "no_words": True}))
    assert lines(found)[0] == "No words beside hashtags, links and mentions: counted as not sure."


@pytest.mark.parametrize(
    "told",
    [None, "much", {"positive": 1}, {"positive": 2, "neutral": 0, "negative": 0}, {"positive": "a"}],
)
def test_probabilities_that_are_none_are_not_drawn(told: object) -> None:
    assert chances({"probabilities": told}) is None


def test_a_question_says_what_fired_and_whether_it_is_for_the_chair() -> None:
    signs = [
        {"rule": "question mark", "text": "?", "weight": 0.6},
        {"rule": "only sentence", "text": "Who pays for all of this in the end?", "weight": 1.1},
        {"rule": "length of the post", "weight": -0.1},
    ]
    found = told(tag("question", "yes", evidence={"fired": signs}), to_chair=True)
    assert lines(found) == [
        "Speaks for a question: question mark: ? only sentence",
        "Speaks against it: length of the post",
        "To the chair: it is on a theme.",
    ]
    put = {"fired": [{"rule": "convention", "text": "#q4s"}]}
    assert lines(told(tag("question", "yes", evidence=put), to_chair=True)) == [
        "Speaks for a question: convention: #q4s",
        "To the chair: its author put it so.",
    ]
    assert lines(told(tag("question", "yes"))) == [
        "Not to the chair: it is on no theme, or about stream, sound or room."
    ]
    assert lines(told(tag("question", "no"))) == []


def test_logistics_say_what_fired() -> None:
    signs = [
        {"rule": "sound", "text": "Sound", "weight": 2.1},
        {"rule": "trouble", "text": "no", "weight": 1},
    ]
    found = told(tag("logistics", "yes", evidence={"fired": signs}))
    assert lines(found) == ["Speaks for it: Sound trouble: no"]


def test_the_language_stands_beside_the_mark_of_the_source() -> None:
    assert lines(told(tag("language", "es"), language="en")) == ["Its source says English."]
    assert lines(told(tag("language", "es"), language="es-MX")) == ["Its source says so too."]
    assert lines(told(tag("language", "es"))) == []


def test_names_say_their_kind_and_what_is_not_there_says_nothing() -> None:
    spans = [{"text": "OECD"}]
    found = told(
        tag("name", "OECD", evidence={"kind": "organisation", "spans": spans}),
        tag("name", "none"),
        tag("logistics", "no"),
        tag("something", "new"),
    )
    assert [(one["title"], one["labels"][0][1]) for one in found["why"]] == [
        ("Mentions", "OECD (organisation)"),
        ("something", "new"),
    ]
    assert lines(found) == ["Found: OECD"]


def test_a_person_stands_before_the_machine_that_they_outvote() -> None:
    found = told(
        tag("theme", "agility"),
        tag("theme", "open-data", seen_at="14:00"),
        tag("theme", "open-data", set_by="Ana", seen_at="16:00", evidence={"note": "see the <slide>"}),
        tag("theme", "none", set_by="Ana", seen_at="16:00"),
    )
    shown = [(one["person"], [label for _, label in one["labels"]], one["outvoted"]) for one in found["why"]]
    assert shown == [
        ("Ana", ["Open data", "no theme"], False),
        (None, ["Agility"], True),
        (None, ["Open data"], False),
    ]
    assert lines(found) == ["“see the <slide>”"]
    assert found["why"][0]["by"] == "at 16:00"


def test_a_note_on_several_tags_stands_once() -> None:
    said: dict[str, Any] = {"set_by": "Ana", "evidence": {"note": "why"}}
    found = told(tag(**said), tag("sentiment", "neutral", **said), tag("language", "es", set_by="Bo"))
    assert [len(one["lines"]) for one in found["why"]] == [1, 0, 0]


def test_the_history_has_who_said_what_newest_first() -> None:
    found = told(
        tag(superseded_at="16:00"),
        tag("logistics", "no", superseded_at="16:00"),
        tag("sentiment", "neutral"),
        tag("theme", "agility", set_by="Ana", seen_at="16:00", evidence={"note": "about pilots"}),
        tag("sentiment", "positive", set_by="Ana", seen_at="16:00", evidence={"note": "about pilots"}),
    )["history"]
    assert found == [
        {
            "who": "Ana",
            "person": True,
            "when": "at 16:00",
            "said": ["theme: Agility", "sentiment: positive"],
            "note": "about pilots",
            "past": False,
        },
        {
            "who": "the tagger",
            "person": False,
            "when": "at 15:00",
            "said": ["theme: Open data", "sentiment: neutral"],
            "note": "",
            "past": False,
        },
    ]


def test_the_first_reading_has_no_history_and_a_post_without_tags_nothing() -> None:
    assert told(tag())["history"] == []
    assert told(failure="it was too long")["failure"] == "Tagging it failed: it was too long"
    nothing = reasons(None, Around(lambda _, label: label, str))
    assert nothing == {"why": [], "history": [], "failure": None}


def test_every_form_of_evidence_gives_its_words() -> None:
    assert fired(None) == ()
    assert fired({"spans": [{"text": "a"}, {"text": "a"}, {}, "b"], "fired": "?"}) == ("a",)
    assert len(fired({"spans": [{"text": str(n)} for n in range(99)]})) == 12


def test_words_are_marked_where_they_stand() -> None:
    text = "Open data and agility 👍"
    tags = [
        tag(evidence={"spans": [{"start": 0, "end": 9}, {"start": 5, "end": 9}, {"start": 3, "end": 99}]}),
        tag("theme", "agility", evidence={"spans": [{"start": 14, "end": 21}, {"start": None, "end": 2}]}),
        tag("theme", "old", evidence={"spans": [{"start": 10, "end": 13}]}, superseded_at="16:00"),
        tag("name", "data", evidence={"spans": [{"start": 5, "end": 9}]}),
    ]
    assert marked(text, tags) == [
        ["Open data", "open-data"],
        [" and ", False],
        ["agility", "agility"],
        [" 👍", False],
    ]
    assert marked("", ()) == []
    assert marked("plain", ()) == [["plain", False]]


def test_evidence_of_any_shape_is_survived() -> None:
    for shape in (1, "text", [1, [2]], {"a": [1]}, [[]], [None], True):
        names = (
            "spans",
            "fired",
            "near",
            "alternatives",
            "words",
            "fast_words",
            "no_words",
            "probabilities",
            "chair",
            "to_chair",
            "method",
        )
        evidence = {**dict.fromkeys(names, shape), "kind": shape, "read": shape, "threshold": shape}
        tags = [tag(component, "none", evidence=evidence) for component in ("theme", "sentiment", "question")]
        tags += [tag("language", "es", evidence=evidence), tag("name", "x", evidence=evidence)]
        assert len(told(*tags)["why"]) == 5
        assert marked("text", tags) == [["text", False]]
