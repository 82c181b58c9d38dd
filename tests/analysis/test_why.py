"""Why a post is tagged as it is."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from analysis.pipeline import PIPELINE, build
from analysis.tagging import tag
from analysis.why import why
from archive.errors import UsageError
from archive.store import Archive
from archive.vocabulary import Correction, Received


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
    assert set(tags) == {step.name for step in PIPELINE} - {"vector"}
    (span,) = tags["theme"]["spans"]
    assert text[span["start"] : span["end"]] == "OpenData"
    assert tags["sentiment"]["words"][0][0] == "love"
    assert tags["question"]["fired"][0]["text"] == "?"
    assert answer["tagged_at"].endswith("Z")
    assert len(answer["history"]) == len(answer["tags"])
    assert all(shown["superseded_at"] for shown in answer["history"])


def test_a_correction_stands_beside_what_it_overrules(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    archive.write([receive(1, text="I love #OpenData")])
    tag(archive, build(archive.meeting))
    key = "x:9000000000000000001"
    archive.correct(key, Correction(by="Ana", sentiment="neutral"))
    archive.correct(key, Correction(by="Eva", sentiment="negative", note="irony"))
    answer = why(archive.conn, key)
    machine, person = (shown for shown in answer["tags"] if shown["component"] == "sentiment")
    assert (machine["label"], machine["set_by"], machine["overruled_by"]) == ("positive", None, "Eva")
    assert (person["label"], person["set_by"], person["overruled_by"]) == ("negative", "Eva", None)
    assert (person["version"], person["note"]) == ("correction", "irony")
    assert all(shown["overruled_by"] is None for shown in answer["tags"] if shown["component"] == "theme")
    assert [shown["set_by"] for shown in answer["history"]] == ["Ana"]


def test_a_post_that_waits_has_no_tags(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1)])
    answer = why(archive.conn, "x:9000000000000000001")
    assert (answer["tagged_at"], answer["tags"]) == (None, [])


def test_an_unknown_key_is_said(archive: Archive) -> None:
    with pytest.raises(UsageError, match="no such post"):
        why(archive.conn, "x:9")
