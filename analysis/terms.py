"""The words of a post that say what it is about, alone and in pairs: what vocabulary is counted by.

Links, mentions, the meeting's own hashtags, numbers and stop words say nothing; other hashtags are words.
No spaCy here: the dashboard counts as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from sys import intern

from pydantic import BaseModel

from analysis import word_lists
from analysis.texts import fold, read

STOP_WORDS = Path(__file__).parent.parent / "data" / "stopwords.json"
MOST_WORDS = 300  # of one post; nobody means more
LONGEST_WORD = 40  # characters
SHORTEST_SINGULAR = 3
KEPT = 20_000  # words that were looked at

_ELIDED = re.compile(r"\A(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|dell|nell|dall|all|sull|un)['’](?=\w{2})", re.I)
_POSSESSIVE = re.compile(r"['’]s\Z", re.I)
_NUMBER = re.compile(r"\d+(?:am|pm|st|nd|rd|th|h|hs?|min|k|x|er|e|º|ª)?")


class StopWords(BaseModel, extra="allow"):
    """Words between blanks: those of posts in any language, and a list a language beside them."""

    __pydantic_extra__: dict[str, str]
    posts: str


def stop_words(languages: tuple[str, ...]) -> frozenset[str]:
    """Folded words of these languages that say nothing by themselves, and those of posts in any language.

    A language without a list adds none. Raises ModelError where the lists cannot be read.
    """
    return _chosen(STOP_WORDS, languages)


@cache
def _chosen(path: Path, languages: tuple[str, ...]) -> frozenset[str]:
    lists = _lists(path)
    chosen = " ".join(lists.get(code, "") for code in ("posts", *languages) if code != "licence")
    return frozenset(fold(word) for word in chosen.split())


@cache
def _lists(path: Path) -> dict[str, str]:
    """Read once: what happens to the file while posts are tagged is nothing to them."""
    return word_lists.load(
        path, "stop words", lambda text: StopWords.model_validate(json.loads(text)).model_dump()
    )


def runs(text: str, own_hashtags: Collection[str], stop: frozenset[str]) -> Iterator[list[str]]:
    """The words that say something, as written, in stretches that nothing interrupts."""
    run: list[str] = []
    for written in read(text, own_hashtags).words()[:MOST_WORDS]:
        word = written
        if "'" in written or "’" in written:
            word = _POSSESSIVE.sub("", _ELIDED.sub("", written))
        if says_something(word, stop):
            run.append(word)
        elif run:
            yield run
            run = []
    if run:
        yield run


def says_something(word: str, stop: frozenset[str]) -> bool:
    """Whether a word is neither a sign, a number, a single letter nor a stop word."""
    return 1 < len(word) <= LONGEST_WORD and word[0].isalnum() and _tells(word, stop)


@lru_cache(maxsize=KEPT)
def _tells(word: str, stop: frozenset[str]) -> bool:
    folded = fold(word).replace("’", "'")
    return folded not in stop and not _NUMBER.fullmatch(folded)


@lru_cache(maxsize=KEPT)
def norm(word: str) -> str:
    """A word without case, accents and the -s of a plural: what is counted as one."""
    folded = fold(word)
    if len(folded) <= SHORTEST_SINGULAR or folded[-1] != "s":
        return folded
    of_acronym = word[-1] == "s" and word[:-1].isupper()  # APIs
    return folded[:-1] if of_acronym or folded[-2] not in "siu" else folded


def grams(run: Sequence[str]) -> Iterator[str]:
    """The words of a run and its pairs of neighbours, as they are counted."""
    words = [norm(word) for word in run]
    yield from words
    for first, second in pairwise(words):
        if first != second:
            yield f"{first} {second}"


def terms(text: str, own_hashtags: Collection[str], stop: frozenset[str]) -> tuple[str, ...]:
    """The different words and pairs of a post as they are counted, in order of appearance."""
    return terms_of(runs(text, own_hashtags, stop))


def terms_of(runs: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The same of its runs."""
    return tuple(intern(gram) for gram in dict.fromkeys(gram for run in runs for gram in grams(run)))


def as_written(phrase: Sequence[str], runs: Iterable[Sequence[str]]) -> str:
    """How the runs of a post write a phrase, given as it is counted; empty where they do not have it."""
    wanted = list(phrase)
    for run in runs:
        words = [norm(word) for word in run]
        for at in range(len(words) - len(wanted) + 1):
            if words[at : at + len(wanted)] == wanted:
                return " ".join(run[at : at + len(wanted)])
    return ""
