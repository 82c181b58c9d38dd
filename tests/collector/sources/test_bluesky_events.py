"""What of a network's events is passed on, in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.vocabulary import Deleted, Meeting, Received, Unmapped
from collector.importers.records import dump
from collector.sources.base import CaughtUp, IfKnown, Signal
from collector.sources.bluesky_events import Memory, Sorter, carries, explain, folded, owned
from tests.collector.sources.bluesky_driver import Held, setup_of

ANA, LUIS = "did:plc:bcana000000000000000000", "did:plc:bcluis00000000000000000"
KEY = f"bluesky:{ANA}/3aaa"
START = datetime(2026, 3, 26, 9, tzinfo=UTC)
MEETING = Meeting(
    slug="sample", title="A sample", hashtags=("sample2012",), starts=START, ends=START, timezone="UTC"
)


def change(
    operation: str, text: str | None = None, *, at: int = 0, did: str = ANA, **more: Any
) -> dict[str, Any]:
    commit: dict[str, Any] = {
        "operation": operation,
        "collection": "app.bsky.feed.post",
        "rkey": "3aaa",
        "rev": "3z",
    }
    if text is not None:
        commit["record"] = {"text": text, "createdAt": "2026-03-26T09:00:00Z", **more}
    return {"did": did, "time_us": 1_774_515_600_000_000 + at, "kind": "commit", "commit": commit}


def repost(at: int = 0, rkey: str = "3bbb", subject: str = ANA) -> dict[str, Any]:
    uri = f"at://{subject}/app.bsky.feed.post/3aaa"
    record = {"subject": {"uri": uri, "cid": "x"}, "createdAt": "2026-03-26T09:00:01Z"}
    commit = {"operation": "create", "collection": "app.bsky.feed.repost", "rkey": rkey, "record": record}
    return {"did": LUIS, "time_us": 1_774_515_600_000_000 + at, "kind": "commit", "commit": commit}


def account(did: str, active: bool, status: str | None = None) -> dict[str, Any]:
    return {
        "did": did,
        "time_us": 1_774_515_600_000_000,
        "kind": "account",
        "account": {"active": active, "status": status},
    }


class Desk:
    """A sorter with what an archive would hold of its signals."""

    def __init__(self) -> None:
        self.held = Held()
        self.sorter = Sorter(setup_of(MEETING, None, self.held, hashtags=("Sámple2012",)))

    def hear(self, *events: Any) -> list[Signal]:
        said: list[Signal] = []
        for event in events:
            for signal in self.sorter.sort(event, dump(event), "a test"):
                self.held.take(signal)
                said.append(signal)
        return said


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("record", "ours"),
    [
        ({"text": "Good morning #Sample2012!"}, True),
        ({"text": "Good morning #SÁMPLE2012"}, True),
        ({"text": "Good morning #sa\u0301mple2012"}, True),
        ({"text": "Good morning ＃sample2012"}, True),
        ({"text": "Good morning #sample2012b"}, False),
        ({"text": "Good morning sample2012"}, False),
        ({"text": "x", "tags": ["Sample2012"]}, True),
        ({"text": "x", "tags": [" #sample2012 ", 7]}, True),
        ({"text": "x", "tags": "sample2012"}, False),
        ({"text": 7, "tags": None}, False),
        ({"text": 7}, False),
        ({}, False),
        ({"facets": [{"features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "sample2012"}]}]}, True),
        ({"facets": [{"features": [{"$type": "app.bsky.richtext.facet#link", "tag": "sample2012"}]}]}, False),
        ({"facets": 7}, False),
    ],
)
def test_which_posts_are_ours(record: dict[str, Any], ours: bool) -> None:
    assert carries(record, {"sample2012"}) is ours


@pytest.mark.parametrize(
    ("tag", "as_compared"), [("#Abc", "abc"), ("Straße", "strasse"), ("ÉTÉ", "ete"), ("İx", "ix")]
)
def test_how_hashtags_are_compared(tag: str, as_compared: str) -> None:
    assert folded(tag) == as_compared


def test_a_post_and_what_is_not_ours(desk: Desk) -> None:
    (item,) = desk.hear(change("create", "Hello #sample2012"))
    assert isinstance(item, Received) and item.post.key == KEY and item.raw is not None
    assert item.observed_at == START and item.received_at is not None
    assert desk.hear(change("create", "Nothing of ours")) == []
    assert desk.hear({"did": ANA, "kind": "identity", "time_us": 1}, {"kind": "comet"}) == []
    likes = change("create", "x #sample2012")
    likes["commit"]["collection"] = "app.bsky.feed.like"
    assert desk.hear(likes) == []


def test_everybodys_deletions_edits_and_reposts_matter_only_where_the_post_does(desk: Desk) -> None:
    said = desk.hear(repost(), change("update", "Without it"), change("delete"))
    assert [type(signal) for signal in said] == [IfKnown, IfKnown, IfKnown]
    assert {signal.key for signal in said if isinstance(signal, IfKnown)} == {KEY}
    assert not desk.held.posts


@given(st.permutations(["create", "edit", "edit out", "delete", "repost"]), st.data())
def test_all_orders_end_in_the_same_state(order: list[str], data: st.DataObject) -> None:
    events = {
        "create": change("create", "One #sample2012"),
        "edit": change("update", "Two #sample2012", at=1),
        "edit out": change("update", "Three", at=2),
        "delete": change("delete", at=3),
        "repost": repost(at=4),
    }
    kept = data.draw(st.sampled_from([("delete",), ("repost",), ("edit out",), ()]), label="what never comes")
    desk = Desk()
    for name in order:
        if name not in kept:
            desk.hear(events[name])
            if data.draw(st.booleans(), label="twice"):
                desk.hear(events[name])
    if "delete" not in kept:
        assert desk.held.texts() == {}
        return
    expected = {KEY: "Three", f"bluesky:{LUIS}/3bbb": ""}
    assert desk.held.texts() == expected


def test_a_repost_withdrawn_before_its_post_came(desk: Desk) -> None:
    gone = repost()
    gone["commit"] = {**gone["commit"], "operation": "delete"}
    desk.hear(repost(), gone, change("create", "Hello #sample2012"))
    assert list(desk.held.posts) == [KEY]
    assert desk.hear(repost()) == []


@pytest.mark.parametrize("status", ["deleted", "takendown", "deactivated", "suspended"])
def test_a_withdrawn_account_takes_its_posts_along(desk: Desk, status: str) -> None:
    desk.hear(change("create", "Hello #sample2012"), repost())
    assert len(desk.held.posts) == 2
    (deletion,) = desk.hear(account(ANA, False, status))
    assert deletion == Deleted(KEY, "bluesky", START)
    assert not desk.held.posts
    # A replay brings it again, and its end too.
    replayed = desk.hear(change("create", "Hello #sample2012"))
    assert [type(signal) for signal in replayed] == [Received, Deleted]
    assert desk.hear(account(ANA, True)) == []
    assert [type(signal) for signal in desk.hear(change("create", "Back #sample2012"))] == [Received]


@pytest.mark.parametrize(
    "event",
    [
        account(ANA, False, "throttled"),
        account(ANA, False),
        {"kind": "account", "account": {"active": False, "status": "deleted"}},
        {"kind": "account", "did": ANA, "account": 7},
    ],
)
def test_other_words_about_accounts_delete_nothing(desk: Desk, event: Any) -> None:
    desk.hear(change("create", "Hello #sample2012"))
    assert desk.hear(event) == []


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"kind": "commit"},
        {"kind": "commit", "did": 7, "commit": {}},
        change("create", None, did="x") | {"did": ""},
    ],
)
def test_what_is_no_event_goes_to_quarantine(desk: Desk, event: Any) -> None:
    (item,) = desk.hear(event)
    assert isinstance(item, Unmapped) and item.where == "a test"


def test_what_cannot_be_mapped_is_kept_only_where_it_is_ours(desk: Desk) -> None:
    ours = change("create", None)
    ours["commit"]["record"] = {"tags": ["sample2012"]}
    foreign = change("create", None)
    foreign["commit"]["record"] = {"text": 7}
    strange = change("comet", "Hello #sample2012")
    assert [type(signal) for signal in desk.hear(ours, foreign, strange)] == [Unmapped, Unmapped]
    assert desk.hear(repost(subject="")) == []


def keys(count: int) -> Iterator[str]:
    return (f"bluesky:did:plc:x/{number}" for number in range(count))


def test_memory_is_bounded() -> None:
    memory = Memory(max_gone=10, max_waiting=10)
    for key in keys(30):
        memory.bury(key, None)
        memory.wait(key, "{}")
        memory.wait(key, "{}")
    assert sum(memory.deletion(key) is not None for key in keys(30)) == 10
    assert sum(len(memory.take(key)) for key in keys(30)) == 10
    memory.bury("x" * 5_000, None)
    memory.wait("x" * 5_000, "{}")
    memory.wait("y", "z" * 50_000)
    assert memory.deletion("x" * 5_000) is None and memory.take("x" * 5_000) == memory.take("y") == []


def test_fresh_posts_are_remembered_within_bounds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.sources.bluesky_events.MAX_FRESH", 3)
    for number in range(9):
        event = change("create", "Hello #sample2012")
        event["commit"]["rkey"] = str(number)
        desk.sorter.sort(event, dump(event), "a test")  # not yet in the archive
    assert len(desk.sorter.sort(account(ANA, False, "deleted"), "{}", "a test")) == 3


def test_quarantine_keeps_bytes_readable() -> None:
    item = explain("broken", b"ab\xff" + b"x" * 200_000, "here")
    assert item.payload is not None and item.payload.startswith("ab\\xff") and len(item.payload) <= 100_000


def test_what_cannot_be_read_says_whose_it_may_be() -> None:
    item = owned(
        explain("half", f'{{"did":"{ANA}","commit":{{"record":"at://did:web:bc.example/'.encode(), "")
    )
    assert isinstance(item, Unmapped)
    assert item.accounts == (f"bluesky:{ANA}", "bluesky:did:web:bc.example")
    assert owned(CaughtUp()) == CaughtUp()
