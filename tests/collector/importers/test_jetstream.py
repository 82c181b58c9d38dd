"""Jetstream events of both versions: the golden pairs, and the real archive against its facts."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from archive.vocabulary import Meeting, Received, Skipped
from collector.importers import jetstream
from collector.importers.base import Context, head_of
from tests.collector.golden import TESTDATA, cases, expected, made, posts


@pytest.mark.parametrize("case", cases("jetstream"))
def test_golden(case: str, meeting: Meeting) -> None:
    assert made(jetstream, case, Context(meeting, case)) == expected("jetstream", case)


@pytest.mark.parametrize("case", cases("jetstream"))
def test_sniff(case: str) -> None:
    assert jetstream.sniff(head_of((TESTDATA / "jetstream" / case).read_bytes()))


def test_other_json_is_not_jetstream() -> None:
    assert not jetstream.sniff(head_of(b'{"did": "did:plc:x", "text": "a post without an event"}'))


@pytest.mark.real_data
def test_real_archive_equals_its_facts(test_data: Path, meeting: Meeting) -> None:
    folder = test_data / "archives" / "bluesky_jetstream"
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    with (folder / "jetstream_v1.jsonl").open("rb") as stream:
        items = list(jetstream.read(stream, Context(meeting, "jetstream_v1.jsonl")))
    assert len(items) == facts["events"]
    authored = [post for post in posts(items) if post.kind != "repost"]
    assert len(authored) == facts["posts"]
    assert len({post.author.key for post in authored}) == facts["post_authors"]
    assert sum(post.kind == "reply" for post in authored) == facts["replies"]
    assert Counter(post.language for post in authored) == facts["langs"]
    assert Counter(tag for post in authored for tag in post.hashtags) == facts["tags"]
    kinds = Counter(type(item) for item in items)
    assert kinds == {Received: 16, Skipped: 60}
