"""The fast tier of sentiment: writes ``data/models/sentiment.npz`` and its card."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedKFold

from analysis.sentiment_model import LABELS, MODEL, RECIPE, Floats, Model, Voice, load, probabilities, save
from training import cards, labelled, names
from training.calibration import RIGHT, Answers, fuse, sure_bars
from training.labelled import SEED, Labelled
from training.ngrams import count
from training.regression import Singles, fit

PENALTY = 1e-5  # of the n-grams' weights
HEAD_PENALTY = 1e-5  # of the vectors' weights
FOLDS = 5
OTHER_LANGUAGES = 2.0  # weight of a post that is not English: there are far fewer


def train() -> None:
    """Fit on the training rows, measure on the validation rows, write the model and its card."""
    posts = labelled.sentiment("sentiment_train.jsonl")
    posts = posts.part(labelled.agreeing(posts))
    MODEL.parent.mkdir(parents=True, exist_ok=True)
    write_card(train_sentiment(posts, encode(posts.texts), MODEL), len(posts.texts))


def write_card(model: Model, trained_on: int) -> None:
    """Measure on the validation rows and write the card of a model that was just trained."""
    held_out = labelled.sentiment("sentiment_val.jsonl")
    readings = labelled.readings(held_out.texts)
    with_vectors, without = (
        cards.table(cards.measure(held_out, model.judge(readings, vectors, held_out.languages.tolist())))
        for vectors in (list(encode(held_out.texts)), [None] * len(readings))
    )
    sys.stderr.write(f"{with_vectors}\n")
    card = CARD.format(
        version=model.version,
        megabytes=f"{MODEL.stat().st_size / 1e6:.1f}",
        posts=f"{trained_on:,}",
        ngrams=f"{model.together.ngrams:.2f}",
        vector=f"{model.together.vector:.2f}",
        bars=_shown(model.together),
        bars_alone=_shown(model.alone),
        right=f"{RIGHT:.0%}",
        with_vectors=with_vectors,
        without=without,
        data=cards.DATA,
        rebuild=cards.REBUILD,
    )
    MODEL.with_suffix(".md").write_text(card, encoding="utf-8")


def encode(texts: Sequence[str]) -> Singles:
    """The vectors of labelled posts, as the components get them at run time."""
    from analysis import encoder

    return encoder.load().encode(labelled.readings(texts))


def train_sentiment(posts: Labelled, vectors: Singles, out: Path) -> Model:
    """Fit, calibrate on held-out folds and write a model; returns it as it reads from the file."""
    texts = labelled.readings(posts.texts)
    known = names.names_of(texts, posts.languages)
    ngrams = count(names.without(texts, known), RECIPE)
    blinder = names.blinder(np.stack([encode(some) for some in names.sentences(known, texts)]))
    vectors = vectors @ blinder
    answers = np.searchsorted(LABELS, posts.labels)
    weights = even(posts)
    by_ngrams, by_vector = (np.zeros((len(answers), len(LABELS))) for _ in range(2))
    strata = np.char.add(posts.languages, posts.labels)
    for seen, held_out in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(strata, strata):
        for rows, penalty, scores in (
            (ngrams.rows, PENALTY, by_ngrams),
            (vectors, HEAD_PENALTY, by_vector),
        ):
            found = fit(rows[seen], answers[seen], weights[seen], labels=len(LABELS), penalty=penalty)
            scores[held_out] = rows[held_out] @ found
    together = _voice([by_ngrams, by_vector], posts, answers, weights)
    alone = _voice([by_ngrams], posts, answers, weights)
    table, rarity = np.zeros((RECIPE.buckets, len(LABELS))), np.zeros(RECIPE.buckets)
    found = fit(ngrams.rows, answers, weights, labels=len(LABELS), penalty=PENALTY)
    table[ngrams.kept], rarity[ngrams.kept] = found * ngrams.rarity[:, None], ngrams.rarity
    head = fit(vectors, answers, weights, labels=len(LABELS), penalty=HEAD_PENALTY)
    save(out, table, rarity, (blinder @ head).T.astype(np.float64), together, alone)
    return load(out)


def even(posts: Labelled) -> Floats:
    """What each post weighs: the labels the same within English and within the other languages together."""
    weights = np.ones(len(posts.texts))
    for group, factor in ((posts.languages == "en", 1.0), (posts.languages != "en", OTHER_LANGUAGES)):
        for label in LABELS:
            some = group & (posts.labels == label)
            weights[some] = factor * group.sum() / max(some.sum(), 1)
    return weights


def _voice(scores: Sequence[Floats], posts: Labelled, answers: Answers, weights: Floats) -> Voice:
    factors, bias = fuse(scores, answers, weights)
    ngrams, vector = [*factors, 0.0][:2]
    chances = probabilities(Voice(ngrams, vector, bias, np.ones((2, 3))), scores[0], scores[-1])
    english, hindi = (posts.languages == code for code in ("en", "hi"))
    bars = [sure_bars(chances, answers, some) for some in (english, ~english & ~hindi)]
    return Voice(ngrams, vector, bias, np.stack(bars))


def _shown(voice: Voice) -> str:
    english, elsewhere = (
        ", ".join(f"{label} {bar:.2f}" for label, bar in zip(LABELS, row, strict=True))
        for row in voice.sure_from
    )
    return f"in English {english}; elsewhere {elsewhere}"


CARD = """# Sentiment, fast tier

