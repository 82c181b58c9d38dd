"""Working through untagged posts: resumed, halved, never twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from spacy.language import Language

from analysis import tagging
from analysis.pipeline import build, version
from analysis.tagging import tag
from archive.store import Archive
from archive.vocabulary import Meeting, Received, Tagging, Untagged

Receive = Callable[..., Received]


@pytest.fixture
def nlp(meeting: Meeting) -> Language:
    return build(meeting)


def fill(archive: Archive, receive: Receive, texts: Sequence[str]) -> None:
    archive.write([receive(number, text=text) for number, text in enumerate(texts)])


def tagged(archive: Archive) -> list[tuple[str, str, str]]:
    rows = archive.conn.execute(
        "SELECT text, sentiment, tagged_by FROM posts WHERE tagged_at IS NOT NULL ORDER BY id"
    )
    return [tuple(row) for row in rows]


def test_everything_untagged_is_tagged_once(archive: Archive, receive: Receive, nlp: Language) -> None:
    fill(archive, receive, [f"I love open data {n}" for n in range(7)])
    heard: list[int] = []
    assert tag(archive, nlp, batch=3, progress=heard.append) == 7
    assert heard == [3, 6, 7]
    assert tag(archive, nlp) == 0
    assert [row[1:] for row in tagged(archive)] == [("positive", version(nlp))] * 7
    assert archive.conn.execute("SELECT count(*) FROM tags").fetchone()[0] == 7 * 4


def test_the_newest_come_first_and_a_stop_is_heeded(
    archive: Archive, receive: Receive, nlp: Language
) -> None:
    fill(archive, receive, ["old", "middle", "new"])
    answers = iter([False, True])
    assert tag(archive, nlp, batch=1, stop=lambda: next(answers)) == 1
    assert [row[0] for row in tagged(archive)] == ["new"]
    assert tag(archive, nlp, batch=1) == 2


def test_posts_that_come_meanwhile_are_tagged_too(archive: Archive, receive: Receive, nlp: Language) -> None:
    fill(archive, receive, ["first"])
    waits = iter([["second", "third"], []])
    over = False

    def wait() -> None:
        nonlocal over
        texts = next(waits)
        archive.write([receive(10 + n, text=text) for n, text in enumerate(texts)])
        over = not texts

    assert tag(archive, nlp, forever=True, wait=wait, stop=lambda: over) == 3


def test_one_poison_post_is_set_aside_and_its_neighbours_are_tagged(
    archive: Archive, receive: Receive, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tagging.tag_texts

    def fragile(nlp: Language, posts: Sequence[Untagged]) -> list[Tagging]:
        if any("poison" in post.text for post in posts):
            raise RuntimeError("bad taste")
        return real(nlp, posts)

    monkeypatch.setattr(tagging, "tag_texts", fragile)
    fill(archive, receive, ["one", "two", "poison", "four", "five"])
    assert tag(archive, nlp) == 4
    assert [row[0] for row in tagged(archive)] == ["one", "two", "four", "five"]
    failure = archive.conn.execute("SELECT attempts, reason FROM tag_failures").fetchone()
    assert tuple(failure) == (3, "RuntimeError: bad taste")


def test_running_out_of_memory_is_nobodys_fault(
    archive: Archive, receive: Receive, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    def starved(nlp: Language, posts: Sequence[Untagged]) -> list[Tagging]:
        raise MemoryError

    monkeypatch.setattr(tagging, "tag_texts", starved)
    fill(archive, receive, ["one"])
    with pytest.raises(MemoryError):
        tag(archive, nlp)
    assert archive.conn.execute("SELECT count(*) FROM tag_failures").fetchone()[0] == 0


def test_a_retag_keeps_the_old_tags_as_history(archive: Archive, receive: Receive, nlp: Language) -> None:
    fill(archive, receive, ["open data"])
    tag(archive, nlp)
    archive.retag()
    assert tag(archive, nlp) == 1
    rows = archive.conn.execute("SELECT count(*), count(superseded_at) FROM tags").fetchone()
    assert tuple(rows) == (8, 4)
