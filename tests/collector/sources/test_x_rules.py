from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.vocabulary import Meeting
from collector.mapping import folded
from collector.sources import x_rules
from collector.sources.base import Refused, Unavailable
from collector.sources.x_api import Account
from tests.collector.sources.x_observer import Clock, setup_of, with_hashtags
from tests.fakes.x import XServer


@pytest.fixture
def server() -> Iterator[XServer]:
    with XServer() as opened:
        yield opened


@pytest.fixture
def account(server: XServer, meeting: Meeting) -> Iterator[Account]:
    opened = Account(setup_of(server, meeting, Clock()))
    yield opened
    opened.close()


def test_the_hashtags_are_joined_and_accents_asked_for_both_ways() -> None:
    assert x_rules.queries(["one", "México"]) == ["#one OR #México OR #Mexico"]
    assert x_rules.queries([]) == []


@given(st.lists(st.from_regex(r"[a-zé]{1,60}", fullmatch=True), max_size=80), st.integers(64, 1024))
def test_no_rule_is_too_long_and_no_hashtag_left_out(tags: list[str], longest: int) -> None:
    found = x_rules.queries(tags, longest)
    assert all(len(rule) <= longest for rule in found)
    assert {f"#{tag}" for tag in tags} <= {term for rule in found for term in rule.split(" OR ")}


@given(st.text(max_size=8))
def test_folding_is_done_once(tag: str) -> None:
    assert folded(folded(tag)) == folded(tag)
    assert folded("ÉLÉVE") == folded("eleve")


def test_rules_are_added_kept_and_removed(server: XServer, account: Account, meeting: Meeting) -> None:
    foreign = {"id": "7", "value": "#other", "tag": "backchannel:another"}
    server.rules["7"] = foreign
    server.rules["8"] = {"id": "8", "value": "#old", "tag": "backchannel:sample"}
    server.rules["9"] = {"id": "9", "value": "#nameless"}
    rules = x_rules.ensure(account, meeting)
    assert rules.foreign == 2
    (ours,) = rules.ours
    assert server.rules[ours]["value"] == "#sample2012"
    assert {"7", "9", ours} == set(server.rules)
    before = len(server.requests)
    assert x_rules.ensure(account, meeting) == rules
    assert len(server.requests) == before + 1
    assert server.rules["7"] == foreign


def test_a_rule_of_another_meeting_with_the_same_hashtag(
    server: XServer, account: Account, meeting: Meeting
) -> None:
    server.rules["7"] = {"id": "7", "value": "#sample2012", "tag": "backchannel:another"}
    (ours,) = x_rules.ensure(account, meeting).ours
    assert server.rules[ours] == {"id": ours, "value": "(#sample2012)", "tag": "backchannel:sample"}
    assert x_rules.ensure(account, meeting).ours == {ours}
    assert server.rules["7"]["value"] == "#sample2012"


def test_several_rules_and_one_not_taken(server: XServer, account: Account, meeting: Meeting) -> None:
    many = with_hashtags(meeting, *(f"{'tag' * 20}{number}" for number in range(30)))
    server.fault("add_rules:partial_errors")
    rules = x_rules.ensure(account, many)
    assert rules.ours and rules.trouble is not None and "the rule is too long" in rules.trouble
    assert x_rules.ensure(account, many).trouble is None
    assert all(len(rule["value"]) <= 1024 for rule in server.rules.values())


def test_no_rule_at_all_is_a_refusal(server: XServer, account: Account, meeting: Meeting) -> None:
    server.fault("add_rules:partial_errors")
    with pytest.raises(Refused, match="mend the hashtags"):
        x_rules.ensure(account, meeting)


def test_a_rule_that_came_in_between_is_no_trouble(
    server: XServer, account: Account, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.rules["7"] = {"id": "7", "value": "#sample2012", "tag": "backchannel:another"}
    monkeypatch.setattr(x_rules, "_untaken", lambda value, taken: value)
    rules = x_rules.ensure(account, meeting)
    assert (rules.ours, rules.trouble) == (frozenset(), None)


def test_a_listing_that_is_none(server: XServer, account: Account, meeting: Meeting) -> None:
    server.fault("rules:garbage")
    with pytest.raises(Unavailable):
        x_rules.ensure(account, meeting)
    server.fault("rules:null_data")
    assert x_rules.ensure(account, meeting).ours
