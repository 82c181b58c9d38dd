"""The figures, against those that can be counted by hand and those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, recall_score

from analysis.scores import compare, rounded, table, wilson

CLASSES = ["a", "b", "none"]
ALL = np.array([True, True, True])


def sets(*words: str) -> list[frozenset[str]]:
    return [frozenset(word.split()) for word in words]


def test_figures_counted_by_hand() -> None:
    truth = table(sets("a", "a", "b", "none", "a b"), CLASSES)
    found = table(sets("a", "b", "b", "none", "a"), CLASSES)
    scores = compare(truth, found, CLASSES, np.array([True, True, False]))
    assert scores["posts"] == 5
    assert scores["accuracy"] == 0.6
    assert scores["classes"]["a"]["precision"] == 1
    assert scores["classes"]["a"]["recall"] == 0.6667
    assert scores["classes"]["a"]["f1"] == 0.8
    assert scores["classes"]["b"] == {**scores["classes"]["b"], "precision": 0.5, "recall": 0.5, "support": 2}
    assert scores["macro_f1"] == 0.65
    assert scores["confusion"] == {"a": {"a": 2, "b": 1}, "b": {"b": 1}, "none": {"none": 1}}


def test_a_class_that_nobody_has_is_undefined_and_counts_nowhere() -> None:
    truth, found = table(sets("a", "a"), CLASSES), table(sets("a", "b"), CLASSES)
    scores = compare(truth, found, CLASSES, truth.any(axis=0))
    assert scores["classes"]["none"] == {
        "precision": None,
        "recall": None,
        "f1": None,
        "f1_95": None,
        "support": 0,
    }
    assert scores["classes"]["b"]["recall"] is None
    assert scores["macro_recall"] == 0.5
    nothing = compare(truth, found, CLASSES, np.array([False, False, False]))
    assert nothing["macro_f1"] is nothing["macro_f1_95"] is None


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40))
def test_one_label_a_post_agrees_with_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    true, given_ = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    truth, found = table(sets(*true), "abc"), table(sets(*given_), "abc")
    scores = compare(truth, found, "abc", truth.any(axis=0))
    there = sorted(set(true))
    assert scores["macro_f1"] == pytest.approx(
        f1_score(true, given_, labels=there, average="macro", zero_division=0), abs=1e-4
    )
    assert scores["macro_recall"] == pytest.approx(
        recall_score(true, given_, labels=there, average="macro"), abs=1e-4
    )
    low, high = scores["macro_f1_95"]
    assert 0 <= low <= high <= 1


def test_intervals_are_the_same_each_time_and_narrow_with_more_posts() -> None:
    def width(times: int) -> float:
        truth = table(sets("a", "a", "b", "b") * times, CLASSES)
        found = table(sets("a", "b", "b", "b") * times, CLASSES)
        low, high = compare(truth, found, CLASSES, truth.any(axis=0))["macro_f1_95"]
        assert compare(truth, found, CLASSES, truth.any(axis=0))["macro_f1_95"] == [low, high]
        return high - low

    assert width(100) < width(10) / 2 < width(2) / 2


def test_a_share_of_few_is_uncertain() -> None:
    assert wilson(5, 5) == [0.5655, 1.0]
    assert wilson(0, 5) == [0.0, 0.4345]
    assert wilson(50, 100) == [0.4038, 0.5962]


def test_what_is_undefined_stays_so() -> None:
    assert rounded(float("nan")) is None
    assert rounded(np.float64(2) / 3) == 0.6667
