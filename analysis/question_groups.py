"""Questions that ask the same, in whatever words and language, with one that stands for them all.

Questions are taken as they were asked. Each joins the most alike of the representatives before it, or
becomes one itself: so every question of a group is like its representative, no chain leads astray, and the
groups depend on the questions alone, not on the order in which they came in.

Two questions are alike if their vectors are. A question that asks for something else (who, where, how many)
is further away than its vector says; so is one that denies what the other does not, or that has other
numbers, and one in nearly the same words, since those make vectors alike by themselves: "which licence does
Norway use" and "which licence does Chile use".
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from analysis.ngrams import NEGATORS
from analysis.question_model import kind_of_question
from analysis.texts import fold, read

Floats = NDArray[np.float32]
Order = tuple[str, str, int]
Said = tuple[str, str, str]  # when, by which key, in which words

#: Chosen on the pairs of training/sentences/same_questions.toml, half of whose others are made to mislead.
ALIKE = 0.66
OTHER_KIND = 0.1
SAME_WORDS = 0.2
OTHER_SENSE = 0.2
DIMENSIONS = 512
BLOCK = 64  # questions compared with the representatives at once
#: Kinds that are worded one way in one language and another way in the next.
_ONE_KIND = {"which": "what", "what if": None}
_NEGATORS = frozenset(map(fold, NEGATORS.split()))
#: "Not just" denies nothing.
_ONLY = frozenset(("just", "only", "merely", "solo", "seulement", "nur", "so", "apenas", "somente"))
_NOWHERE = np.zeros(DIMENSIONS, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is compared. ``vector`` is (512,), of unit length; ``None`` without an encoder."""

    id: int
    created_at: str
    key: str
    text: str
    vector: Floats | None

    @property
    def said(self) -> Said:
        return self.created_at, self.key, self.text


@dataclass(slots=True, eq=False)
class _Known:
    question: Question
    kind: str | None
    words: frozenset[str]
    denies: bool
    numbers: frozenset[str]
    row: Floats
    order: Order
    representative: _Known | None = None

    @property
    def leads(self) -> bool:
        return self.representative is self

    @property
    def settled(self) -> bool:
        """Whether the one that stands for it still stands for itself."""
        return self.representative is not None and self.representative.leads


_order = attrgetter("order")


class _Rows:
    """Questions, and their vectors as the rows of one matrix that has room to grow."""

    def __init__(self, known: Iterable[_Known] = ()) -> None:
        self.known = list(known)
        self._matrix = _stack(self.known)

    def extend(self, known: Sequence[_Known]) -> None:
        size, needed = len(self.known), len(self.known) + len(known)
        if needed > len(self._matrix):
            room = np.zeros((needed + len(self._matrix), DIMENSIONS), dtype=np.float32)
            room[:size] = self._matrix[:size]
            self._matrix = room
        self._matrix[size:needed] = _stack(known)
        self.known += known

    def near(self, rows: Floats) -> Floats:
        """How near each of these rows is to each of the questions."""
        return rows @ self._matrix[: len(self.known)].T


