"""The one write path: whatever a source or an importer yields, in any order, any number of times.

The end state depends on the set of observations only. Versions of a post are kept, the best one is
current; a tombstone keeps out what was deleted, with its reposts, even when it comes first.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from archive import authors, correcting, corrections, observations, rollups, tagging, versions
from archive.agenda_slots import Assign
from archive.coverage import write_span
from archive.lookups import select_in
from archive.removal import account_hash, account_hashes, account_names, bury, remove
from archive.rollups import State
from archive.rows import CONTENT_COLUMNS, Record, Unfit, check_fit, digest, rekeyed
from archive.times import MINUTE, to_text
from archive.vocabulary import (
    COUNTERS,
    Counts,
    Decision,
    Deleted,
    Engagement,
    Item,
    Private,
    Received,
    Skipped,
    Span,
    Unmapped,
)

#: Longest payload kept in quarantine, in characters; a longer one is cut, and the reason says so.
QUARANTINE_LIMIT = 1_000_000

_OBSERVED = (
    *CONTENT_COLUMNS,
    "session",
    "has_link",
    "received_at",
    "observed_at",
    "content_hash",
    "payload_hash",
)
_INSERT = (
    f"INSERT INTO posts (id, key, author_id, {', '.join(_OBSERVED)}) "
    f"VALUES ({', '.join('?' * (len(_OBSERVED) + 3))})"
)
_COUNT = (
    f"INSERT OR IGNORE INTO engagement (post_id, observed_at, {', '.join(COUNTERS)}) "
    f"VALUES ({', '.join('?' * (len(COUNTERS) + 2))})"
)
_NO_COUNTS = Engagement()
_counted = attrgetter(*COUNTERS)
_GONE = """
WITH RECURSIVE
    names (name) AS (
        SELECT value FROM json_each(?1)
        UNION SELECT alias FROM aliases WHERE key IN (SELECT value FROM json_each(?1))
        UNION SELECT p.key FROM names JOIN posts p ON p.repost_of = names.name
    )
