"""What corrections teach: enough of them move a theme, few do not, and the theme's text stays the prior."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis import theme_fit
from analysis.theme_fit import FROM, Lesson

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]


def cloud(number: int, towards: int, seed: int = 0, size: int = 64) -> Rows:
    """Unit vectors about an axis."""
    rows = np.random.default_rng(seed).normal(0, 0.02, (number, size)).astype(np.float32)
    rows[:, towards] += 1
    scaled: Rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled


def fit(prior: Floats, vectors: Rows, truth: NDArray[np.bool_]) -> Lesson:
    """What is learned where posts are as likely to lie in every direction."""
    return theme_fit.fit(prior, vectors, truth, np.zeros(vectors.shape[1], np.float32))


def test_posts_like_those_that_were_given_a_theme_get_it_too() -> None:
    vectors = np.concatenate([cloud(FROM, 0), cloud(2 * FROM, 1)])
    truth = np.arange(len(vectors))[:, None] < FROM
    lesson = fit(np.full(truth.shape, -1.0), vectors, truth)
    new = np.concatenate([cloud(5, 0, 1), cloud(5, 1, 1), cloud(5, 2, 1)])
    odds = lesson.odds(np.full((15, 1), -1.0), new)[:, 0]
    assert lesson.learned.tolist() == [True]
    assert (odds[:5] > 0).all()
    assert (odds[5:10] < -1).all()
    assert odds[10:] == pytest.approx(np.full(5, -1.0), abs=0.7)


def test_posts_like_those_from_which_a_theme_was_taken_lose_it() -> None:
    vectors = cloud(FROM, 0)
    lesson = fit(np.full((FROM, 1), 1.0), vectors, np.zeros((FROM, 1), dtype=bool))
    odds = lesson.odds(np.full((2, 1), 1.0), np.concatenate([cloud(1, 0, 1), cloud(1, 3, 1)]))
    assert odds[0, 0] < 0 < odds[1, 0]


def test_posts_that_were_given_a_theme_do_not_give_it_to_what_is_far_from_them() -> None:
    vectors = cloud(30, 0)
    lesson = fit(np.full((30, 1), -0.5), vectors, np.ones((30, 1), dtype=bool))
    assert lesson.odds(np.full((1, 1), -0.2), cloud(1, 2, 1))[0, 0] < 0


def test_what_all_posts_of_a_meeting_have_in_common_is_no_sign_of_a_theme() -> None:
    def of_the_meeting(number: int, about: int, seed: int) -> Rows:
        common = cloud(number, 0, seed) + cloud(number, about, seed + 1)
        return common / np.linalg.norm(common, axis=1, keepdims=True)

    given = of_the_meeting(8, 1, 10)
    stream = np.concatenate([of_the_meeting(20, about, about) for about in range(1, 6)])
    prior, truth = np.full((8, 1), -2.0), np.ones((8, 1), dtype=bool)
    others = of_the_meeting(20, 2, 30)
    unsure = np.full((20, 1), -0.5)
    lesson = theme_fit.fit(prior, given, truth, stream.mean(axis=0))
    assert (lesson.odds(unsure, others) < 0).all()
    assert (lesson.odds(unsure, of_the_meeting(20, 1, 40)) > 0).all()
    assert (fit(prior, given, truth).odds(unsure, others) > 0).any(), "the middle changes nothing here"


def test_a_theme_with_few_corrections_keeps_to_its_text() -> None:
    vectors = np.concatenate([cloud(FROM, 0), cloud(FROM - 1, 1)])
    truth = np.zeros((len(vectors), 2), dtype=bool)
    truth[:FROM, 0] = truth[FROM:, 1] = True
    prior = np.full(truth.shape, -1.0)
    lesson = fit(prior, vectors, truth)
    assert lesson.learned.tolist() == [True, False]
    assert np.array_equal(lesson.odds(prior, vectors)[:, 1], prior[:, 1])


def test_what_the_text_said_rightly_stays() -> None:
    vectors = np.concatenate([cloud(20, 0), cloud(20, 1)])
    truth = np.arange(40)[:, None] < 20
    prior = np.where(truth, 6.0, -6.0)
    odds = fit(prior, vectors, truth).odds(prior, vectors)
    assert np.abs(odds - prior).max() < 0.5


def test_the_same_corrections_teach_the_same() -> None:
    rng = np.random.default_rng(3)
    vectors, truth = cloud(60, 0), rng.random((60, 3)) < 0.4
    prior = rng.normal(size=(60, 3))
    one, other = fit(prior, vectors, truth), fit(prior, vectors, truth)
    assert np.array_equal(one.weights, other.weights)
    assert np.array_equal(one.bias, other.bias)


def test_wild_priors_do_not_upset_it() -> None:
    rng = np.random.default_rng(4)
    truth = rng.random((50, 2)) < 0.5
    prior = np.where(truth, -60.0, 60.0)
    lesson = fit(prior, cloud(50, 0), truth)
    assert np.isfinite(lesson.weights).all()
    assert np.isfinite(lesson.bias).all()


def test_no_corrections_teach_nothing() -> None:
    lesson = fit(np.zeros((0, 2)), np.zeros((0, 64), dtype=np.float32), np.zeros((0, 2), dtype=bool))
    assert not lesson.learned.any()
    assert not lesson.weights.any()


@pytest.mark.parametrize("size", [64, 8])
def test_what_is_no_number_ends_and_teaches_nothing(size: int) -> None:
    truth = np.ones((20, 1), dtype=bool)
    lesson = fit(np.full(truth.shape, np.nan), cloud(20, 0, size=size), truth)
    assert not lesson.weights.any()
    assert not lesson.bias.any()


def test_many_corrections_teach_what_few_would(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    vectors = np.concatenate([cloud(40, theme, theme, 16) for theme in range(4)])
    truth = np.repeat(np.eye(4, dtype=bool), 40, axis=0) ^ (rng.random((160, 4)) < 0.1)
    prior = rng.normal(-1, 3, truth.shape)
    many = fit(prior, vectors, truth)
    monkeypatch.setattr(theme_fit, "_from_many", theme_fit._from_few)
    few = fit(prior, vectors, truth)
    assert np.abs(many.odds(prior, vectors) - few.odds(prior, vectors)).max() < 0.01


def test_thousands_of_corrections_take_less_than_a_second() -> None:
    rng = np.random.default_rng(7)
    truth = np.repeat(np.eye(10, dtype=bool), 500, axis=0) ^ (rng.random((5_000, 10)) < 0.05)
    vectors = np.concatenate([cloud(500, theme, theme, 512) for theme in range(10)])
    prior = np.where(truth, 1.0, -3.0) + rng.normal(0, 2, truth.shape)
    began = process_time()
    lesson = fit(prior, vectors, truth)
    assert process_time() - began < 1
    assert lesson.learned.all()
    assert ((lesson.odds(prior, vectors) > 0) == truth).mean() > ((prior > 0) == truth).mean()


def test_32_corrections_of_ten_themes_take_less_than_a_second() -> None:
    rng = np.random.default_rng(5)
    truth = np.repeat(np.eye(10, dtype=bool), 32, axis=0)
    vectors = np.concatenate([cloud(32, theme, theme, 1_024) for theme in range(10)])
    prior = rng.normal(-1, 1, truth.shape)
    began = process_time()
    lesson = fit(prior, vectors, truth)
    assert process_time() - began < 1
    assert lesson.learned.all()
