"""The logistics model: is a post about the running of the meeting, and not about its matter?

Learned from made-up sentences in seven languages; real posts and sentences on other subjects stand for all
that is no logistics. Precision first: an analyst may leave marked posts out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from analysis.linear_model import load as load_model
from analysis.linear_model import save
from analysis.logistics_model import MODEL, has_cue, signs
from analysis.texts import read as read_post
from training.labelled import read
from training.linear import (
    LANGUAGES,
    Choice,
    Floats,
    Index,
    Rows,
    Score,
    Sentence,
    chances,
    fit,
    rows,
    score,
    sentences,
    thresholds,
)

CHOICE = Choice(1.0, 3.0)
PRECISION = 0.95  # that the marks should have on the held-out groups, of which two in five are logistics
OTHERS = (
    "questions_tac_dev.json",
    *(f"{name}_dev.jsonl" for name in ("xtopic_en", "xtopic_es", "sib_en", "sib_es", "ismb_en")),
)
OTHER = 0.2  # what a post on another subject counts beside a made-up sentence


#: What was seen when marked posts of real archives were read, one by one.
REAL = """Two in five of these sentences are on logistics; in a real stream it is one in a hundred, so
that precision is lower there: of the 40 or so posts that are marked among 6,200 of two conferences, two
video chats and a live broadcast, about three in four were on logistics when read one by one. The others were
remarks on a room, a dinner, a badge or a slide."""


def train() -> None:
    """Fit, measure and write the model and its card."""
    made_up = sentences()
    others = [post["text"] for name in OTHERS for post in read(name)]
    texts = [sentence.text for sentence in made_up] + others
    answers = [sentence.logistics for sentence in made_up] + [False] * len(others)
    data = rows(texts, answers, lambda text, reading: signs(reading.text))
    weights = np.repeat([1.0, OTHER], [len(made_up), len(others)])
    cued = np.array([has_cue(signs(read_post(text).text)) for text in texts])
    own, other = np.split(np.arange(len(texts)), [len(made_up)])
    said = held_out(data, weights, (own, other), made_up) * cued[own]
    threshold = strict_threshold(data.answers[own], said)
    model = fit(data, np.arange(len(texts)), weights, CHOICE)
    MODEL.parent.mkdir(parents=True, exist_ok=True)
    save(MODEL, {**model, "threshold": threshold})
    language = np.array([sentence.language for sentence in made_up])
    scores = {"all": score(data.answers[own], said >= threshold)} | {
        code: score(data.answers[own][language == code], said[language == code] >= threshold)
        for code in LANGUAGES
    }
    marked = float(((chances(model, data, other) >= threshold) & cued[other]).mean())
    card = _card(model, threshold, scores, (len(made_up), int(data.answers[own].sum()), len(others)), marked)
    MODEL.with_suffix(".md").write_text(card, encoding="utf-8")


def held_out(data: Rows, weights: Floats, parts: tuple[Index, Index], made_up: list[Sentence]) -> Floats:
    """Chances of the made-up sentences, each from a model that saw no sentence of its group."""
    own, other = parts
    groups = np.array([sentence.group for sentence in made_up])
    said = np.zeros(len(own))
    for seen, held in GroupKFold(10).split(own, groups=groups):
        model = fit(data, np.concatenate((own[seen], other)), weights, CHOICE)
        said[held] = chances(model, data, own[held])
    return said


def strict_threshold(answers: NDArray[np.bool_], said: Floats) -> float:
    """The lowest from which on the marks are right often enough."""
    return next(
        (value for value in thresholds() if score(answers, said >= value).precision >= PRECISION), 0.9
    )


def _card(
    model: dict[str, Any],
    threshold: float,
    scores: dict[str, Score],
    numbers: tuple[int, int, int],
    marked: float,
) -> str:
    table = "\n".join(f"| {name} | {s.precision:.3f} | {s.recall:.3f} |" for name, s in scores.items())
    strongest = sorted(model["weights"].items(), key=lambda pair: -abs(pair[1]))[:12]
    return _CARD.format(
        version=load_model(MODEL, "logistics").version,
        threshold=f"{threshold:.2f}",
        precision=PRECISION,
        made_up=f"{numbers[0]:,}",
        yes=f"{numbers[1]:,}",
        others=f"{numbers[2]:,}",
        weight=OTHER,
        table=table,
        marked=f"{marked:.2%}",
        real=REAL,
        strongest=", ".join(f"{name} {weight:+.2f}" for name, weight in strongest),
    )


_CARD = """# Logistics

`logistics.json`, version `{version}`, readable. `make train` writes it and this card.

## What it is
Logistic regression over cues (words for the stream, the sound, microphones, slides, the room, coffee,
registration, times, links, … in seven languages, `data/logistics.toml`) and the sentence vector that the
themes use. A post is marked from a probability of **{threshold}** on, and only if it has a cue: the lowest
threshold with a precision of {precision} on held-out groups. A question, a complaint or praise alike.
Passing on slides of a talk ("my slides are here") is no logistics; being unable to read or find them is.

Strongest weights: {strongest}.

## Data
| part | rows | weight | licence as read |
| --- | --- | --- | --- |
| made-up sentences, seven languages (`training/sentences`), {yes} on logistics | {made_up} | 1 | CC0 |
| `questions_tac`, `xtopic`, `sib`, `ismb`: none | {others} | {weight} | BSD-2, MIT, Apache-2.0, none stated |

No text is in the model.

## Figures
Made-up sentences, each judged by a model that saw no sentence of its group, in any language. The threshold
was chosen on these rows. Of the posts on other subjects (in training) {marked} are marked.

| language | precision | recall |
| --- | --- | --- |
{table}

{real}

## Known failures
- A meeting *about* networks or streaming: a post on the subject in a complaint's words is marked.
- Short posts whose only word is ambiguous ("late", "the channel").
- Languages other than the seven have no cues and are never marked.

## How to rebuild
`python -m training logistics`, offline, with BACKCHANNEL_TEST_DATA (default `../shared/data`). Seeds are
fixed.
"""
