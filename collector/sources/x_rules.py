"""The rules of the filtered stream that are ours: found by their tag, mended, and no other one touched."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tweepy

from archive.shown import printable
from archive.vocabulary import Meeting
from collector.mapping import words, x_ids
from collector.sources.base import Refused
from collector.sources.x_api import Account, Answer, rows

LONGEST_RULE = 1024
_OR = " OR "


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as X lists it."""

    id: str
    value: str
    tag: str | None


@dataclass(frozen=True, slots=True)
class Rules:
    """What stands on the account now: the ids of ours, how many are not, and what X would not take."""

    tag: str
    ours: frozenset[str]
    foreign: int
    trouble: str | None = None


def tag_of(meeting: Meeting) -> str:
    """The tag that marks the rules of a meeting."""
    return f"backchannel:{meeting.slug}"


def queries(hashtags: Iterable[str], longest: int = LONGEST_RULE) -> list[str]:
    """``#one OR #two``, as many as it takes: with its accents, and without."""
    terms = list(x_ids.once(f"#{form}" for tag in hashtags for form in _forms(tag)))
    found: list[str] = []
    for term in terms:
        longer = f"{found[-1]}{_OR}{term}" if found else ""
        if found and len(longer) <= longest:
            found[-1] = longer
        else:
            found.append(term)
    return found


def _forms(tag: str) -> Iterator[str]:
    yield tag
    apart = unicodedata.normalize("NFD", tag)
    yield unicodedata.normalize("NFC", "".join(s for s in apart if not unicodedata.combining(s)))


def listed(account: Account, meeting: Meeting) -> tuple[Rules, list[Rule], Answer]:
    """The account's rules, ours told from the others."""
    tag = tag_of(meeting)
    answer: Answer = account.get_rules()
    known = list(_read(answer.value()))
    ours = frozenset(rule.id for rule in known if rule.tag == tag)
    return Rules(tag, ours, len(known) - len(ours)), known, answer


def ensure(account: Account, meeting: Meeting) -> Rules:
    """Add the rules that the meeting needs and remove those of ours that it does not. Raises Refused."""
    before, known, _ = listed(account, meeting)
    mine = {rule.value: rule.id for rule in known if rule.id in before.ours}
    taken = {rule.value for rule in known if rule.id not in before.ours}
    wanted = [_untaken(value, taken) for value in queries(meeting.hashtags)]
    ours = {mine[value] for value in wanted if value in mine}
    missing = [value for value in wanted if value not in mine]
    trouble = None
    if missing:
        added, trouble = _add(account, missing, before.tag)
        ours.update(added)
    outdated = [rule_id for value, rule_id in mine.items() if value not in wanted]
    # Only now: until the new ones stand, the old ones hear what they can.
    if outdated and not trouble:
        account.delete_rules(outdated)
    return Rules(before.tag, frozenset(ours), before.foreign, trouble)


def _untaken(value: str, taken: set[str]) -> str:
    """The rule in other words where another meeting has the same: X allows each wording once."""
    while value in taken and len(value) + 2 <= LONGEST_RULE:
        value = f"({value})"
    return value


def _add(account: Account, values: Sequence[str], tag: str) -> tuple[set[str], str | None]:
    rules = [tweepy.StreamRule(value=value, tag=tag) for value in values]
    answer = account.add_rules(rules).value()
    added = {rule.id for rule in _read(answer)}
    errors = [error for error in rows(answer, "errors") if not _is_duplicate(error)]
    if not errors:
        return added, None
    reasons = "; ".join(x_ids.once(_reason(error) for error in errors))
    trouble = f"X does not take a rule for the hashtags ({reasons}): mend the hashtags, or the rules on X"
    if not added and len(errors) == len(values):
        raise Refused(trouble)
    return added, trouble


def _read(value: Mapping[str, Any]) -> Iterator[Rule]:
    for item in rows(value, "data"):
        rule_id, text = item.get("id"), words(item.get("value"))
        if isinstance(rule_id, str) and text is not None:
            yield Rule(rule_id, text, words(item.get("tag")))


def _is_duplicate(error: Mapping[str, Any]) -> bool:
    return error.get("title") == "DuplicateRule" or str(error.get("type")).endswith("/duplicate-rules")


def _reason(error: Mapping[str, Any]) -> str:
    details = error.get("details")
    first = details[0] if isinstance(details, list) and details else None
    said = words(first) or words(error.get("detail")) or words(error.get("title")) or "no reason given"
    return printable(said)[:200]
