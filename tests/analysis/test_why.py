"""Why a post is tagged as it is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from analysis.pipeline import build
from analysis.tagging import tag
from analysis.why import why
from archive.errors import UsageError
from archive.store import Archive
from archive.vocabulary import Received


def test_every_tag_comes_with_its_evidence(archive: Archive, receive: Callable[..., Received]) -> None:
    text = "I love #OpenData, who pays?"
    archive.write([receive(1, text=text, language="en")])
    nlp = build(archive.meeting)
    tag(archive, nlp)
    archive.retag()
    tag(archive, nlp)
    answer = why(archive.path, "x:9000000000000000001")
    assert answer == why(archive.conn, "x:9000000000000000001")
    json.dumps(answer)
    tags = {shown["component"]: shown for shown in answer["tags"]}
    assert set(tags) == {"language", "theme", "sentiment", "question"}
    (span,) = tags["theme"]["spans"]
    assert text[span["start"] : span["end"]] == "OpenData"
    assert tags["sentiment"]["words"][0][0] == "love"
    assert tags["question"]["fired"][0]["text"] == "?"
    assert answer["tagged_at"].endswith("Z")
    assert len(answer["history"]) == 4
    assert all(shown["superseded_at"] for shown in answer["history"])


def test_a_post_that_waits_has_no_tags(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1)])
    answer = why(archive.conn, "x:9000000000000000001")
    assert (answer["tagged_at"], answer["tags"]) == (None, [])


def test_an_unknown_key_is_said(archive: Archive) -> None:
    with pytest.raises(UsageError, match="no such post"):
        why(archive.conn, "x:9")
