"""Jetstream events: in the order seen, facets by bytes, deletions before and after, late arrivals."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from random import Random

from data.sample import write_bluesky
from data.sample.story import Draft


def test_events_are_in_the_order_seen(draft: Callable[..., Draft]) -> None:
    late = draft(1, "bluesky", "Late")
    late.seen_at = late.at + timedelta(minutes=30)
    gone = draft(2, "bluesky", "Gone")
    gone.deleted_at = gone.at - timedelta(seconds=1)
    events = [json.loads(line) for line in write_bluesky.events(Random(3), [late, gone, draft(3, "bluesky")])]
    assert [event["time_us"] for event in events] == sorted(event["time_us"] for event in events)
    operations = [(event["commit"]["operation"], event["commit"]["rkey"]) for event in events]
    assert operations.index(("delete", gone.id)) < operations.index(("create", gone.id))
    posts = [event["commit"]["rkey"] for event in events if event["commit"]["collection"].endswith("post")]
    assert posts[-1] == late.id


def test_facets_count_bytes(draft: Callable[..., Draft]) -> None:
    post = draft(1, "bluesky", "¡Año! http://example.org/a #eleaders2012")
    reply = draft(2, "bluesky", "Sí #eleaders2012", parent=post)
    events = [json.loads(line)["commit"] for line in write_bluesky.events(Random(8), [post, reply])]
    record = next(event["record"] for event in events if event["rkey"] == post.id)
    for facet in record["facets"]:
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        assert record["text"].encode()[start:end].decode() in ("http://example.org/a", "#eleaders2012")
    answer = next(event["record"] for event in events if event["rkey"] == reply.id)
    assert answer["reply"]["parent"]["uri"].endswith(post.id)


def test_some_posts_are_liked_or_reposted(draft: Callable[..., Draft]) -> None:
    drafts = [draft(number, "bluesky") for number in range(40)]
    collections = {
        json.loads(line)["commit"]["collection"].rpartition(".")[2]
        for line in write_bluesky.events(Random(1), drafts)
    }
    assert collections == {"post", "like", "repost"}
