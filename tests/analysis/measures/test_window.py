from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from analysis.measures.window import SENTIMENT, Kinds, Window
from archive.store import Archive
from archive.vocabulary import Received

Receive = Callable[..., Received]
Windows = Callable[..., Window]


@pytest.mark.parametrize(
    ("dimension", "column"),
    [
        ("kind", "ifnull(kind, 'unknown')"),
        ("source", "source"),
        ("language", "ifnull(language, '')"),
        ("session", "session"),
        ("arm", "arm"),
        ("sentiment", SENTIMENT),
        ("tagged", "CAST(tagged_at IS NOT NULL AS TEXT)"),
    ],
)
def test_rollups_and_raw_counts_agree(
    archive: Archive, receive: Receive, window: Windows, tag: Callable[..., None], dimension: str, column: str
) -> None:
    archive.write([receive(0, language="en"), receive(1, kind="repost"), receive(100, kind=None)])
    tag(0, sentiment="positive")
    tag(100, sentiment=None)
    everything = window(from_=archive.meeting.starts - timedelta(days=1))
    for authored in (False, True):
        assert window().totals(dimension, column, authored=authored) == everything.totals(
            dimension, column, authored=authored
        )


def test_filters_choose_posts(archive: Archive, receive: Receive, window: Windows) -> None:
    archive.write([receive(0), receive(1, arm="remote")])
    remote = window(arm="remote")
    assert (window().whole, remote.whole) == (True, False)
    assert remote.value("SELECT count(*) FROM chosen") == 1
    assert [row[0] for row in remote.rows("SELECT key FROM chosen WHERE kind = ?", "original")] == [
        "x:9000000000000000001"
    ]


def test_a_kind_is_known_unless_a_post_may_be_of_it(
    archive: Archive, receive: Receive, window: Windows
) -> None:
    archive.write([receive(0), receive(1, kind=None, kind_among=("reply", "original"))])
    kinds = window().kinds
    assert (kinds.posts, kinds.reposts, kinds.authored, kinds.of("quote")) == (2, 0, 2, 0)
    assert kinds.of("reply") is kinds.of("original") is None


def test_nothing_told_is_nothing_known() -> None:
    kinds = Kinds({"unknown": 3}, frozenset({"repost", "reply"}))
    assert (kinds.posts, kinds.reposts, kinds.authored) == (3, None, None)


def test_tagged_counts_tagged_posts(
    archive: Archive, receive: Receive, window: Windows, tag: Callable[..., None]
) -> None:
    archive.write([receive(0), receive(1)])
    tag(1)
    assert (window().tagged, window(source="x").tagged, window(source="zoom").tagged) == (1, 1, 0)
