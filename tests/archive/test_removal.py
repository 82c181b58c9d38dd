from __future__ import annotations

from collections.abc import Callable

from archive import removal
from archive.integrity import verify
from archive.store import Archive
from archive.vocabulary import Author, Correction, Engagement, Name, Received, Tagging

Receive = Callable[..., Received]


def hanging(archive: Archive) -> list[str]:
    """The tables whose rows belong to posts."""
    names = [row[0] for row in archive.conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [
        name
        for name in names
        if "post_id" in [row[1] for row in archive.conn.execute(f"PRAGMA table_info({name})")]
    ]


def test_nothing_of_a_removed_post_stays(archive: Archive, receive: Receive) -> None:
    archive.write(
        [
            receive(1, mentions=("bc_eva",), links=("http://example.org",), engagement=Engagement(likes=1)),
            receive(2, author="luis"),
        ]
    )
    tagging = Tagging(
        language="en",
        themes=(("agility", 0.5),),
        sentiment=None,
        sentiment_score=None,
        sure=None,
        question=True,
        names=(Name("person", "Eva"),),
        vector=b"12",
        encoder="e",
        tags=(),
    )
    archive.save_tags([(post, tagging) for post in archive.untagged(5)], version="1")
    archive.correct("x:9000000000000000001", Correction(by="Eva", themes=("agility",)))
    with archive.transaction() as conn:
        removal.remove(conn, [1])
    assert archive.learned("e").version == ""
    assert verify(archive.path) == []
    for table in hanging(archive):
        assert archive.conn.execute(f"SELECT count(*) FROM {table} WHERE post_id = 1").fetchone() == (0,)
    assert archive.conn.execute("SELECT handle FROM authors").fetchall() == [("bc_luis",)]


def test_every_table_that_hangs_on_a_post_is_known_here(archive: Archive) -> None:
    assert sorted(hanging(archive)) == sorted((*removal._TABLES, "question_groups"))


def test_the_earliest_word_of_a_deletion_stays(archive: Archive) -> None:
    for seen_at, seen in ((None, False), ("2012-03-02", True), ("2012-03-01", False), (None, False)):
        removal.bury(archive.conn, "x:1", "x", seen_at, post_seen=seen)
    assert archive.conn.execute("SELECT seen_at, post_seen FROM tombstones").fetchall() == [("2012-03-01", 1)]


def test_an_account_is_known_by_key_and_by_handle_in_any_case() -> None:
    author = Author(key="x:7", source="x", handle="BC_Ana")
    hashes = removal.account_hashes(author)
    assert removal.account_hash("X:7") in hashes
    assert removal.account_hash("x:@bc_ana") in hashes
    assert len(removal.account_hashes(Author(key="zoom:Ana", source="zoom"))) == 1
