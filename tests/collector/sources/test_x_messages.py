from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.vocabulary import Private, Received, Unmapped
from collector.sources import x_messages
from collector.sources.base import Limited, Lost, Refused, SourceError, Unavailable
from collector.sources.x_rules import Rules

NOW = datetime(2026, 11, 26, tzinfo=UTC)
RULES = Rules("backchannel:sample", frozenset({"1"}), 1)
TAGS = frozenset({"sample2012"})
POST: dict[str, Any] = {
    "id": "9",
    "author_id": "1",
    "text": "hello",
    "created_at": "2026-11-26T00:00:00.000Z",
}


def message(text: str = "hello", **parts: Any) -> dict[str, Any]:
    return {"data": {**POST, "text": text}, **parts}


def ours(told: dict[str, Any]) -> bool:
    item = x_messages.received(x_messages.payload_of(told), "public", NOW, "here")
    assert isinstance(item, Received)
    return x_messages.is_ours(told, item, RULES, TAGS)


@given(
    st.binary(max_size=60)
    | st.recursive(st.none() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_line_is_read_or_kept(line: bytes) -> None:
    found = x_messages.read(line, "here")
    assert isinstance(found, (dict, Unmapped))


@given(
    st.dictionaries(
        st.sampled_from([*POST, "entities", "note_tweet", "referenced_tweets"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "text", "tag"]), inner)
            ),
            max_leaves=8,
        ),
    )
)
def test_any_post_is_mapped_or_kept(fields: dict[str, Any]) -> None:
    told = {"data": {**POST, **fields}, "includes": fields, "matching_rules": list(fields.values())}
    item = x_messages.received(x_messages.payload_of(told), "public", NOW, "here")
    assert isinstance(item, (Received, Unmapped))
    if isinstance(item, Received):
        assert x_messages.is_ours(told, item, RULES, TAGS) in (True, False)


@pytest.mark.parametrize("rules", [[{"id": "2", "tag": "backchannel:sample"}], [{"id": "1"}]])
def test_our_rules_keep_a_post_whatever_its_text(rules: Any) -> None:
    assert ours(message(matching_rules=rules))


@pytest.mark.parametrize("rules", [None, [], "1", [{"tag": "backchannel:other"}], [{"id": {}}], [7]])
def test_otherwise_the_hashtag_decides(rules: Any) -> None:
    assert not ours(message("nothing #other", matching_rules=rules))
    assert ours(message("something #Sample2012", matching_rules=rules))


def test_hashtags_are_found_wherever_they_stand() -> None:
    assert ours(message("#SÁMPLE2012"))
    assert ours(message("#SA\u0301MPLE2012"))
    assert ours(
        message(entities={}, includes=7) | {"data": {**POST, "note_tweet": {"text": "x #sample2012"}}}
    )
    assert ours({"data": {**POST, "entities": {"hashtags": [{"tag": "Sample2012"}]}}})
    repost = {**POST, "text": "RT @bc_a: cut…", "referenced_tweets": [{"type": "retweeted", "id": "5"}]}
    passed_on = {"id": "5", "author_id": "2", "text": "far away #sample2012"}
    assert ours({"data": repost, "includes": {"tweets": [passed_on]}})
    assert not ours(
        {
            "data": {**POST, "referenced_tweets": [{"type": "quoted", "id": "5"}]},
            "includes": {"tweets": [passed_on]},
        }
    )


def test_a_direct_message_leaves_nothing() -> None:
    told = {"data": {**POST, "dm_conversation_id": "1-2"}}
    assert x_messages.received(told, "public", NOW, "here") == Private("here")


@pytest.mark.parametrize(
    "line",
    [
        b'{"data": {"author_id": "666", "id": "5", "text": "half',
        b'{"data": {"author_id": 666, "id": "5", "text": NaN}}',
        b'{"data": {"author_id": "666", "id": "5", "text": "\\ud800"}}',
    ],
)
def test_what_cannot_be_read_says_whose_it_may_be(line: bytes) -> None:
    item = x_messages.owned(x_messages.read(line, "here"))  # type: ignore[arg-type]
    assert isinstance(item, Unmapped) and item.accounts == ("x:666",)


def test_what_cannot_be_mapped_says_whose_it_may_be() -> None:
    told = {"data": {**POST, "id": "x1"}, "includes": {"users": [{"id": "1", "username": "BC_Ana"}]}}
    item = x_messages.owned(x_messages.received(told, "public", NOW, "here"))
    assert isinstance(item, Unmapped) and item.accounts == ("x:1", "x:@bc_ana")


def test_a_depth_that_can_be_read_but_not_written() -> None:
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    item = x_messages.received({"data": {**POST, "entities": deep}}, "public", NOW, "here")
    assert isinstance(item, Unmapped) and item.reason == "nested too deeply"
    while deep:
        deep = deep[0]


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        ({"title": "operational-disconnect", "detail": "gone"}, Lost),
        ({"disconnect_type": "UpstreamUncleanDisconnect"}, Lost),
        ({"title": "ConnectionException"}, Limited),
        ({"connection_issue": "TooManyConnections"}, Limited),
        ({"type": "https://api.x.com/2/problems/usage-capped"}, Limited),
        ({"title": "Unauthorized", "status": 401}, Refused),
        ({"type": "https://api.x.com/2/problems/client-forbidden"}, Refused),
        ({"status": 429}, Limited),
        ({"status": 503, "detail": "a\nb"}, Unavailable),
    ],
)
def test_what_an_error_means(problem: dict[str, Any], kind: type[SourceError]) -> None:
    for told in (problem, {"errors": [7, problem]}):
        found = x_messages.failure(told, NOW)
        assert isinstance(found, kind)
        assert "\n" not in str(found)


@pytest.mark.parametrize(
    "told", [{}, {"errors": "x"}, {"errors": [{"title": "Not Found Error"}]}, {"status": "x"}]
)
def test_what_means_nothing(told: dict[str, Any]) -> None:
    assert x_messages.failure(told, NOW) is None


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"text": "half\0way"}, "a NUL character"),
        ({"id": str(2**63)}, "beyond 2^63"),
    ],
)
def test_what_no_post_can_hold_is_kept_aside(fields: dict[str, Any], reason: str) -> None:
    item = x_messages.received({"data": {**POST, **fields}}, "public", NOW, "here")
    assert isinstance(item, Unmapped)
    assert reason in item.reason
    assert item.payload


def test_what_only_looks_like_it_is_a_post() -> None:
    for fields in ({"text": r"they wrote \u0000"}, {"id": str(2**63 - 1)}, {"id": "1.2E+18"}):
        payload = {"data": {**POST, **fields}}
        assert isinstance(x_messages.received(payload, "public", NOW, "here"), Received)


def test_a_key_that_stands_twice_is_kept_aside() -> None:
    item = x_messages.read(b'{"data":{"id":"7","text":"a","text":"b"}}', "here")
    assert isinstance(item, Unmapped)
    assert "stands twice" in item.reason
