"""Cues of logistics, and the shipped model on sentences it never saw."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from analysis import encoder, logistics_model
from analysis.logistics_model import has_cue, load, signs
from analysis.sentiment_model import ModelError
from analysis.texts import read

SENTENCES = Path(__file__).parents[1] / "behaviour" / "meeting_sentences.toml"
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "ar")


@pytest.mark.parametrize(
    ("text", "cue", "shown"),
    [
        ("The stream keeps dropping", "stream", "stream"),
        ("La transmisión se corta", "stream", "transmisión"),
        ("NO SOUND in here", "sound", "SOUND"),
        ("On n'entend pas", "sound", "entend"),
        ("Das Mikro ist aus", "microphone", "Mikro"),
        ("Le slide non si leggono", "slides", "slide"),
        ("wi-fi is down", "wifi", "wi-fi"),
        ("O local é lindo", "room", "local"),
        ("لا صوت في البث", "sound", "صوت"),
        ("Back at 11, coffee now", "food", "coffee"),
        ("À quelle heure ?", "schedule", "quelle heure"),
        ("It is too cold", "temperature", "too cold"),
    ],
)
def test_a_cue_is_found_where_it_stands(text: str, cue: str, shown: str) -> None:
    found = signs(text)
    assert has_cue(found)
    assert shown in {text[sign.start : sign.end] for sign in found if sign.name == cue}


def test_cues_are_those_of_the_file() -> None:
    logistics_model._cues_of.cache_clear()
    assert has_cue(signs("the stream keeps dropping"))
    assert not has_cue(signs("the budget keeps growing"))


def test_trouble_with_something_is_more_than_either() -> None:
    names = {sign.name for sign in signs("The sound is down and the wifi is slow")}
    assert {"trouble", "trouble with it", "several cues"} <= names
    assert "trouble with it" not in {sign.name for sign in signs("The economy is down")}


@pytest.mark.parametrize(
    "text", ["a data stream", "room for improvement", "sound policy", "rural broadband", "We pay.", "", "😀"]
)
def test_words_of_the_matter_are_no_cue(text: str) -> None:
    assert not has_cue(signs(text))


@pytest.mark.parametrize("text", ["no " * 3_000, "stream " * 1_400, "\x00\ud800", "a/" * 5_000, " " * 9_000])
def test_any_text_has_cues_that_stand_in_it(text: str) -> None:
    assert all(0 <= sign.start < sign.end <= len(text) for sign in signs(text))


def test_the_shipped_model_is_precise_in_seven_languages() -> None:
    said = [
        (text, language, group["logistics"])
        for group in tomllib.loads(SENTENCES.read_text(encoding="utf-8"))["said"]
        for language in LANGUAGES
        for text in group[language]
    ]
    model = load()
    vectors = encoder.rounded(encoder.load().encode([read(text).text for text, _, _ in said]))
    marked = [
        has_cue(found := signs(read(text).text)) and model.chance(found, vector) >= model.threshold
        for (text, _, _), vector in zip(said, vectors, strict=True)
    ]
    truth = [logistics for _, _, logistics in said]
    both = sum(a and b for a, b in zip(truth, marked, strict=True))
    assert both >= 0.9 * sum(marked)
    assert both >= 0.75 * sum(truth)
    for code in LANGUAGES:
        mine = [
            b for (_, language, _), a, b in zip(said, truth, marked, strict=True) if language == code and a
        ]
        assert sum(mine) >= 0.6 * len(mine), code


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="logistics model is missing"):
        load(tmp_path / "none.json")


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "a=",
        "trouble = 1",
        'trouble = ["down"]\nmatter = ["flux"]',
        'trouble = []\nmatter = ["flux"]\n[about]\nfood = ["coffee"]',
        'trouble = ["down"]\nmatter = ["flux"]\n[about]\nfood = ["(coffee"]',
        'trouble = ["down"]\nmatter = ["flux"]\n[about]\n"fo-od" = ["a coffee"]',
    ],
)
def test_without_its_cues_there_is_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    cues = tmp_path / "logistics.toml"
    if content is not None:
        cues.write_text(content, encoding="utf-8")
    monkeypatch.setattr(logistics_model, "CUES", cues)
    with pytest.raises(ModelError, match=r"logistics\.toml: the cues .*; install Backchannel again"):
        load()
