"""Which words and pairs of a post are counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import terms as terms_module
from analysis.sentiment_model import ModelError
from analysis.terms import MOST_WORDS, as_written, norm, runs, stop_words, terms
from analysis.texts import fold

OWN = frozenset({"sample2012"})
STOP = stop_words(("en", "es", "fr"))


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        ("We love open data portals", ("open", "data", "portal", "open data", "data portal")),
        ("#OpenData #sample2012 #open_data", ("open", "data", "open data", "data open")),
        ("RT @ministry: transparencia y datos", ("transparencia", "dato")),
        ("L'interopérabilité, c'est l’avenir", ("interoperabilite", "avenir")),
        ("Mexico's registers in 2012, 3rd day, 10am, 5G", ("mexico", "register", "mexico register", "5g")),
        ("data data data", ("data",)),
        ("https://example.org/open @open_data", ()),
        ("a to the y de la", ()),
        ("🐙 ?! …", ()),
        ("", ()),
        ("نريد البيانات المفتوحة", ("نريد", "البيانات", "المفتوحة", "نريد البيانات", "البيانات المفتوحة")),
    ],
)
def test_what_a_post_says(post: str, expected: tuple[str, ...]) -> None:
    assert terms(post, OWN, STOP) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("registers", "Register"), ("políticas", "POLITICA"), ("APIs", "api"), ("data", "Data")],
)
def test_words_that_are_counted_as_one(one: str, other: str) -> None:
    assert norm(one) == norm(other)


@pytest.mark.parametrize("word", ["analysis", "status", "process", "gas", "bus"])
def test_not_every_s_is_a_plural(word: str) -> None:
    assert norm(word) == word


def test_stop_words_end_a_run() -> None:
    text = "Freedom of information laws! Ask for the minutes"
    assert list(runs(text, OWN, STOP)) == [["Freedom"], ["information", "laws"]]


def test_a_phrase_as_a_post_writes_it() -> None:
    post = "Las Plataformas  compartidas de México"
    written = list(runs(post, OWN, STOP))
    assert as_written(["plataforma", "compartida"], written) == "Plataformas compartidas"
    assert as_written(["mexico"], written) == "México"
    assert as_written(["silo"], written) == ""


def test_each_language_has_stop_words_and_one_without_a_list_has_none() -> None:
    posts = stop_words(())
    assert "rt" in posts
    words = {"en": "the", "es": "que", "fr": "est", "de": "und", "it": "che", "pt": "nao", "ar": "في"}
    for language, word in words.items():
        assert word in stop_words((language,))
        assert word not in posts
    assert stop_words(("xx",)) == posts
    assert stop_words(("licence",)) == posts


def test_words_that_posts_are_about_are_no_stop_words() -> None:
    everything = stop_words(("en", "es", "fr", "de", "it", "pt", "ar"))
    for word in ("open", "data", "war", "estado", "law", "lei", "lavoro", "health", "agua", "klima"):
        assert fold(word) not in everything


@given(st.text(max_size=400))
def test_any_text_gives_short_folded_terms(text: str) -> None:
    for term in terms(text, OWN, STOP):
        assert 1 <= len(term.split(" ")) <= 2
        assert len(term) <= 200


@pytest.mark.parametrize(
    "text",
    ["x" * 1_200_000, "data " * 300_000, "#a" * 10_000, "\ud800 \x00 data", "d\u0300" * 5000, "‏data ‮open"],
)
def test_hostile_texts(text: str) -> None:
    assert len(terms(text, OWN, STOP)) <= 2 * MOST_WORDS


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"posts": 1}', '{"posts": "rt", "en": ["a"]}'])
def test_stop_words_that_cannot_be_used_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    path = tmp_path / "stopwords.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    monkeypatch.setattr(terms_module, "STOP_WORDS", path)
    with pytest.raises(ModelError, match=r"stopwords\.json: the stop words .*; install Backchannel again"):
        stop_words(("en",))


def test_stop_words_are_read_once_for_all_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stopwords.json"
    path.write_text('{"posts": "rt", "en": "the", "fr": "le"}', encoding="utf-8")
    monkeypatch.setattr(terms_module, "STOP_WORDS", path)
    assert stop_words(("en",)) == {"rt", "the"}
    path.unlink()  # while posts are being tagged
    assert stop_words(("fr",)) == {"rt", "le"}