class Groups:
    """Grows and shrinks; what it says is always what ``group`` says of all its questions together.

    A question's choice depends on itself and on the representatives before it. So it stands while the one
    chosen still is a representative, unless there is a new one before it that is as near or has its words:
    others that go were not the best, and are missed by nobody. Only a new or lost representative has
    consequences, and only for later questions: they are gone through in order, once.
    """

    def __init__(self) -> None:
        self.said: dict[int, Said] = {}
        self.changed: set[int] = set()  # to whom another was given than before; for the caller to clear
        self._by_id: dict[int, _Known] = {}
        self._known: list[_Known] = []  # the same in order
        self._leads = _Rows()
        self._same_words: dict[frozenset[str], _Known] = {}  # the last representative with these words

    def add(self, questions: Iterable[Question]) -> None:
        """Take in questions; those that are known by their id already change nothing."""
        new = {question.id: question for question in questions if question.id not in self.said}
        fresh = {one: _known(question) for one, question in new.items()}
        for known in fresh.values():
            insort(self._known, known, key=_order)
        self._by_id.update(fresh)
        self.said.update((one, question.said) for one, question in new.items())
        if fresh:
            self._lead(min(map(_order, fresh.values())))

    def forget(self, ids: Iterable[int]) -> None:
        """Let go of questions; those that are not known change nothing."""
        gone = [self._by_id.pop(one) for one in set(ids) if self.said.pop(one, None)]
        leads = [known.order for known in gone if known.leads]
        self._known = [known for known in self._known if known.question.id in self.said]
        for known in gone:
            known.representative = None
        if leads:
            self._clear()
            self._lead(min(leads))

    def representatives(self, ids: Iterable[int] | None = None) -> dict[int, int]:
        """By id of each question, or of these, the id of the one that stands for it, which may be its own."""
        asked = self._by_id if ids is None else self._by_id.keys() & ids
        chiefs = ((one, self._by_id[one].representative) for one in asked)
        return {one: chief.question.id for one, chief in chiefs if chief}

    def _lead(self, first: Order) -> None:
        # Threads that wait for each other cost more than they bring.
        with _blas().limit(limits=1, user_api="blas"):
            self._lead_from(first)

    def _lead_from(self, first: Order) -> None:
        """Say anew who stands for whom, of those asked from this moment on whose choice may differ."""
        added, words, lost = _Rows(), set[frozenset[str]](), False
        for start in range(bisect_left(self._known, first, key=_order), len(self._known), BLOCK):
            block = self._known[start : start + BLOCK]
            if not added.known and all(known.settled for known in block):
                continue
            rows, candidates, fresh = _stack(block), [*self._leads.known, *block], list[_Known]()
            unsure = np.array([not known.settled for known in block])
            unsure[~unsure] = (added.near(rows[~unsure]) >= ALIKE).any(axis=1)
            near = dict(zip(np.flatnonzero(unsure).tolist(), self._near(rows[unsure], rows), strict=True))
            for n, known in enumerate(block):
                if known.settled and not unsure[n] and known.words not in words:
                    continue
                before = known.representative
                likeness = near[n] if n in near else self._near(rows[n : n + 1], rows)[0]
                known.representative = self._chosen(known, likeness, candidates)
                if known.representative is before:
                    continue
                self.changed.add(known.question.id)
                lost |= before is known
                if known.leads:
                    self._same_words[known.words] = known
                    words.add(known.words)
                    fresh.append(known)
                    unsure |= rows @ known.row >= ALIKE
            self._leads.extend(fresh)
            added.extend(fresh)
        if lost:
            self._clear()

    def _near(self, rows: Floats, block: Floats) -> Floats:
        return np.hstack((self._leads.near(rows), rows @ block.T))

    def _chosen(self, known: _Known, near: Floats, candidates: Sequence[_Known]) -> _Known:
        """The representative before it that has the same words or is the most alike, or it itself."""
        twin = self._same_words.get(known.words)
        if twin and twin.leads and twin.order < known.order:
            return twin
        best, most = known, ALIKE
        for place in np.flatnonzero(near >= ALIKE).tolist():
            other = candidates[place]
            if not other.leads or other.order >= known.order:
                continue
            likeness = float(near[place]) - _apart(known, other)
            if likeness > most or (likeness == most and other.order < best.order):
                best, most = other, likeness
        return best

    def _clear(self) -> None:
        """Let go of those that are no representatives any more."""
        leads = [known for known in self._known if known.leads]
        self._leads = _Rows(leads)
        self._same_words = {known.words: known for known in leads}


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
    return float(first.row @ second.row) - _apart(first, second)


def _known(question: Question) -> _Known:
    reading = read(question.text)
    words = [fold(word) for word in reading.words() if word[0].isalnum()]
    denies = any(
        word in _NEGATORS and following not in _ONLY for word, following in zip_longest(words, words[1:])
    )
    numbers = frozenset(filter(str.isdecimal, words))
    kind = kind_of_question(reading.text)
    row = _NOWHERE if question.vector is None else np.asarray(question.vector, dtype=np.float32)
    order = question.created_at, question.key, question.id
    same_kind = _ONE_KIND.get(kind or "", kind)
    return _Known(question, same_kind, frozenset(words), denies, numbers, row, order)


def _apart(one: _Known, other: _Known) -> float:
    """By how much less alike two questions are than their vectors."""
    shared = len(one.words & other.words) / max(1, min(len(one.words), len(other.words)))
    differ = one.kind is not None and other.kind is not None and one.kind != other.kind
    senses = (one.denies != other.denies) + bool(
        one.numbers and other.numbers and one.numbers != other.numbers
    )
    return OTHER_KIND * differ + SAME_WORDS * shared + OTHER_SENSE * senses


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def _stack(known: Sequence[_Known]) -> Floats:
    return np.stack([one.row for one in known]) if known else np.zeros((0, DIMENSIONS), dtype=np.float32)
