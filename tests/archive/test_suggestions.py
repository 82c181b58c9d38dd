from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from archive import suggestions as module
from archive.store import Archive
from archive.suggestions import Suggestion, decided, suggestions, there, written
from archive.vocabulary import Deleted, Received, Tagging

Receive = Callable[..., Received]


def suggestion(keyword: str, score: float = 0.5, theme: str = "open-data") -> Suggestion:
    return Suggestion(
        theme=theme,
        language="es",
        keyword=keyword,
        score=score,
        posts=5,
        authors=4,
        new_posts=2,
        examples=("x:1", "x:2"),
    )


def test_the_list_is_replaced_as_a_whole(archive: Archive) -> None:
    assert suggestions(archive.conn) == []
    archive.save_suggestions(
        [suggestion("agua"), suggestion("dato", 0.9), suggestion("silo", theme="agility")]
    )
    assert [one.keyword for one in suggestions(archive.conn)] == ["silo", "dato", "agua"]
    assert suggestions(archive.conn, "open-data") == [suggestion("dato", 0.9), suggestion("agua")]
    archive.save_suggestions([suggestion("agua", 0.1)])
    assert suggestions(archive.conn) == [suggestion("agua", 0.1)]


def test_what_was_decided_is_offered_no_more(archive: Archive) -> None:
    archive.save_suggestions([suggestion("agua"), suggestion("dato"), suggestion("agua", theme="agility")])
    archive.decide("open-data", "es", "agua", accepted=True, by="Ana")
    archive.decide("open-data", "es", "dato", accepted=False, by="Luis")
    assert suggestions(archive.conn) == [suggestion("agua", theme="agility")]
    assert {(one.keyword, one.decision, one.set_by) for one in decided(archive.conn)} == {
        ("agua", "accepted", "Ana"),
        ("dato", "rejected", "Luis"),
    }


def test_posts_that_were_written_and_tagged(
    archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.write(
        [
            receive(1, author="ana", text="uno"),
            receive(2, author="luis", text="dos"),
            receive(3, author="ana", kind="repost", text="tres"),
            receive(4, author="ana", text="not tagged"),
            receive(5, author="eva", text="cinco"),
        ]
    )
    for post in archive.untagged(10):
        if post.text != "not tagged":
            tagging = Tagging(
                language="es",
                themes=(("agility", 0.9), ("open-data", 0.5)) if post.text == "dos" else (),
                sentiment=None,
                sentiment_score=None,
                sure=None,
                question=False,
                tags=(),
            )
            archive.save_tags([(post, tagging)], version="test")
    found = list(written(archive.conn, 10))
    assert [(one.text, one.language, sorted(one.themes)) for one in found] == [
        ("uno", "es", []),
        ("dos", "es", ["agility", "open-data"]),
        ("cinco", "es", []),
    ]
    assert found[0].author != found[1].author
    assert found[0].key == receive(1).post.key
    assert [one.text for one in written(archive.conn, 2)] == ["dos", "cinco"]
    monkeypatch.setattr(module, "PAGE", 1)
    assert list(written(archive.conn, 10)) == found
    pages = written(archive.conn, 10)
    assert next(pages) == found[0]
    archive.write([Deleted(found[1].key, "x")])
    assert list(pages) == found[2:]
    assert there(archive.conn, [one.key for one in found]) == {one.key for one in found} - {found[1].key}


def test_an_example_that_is_deleted_takes_its_suggestion_along(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    first, second = (f"x:9{number:018d}" for number in (1, 2))
    archive.save_suggestions(
        [
            replace(suggestion("agua"), examples=(second, first)),
            replace(suggestion("dato"), examples=(second,)),
        ]
    )
    archive.write([Deleted(first, "x")])
    assert [one.keyword for one in suggestions(archive.conn)] == ["dato"]
