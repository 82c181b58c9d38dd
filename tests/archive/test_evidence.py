"""Tags read back with their evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from archive.evidence import tags_of
from archive.store import Archive
from archive.vocabulary import Received, Tag, Tagging

TAGGING = Tagging(
    language="en",
    themes=(("open-data", 0.5),),
    sentiment="neutral",
    sentiment_score=0.6,
    sure=True,
    question=False,
    tags=(Tag(component="theme", label="open-data", score=0.5, evidence={"spans": []}, version="theme 1"),),
)


def test_a_post_without_tags_says_so(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1, aliases=("x:9000000000000000777",))])
    found = tags_of(archive.conn, "x:9000000000000000777")
    assert found is not None
    assert found.key == "x:9000000000000000001"
    assert (found.tagged_at, found.sure, found.failure, found.tags) == (None, None, None, ())
    assert tags_of(archive.conn, "x:9") is None


def test_tags_come_with_evidence_and_history(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1)])
    for version in ("a", "b"):
        archive.save_tags([(post, TAGGING) for post in archive.untagged(5)], version=version)
        if version == "a":
            archive.retag()
    found = tags_of(archive.conn, "x:9000000000000000001")
    assert found is not None
    assert (found.tagged_by, found.sure) == ("b", True)
    old, new = found.tags
    assert old.superseded_at is not None
    assert new.superseded_at is None
    assert new.evidence == {"spans": []}
    assert new.set_by is None


def test_words_of_the_fast_tier_in_an_old_tag_of_the_accurate_one_are_called_so(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    archive.write([receive(1)])
    (post,) = archive.untagged(1)
    old: dict[str, object] = {"sure": True, "words": [["love", 1.2]], "tier": "accurate"}
    tags = [
        Tag(component="sentiment", label="neutral", score=0.6, evidence=evidence, version="accurate 1")
        for evidence in (old, {"words": [["love", 1.2]]}, {"tier": "accurate", "fast_words": []})
    ]
    archive.save_tags([(post, replace(TAGGING, tags=tuple(tags)))], version="a")
    found = tags_of(archive.conn, post.key)
    assert found is not None
    assert [tag.evidence for tag in found.tags] == [
        {"sure": True, "fast_words": [["love", 1.2]], "tier": "accurate"},
        {"words": [["love", 1.2]]},
        {"tier": "accurate", "fast_words": []},
    ]


def test_why_tagging_failed_is_told(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1)])
    archive.tag_failed(archive.untagged(1)[0], "bad taste")
    found = tags_of(archive.conn, "x:9000000000000000001")
    assert found is not None
    assert found.failure == "bad taste"
