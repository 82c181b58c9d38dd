"""Which pieces of words a network keeps: rows of its pretrained vectors, the special pieces first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from analysis.pieces import cut, unigram, wordpiece
from training.pretrained import Pretrained

PIECES = 48_000  # of 250,000 that the multilingual network is given
COMMON = 15_000  # English pieces that are kept, seen or not: the vocabulary begins with common ones
CJK = 0x3000, 0x1F000  # single characters between are kept only where they are likely


def of_many(source: Pretrained, texts: Sequence[str], limit: int = PIECES) -> list[int]:
    """Rows of the multilingual pieces to keep: those seen twice, single characters, the likeliest others."""
    order = [source.pieces.index(piece) for piece in ("<s>", "</s>", "<unk>")]
    order += [row for row in range(len(source.pieces)) if row not in order and source.pieces[row] != "<pad>"]
    pieces, scores = [source.pieces[row] for row in order], source.scores[order]
    seen = Counter(n for row in cut(unigram(pieces, scores.tolist()), texts) for n in row)
    kept = {0, 1, 2} | {number for number, times in seen.items() if times > 1}
    kept |= {number for number, piece in enumerate(pieces) if number > 2 and _letter(piece)}
    for number in np.argsort(-scores[3:], kind="stable") + 3:
        if len(kept) >= limit:
            break
        kept.add(int(number))
    return [order[number] for number in sorted(kept)]


def of_english(source: Pretrained, texts: Sequence[str], common: int = COMMON) -> list[int]:
    """Rows of the English pieces to keep: those seen, single characters, and the first ``common``."""
    order = [source.pieces.index(piece) for piece in ("[CLS]", "[SEP]", "[UNK]")]
    order += [
        row
        for row, piece in enumerate(source.pieces)
        if row not in order and piece not in ("[PAD]", "[MASK]") and not piece.startswith("[unused")
    ]
    pieces = [source.pieces[row] for row in order]
    kept = {0, 1, 2} | {n for row in cut(wordpiece(pieces), texts) for n in row}
    kept |= {n for n, row in enumerate(order) if row < common or len(pieces[n].removeprefix("##")) == 1}
    return [order[number] for number in sorted(kept)]


def _letter(piece: str) -> bool:
    letter = piece.removeprefix("▁")
    return len(letter) < 2 and not (letter and CJK[0] <= ord(letter) < CJK[1])
