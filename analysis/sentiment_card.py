"""The card of the sentiment model, and VADER measured beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import recall_score

from analysis.sentiment_model import Model


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one set; shares between 0 and 1. ``vader`` is VADER's macro-recall, where measured."""

    name: str
    posts: int
    recall: float
    f1: float
    sure: float
    right_when_sure: float
    vader: float | None


def vader_recall(texts: Sequence[str], truth: Sequence[str]) -> float | None:
    """Macro-recall of VADER with its usual thresholds; ``None`` where it is not installed (`dev` only)."""
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError:
        return None
    judge = SentimentIntensityAnalyzer()
    compound = np.array([judge.polarity_scores(text)["compound"] for text in texts])
    said = np.select([compound >= 0.05, compound <= -0.05], ["positive", "negative"], "neutral")
    return float(recall_score(truth, said, average="macro"))


def write(path: Path, model: Model, rows: Sequence[Row], trained_on: int, size: int) -> None:
    """Write the card of a model that was just trained."""
    table = "\n".join(
        f"| {row.name} | {row.posts:,} | {row.recall:.3f} | {row.f1:.3f} | {row.sure:.2f} "
        f"| {row.right_when_sure:.2f} | {'' if row.vader is None else f'{row.vader:.3f}'} |"
        for row in rows
    )
    path.write_text(
        _CARD.format(
            version=model.version,
            posts=f"{trained_on:,}",
            megabytes=f"{size / 1e6:.1f}",
            sure_from=f"{model.sure_from:.2f}",
            table=table,
        ),
        encoding="utf-8",
    )


_CARD = """# Sentiment, first model

`sentiment.npz`, version `{version}`, {megabytes} MB, float16, no pickle. `make train` writes it
and this card.

## What it is
A linear support vector machine, three classes, one against the rest, over the word 1-2-grams of a post
and the character 2-5-grams of its words: present or not, hashed to 2^20 buckets, weighted by rarity, at
unit length. Scores become probabilities by one factor (temperature scaling), chosen on five held-out
folds of the training posts, the three classes weighing the same. A post is *sure* from a probability of
**{sure_from}** on: the lowest at which the answers on the held-out folds were right three times out of
four, the classes weighing the same. Each post is judged alone.

## Data, and licences as found
{posts} posts in English and seven other languages (ar, de, es, fr, it, pt, and Hindi in Latin letters);
those that are not English weigh double. Links were made `http`, mentions `@user`.

| part | source | licence as read |
| --- | --- | --- |
| English | SemEval-2013 to 2016, task files | code MIT; 2016's README asks not to redistribute the data |
| other languages, some English | UMSAB (cardiffnlp/xlm-t) | Apache-2.0 |
| validation | UMSAB; TweetEval | Apache-2.0; "without any restrictions but restrictions may apply to \
individual tasks … or Twitter" |

Licences cover their owners' work, not the posts of third parties. No text is in the model: n-grams are
hashed, and only weights of buckets are kept. The public test splits were not used in any form.

## Figures, on validation posts
Macro-recall and macro-F1 over three classes; the share that is sure and how much of that is right; VADER
(its usual threshold of .05) in the same run. The penalty was chosen from six values on these rows, so
read them as slightly optimistic. The English rows of UMSAB are part of TweetEval's.

| set | posts | macro-recall | macro-F1 | sure | right when sure | VADER macro-recall |
| --- | --- | --- | --- | --- | --- | --- |
{table}

## Known failures
- Negation beyond two words ("not a bad idea at all"), irony, praise of what somebody else blames.
- Spanish and Italian are weak; Hindi in Latin letters is at chance on these rows, where it is sure too;
  a language outside the list gets a guess.
- It was trained on tweets of 2013 to 2018. The chat of a meeting is drier.
- A link or a mention counts as a sign of a neutral post: adding one can tip a post that is on the edge.
- A complaint about the stream or the coffee is negative: the matter is not told from the logistics.

## How to rebuild
`make train`, offline, with BACKCHANNEL_TEST_DATA (default `../shared/data`) holding `labelled/`. Seeds are
fixed: the same packages give the same weights, others the same figures within half a point.
"""
