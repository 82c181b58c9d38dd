from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import ArchiveBusy, DamagedArchive, NotAnArchive
from archive.reading import data_version, explained, load_meeting, open_readonly
from archive.store import Archive
from archive.vocabulary import Meeting, Received


def test_a_reader_sees_what_is_committed_and_cannot_write(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    conn = open_readonly(archive.path)
    archive.write([receive(1)])
    assert conn.execute("SELECT key FROM posts").fetchone()["key"] == receive(1).post.key
    assert load_meeting(conn) == archive.meeting
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        conn.execute("DELETE FROM posts")
    conn.close()


def test_a_commit_of_somebody_else_is_noticed(archive: Archive, receive: Callable[..., Received]) -> None:
    conn = open_readonly(archive.path)
    before = data_version(conn)
    assert data_version(conn) == before
    archive.write([receive(1)])
    assert data_version(conn) != before
    conn.close()


def test_a_name_with_odd_characters_is_a_name(tmp_path: Path, archive: Archive) -> None:
    odd = tmp_path / "a?mode=rwc#%20é.db"
    archive.conn.execute("VACUUM INTO ?", (str(odd),))
    open_readonly(odd).close()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAnArchive):
        open_readonly(tmp_path / "none.db")
    empty = tmp_path / "empty.db"
    empty.touch()
    with pytest.raises(NotAnArchive, match="empty"):
        open_readonly(empty)


def test_an_archive_without_a_meeting_says_so(archive: Archive) -> None:
    archive.conn.execute("DELETE FROM meeting")
    with pytest.raises(NotAnArchive, match="no meeting"):
        load_meeting(archive.conn)


def test_the_archive_of_another_meeting_is_refused_in_the_words_of_writers(
    archive: Archive, meeting: Meeting
) -> None:
    other = replace(meeting, slug="other")
    with pytest.raises(NotAnArchive) as written:
        Archive.open(archive.path, other)
    with pytest.raises(NotAnArchive) as read:
        open_readonly(archive.path, other)
    assert str(read.value) == str(written.value)
    assert "belongs to the meeting 'sample', not to 'other'" in str(read.value)
    open_readonly(archive.path, meeting).close()
    archive.conn.execute("DELETE FROM meeting")
    archive.conn.commit()
    open_readonly(archive.path, other).close()  # it belongs to nobody


def test_errors_of_sqlite_are_explained() -> None:
    path = Path("a.db")
    assert isinstance(explained(sqlite3.DatabaseError("file is not a database"), path), NotAnArchive)
    assert isinstance(explained(sqlite3.OperationalError("database is locked"), path), ArchiveBusy)
    assert "disk is full" in str(explained(sqlite3.OperationalError("database or disk is full"), path))
    assert "rights" in str(explained(sqlite3.OperationalError("attempt to write a readonly database"), path))
    assert isinstance(explained(sqlite3.DatabaseError("disk image is malformed"), path), DamagedArchive)
