"""A post as a JSON object and back, for full exports, with what people said of it; and from one an interval
of the ledger, and a decision on a keyword.

Fields that are unknown or empty are left out, so that equal posts give equal objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import MAXYEAR, UTC, datetime
from typing import Any

from archive.rows import Unfit, check_fit
from archive.times import to_text
from archive.vocabulary import (
    ACCEPTED,
    ARMS,
    COMPONENTS,
    COUNTERS,
    KINDS,
    LONGEST_KEYWORD,
    LONGEST_NAME,
    LONGEST_NOTE,
    REJECTED,
    SENTIMENTS,
    STATES,
    Author,
    Corrected,
    Decision,
    Engagement,
    Post,
    Received,
    Span,
)

_AUTHOR_TEXTS = ("handle", "name", "url", "description", "location")
_POST_TEXTS = (
    "language",
    "reply_to",
    "reply_to_account",
    "repost_of",
    "repost_account",
    "quote_of",
    "url",
)
_POST_LISTS = ("hashtags", "mentions", "links", "aliases", "flags")
_AUTHOR_FIELDS = {"key", "source", "followers", "followers_max", "bot", *_AUTHOR_TEXTS}
_POST_FIELDS = {
    *("key", "source", "platform_id", "author", "text", "created_at", "edited_at"),
    *("kind", "kind_among", "arm", "engagement"),
    *_POST_TEXTS,
    *_POST_LISTS,
}


def post_to_json(post: Post) -> dict[str, Any]:
    """The post as an object that ``json.dumps`` takes; times as the archive writes them."""
    document: dict[str, Any] = {
        "key": post.key,
        "source": post.source,
        "platform_id": post.platform_id,
        "author": author_to_json(post.author),
        "text": post.text,
        "created_at": to_text(post.created_at),
        "arm": post.arm,
    }
    if post.kind is not None:
        document["kind"] = post.kind
    if post.kind_among:
        document["kind_among"] = list(post.kind_among)
    if post.edited_at is not None:
        document["edited_at"] = to_text(post.edited_at)
    for name in _POST_TEXTS:
        if (value := getattr(post, name)) is not None:
            document[name] = value
    for name in _POST_LISTS:
        if values := getattr(post, name):
            document[name] = list(values)
    if post.engagement is not None:
        document["engagement"] = _known(post.engagement, COUNTERS)
    return document


def received_to_json(item: Received) -> dict[str, Any]:
    """An observation of a post, with its payload, as an object that ``json.dumps`` takes."""
    times = {"observed_at": item.observed_at, "received_at": item.received_at}
    return {
        "post": post_to_json(item.post),
        **({} if item.raw is None else {"raw": item.raw}),
        **{name: to_text(at) for name, at in times.items() if at is not None},
    }


def received_from_json(document: Mapping[str, Any]) -> Received:
    """The observation that ``received_to_json`` wrote. Raises ValueError that names the wrong field."""
    _refuse_unknown(document, {"post", "raw", "observed_at", "received_at"})
    return Received(
        post_from_json(_mapping(document, "post")),
        _optional(document, "raw", _text),
        _optional(document, "observed_at", _moment),
        _optional(document, "received_at", _moment),
    )


def author_to_json(author: Author) -> dict[str, Any]:
    """The account as an object that ``json.dumps`` takes."""
    return {
        "key": author.key,
        "source": author.source,
        **_known(author, (*_AUTHOR_TEXTS, "followers", "followers_max", "bot")),
    }


def post_from_json(document: Mapping[str, Any]) -> Post:
    """The post that ``post_to_json`` wrote. Raises ValueError that names the field that is wrong."""
    _refuse_unknown(document, _POST_FIELDS)
    engagement = document.get("engagement")
    simple: dict[str, Any] = {name: _optional(document, name, _text) for name in _POST_TEXTS}
    for name in _POST_LISTS:
        simple[name] = tuple(_text(value, name) for value in _list(document, name))
    return Post(
        key=_required(document, "key"),
        source=_required(document, "source"),
        platform_id=_required(document, "platform_id"),
        author=author_from_json(_mapping(document, "author")),
        text=_text(document.get("text"), "text"),
        created_at=_moment(document.get("created_at"), "created_at"),
        edited_at=_optional(document, "edited_at", _moment),
        kind=_optional(document, "kind", _kind),
        kind_among=tuple(_kind(value, "kind_among") for value in _list(document, "kind_among")),
        arm=_one_of(document.get("arm", "public"), "arm", ARMS),
        engagement=None if engagement is None else engagement_from_json(_mapping(document, "engagement")),
        **simple,
    )


def author_from_json(document: Mapping[str, Any]) -> Author:
    """The account that ``author_to_json`` wrote. Raises ValueError that names the field that is wrong."""
    _refuse_unknown(document, _AUTHOR_FIELDS)
    return Author(
        key=_required(document, "key"),
        source=_required(document, "source"),
        followers=_optional(document, "followers", _count),
        followers_max=_optional(document, "followers_max", _count),
        bot=_optional(document, "bot", _truth),
        **{name: _optional(document, name, _text) for name in _AUTHOR_TEXTS},
    )


def engagement_from_json(document: Mapping[str, Any]) -> Engagement:
    """The counters of a post. Raises ValueError that names the one that is wrong."""
    _refuse_unknown(document, set(COUNTERS))
    return Engagement(**{name: _optional(document, name, _count) for name in COUNTERS})


def span_from_json(document: Mapping[str, Any]) -> Span:
    """An interval of the coverage ledger from the columns of its table, of which those that may be unknown
    may be absent. Raises ValueError that names the field that is wrong."""
    span = Span(
        name=_required(document, "name"),
        source=_required(document, "source"),
        state=_one_of(document.get("state"), "state", STATES),
        started_at=_moment(document.get("started_at"), "started_at"),
        ended_at=_optional(document, "ended_at", _moment),
        cause=_optional(document, "cause", _text),
        backfilled=_optional(document, "backfilled", _text),
        missing_estimate=_optional(document, "missing_estimate", _count),
    )
    if span.ended_at is not None and span.ended_at < span.started_at:
        raise ValueError("ended_at is before started_at")
    return span


def corrected_to_json(word: Corrected) -> dict[str, Any]:
    """What a person said of a post, as an object that ``json.dumps`` takes, in the words of ``tags``."""
    ended = word.superseded_at
    return {
        "component": word.component,
        "label": word.label,
        **({} if word.evidence is None else {"evidence": json.loads(word.evidence)}),
        "version": word.version,
        "set_by": word.set_by,
        "seen_at": to_text(word.seen_at),
        **({} if ended is None else {"superseded_at": to_text(ended)}),
    }


def corrected_from_json(document: Mapping[str, Any]) -> Corrected:
    """What ``corrected_to_json`` wrote. Raises ValueError that names the field that is wrong."""
    _refuse_unknown(
        document,
        {"component", "label", "evidence", "version", "set_by", "seen_at", "superseded_at"},
    )
    component = _one_of(document.get("component"), "component", COMPONENTS)
    label = _short(document, "label", LONGEST_NAME)
    if component in _LABELS:
        _one_of(label, "label", _LABELS[component])
    note = None if document.get("evidence") is None else _note(_mapping(document, "evidence"))
    return Corrected(
        component=component,
        label=label,
        evidence=None if note is None else json.dumps({"note": note}, ensure_ascii=False),
        version=_short(document, "version", LONGEST_NAME),
        set_by=_short(document, "set_by", LONGEST_NAME),
        seen_at=_past(document, "seen_at"),
        superseded_at=_optional(document, "superseded_at", _moment),
    )


def decision_from_json(document: Mapping[str, Any]) -> Decision:
    """A decision from the columns of ``keywords``. Raises ValueError that names the field that is wrong."""
    return Decision(
        theme=_short(document, "theme", LONGEST_NAME),
        language=_short(document, "language", LONGEST_NAME),
        keyword=_short(document, "keyword", LONGEST_KEYWORD),
        decision=_one_of(document.get("decision"), "decision", (ACCEPTED, REJECTED)),
        set_by=_short(document, "set_by", LONGEST_NAME),
        seen_at=_past(document, "seen_at"),
    )


_LABELS = {"sentiment": SENTIMENTS, "question": ("yes", "no")}


def _note(evidence: Mapping[str, Any]) -> str:
    _refuse_unknown(evidence, {"note"})
    return _short(evidence, "note", LONGEST_NOTE)


def _short(document: Mapping[str, Any], name: str, longest: int) -> str:
    """A text that a person may have written there, and that the archive can carry."""
    text = _required(document, name)
    if not text.strip():
        raise ValueError(f"{name} is blank")
    if len(text) > longest:
        raise ValueError(f"{name} is longer than {longest:,} characters")
    try:
        check_fit(text)
    except Unfit as error:
        raise ValueError(f"{name}: {error}") from None
    return text


def _past(document: Mapping[str, Any], name: str) -> datetime:
    """A moment after which others can come."""
    moment = _moment(document.get(name), name)
    if moment.year == MAXYEAR:
        raise ValueError(f"{name} is no time at which anything was said")
    return moment


def _known(thing: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(thing, name)) is not None}


def _refuse_unknown(document: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(document) - known):
        raise ValueError(f"unknown field {unknown[0]!r}")


def _optional(document: Mapping[str, Any], name: str, read: Callable[[Any, str], Any]) -> Any:
    value = document.get(name)
    return None if value is None else read(value, name)


def _required(document: Mapping[str, Any], name: str) -> str:
    value = _text(document.get(name), name)
    if not value:
        raise ValueError(f"{name} is empty")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text, not {_describe(value)}")
    return value


def _count(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} must be a whole number, not {_describe(value)}")
    if abs(value) >= 2**63:
        raise ValueError(f"{name} is more than SQLite can hold: {_describe(value)}")
    return value


def _truth(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {_describe(value)}")
    return value


def _moment(value: Any, name: str) -> datetime:
    text = _text(value, name)
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{name} is no time: {_describe(text)}") from None
    raise ValueError(f"{name} has no zone: {_describe(text)}")


def _kind(value: Any, name: str) -> Any:
    return _one_of(value, name, KINDS)


def _one_of(value: Any, name: str, allowed: Sequence[str]) -> Any:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {_describe(value)}")
    return value


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    value = document.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f"{name} must be a list, not {_describe(value)}")
    return value


def _mapping(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = document.get(name)
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be an object, not {_describe(value)}")
    return value


def _describe(value: Any) -> str:
    if value is None:
        return "absent"
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:39] + "…"
