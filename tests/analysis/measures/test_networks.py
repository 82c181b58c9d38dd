from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable

from analysis.measures.networks import Accounts, components, fold, networks
from analysis.measures.window import Window
from archive.store import Archive
from archive.vocabulary import Author, Received

Receive = Callable[..., Received]


def test_an_id_becomes_the_handle_that_the_archive_knows(
    archive: Archive, receive: Receive, conn: sqlite3.Connection
) -> None:
    did = Author(key="bluesky:did:plc:aaa", source="bluesky", handle="Ana.example.org")
    chat = Author(key="zoom:Eva Roth", source="zoom", name="Eva Roth")
    archive.write(
        [
            receive(0, author=did, source="bluesky", key="bluesky:1"),
            receive(1, author=Author(key="x:77", source="x", handle="bc_luis")),
            receive(2, author=chat, source="zoom", key="zoom:1"),
        ]
    )
    accounts = Accounts(conn)
    assert [accounts.author(number) for number in (1, 2, 3)] == [
        "bluesky:ana.example.org",
        "x:bc_luis",
        "zoom:eva roth",
    ]
    assert accounts.named(1, "did:plc:aaa") == "bluesky:ana.example.org"
    assert accounts.named(2, "77") == "x:bc_luis"
    assert accounts.named(2, "@BC_Luis") == "x:bc_luis"
    assert accounts.named(2, "did:plc:aaa") == "x:did:plc:aaa"  # another network's account


def test_handles_fold_beyond_ascii() -> None:
    assert fold("@ÁNA") == "ána"


def test_a_reply_to_the_own_account_is_no_pair(
    archive: Archive, receive: Receive, window: Callable[..., Window]
) -> None:
    archive.write(
        [
            receive(0, author="ana", kind="reply", reply_to_account="BC_ANA"),
            receive(1, author="ana", kind="reply", reply_to_account="bc_luis"),
            receive(2, author="ana", kind="reply", reply_to_account="bc_LUIS"),
        ]
    )
    found = networks(window()).replies
    assert found is not None
    assert (found.pairs, found.posts, found.self_posts) == (Counter({("x:bc_ana", "x:bc_luis"): 2}), 2, 1)
    assert found.received() == Counter({"x:bc_luis": 2})


def test_components_come_largest_first_and_ignore_strangers() -> None:
    found = components("abcde", [("a", "b"), ("b", "c"), ("d", "z"), ("d", "d")])
    assert found[0] == {"a", "b", "c"}
    assert sorted(map(len, found)) == [1, 1, 3]
