"""Hashed n-grams: what is counted, and that neighbours change nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.ngrams import BUCKETS, features


def buckets(texts: list[str], number: int) -> list[int]:
    found = features(texts)
    return found.bucket[found.text == number].tolist()


def test_a_text_has_its_words_pairs_and_character_runs_each_once() -> None:
    # " ab ": ab, 3 of two, 2 of three, 1 of four characters; the same again adds the pair alone.
    assert len(buckets(["ab"], 0)) == 1 + 3 + 2 + 1
    assert len(buckets(["ab ab"], 0)) == 1 + 3 + 2 + 1 + 1


def test_case_does_not_matter_and_order_does() -> None:
    assert buckets(["Good DAY"], 0) == buckets(["good day"], 0)
    assert buckets(["good day"], 0) != buckets(["day good"], 0)


def test_words_of_neighbours_make_no_pair() -> None:
    assert buckets(["good", "day"], 0) == buckets(["good"], 0)


@given(st.lists(st.text(max_size=60), min_size=1, max_size=6))
def test_the_same_alone_and_in_a_batch(texts: list[str]) -> None:
    for number, text in enumerate(texts):
        assert buckets(texts, number) == buckets([text], 0)


@given(st.lists(st.text(max_size=60), max_size=6))
def test_indices_stay_in_bounds_and_sorted(texts: list[str]) -> None:
    found = features(texts)
    assert np.all((found.bucket >= 0) & (found.bucket < BUCKETS))
    assert np.all((found.text >= 0) & (found.text < max(len(texts), 1)))
    assert np.all(np.diff(found.text) >= 0)
    assert all(found.word_at(word).strip() for word in found.word)


def test_hashes_do_not_depend_on_the_machine() -> None:
    assert buckets(["hi"], 0) == [37063, 45340, 85855, 166960, 388858, 577191, 898178]
