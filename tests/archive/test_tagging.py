from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from archive.integrity import verify
from archive.store import Archive
from archive.vocabulary import ATTEMPTS, Deleted, Mood, Name, Received, Tag, Tagging, Themes
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


MOOD = Mood(
    sentiment="negative",
    score=0.7,
    sure=True,
    tag=Tag(component="sentiment", label="negative", score=0.7, version="accurate 1"),
)


def themes(*slugs: str, version: str = "2", score: float = 0.6) -> Themes:
    labels = slugs or ("none",)
    return Themes(
        themes=tuple((slug, score) for slug in slugs),
        tags=tuple(Tag(component="theme", label=label, score=score, version=version) for label in labels),
    )


def machine(archive: Archive, component: str) -> list[tuple[str, str, bool]]:
    rows = archive.conn.execute(
        "SELECT label, version, superseded_at IS NOT NULL FROM tags WHERE component = ? ORDER BY id",
        (component,),
    )
    return [(label, version, bool(old)) for label, version, old in rows]


def test_everything_that_was_found_is_kept(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1, flags=("asked", "clock")), receive(2)])
    posts = archive.untagged(2, newest_first=False, encoder="e")
    assert [post.asked for post in posts] == [True, False]
    full = tagging(
        question=True,
        logistics=True,
        asked=True,
        names=(Name("person", "Eva Roth"), Name("person", "Eva Roth"), Name("place", "Lima")),
        vector=bytes(1024),
        encoder="e",
        themes_by="theme 1",
    )
    plain = tagging(None, question=True)
    archive.save_tags(list(zip(posts, (full, plain), strict=True)), version="v1")
    row = "SELECT question, to_chair, logistics, asked, sentiment_tier, themes_by FROM posts ORDER BY id"
    assert archive.conn.execute(row).fetchall() == [
        (1, 1, 1, 1, "fast", "theme 1"),
        (1, 0, 0, 0, "fast", ""),
    ]
    assert archive.conn.execute("SELECT kind, name FROM post_names").fetchall() == [
        ("person", "Eva Roth"),
        ("place", "Lima"),
    ]
    totals = archive.conn.execute(
        "SELECT dimension, value, posts FROM rollup_totals WHERE dimension IN ('logistics', 'to_chair')"
    ).fetchall()
    assert sorted(totals) == [
        ("logistics", "0", 1),
        ("logistics", "1", 1),
        ("to_chair", "0", 1),
        ("to_chair", "1", 1),
    ]
    assert verify(archive.path) == []


