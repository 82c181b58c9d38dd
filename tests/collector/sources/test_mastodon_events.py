"""Statuses and server-sent events: each record becomes one signal, whatever its neighbours are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.vocabulary import Deleted, Private, Received, Skipped, Unmapped
from collector.mapping import folded
from collector.sources.base import Heard, IfKnown
from collector.sources.mastodon_events import Reader, elements, keepable, unread

NOW = datetime(2012, 3, 26, 16, 0, tzinfo=UTC)
READER = Reader("social.example", "public", frozenset({"sample2012"}), lambda: NOW)


def status(**fields: Any) -> dict[str, Any]:
    return {
        "id": "7",
        "uri": "https://social.example/users/bc_ana/statuses/7",
        "visibility": "public",
        "created_at": "2012-03-26T15:00:00.250Z",
        "account": {"acct": "bc_ana", "url": "https://social.example/@bc_ana", "id": "1"},
        "reblog": None,
        "content": "<p>Hello #sample2012</p>",
        "tags": [{"name": "sample2012"}],
        **fields,
    }


def events(*lines: bytes | Unmapped) -> list[Any]:
    return list(READER.events(lines, "stream"))


def event(name: str, value: Any) -> list[bytes]:
    return [f"event: {name}".encode(), b"data: " + json.dumps(value).encode(), b""]


def test_update_edit_deletion_and_sign_of_life() -> None:
    edit = status(edited_at="2012-03-26T15:00:00.750Z", content="<p>Better #sample2012</p>")
    first, thump, second, gone = events(
        *event("update", status()),
        b":thump",
        *event("status.update", edit),
        b"event: delete",
        b"data: 7",
        b"",
    )
    assert first.post.text == "Hello #sample2012"
    assert first.post.aliases == ("mastodon:social.example/7",)
    assert first.received_at == NOW
    assert thump == Heard()
    assert second.post.text == "Better #sample2012"
    assert second.observed_at - first.observed_at == timedelta(milliseconds=500)
    assert gone == Deleted("mastodon:social.example/7", "mastodon", NOW)


@pytest.mark.parametrize("identity", [2**62, str(2**63 - 1), "01HXYZ-ulid_of_another"])
def test_any_kind_of_id(identity: Any) -> None:
    post, gone = events(*event("update", status(id=identity)), *event("delete", identity))
    assert post.post.aliases == (gone.key,)


def test_an_edit_in_whole_seconds_is_ordered_by_its_arrival() -> None:
    (edit,) = events(*event("status.update", status(edited_at="2012-03-26T15:00:00.000Z")))
    assert edit.observed_at == NOW
    (early,) = events(*event("update", status(created_at="2030-01-01T00:00:00Z")))
    assert early.observed_at == NOW


def test_without_a_hashtag_of_ours() -> None:
    other = status(content="<p>Hello</p>", tags=[])
    post, edit = events(
        *event("update", other), *event("status.update", {**other, "edited_at": "2012-03-26T15:01:00Z"})
    )
    assert post == Skipped("a post without a hashtag of the meeting")
    assert isinstance(edit, IfKnown)
    assert edit.key == "mastodon:" + status()["uri"]
    assert isinstance(READER.status(json.dumps(other), "page", NOW, known=True), Received)


@pytest.mark.parametrize("tag", ["SAMPLE2012", "sámple2012", "Sample2012"])
def test_case_and_accents_do_not_matter(tag: str) -> None:
    assert isinstance(events(*event("update", status(content=f"<p>#{tag}</p>", tags=[])))[0], Received)
    marked = status(content="<p>no word of it</p>", tags=[{"name": tag}])
    assert isinstance(events(*event("update", marked))[0], Received)


def test_a_boost_counts_by_what_it_passes_on() -> None:
    boost = status(id="8", uri="https://social.example/boost/8", content="", tags=[], reblog=status())
    (item,) = events(*event("update", boost))
    assert (item.post.kind, item.post.repost_of) == ("repost", "mastodon:" + status()["uri"])


def test_what_is_for_few_eyes_leaves_nothing() -> None:
    secret = "a secret of bc_ana #sample2012"
    quote = {"quoted_status": status(visibility="private", content=secret)}
    signals = events(
        *event("update", status(visibility="private", content=secret)),
        *event("update", status(visibility="direct", content=secret)),
        *event("update", status(reblog=status(visibility="private", content=secret))),
        *event("conversation", {"last_status": status(visibility="direct", content=secret)}),
        *event("update", status(visibility="circle", content=secret)),
        *event("update", status(visibility=None, content=secret)),
        *event("update", status(quote=quote)),
        *event("update", status(reblog=status(quote=quote))),
        *event("update", status(quote=quote, created_at=None)),
        *event("party", status(visibility="direct", content=secret)),
        b'data: {"visibility": "private", "content": "' + secret.encode() + b'"}',
        b"",
        b"event: update",
        b'data: {"content": "' + secret.encode() + b'", "visib',
        b"",
        b"event: update",
        b'data: {"visibility": "direct", "text": "' + secret.encode() + b'\xff"}',
        b"",
        Unmapped("too long", f'data: {{"visibility": "private", "content": "{secret}"}}', "stream"),
        b"",
    )
    assert [type(signal) for signal in signals[:4]] == [Private] * 4
    assert [type(signal) for signal in signals[4:9]] == [Unmapped, Unmapped, Received, Received, Unmapped]
    assert all(isinstance(signal, Unmapped) for signal in signals[9:])
    assert "secret" not in repr(signals)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([b"event: update", b"data: {", b""], "damaged JSON"),
        ([b"event: update", b"data: " + b"[" * 100_000, b""], "nested too deeply"),
        ([b"event: update", b'data: {"a": NaN}', b""], "NaN"),
        ([b"event: update", b'data: {"a": "\\ud800"}', b""], "surrogate"),
        ([b"event: update", b"data: 5", b""], "no status"),
        ([b"event: update", b"data: \xff", b""], "not UTF-8"),
        ([b"event: update", b""], "carries nothing"),
        ([b"event: celebration", b'data: {"of": "spring"}', b""], "do not know: celebration"),
        ([b'data: {"of": "spring"}', b""], "do not know: no name"),
        ([b"event: delete", b"data: {}", b""], "no id"),
        ([b"<html>"], "belongs to no event"),
        ([b"event: update", b"data: " + json.dumps(status(content=5)).encode(), b""], "content is no text"),
        ([b"event: update", b"data: " + json.dumps(status(uri=None)).encode(), b""], "uri is missing"),
    ],
)
def test_what_cannot_be_read_harms_no_neighbour(lines: list[bytes], reason: str) -> None:
    problem, post = events(*lines, *event("update", status()))
    assert isinstance(problem, Unmapped)
    assert reason in problem.reason
    assert isinstance(post, Received)


def test_a_long_event_is_reported_once() -> None:
    problem, post = events(
        b"event: update", *([b"data: " + b"x" * 1_500_000] * 3), b"", *event("update", status())
    )
    assert "more than" in problem.reason
    assert len(problem.payload) == 100_000
    assert isinstance(post, Received)


def test_a_stream_that_breaks_off_after_the_data() -> None:
    assert isinstance(events(*event("update", status())[:2])[0], Received)


@pytest.mark.parametrize("name", ["filters_changed", "notification", "announcement.delete"])
def test_other_events(name: str) -> None:
    assert isinstance(events(*event(name, "7"))[0], Skipped)
    assert events(f"event: {name}".encode(), b"") == []


def test_posts_from_before() -> None:
    text = json.dumps(status())
    assert isinstance(READER.status(text, "page", NOW, since=NOW), Skipped)
    assert isinstance(READER.status(text, "page", NOW, since=NOW - timedelta(hours=2)), Received)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(sorted(status())), inner),
    max_leaves=20,
)


@given(fields=st.dictionaries(st.sampled_from([*status(), "quote", "mentions", "edited_at"]), JSON))
def test_any_fields(fields: dict[str, Any]) -> None:
    text = json.dumps(status(**fields))
    assert isinstance(READER.status(text, "page", NOW), Received | IfKnown | Unmapped | Private | Skipped)


@given(lines=st.lists(st.binary(max_size=60).map(lambda line: line.replace(b"\n", b"")), max_size=20))
def test_any_lines(lines: list[bytes]) -> None:
    *_, post = events(*lines, b"", *event("update", status()))
    assert isinstance(post, Received)


@given(values=st.lists(JSON, max_size=6), indent=st.sampled_from([None, 1]))
def test_the_elements_of_a_page(values: list[Any], indent: int | None) -> None:
    texts = elements(json.dumps(values, indent=indent))
    assert texts is not None
    assert repr([json.loads(text) for text in texts]) == repr(values)


@pytest.mark.parametrize(
    ("page", "texts"),
    [
        ("{}", None),
        ("", None),
        ("words", None),
        (" [] ", []),
        ('[{"a": 1}, {"b": "]', ['{"a": 1}', '{"b": "]']),
        ('[1, "a\\', ["1", '"a\\']),
        ('[{"a": "[,"}, 2] trailing', ['{"a": "[,"}', "2"]),
    ],
)
def test_pages_that_are_odd(page: str, texts: list[str] | None) -> None:
    assert elements(page) == texts


def test_a_hostile_page_takes_no_time() -> None:
    assert elements("[" + '\\"' * 500_000) is not None
    assert elements("[" * 500_000) is not None


def test_payloads_that_may_be_kept() -> None:
    assert keepable('{"visibility": "public", "content": "a"') is not None
    assert keepable('{\\"visibility\\":\\"unlisted\\", \\"content') is not None
    assert keepable('{\\"visibility\\":\\"private\\"') is None
    assert keepable("words") == "words"


def test_fold() -> None:
    assert folded("ÉLeaders") == "eleaders"


def test_whose_a_damaged_status_is() -> None:
    local, remote = events(
        *event("update", status(created_at=None)),
        *event("update", status(uri=5, account={"acct": "bc_Ben@other.example"})),
    )
    assert local.accounts == ("mastodon:bc_ana@social.example",)
    assert remote.accounts == ("mastodon:bc_ben@other.example",)
    text = json.dumps(status())
    assert unread("cut", text[:-1], "stream").accounts == local.accounts


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (json.dumps(status(id=str(2**63))).encode(), "beyond 2^63"),
        (json.dumps(status()).encode()[:-1] + b', "content": "x"}', "stands twice"),
    ],
)
def test_what_no_status_can_hold_is_kept_aside(data: bytes, reason: str) -> None:
    (found,) = [one for one in events(b"event: update", b"data: " + data, b"") if isinstance(one, Unmapped)]
    assert reason in found.reason
