"""The discussion of the sample: reposts, replies, threads, lengths, labels."""

from __future__ import annotations

from random import Random

import pytest

from data.sample import people
from data.sample.story import LIMIT, Draft, Story


@pytest.fixture(scope="module")
def drafts() -> list[Draft]:
    rng = Random(11)
    return Story(rng, people.make(rng)).tell()


def test_posts_fit_and_carry_the_tag(drafts: list[Draft]) -> None:
    for draft in drafts:
        if draft.network == "zoom":
            continue
        lead = len(draft.parent.author.handle) + 2 if draft.parent else 0
        assert len(draft.text) + lead <= LIMIT
        assert draft.repost_of or "#eleaders2012" in draft.text.casefold()


def test_reposts_and_replies_come_after_what_they_answer(drafts: list[Draft]) -> None:
    for draft in drafts:
        source = draft.parent or draft.repost_of
        if source is not None:
            assert draft.at > source.at and draft.network == source.network
            assert draft.language == source.language
        if draft.repost_of:
            assert draft.author is not draft.repost_of.author
            assert draft.text.startswith(f"RT @{draft.repost_of.author.handle}: ")


def test_half_of_the_replies_are_threads(drafts: list[Draft]) -> None:
    replies = [draft for draft in drafts if draft.parent and draft.network != "zoom"]
    own = sum(draft.parent is not None and draft.parent.author is draft.author for draft in replies)
    assert 0.35 < own / len(replies) < 0.65


def test_what_is_written_is_hardly_ever_said_twice(drafts: list[Draft]) -> None:
    texts = [draft.text for draft in drafts if not draft.repost_of and not draft.parent]
    assert len(set(texts)) / len(texts) > 0.98


def test_labels_are_of_the_closed_sets(drafts: list[Draft]) -> None:
    assert {draft.theme for draft in drafts} == {"defragment", "agility", "open-data", None}
    assert {draft.language for draft in drafts} == {"en", "es", "fr"}
    asked = [draft.text for draft in drafts if draft.question]
    assert len(asked) > 100 and all("?" in text for text in asked)
