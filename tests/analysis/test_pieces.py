"""Texts as pieces of words, and vectors in four bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.pieces import (
    END,
    LONGEST,
    START,
    UNKNOWN,
    cut,
    in_english_words,
    not_shouting,
    pack,
    says_something,
    unigram,
    unpack,
    wordpiece,
)

MANY = ["<s>", "</s>", "<unk>", "▁", "▁not", "▁bad", "n", "o", "t", "b", "a", "d", "é", "1"]
ENGLISH = ["[CLS]", "[SEP]", "[UNK]", "not", "bad", "b", "##a", "##d", "!", "face", "smiling"]


@pytest.fixture(scope="module")
def many() -> object:
    return unigram(MANY, [0.0, 0.0, 0.0, -2.0, -3.0, -3.0, *[-6.0] * 8])


def test_whole_words_and_what_they_fall_into(many) -> None:  # type: ignore[no-untyped-def]
    assert cut(many, ["not bad"]) == [[START, 4, 5, END]]
    assert cut(many, ["nod"]) == [[START, 3, 6, 7, 11, END]]
    assert cut(many, ["日"]) == [[START, 3, UNKNOWN, END]]


def test_one_character_written_in_two_ways_is_one(many) -> None:  # type: ignore[no-untyped-def]
    assert cut(many, ["é", "e\u0301", "é\u200b"])[1:] == cut(many, ["é", "é"])
    assert cut(many, ["①"]) == cut(many, ["1"])


def test_white_space_counts_once(many) -> None:  # type: ignore[no-untyped-def]
    assert cut(many, ["  not \n\t bad "]) == cut(many, ["not bad"])


def test_a_long_text_is_read_up_to_a_limit(many) -> None:  # type: ignore[no-untyped-def]
    found = cut(many, ["bad " * 10_000])[0]
    assert len(found) == LONGEST
    assert (found[0], found[-1]) == (START, END)


def test_english_pieces_know_no_case() -> None:
    tokenizer = wordpiece(ENGLISH)
    assert cut(tokenizer, ["NOT bad!", "bád"]) == [[START, 3, 4, 8, END], [START, 4, END]]
    assert cut(tokenizer, ["zebra"]) == [[START, UNKNOWN, END]]


def test_symbols_are_called_by_name() -> None:
    assert in_english_words("so sad 😂").split() == ["so", "sad", "face", "with", "tears", "of", "joy"]
    assert in_english_words("plain, été") == "plain, été"


def test_signs_alone_say_nothing() -> None:
    assert [says_something(text) for text in ("a", "4", "🙃", "日", "نعم")] == [True] * 5
    assert [says_something(text) for text in ("", " \n", "?!…", "\u202e")] == [False] * 4


def test_capitals_are_heard_without_shouting() -> None:
    assert not_shouting("THIS IS BAD") == "this is bad"
    assert not_shouting("This is BAD") == "This is BAD"
    assert not_shouting("42 😂") == "42 😂"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=[]), max_size=40), max_size=4))
def test_any_text_is_cut_as_if_alone(texts: list[str]) -> None:
    for tokenizer in (unigram(MANY, [-1.0] * 14), wordpiece(ENGLISH)):
        assert cut(tokenizer, texts) == [cut(tokenizer, [text])[0] for text in texts]


def test_vectors_in_four_bits() -> None:
    chance = np.random.default_rng(7)
    vectors = chance.normal(size=(5, 64)).astype(np.float32)
    packed = pack(vectors)
    assert packed.shape == (5, 36)
    read = unpack(packed)
    blocks = np.abs(vectors).reshape(-1, 32).max(axis=1)
    assert np.all(np.abs(read - vectors).reshape(-1, 32).max(axis=1) <= blocks / 8 + 1e-3)
    assert np.array_equal(pack(read), packed), "packing again loses nothing"
    assert unpack(pack(np.zeros((2, 32), np.float32))).tolist() == np.zeros((2, 32)).tolist()
