"""The accurate tier of sentiment: writes its two networks, what they weigh, and the card, ``accurate.*``.

Some eighty minutes on two cores that have bfloat16, several hours on others. Only here is torch needed.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import accurate
from analysis.accurate import ENGLISH, FORMAT, SETTINGS, Network, log_chances, network
from analysis.pieces import cut, in_english_words, pack, unigram, wordpiece
from analysis.sentiment_model import LABELS, MODEL, Floats, Opinion, softmax
from analysis.sentiment_model import load as load_fast
from analysis.texts import as_trained
from training import accurate_card, cards, labelled, pretrained, sentiment, vocabulary
from training.calibration import fuse, sure_bars
from training.labelled import SEED, Labelled
from training.turns import is_made_up, turns

HELD_OUT = {ENGLISH: 1600}  # posts of a language that choose what each model weighs
HELD_OUT_ELSEWHERE = 130
FROZEN = 4  # layers of the multilingual network
RATE, HALFWAY = 1e-4, 0.53e-4  # learning rates
ROUNDS = 3  # before and after the change of texts
PASSES = 2.5  # over the English posts, by the English network
LOOKED_AT = 300  # posts that show how large the inputs of products become
#: What is to be right of what is called sure. 0.80 is promised; posts of a meeting are further from the
#: English training posts, which are the older ones and on other matters, than validation posts are.
RIGHT = {ENGLISH: 0.84, "other": 0.82}

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tuned:
    """A tuned network as it is written: ``scores`` where its tokenizer is a unigram model.

    ``highest`` are the highest values that its products were given, over some posts.
    """

    pieces: Sequence[str]
    scores: NDArray[np.float32]
    words: NDArray[np.float32]
    state: Mapping[str, NDArray[np.float32]]
    highest: Mapping[str, NDArray[np.float32]]
    layers: int
    epsilon: float


def train() -> None:
    """Tune both networks, fit what they weigh on posts held out, measure on the validation posts."""
    posts = labelled.sentiment("sentiment_train.jsonl")
    out, agreeing = held_out(posts), labelled.agreeing(posts)
    chosen = ~out & agreeing
    with ProcessPoolExecutor(2, get_context("spawn")) as cores:
        networks = {
            name: cores.submit(tune, posts, chosen)
            for name, tune in (("accurate", multilingual), ("accurate-en", english))
        }
    ship({name: one.result() for name, one in networks.items()}, posts, chosen, out & agreeing)


def held_out(posts: Labelled) -> NDArray[np.bool_]:
    """The posts that no network is tuned on: some of each language."""
    chance = np.random.default_rng(SEED)
    out = np.zeros(len(posts.texts), bool)
    for language in np.unique(posts.languages).tolist():
        rows = chance.permutation(np.flatnonzero(posts.languages == language))
        out[rows[: HELD_OUT.get(language, HELD_OUT_ELSEWHERE)]] = True
    return out


def multilingual(posts: Labelled, chosen: NDArray[np.bool_]) -> Tuned:
    """Tune multilingual-e5-small on all languages; half of the English posts a round, all of the others.

    At first on texts with their marks for links and mentions, which are signs of a neutral post, then on
    reading texts, which are what it judges, and on made-up turns of speech. In the middle of that one round
    has no capitals, so that they do not decide.
    """
    source = pretrained.e5()
    marked = [as_trained(text) for text in posts.texts]
    both = posts.with_more(turns())
    reading = labelled.readings(both.texts)
    made_up = np.arange(len(posts.texts), len(both.texts))
    kept = vocabulary.of_many(source, marked)
    pieces, scores = [source.pieces[row] for row in kept], source.scores[kept]
    tokenizer = unigram(pieces, scores.tolist())
    english = np.random.default_rng(SEED).permutation(np.flatnonzero(chosen & (posts.languages == ENGLISH)))
    halves = np.array_split(english, 2)
    others = np.flatnonzero(chosen & (posts.languages != ENGLISH))
    rounds = [np.concatenate((others, halves[number % 2])) for number in range(2 * ROUNDS)]
    from training.tuning import Recipe, Tuning

    tuning = Tuning(source, source.words[kept], np.tile(answers(both), 2), np.tile(weights(both), 2))
    tuning.tune(cut(tokenizer, marked), rounds[:ROUNDS], Recipe(FROZEN, RATE, HALFWAY, SEED))
    texts = cut(tokenizer, reading + [text.lower() for text in reading])
    later = [np.concatenate((rows, made_up)) for rows in rounds[ROUNDS:]]
    later[1] += len(reading)
    tuning.tune(texts, later, Recipe(FROZEN, HALFWAY, 0.0, SEED + 1))
    tuning.average()
    highest = tuning.highest(texts[:LOOKED_AT])
    return Tuned(pieces, scores, tuning.words(), tuning.state(), highest, source.layers, source.epsilon)


def english(posts: Labelled, chosen: NDArray[np.bool_]) -> Tuned:
    """Tune all-MiniLM-L6-v2 on English, and on Hindi in Latin letters, which is taken for English."""
    source = pretrained.minilm()
    made_up = turns()
    posts, chosen = posts.with_more(made_up), np.append(chosen, np.ones(len(made_up.texts), bool))
    texts = [in_english_words(text) for text in labelled.readings(posts.texts)]
    latin = np.isin(posts.languages, (ENGLISH, "hi"))
    kept = vocabulary.of_english(source, [text for text, some in zip(texts, latin, strict=True) if some])
    pieces = [source.pieces[row] for row in kept]
    rows = np.flatnonzero(chosen & latin)
    chance = np.random.default_rng(SEED)
    whole = int(PASSES)
    rounds = [rows] * whole + [chance.permutation(rows)[: round(len(rows) * (PASSES - whole))]]
    from training.tuning import Recipe, Tuning

    tuning = Tuning(source, source.words[kept], answers(posts), weights(posts))
    numbers = cut(wordpiece(pieces), texts)
    tuning.tune(numbers, rounds, Recipe(0, RATE, 0.0, SEED))
    tuning.average()
    highest = tuning.highest([numbers[row] for row in rows[:LOOKED_AT]])
    none = source.scores
    return Tuned(pieces, none, tuning.words(), tuning.state(), highest, source.layers, source.epsilon)


def answers(posts: Labelled) -> Rows:
    """The column of the label of each post."""
    found: Rows = np.array([LABELS.index(label) for label in posts.labels])
    return found


def weights(posts: Labelled) -> NDArray[np.float32]:
    """A factor of the loss for each post: the English labels, which are not even, count the same."""
    found = np.ones(len(posts.texts), np.float32)
    english = (posts.languages == ENGLISH) & ~is_made_up(posts)
    for label in LABELS:
        some = english & (posts.labels == label)
        found[some] = english.sum() / 3 / max(some.sum(), 1)
    return found


def ship(
    tuned: Mapping[str, Tuned],
    posts: Labelled,
    chosen: NDArray[np.bool_],
    out: NDArray[np.bool_],
    folder: Path = MODEL.parent,
) -> None:
    """Write the networks that were tuned on the chosen posts, fit what they weigh on those held out, and
    write the card."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, one in tuned.items():
        for ending, content in (("npz", pieces_file(one)), ("onnx", graph_file(one))):
            (folder / f"{name}.{ending}").write_bytes(content)
            files[f"{name}.{ending}"] = hashlib.sha256(content).hexdigest()
    networks = {
        name: network((folder / f"{name}.npz").read_bytes(), (folder / f"{name}.onnx").read_bytes())
        for name in tuned
    }
    vectors = sentiment.encode(posts.texts)
    held, fast = posts.part(out), fast_held_out(posts, vectors, chosen, out)
    voices = fit(networks, held, fast)
    written = {"format": FORMAT, "files": files, "voices": voices}
    (folder / SETTINGS).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    report(folder, int(chosen.sum()), held, fast)


