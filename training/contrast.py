"""Learns a lens for the theme encoder: a matrix under which a word and the posts it stands in come together.

The words of a post say what it is about, so posts without labels teach how far a keyword is from a post. A
word is cut out of a post, and the matrix is moved, a little away from identity, so that among many posts the
word's vector finds its own (InfoNCE, both ways, Adam).
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.labelled import SEED, Labelled, readings

Singles = NDArray[np.float32]

STEPS = 300
AT_ONCE = 512
PACE = 1e-3
TEMPERATURE = 0.15
OTHER_LANGUAGES = 3.0  # how much oftener a post that is not English is drawn
ENGLISH = 20_000  # posts at most
RARE, COMMON = 4, 400  # posts in which a word that is cut out may stand
SHORTEST = 4  # letters of such a word
LEFT = 15  # characters that must be left
HASHTAGS = 0.5  # share of the posts with hashtags of which one is cut out

_WORD = re.compile(r"[^\W\d_]{3,}")
_HASHTAG = re.compile(r"#(\w{4,})")


def pairs(posts: Labelled) -> tuple[list[str], list[str], list[str]]:
    """Posts without one of their words, that word, and the language, column by column."""
    rng = random.Random(SEED)
    texts = [text.lower() for text in readings(posts.texts)]
    tags = [
        [text.strip().lower() for text in readings(f"#{tag}" for tag in _HASHTAG.findall(text))]
        for text in posts.texts
    ]
    words = [sorted(set(_WORD.findall(text))) for text in texts]
    posts_with = Counter(word for of_post in words for word in of_post)
    found: list[tuple[str, str, str]] = []
    english = 0
    for number in rng.sample(range(len(texts)), len(texts)):
        language = str(posts.languages[number])
        if language == "en" and english == ENGLISH:
            continue
        fit = [w for w in words[number] if RARE <= posts_with[w] <= COMMON and len(w) >= SHORTEST]
        marked = [tag for tag in tags[number] if len(tag) >= SHORTEST]
        if marked and rng.random() < HASHTAGS:
            fit = marked
        if not fit:
            continue
        word = rng.choice(fit)
        rest = " ".join(re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", " ", texts[number]).split())
        if len(rest) >= LEFT:
            found.append((rest, word, language))
            english += language == "en"
    rests, cut, languages = zip(*found, strict=True)
    return list(rests), list(cut), list(languages)


def learn(posts: Singles, words: Singles, same: NDArray[np.intp], languages: Sequence[str]) -> Singles:
    """The lens (values, values) for pairs of unit vectors; ``same`` numbers the words."""
    rng = np.random.default_rng(SEED)
    size = posts.shape[1]
    lens = np.eye(size, dtype=np.float32)
    momentum, scale = np.zeros_like(lens), np.zeros_like(lens)
    weight = np.where(np.asarray(languages) == "en", 1.0, OTHER_LANGUAGES)
    weight /= weight.sum()
    drawn = min(AT_ONCE, len(posts))
    for step in range(1, STEPS + 1):
        some = rng.choice(len(posts), drawn, p=weight, replace=False)
        slope = _slope(lens, posts[some], words[some], same[some])
        momentum = 0.9 * momentum + 0.1 * slope
        scale = 0.999 * scale + 0.001 * slope * slope
        pace = PACE * (1 - step / STEPS)
        lens -= pace * (momentum / (1 - 0.9**step)) / (np.sqrt(scale / (1 - 0.999**step)) + 1e-8)
    return lens


def _slope(lens: Singles, posts: Singles, words: Singles, same: NDArray[np.intp]) -> Singles:
    """The derivative of the loss by the lens."""
    left, left_length = _unit(posts @ lens)
    right, right_length = _unit(words @ lens)
    cosines = left @ right.T / np.float32(TEMPERATURE)
    twins = same[:, None] == same
    np.fill_diagonal(twins, False)
    cosines[twins] = -1 / TEMPERATURE  # the same word of another post is no wrong answer
    powers = np.exp(cosines - cosines.max())
    pull = powers / powers.sum(axis=1, keepdims=True) + powers / powers.sum(axis=0)
    pull -= 2 * np.eye(len(posts), dtype=np.float32)
    pull /= np.float32(2 * len(posts) * TEMPERATURE)
    slope: Singles = posts.T @ _through(pull @ right, left, left_length) + words.T @ _through(
        pull.T @ left, right, right_length
    )
    return slope


def _unit(rows: Singles) -> tuple[Singles, Singles]:
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    return rows / length, length


def _through(slope: Singles, rows: Singles, length: Singles) -> Singles:
    """A slope by unit rows as one by the rows before they were scaled."""
    turned: Singles = (slope - np.einsum("ij,ij->i", slope, rows)[:, None] * rows) / length
    return turned
