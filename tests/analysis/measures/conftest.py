"""Windows on the archive of a test, and tags given by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from analysis.measures.window import Window
from archive.filters import Filters
from archive.reading import open_readonly
from archive.store import Archive
from archive.vocabulary import Received, Sentiment, Tagging


@pytest.fixture
def conn(archive: Archive) -> Iterator[sqlite3.Connection]:
    """A read-only connection to the test's archive; it sees what is written later, too."""
    with closing(open_readonly(archive.path)) as opened:
        yield opened


@pytest.fixture
def window(conn: sqlite3.Connection) -> Callable[..., Window]:
    """``window(kind="reply")``: the archive through these filters."""
    return lambda **filters: Window(conn, Filters(**filters))


@pytest.fixture
def tag(archive: Archive) -> Callable[..., None]:
    """``tag(3, themes=("agility",), sentiment="negative")``: tags for the post number 3."""

    def give(
        number: int,
        *,
        themes: tuple[str, ...] = (),
        sentiment: Sentiment | None = "neutral",
        sure: bool = True,
        question: bool = False,
        language: str | None = "en",
    ) -> None:
        key = f"x:9{number:018d}"
        post = next(post for post in archive.untagged(10_000) if post.key == key)
        tagging = Tagging(
            language=language,
            themes=tuple((slug, 0.9) for slug in themes),
            sentiment=sentiment,
            sentiment_score=0.8,
            sure=sure,
            question=question,
            tags=(),
        )
        assert archive.save_tags([(post, tagging)], version="test") == 1

    return give


@pytest.fixture
def tagged_discussion(archive: Archive, receive: Callable[..., Received], tag: Callable[..., None]) -> None:
    """Six posts, five of them tagged, one a repost, over both sessions, the break and the time after."""
    archive.write(
        [
            receive(1, author="ana", arm="remote"),
            receive(2, author="luis"),
            receive(3, author="ana", kind="repost"),
            receive(100, author="eva"),
            receive(130, author="ana"),
            receive(300, author="ana"),
        ]
    )
    tag(1, themes=("open-data",), sentiment="positive", question=True)
    tag(2, themes=("open-data", "agility"), sentiment="negative")
    tag(3, themes=("open-data",), sentiment="positive", question=True)
    tag(100, sentiment="positive", sure=False)
    tag(130, themes=("agility",), sentiment="neutral", sure=False)
