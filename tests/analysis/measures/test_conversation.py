from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from analysis.measures.conversation import conversation
from analysis.measures.networks import networks
from analysis.measures.window import Window
from archive.store import Archive
from archive.vocabulary import Received

Receive = Callable[..., Received]
Windows = Callable[..., Window]


def key(number: int) -> str:
    return f"x:9{number:018d}"


def figures(window: Window) -> dict[str, Any]:
    return conversation(window, networks(window))


@pytest.fixture
def discussion(archive: Archive, receive: Receive) -> None:
    """ana asks, luis answers, ana answers back and goes on by herself; eva and rosa pass it on."""

    def reply(number: int, to: int, **fields: object) -> Received:
        return receive(number, kind="reply", reply_to=key(to), **fields)

    def repost(number: int, of: int, **fields: object) -> Received:
        return receive(number, kind="repost", repost_of=key(of), repost_account="bc_ana", **fields)

    archive.write(
        [
            receive(0, author="ana", text="Is it open?", mentions=("BC_luis", "bc_ana")),
            reply(1, 0, author="luis", reply_to_account="BC_Ana", mentions=("bc_ana",)),
            reply(2, 1, author="ana", reply_to_account="bc_luis"),
            reply(3, 2, author="ana", reply_to_account="bc_ana"),
            repost(4, 0, author="eva", mentions=("bc_ana",)),
            repost(5, 0, author="rosa"),
            repost(6, 3, author="rosa"),
            receive(7, author="eva", links=("https://example.org/",)),
            reply(8, 99, author="pia", reply_to_account="bc_nobody"),
            receive(9, author="rosa"),
        ]
    )


@pytest.mark.usefixtures("discussion")
def test_pairs_are_directed_folded_and_without_self(window: Windows) -> None:
    found = figures(window())
    assert (found["reply_pairs"], found["reply_posts"]) == (3, 3)
    assert (found["mention_pairs"], found["mention_posts"]) == (2, 2)
    assert (found["repost_pairs"], found["repost_posts"]) == (2, 3)
    assert found["reciprocity"] == 2 / 3


@pytest.mark.usefixtures("discussion")
def test_components_are_of_replies_and_mentions_over_authors(window: Windows) -> None:
    found = figures(window())
    assert (found["components"], found["isolates"]) == (4, 3)  # ana and luis; eva, rosa, pia alone
    assert found["largest_component_share"] == 2 / 5


@pytest.mark.usefixtures("discussion")
def test_dialogue_needs_two_authors_in_a_thread(window: Windows) -> None:
    assert figures(window())["dialogue_share"] == 4 / 7


@pytest.mark.usefixtures("discussion")
def test_shares_of_use(window: Windows) -> None:
    found = figures(window())
    assert found["informational_share"] == 4 / 10
    assert found["conversational_share"] == 5 / 10


@pytest.mark.usefixtures("discussion")
def test_most_reposted_counts_reposts_in_the_archive(window: Windows) -> None:
    assert figures(window())["most_reposted"] == [[key(0), 2], [key(3), 1]]


@pytest.mark.usefixtures("discussion")
def test_visibility_is_what_authors_received(window: Windows) -> None:
    assert figures(window())["visibility"] == {
        "x:bc_ana": {"mentions": 1, "replies": 1, "reposts": 3},
        "x:bc_luis": {"mentions": 1, "replies": 1, "reposts": 0},
    }


@pytest.mark.usefixtures("discussion")
def test_filters_restrict_the_networks(window: Windows) -> None:
    found = figures(window(kind="repost"))
    assert (found["reply_pairs"], found["repost_pairs"]) == (0, 2)
    assert found["reciprocity"] is None
    assert found["dialogue_share"] is None  # no authored post


def test_two_answers_to_a_post_outside_the_archive_are_one_thread(
    archive: Archive, receive: Receive, window: Windows
) -> None:
    archive.write(
        [
            receive(1, author="ana", kind="reply", reply_to=key(99), reply_to_account="bc_x"),
            receive(2, author="luis", kind="reply", reply_to=key(99), reply_to_account="bc_x"),
            receive(3, author="eva"),
        ]
    )
    assert figures(window())["dialogue_share"] == 2 / 3


def test_a_post_known_by_another_id_is_the_same_post(
    archive: Archive, receive: Receive, window: Windows
) -> None:
    archive.write(
        [
            receive(0, author="ana", aliases=("x:edited",)),
            receive(1, author="eva", kind="repost", repost_of="x:edited", repost_account="bc_ana"),
            receive(2, author="luis", kind="reply", reply_to="x:edited", reply_to_account="bc_ana"),
        ]
    )
    found = figures(window())
    assert found["most_reposted"] == [[key(0), 1]]
    assert found["dialogue_share"] == 1


def test_reposts_that_name_nobody_leave_pairs_unknown(
    archive: Archive, receive: Receive, window: Windows
) -> None:
    archive.write([receive(0, author="ana"), receive(1, author="eva", kind="repost")])
    found = figures(window())
    assert found["repost_pairs"] is found["repost_posts"] is found["most_reposted"] is None
    assert found["visibility"] == {}


def test_replies_that_name_nothing_leave_dialogue_unknown(
    archive: Archive, receive: Receive, window: Windows
) -> None:
    archive.write([receive(0, author="ana"), receive(1, author="eva", kind="reply")])
    found = figures(window())
    assert found["reply_pairs"] is found["components"] is found["dialogue_share"] is None


def test_unknown_kinds_leave_everything_unknown(archive: Archive, receive: Receive, window: Windows) -> None:
    archive.write([receive(0, kind=None)])
    assert set(figures(window()).values()) == {None}


def test_an_empty_archive_has_no_pairs_and_no_shares(window: Windows) -> None:
    found = figures(window())
    assert (found["reply_pairs"], found["mention_pairs"], found["most_reposted"]) == (0, 0, [])
    assert found["components"] is found["informational_share"] is None
    assert found["visibility"] == {}
