"""Quality beside what a user would pick instead, on the validation rows of the labelled folder.

The peers see the same texts as we do, links and mentions taken out. What must be trained is trained on the
training rows; nobody is tuned on the rows that count here. Read a figure of 300 posts as give or take three
points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from statistics import mean

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import f1_score, recall_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from spacy.language import Language

from analysis import language_model, theme_model
from analysis.pipeline import build, tag_texts
from analysis.theme_model import weigh
from archive.vocabulary import Tagging, Tier, Untagged
from bench import synthetic
from bench.figures import Figure, cpu_seconds
from training import labelled, themes
from training.labelled import Labelled

Answers = NDArray[np.str_]
Method = Callable[[Sequence[str]], Sequence[str]]

SHORT = 40  # characters of the reading text


def run() -> list[Figure]:
    """Sentiment in both tiers, themes and language, each beside its peers."""
    train, posts = (labelled.sentiment(f"sentiment_{name}.jsonl") for name in ("train", "val"))
    return _sentiment(train, posts) + _themes() + _language(posts)


def _sentiment(train: Labelled, posts: Labelled) -> list[Figure]:
    texts = [labelled.unmarked(text) for text in posts.texts]
    english = np.char.startswith(np.array(posts.ids), "te-")
    peers: dict[str, Method] = {
        "VADER (English)": _vader(),
        "TextBlob (English)": _textblob(),
        "TF-IDF of words and a linear SVM, trained on the same posts": _trained(train),
    }
    theirs = {name: _timed(judge, texts) for name, judge in peers.items()}
    figures = []
    for tier, bars, bars_all, bars_speed in (
        ("fast", (64.0, 66.0), (58.0, 61.0), (400.0, 1000.0)),
        ("accurate", (71.0, 73.7), (66.5, 70.0), (80.0, 250.0)),
    ):
        said, speed = _timed(_sentiments(tier, posts.languages), texts)
        name = f"sentiment, {tier} tier:"
        for peer, (answers, peer_speed) in theirs.items():
            for what, measure, some, bar, unit in (
                ("macro-recall on 2,000 English posts", _recall, english, bars, "%"),
                ("mean macro-F1 of eight languages", _mean_f1, ~english, bars_all, "%"),
            ):
                ours, its = (measure(posts, found, some) for found in (said, answers))
                figures.append(Figure(f"{name} {what}", ours, unit, *bar, True, its, peer, 1.0))
            figures.append(
                Figure(
                    f"{name} posts per CPU-second, all tags included",
                    speed, "posts", *bars_speed, True, peer_speed, peer,
                )
            )  # fmt: skip
    return figures


def _timed(judge: Method, texts: Sequence[str]) -> tuple[Answers, float]:
    """The answers, and texts judged per CPU-second; the first few warm up."""
    judge(texts[:64])
    with cpu_seconds() as spent:
        said = np.array(judge(texts))
        return said, len(texts) / spent()


def _sentiments(tier: Tier, languages: Answers) -> Method:
    """Our pipeline in a meeting that has all languages of the posts but Hindi, which is in Latin letters."""
    nlp = _pipeline(tier, sorted(set(languages.tolist()) - {"hi"}))
    return lambda texts: [found.sentiment for found in _tag(nlp, texts)]


def _themes() -> list[Figure]:
    sets = [themes.judged(theme_model.load(), *one) for one in themes.SETS]
    ours, theirs = [], []
    for one in sets:
        constants = themes.learn([other for other in sets if other.kind != one.kind])
        ours.append(themes.macro_f1(one.truth, weigh(one.evidence, constants) >= constants.begins))
        hit = one.evidence[:, :, theme_model.EVIDENCE.index("hit")] > 0
        theirs.append(themes.macro_f1(one.truth, hit))
    name = "themes: mean macro-F1 of five sets, constants learned from the others"
    peer = "a list of keywords: titles and the organiser's"
    return [Figure(name, 100 * mean(ours), "%", 52.0, 57.0, True, 100 * mean(theirs), peer, 1.2)]


def _language(posts: Labelled) -> list[Figure]:
    known = np.array([name.startswith("umsab") for name in posts.ids])
    known &= np.isin(posts.languages, language_model.LANGUAGES)
    texts = [labelled.unmarked(text) for text, some in zip(posts.texts, known, strict=True) if some]
    truth = posts.languages[known]
    readings = labelled.readings(texts)
    short = np.array([len(" ".join(text.split())) < SHORT for text in readings])
    found = _tag(_pipeline("fast", language_model.LANGUAGES), texts)
    ours = np.array([tagging.language or "" for tagging in found])
    opened = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    closed = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    closed.set_languages(list(language_model.LANGUAGES))
    figures = []
    for name, peer in (("py3langid", opened), ("py3langid, closed to the seven", closed)):
        theirs = np.array([peer.classify(text)[0] for text in readings])
        for what, some, must, aim in (
            ("seven languages", np.ones(len(truth), bool), 98.5, 99.0),
            (f"posts under {SHORT} characters", short, 95.0, 97.0),
        ):
            mine, yours = (100 * float((said == truth)[some].mean()) for said in (ours, theirs))
            figures.append(Figure(f"language: right, {what}", mine, "%", must, aim, True, yours, name, 1.0))
    return figures


def _pipeline(tier: Tier, codes: Sequence[str]) -> Language:
    return build(replace(synthetic.meeting(), languages=tuple(codes)), tier=tier)


def _tag(nlp: Language, texts: Sequence[str]) -> list[Tagging]:
    return tag_texts(nlp, [Untagged(n, str(n), "", text, None, "original") for n, text in enumerate(texts)])


def _recall(posts: Labelled, said: Answers, some: NDArray[np.bool_]) -> float:
    return 100 * float(recall_score(posts.labels[some], said[some], average="macro"))


def _mean_f1(posts: Labelled, said: Answers, some: NDArray[np.bool_]) -> float:
    codes = np.unique(posts.languages[some])
    within = [some & (posts.languages == code) for code in codes]
    return 100 * float(np.mean([f1_score(posts.labels[w], said[w], average="macro") for w in within]))


def _by_sign(values: Sequence[float]) -> list[str]:
    return ["positive" if v >= 0.05 else "negative" if v <= -0.05 else "neutral" for v in values]


def _vader() -> Method:
    judge = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    return lambda texts: _by_sign([judge.polarity_scores(text)["compound"] for text in texts])


def _textblob() -> Method:
    blob = import_module("textblob").TextBlob
    return lambda texts: _by_sign([blob(text).sentiment.polarity for text in texts])


def _trained(posts: Labelled) -> Method:
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    machine = make_pipeline(words, LinearSVC(C=0.2, class_weight="balanced", random_state=labelled.SEED))
    machine.fit([labelled.unmarked(text) for text in posts.texts], posts.labels)
    return lambda texts: machine.predict(texts).tolist()
