from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from archive.integrity import verify
from archive.store import Archive
from archive.tagging import ATTEMPTS
from archive.vocabulary import Deleted, Received, Tag, Tagging
from tests.conftest import START

Receive = Callable[..., Received]


def tagging(theme: str | None = "open-data", **fields: Any) -> Tagging:
    values: dict[str, Any] = {
        "language": "en",
        "themes": ((theme, 0.9),) if theme else (),
        "sentiment": "positive",
        "sentiment_score": 0.8,
        "sure": True,
        "question": False,
        "tags": (
            Tag(component="themes", label=theme or "none", version="1", evidence={"spans": [[0, 4]]}),
            Tag(component="sentiment", label="positive", score=0.8, version="1"),
        ),
        **fields,
    }
    return Tagging(**values)


def rollup(archive: Archive) -> list[Any]:
    return archive.conn.execute(
        "SELECT theme, sentiment, posts FROM rollup_minutes ORDER BY theme, sentiment"
    ).fetchall()


def test_tags_are_written_once_and_counted(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    waiting = archive.untagged(10)
    assert archive.save_tags([(waiting[0], tagging())], version="v1") == 1
    assert archive.save_tags([(waiting[0], tagging())], version="v1") == 0
    assert archive.untagged(10) == []
    assert rollup(archive) == [("*", "positive", 1), ("open-data", "positive", 1)]
    assert len(archive.conn.execute("SELECT 1 FROM tags").fetchall()) == 2
    assert verify(archive.path) == []


def test_not_sure_and_no_theme_are_answers(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    archive.save_tags([(archive.untagged(1)[0], tagging(None, sure=False))], version="v1")
    assert rollup(archive) == [("*", "not_sure", 1), ("none", "not_sure", 1)]


def test_newest_first_or_oldest_first(archive: Archive, receive: Receive) -> None:
    archive.write([receive(n) for n in range(5)])
    assert [post.id for post in archive.untagged(2)] == [5, 4]
    assert [post.id for post in archive.untagged(2, newest_first=False)] == [1, 2]


def test_an_edit_between_reading_and_tagging_is_not_tagged_with_the_old_words(
    archive: Archive, receive: Receive
) -> None:
    archive.write([receive(1)])
    read = archive.untagged(1)
    archive.write([receive(1, text="edited", edited_at=START + timedelta(hours=1))])
    assert archive.save_tags([(read[0], tagging())], version="v1") == 0
    assert [post.text for post in archive.untagged(1)] == ["edited"]


def test_an_edit_makes_the_old_tags_history(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    archive.save_tags([(archive.untagged(1)[0], tagging())], version="v1")
    archive.write([receive(1, text="edited", edited_at=START + timedelta(hours=1))])
    assert rollup(archive) == [("*", "untagged", 1), ("untagged", "untagged", 1)]
    assert archive.conn.execute("SELECT count(superseded_at) FROM tags").fetchone() == (2,)
    assert verify(archive.path) == []


def test_a_post_that_keeps_failing_is_set_aside(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    for _ in range(ATTEMPTS):
        archive.tag_failed(archive.untagged(1)[0], "too strange")
    assert [post.id for post in archive.untagged(10)] == [1]


def test_a_retag_begins_anew_and_keeps_history(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    archive.save_tags([(post, tagging()) for post in archive.untagged(10)], version="v1")
    archive.retag()
    assert len(archive.untagged(10)) == 2
    archive.save_tags([(post, tagging("agility")) for post in archive.untagged(10)], version="v2")
    assert archive.conn.execute("SELECT count(*), count(superseded_at) FROM tags").fetchone() == (8, 4)
    assert verify(archive.path) == []


def test_a_post_that_went_or_changed_meanwhile_has_not_failed(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    edited, deleted = archive.untagged(2, newest_first=False)
    archive.write(
        [receive(1, text="edited", edited_at=START + timedelta(hours=1)), Deleted(deleted.key, "x")]
    )
    for post in (edited, deleted):
        archive.tag_failed(post, "too strange")
    assert archive.conn.execute("SELECT count(*) FROM tag_failures").fetchone() == (0,)
