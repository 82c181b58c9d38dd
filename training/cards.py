"""What the cards of several models share: figures of sentiment, where the data come from, how to rebuild."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, recall_score

from analysis.sentiment_model import Opinion
from training.labelled import Labelled

DATA = """| part | source | licence as read |
| --- | --- | --- |
| English | SemEval-2013 to 2016, task files | code MIT; 2016's README asks not to redistribute the data |
| other languages, some English | UMSAB (cardiffnlp/xlm-t) | Apache-2.0 |
| validation | UMSAB; TweetEval | Apache-2.0; "without any restrictions but restrictions may apply to \
individual tasks … or Twitter" |

Licences cover their owners' work, not the posts of third parties. No text is in the model. The public test
splits were not used in any form."""

REBUILD = """`make train`, offline, with BACKCHANNEL_TEST_DATA (default `../shared/data`) holding `labelled/`.
Seeds are fixed: the same packages give the same weights, others the same figures within half a point."""


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one set; shares between 0 and 1."""

    name: str
    posts: int
    recall: float
    f1: float
    sure: float
    right_when_sure: float


def measure(posts: Labelled, opinions: Sequence[Opinion]) -> list[Row]:
    """Figures a set: TweetEval's rows, then the rows of each language of UMSAB."""
    said = np.array([opinion.label for opinion in opinions])
    sure = np.array([opinion.sure for opinion in opinions])
    main = np.array([name.startswith("te-") for name in posts.ids])
    sets = [("TweetEval, English", main)]
    sets += [(f"UMSAB, {code}", ~main & (posts.languages == code)) for code in np.unique(posts.languages)]
    return [_row(name, posts.labels[some], said[some], sure[some]) for name, some in sets if some.any()]


def _row(name: str, truth: NDArray[np.str_], said: NDArray[np.str_], sure: NDArray[np.bool_]) -> Row:
    return Row(
        name,
        len(truth),
        float(recall_score(truth, said, average="macro")),
        float(f1_score(truth, said, average="macro")),
        float(sure.mean()),
        float((truth == said)[sure].mean()) if sure.any() else 0.0,
    )


def table(rows: Sequence[Row]) -> str:
    """The figures as a Markdown table, the means of the languages of UMSAB last.

    One of them is without Hindi, whose labels have nothing to do with its posts (``labelled.agreeing``).
    """
    lines = [
        "| set | posts | macro-recall | macro-F1 | sure | right when sure |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.name} | {row.posts:,} | {row.recall:.3f} | {row.f1:.3f} | {row.sure:.2f} "
        f"| {row.right_when_sure:.2f} |"
        for row in rows
    ]
    umsab = [row for row in rows if row.name.startswith("UMSAB")]
    others = [row for row in umsab if row.name != "UMSAB, hi"]
    if umsab:
        lines.append(_mean("UMSAB, mean", umsab))
    if others and len(others) < len(umsab):
        lines.append(_mean("UMSAB, mean without hi", others))
    return "\n".join(lines)


def _mean(name: str, rows: Sequence[Row]) -> str:
    recall, f1, sure = (
        float(np.mean([getattr(row, column) for row in rows])) for column in ("recall", "f1", "sure")
    )
    right = sum(row.posts * row.sure * row.right_when_sure for row in rows)
    certain = max(sum(row.posts * row.sure for row in rows), 1)
    return (
        f"| {name} | {sum(row.posts for row in rows):,} | {recall:.3f} | {f1:.3f} | {sure:.2f} "
        f"| {right / certain:.2f} |"
    )
