"""Which pieces are kept."""

from __future__ import annotations

import numpy as np

from training import vocabulary
from training.pretrained import Pretrained


def source(pieces: list[str], scores: list[float]) -> Pretrained:
    vectors = np.zeros((len(pieces), 4), np.float32)
    return Pretrained(pieces, np.array(scores, np.float32), vectors, {}, 1, 1e-12)


def test_what_is_seen_twice_single_letters_and_the_likeliest() -> None:
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁good", "▁once", "▁likely", "▁rare", "o", "日", "<mask>"]
    scores = [0, 0, 0, 0, -2, -5, -6, -3, -9, -8, -9, -9.5]
    kept = vocabulary.of_many(source(pieces, scores), ["good once", "good"], limit=7)
    assert [pieces[row] for row in kept] == ["<s>", "</s>", "<unk>", "▁", "▁good", "▁likely", "o"]


def test_english_pieces_that_are_seen_or_common() -> None:
    pieces = [
        "[PAD]",
        "[unused0]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "common",
        "good",
        "unseen",
        "z",
        "##z",
    ]
    kept = vocabulary.of_english(source(pieces, []), ["good"], common=7)
    assert [pieces[row] for row in kept] == ["[CLS]", "[SEP]", "[UNK]", "common", "good", "z", "##z"]