def pieces_file(one: Tuned) -> bytes:
    """The content of a network's ``.npz``: its pieces, their packed vectors, and the vectors of places."""
    arrays: dict[str, Any] = {
        "pieces": np.frombuffer("\n".join(one.pieces).encode(), np.uint8),
        "words": pack(one.words),
        "places": one.state["places"].astype(np.float16),
    }
    if len(one.scores):
        arrays["scores"] = one.scores
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def graph_file(one: Tuned) -> bytes:
    """The content of a network's ``.onnx``."""
    from training.export import graph

    return bytes(graph(one.state, one.highest, one.layers, one.epsilon).SerializeToString())


def fast_held_out(
    posts: Labelled, vectors: NDArray[np.float32], chosen: NDArray[np.bool_], out: NDArray[np.bool_]
) -> list[Opinion]:
    """What a fast tier that was trained on the chosen posts says of those held out."""
    with tempfile.TemporaryDirectory() as folder:
        model = sentiment.train_sentiment(posts.part(chosen), vectors[chosen], Path(folder) / "fast.npz")
    return model.judge(labelled.readings(posts.part(out).texts), list(vectors[out]))


def fit(networks: Mapping[str, Network], posts: Labelled, fast: Sequence[Opinion]) -> dict[str, Any]:
    """What each model weighs, in English and elsewhere, as it is written into the settings."""
    texts = labelled.readings(posts.texts)
    by_fast = log_chances(np.array([opinion.probabilities for opinion in fast]))
    by_many = networks["accurate"].log_chances(texts)
    by_english = networks["accurate-en"].log_chances(texts)
    english, count = posts.languages == ENGLISH, sentiment.even(posts)
    voices = {}
    for name, some, models in (
        (ENGLISH, english, {"multilingual": by_many, "english": by_english, "fast": by_fast}),
        ("other", ~english, {"multilingual": by_many, "fast": by_fast}),
    ):
        scores = [scores[some] for scores in models.values()]
        factors, bias = fuse(scores, answers(posts)[some], count[some])
        chances = softmax(np.tensordot(factors, np.stack(scores), 1) + bias)
        bars = sure_bars(chances, answers(posts)[some], np.ones(some.sum(), bool), RIGHT[name])
        weighed = dict.fromkeys(("multilingual", "english", "fast"), 0.0)
        weighed |= {model: round(float(factor), 4) for model, factor in zip(models, factors, strict=True)}
        voices[name] = {
            **weighed,
            "bias": [round(float(b), 4) for b in bias],
            "sure_from": [round(float(bar), 4) for bar in bars],
        }
    return voices


