"""Whether X can be listened to, and what it will cost: one finding a line, with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from archive.checkup import Finding
from archive.vocabulary import Meeting
from collector.mapping import table
from collector.sources import x_rules
from collector.sources.base import SourceError
from collector.sources.x_api import Account, Answer, rate_of
from collector.sources.x_budget import Budget

PRICE = 0.005  # dollars a post read (X's price list of 2026)
_MOST_SKEW = 5.0
_MUCH = 0.8


def check(
    account: Account, meeting: Meeting, budget: Budget, about: str, clock: Callable[[], datetime]
) -> Iterator[Finding]:
    """Token, rules, limits, usage, ceiling and clock."""
    asked_at = clock()
    try:
        rules, _, answer = x_rules.listed(account, meeting)
    except SourceError as error:
        yield Finding(about, "failed", str(error))
        return
    text = f"X accepts the token; {len(rules.ours)} of our rules and {rules.foreign} of others on the account"
    yield Finding(about, "ok", text)
    yield from _rate(answer, about)
    yield _skew(answer, about, asked_at, clock())
    yield from _usage(account, about)
    yield _ceiling(budget, about)


def _rate(answer: Answer, about: str) -> Iterator[Finding]:
    rate = rate_of(answer)
    if rate is None:
        return
    allowed, left, ends = rate
    text = f"{left} of {allowed} requests left until {ends:%H:%M:%S} UTC"
    if left:
        yield Finding(about, "ok", text)
    else:
        yield Finding(about, "warning", f"{text}: wait until then, or stop what else uses the account")


def _skew(answer: Answer, about: str, asked_at: datetime, answered_at: datetime) -> Finding:
    if answer.date is None:
        return Finding(about, "ok", "X does not tell its time")
    # Its clock tells whole seconds, and was read somewhere between asking and answering.
    early = (asked_at - answer.date).total_seconds() - 1
    late = (answer.date - answered_at).total_seconds()
    skew = max(early, late, 0.0)
    if skew <= _MOST_SKEW:
        return Finding(about, "ok", "the clock agrees with that of X")
    side = "ahead of" if early > 0 else "behind"
    return Finding(about, "warning", f"the clock is {skew:.0f} s {side} that of X: set it, gaps depend on it")


def _usage(account: Account, about: str) -> Iterator[Finding]:
    try:
        data = table(account.get_usage().value().get("data"))
    except SourceError:
        yield Finding(about, "ok", "X does not tell how many posts the project has read this month")
        return
    used, most = _number(data.get("project_usage")), _number(data.get("project_cap"))
    if used is None or not most:
        return
    text = f"{used:,} of {most:,} posts of this month read by the whole project"
    if used >= most:
        yield Finding(about, "failed", f"{text}: buy more in X's developer console")
    elif used >= most * _MUCH:
        yield Finding(about, "warning", f"{text}: see whether that is enough")
    else:
        yield Finding(about, "ok", text)


def _ceiling(budget: Budget, about: str) -> Finding:
    if budget.most is None:
        return Finding(about, "warning", f"no ceiling: every post costs ${PRICE}; set max_posts")
    left = max(budget.most - budget.spent, 0)
    if not left:
        return Finding(about, "failed", str(budget.exhausted()))
    return Finding(about, "ok", f"at most {left:,} more posts will be read, about ${left * PRICE:,.2f}")


def _number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 19 else None
