"""What is talked of more now than all the meeting before, outside the agenda, with posts that show it.

Log-odds ratio with an informative Dirichlet prior over the sets of words and pairs of words of posts. What
was read of an archive stays in this process, so that a refresh costs what is new, and no more.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from math import log, sqrt
from threading import Lock
from typing import Any

from analysis.terms import as_written, norm, runs, says_something, stop_words, terms
from analysis.texts import hashtags_folded, read
from archive.lookups import select_in
from archive.times import to_text
from archive.vocabulary import Meeting

WINDOW = timedelta(minutes=15)
WIDE = timedelta(minutes=30)  # where the window has few posts
FEW = 60
AUTHORS = 3
Z = 1.64
SHOWN = 10
EXAMPLES = 3
READ = 20_000  # written posts that are counted: the newest ones of a very long meeting
PRIOR_POSTS = 100.0
SAME = 0.7  # share of posts that two terms have in common when they are one topic
LONGEST = 4  # words of a joined term
ARCHIVES = 2  # whose counts are kept

_PASSED_ON = re.compile(r"\s*RT\s+@")  # where the format knows no reposts

Ids = frozenset[int]
Window = dict[int, tuple[str, int]]  # key and author of its posts, by row number


@dataclass(frozen=True, slots=True)
class Candidate:
    """A term of the window: in which posts of it, how surely it rises, in how many posts before."""

    words: tuple[str, ...]
    posts: Ids
    earlier: int
    z: float


def rising(
    conn: sqlite3.Connection, now: datetime, meeting: Meeting, limit: int = SHOWN
) -> list[dict[str, Any]]:
    """Words and phrases that rise in the last 15 minutes, 30 where there are few posts; the surest first.

    Each with ``term`` as it is written, ``posts`` and ``authors`` in the window, posts ``earlier``, ``z``,
    and up to three ``examples`` (post keys of different authors, the newest first). Reposts are left out,
    and so is what the agenda says itself: titles, keywords, speakers, hashtags.
    """
    window = _window(conn, now)
    if len({author for _, author in window.values()}) < AUTHORS:
        return []
    own, stop = hashtags_folded(meeting.hashtags), stop_words(tuple(meeting.languages))
    with _lock:
        counts = _counts_of(conn, own, stop)
        counts.refresh(conn)
        later = [row[0] for row in conn.execute("SELECT id FROM posts WHERE created_at > ?", (to_text(now),))]
        found = list(_candidates(counts, window, later))
    agenda = Agenda(meeting)
    topics = merged([one for one in found if one.words not in agenda])[:limit]
    return [_shown(conn, topic, window, own, stop) for topic in topics]


def _window(conn: sqlite3.Connection, now: datetime) -> Window:
    """The posts written of late, the oldest first."""
    for width in (WINDOW, WIDE):
        rows = conn.execute(
            "SELECT id, key, author_id FROM posts WHERE created_at > ? AND created_at <= ? "
            "AND kind IS NOT 'repost' ORDER BY created_at, id",
            (to_text(now - width), to_text(now)),
        ).fetchall()
        if len(rows) >= FEW:
            break
    return {row[0]: (row[1], row[2]) for row in rows}


def _candidates(counts: Counts, window: Window, later: Iterable[int]) -> Iterator[Candidate]:
    uses: dict[str, list[int]] = defaultdict(list)
    read_here = [post_id for post_id in window if post_id in counts.posts]
    for post_id in read_here:
        for term in counts.posts[post_id]:
            uses[term].append(post_id)
    read_later = [counts.posts[post_id] for post_id in later if post_id in counts.posts]
    after = Counter(chain.from_iterable(read_later))
    before = len(counts.posts) - len(read_here) - len(read_later)
    if not before:
        return
    for term, posts in uses.items():
        if len(posts) < AUTHORS or len({window[post_id][1] for post_id in posts}) < AUTHORS:
            continue
        earlier = counts.terms[term] - len(posts) - after[term]
        z = log_odds_z(len(posts), len(read_here), earlier, before)
        if z >= Z:
            yield Candidate(tuple(term.split()), frozenset(posts), earlier, z)


def log_odds_z(hits: int, n: int, hits_before: int, n_before: int) -> float:
    """How surely a word is used more now than before, in standard deviations (Monroe et al. 2008).

    The prior is what both times together use, worth at most PRIOR_POSTS posts.
    """
    weight = min(PRIOR_POSTS, n + n_before)
    prior = weight * (hits + hits_before + 0.5) / (n + n_before + 1)
    now, before = hits + prior, hits_before + prior
    odds_now = now / (n + weight - now)
    odds_before = before / (n_before + weight - before)
    return log(odds_now / odds_before) / sqrt(1 / now + 1 / before)


# Terms that stand in the same posts are one topic.


def merged(candidates: Iterable[Candidate]) -> list[Candidate]:
    """One candidate for each topic, the surest first: the longest term that explains its posts."""
    groups: list[list[Candidate]] = []
    for one in sorted(candidates, key=lambda c: (-c.z, -len(c.words), c.words)):
        group = next((group for group in groups if _same(group[0], one)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    topics = [_named(group) for group in groups]
    return sorted(topics, key=lambda c: (-c.z, c.words))


def _same(first: Candidate, second: Candidate) -> bool:
    shared = len(first.posts & second.posts)
    if set(first.words) & set(second.words):
        return shared >= SAME * min(len(first.posts), len(second.posts))
    return shared >= SAME * len(first.posts | second.posts)


def _named(group: Sequence[Candidate]) -> Candidate:
    widest = max(len(one.posts) for one in group)
    telling = [one for one in group if len(one.posts) >= SAME * widest]
    best = max(telling, key=lambda one: (len(one.words), one.z))
    words = best.words
    while len(words) < LONGEST and (longer := _longer(words, best.posts, group)):
        words = longer
    return Candidate(words, best.posts, best.earlier, group[0].z)


def _longer(words: tuple[str, ...], posts: Ids, group: Sequence[Candidate]) -> tuple[str, ...]:
    """The phrase with one more word before or behind it, where a pair of the same posts tells it."""
    for pair in group:
        if len(pair.words) != 2 or len(pair.posts & posts) < SAME * len(pair.posts | posts):
            continue
        first, second = pair.words
        if first == words[-1] and second not in words:
            return (*words, second)
        if second == words[0] and first not in words:
            return (first, *words)
    return ()


def _shown(
    conn: sqlite3.Connection,
    topic: Candidate,
    window: Window,
    own: frozenset[str],
    stop: frozenset[str],
) -> dict[str, Any]:
    posts = [post_id for post_id in reversed(window) if post_id in topic.posts]
    by_author = {window[post_id][1]: post_id for post_id in reversed(posts)}
    texts = [row[0] for row in select_in(conn, "SELECT text FROM posts", "id", posts[:SHOWN])]
    spellings = Counter(as_written(topic.words, runs(text, own, stop)) for text in texts)
    del spellings[""]
    term = min(spellings, key=lambda text: (-spellings[text], text), default=" ".join(topic.words))
    return {
        "term": term,
        "posts": len(posts),
        "authors": len(by_author),
        "earlier": topic.earlier,
        "z": round(topic.z, 2),
        "examples": [window[post_id][0] for post_id in sorted(by_author.values(), reverse=True)[:EXAMPLES]],
    }


class Agenda:
    """What the agenda says itself; ``words in agenda`` where one of its phrases has all of the words."""

    def __init__(self, meeting: Meeting) -> None:
        self._phrases: dict[str, set[int]] = defaultdict(set)
        stop = stop_words(tuple(meeting.languages))
        for number, phrase in enumerate(_said(meeting)):
            words = read(phrase).words()
            for word in (*words, "".join(words)):  # as in #opendata
                if says_something(word, stop):
                    self._phrases[norm(word)].add(number)

    def __contains__(self, words: Sequence[str]) -> bool:
        return bool(set.intersection(*(self._phrases.get(word, set()) for word in words)))


def _said(meeting: Meeting) -> Iterator[str]:
    yield meeting.title
    yield from (f"#{tag}" for tag in meeting.hashtags)
    yield from meeting.hashtags
    for theme in meeting.themes:
        yield theme.title
        yield from chain.from_iterable(theme.keywords.values())
    for session in meeting.sessions:
        if session.kind == "session":
            yield session.title
        yield from session.speakers
        yield from session.hashtags


# What was read of an archive.


class Counts:
    """In how many of an archive's written posts each term stands, kept right by reading what changed."""

    def __init__(self, own_hashtags: frozenset[str], stop: frozenset[str]) -> None:
        self.posts: dict[int, tuple[str, ...]] = {}
        self.terms: Counter[str] = Counter()
        self._own, self._stop = own_hashtags, stop
        self._newest = 0  # row numbers: of the newest post and the newest version that were seen,
        self._version = 0
        self._floor = 0  # and of the post before the first one that is counted
        self._left_out: int | None = None  # written posts that are not counted

    def refresh(self, conn: sqlite3.Connection) -> None:
        """Take in what is new, edited or gone since the last time."""
        # Noted before reading: what is written meanwhile is read once more the next time.
        seen = [
            conn.execute(f"SELECT ifnull(max(id), 0) FROM {table}").fetchone()[0]
            for table in ("posts", "versions")
        ]
        new = conn.execute(
            "SELECT id, text FROM posts WHERE id > ? AND kind IS NOT 'repost' ORDER BY id DESC LIMIT ?",
            (self._newest, READ),
        ).fetchall()
        if len(new) == READ:  # enough by themselves
            self._forget(list(self.posts))
            self._floor = new[-1][0] - 1
        self._take(new)
        edited = conn.execute("SELECT post_id FROM versions WHERE id > ?", (self._version,))
        self._read_again(conn, [row[0] for row in edited])
        self._newest, self._version = seen
        written = conn.execute(
            "SELECT ifnull(sum(authored), 0) FROM rollup_totals WHERE dimension = 'all'"
        ).fetchone()[0]
        if self._left_out not in (None, written - len(self.posts)):
            self._compare(conn)
        self._shorten()
        self._left_out = written - len(self.posts)

    def _compare(self, conn: sqlite3.Connection) -> None:
        """Something is gone: look which posts are there, and at all that were ever edited."""
        rows = conn.execute("SELECT id FROM posts WHERE id > ? AND kind IS NOT 'repost'", (self._floor,))
        there = {row[0] for row in rows}
        self._forget([post_id for post_id in self.posts if post_id not in there])
        edited = {row[0] for row in conn.execute("SELECT post_id FROM versions")}
        self._read_again(conn, edited)
        self._take(select_in(conn, "SELECT id, text FROM posts", "id", there.difference(self.posts)))

    def _shorten(self) -> None:
        if len(self.posts) > 1.1 * READ:
            oldest = sorted(self.posts)[:-READ]
            self._forget(oldest)
            self._floor = oldest[-1]

    def _read_again(self, conn: sqlite3.Connection, post_ids: Iterable[int]) -> None:
        counted = [post_id for post_id in post_ids if post_id > self._floor]
        self._forget(self.posts.keys() & counted)
        self._take(select_in(conn, "SELECT id, text FROM posts", "kind IS NOT 'repost' AND id", counted))

    def _take(self, rows: Iterable[tuple[int, str]]) -> None:
        for post_id, text in rows:
            if post_id in self.posts:
                self._forget([post_id])
            found = () if _PASSED_ON.match(text) else terms(text, self._own, self._stop)
            self.posts[post_id] = found
            self.terms.update(found)

    def _forget(self, post_ids: Iterable[int]) -> None:
        for post_id in post_ids:
            for term in self.posts.pop(post_id):
                self.terms[term] -= 1
                if not self.terms[term]:
                    del self.terms[term]


_lock = Lock()
_counts: OrderedDict[tuple[object, ...], Counts] = OrderedDict()


def _counts_of(conn: sqlite3.Connection, own: frozenset[str], stop: frozenset[str]) -> Counts:
    """The counts of the archive behind a connection; those of a file are kept for the next time."""
    file = conn.execute("PRAGMA database_list").fetchone()[2]
    if not file:
        return Counts(own, stop)
    status = os.stat(file)
    key = (file, status.st_dev, status.st_ino, own, stop)
    counts = _counts[key] = _counts.pop(key) if key in _counts else Counts(own, stop)
    if len(_counts) > ARCHIVES:
        _counts.popitem(last=False)
    return counts
