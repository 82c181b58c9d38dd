"""What a line of X's stream, or a post of a page, means. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from archive.shown import printable
from archive.vocabulary import Arm, Item, Private, Received, Unmapped, hashtags_in
from collector.importers.records import dump, loads, unmapped
from collector.mapping import MAX_COUNT, MappingError, folded, table, tables, words, x_v2
from collector.sources.base import Limited, Lost, Refused, Signal, SourceError, Unavailable
from collector.sources.x_api import ANOTHER_PROGRAM, NO_CREDITS
from collector.sources.x_rules import Rules

_ACCOUNT = re.compile(r'"(author_id|username)"\s*:\s*"?(\w{1,50})')
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_DIRECT = {"dm_conversation_id", "dm_event_id", "event_type", "sender_id"}


def read(line: bytes, where: str) -> Mapping[str, Any] | Unmapped:
    """The JSON object of a line; else it goes to quarantine."""
    try:
        text = line.decode("utf-8")
        value = loads(text, once=True)
    except UnicodeDecodeError:
        return unmapped("no UTF-8", line.decode("utf-8", "backslashreplace"), where)
    except ValueError as error:
        return unmapped(f"damaged JSON: {error}", text, where)
    return value if isinstance(value, dict) else unmapped("no JSON object", text, where)


def received(payload: x_v2.Payload, arm: Arm, now: datetime, where: str) -> Item:
    """The post in a payload, served just now."""
    raw = None
    try:
        raw = dump(payload)
        if not _DIRECT.isdisjoint(table(payload.get("data"))):
            return Private(where)
        if _NUL.search(raw):
            return unmapped("it holds a NUL character", raw, where)
        post = x_v2.to_post(payload, arm=arm)
        if post.platform_id.isdecimal() and int(post.platform_id) > MAX_COUNT:
            return unmapped("an id beyond 2^63, which no post of X has", raw, where)
        return Received(post, raw, observed_at=now, received_at=now)
    except MappingError as error:
        return unmapped(str(error), raw, where)
    except RecursionError:
        return unmapped("nested too deeply", raw, where)


def owned(signal: Signal) -> Signal:
    """A signal; one that could not be read says whose it may be, since of some people nothing is kept."""
    if not isinstance(signal, Unmapped):
        return signal
    found = _ACCOUNT.findall(signal.payload or "")
    names = {f"x:{name}" if kind == "author_id" else f"x:@{name}".casefold() for kind, name in found}
    return replace(signal, accounts=tuple(sorted(names)))


def payload_of(message: Mapping[str, Any]) -> x_v2.Payload:
    """The form in which posts are kept, without the rules that matched: a search tells none."""
    return next(x_v2.payloads(message))


def is_ours(message: Mapping[str, Any], item: Received, rules: Rules, hashtags: frozenset[str]) -> bool:
    """Whether a rule of ours matched, or, where that is not told, one of our hashtags is in it."""
    for rule in tables(message.get("matching_rules")):
        if rule.get("tag") == rules.tag or str(rule.get("id")) in rules.ours:
            return True
    return not hashtags.isdisjoint(map(folded, _hashtags(message, item)))


def _hashtags(message: Mapping[str, Any], item: Received) -> set[str]:
    post = item.post
    data = table(message.get("data"))
    holders = [data, table(data.get("note_tweet"))]
    if post.kind == "repost":
        passed_on = tables(table(message.get("includes")).get("tweets"))
        holders += [holder for post in passed_on for holder in (post, table(post.get("note_tweet")))]
    named = {
        tag
        for holder in holders
        for entity in tables(table(holder.get("entities")).get("hashtags"))
        if (tag := words(entity.get("tag")))
    }
    return named | set(post.hashtags) | set(hashtags_in(unicodedata.normalize("NFC", post.text)))


def failure(message: Mapping[str, Any], now: datetime) -> SourceError | None:
    """What an error object means to the connection that it came on; None where it is none that we know."""
    problems = [*tables(message.get("errors")), message]
    for problem in problems:
        if found := _known(problem, now):
            return found
    return None


def _known(problem: Mapping[str, Any], now: datetime) -> SourceError | None:
    kind = " ".join(
        str(problem[name]).casefold()
        for name in ("title", "type", "disconnect_type", "connection_issue")
        if isinstance(problem.get(name), str)
    )
    status = problem.get("status")
    said = words(problem.get("detail")) or words(problem.get("title")) or ""
    reason = f"X says: {printable(said)[:200]}"
    if "toomanyconnections" in kind or "connectionexception" in kind or "streaming-connection" in kind:
        return Limited(ANOTHER_PROGRAM)
    if "usage-capped" in kind or "usagecap" in kind:
        return Limited(NO_CREDITS)
    if "disconnect" in kind:
        return Lost(reason)
    if (
        status in (401, 403)
        or "client-forbidden" in kind
        or "unauthorized" in kind
        or "unsupported-auth" in kind
    ):
        return Refused(reason)
    if status == 429 or "too many requests" in kind:
        return Limited(reason)
    if isinstance(status, int) and status >= 400:
        return Unavailable(reason)
    return None