def test_a_question_about_logistics_is_not_for_the_chair(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    found = tagging("agility", question=True, logistics=True)
    assert not found.to_chair
    archive.save_tags([(archive.untagged(1)[0], found)], version="v1")
    (post,) = archive.stale_themes(1, "2")
    archive.save_themes([(post, themes("open-data"))], themes_by="2")
    assert archive.conn.execute("SELECT to_chair FROM posts").fetchone() == (0,)


def test_what_is_asked_expressly_is_for_the_chair_without_a_theme(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    archive.save_tags([(archive.untagged(1)[0], tagging(None, question=True, asked=True))], version="v1")
    assert archive.conn.execute("SELECT asked, to_chair FROM posts").fetchone() == (1, 1)


def test_a_vector_is_kept_for_a_retag_and_goes_with_the_words(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    found = tagging(vector=b"\x01\x02" * 512, encoder="e")
    archive.save_tags([(archive.untagged(1)[0], found)], version="v1")
    archive.retag()
    (post,) = archive.untagged(1, encoder="e")
    assert post.vector == found.vector
    assert archive.untagged(1, encoder="another")[0].vector is None
    archive.save_tags([(post, found)], version="v2")
    assert archive.to_refine(1, encoder="e")[0].vector == found.vector
    archive.write([receive(1, text="edited", edited_at=START + timedelta(hours=1))])
    assert archive.untagged(1, encoder="e")[0].vector is None


def test_themes_chosen_by_another_version_are_due_the_newest_first(
    archive: Archive, receive: Receive
) -> None:
    archive.write([receive(n) for n in range(6)])
    for version, post in zip("aabbcc", archive.untagged(6, newest_first=False), strict=True):
        archive.save_tags([(post, tagging(themes_by=version))], version="v1")
    seen: list[int] = []
    while posts := archive.stale_themes(2, "b"):
        seen += [post.id for post in posts]
        assert archive.save_themes([(post, themes("agility")) for post in posts], themes_by="b") == len(posts)
    assert sorted(seen) == [1, 2, 5, 6]
    assert seen.index(6) < seen.index(5) and seen.index(2) < seen.index(1)
    assert verify(archive.path) == []


def test_other_themes_make_history_and_the_same_are_renewed(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    first = tagging(question=True, tags=themes("open-data", version="1").tags)
    archive.save_tags([(archive.untagged(1)[0], first)], version="v1")
    for number, slugs in enumerate([("open-data",), ("agility", "open-data"), ()], start=2):
        (post,) = archive.stale_themes(1, str(number))
        found = themes(*slugs, version=str(number), score=0.7)
        archive.save_themes([(post, found)], themes_by=str(number))
    assert machine(archive, "theme") == [
        ("open-data", "2", True),
        ("agility", "3", True),
        ("open-data", "3", True),
        ("none", "4", False),
    ]
    assert archive.conn.execute("SELECT to_chair, themes_by FROM posts").fetchone() == (0, "4")
    assert rollup(archive) == [("*", "positive", 1), ("none", "positive", 1)]
    assert verify(archive.path) == []


def test_sentiment_is_refined_once_the_newest_first(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    archive.save_tags([(post, tagging()) for post in archive.untagged(2)], version="v1")
    due = archive.to_refine(10)
    assert [post.id for post in due] == [2, 1]
    assert archive.refine([(due[0], MOOD)]) == 1
    assert archive.refine([(due[0], MOOD)]) == 0
    assert [post.id for post in archive.to_refine(10)] == [1]
    assert machine(archive, "sentiment") == [
        ("positive", "1", True),
        ("positive", "1", False),
        ("negative", "accurate 1", False),
    ]
    assert rollup(archive)[:2] == [("*", "negative", 1), ("*", "positive", 1)]
    assert verify(archive.path) == []


def test_what_was_edited_meanwhile_is_neither_themed_nor_refined(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    archive.save_tags([(archive.untagged(1)[0], tagging())], version="v1")
    due = archive.to_refine(1)
    archive.write([receive(1, text="edited", edited_at=START + timedelta(hours=1))])
    assert archive.refine([(due[0], MOOD)]) == 0
    assert archive.save_themes([(due[0], themes("agility"))], themes_by="2") == 0
    archive.tag_failed(due[0], "too strange", tagged=True)
    assert archive.conn.execute("SELECT count(*) FROM tag_failures").fetchone() == (0,)
    assert rollup(archive) == [("*", "untagged", 1), ("untagged", "untagged", 1)]


def test_what_cannot_be_made_better_is_set_aside_with_its_tags(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    archive.save_tags([(post, tagging()) for post in archive.untagged(2)], version="v1")
    for _ in range(ATTEMPTS):
        archive.tag_failed(archive.stale_themes(1, "2")[0], "too strange", tagged=True)
    assert [post.id for post in archive.stale_themes(10, "2")] == [1]
    archive.retag()
    assert len(archive.untagged(10)) == 2


def test_what_cannot_be_refined_gets_its_themes_all_the_same(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    archive.save_tags([(archive.untagged(1)[0], tagging())], version="v1")
    for _ in range(ATTEMPTS):
        archive.tag_failed(archive.to_refine(1)[0], "too strange", refining=True)
    (post,) = archive.stale_themes(10, "2")
    archive.save_themes([(post, themes("agility"))], themes_by="2")
    assert archive.to_refine(10) == [], "it stays set aside for the step that failed"
    archive.retag()
    assert len(archive.untagged(10)) == 1


def failures(archive: Archive) -> list[tuple[int, int]]:
    return archive.conn.execute("SELECT attempts, refinements FROM tag_failures").fetchall()


def test_failures_of_different_steps_do_not_add_up_and_success_clears_them(
    archive: Archive, receive: Receive
) -> None:
    archive.write([receive(1)])
    archive.save_tags([(archive.untagged(1)[0], tagging())], version="v1")
    (post,) = archive.to_refine(1)
    for _ in range(ATTEMPTS - 1):
        archive.tag_failed(post, "no themes", tagged=True)
        archive.tag_failed(post, "no mood", refining=True)
    assert failures(archive) == [(2, 2)]
    archive.save_themes([(post, themes("agility"))], themes_by="2")
    assert failures(archive) == [(0, 2)]
    archive.tag_failed(post, "no themes", tagged=True)
    assert [len(archive.stale_themes(1, "3")), len(archive.to_refine(1))] == [1, 1]
    archive.refine([(post, MOOD)])
    assert failures(archive) == [(1, 0)]
    archive.save_themes([(post, themes("agility"))], themes_by="3")
    assert failures(archive) == []
