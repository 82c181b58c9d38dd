"""Posts survive the way to JSON and back; what is wrong is named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.codec import (
    corrected_from_json,
    corrected_to_json,
    decision_from_json,
    post_from_json,
    post_to_json,
    span_from_json,
)
from archive.vocabulary import ARMS, KINDS, Author, Corrected, Decision, Engagement, Post, Span

words = st.text(max_size=20)
named = st.text(min_size=1, max_size=20)
maybe = st.none() | words
counts = st.none() | st.integers(min_value=0, max_value=10**12)
moments = st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
several = st.lists(words, max_size=3).map(tuple)

authors = st.builds(
    Author,
    key=named,
    source=named,
    handle=maybe,
    name=maybe,
    url=maybe,
    description=maybe,
    location=maybe,
    followers=counts,
    bot=st.none() | st.booleans(),
)
posts = st.builds(
    Post,
    key=named,
    source=named,
    platform_id=named,
    author=authors,
    text=words,
    created_at=moments,
    kind=st.none() | st.sampled_from(KINDS),
    kind_among=st.lists(st.sampled_from(KINDS), max_size=3).map(tuple),
    language=maybe,
    edited_at=st.none() | moments,
    arm=st.sampled_from(ARMS),
    reply_to=maybe,
    reply_to_account=maybe,
    repost_of=maybe,
    repost_account=maybe,
    quote_of=maybe,
    hashtags=several,
    mentions=several,
    links=several,
    url=maybe,
    engagement=st.none()
    | st.builds(Engagement, likes=counts, reposts=counts, replies=counts, quotes=counts, impressions=counts),
    aliases=several,
    flags=several,
)


@given(posts)
def test_round_trip(post: Post) -> None:
    assert post_from_json(json.loads(json.dumps(post_to_json(post)))) == post


def example(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "key": "zoom:1",
        "source": "zoom",
        "platform_id": "1",
        "author": {"key": "zoom:Ana", "source": "zoom"},
        "text": "Hello",
        "created_at": "2026-03-16T14:03:10Z",
    }
    document.update(changes)
    return {name: value for name, value in document.items() if value != "gone"}


def test_unknown_and_empty_fields_are_left_out() -> None:
    document = post_to_json(post_from_json(example()))
    assert set(document) == {"key", "source", "platform_id", "author", "text", "created_at", "arm"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": "gone"}, "key must be a text, not absent"),
        ({"key": ""}, "key is empty"),
        ({"text": 7}, "text must be a text, not 7"),
        ({"created_at": "soon"}, "created_at is no time: 'soon'"),
        ({"created_at": "2026-03-16T14:03:10"}, "created_at has no zone"),
        ({"created_at": "9999-12-31T23:59:59-01:00"}, "created_at is no time"),
        ({"kind": "story"}, "kind must be one of repost, reply, quote, original, not 'story'"),
        ({"kind": ["reply"]}, "kind must be one of"),
        ({"arm": "attic"}, "arm must be one of room, remote, public, not 'attic'"),
        ({"hashtags": "one"}, "hashtags must be a list"),
        ({"author": "Ana"}, "author must be an object"),
        ({"author": {"key": "zoom:Ana", "source": "zoom", "bot": 1}}, "bot must be true or false"),
        ({"engagement": {"likes": True}}, "likes must be a whole number"),
        ({"engagement": [1]}, "engagement must be an object"),
        ({"shares": 3}, "unknown field 'shares'"),
        ({"text": ["x" * 100]}, "…"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        post_from_json(example(**changes))


SPAN = {"name": "x", "source": "x", "state": "deaf", "started_at": "2012-03-26T15:00:00Z"}


def test_an_interval_of_the_ledger_with_what_is_known_of_it() -> None:
    started_at = datetime(2012, 3, 26, 15, tzinfo=UTC)
    assert span_from_json(SPAN) == Span(name="x", source="x", state="deaf", started_at=started_at)
    told = {"ended_at": "2012-03-26T10:00:00-06:00", "cause": "401", "missing_estimate": 3}
    span = span_from_json(SPAN | told)
    assert (span.ended_at, span.cause, span.missing_estimate) == (started_at.replace(hour=16), "401", 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name is empty"),
        ({"state": "asleep"}, "state must be one of listening"),
        ({"started_at": None}, "started_at must be a text, not absent"),
        ({"ended_at": "2012-03-26T14:00:00Z"}, "ended_at is before started_at"),
        ({"cause": 3}, "cause must be a text"),
        ({"missing_estimate": 10**30}, "missing_estimate is more than SQLite can hold"),
    ],
)
def test_what_is_wrong_with_an_interval_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        span_from_json(SPAN | changes)


SAID_AT = datetime(2012, 11, 10, 9, 30, 0, 125_000, tzinfo=UTC)
SAID = {
    "component": "sentiment",
    "label": "negative",
    "evidence": {"note": "irony, “so” é"},
    "version": "correction",
    "set_by": "Eva",
    "seen_at": "2012-11-10T09:30:00.125000Z",
    "superseded_at": "2012-11-10T10:00:00.000000Z",
}
WORD = Corrected(
    component="sentiment",
    label="negative",
    evidence='{"note": "irony, “so” é"}',
    version="correction",
    set_by="Eva",
    seen_at=SAID_AT,
    superseded_at=SAID_AT.replace(hour=10, minute=0, microsecond=0),
)


def test_what_a_person_said_there_and_back() -> None:
    assert corrected_from_json(SAID) == WORD
    assert corrected_to_json(WORD) == SAID
    short = {name: value for name, value in SAID.items() if name not in ("evidence", "superseded_at")}
    assert corrected_to_json(corrected_from_json(short)) == short
    assert corrected_from_json(short | {"evidence": None, "superseded_at": None}).superseded_at is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"component": "colour"},
            "component must be one of language, theme, sentiment, question, not 'colour'",
        ),
        ({"component": ["theme"]}, "component must be one of"),
        ({"label": "angry"}, "label must be one of positive, neutral, negative, not 'angry'"),
        ({"component": "question", "label": "maybe"}, "label must be one of yes, no, not 'maybe'"),
        ({"component": "theme", "label": ""}, "label is empty"),
        ({"component": "theme", "label": "x" * 101}, "label is longer than 100 characters"),
        ({"set_by": None}, "set_by must be a text, not absent"),
        ({"set_by": "  "}, "set_by is blank"),
        ({"set_by": "E\x00"}, "set_by: it holds a NUL character"),
        ({"evidence": "irony"}, "evidence must be an object"),
        ({"evidence": {"words": []}}, "unknown field 'words'"),
        ({"evidence": {"note": "n" * 2_001}}, "note is longer than 2,000 characters"),
        ({"seen_at": "yesterday"}, "seen_at is no time: 'yesterday'"),
        ({"seen_at": "9999-12-31T23:59:59Z"}, "seen_at is no time at which anything was said"),
        ({"superseded_at": 7}, "superseded_at must be a text, not 7"),
        ({"post": "x:1"}, "unknown field 'post'"),
    ],
)
def test_what_is_wrong_with_a_correction_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corrected_from_json(SAID | changes)


DECIDED = {
    "theme": "agility",
    "language": "es",
    "keyword": "ágil",
    "decision": "rejected",
    "set_by": "Eva",
    "seen_at": "2012-11-10T09:30:00.125Z",
}


def test_a_decision_on_a_keyword() -> None:
    decision = decision_from_json(DECIDED)
    assert decision == Decision(
        theme="agility", language="es", keyword="ágil", decision="rejected", set_by="Eva", seen_at=SAID_AT
    )
    assert decision.name == "agility es ágil"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"theme": ""}, "theme is empty"),
        ({"language": None}, "language must be a text"),
        ({"keyword": "k" * 101}, "keyword is longer than 100 characters"),
        ({"decision": "perhaps"}, "decision must be one of accepted, rejected"),
        ({"set_by": ""}, "set_by is empty"),
        ({"seen_at": None}, "seen_at must be a text"),
    ],
)
def test_what_is_wrong_with_a_decision_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decision_from_json(DECIDED | changes)