def report(folder: Path, tuned_on: int, fitted_on: Labelled, by_fast: Sequence[Opinion]) -> None:
    """Measure what was written on the validation posts, and write the card.

    Of the posts that its weights were fitted on, those that are not English are measured too, with what a
    fast tier that has not seen them says of them: only there do the labels of Hindi mean something.
    """
    posts = labelled.sentiment("sentiment_val.jsonl")
    texts, languages = labelled.readings(posts.texts), posts.languages.tolist()
    fast = load_fast(folder / MODEL.name).judge(texts, list(sentiment.encode(posts.texts)), languages)
    model = accurate.load(folder)
    tables = {
        "together": cards.measure(posts, model.judge(texts, fast, languages)),
        "multilingual network alone": cards.measure(posts, alone(model.multilingual.log_chances(texts))),
        "English network alone": cards.measure(posts, alone(model.english.log_chances(texts))),
        "fast tier": cards.measure(posts, fast),
    }
    elsewhere = fitted_on.languages != ENGLISH
    others = fitted_on.part(elsewhere)
    there = [by_fast[row] for row in np.flatnonzero(elsewhere).tolist()]
    opinions = model.judge(labelled.readings(others.texts), there, others.languages.tolist())
    tables["together, on the posts held out of tuning that are not English"] = cards.measure(others, opinions)
    sizes = {path.name: path.stat().st_size for path in sorted(folder.glob("accurate*.[no][pn][zn]*"))}
    accurate_card.write(folder / "accurate.md", model, tables, sizes, tuned_on, len(fitted_on.ids), RIGHT)
    sys.stderr.writelines(f"{row}\n" for row in tables["together"])


def alone(logs: Floats) -> list[Opinion]:
    """What one network would say without the others; never sure."""
    chances = np.exp(logs)
    labels = chances.argmax(axis=1).tolist()
    return [
        Opinion(LABELS[label], (row[0], row[1], row[2]), False, ())
        for label, row in zip(labels, chances.tolist(), strict=True)
    ]