`sentiment.npz`, version `{version}`, {megabytes} MB, float16, no pickle. `make train` writes it and this
card.

## What it is
Two linear models, multinomial logistic regressions over three classes, added up:

- over the n-grams of a post's reading text (no links, no mentions, no hashtags of the meeting): words, pairs
  of words, the character 2-5-grams of words, and once more, marked, words after a negator and words after a
  "but"; letters repeated are folded, each emoji is a word; hashed to 2^20 buckets, weighted by rarity, at
  unit length. Words that the training posts write with a capital nearly always (names, firms, faiths) were
  taken out of them first;
- over the 512 numbers of the theme encoder's vector of the same text, with a large penalty on what tells one
  name from another.

The factor of each ({ngrams} and {vector}) and a bias a class were fitted on five held-out folds of the
training posts, so that the probabilities are honest there. Each post is judged alone.

A post is *sure* from a probability on that depends on the answer and on the language: {bars}.
From there on {right} of the answers were right on the held-out folds.
A post without a vector is judged by its n-grams alone: {bars_alone}.

## Data, and licences as found
{posts} posts in English and seven other languages (ar, de, es, fr, it, pt, and Hindi in Latin letters, of
which half was left out, since its labels have nothing to do with it: `labelled.agreeing`). Within English and
within the others together the classes weigh the same; a post that is not English weighs double.

{data}

## Figures, on validation posts
Nothing was fitted on these rows, but two values were settled after they had been seen: the cost of telling
names apart, and the share that is to be right when sure. Read them as slightly optimistic; on data never seen
English comes out about three points lower. The labels of the rows in Hindi agree with no model and no
lexicon: take that row for chance. The English rows of UMSAB are part of TweetEval's.

{with_vectors}

N-grams alone, where the encoder is missing:

{without}

## Known failures
- Irony, praise of what somebody else blames, comparisons.
- What is not bad ("not a bad idea at all", "nothing wrong with it") is taken for bad, but never surely so: no
  answer is sure that rests on a word under a negator. The accurate tier reads on from there.
- It was trained on posts of 2013 to 2018. The chat of a meeting is drier.
- Hindi in Latin letters; a language outside the list gets a guess.
- A complaint about the stream or the coffee is negative: the mark `logistics` tells it from the matter.

## How to rebuild
{rebuild}
"""
