"""What people's corrections teach: how a theme's log-odds change, learned from the posts they judged.

The odds that the theme's own text gives are the prior, and the vectors of the posts say where to depart from
it (logistic regression with a Gaussian prior about the theme's text, solved exactly): with few corrections
little changes, and far away from all of them nothing does. They are seen from the middle of the meeting's
posts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from analysis.theme_model import Singles, probability, unit

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FROM = 3  # posts to which a theme was given, or from which it was taken, before it departs from its text
REACH = 6.0  # how much the place of a post may count (variance of the weights),
OFFSET = 0.3  # and how much a theme may become less frequent as a whole
STEPS = 20
HALVINGS = 50  # of a step, until it is no worse than none
CONJUGATES = 30  # directions in which a step is looked for,
NEAR = 1e-2  # until this share is left of the squared slope
CLOSE = 1e-4  # what a step gains when no other is worth while


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learned: added to the log-odds are ``weights`` (values, themes) times where a post lies, seen
    from the middle, and ``bias`` (themes).

    ``learned`` says which themes it is about; the others have zeros. ``middle`` has (values).
    """

    weights: Floats
    bias: Floats
    learned: Bools
    middle: Singles

    def odds(self, prior: Floats, vectors: Singles) -> Floats:
        """Log-odds after learning, (posts, themes), from those of the themes' text and the posts' vectors."""
        return prior + unit(vectors - self.middle) @ self.weights + self.bias


def fit(prior: Floats, vectors: Singles, truth: Bools, middle: Singles, begins: float = 0.0) -> Lesson:
    """Learn from corrected posts: prior log-odds (posts, themes), vectors (posts, values), and truth.

    They are seen from the middle (values) of the meeting's posts: what all posts have in common is no sign
    of a theme that some were given. ``begins`` is where a theme was chosen before. A theme that was given to
    fewer than FROM posts, and taken from fewer, keeps to its text. A post of which something is no finite
    number teaches nothing.
    """
    sound = np.isfinite(prior).all(axis=1) & np.isfinite(vectors).all(axis=1)
    prior, truth, rows = prior[sound], truth[sound], unit(vectors[sound] - middle).astype(np.float64)
    themes = truth.shape[1]
    weights, bias = np.zeros((rows.shape[1], themes)), np.zeros(themes)
    taken = ~truth & (prior >= begins)
    learned = (truth.sum(axis=0) >= FROM) | (taken.sum(axis=0) >= FROM)
    if learned.any():
        solve = _from_few if len(rows) <= rows.shape[1] else _from_many
        # On a machine with other work, threads that wait for each other take ten times as long as one.
        with threadpool_limits(limits=1, user_api="blas"):
            weights[:, learned], offset = solve(rows, prior[:, learned], truth[:, learned])
        # People correct what they miss: posts given to a theme say where it is, not that it is frequent.
        bias[learned] = np.minimum(offset, 0)
    return Lesson(weights, bias, learned, middle)


def _from_few(rows: Floats, prior: Floats, truth: Bools) -> tuple[Floats, Floats]:
    """Weights and bias from fewer posts than they have values: what is looked for is a pull a post."""
    kernel = REACH * rows @ rows.T + OFFSET
    pulls = [_solve(kernel, prior[:, theme], truth[:, theme]) for theme in range(truth.shape[1])]
    weights = np.stack([REACH * pull @ rows for pull in pulls], axis=1)
    return weights, np.array([OFFSET * pull.sum() for pull in pulls])


def _solve(kernel: Floats, prior: Floats, truth: Bools) -> Floats:
    """How strongly each post pulls: the maximum a posteriori by Newton's method with step halving."""
    sign = np.where(truth, 1.0, -1.0)

    def loss(pull: Floats, shift: Floats) -> float:
        return float(np.logaddexp(0, -sign * (prior + shift)).sum() + pull @ shift / 2)

    pull, shift = np.zeros(len(prior)), np.zeros(len(prior))
    before = loss(pull, shift)
    for _ in range(STEPS):
        chance = probability(prior + shift)
        spread = np.maximum(chance * (1 - chance), 1e-6)
        root = np.sqrt(spread)
        target = spread * shift + truth - chance
        system = np.eye(len(prior)) + root[:, None] * kernel * root
        step = target - root * np.linalg.solve(system, root * (kernel @ target)) - pull
        for _ in range(HALVINGS):
            tried = pull + step
            after = loss(tried, kernel @ tried)
            if after <= before or np.abs(step).max() < 1e-9:
                break
            step /= 2
        else:
            break
        pull, shift, gain = tried, kernel @ tried, before - after
        before = after
        if gain < 1e-6:
            break
    return pull


def _from_many(rows: Floats, prior: Floats, truth: Bools) -> tuple[Floats, Floats]:
    """The same from more posts than that: all themes at once, and no matrix of posts by posts."""
    seen = np.hstack([np.sqrt(REACH) * rows, np.full((len(rows), 1), np.sqrt(OFFSET))])
    rough = seen.astype(np.float32)  # good enough for a step, and half the time
    sign = np.where(truth, 1.0, -1.0)

    def loss(found: Floats, odds: Floats) -> Floats:
        lost: Floats = np.logaddexp(0, -sign * odds).sum(axis=0) + (found**2).sum(axis=0) / 2
        return lost

    found, odds = np.zeros((seen.shape[1], truth.shape[1])), prior
    before = loss(found, odds)
    for _ in range(STEPS):
        chance = probability(odds)
        slope = seen.T @ (truth - chance) - found
        step = _newton(rough, np.maximum(chance * (1 - chance), 1e-6).astype(np.float32), slope)
        change = seen @ step
        for _ in range(HALVINGS):
            after = loss(found + step, odds + change)
            worse = ~(after <= before)
            if not worse.any():
                break
            step[:, worse] /= 2
            change[:, worse] /= 2
        else:
            break
        found, odds, gain = found + step, odds + change, before - after
        before = after
        if gain.max() < CLOSE:
            break
    return np.sqrt(REACH) * found[:-1], np.sqrt(OFFSET) * found[-1]


def _newton(seen: Singles, spread: Singles, slope: Floats) -> Floats:
    """Newton's step of each theme, (values, themes), by conjugate gradients."""
    rest = slope.astype(np.float32)
    step = np.zeros_like(rest)
    towards, size = rest, (rest**2).sum(axis=0)
    enough = NEAR * size
    for _ in range(CONJUGATES):
        if not (size > enough).any():
            break
        bent = towards + seen.T @ (spread * (seen @ towards))
        far = size / np.maximum((towards * bent).sum(axis=0), 1e-30)
        step, rest = step + far * towards, rest - far * bent
        size, was = (rest**2).sum(axis=0), size
        towards = rest + size / np.maximum(was, 1e-30) * towards
    return step.astype(np.float64)
