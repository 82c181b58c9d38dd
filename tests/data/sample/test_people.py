"""The people of the sample: safe names, one handle each, a bot, and activity that falls off."""

from __future__ import annotations

from random import Random

from data.sample import people


def test_handles_are_unique_short_and_fictional() -> None:
    everybody = people.make(Random(1))
    handles = [person.handle for person in everybody]
    assert len(set(handles)) == len(handles)
    assert all(handle.startswith(people.PREFIX) and len(handle) <= 15 for handle in handles)
    assert all(len(person.user_id) == 19 and person.user_id.startswith("9") for person in everybody)
    assert all(person.did.startswith("did:plc:el12") and len(person.did) == 32 for person in everybody)
    assert {person.host for person in everybody} == set(people.HOSTS)


def test_regulars_those_who_write_once_and_a_bot() -> None:
    everybody = people.make(Random(2), regulars=40, once=10)
    weights = [person.weight for person in everybody[:40]]
    assert weights == sorted(weights, reverse=True) and weights[0] == 1
    assert sum(person.once for person in everybody) == 10
    assert [person.handle for person in everybody if person.bot] == [people.BOT]
    assert {person.attendance for person in everybody} == {"room", "remote", None}
    assert {"x", "mastodon", "bluesky", "zoom"} == set().union(*(p.networks for p in everybody))


def test_everybody_belongs_to_a_group_and_a_country() -> None:
    everybody = people.make(Random(3))
    assert {person.group for person in everybody} == {*people.GROUPS, "other"}
    assert len({person.country for person in everybody}) == 20
