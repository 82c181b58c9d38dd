from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archive.errors import ArchiveBusy, DamagedArchive, NewerArchive, NotAnArchive
from archive.integrity import verify
from archive.store import Archive, Checkpoint
from archive.vocabulary import (
    Correction,
    Counts,
    Deleted,
    Meeting,
    Mood,
    Received,
    Tag,
    Tagging,
    Themes,
)
from tests.conftest import ROOT, START

Receive = Callable[..., Received]


def test_an_archive_opens_again_without_its_meeting_file(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    with Archive.open(archive.path) as again:
        assert again.meeting == archive.meeting
        assert again.write([receive(1)]) == Counts(duplicate=1)


def test_what_is_not_there_is_not_made_up(tmp_path: Path, meeting: Meeting) -> None:
    with pytest.raises(NotAnArchive, match="no archive here"):
        Archive.open(tmp_path / "none.db")
    with pytest.raises(NotAnArchive, match="no such folder"):
        Archive.open(tmp_path / "none" / "a.db", meeting)


def test_another_meetings_archive_is_refused(archive: Archive, meeting: Meeting) -> None:
    with pytest.raises(NotAnArchive, match="belongs to the meeting 'sample'"):
        Archive.open(archive.path, replace(meeting, slug="other"))


def test_a_foreign_file_is_refused(tmp_path: Path, meeting: Meeting) -> None:
    text = tmp_path / "text.db"
    text.write_text("no database at all, but long enough to be read as one" * 20)
    with pytest.raises(NotAnArchive, match="no SQLite file"):
        Archive.open(text, meeting)
    foreign = sqlite3.connect(tmp_path / "foreign.db")
    foreign.execute("CREATE TABLE t (a)")
    foreign.commit()
    foreign.close()
    with pytest.raises(NotAnArchive, match="no archive of Backchannel"):
        Archive.open(tmp_path / "foreign.db", meeting)


def test_a_newer_archive_is_refused_by_name(archive: Archive, meeting: Meeting) -> None:
    archive.conn.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('backchannel', 'm999', 'x')"
    )
    archive.conn.commit()
    with pytest.raises(NewerArchive, match="m999"):
        Archive.open(archive.path, meeting)


