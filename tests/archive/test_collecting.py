from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from archive.collecting import Heartbeat, Moved, Named, Paid, Recovered, Shelf, Turn
from archive.store import Archive
from archive.vocabulary import Author, Received, Unmapped
from tests.conftest import START

Receive = Callable[..., Received]
LATER = START + timedelta(minutes=1)


def test_posts_cursor_states_and_signs_of_life_are_one_transaction(
    archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = [Turn("x", "x", "listening", START), Heartbeat("x", "x", LATER), Moved("x", "17"), Paid("x", 3)]
    assert archive.collect([receive(1)], marks).new == 1
    standing = archive.resume("x", "x", LATER)
    assert (standing.cursor, standing.spent, standing.gaps) == ("17", 3, ())

    def fail(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("archive.collecting.coverage.heard", fail)
    with pytest.raises(OSError, match="no space"):
        archive.collect([receive(2)], [Moved("x", "18"), Heartbeat("x", "x", LATER)])
    assert archive.resume("x", "x", LATER).cursor == "17"
    assert archive.conn.execute("SELECT count(*) FROM posts").fetchone()[0] == 1


def test_a_new_source_has_heard_nothing_and_missed_what_the_meeting_had(archive: Archive) -> None:
    standing = archive.resume("x", "x", LATER)
    assert standing.is_new
    assert standing.cursor is None
    assert standing.gaps == ((START, LATER),)
    archive.collect([], [Heartbeat("x", "x", LATER)])
    assert archive.resume("x", "x", LATER).is_new, "what was said before was not looked for yet"
    before = START - timedelta(days=7)
    archive.collect([], [Recovered("x", "x", before, LATER, by="search", first=True)])
    assert not archive.resume("x", "x", LATER).is_new


def test_a_refilled_gap_is_not_refilled_again(archive: Archive) -> None:
    archive.collect([], [Heartbeat("x", "x", START), Turn("x", "x", "deaf", START, "cut")])
    archive.collect([], [Turn("x", "x", "listening", LATER)])
    archive.collect([], [Heartbeat("x", "x", LATER)])
    assert archive.resume("x", "x", LATER).gaps == ((START, LATER),)
    archive.collect([], [Recovered("x", "x", START, LATER, by="search")])
    assert archive.resume("x", "x", LATER).gaps == ()


def test_a_folder_that_learnt_its_network_has_one_ledger(archive: Archive) -> None:
    archive.collect([], [Turn("chat", "folder", "listening", START), Heartbeat("chat", "folder", START)])
    archive.collect([], [Named("chat", "zoom")])
    for table in ("coverage", "heartbeats"):
        assert archive.conn.execute(f"SELECT source FROM {table}").fetchall() == [("zoom",)]


def test_posts_are_known_by_any_of_their_names(archive: Archive, receive: Receive) -> None:
    post = receive(1, aliases=("x:17",)).post
    archive.collect([receive(1, aliases=("x:17",))], [])
    assert archive.known([post.key, "x:17", "x:18"]) == {post.key, "x:17"}


def test_what_the_shelf_tells_a_source(archive: Archive, receive: Receive) -> None:
    bob = Author(key="x:bob", source="x", handle="bc_bob")
    archive.write([receive(1), receive(2, aliases=("x:22",)), receive(3, author=bob)])
    shelf = Shelf(archive.path)
    since = START + timedelta(minutes=2)
    assert shelf.recent_ids("x", since) == [f"9{3:018d}", f"9{2:018d}"]
    assert shelf.recent_ids("mastodon", since) == []
    assert shelf.recent_aliases("x", START) == ["x:22"]
    assert shelf.keys_of_author("x:bob") == [f"x:9{3:018d}"]


def test_a_record_that_could_not_be_mapped_and_whose_author_opted_out_is_not_kept(archive: Archive) -> None:
    archive.opt_out("x:bob")
    item = Unmapped("no time", '{"author": "bob"}', "the stream", accounts=("x:bob", "x:@bc_bob"))
    counts = archive.collect([item, Unmapped("no time", "{}", "the stream", accounts=("x:ana",))], [])
    assert (counts.private, counts.quarantined) == (1, 1)
    assert archive.conn.execute("SELECT payload FROM quarantine").fetchall() == [("{}",)]
