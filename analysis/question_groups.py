"""Questions that ask the same, in whatever words and language, with one that stands for them all.

Questions are taken as they were asked. Each joins the most alike of the representatives before it, or
becomes one itself: so every question of a group is like its representative, no chain leads astray, and the
groups depend on the questions alone, not on the order in which they came in.

Two questions are alike if their vectors are. A question that asks for something else (who, where, how many)
is further away than its vector says; so is one in nearly the same words, since those make vectors alike by
themselves: "which licence does Norway use" and "which licence does Chile use".
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.question_model import kind_of_question
from analysis.texts import fold, read

Floats = NDArray[np.float32]

#: Chosen on the pairs of training/sentences/same_questions.toml, half of whose others are made to mislead.
ALIKE = 0.66
OTHER_KIND = 0.1
SAME_WORDS = 0.2
DIMENSIONS = 512
BLOCK = 64  # questions compared with all earlier ones at once
#: Kinds that are worded one way in one language and another way in the next.
_ONE_KIND = {"which": "what", "what if": None}


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is compared. ``vector`` is (512,), of unit length; ``None`` without an encoder."""

    id: int
    created_at: str
    key: str
    text: str
    vector: Floats | None


@dataclass(slots=True)
class _Known:
    order: tuple[str, str]
    question: Question
    kind: str | None
    words: frozenset[str]
    representative: int = -1  # a place in the order


@dataclass(slots=True)
class Groups:
    """Grows with every ``add``; what it says is what ``group`` says of all questions together."""

    _known: list[_Known] = field(default_factory=list)
    _vectors: Floats = field(default_factory=lambda: np.zeros((0, DIMENSIONS), dtype=np.float32))

    def add(self, questions: Iterable[Question]) -> None:
        """Take in questions; those that are known by their id already change nothing.

        New against known, and with those asked later than the first new one once more.
        """
        ids = {known.question.id for known in self._known}
        new = {question.id: question for question in questions if question.id not in ids}
        if not new:
            return
        fresh = sorted(map(_known, new.values()), key=lambda known: known.order)
        first = bisect_left(self._known, fresh[0].order, key=lambda known: known.order)
        self._known = sorted([*self._known, *fresh], key=lambda known: known.order)
        rows = [_row(known.question) for known in self._known[first:]]
        self._vectors = np.concatenate((self._vectors[:first], np.stack(rows)))
        self._lead(first)

    def update(self, questions: Sequence[Question]) -> None:
        """Make these, all there are, the questions: where one is gone or reads otherwise, all over again."""
        now = {question.id: (question.key, question.text) for question in questions}
        if any(now.get(k.question.id) != (k.question.key, k.question.text) for k in self._known):
            self._known, self._vectors = [], self._vectors[:0]
        self.add(questions)

    def representatives(self) -> dict[int, int]:
        """By id of each question the id of the one that stands for it, which may be its own."""
        return {k.question.id: self._known[k.representative].question.id for k in self._known}

    def _lead(self, first: int) -> None:
        """Say anew who stands for whom from this place on; what comes before stays."""
        same_words = {
            known.words: place
            for place, known in enumerate(self._known[:first])
            if known.representative == place
        }
        leads = np.zeros(len(self._known), dtype=bool)
        leads[[known.representative for known in self._known[:first]]] = True
        for start in range(first, len(self._known), BLOCK):
            block = self._vectors[start : start + BLOCK]
            near = block @ self._vectors[: start + len(block)].T
            for row, place in enumerate(range(start, start + len(block))):
                known = self._known[place]
                twin = same_words.get(known.words)
                known.representative = self._nearest(place, near[row], leads) if twin is None else twin
                if known.representative == place:
                    leads[place] = True
                    same_words[known.words] = place

    def _nearest(self, place: int, near: Floats, leads: NDArray[np.bool_]) -> int:
        candidates = np.flatnonzero(leads[:place] & (near[:place] >= ALIKE))
        best, most = place, ALIKE
        for other in candidates.tolist():
            likeness = float(near[other]) - _apart(self._known[place], self._known[other])
            if likeness >= most and (best == place or likeness > most):
                best, most = other, likeness
        return best


def group(questions: Sequence[Question]) -> dict[int, int]:
    """By id of each question the id of the one that stands for it: the first asked of its group."""
    groups = Groups()
    groups.add(questions)
    return groups.representatives()


def likeness(one: Question, other: Question) -> float:
    """How alike two questions are; from ALIKE on they ask the same."""
    first, second = _known(one), _known(other)
    if first.words == second.words:
        return 1.0
    return float(_row(one) @ _row(other)) - _apart(first, second)


def _known(question: Question) -> _Known:
    reading = read(question.text)
    words = frozenset(fold(word) for word in reading.words() if word[0].isalnum())
    kind = kind_of_question(reading.text)
    return _Known((question.created_at, question.key), question, _ONE_KIND.get(kind or "", kind), words)


def _apart(one: _Known, other: _Known) -> float:
    """By how much less alike two questions are than their vectors."""
    shared = len(one.words & other.words) / max(1, min(len(one.words), len(other.words)))
    differ = one.kind is not None and other.kind is not None and one.kind != other.kind
    return OTHER_KIND * differ + SAME_WORDS * shared


def _row(question: Question) -> Floats:
    if question.vector is None:
        return np.zeros(DIMENSIONS, dtype=np.float32)
    return question.vector.astype(np.float32)
