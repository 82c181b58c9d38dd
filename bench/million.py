"""An archive of a million made-up, tagged posts, kept between runs in ``.bench/``."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

from archive.store import Archive
from archive.vocabulary import Sentiment, Tag, Tagging, Untagged
from bench import synthetic

POSTS = 1_000_000
BATCH = 1000


def archive_of(folder: Path, count: int = POSTS) -> Path:
    """The path of the archive; made on the first call, which takes a minute or two."""
    path = folder / f"posts-{count}.db"
    if path.is_file():
        return path
    folder.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    source = synthetic.posts(count)
    rng = random.Random(3)
    with Archive.open(part, synthetic.meeting()) as archive:
        while batch := list(islice(source, BATCH)):
            archive.write(batch)
            waiting = archive.untagged(BATCH, newest_first=False)
            archive.save_tags([(post, _tagging(post, rng)) for post in waiting], version="made-up")
        archive.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return part.rename(path)


def _tagging(post: Untagged, rng: random.Random) -> Tagging:
    draw = rng.random()
    sentiment: Sentiment = "positive" if draw < 0.3 else "negative" if draw < 0.45 else "neutral"
    themes = tuple((slug, 0.9) for slug in ("open-data", "agility", "defragment") if rng.random() < 0.25)
    return Tagging(
        language=post.language,
        themes=themes,
        sentiment=sentiment,
        sentiment_score=draw,
        sure=draw < 0.8,
        question=post.text.endswith("?"),
        tags=(Tag(component="sentiment", label=sentiment, score=draw, version="made-up"),),
    )
