"""Questions that ask the same: made-up pairs, any order, no chains."""

from __future__ import annotations

import random
import time
import tomllib
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import encoder, question_groups
from analysis.question_groups import ALIKE, Groups, Question, group, likeness

PAIRS = Path(__file__).parents[1] / "behaviour" / "same_questions.toml"


def unit(*values: float) -> np.ndarray:
    vector = np.zeros(512, dtype=np.float32)
    vector[: len(values)] = values
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def turned(degrees: float) -> np.ndarray:
    return unit(np.cos(np.radians(degrees)), np.sin(np.radians(degrees)))


def asked(number: int, text: str, vector: np.ndarray | None, *, at: int | None = None) -> Question:
    minute = number if at is None else at
    return Question(number, f"2012-03-26T09:{minute:02}:00Z", f"x:{number:03}", text, vector)


def encoded(texts: list[str]) -> list[Question]:
    vectors = encoder.rounded(encoder.load().encode(texts))
    return [
        Question(number, f"2012-03-26T{number // 60:02}:{number % 60:02}:00Z", f"x:{number:04}", text, vector)
        for number, (text, vector) in enumerate(zip(texts, vectors, strict=True))
    ]


def test_the_first_asked_stands_for_its_group() -> None:
    questions = [
        asked(3, "alpha beta", turned(5)),
        asked(1, "gamma delta", turned(0)),
        asked(2, "epsilon zeta", turned(90)),
        asked(4, "eta theta", turned(8), at=1),
    ]
    assert group(questions) == {1: 1, 4: 1, 3: 1, 2: 2}, "of one moment, the key decides"


def test_no_chain_leads_from_one_question_to_another() -> None:
    # Each is like the next one, and the last is not like the first.
    words = ["one two", "three four", "five six", "seven eight"]
    chain = [asked(n, words[n], turned(n * 35)) for n in range(4)]
    assert likeness(chain[0], chain[1]) >= ALIKE > likeness(chain[0], chain[2])
    found = group(chain)
    assert found[1] == found[0] != found[2] == found[3]
    for question in chain:
        assert question.id == found[question.id] or likeness(question, chain[found[question.id]]) >= ALIKE


def test_the_most_alike_is_joined() -> None:
    questions = [asked(1, "one", turned(0)), asked(2, "two", turned(60)), asked(3, "three", turned(40))]
    assert group(questions) == {1: 1, 2: 2, 3: 2}


def test_another_kind_of_question_is_further_away() -> None:
    who = asked(1, "Who pays the bill?", turned(0))
    where = asked(2, "Where to send an invoice?", turned(30))
    assert likeness(who, where) < likeness(who, replace(where, text="Quién recibe la factura?"))


def test_nearly_the_same_words_say_less_than_their_vectors() -> None:
    norway = asked(1, "Which licence does Norway use?", turned(0))
    chile = asked(2, "Which licence does Chile use?", turned(30))
    spanish = asked(3, "¿Qué licencia usa Noruega?", turned(30))
    assert likeness(norway, chile) < likeness(norway, spanish)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Will the county pay for the scheme?", "¿El condado no pagará el plan?"),
        ("Is the budget of 2025 settled?", "¿Está cerrado el presupuesto de 2026?"),
    ],
)
def test_what_one_denies_or_counts_otherwise_sets_questions_apart(one: str, other: str) -> None:
    first, second = asked(1, one, turned(0)), asked(2, other, turned(35))
    plain = replace(second, text=other.replace(" no ", " ").replace("2026", "2025"))
    assert likeness(first, second) < ALIKE <= likeness(first, plain)


def test_not_only_denies_nothing() -> None:
    first = asked(1, "Can we have it as CSV and not just PDF?", turned(0))
    assert likeness(first, asked(2, "¿Está en CSV o solo en PDF?", turned(30))) >= ALIKE


def test_the_same_words_are_one_question_whatever_stands_around_them() -> None:
    questions = [
        asked(1, "Who pays for it?", None),
        asked(2, "RT @ana: who pays for it? https://example.org", None),
        asked(3, "WHO PAYS FOR IT???", turned(0)),
        asked(4, "Who reads it?", None),
    ]
    assert group(questions) == {1: 1, 2: 1, 3: 1, 4: 4}


def test_any_order_any_repetition_and_any_steps_give_the_same_groups() -> None:
    draw = random.Random(7)
    questions = [
        asked(
            n,
            f"{draw.choice('abcdef')} {draw.choice('ghij')}",
            turned(draw.choice(range(0, 180, 9))),
            at=n % 50,
        )
        for n in range(150)
    ]
    whole = group(questions)
    assert 1 < len(set(whole.values())) < 150
    for _ in range(5):
        draw.shuffle(questions)
        groups, left = Groups(), [*questions, *questions[:40]]
        while left:
            size = draw.randint(1, 30)
            groups.add(left[:size])
            left = left[size:]
        assert groups.representatives() == whole


