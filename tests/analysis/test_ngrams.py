"""Hashed n-grams: what is counted, and that neighbours change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.ngrams import SCOPE, Recipe, features, plain

EVERYTHING = Recipe(bits=20, characters=(2, 3, 4, 5), pairs=True, marked=True)
WORDS = Recipe(bits=20, characters=(), pairs=False, marked=False)
MARKED = Recipe(bits=20, characters=(), pairs=False, marked=True)


def buckets(texts: list[str], number: int, recipe: Recipe = EVERYTHING) -> list[int]:
    found = features(texts, recipe)
    return found.bucket[found.text == number].tolist()


def test_a_text_has_its_words_pairs_and_character_runs_each_once() -> None:
    # " ab ": ab, 3 of two, 2 of three, 1 of four characters; the same again adds the pair alone.
    assert len(buckets(["ab"], 0)) == 1 + 3 + 2 + 1
    assert len(buckets(["ab ab"], 0)) == 1 + 3 + 2 + 1 + 1
    assert len(buckets(["ab ab"], 0, WORDS)) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Good DAY", "good day"),
        ("soooooo good", "soo good"),
        ("well done 👍🏿", "well done 👍"),
        ("❤️", "❤"),
        ("don’t", "don't"),
        ("cafe\u0301", "café"),
        ("جميلـــة", "جميله"),
        ("مُمتاز", "ممتاز"),
    ],
)
def test_what_says_the_same_counts_the_same(one: str, other: str) -> None:
    assert plain(one) == plain(other)
    assert buckets([one], 0) == buckets([other], 0)


def test_order_matters() -> None:
    assert buckets(["good day"], 0) != buckets(["day good"], 0)


def test_each_picture_is_a_word_and_marks_do_not_break_one() -> None:
    pair = {*buckets(["🎉"], 0, WORDS), *buckets(["😂"], 0, WORDS)}
    assert set(buckets(["🎉😂🎉"], 0, WORDS)) == pair
    assert len(buckets(["किताब"], 0, WORDS)) == 1


def test_words_after_a_negator_count_as_negated_too() -> None:
    def under(text: str) -> int:
        return len(buckets([text], 0, MARKED)) - len(buckets([text], 0, WORDS))

    assert under("a bad idea") == 0
    assert under("not a bad idea") == 3
    assert under("not a, bad idea") == 1
    found = features(["not bad", "bad"], MARKED)
    assert [found.word_at(word) for word in np.flatnonzero(found.negated)] == ["bad"]
    assert not features(["not bad"], WORDS).negated.any()
    assert under("no " + " ".join("abcdefgh")) == SCOPE
    assert buckets(["not", "bad"], 1, MARKED) == buckets(["bad"], 0, WORDS)


def test_words_after_a_contrast_count_as_such_too() -> None:
    def marked(text: str) -> int:
        return len(buckets([text], 0, MARKED)) - len(buckets([text], 0, WORDS))

    assert marked("nice slides, but what a mess") == 3
    assert marked("nice slides, what a mess") == 0
    assert buckets(["but", "mess"], 1, MARKED) == buckets(["mess"], 0, WORDS)


def test_words_of_neighbours_make_no_pair() -> None:
    assert buckets(["good", "day"], 0) == buckets(["good"], 0)


@given(st.lists(st.text(max_size=60) | st.just("not so good"), min_size=1, max_size=6))
def test_the_same_alone_and_in_a_batch(texts: list[str]) -> None:
    for number, text in enumerate(texts):
        assert buckets(texts, number) == buckets([text], 0)


@given(st.lists(st.text(max_size=60), max_size=6))
def test_indices_stay_in_bounds_and_sorted(texts: list[str]) -> None:
    found = features(texts, EVERYTHING)
    assert np.all((found.bucket >= 0) & (found.bucket < EVERYTHING.buckets))
    assert np.all((found.text >= 0) & (found.text < max(len(texts), 1)))
    assert np.all(np.diff(found.text) >= 0)
    assert all(found.word_at(word).strip() for word in found.word)


def test_hashes_do_not_depend_on_the_machine() -> None:
    assert buckets(["hi"], 0) == [37063, 45340, 85855, 166960, 388858, 577191, 898178]
