"""Mastodon pages and lines: every case of the golden pairs, and the real archive against its facts."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from archive.vocabulary import Meeting, Private, Received, Unmapped
from collector.importers import mastodon
from collector.importers.base import Context, head_of
from tests.collector.golden import TESTDATA, cases, expected, made


@pytest.mark.parametrize("case", cases("mastodon"))
def test_golden(case: str, meeting: Meeting) -> None:
    assert made(mastodon, case, Context(meeting, case)) == expected("mastodon", case)


@pytest.mark.parametrize("case", cases("mastodon"))
def test_sniff(case: str) -> None:
    assert mastodon.sniff(head_of((TESTDATA / "mastodon" / case).read_bytes()))


def test_other_json_is_not_mastodon() -> None:
    assert not mastodon.sniff(head_of(b'[{"uri": "x", "visibility": "public"}]'))


def read(meeting: Meeting, *statuses: Any) -> list[Any]:
    lines = "\n".join(json.dumps(status) for status in statuses)
    return list(mastodon.read(io.BytesIO(lines.encode()), Context(meeting, "page.json", arm="room")))


def status(**changes: Any) -> dict[str, Any]:
    page = json.loads((TESTDATA / "mastodon" / "page.json").read_text("utf-8"))
    return {**page[0], **changes}


def test_arm_and_payload(meeting: Meeting) -> None:
    (item,) = read(meeting, status())
    assert item.post.arm == "room"
    assert json.loads(item.raw) == status()


def test_statuses_of_searches_and_threads(meeting: Meeting) -> None:
    search = {"accounts": [], "statuses": [status(), status(visibility="direct")], "hashtags": []}
    thread = {"ancestors": [status()], "descendants": []}
    assert [type(item) for item in read(meeting, search, thread)] == [Received, Private, Received]


def test_boost_of_a_private_status_is_private(meeting: Meeting) -> None:
    boost = status(reblog=status(visibility="private"))
    assert [type(item) for item in read(meeting, boost, status())] == [Private, Received]


def test_quoted_private_status_leaves_no_trace(meeting: Meeting) -> None:
    hidden = status(visibility="private", content="<p>secret</p>")
    quoting = status(quote={"state": "accepted", "quoted_status": hidden})
    broken = {**quoting, "created_at": None}
    kept, lost = read(meeting, quoting, broken)
    assert kept.post.kind == "quote"
    assert "secret" not in kept.raw
    assert isinstance(lost, Unmapped) and lost.payload is None


@pytest.fixture
def real(test_data: Path, meeting: Meeting) -> dict[str, list[Received]]:
    pages = {}
    for path in sorted((test_data / "archives" / "mastodon").glob("*_page*.json")):
        with path.open("rb") as stream:
            pages[path.name] = list(mastodon.read(stream, Context(meeting, path.name)))
    return pages


@pytest.mark.real_data
def test_real_archive_equals_its_facts(real: dict[str, list[Received]], test_data: Path) -> None:
    facts = json.loads((test_data / "archives" / "mastodon" / "facts.json").read_text("utf-8"))
    other = "rstats_mastodonsocial_page1.json"
    posts = [item.post for name, items in real.items() if name != other for item in items]
    assert len({post.key for post in posts}) == len(posts) == facts["posts"]
    assert len({post.author.key for post in posts}) == facts["unique_authors"]
    kinds = Counter(post.kind for post in posts)
    assert (kinds["repost"], kinds["reply"]) == (facts["reposts"], facts["replies"])
    assert Counter(post.language for post in posts if post.language) == facts["languages"]
    assert min(post.created_at for post in posts).strftime("%Y-%m-%dT%H:%M:%SZ") == facts["first"]
    assert max(post.created_at for post in posts).strftime("%Y-%m-%dT%H:%M:%SZ") == facts["last"]
    own = [post for post in posts if post.reply_to_account == post.author.handle]
    assert len(own) == facts["reply_edges"]["self_posts"]
    flags = Counter(flag for post in posts for flag in post.flags)
    assert flags == {"not_indexable": 117, "unlisted": 17, "noindex": 1}


@pytest.mark.real_data
def test_two_servers_show_the_same_posts(real: dict[str, list[Received]]) -> None:
    one, other = (
        {item.post.key: item.post for item in real[f"rstats_{server}_page1.json"]}
        for server in ("fosstodon", "mastodonsocial")
    )
    assert one.keys() == other.keys()
    for key, post in one.items():
        twin = other[key]
        assert (post.text, post.created_at, post.author.key) == (twin.text, twin.created_at, twin.author.key)
        assert post.aliases != twin.aliases
