"""The archive of one meeting, open for writing. All writes of the house go through here."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType

from sqlite_utils import Database

from archive import collecting, correcting, coverage, grouping, intake, removal, rollups, suggestions, tagging
from archive.agenda_slots import Assign, assigner, sessions_of
from archive.errors import NotAnArchive
from archive.meeting import to_definition
from archive.reading import check_age, check_owner, explained, load_meeting
from archive.schema import migrations
from archive.suggestions import Suggestion
from archive.times import to_text, utc_now
from archive.vocabulary import (
    Correction,
    Counts,
    Item,
    Learned,
    Meeting,
    Mood,
    State,
    Tagging,
    Themes,
    Untagged,
)

#: How long a writer waits for another one, in seconds.
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the import of a file has come: records written, and what became of them."""

    file: str
    format: str
    position: int = 0
    counts: Counts = field(default_factory=Counts)
    finished: bool = False

    def moved(self, records: int, counts: Counts) -> Checkpoint:
        """The checkpoint after one more batch of so many records."""
        total = replace(self.counts)
        total.add(counts)
        return replace(self, position=self.position + records, counts=total)


class Archive:
    """One SQLite file in WAL mode, with short ``BEGIN IMMEDIATE`` transactions.

    Every method that writes is one transaction: it is there as a whole or not at all.
    """

    def __init__(self, path: Path, conn: sqlite3.Connection, clock: Callable[[], datetime]) -> None:
        self.path = path
        self.conn = conn
        self.clock = clock
        self._definition = _definition(conn)
        self.meeting = load_meeting(conn)
        self._assign = assigner(self.meeting)

    @classmethod
    def open(
        cls, path: Path, meeting: Meeting | None = None, *, clock: Callable[[], datetime] = utc_now
    ) -> Archive:
        """Open an archive, or create it where a ``meeting`` is given; bring its tables up to date.

        Where the meeting's agenda differs from the stored one, every post is assigned anew.
        Raises NotAnArchive, NewerArchive, DamagedArchive or ArchiveBusy.
        """
        if meeting is None and not path.is_file():
            raise NotAnArchive(f"{path}: there is no archive here yet")
        if not path.parent.is_dir():
            raise NotAnArchive(f"{path.parent}: there is no such folder for the archive")
        conn = sqlite3.connect(path, timeout=PATIENCE, check_same_thread=False)
        try:
            check_age(conn, path)
            _prepare(conn)
            with _transaction(conn):  # two processes may open a new archive at the same moment
                migrations.apply(Database(conn, recursive_triggers=False))
                if meeting is not None:
                    _store_meeting(conn, meeting)
            return cls(path, conn, clock)
        except sqlite3.Error as error:
            conn.close()
            raise explained(error, path) from error
        except BaseException:
            conn.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was committed is on disk."""
        self.conn.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is committed together, or not at all."""
        try:
            with _transaction(self.conn):
                yield self.conn
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):  # a fault of ours, not the file's
            raise
        except sqlite3.Error as error:
            raise explained(error, self.path) from error

    def writes(self) -> int:
        """A number that is another one after anybody wrote to the archive; costs microseconds."""
        others = self.conn.execute("PRAGMA data_version").fetchone()[0]
        return hash((others, self.conn.total_changes))

    # -- posts and coverage ------------------------------------------------------------------------

    def write(self, items: Iterable[Item]) -> Counts:
        """Take in whatever a source or an importer yielded; best in batches of 500 to 1,000."""
        with self.transaction() as conn:
            return intake.write(conn, items, self._assigner(conn), to_text(self.clock()))

    def write_from(self, checkpoint: Checkpoint, items: Sequence[Item]) -> Checkpoint:
        """Take in the next batch of an import, and move its checkpoint on in the same transaction."""
        now = to_text(self.clock())
        with self.transaction() as conn:
            counts = intake.write(conn, items, self._assigner(conn), now)
            moved = checkpoint.moved(len(items), counts)
            _save_checkpoint(conn, moved, now)
        return moved

    def collect(
        self, items: Iterable[Item], marks: Iterable[collecting.Mark], *, holder: str | None = None
    ) -> Counts:
        """Take in what a collector heard, together with what it has to say of its sources.

        A ``holder`` whose lease another one took meanwhile (it slept) has nothing to say any more: its posts
        are welcome, its marks are left out.
        """
        now = to_text(self.clock())
        with self.transaction() as conn:
            counts = intake.write(conn, items, self._assigner(conn), now)
            if holder is None or holder == coverage.lease_holder(conn):
                collecting.write_marks(conn, marks, now)
        return counts

    def resume(self, name: str, source: str, at: datetime) -> collecting.Standing:
        """Before a source is listened to: record the time that nobody listened, say where it was left."""
        with self.transaction() as conn:
            coverage.resume(conn, name, source, at, self.meeting.starts)
            return collecting.standing(conn, name, at)

    def spent(self, name: str) -> int:
        """The posts that a source has read for money so far."""
        return collecting.spent(self.conn, name)

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys by which a post of this archive goes."""
        return collecting.known(self.conn, keys)

    def _assigner(self, conn: sqlite3.Connection) -> Assign:
        # Another process may have brought a new agenda since, and assigned what was there then.
        if (definition := _definition(conn)) != self._definition:
            self.meeting = load_meeting(conn)
            self._assign = assigner(self.meeting)
            self._definition = definition
        return self._assign

    def opt_out(self, account: str) -> int:
        """Keep an account (its key, or ``<source>:@<handle>``) out; returns the posts taken out."""
        with self.transaction() as conn:
            return removal.opt_out(conn, account, to_text(self.clock()))

    def heard(self, name: str, source: str, at: datetime) -> None:
        """A source proved that it is listening."""
        with self.transaction() as conn:
            coverage.heard(conn, name, source, at)

    def turn(
        self,
        name: str,
        source: str,
        state: State,
        at: datetime,
        *,
        cause: str | None = None,
        until: datetime | None = None,
    ) -> None:
        """A source is in another state from ``at`` on."""
        with self.transaction() as conn:
            coverage.turn(conn, name, source, state, at, cause=cause, until=until)

    def acquire_lease(self, holder: str, seconds: float) -> None:
        """Become, or stay, the one collector of this archive. Raises LeaseTaken."""
        with self.transaction() as conn:
            coverage.acquire_lease(conn, holder, self.clock(), seconds)

    def lease_holder(self) -> str | None:
        """Who holds the collector's lease, or held it last without giving it back."""
        return coverage.lease_holder(self.conn)

    def release_lease(self, holder: str) -> None:
        """Let another collector begin at once."""
        with self.transaction() as conn:
            coverage.release_lease(conn, holder)

    # -- tags --------------------------------------------------------------------------------------

    def untagged(
        self, limit: int, *, newest_first: bool = True, encoder: str | None = None
    ) -> list[Untagged]:
        """The next posts to tag, with the vectors that this encoder made of them earlier."""
        return tagging.untagged(self.conn, limit, newest_first=newest_first, encoder=encoder)

    def save_tags(self, results: Sequence[tuple[Untagged, Tagging]], *, version: str) -> int:
        """Write tags; returns how many posts were tagged by it (see ``archive.tagging.save``)."""
        with self.transaction() as conn:
            return tagging.save(conn, results, version, to_text(self.clock()))

    def stale_themes(self, limit: int, themes_by: str, *, encoder: str | None = None) -> list[Untagged]:
        """The next tagged posts whose themes were chosen by another version than this."""
        return tagging.stale_themes(self.conn, limit, themes_by, encoder=encoder)

    def save_themes(self, results: Sequence[tuple[Untagged, Themes]], *, themes_by: str) -> int:
        """Write themes chosen anew; returns how many posts were due."""
        with self.transaction() as conn:
            return tagging.save_themes(conn, results, themes_by, to_text(self.clock()))

    def to_refine(self, limit: int, *, encoder: str | None = None) -> list[Untagged]:
        """The next posts whose sentiment only the fast tier has judged, newest first."""
        return tagging.to_refine(self.conn, limit, encoder=encoder)

    def refine(self, results: Sequence[tuple[Untagged, Mood]]) -> int:
        """Write what the accurate tier says; returns how many posts were due."""
        with self.transaction() as conn:
            return tagging.refine(conn, results, to_text(self.clock()))

    def tag_failed(
        self, post: Untagged, reason: str, *, tagged: bool = False, refining: bool = False
    ) -> None:
        """Note that a post could not be tagged, or, being ``tagged``, not get better themes, or not be
        refined (see ``archive.tagging.failed``).
        """
        with self.transaction() as conn:
            tagging.failed(conn, post, reason, to_text(self.clock()), tagged=tagged, refining=refining)

    def retag(self) -> None:
        """Make every post untagged work again; the machine's present tags become history."""
        with self.transaction() as conn:
            tagging.forget_all(conn, to_text(self.clock()))

    # -- what people teach -------------------------------------------------------------------------

    def correct(self, key: str, correction: Correction) -> None:
        """A person says better: in force at once, beside the machine's tags. Raises UsageError."""
        with self.transaction() as conn:
            correcting.correct(conn, self.meeting, key, correction, to_text(self.clock()))

    def decide(self, theme: str, language: str, keyword: str, *, accepted: bool, by: str) -> None:
        """Accept or reject a suggested keyword. Raises UsageError."""
        with self.transaction() as conn:
            correcting.decide(
                conn,
                self.meeting,
                (theme, language, keyword),
                accepted=accepted,
                by=by,
                now=to_text(self.clock()),
            )

    def decide_all(self, decisions: Iterable[tuple[tuple[str, str, str], bool]], *, by: str) -> None:
        """Accept (true) or reject keywords ``(theme, language, keyword)``, all or none. Raises UsageError."""
        with self.transaction() as conn:
            correcting.decide_all(conn, self.meeting, decisions, by=by, now=to_text(self.clock()))

    def changes(self) -> int:
        """A number that moves on whenever ``learned`` may have changed; cheap to ask for."""
        return correcting.changes(self.conn)

    def learned(self, encoder: str) -> Learned:
        """All that people taught, with the vectors of this encoder."""
        return correcting.learned(self.conn, encoder)

    def fitted(self, learned: Learned, seconds: float) -> None:
        """Note that the tagger now works with what was learned, and how long fitting took."""
        with self.transaction() as conn:
            correcting.fitted(conn, learned, seconds, to_text(self.clock()))

    def chosen_by(self, themes_by: str) -> None:
        """Note what chooses themes at present: posts with another ``themes_by`` are to be themed anew."""
        with self.transaction() as conn:
            correcting.chosen_by(conn, themes_by)

    def chooser(self) -> str | None:
        """What chooses themes at present, as the tagger that began last has it."""
        return correcting.chooser(self.conn)

    def save_suggestions(self, found: Iterable[Suggestion]) -> None:
        """Put a new list of suggested keywords in place of the old one."""
        with self.transaction() as conn:
            suggestions.replace_all(conn, found, to_text(self.clock()))

    # -- questions that say the same ---------------------------------------------------------------

    def ungrouped(self) -> list[int]:
        """The questions (row numbers) that have no group yet."""
        return grouping.waiting(self.conn)

    def questions_mark(self) -> tuple[int, int, int]:
        """How many questions there are; and what is another after any edit."""
        return grouping.mark(self.conn)

    def said(self) -> dict[int, tuple[str, str, str]]:
        """When, by which key and in which words every question is asked, by row number."""
        return grouping.said(self.conn)

    def questions(self, encoder: str, ids: Iterable[int] | None = None) -> list[grouping.Asked]:
        """All questions, or these, in the order in which they were asked, with this encoder's vectors."""
        return grouping.questions(self.conn, encoder, ids)

    def save_groups(self, groups: Mapping[int, int]) -> None:
        """Write which question (row number) stands for which."""
        with self.transaction() as conn:
            grouping.save(conn, groups)

    # -- imports -----------------------------------------------------------------------------------

    def checkpoint(self, file: str) -> Checkpoint | None:
        """How far an earlier import of this very file came, if there was one."""
        row = self.conn.execute(
            "SELECT format, position, counts, finished_at FROM imports WHERE file = ?", (file,)
        ).fetchone()
        if row is None:
            return None
        counts = json.loads(row[2])
        del counts["read"]
        return Checkpoint(file, row[0], row[1], Counts(**counts), row[3] is not None)

    def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Remember how far an import came; ``write_from`` does so with every batch."""
        with self.transaction() as conn:
            _save_checkpoint(conn, checkpoint, to_text(self.clock()))


@contextmanager
def _transaction(conn: sqlite3.Connection) -> Iterator[None]:
    # Immediate: a deferred transaction that turns to writing fails at once instead of waiting.
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield
        conn.commit()
    except BaseException:
        conn.rollback()
        raise


def _save_checkpoint(conn: sqlite3.Connection, checkpoint: Checkpoint, now: str) -> None:
    conn.execute(
        "INSERT INTO imports VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET "
        "format = ?2, position = ?3, counts = ?4, finished_at = ?6",
        (
            checkpoint.file,
            checkpoint.format,
            checkpoint.position,
            json.dumps(checkpoint.counts.as_json()),
            now,
            now if checkpoint.finished else None,
        ),
    )


def _prepare(conn: sqlite3.Connection) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # a commit that was acknowledged outlives a power cut
        "wal_autocheckpoint = 16000",  # 64 MB: a page that fills is copied once, not at every batch
        "cache_size = -32768",
        "temp_store = MEMORY",
        "secure_delete = ON",  # what is taken out is overwritten, not only unlinked
    ):
        conn.execute(f"PRAGMA {pragma}").fetchall()


def _definition(conn: sqlite3.Connection) -> str | None:
    row = conn.execute("SELECT definition FROM meeting").fetchone()
    return row[0] if row else None


def _store_meeting(conn: sqlite3.Connection, meeting: Meeting) -> None:
    definition = json.dumps(to_definition(meeting), ensure_ascii=False, sort_keys=True)
    check_owner(conn, meeting)
    before = _definition(conn)
    if before == definition:
        return
    for table in ("meeting", "sessions", "themes"):
        conn.execute(f"DELETE FROM {table}")
    conn.execute(
        "INSERT INTO meeting VALUES (?, ?, ?, ?, ?, ?)",
        (
            meeting.slug,
            meeting.title,
            to_text(meeting.starts),
            to_text(meeting.ends),
            meeting.timezone,
            definition,
        ),
    )
    conn.executemany(
        "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)",
        [
            (s.slug, s.title, to_text(s.starts), to_text(s.ends), s.kind, s.track)
            for s in sessions_of(meeting)
        ],
    )
    conn.executemany(
        "INSERT INTO themes VALUES (?, ?, ?, ?)",
        [(t.slug, position, t.title, t.description) for position, t in enumerate(meeting.themes)],
    )
    if before is not None:
        _assign_anew(conn, meeting)


def _assign_anew(conn: sqlite3.Connection, meeting: Meeting) -> None:
    assign = assigner(meeting)
    rows = conn.execute(
        "SELECT id, created_at, session, (SELECT group_concat(hashtag, ' ') FROM post_hashtags h "
        "WHERE h.post_id = p.id) FROM posts p"
    )
    moved = [
        (slug, post_id)
        for post_id, created_at, session, hashtags in rows
        if (slug := assign(created_at, (hashtags or "").split())) != session
    ]
    if moved:
        conn.executemany("UPDATE posts SET session = ? WHERE id = ?", moved)
        rollups.rebuild(conn)