SELECT p.id, p.key, p.source FROM names JOIN posts p ON p.key = names.name
"""
_UPDATE = f"UPDATE posts SET author_id = ?, {', '.join(f'{name} = ?' for name in _OBSERVED)} WHERE id = ?"


def write(conn: sqlite3.Connection, items: Iterable[Item], assign: Assign, now: str) -> Counts:
    """Take a batch into the archive, inside the caller's transaction.

    ``now`` stamps what goes to quarantine. Returns what became of the items.
    """
    batch = _Batch(conn, assign, now)
    for item in items:
        batch.take(item)
    batch.flush()
    return batch.counts


@dataclass(slots=True)
class _Stored:
    """A post that is in the archive already, or that this batch brings."""

    id: int
    rank: tuple[str, str]
    content_hash: str
    payload_hash: str


@dataclass(slots=True)
class _Batch:
    conn: sqlite3.Connection
    assign: Assign
    now: str
    counts: Counts = field(default_factory=Counts)
    records: list[Record] = field(default_factory=list)
    deletions: list[Deleted] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    buried: list[str] = field(default_factory=list)
    delta: Counter[State] = field(default_factory=Counter)
    tally: authors.Tally = field(default_factory=authors.Tally)
    log: Counter[tuple[str, str]] = field(default_factory=Counter)
    out: set[str] | None = None

    def take(self, item: Item) -> None:
        """Sort one item into the batch."""
        match item:
            case Received(post, raw):
                try:
                    self.records.append(Record(item))
                except Unfit as error:
                    payload = post.text if raw is None else raw
                    self._set_aside(str(error), payload, post.platform_id, account_names(post.author))
            case Deleted(key, source):
                try:
                    check_fit(key, source)
                    self.deletions.append(item)
                except Unfit as error:
                    self._quarantine(str(error), key, "a deletion")
            case Unmapped(reason, payload, where, accounts):
                self._set_aside(reason, payload, where, accounts)
            case Private():
                self._private(1)
            case Skipped():
                self.counts.skipped += 1
                self.log["", "skipped"] += 1
            case Span():
                try:
                    check_fit(item.name, item.source, item.cause, item.backfilled)
                    write_span(self.conn, item)
                except Unfit as error:
                    self._quarantine(str(error), item.name, "an interval of the coverage ledger")
            case Decision():
                self.decisions.append(item)

    def flush(self) -> None:
        """Write everything that was taken."""
        records = self._not_deleted(self._canonical(self._opted_in(self.records)))
        if records:
            self._write(records)
        rollups.apply(self.conn, self.delta)
        for record in records:
            if record.item.corrections:
                correcting.pass_on(self.conn, record.post.key, record.item.corrections, self.now)
        if self.decisions:
            correcting.take_over(self.conn, self.decisions)
        self._take_out(self.buried)
        for deletion in self.deletions:
            self._delete(deletion)
        self._write_log()

    # -- which posts may come in, and under which key --------------------------------------------

    def _opted_in(self, records: list[Record]) -> list[Record]:
        out = self._opt_outs()
        if not out:
            return records
        kept = [record for record in records if out.isdisjoint(account_hashes(record.post.author))]
        self._private(len(records) - len(kept))
        return kept

    def _opt_outs(self) -> set[str]:
        """The list as it stands in this transaction, read once."""
        if self.out is None:
            self.out = {row[0] for row in self.conn.execute("SELECT account_hash FROM opt_outs")}
        return self.out

    def _set_aside(self, reason: str, payload: str | None, where: str, accounts: Iterable[str]) -> None:
        """Into quarantine with what cannot be stored, but nothing of people who opted out."""
        if self._opt_outs().isdisjoint(map(account_hash, accounts)):
            self._quarantine(reason, payload, where)
        else:
            self._private(1)

    def _canonical(self, records: list[Record]) -> list[Record]:
        """Give posts that came under an alias the key that they are known by."""
        learnt = {
            alias: record.post.key
            for record in records
            for alias in record.post.aliases
            if alias != record.post.key
        }
        self.conn.executemany(
            "INSERT INTO aliases VALUES (?, ?) ON CONFLICT DO UPDATE SET key = min(key, excluded.key)",
            learnt.items(),
        )
        self._absorb(learnt)
        known = dict(
            select_in(self.conn, "SELECT alias, key FROM aliases", "alias", (r.post.key for r in records))
        )
        return [
            Record(rekeyed(record.item, known[record.post.key])) if record.post.key in known else record
            for record in records
        ]

    def _absorb(self, learnt: dict[str, str]) -> None:
        """A post stored under what turns out to be an alias is taken out and written under its key."""
        if not learnt:
            return
        for alias, post_id in select_in(self.conn, "SELECT key, id FROM posts", "key", learnt):
            again = _Batch(self.conn, self.assign, self.now)
            again.records = [
                Record(rekeyed(item, learnt[alias])) for item in observations.of_post(self.conn, post_id)
            ]
            said = corrections.of_post(self.conn, post_id)
            remove(self.conn, [post_id])
            again.flush()
            correcting.pass_on(self.conn, learnt[alias], said, self.now)

    def _not_deleted(self, records: list[Record]) -> list[Record]:
        if not self.conn.execute("SELECT 1 FROM tombstones LIMIT 1").fetchone():
            return records
        names = {name for record in records for name in _dependencies(record)}
        passed_on = [record.post.repost_of for record in records if record.post.repost_of]
        origin = dict(select_in(self.conn, "SELECT alias, key FROM aliases", "alias", passed_on))
        names.update(origin.values())
        gone = dict(select_in(self.conn, "SELECT key, seen_at FROM tombstones", "key", names))
        kept = []
        for record in records:
            post = record.post
            own = [gone[name] for name in (post.key, *post.aliases) if name in gone]
            if not own and gone.keys().isdisjoint((post.repost_of, origin.get(post.repost_of))):
                kept.append(record)
                continue
            # That a repost went with its post is our conclusion: no source said when.
            for seen_at in own or [None]:
                bury(self.conn, post.key, post.source, seen_at, post_seen=True)
            # It may be here all the same: from before this record told the alias that was deleted.
            self.buried.append(post.key)
            self.counts.skipped += 1
        return kept

    # -- posts -----------------------------------------------------------------------------------

    def _write(self, records: list[Record]) -> None:
        by_key: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            by_key[record.post.key].append(record)
        stored = self._stored(by_key)
        author_ids = authors.save(self.conn, records)
        fresh: list[tuple[int, Record]] = []
        next_id = self._next_id()
        for key, group in by_key.items():
            known = stored.get(key)
            if known is None:
                best = _best(group)
                stored[key] = known = _Stored(next_id, best.rank(), best.content_hash, best.payload_hash)
                fresh.append((next_id, best))
                next_id += 1
                self.tally.add(author_ids[best.post.author.key], best)
                self.counts.new += 1
                if len(group) > 1:
                    self._keep_others(known, group)
                    edits = len({record.content_hash for record in group}) - 1
                    self.counts.updated += edits
                    self._repeated(best.post.source, len(group) - 1 - edits)
            else:
                self._merge(known, group, author_ids)
        self._insert(fresh, author_ids)
        self._keep_payloads([(stored[r.post.key].id, r) for r in records])
        authors.count(self.conn, self.tally, author_ids.values())

    def _stored(self, keys: Iterable[str]) -> dict[str, _Stored]:
        rows = select_in(
            self.conn,
            "SELECT key, id, ifnull(edited_at, created_at), ifnull(observed_at, ''), content_hash, "
            "payload_hash FROM posts",
            "key",
            keys,
        )
        return {row[0]: _Stored(row[1], (row[2], row[3]), row[4], row[5]) for row in rows}

    def _next_id(self) -> int:
        # A row number is never given twice, so that "newer than id N" holds after deletions too.
        row = self.conn.execute("SELECT seq FROM sqlite_sequence WHERE name = 'posts'").fetchone()
        return int(row[0]) + 1 if row else 1

    def _merge(self, known: _Stored, group: list[Record], author_ids: dict[str, int]) -> None:
        """Compare observations of a post that is there already with what is kept of it."""
        kept = self.conn.execute("SELECT content_hash FROM versions WHERE post_id = ?", (known.id,))
        unknown = {record.content_hash for record in group} - {known.content_hash, *(row[0] for row in kept)}
        best = _best(group)
        if best.beats(known.rank, known.payload_hash, known.content_hash):
            self._replace(known, best, author_ids[best.post.author.key])
        self._keep_others(known, group)
        self.counts.updated += len(unknown)
        self._repeated(best.post.source, len(group) - len(unknown))

    def _keep_others(self, known: _Stored, group: list[Record]) -> None:
        for record in group:
            if record.content_hash != known.content_hash:
                hashes = record.content_hash, record.payload_hash
                versions.keep(self.conn, known.id, record.rank(), *hashes, record.as_version())

    def _replace(self, known: _Stored, record: Record, author_id: int) -> None:
        """Make an observation the current one; the tags of another wording become history."""
        rewritten = record.content_hash != known.content_hash
        before = rollups.states(self.conn, [known.id])[known.id]
        owner, received_at = self.conn.execute(
            "SELECT author_id, received_at FROM posts WHERE id = ?", (known.id,)
        ).fetchone()
        if rewritten:
            hashes = known.content_hash, known.payload_hash
            versions.keep(self.conn, known.id, known.rank, *hashes, versions.current(self.conn, known.id))
            self.conn.execute(
                "DELETE FROM versions WHERE post_id = ? AND content_hash = ?",
                (known.id, record.content_hash),
            )
            self.conn.execute(
                "INSERT INTO posts_fts (posts_fts, rowid, text) "
                "SELECT 'delete', id, text FROM posts WHERE id = ?",
                (known.id,),
            )
        observed = self._observed(record, received_at)
        self.conn.execute(_UPDATE, (author_id, *observed, known.id))
        for table in ("post_hashtags", "post_mentions", "post_links"):
            self.conn.execute(f"DELETE FROM {table} WHERE post_id = ?", (known.id,))
        self._write_sides([(known.id, record)])
        if rewritten:
            self.conn.execute(
                "INSERT INTO posts_fts (rowid, text) SELECT id, text FROM posts WHERE id = ?", (known.id,)
            )
            tagging.forget(self.conn, known.id, self.now)
        self.delta[before] -= 1
        self.delta[rollups.states(self.conn, [known.id])[known.id]] += 1
        self.tally.recount.update((owner, author_id))
        known.rank = record.rank()
        known.content_hash, known.payload_hash = record.content_hash, record.payload_hash

    def _observed(self, record: Record, received_at: str | None = None) -> tuple[str | int | None, ...]:
        arrived = record.item.received_at
        return (
            *record.content,
            self.assign(record.created_at, record.hashtags),
            1 if record.links else 0,
            received_at or (to_text(arrived) if arrived else None),
            record.observed_at,
            record.content_hash,
            record.payload_hash,
        )

    def _insert(self, fresh: list[tuple[int, Record]], author_ids: dict[str, int]) -> None:
        if not fresh:
            return
        rows = []
        for post_id, record in fresh:
            post = record.post
            observed = self._observed(record)
            rows.append((post_id, post.key, author_ids[post.author.key], *observed))
            session = str(observed[len(CONTENT_COLUMNS)])
            minute = record.created_at[:MINUTE]
            self.delta[State(minute, session, post.source, post.kind, post.language, post.arm)] += 1
        self.conn.executemany(_INSERT, rows)
        self._write_sides(fresh)
        # One statement for the whole batch: FTS5 pays per statement.
        self.conn.execute(
            "INSERT INTO posts_fts (rowid, text) SELECT id, text FROM posts WHERE id >= ?", (fresh[0][0],)
        )

    def _write_sides(self, posts: list[tuple[int, Record]]) -> None:
        for table, rows in (
            ("post_hashtags", [(post_id, tag) for post_id, r in posts for tag in r.hashtags]),
            ("post_mentions", [(post_id, account) for post_id, r in posts for account in r.mentions]),
            ("post_links", [(post_id, url) for post_id, r in posts for url in r.links]),
        ):
            self.conn.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)

    def _keep_payloads(self, posts: list[tuple[int, Record]]) -> None:
        self.conn.executemany(
            "INSERT OR IGNORE INTO raw (post_id, hash, payload) VALUES (?, ?, ?)",
            [(post_id, r.payload_hash, r.item.raw) for post_id, r in posts if r.item.raw is not None],
        )
        counters = []
        for post_id, record in posts:
            if (seen := record.post.engagement) and seen != _NO_COUNTS:
                counters.append((post_id, record.observed_at, *_counted(seen)))
        self.conn.executemany(_COUNT, counters)

    # -- everything else -------------------------------------------------------------------------

    def _delete(self, deletion: Deleted) -> None:
        seen_at = to_text(deletion.seen_at) if deletion.seen_at else None
        row = self.conn.execute("SELECT key FROM aliases WHERE alias = ?", (deletion.key,)).fetchone()
        key = row[0] if row else deletion.key
        known = self.conn.execute("SELECT 1 FROM tombstones WHERE key = ?", (deletion.key,)).fetchone()
        for name in {key, deletion.key}:
            bury(self.conn, name, deletion.source, seen_at, post_seen=False)
        if self._take_out([key, deletion.key]) or not known:
            self.counts.updated += 1
        else:
            self._repeated(deletion.source, 1)

    def _take_out(self, keys: Sequence[str]) -> int:
        """Take out deleted posts, with their reposts under any name and the reposts of those."""
        if not keys:
            return 0
        gone = self.conn.execute(_GONE, (json.dumps(keys),)).fetchall()
        for _, key, source in gone:
            bury(self.conn, key, source, None, post_seen=True)
        remove(self.conn, [post_id for post_id, _, _ in gone])
        return len(gone)

    def _private(self, count: int) -> None:
        self.counts.private += count
        self.log["", "private"] += count

    def _repeated(self, source: str, count: int) -> None:
        if count:
            self.counts.duplicate += count
            self.log[source, "duplicates"] += count

    def _quarantine(self, reason: str, payload: str | None, where: str) -> None:
        self.counts.quarantined += 1
        reason, where = _storable(reason), _storable(where)
        if payload is not None:
            payload = _storable(payload)
            if len(payload) > QUARANTINE_LIMIT:
                reason += f" (the first {QUARANTINE_LIMIT:,} of {len(payload):,} characters are kept)"
                payload = payload[:QUARANTINE_LIMIT]
        mark = digest(f"{reason}\x1f{where if payload is None else payload}".encode())
        self.conn.execute(
            "INSERT OR IGNORE INTO quarantine (hash, reason, payload, location, seen_at) "
            "VALUES (?, ?, ?, ?, ?)",
            (mark, reason, payload, where, self.now),
        )

    def _write_log(self) -> None:
        for (source, column), count in self.log.items():
            self.conn.execute(
                f"INSERT INTO intake (source, {column}) VALUES (?1, ?2) "
                f"ON CONFLICT DO UPDATE SET {column} = {column} + ?2",
                (source, count),
            )


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _dependencies(record: Record) -> Iterable[str]:
    """The keys whose deletion takes this post with it: its own, and that of the post it passes on."""
    post = record.post
    yield post.key
    yield from post.aliases
    if post.repost_of is not None:
        yield post.repost_of


def _best(records: Sequence[Record]) -> Record:
    best = records[0]
    for record in records[1:]:
        if record.beats(best.rank(), best.payload_hash, best.content_hash):
            best = record
    return best
