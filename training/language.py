"""The languages that have labelled posts: writes ``data/models/language.npz`` and its card."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import spacy
from scipy.sparse import csr_matrix
from sklearn.model_selection import GroupKFold

from analysis.components.language import NAME, LanguageFinder, logarithms, shares_over_all, spoken
from analysis.language_model import LANGUAGES, MODEL, RECIPE, Model, load, save
from analysis.sentiment_model import Floats
from training import cards, labelled
from training.calibration import Answers, fuse
from training.labelled import SEED, Labelled
from training.ngrams import count
from training.regression import Singles, fit

PENALTY = 1e-5
ENGLISH = 4_000  # posts of the many thousand, so that no language prevails
DOUBTED = 0.05  # py3langid's share of a post's label below which the label is not believed
FEW = 3  # words at most in what stands for a very short post
LITTLE = 0.2  # what such a post counts beside whole posts where py3langid joins in
FOLDS = 3
SHORT = 40


def train() -> None:
    """Fit on the training rows, measure on the validation rows, write the model and its card."""
    texts, answers = chosen(labelled.sentiment("sentiment_train.jsonl"))
    MODEL.parent.mkdir(parents=True, exist_ok=True)
    write_card(train_language(texts, answers, MODEL), len(texts))


def write_card(model: Model, trained_on: int) -> None:
    """Measure on the validation rows and write the card of a model that was just trained."""
    figures = measure(model, *chosen(labelled.sentiment("sentiment_val.jsonl"), english=0))
    sys.stderr.write(f"{figures}\n")
    card = CARD.format(
        version=model.version,
        megabytes=f"{MODEL.stat().st_size / 1e6:.1f}",
        posts=f"{trained_on:,}",
        languages=", ".join(LANGUAGES),
        figures=figures,
        data=cards.DATA,
        rebuild=cards.REBUILD,
    )
    MODEL.with_suffix(".md").write_text(card, encoding="utf-8")


def chosen(posts: Labelled, english: int = ENGLISH) -> tuple[list[str], Answers]:
    """Texts of words and the columns of their languages: the posts of UMSAB, and so many more in English.

    Hindi is left out: its posts are in Latin letters.
    """
    umsab = np.char.startswith(np.array(posts.ids), "umsab") & np.isin(posts.languages, LANGUAGES)
    others = np.flatnonzero(~umsab & (posts.languages == "en"))
    spread = others[np.linspace(0, len(others) - 1, min(english, len(others))).astype(int)]
    rows = np.concatenate((np.flatnonzero(umsab), spread))
    posted = [labelled.unmarked(posts.texts[row]) for row in rows]
    texts = [spoken(*both)[0] for both in zip(posted, labelled.readings(posted), strict=True)]
    return texts, np.searchsorted(LANGUAGES, posts.languages[rows])


def train_language(texts: list[str], answers: Answers, out: Path) -> Model:
    """Fit, fuse with py3langid on held-out folds and write a model; returns it as it reads from the file.

    A few words of each text stand for the very short posts, of which there are hardly any.
    """
    number = np.tile(np.arange(len(texts)), 2)
    texts, answers = [*texts, *_short(texts)], answers[number]
    ngrams = count(texts, RECIPE)
    theirs = shares_over_all(texts, LANGUAGES)
    theirs /= np.maximum(theirs.sum(axis=1, keepdims=True), 1e-9)
    believed = (theirs[np.arange(len(answers)), answers] >= DOUBTED)[number]
    weights = believed / np.bincount(answers, believed)[answers]
    ours = np.zeros((len(answers), len(LANGUAGES)))
    for seen, held_out in GroupKFold(FOLDS, shuffle=True, random_state=SEED).split(answers, groups=number):
        ours[held_out] = ngrams.rows[held_out] @ _fit(ngrams.rows[seen], answers[seen], weights[seen])
    factors, bias = fuse([ours, logarithms(theirs)], answers, fusing(answers))
    table, rarity = np.zeros((RECIPE.buckets, len(LANGUAGES))), np.zeros(RECIPE.buckets)
    found = _fit(ngrams.rows, answers, weights)
    table[ngrams.kept], rarity[ngrams.kept] = factors[0] * found * ngrams.rarity[:, None], ngrams.rarity
    save(out, table, rarity, factors[1], bias)
    load.cache_clear()
    return load(out)


def measure(model: Model, texts: list[str], answers: Answers) -> str:
    """How often the component is right in a meeting that has all languages: a Markdown table."""
    finder = LanguageFinder(spacy.blank("xx"), NAME, LANGUAGES)
    finder.model = model
    found = finder.find([(text, False) for text in texts])
    said = [LANGUAGES.index(code) if code else -1 for code, _ in found]
    theirs = shares_over_all(texts, LANGUAGES).argmax(axis=1)
    short = np.array([len(text) < SHORT for text in texts])
    sets = [("all", np.ones(len(texts), dtype=bool)), (f"under {SHORT} letters and blanks", short)]
    sets += [(code, answers == number) for number, code in enumerate(LANGUAGES)]
    lines = ["| set | posts | right | py3langid alone |", "| --- | ---: | ---: | ---: |"]
    for name, some in sets:
        ours, peer = ((found == answers)[some].mean() for found in (np.array(said), theirs))
        lines.append(f"| {name} | {some.sum():,} | {ours:.3f} | {peer:.3f} |")
    return "\n".join(lines)


def fusing(answers: Answers) -> Floats:
    """What a post counts where the two are fused: languages the same, whole posts more than a few words."""
    weights: Floats = 1 / np.bincount(answers)[answers]
    weights[len(answers) // 2 :] *= LITTLE
    return weights


def _short(texts: list[str]) -> list[str]:
    """A few words of each text, from anywhere in it."""
    chance = np.random.default_rng(SEED)
    found = []
    for text in texts:
        words = text.split()
        start = int(chance.integers(max(len(words), 1)))
        found.append(" ".join(words[start : start + int(chance.integers(1, FEW + 1))]))
    return found


def _fit(rows: csr_matrix, answers: Answers, weights: Floats) -> Singles:
    return fit(rows, answers, weights, labels=len(LANGUAGES), penalty=PENALTY)


CARD = """# Language

`language.npz`, version `{version}`, {megabytes} MB, float16, no pickle. `make train` writes it and this card.

## What it is
A multinomial logistic regression over the words of a post and the character 1-4-grams inside them, without
links, mentions and hashtags, hashed to 2^17 buckets. It knows {languages}. At run time its scores
and the logarithms of py3langid's probabilities are added, with factors and a bias a language that were
fitted on three held-out folds. py3langid alone decides about other languages, and how likely these seven are
together.

## Data, and licences as found
{posts} posts whose source says in which language they are, and from each one to three words more, as a very
short post. Some are in another language all the same: where py3langid gives the language of the source less
than 5 %, the post is not trained on.

{data}

## Figures, on validation posts
In a meeting that has all seven languages; *unknown* counts as wrong. Nothing was fitted on these rows, but
they were looked at between versions of the model: read them as slightly optimistic.
Their labels are the source's too: most errors left are posts in German files that are in English.

{figures}

## Known failures
- Two or three words that are the same in several languages; names; posts that mix languages.
- Hindi in Latin letters is taken for English, mostly.

## How to rebuild
{rebuild}
"""
