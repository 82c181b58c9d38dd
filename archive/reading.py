"""Opening an archive: to read, as every page does, and what is refused by name."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from urllib.parse import quote

from sqlite_utils import Database

from archive.errors import ArchiveBusy, ArchiveError, DamagedArchive, NewerArchive, NotAnArchive
from archive.meeting import from_definition
from archive.schema import migrations
from archive.vocabulary import Meeting

#: The longest that a reader waits for a lock, in seconds. With WAL it does not wait for writers at all.
PATIENCE = 5.0


def open_readonly(path: Path, meeting: Meeting | None = None) -> sqlite3.Connection:
    """A read-only connection to an archive, rows as ``sqlite3.Row``, usable from any thread.

    Raises NotAnArchive, also for the archive of another meeting than this, NewerArchive or DamagedArchive.
    """
    if not path.is_file():
        raise NotAnArchive(f"{path}: there is no archive here yet; import something, or start collecting")
    conn = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro",
        uri=True,
        timeout=PATIENCE,
        check_same_thread=False,
        isolation_level=None,
    )
    conn.row_factory = sqlite3.Row
    try:
        conn.execute("PRAGMA mmap_size = 1073741824")
        if not check_age(conn, path):
            raise NotAnArchive(f"{path.name}: an empty file, no archive; name another one")
        if known_migrations().difference(_applied(conn)):
            _bring_up_to_date(path)
        if meeting is not None:
            check_owner(conn, meeting)
    except BaseException:
        conn.close()
        raise
    return conn


def check_owner(conn: sqlite3.Connection, meeting: Meeting) -> None:
    """Refuse the archive of another meeting; one that holds no meeting yet is anybody's."""
    row = conn.execute("SELECT slug FROM meeting").fetchone()
    if row is not None and row[0] != meeting.slug:
        raise NotAnArchive(
            f"this archive belongs to the meeting {row[0]!r}, not to {meeting.slug!r}; name another --archive"
        )


def _bring_up_to_date(path: Path) -> None:
    """An older version's file gets today's tables and columns; nothing of what it holds is touched."""
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as conn:
            conn.execute("BEGIN IMMEDIATE")  # another process may do the same at this moment
            migrations.apply(Database(conn, recursive_triggers=False))
            conn.commit()
    except sqlite3.OperationalError as error:
        raise explained(error, path) from error


def data_version(conn: sqlite3.Connection) -> int:
    """A number that changes when another connection has committed to the file; costs microseconds."""
    return int(conn.execute("PRAGMA data_version").fetchone()[0])


def check_age(conn: sqlite3.Connection, path: Path) -> bool:
    """Refuse what is no archive, is damaged, or was written by a newer version; all three by name.

    Returns whether there is anything in the file at all.
    """
    try:
        tables = {row[0] for row in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        applied = _applied(conn) if "_sqlite_migrations" in tables else []
    except sqlite3.DatabaseError as error:
        raise explained(error, path) from None
    unknown = [name for name in applied if name not in known_migrations()]
    if unknown:
        raise NewerArchive(
            f"{path.name}: written by a newer version of Backchannel (with {unknown[0]}); update this one"
        )
    if tables and not applied:
        raise NotAnArchive(f"{path.name}: an SQLite file, but no archive of Backchannel; name another file")
    return bool(tables)


def _applied(conn: sqlite3.Connection) -> list[str]:
    return [row[0] for row in conn.execute("SELECT name FROM _sqlite_migrations")]


def explained(error: sqlite3.Error, path: Path) -> ArchiveError:
    """What an error of SQLite means to the person whose file it is."""
    said = str(error)
    if "not a database" in said:
        return NotAnArchive(f"{path.name}: no SQLite file; name the archive, or restore a backup")
    if "locked" in said or "busy" in said:
        return ArchiveBusy(f"{path.name}: another program has locked the archive; close it and try again")
    if "is full" in said:
        return ArchiveError(f"{path.name}: the disk is full; what was stored is safe. Free some space")
    if "readonly" in said or "unable to open" in said:
        return ArchiveError(f"{path.name}: the archive cannot be written here; check the folder's rights")
    return DamagedArchive(
        f"{path.name}: the archive is damaged ({said}); run `backchannel verify`, or restore a backup"
    )


@cache
def known_migrations() -> frozenset[str]:
    """The names of all migrations that this version knows."""
    with Database(memory=True) as empty:
        return frozenset(step.name for step in migrations.pending(empty))


def load_meeting(conn: sqlite3.Connection) -> Meeting:
    """The meeting as the archive keeps it. Raises NotAnArchive where none was ever stored."""
    row = conn.execute("SELECT definition FROM meeting").fetchone()
    if row is None:
        raise NotAnArchive("the archive holds no meeting; open it once with its meeting file")
    return from_definition(json.loads(row[0]))
