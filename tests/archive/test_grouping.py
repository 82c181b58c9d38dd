"""Questions and who stands for whom."""

from __future__ import annotations

from collections.abc import Callable

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


def groups(archive: Archive) -> dict[int, int | None]:
    return {asked.id: asked.representative for asked in archive.questions("e")}


def test_questions_wait_until_they_are_grouped(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2, author="luis"), receive(3, kind="repost")])
    assert not archive.ungrouped()
    tag_all(archive)
    assert archive.ungrouped()
    first, second = archive.questions("e")
    assert (first.key, first.author, first.language, first.vector) == (key(1), "x:ana", "en", bytes(1024))
    assert (second.author, second.representative) == ("x:luis", None)
    assert [asked.vector for asked in archive.questions("another")] == [None, None]
    archive.save_groups({1: 1, 2: 1, 3: 1, 77: 1})
    assert groups(archive) == {1: 1, 2: 1}
    assert not archive.ungrouped()


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
