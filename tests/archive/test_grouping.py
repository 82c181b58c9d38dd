"""Questions and who stands for whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from archive.store import Archive
from archive.vocabulary import Correction, Deleted, Received, Tagging

Receive = Callable[..., Received]


def tag_all(archive: Archive, *, question: bool = True) -> None:
    tagging = Tagging(
        language="en",
        themes=(),
        sentiment=None,
        sentiment_score=None,
        sure=None,
        question=question,
        vector=bytes(1024),
        encoder="e",
        tags=(),
    )
    archive.save_tags([(post, tagging) for post in archive.untagged(100)], version="1")


def key(number: int) -> str:
    return f"x:9{number:018d}"


def later(minutes: int) -> datetime:
    return datetime(2012, 3, 28, tzinfo=UTC) + timedelta(minutes=minutes)


def groups(archive: Archive) -> dict[int, int | None]:
    return {asked.id: asked.representative for asked in archive.questions("e")}


def test_questions_wait_until_they_are_grouped(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2, author="luis"), receive(3, kind="repost")])
    assert archive.ungrouped() == []
    tag_all(archive)
    assert archive.ungrouped() == [1, 2]
    first, second = archive.questions("e")
    assert (first.key, first.author, first.language, first.vector) == (key(1), "x:ana", "en", bytes(1024))
    assert (second.author, second.representative) == ("x:luis", None)
    assert [asked.vector for asked in archive.questions("another")] == [None, None]
    archive.save_groups({1: 1, 2: 1, 3: 1, 77: 1})
    assert groups(archive) == {1: 1, 2: 1}
    assert archive.ungrouped() == []


def test_some_questions_are_read_and_what_all_of_them_say(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1, text="one"), receive(2, text="two"), receive(3, kind="repost")])
    tag_all(archive)
    assert [asked.id for asked in archive.questions("e", [2, 3, 77])] == [2]
    assert archive.questions("e", []) == []
    first, second = archive.questions("e")
    assert archive.said() == {
        1: (first.created_at, key(1), "one"),
        2: (second.created_at, key(2), "two"),
    }


def test_the_mark_tells_that_questions_went_or_read_otherwise(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2), receive(3, text="one")])
    marks = [archive.questions_mark()]
    tag_all(archive)
    marks.append(archive.questions_mark())
    for item in (receive(3, text="two", edited_at=later(1)), receive(3, text="one", edited_at=later(2))):
        archive.write([item])
        tag_all(archive)
        marks.append(archive.questions_mark())
    archive.write([Deleted(key(1), "x")])
    marks.append(archive.questions_mark())
    assert [mark[0] for mark in marks] == [0, 3, 3, 3, 2]
    assert len(set(marks)) == 5


def test_only_what_changed_is_written(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    tag_all(archive)
    archive.save_groups({1: 1, 2: 1})
    written = archive.conn.total_changes
    archive.save_groups({1: 1, 2: 1})
    assert archive.conn.total_changes == written


def test_a_representative_that_goes_leaves_its_group_waiting(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2), receive(3)])
    tag_all(archive)
    archive.save_groups({1: 1, 2: 1, 3: 3})
    archive.write([Deleted(key(1), "x")])
    assert groups(archive) == {2: None, 3: 3}
    archive.save_groups({2: 1})
    assert groups(archive) == {2: None, 3: 3}


def test_a_person_decides_what_is_a_question(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    tag_all(archive)
    archive.save_groups({1: 1, 2: 1})
    archive.correct(key(1), Correction(by="Eva", question=False))
    assert groups(archive) == {2: None}
    archive.correct(key(1), Correction(by="Eva", question=True))
    assert groups(archive) == {1: None, 2: None}


def test_what_is_no_question_is_in_no_group(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    tag_all(archive, question=False)
    assert archive.questions("e") == []
    archive.correct(key(1), Correction(by="Eva", question=True))
    assert groups(archive) == {1: None}
    archive.retag()
    assert archive.questions("e") == []
    tag_all(archive, question=False)
    assert groups(archive) == {1: None}
