"""Jetstream events to posts, whatever a client wrote into its records."""

from __future__ import annotations

from typing import Any

import pytest

from archive.vocabulary import Engagement
from collector.mapping import MappingError
from collector.mapping.bluesky import (
    Commit,
    commit_of,
    commit_of_view,
    key_of,
    tags_of,
    to_post,
    with_counts,
)

DID = "did:plc:bcana000000000000000000"


def event(record: Any, **changes: Any) -> dict[str, Any]:
    commit = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": "3aaa", "record": record}
    return {"did": DID, "time_us": 1773669791000000, "kind": "commit", "commit": commit, **changes}


def commit(record: Any, **changes: Any) -> Commit:
    found = commit_of(event(record, **changes))
    assert isinstance(found, Commit)
    return found


def test_a_post_of_words_only() -> None:
    post = to_post(
        commit({"text": "Hello #One", "createdAt": "2026-03-16T14:03:10Z", "langs": []}), arm="room"
    )
    assert (post.key, post.arm, post.kind, post.language) == (f"bluesky:{DID}/3aaa", "room", "original", None)
    assert post.hashtags == ("one",)
    assert post.edited_at is None and not post.flags


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        (f"at://{DID}/app.bsky.feed.post/3bbb", f"bluesky:{DID}/3bbb"),
        (f"at://{DID}/app.bsky.feed.generator/x", None),
        (f"at://{DID}", None),
        ("https://example.org", None),
        (7, None),
    ],
)
def test_addresses(uri: Any, key: str | None) -> None:
    assert key_of(uri) == key


def test_records_of_any_shape() -> None:
    odd = {
        "text": "Hello",
        "createdAt": "0001-01-01T00:00:00+14:00",
        "langs": [7],
        "reply": {"parent": "at://x"},
        "embed": {"record": {"uri": f"at://{DID}/app.bsky.graph.list/x"}, "external": {"uri": ""}},
        "facets": [7, {"features": [{"$type": "app.bsky.richtext.facet#link", "uri": 7}, None]}],
    }
    post = to_post(commit(odd))
    assert (post.kind, post.language, post.links, post.flags) == ("original", None, (), ("clock",))
    assert post.created_at.isoformat() == "2026-03-16T14:03:11+00:00"


@pytest.mark.parametrize("time_us", [None, True, 10**30, "soon"])
def test_no_time_at_all(time_us: Any) -> None:
    with pytest.raises(MappingError, match="createdAt"):
        to_post(commit({"text": "Hello"}, time_us=time_us))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"did": None}, "did is missing"),
        ({"commit": {}}, "collection is missing"),
        ({"kind": None}, "no Jetstream event"),
    ],
)
def test_events_of_any_shape(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        commit_of(event({}, **changes))


def test_other_events_have_a_name() -> None:
    assert commit_of({"kind": "identity"}) == "identity event"
    assert commit_of({"$type": "network.bsky.jetstream.subscribeEvents#sync"}) == "sync event"


def test_hashtags_that_decide_and_hashtags_that_are_stored() -> None:
    """Facets and ``tags`` decide too; stored are those of the text (measures.md)."""
    features = [{"$type": "app.bsky.richtext.facet#tag", "tag": "Facet"}]
    record = {
        "text": "Hello #One ＃two",
        "createdAt": "2026-03-16T14:03:10Z",
        "tags": ["#Listed", 7],
        "facets": [{"features": features}],
    }
    assert list(tags_of(record)) == ["one", "two", "Facet", "Listed"]
    assert to_post(commit(record)).hashtags == ("one",)


def test_a_post_as_search_shows_it() -> None:
    view = {
        "uri": f"at://{DID}/app.bsky.feed.post/3aaa",
        "record": {"text": "Hello", "createdAt": "2026-03-16T14:03:10Z"},
        "indexedAt": "2026-03-16T14:03:11Z",
        "likeCount": 3,
        "replyCount": -1,
    }
    post = to_post(commit_of_view(view))
    streamed = to_post(commit(view["record"]))
    assert post == streamed
    assert with_counts(post, view).engagement == Engagement(likes=3)
    assert with_counts(post, {"likeCount": "3"}) == post
    with pytest.raises(MappingError, match="address"):
        commit_of_view({**view, "uri": "https://example.org"})
