"""X: the filtered stream by rules of ours, gaps by search, edits and deletions by asking anew.

A conversation: the account's rules are listed and ours mended, one stream is opened, and every line of
it becomes a signal. It ends by an exception that says what the loop should do (``base``); what was said
until the next one is asked of ``refill``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import requests

from archive.checkup import Finding
from archive.errors import UsageError
from archive.vocabulary import Received, Skipped, Unmapped
from collector.importers.records import dump, unmapped
from collector.mapping import folded, table
from collector.sources import web, x_check, x_messages, x_rules
from collector.sources.base import Connected, Gap, Heard, Lost, Setup, Signal, Spent, Unavailable
from collector.sources.x_api import Account
from collector.sources.x_budget import Budget
from collector.sources.x_refresh import Refresh
from collector.sources.x_search import Search

KIND = "x"
CONNECTS = (50, 900.0)
WHERE = "the stream of X"
_MOST_UNREADABLE = 100  # lines one after another: then it is no stream of posts
_PAGE_KEPT = 4_000


def open_feed(setup: Setup) -> XFeed:
    """The source of a ``[[sources]]`` table. Connects to nothing yet. Raises UsageError."""
    return XFeed(setup)


class XFeed:
    """An account's filtered stream, its search and its lookups, with one count of what they cost."""

    label = KIND

    def __init__(self, setup: Setup) -> None:
        if not setup.meeting.hashtags:
            raise UsageError(
                f"sources.{setup.spec.name}: X is searched by hashtags, and the meeting has none"
            )
        self._setup = setup
        self._account = Account(setup)
        self._budget = Budget(setup.spec.settings.get("max_posts"), setup.spent)
        arm = setup.spec.arm
        self._search = Search(self._account, self._budget, setup.meeting, arm, setup.clock)
        self._refresh = Refresh(self._account, self._budget, arm, setup.clock)
        self._hashtags = frozenset(map(folded, setup.meeting.hashtags))
        self._trouble: str | None = None
        self._closed = False

    @property
    def notice(self) -> str | None:
        """What the organiser should know although all goes on: the ceiling is near, a rule was not taken."""
        return "; ".join(filter(None, (self._budget.notice, self._trouble))) or None

    def listen(self, cursor: str | None) -> Iterator[Signal]:
        """One stream, from mending the rules to its end; X has no cursor. Raises SourceError."""
        self._budget.require_room(self._setup.clock())
        rules = x_rules.ensure(self._account, self._setup.meeting)
        self._trouble = rules.trouble
        response = self._account.open_stream()
        try:
            yield from map(x_messages.owned, self._heard(response, rules))
        finally:
            response.close()

    def refill(self, gap: Gap) -> Iterator[Signal]:
        """The posts of a gap by search; after an error the same gap goes on where it was."""
        return map(x_messages.owned, self._search.refill(gap))

    def check(self) -> Iterator[Finding]:
        """Token, rights, limits, costs and clock; one finding per line."""
        about = f"source {self._setup.spec.name}"
        return x_check.check(self._account, self._setup.meeting, self._budget, about, self._setup.clock)

    def refresh(self, since: datetime) -> Iterator[Signal]:
        """What became of the posts written since a moment; ``Heard`` is where the caller may wait a while."""
        return map(x_messages.owned, self._refresh.run(self._setup.shelf.recent_ids(KIND, since)))

    def close(self) -> None:
        """Break off everything that waits, from another thread; safe to call twice."""
        self._closed = True
        self._account.close()

    def _heard(self, response: requests.Response, rules: x_rules.Rules) -> Iterator[Signal]:
        if "html" in response.headers.get("content-type", "").casefold():
            yield _page_instead(response)
            raise Unavailable("X sends a web page instead of its stream")
        yield Connected()
        unreadable = 0
        for line in web.lines(response, WHERE):
            if self._closed:
                raise Lost("closed")
            if isinstance(line, Unmapped):
                yield line
            elif not line.strip():
                yield Heard()
            else:
                message = x_messages.read(line, WHERE)
                unreadable = unreadable + 1 if isinstance(message, Unmapped) else 0
                yield from self._message(message, rules)
            if unreadable >= _MOST_UNREADABLE:
                raise Unavailable(f"X sends nothing that can be read ({unreadable} lines in a row)")

    def _message(self, message: Mapping[str, Any] | Unmapped, rules: x_rules.Rules) -> Iterator[Signal]:
        if isinstance(message, Unmapped):
            yield message
        elif table(message.get("data")):
            yield self._post(message, rules)
            self._budget.take(1)
            yield Spent(1)
            self._budget.require_room(self._setup.clock())
        elif error := x_messages.failure(message, self._setup.clock()):
            raise error
        else:
            reason = (
                "a message without a post" if "data" in message else "a kind of message that is not known"
            )
            yield _kept(message, reason)

    def _post(self, message: Mapping[str, Any], rules: x_rules.Rules) -> Signal:
        payload = x_messages.payload_of(message)
        item = x_messages.received(payload, self._setup.spec.arm, self._setup.clock(), WHERE)
        if isinstance(item, Received) and not x_messages.is_ours(message, item, rules, self._hashtags):
            return Skipped("a post that only rules of others asked for")
        return item


def _kept(message: Mapping[str, Any], reason: str) -> Unmapped:
    try:
        return unmapped(reason, dump(message), WHERE)
    except RecursionError:
        return unmapped(reason, None, WHERE)


def _page_instead(response: requests.Response) -> Unmapped:
    with web.translated(WHERE):
        page: bytes = response.raw.read1(_PAGE_KEPT, decode_content=True)
    return unmapped("a web page", page.decode("utf-8", "backslashreplace"), WHERE)
