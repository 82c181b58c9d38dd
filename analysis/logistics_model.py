"""What shows that a post is about the running of a meeting: the stream, the sound, the room, the coffee.

The words of all languages count at once (``data/logistics.toml``), so that a wrong guess at the language
hides nothing. A word alone is a weak hint ("data stream", "room for improvement"): the post's vector decides
with it, and without a cue no post is marked.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from analysis import linear_model, word_lists
from analysis.linear_model import LinearModel, Sign
from data import shipped

MODEL = shipped("models", "logistics.json")

CUES = shipped("logistics.toml")
_TROUBLE = "trouble"
_WORD = re.compile(r"\w+(?:[-/]\w+)*")


Alternatives = Annotated[list[str], Field(min_length=1)]


class _File(BaseModel):
    """The file of cues: alternatives of regular expressions."""

    trouble: Alternatives
    matter: Alternatives
    about: Annotated[dict[str, Alternatives], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Cues:
    """The cues as they are looked for; ``kinds`` are those of a word about the meeting's running.

    ``words`` are those that stand alone, by their kind; ``phrases`` has a group a kind.
    """

    kinds: frozenset[str]
    words: Mapping[str, re.Pattern[str]]
    phrases: re.Pattern[str]
    matter: re.Pattern[str]


def load(path: Path = MODEL) -> LinearModel:
    """The shipped model, read once, and its cues with it. Raises ModelError."""
    _cues_of(CUES)
    return _load(path)


@cache
def _load(path: Path) -> LinearModel:
    return linear_model.load(path, "logistics")


def signs(text: str) -> list[Sign]:
    """Cues in a reading text, each kind once, with the half-open span of the first."""
    matter = list(_cues_of(CUES).matter.finditer(text))
    found = list(_cues(text, matter))
    if matter:
        found.append(Sign("of the matter", 1.0, *matter[0].span()))
    return found


def has_cue(found: list[Sign]) -> bool:
    """Is there a word about the meeting's running among the signs?"""
    return any(sign.name in _cues_of(CUES).kinds for sign in found)


def _cues(text: str, matter: list[re.Match[str]]) -> Iterator[Sign]:
    seen: dict[str, tuple[int, int]] = {}
    for kind, start, end in _found(text):
        if kind not in seen and not any(m.start() <= start < m.end() for m in matter):
            seen[kind] = start, end
    for kind, span in seen.items():
        yield Sign(kind, 1.0, *span)
    if _TROUBLE in seen and len(seen) > 1:
        yield Sign("trouble with it", 1.0, *seen[_TROUBLE])
    if len(seen) - (_TROUBLE in seen) > 1:
        yield Sign("several cues", 1.0, *next(span for kind, span in seen.items() if kind != _TROUBLE))


def _found(text: str) -> Iterator[tuple[str, int, int]]:
    for hit in _cues_of(CUES).phrases.finditer(text):
        if hit.lastgroup:
            yield hit.lastgroup.replace("_", " "), *hit.span()
    for word in _WORD.finditer(text):
        for kind in _kinds(word[0].lower()):
            yield kind, *word.span()


@lru_cache(65_536)
def _kinds(word: str) -> tuple[str, ...]:
    """What a word alone is about; most words of a stream were seen before."""
    return tuple(kind for kind, pattern in _cues_of(CUES).words.items() if pattern.fullmatch(word))


@cache
def _cues_of(path: Path) -> Cues:
    return word_lists.load(path, "cues of logistics", _parsed)


def _parsed(text: str) -> Cues:
    file = _File.model_validate(tomllib.loads(text))
    kinds = {_TROUBLE: _pieces("|".join(file.trouble))}
    kinds |= {kind: _pieces("|".join(lines)) for kind, lines in file.about.items()}
    groups = (
        f"(?P<{kind.replace(' ', '_')}>{'|'.join(phrases)})"
        for kind, pieces in kinds.items()
        if (phrases := [piece for piece in pieces if " " in piece])
    )
    return Cues(
        kinds=frozenset(file.about),
        words={
            kind: re.compile("|".join(piece for piece in pieces if " " not in piece))
            for kind, pieces in kinds.items()
        },
        phrases=_whole("|".join(groups)),
        matter=_whole("|".join(file.matter)),
    )


def _whole(words: str) -> re.Pattern[str]:
    spaced = words.replace(" ", r"\s+")
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)", re.IGNORECASE)


def _pieces(words: str) -> list[str]:
    """The alternatives of a pattern, those inside brackets left together."""
    depth, pieces = 0, [""]
    for character in words:
        depth += (character == "(") - (character == ")")
        if character == "|" and not depth:
            pieces.append("")
        else:
            pieces[-1] += character
    return pieces