def test_what_is_gone_is_missed_by_those_it_stood_for_alone() -> None:
    first, second, third = (
        asked(1, "one", turned(0)),
        asked(2, "two", turned(5)),
        asked(3, "three", turned(9)),
    )
    groups = Groups()
    groups.add([first, second, third])
    assert groups.representatives() == {1: 1, 2: 1, 3: 1}
    assert set(groups.said) == {1, 2, 3}
    groups.forget([1, 1, 77])
    assert groups.representatives() == {2: 2, 3: 2}
    groups.forget([3])
    groups.add([replace(third, text="other", vector=turned(90)), first])
    assert groups.representatives() == {1: 1, 2: 1, 3: 3}
    assert groups.said[3] == ("2012-03-26T09:03:00Z", "x:003", "other")
    groups.forget([1, 2, 3])
    assert groups.representatives() == {}


#: Their products are exact, so that likeness does not depend on how many are compared at once.
SIXTEENTHS = st.tuples(*[st.integers(0, 14)] * 3).map(
    lambda some: np.array([*some, *[0] * 509], dtype=np.float32) / 16
)
ANY = st.builds(
    asked,
    st.integers(0, 40),
    st.builds("{} {} {}".format, st.sampled_from(["who", "where", ""]), *[st.sampled_from("abcde")] * 2),
    st.one_of(SIXTEENTHS, st.none()),
    at=st.integers(0, 9),
)
SOME = st.lists(ANY, max_size=15, unique_by=lambda question: question.id)


@given(st.lists(ANY, max_size=40, unique_by=lambda question: question.id))
def test_each_joins_the_most_alike_representative_before_it(questions: list[Question]) -> None:
    leads: list[Question] = []
    expected = {}
    for one in sorted(questions, key=lambda question: (question.created_at, question.key)):
        twins = [lead for lead in leads if set(lead.text.split()) == set(one.text.split())]
        best = max(twins or leads, key=lambda lead: likeness(one, lead), default=one)
        if not twins and likeness(one, best) < ALIKE:
            best = one
        leads += [one] if best is one else []
        expected[one.id] = best.id
    assert group(questions) == expected


@settings(deadline=None)
@given(
    steps=st.lists(st.tuples(st.lists(st.integers(0, 40), max_size=6), SOME), max_size=8),
    block=st.sampled_from([1, 3, 64]),
)
def test_whatever_comes_and_goes_the_groups_depend_on_the_questions_alone(
    steps: list[tuple[list[int], list[Question]]], block: int
) -> None:
    groups, there = Groups(), dict[int, Question]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(question_groups, "BLOCK", block)
        for gone, come in steps:
            groups.forget(gone)
            groups.add(come)
            there = {number: one for number, one in there.items() if number not in gone}
            there = {**{one.id: one for one in come}, **there}
            assert groups.representatives() == group(list(there.values()))
            assert groups.said == {number: one.said for number, one in there.items()}


@pytest.mark.parametrize("text", ["", "?", "\ud800", "😀😀", "? " * 5_000, "#a " * 3_000, "x" * 10_000])
def test_any_text_finds_a_group(text: str) -> None:
    assert group([asked(1, text, None), asked(2, text, turned(3))]) == {1: 1, 2: 1}


def test_none_is_none() -> None:
    assert group([]) == {}


def test_made_up_questions_meet_across_languages() -> None:
    table = tomllib.loads(PAIRS.read_text(encoding="utf-8"))["asked"]
    texts, answers = [], []
    for number, entry in enumerate(table):
        texts += [*entry["same"], *entry["other"]]
        answers += [f"{number}"] * len(entry["same"]) + [
            f"{number}/{n}" for n, _ in enumerate(entry["other"])
        ]
    found = group(encoded(texts))
    said = [found[a] == found[b] for a, b in combinations(range(len(texts)), 2)]
    truth = [answers[a] == answers[b] for a, b in combinations(range(len(texts)), 2)]
    both = sum(a and b for a, b in zip(said, truth, strict=True))
    assert both / sum(said) >= 0.75
    assert both / sum(truth) >= 0.75


def test_five_thousand_questions_one_more_and_one_edited() -> None:
    draw = np.random.default_rng(3)
    vectors = draw.normal(size=(5_001, 512)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    questions = [
        Question(n, f"2012-03-26T09:00:{n:06}", f"x:{n:06}", f"who pays {n}", vector)
        for n, vector in enumerate(vectors)
    ]
    groups = Groups()
    groups.add(questions[:5_000])
    began = time.process_time()
    groups.add(questions[5_000:])
    groups.forget([2])
    groups.add([questions[2]])
    assert time.process_time() - began < 0.5
    assert len(groups.representatives()) == 5_001
