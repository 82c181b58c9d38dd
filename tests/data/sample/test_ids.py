"""Identifiers: 19 digits from 9 up, growing with time, sortable on Bluesky."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from data.sample import ids, people
from data.sample.schedule import LISTENING_FROM, LISTENING_TO
from data.sample.story import Draft


def test_ids_grow_with_time_and_fit_in_19_digits() -> None:
    moments = [LISTENING_FROM - timedelta(days=2) + timedelta(hours=hour) for hour in range(0, 110, 5)]
    found = [ids.numeric(Random(1), at) for at in [*moments, LISTENING_TO]]
    assert found == sorted(found)
    assert all(len(number) == 19 and number.startswith("9") and int(number) < 1 << 63 for number in found)


def test_drafts_get_the_ids_of_their_network() -> None:
    person = people.make(Random(1), regulars=2, once=0)[0]
    later = LISTENING_FROM + timedelta(hours=1)
    post = Draft("x", person, LISTENING_FROM, "a", "en", edited_at=later, edited_text="b")
    skies = [Draft("bluesky", person, LISTENING_FROM + timedelta(seconds=n), "c", "en") for n in range(3)]
    ids.assign(Random(2), [post, *skies])
    assert post.edited_id is not None and post.id < post.edited_id
    assert [len(draft.id) for draft in skies] == [13, 13, 13]
    assert [draft.id for draft in skies] == sorted(draft.id for draft in skies)