def test_a_damaged_archive_is_said_so(archive: Archive, receive: Receive) -> None:
    archive.write([receive(n) for n in range(500)])
    archive.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    archive.close()
    data = bytearray(archive.path.read_bytes())
    data[4096 : len(data) // 2] = b"\xff" * (len(data) // 2 - 4096)
    archive.path.write_bytes(data)
    with pytest.raises(DamagedArchive, match="verify"), Archive.open(archive.path) as broken:
        broken.write([receive(n) for n in range(500, 600)])


def test_a_changed_agenda_assigns_every_post_anew(
    archive: Archive, meeting: Meeting, receive: Receive
) -> None:
    archive.write([receive(80), receive(100)])
    late = replace(meeting.sessions[0], ends=START + timedelta(minutes=105))
    coffee = replace(meeting.sessions[1], starts=START + timedelta(minutes=105))
    moved = replace(meeting, sessions=(late, coffee, meeting.sessions[2]))
    with Archive.open(archive.path, moved) as again:
        assert [r[0] for r in again.conn.execute("SELECT session FROM posts")] == ["s1", "s1"]
    assert verify(archive.path) == []


def test_an_agenda_changed_by_another_process_holds_for_the_next_post(
    archive: Archive, meeting: Meeting, receive: Receive
) -> None:
    later = replace(meeting, sessions=(replace(meeting.sessions[0], slug="opening"), *meeting.sessions[1:]))
    Archive.open(archive.path, later).close()
    archive.write([receive(1)])
    archive.write_from(Checkpoint("f", "rtweet"), [receive(2)])
    assert {row[0] for row in archive.conn.execute("SELECT session FROM posts")} == {"opening"}
    assert archive.meeting == later
    assert verify(archive.path) == []


def test_a_failing_batch_leaves_nothing(archive: Archive, receive: Receive) -> None:
    class Broken(Exception):
        pass

    def items() -> object:
        yield receive(1)
        raise Broken

    with pytest.raises(Broken):
        archive.write(items())  # type: ignore[arg-type]
    assert archive.conn.execute("SELECT count(*) FROM posts").fetchone() == (0,)
    assert archive.write([receive(1)]) == Counts(new=1)


def test_a_locked_archive_is_explained(
    archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.conn.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(archive.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ArchiveBusy, match="locked"):
        archive.write([receive(1)])
    other.close()


def test_checkpoints_remember_how_far_an_import_came(archive: Archive, receive: Receive) -> None:
    assert archive.checkpoint("f") is None
    reached = archive.write_from(Checkpoint("f", "rtweet"), [receive(1), receive(1)])
    assert archive.checkpoint("f") == reached
    assert (reached.position, reached.counts, reached.finished) == (2, Counts(new=1, duplicate=1), False)
    archive.save_checkpoint(replace(reached, finished=True))
    assert archive.checkpoint("f") == replace(reached, finished=True)


def test_a_batch_that_fails_moves_no_checkpoint(archive: Archive, receive: Receive) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        archive.write_from(Checkpoint("f", "rtweet"), [receive(1), Deleted(None, "x")])  # type: ignore[arg-type]
    assert archive.checkpoint("f") is None
    assert archive.conn.execute("SELECT count(*) FROM posts").fetchone() == (0,)


def test_several_processes_may_make_the_archive_at_once(tmp_path: Path) -> None:
    child = (
        "import sys; from pathlib import Path\n"
        "from archive.store import Archive; from bench import synthetic\n"
        "sys.stdin.readline()\n"
        "with Archive.open(Path(sys.argv[1]), synthetic.meeting()) as archive:\n"
        "    archive.write(synthetic.posts(50, seed=int(sys.argv[2]), first=100 * int(sys.argv[2])))\n"
    )
    path = tmp_path / "new.db"
    children = [
        subprocess.Popen([sys.executable, "-c", child, str(path), str(n)], cwd=ROOT, stdin=subprocess.PIPE)
        for n in range(4)
    ]
    for process in children:
        process.communicate(b"go\n")
    assert [process.returncode for process in children] == [0] * 4
    with Archive.open(path) as archive:
        assert archive.conn.execute("SELECT count(*) FROM posts").fetchone() == (200,)
    assert verify(path) == []


def test_what_the_tagger_writes_and_people_teach_is_there_for_another_process(
    archive: Archive, receive: Receive
) -> None:
    vector = b"\x00\x3c" * 512
    said = Tagging(
        language="en",
        themes=(("agility", 0.8),),
        themes_by="by 1",
        sentiment="neutral",
        sentiment_score=0.6,
        sure=False,
        question=True,
        vector=vector,
        encoder="encoder 1",
        tags=(Tag(component="sentiment", label="neutral", score=0.6, version="1"),),
    )
    archive.write([receive(1), receive(2)])
    with Archive.open(archive.path) as other:
        seen = other.writes()
        archive.save_tags([(post, said) for post in archive.untagged(10)], version="v1")
        assert other.writes() != seen
        assert other.untagged(10) == []
        assert [post.vector for post in other.to_refine(10, encoder="encoder 1")] == [vector] * 2
        mood = Mood(sentiment="positive", score=0.9, sure=True, tag=replace(said.tags[0], label="positive"))
        assert archive.refine([(post, mood) for post in archive.to_refine(1)]) == 1
        assert len(other.to_refine(10)) == 1

        assert other.ungrouped()
        first, second = (one.id for one in other.questions("encoder 1"))
        archive.save_groups({first: first, second: first})
        assert not other.ungrouped()

        before = other.changes()
        archive.correct("x:9000000000000000001", Correction(by="Eva", themes=("defragment",)))
        archive.decide("agility", "en", "two-week steps", accepted=True, by="Eva")
        assert other.changes() != before
        learned = other.learned("encoder 1")
        assert [taught.themes for taught in learned.corrections] == [("defragment",)]
        assert learned.keywords == (("agility", "en", "two-week steps"),)

        archive.fitted(learned, 0.1)
        archive.chosen_by("by 2")
        assert other.chooser() == "by 2"
        stale = other.stale_themes(10, "by 2")
        assert len(stale) == 2
        anew = Themes(themes=(), tags=(Tag(component="theme", label="none", version="2"),))
        assert archive.save_themes([(post, anew) for post in stale], themes_by="by 2") == 2
        assert other.stale_themes(10, "by 2") == []
        archive.save_suggestions([])
    assert verify(archive.path) == []
