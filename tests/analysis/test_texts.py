"""Reading texts, and the way back from them to the post."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.texts import LONGEST, as_trained, beside_hashtags, fold, has_words, hashtags_folded, read


@pytest.mark.parametrize(
    ("post", "words"),
    [
        ("We want #OpenData now", ["We", "want", "Open", "Data", "now"]),
        ("#open_data #Gov2020 #EUPolicy", ["open", "data", "Gov", "2020", "EU", "Policy"]),
        ("RT @bc_ana: see https://example.org/a?b=c", ["see"]),
        ("ask @bc_ana@example.org!", ["ask", "!"]),
        ("e-government (agile) “now”", ["e", "government", "agile", "now"]),
        ("cats &amp; dogs &amp;lt; mice", ["cats", "&", "dogs", "<", "mice"]),
        ("don't l’eau C++ C#", ["don't", "l’eau", "C++", "C#"]),
        ("one two", ["one", "two"]),
        ("nice 🎉🎉", ["nice", "🎉", "🎉"]),
        ("bad \ud83d surrogate", ["bad", "\ufffd", "surrogate"]),
        ("", []),
    ],
)
def test_the_words_of_a_post(post: str, words: list[str]) -> None:
    assert read(post).words() == words


def test_the_meetings_own_hashtags_say_nothing() -> None:
    own = hashtags_folded(["#OpenDay", "Élan"])
    assert read("#openday is #ELAN about #OpenData", own).words() == ["is", "about", "Open", "Data"]


@pytest.mark.parametrize(
    ("post", "left"),
    [
        ("We want #OpenData now #ogp", "We want now"),
        ("#abc @bc_ana https://example.org/#frag #def", ""),
        ("#abc &#128525;", "😍"),
        ("#abc " * LONGEST + "beyond", ""),
        ("no tag at all", "no tag at all"),
    ],
)
def test_what_is_said_beside_hashtags(post: str, left: str) -> None:
    assert " ".join(beside_hashtags(post).split()) == left


@pytest.mark.parametrize(
    ("post", "said"),
    [
        ("Hello #abc", True),
        ("ой #abc", True),
        ("好 #abc", True),
        ("😍 #abc", True),
        ("plain", True),
        ("#abc #def #ghi", False),
        ("RT @bc_ana: #OpenData https://example.org/a 2/5 …", False),
        ("@bc_ana", False),
        ("#tag " * 10_000, False),
        ("", False),
    ],
)
def test_what_has_words_beside_hashtags_links_and_mentions(post: str, said: bool) -> None:
    assert has_words(post) is said


def test_a_mark_inside_a_word_is_no_mention() -> None:
    assert read("mail ana@example.org").words()[:2] == ["mail", "ana"]


@pytest.mark.parametrize(
    ("post", "word", "there"),
    [
        ("RT @bc_ana: so #OpenData!", "Data", "Data"),
        ("a &amp; b", "&", "&amp;"),
        ("see https://example.org then go", "then", "then"),
    ],
)
def test_every_word_leads_back_to_the_post(post: str, word: str, there: str) -> None:
    reading = read(post)
    span = reading.word_spans()[reading.words().index(word)]
    start, end = reading.original(*span)
    assert post[start:end] == there


@given(st.text(max_size=200))
def test_spans_lie_inside_any_post_and_in_order(post: str) -> None:
    reading = read(post)
    last = 0
    for start, end in (reading.original(*span) for span in reading.word_spans()):
        assert 0 <= start < end <= len(post)
        assert start >= last - 1
        last = start
    assert not any("\ud800" <= character <= "\udfff" for character in reading.text)


def test_a_very_long_post_is_read_up_to_a_limit_and_says_so() -> None:
    reading = read("word " * LONGEST)
    assert reading.cut
    assert len(reading.text) == LONGEST
    assert not read("short").cut


def test_case_and_accents_fold_away() -> None:
    assert fold("TRANSPARENCIA") == fold("transparencia")
    assert fold("Política") == fold("politica") == fold("poli\u0301tica")
    assert fold("\u0301") == "\u0301"
    assert fold("Straße") == "strasse"


def test_text_as_the_model_was_trained_on() -> None:
    text = "Look  @bc_ana at https://example.org/x &amp;amp; smile\n\ud800"
    assert as_trained(text) == "Look @user at http & smile \ufffd"
