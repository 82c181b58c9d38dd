"""The quirks: staged posts, and the gap in which nothing of X was heard."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from data.sample import people, quirks
from data.sample.schedule import GAP
from data.sample.story import Draft


def test_the_gap_takes_posts_and_what_hangs_on_them() -> None:
    person = people.make(Random(1), regulars=3, once=0)[0]
    before = Draft("x", person, GAP[0] - timedelta(seconds=1), "kept", "en")
    lost = Draft("x", person, GAP[0], "lost", "en")
    answer = Draft("x", person, GAP[1] + timedelta(minutes=5), "answers it", "en", parent=lost)
    repost = Draft("x", person, GAP[1] + timedelta(minutes=5), "RT", "en", repost_of=before)
    other = Draft("mastodon", person, GAP[0], "another network", "en")
    kept, missing = quirks.drop_gap([repost, answer, lost, other, before])
    assert [draft.text for draft in kept] == ["kept", "another network", "RT"]
    assert missing == 1


def test_each_quirk_is_staged() -> None:
    rng = Random(2)
    drafts = quirks.stage(rng, people.make(rng))
    assert sum(draft.edited_at is not None for draft in drafts) == 2
    deletions = [draft.deleted_at - draft.at for draft in drafts if draft.deleted_at]
    assert sorted(gap > timedelta() for gap in deletions) == [False, True]
    assert sum(draft.seen_at is not None for draft in drafts) == 1
    assert {draft.network for draft in drafts if draft.question} == {"x", "mastodon", "zoom"}
    twice = [draft for draft in drafts if draft.text.startswith("Tres cosas")]
    assert {draft.network for draft in twice} == {"x", "mastodon"} and twice[0].author is twice[1].author
