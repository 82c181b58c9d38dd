"""Backups that can be trusted, and a verification that finds what was broken on purpose."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archive.canonical import fingerprint
from archive.errors import DamagedArchive, NotAnArchive, UsageError
from archive.integrity import backup, verify
from archive.store import Archive
from archive.vocabulary import Meeting, Received, Tagging


@pytest.fixture
def filled(archive: Archive, receive: Callable[..., Received]) -> Archive:
    archive.write(
        [
            receive(number, author=f"a{number % 7}", kind="repost" if number % 3 else None)
            for number in range(200)
        ]
    )
    posts = archive.untagged(150)
    themes = [(), (("open-data", 0.9),), (("open-data", 0.9), ("agility", 0.4))]
    archive.save_tags(
        [
            (
                post,
                Tagging(
                    language="en" if number % 2 else None,
                    themes=themes[number % 3],
                    sentiment=("positive", "negative", None)[number % 3],  # type: ignore[arg-type]
                    sentiment_score=0.7,
                    sure=number % 5 != 0,
                    question=number % 4 == 0,
                    tags=(),
                ),
            )
            for number, post in enumerate(posts)
        ],
        version="1",
    )
    return archive


def test_a_whole_archive_has_no_problems(filled: Archive) -> None:
    assert verify(filled.path) == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE rollup_minutes SET posts = posts + 1 WHERE theme = '*'", "rollup_minutes"),
        ("DELETE FROM rollup_minutes WHERE theme = 'agility'", "rollup_minutes"),
        ("UPDATE rollup_totals SET authored = 0 WHERE dimension = 'all'", "rollup_totals"),
        ("INSERT INTO rollup_totals VALUES ('kind', 'story', 1, 1)", "rollup_totals"),
        ("UPDATE posts SET kind = 'reply' WHERE id = 2", "rollup_totals"),
        ("UPDATE authors SET posts = posts - 1 WHERE id = 1", "authors"),
        ("UPDATE authors SET last_post_at = first_post_at", "authors"),
        ("UPDATE posts SET text = 'forged' WHERE id = 3", "search index"),
        ("INSERT INTO post_links VALUES (99999, 'https://example.org')", "post_links"),
    ],
)
def test_what_was_broken_is_found(filled: Archive, damage: str, said: str) -> None:
    with closing(sqlite3.connect(filled.path)) as conn:
        conn.execute(damage)
        conn.commit()
    problems = verify(filled.path)
    assert problems and any(said in problem for problem in problems)


def test_damaged_truncated_foreign_and_absent_files(filled: Archive, tmp_path: Path) -> None:
    backup(filled.path, tmp_path / "copy.db")
    whole = (tmp_path / "copy.db").read_bytes()
    cases = {
        "truncated.db": whole[: len(whole) // 2],
        "garbled.db": whole[:40_000] + b"\xa5" * (len(whole) - 40_000),
        "header.db": whole[:200],
        "text.db": b"no database at all, " * 100,
        "empty.db": b"",
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        assert verify(tmp_path / name), name
    assert "no archive here yet" in verify(tmp_path / "absent.db")[0]
    with closing(sqlite3.connect(tmp_path / "foreign.db")) as conn:
        conn.execute("CREATE TABLE posts (id)")
    assert "no archive of Backchannel" in verify(tmp_path / "foreign.db")[0]
    assert verify(tmp_path), "a folder"


def test_an_archive_of_a_newer_version(filled: Archive) -> None:
    filled.conn.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('backchannel', 'm999', '')"
    )
    filled.conn.commit()
    assert "newer version" in verify(filled.path)[0]


def test_a_backup_is_the_same_archive_in_one_file(filled: Archive, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    assert backup(filled.path, target) == target.stat().st_size
    assert fingerprint(target) == fingerprint(filled.path)
    assert verify(target) == []
    assert {path.name for path in tmp_path.glob("*backup*")} == {"backup.db"}


def test_a_backup_while_somebody_writes(
    filled: Archive, receive: Callable[..., Received], tmp_path: Path
) -> None:
    with filled.transaction() as conn:
        conn.execute("DELETE FROM posts")
        backup(filled.path, tmp_path / "backup.db")
        conn.rollback()
        conn.execute("BEGIN")
    assert fingerprint(tmp_path / "backup.db") == fingerprint(filled.path)


def test_a_backup_never_overwrites(filled: Archive, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    target.write_text("precious")
    with pytest.raises(UsageError, match="never overwrites"):
        backup(filled.path, target)
    assert target.read_text() == "precious"


def test_what_cannot_be_backed_up(filled: Archive, meeting: Meeting, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        backup(filled.path, tmp_path / "nowhere" / "backup.db")
    with pytest.raises(NotAnArchive):
        backup(tmp_path / "absent.db", tmp_path / "backup.db")
    assert not list(tmp_path.glob("*backup*"))


def test_a_damaged_archive_is_not_backed_up_silently(filled: Archive, tmp_path: Path) -> None:
    backup(filled.path, tmp_path / "whole.db")
    whole = (tmp_path / "whole.db").read_bytes()
    (tmp_path / "damaged.db").write_bytes(whole[:60_000] + b"\xa5" * (len(whole) - 60_000))
    with pytest.raises(DamagedArchive):
        backup(tmp_path / "damaged.db", tmp_path / "backup.db")
    assert not list(tmp_path.glob("*backup*"))
