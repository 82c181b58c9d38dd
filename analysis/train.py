"""Trains the models that are shipped: ``python -m analysis.train sentiment``.

Offline and with fixed seeds, from the labelled posts of BACKCHANNEL_TEST_DATA (default
``../shared/data``) alone. Writes the model and its card to ``data/models``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, diags
from sklearn.metrics import f1_score, recall_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.svm import LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from analysis import sentiment_card
from analysis.ngrams import BUCKETS, features
from analysis.sentiment_model import LABELS, MODEL, Floats, Model, load, save, softmax
from analysis.texts import as_trained
from archive.errors import UsageError

SEED = 20120326
PENALTY = 0.2  # C of the support vector machine
OTHER_LANGUAGES = 2.0  # weight of a post that is not English: there are far fewer
RAREST = 2  # posts in which an n-gram must occur
SURE = 0.75  # accuracy that posts called "sure" should have, classes weighing the same
BATCH = 512


@dataclass(frozen=True, slots=True)
class Labelled:
    """Labelled posts, column by column."""

    ids: list[str]
    languages: NDArray[np.str_]
    labels: NDArray[np.str_]
    texts: list[str]


def read_labelled(path: Path) -> Labelled:
    """Read lines of ``{"id", "lang", "label", "text"}``."""
    if not path.is_file():
        raise UsageError(f"{path}: the labelled posts are not here; BACKCHANNEL_TEST_DATA names their folder")
    with path.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return Labelled(
        [row["id"] for row in rows],
        np.array([row["lang"] for row in rows]),
        np.array([row["label"] for row in rows]),
        [row["text"] for row in rows],
    )


def train_sentiment(posts: Labelled, out: Path) -> Model:
    """Fit, calibrate and write a sentiment model; returns it as it reads from the file."""
    seen = _matrix(posts.texts)
    frequency = np.asarray(seen.sum(axis=0)).ravel()
    rarity = np.where(frequency >= RAREST, np.log((1 + len(posts.texts)) / (1 + frequency)) + 1, 0.0)
    matrix = _unit_rows((seen @ diags(rarity)).tocsr())
    even = compute_sample_weight("balanced", posts.labels)
    weight = even * np.where(posts.languages == "en", 1.0, OTHER_LANGUAGES)
    machine = LinearSVC(C=PENALTY, tol=1e-3, max_iter=300, random_state=SEED)
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    held_out = cross_val_predict(
        machine,
        matrix,
        posts.labels,
        cv=folds,
        method="decision_function",
        params={"sample_weight": weight},
    )
    answers = np.searchsorted(LABELS, posts.labels)
    steepness = _steepness(held_out, answers, even)
    sure_from = _sure_from(softmax(steepness * held_out), answers, even)
    machine.fit(matrix, posts.labels, sample_weight=weight)
    weights = steepness * machine.coef_.T * rarity[:, None]
    save(out, weights, rarity, steepness * machine.intercept_, sure_from)
    return load(out)


def _matrix(texts: Sequence[str]) -> csr_matrix:
    """One row a text, one column a bucket, 1 where the text has the n-gram."""
    rows, columns = [], []
    for start in range(0, len(texts), BATCH):
        found = features([as_trained(text) for text in texts[start : start + BATCH]])
        rows.append(found.text + start)
        columns.append(found.bucket)
    row, column = np.concatenate(rows), np.concatenate(columns)
    return csr_matrix((np.ones(len(row), dtype=np.float64), (row, column)), shape=(len(texts), BUCKETS))


def _unit_rows(matrix: csr_matrix) -> csr_matrix:
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (diags(1 / np.maximum(length, 1e-9)) @ matrix).tocsr()


def _steepness(scores: Floats, answers: NDArray[np.intp], weight: Floats) -> float:
    """The factor that turns scores into the most honest probabilities (temperature scaling)."""

    def loss(log_factor: float) -> float:
        chances = softmax(np.exp(log_factor) * scores)[np.arange(len(answers)), answers]
        return float(-(weight * np.log(np.maximum(chances, 1e-12))).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def _sure_from(chances: Floats, answers: NDArray[np.intp], weight: Floats) -> float:
    """The lowest probability from which on answers are right often enough to be called sure."""
    best, right = chances.max(axis=1), chances.argmax(axis=1) == answers
    for threshold in np.round(np.arange(0.34, 0.95, 0.01), 2):
        kept = best >= threshold
        if weight[kept & right].sum() >= SURE * weight[kept].sum():
            return float(threshold)
    return 0.95


def measure(model: Model, posts: Labelled) -> list[sentiment_card.Row]:
    """Figures of a model on labelled posts, a row a set: TweetEval's rows, then each language."""
    opinions = model.judge(posts.texts)
    labels = np.array([opinion.label for opinion in opinions])
    sure = np.array([opinion.sure for opinion in opinions])
    main = np.array([name.startswith("te-") for name in posts.ids])
    sets = [("TweetEval, English", main)]
    sets += [(f"UMSAB, {code}", ~main & (posts.languages == code)) for code in np.unique(posts.languages)]
    rows = []
    for name, chosen in sets:
        if not chosen.any():
            continue
        truth, said, certain = posts.labels[chosen], labels[chosen], sure[chosen]
        right = (truth == said)[certain]
        rows.append(
            sentiment_card.Row(
                name,
                int(chosen.sum()),
                float(recall_score(truth, said, average="macro")),
                float(f1_score(truth, said, average="macro")),
                float(certain.mean()),
                float(right.mean()) if len(right) else 0.0,
                sentiment_card.vader_recall(
                    [t for t, c in zip(posts.texts, chosen, strict=True) if c], truth
                ),
            )
        )
    return rows


def main(arguments: Sequence[str]) -> int:
    """``sentiment`` is the one model so far. Returns the exit code; progress goes to stderr."""
    if list(arguments) != ["sentiment"]:
        sys.stderr.write("usage: python -m analysis.train sentiment\n")
        return 2
    folder = Path(os.environ.get("BACKCHANNEL_TEST_DATA", "../shared/data")) / "labelled"
    try:
        posts = read_labelled(folder / "sentiment_train.jsonl")
        held_out = read_labelled(folder / "sentiment_val.jsonl")
    except UsageError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    MODEL.parent.mkdir(parents=True, exist_ok=True)
    model = train_sentiment(posts, MODEL)
    rows = measure(model, held_out)
    sentiment_card.write(MODEL.with_suffix(".md"), model, rows, len(posts.texts), MODEL.stat().st_size)
    sys.stderr.writelines(f"{row}\n" for row in rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
