"""The figures on the hand-labelled posts of tests/behaviour/labelled.

``python -m tests.behaviour.gold`` records them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from analysis.pipeline import build, tag_texts
from analysis.scores import compare, table
from archive.meeting import load
from archive.vocabulary import SENTIMENTS, TIERS, Tagging, Tier, Untagged

FOLDER = Path(__file__).parent / "labelled"
RECORD = FOLDER / "scores.json"
MEETINGS = ("farms", "health", "water")
LANGUAGES = ("en", "es", "fr")

Figures = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Post:
    """A labelled post of a meeting with the tags that it gets."""

    meeting: str
    label: dict[str, Any]
    tags: Tagging


def rows(meeting: str) -> list[dict[str, Any]]:
    lines = (FOLDER / meeting / "posts.ndjson").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def tagged(tier: Tier) -> list[Post]:
    posts = []
    for meeting in MEETINGS:
        labels = rows(meeting)
        texts = [Untagged(n, row["id"], "", row["text"], None, None) for n, row in enumerate(labels)]
        taggings = tag_texts(build(load(FOLDER / meeting), tier=tier), texts)
        posts += [Post(meeting, label, tags) for label, tags in zip(labels, taggings, strict=True)]
    return posts


def figures() -> Figures:
    """F1 per task and language, a mean over classes for themes and sentiment; else shares."""
    found: Figures = {}
    for tier in TIERS:
        posts = tagged(tier)
        found[f"sentiment, {tier}"] = _cut(posts, _sentiment)
        found[f"sentiment, {tier}, sure"] = _cut(posts, lambda some: _mean(p.tags.sure for p in some))
        found[f"sentiment, {tier}, right when sure"] = _cut(posts, _right_when_sure)
    found["themes"] = _cut(posts, _themes)
    marks: dict[str, Callable[[Post], tuple[bool, bool]]] = {
        "no theme": lambda post: (not post.label["themes"], not post.tags.themes),
        "question": lambda post: (post.label["question"], post.tags.question),
        "to chair": lambda post: (post.label["to_chair"], post.tags.to_chair),
        "logistics": lambda post: (post.label["logistics"], post.tags.logistics),
    }
    for name, of in marks.items():
        found[name] = _cut(posts, partial(_yes, of=of))
    found["language"] = _cut(posts, lambda some: _mean(_language(p) == p.label["lang"] for p in some))
    return found


def _language(post: Post) -> str:
    return post.tags.language or "unknown"


def _cut(posts: list[Post], figure: Callable[[list[Post]], float]) -> dict[str, float]:
    cuts = {"all": posts} | {code: [p for p in posts if p.label["lang"] == code] for code in LANGUAGES}
    return {name: round(figure(some), 3) for name, some in cuts.items()}


def _sentiment(posts: list[Post]) -> float:
    truth = [frozenset([post.label["label"]]) for post in posts]
    return _macro(truth, [frozenset([str(post.tags.sentiment)]) for post in posts], SENTIMENTS)


def _themes(posts: list[Post]) -> float:
    truth = [frozenset(f"{p.meeting} {slug}" for slug in p.label["themes"]) for p in posts]
    found = [frozenset(f"{p.meeting} {slug}" for slug, _ in p.tags.themes) for p in posts]
    return _macro(truth, found, sorted(frozenset[str]().union(*truth)))


def _yes(posts: list[Post], of: Callable[[Post], tuple[bool, bool]]) -> float:
    pairs = [of(post) for post in posts]
    both, either = sum(true and found for true, found in pairs), sum(true + found for true, found in pairs)
    return 2 * both / either if either else 1.0


def _macro(truth: list[frozenset[str]], found: list[frozenset[str]], classes: Any) -> float:
    true = table(truth, classes)
    return float(compare(true, table(found, classes), classes, true.any(axis=0))["macro_f1"])


def _right_when_sure(posts: list[Post]) -> float:
    return _mean(post.tags.sentiment == post.label["label"] for post in posts if post.tags.sure)


def _mean(values: Iterator[Any]) -> float:
    known = [bool(value) for value in values]
    return sum(known) / len(known) if known else 0.0


if __name__ == "__main__":
    RECORD.write_text(json.dumps(figures(), indent=1) + "\n", encoding="utf-8")
