"""What people say of posts and keywords: rows beside the machine's, never overwritten.

Of each component the newest word of a person is in force: it is what ``posts``, ``post_themes`` and the
rollups show, whatever the machine says before or afterwards, and it outlives an edit of the post. The rows
of the machine stay beside it. The next word of a person takes its place, and the former one becomes history.
"""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from archive import grouping, rollups
from archive.errors import UsageError
from archive.lookups import select_in
from archive.posts import resolve
from archive.rows import Unfit, check_fit
from archive.vocabulary import (
    ATTEMPTS,
    NONE,
    SENTIMENTS,
    Correction,
    Learned,
    Meeting,
    Sentiment,
    Taught,
)

VERSION = "correction"
UNKNOWN = "unknown"
LANGUAGE, THEME, SENTIMENT, QUESTION = "language", "theme", "sentiment", "question"
AROUND = 1_000  # posts at most that tell what is usual in a meeting
LONGEST_KEYWORD, LONGEST_NAME, LONGEST_NOTE = 100, 100, 2_000  # characters
ACCEPTED, REJECTED = "accepted", "rejected"

_IN_FORCE = "t.set_by IS NOT NULL AND t.superseded_at IS NULL"
#: A theme that the meeting file no longer has is nothing that a person could mean.
_KNOWN_THEME = f"(t.label = '{NONE}' OR t.label IN (SELECT slug FROM themes))"
#: The posts up to the newest corrected one: new posts change nothing until somebody corrects one of them.
_AROUND = (
    "SELECT v.vector FROM vectors v JOIN posts p ON p.id = v.post_id WHERE v.encoder = ?1 "
    "AND p.kind IS NOT 'repost' AND v.post_id <= (SELECT max(t.post_id) FROM tags t "
    "JOIN vectors w ON w.post_id = t.post_id AND w.encoder = ?1 "
    f"WHERE {_IN_FORCE} AND t.component = '{THEME}' AND {_KNOWN_THEME}) ORDER BY v.post_id DESC LIMIT ?2"
)


@dataclass(slots=True)
class InForce:
    """What people say of one post; ``None`` is what they say nothing about."""

    language: str | None = None
    themes: tuple[str, ...] | None = None
    sentiment: Sentiment | None = None
    question: bool | None = None


def correct(conn: sqlite3.Connection, meeting: Meeting, key: str, correction: Correction, now: str) -> None:
    """Write a correction and put it in force, inside the caller's transaction. Raises UsageError."""
    _check(meeting, correction)
    found = resolve(conn, key)
    if found is None:
        raise UsageError(f"{key}: no such post is kept here; a key looks like x:1234567890123456789")
    post_id = found[0]
    rows = list(_rows(correction))
    conn.executemany(
        "UPDATE tags SET superseded_at = ? "
        "WHERE post_id = ? AND component = ? AND set_by IS NOT NULL AND superseded_at IS NULL",
        [(now, post_id, component) for component in {component for component, _ in rows}],
    )
    evidence = json.dumps({"note": correction.note}, ensure_ascii=False) if correction.note else None
    conn.executemany(
        "INSERT INTO tags (post_id, component, label, evidence, version, set_by, seen_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(post_id, component, label, evidence, VERSION, correction.by, now) for component, label in rows],
    )
    put_in_force(conn, post_id, now)
    if correction.themes is not None:
        _changed(conn)


def put_in_force(conn: sqlite3.Connection, post_id: int, now: str) -> None:
    """Let what people say of a post stand, counted in the rollups.

    A post that the machine has given up counts as tagged by them.
    """
    said = in_force(conn, [post_id])
    with rollups.recounted(conn, list(said)):
        conn.executemany(
            "UPDATE posts SET tagged_at = ?, tagged_by = ? WHERE id = ? AND tagged_at IS NULL "
            "AND id IN (SELECT post_id FROM tag_failures WHERE attempts >= ?)",
            [(now, VERSION, one, ATTEMPTS) for one in said],
        )
        enforce(conn, said)


def _rows(correction: Correction) -> Iterator[tuple[str, str]]:
    """Component and label of each row that a correction writes."""
    if correction.language is not None:
        yield LANGUAGE, correction.language
    if correction.themes is not None:
        for slug in sorted(set(correction.themes)) or [NONE]:
            yield THEME, slug
    if correction.sentiment is not None:
        yield SENTIMENT, correction.sentiment
    if correction.question is not None:
        yield QUESTION, "yes" if correction.question else "no"


def _check(meeting: Meeting, correction: Correction) -> None:
    if not any(True for _ in _rows(correction)):
        raise UsageError("nothing to correct: say a theme, a sentiment, a language, or question yes or no")
    for slug in correction.themes or ():
        _one_of("theme", slug, [*(theme.slug for theme in meeting.themes), NONE])
    if correction.themes and NONE in correction.themes:
        raise UsageError("theme none stands alone: it says that no theme fits")
    if correction.sentiment is not None:
        _one_of("sentiment", correction.sentiment, SENTIMENTS)
    if correction.language is not None:
        _one_of("language", correction.language, [*meeting.languages, UNKNOWN])
    _named(correction.by, correction.note)


def _one_of(what: str, value: str, allowed: Iterable[str]) -> None:
    known = list(allowed)
    if value not in known:
        raise UsageError(f"{what} {value}: not known; there are {', '.join(known)}")


def _named(by: str, *texts: str) -> None:
    if not by.strip():
        raise UsageError("say who: a correction is signed")
    if len(by) > LONGEST_NAME or any(len(text) > LONGEST_NOTE for text in texts):
        raise UsageError(f"a name has at most {LONGEST_NAME} characters, a note {LONGEST_NOTE:,}")
    try:
        check_fit(by, *texts)
    except Unfit as error:
        raise UsageError(f"name, note or keyword: {error}") from None


def in_force(conn: sqlite3.Connection, post_ids: Iterable[int]) -> dict[int, InForce]:
    """What people say of these posts, by row number; posts of which they say nothing are absent."""
    rows = select_in(
        conn,
        "SELECT t.post_id, t.component, t.label FROM tags t",
        f"{_IN_FORCE} AND (t.component <> '{THEME}' OR {_KNOWN_THEME}) AND t.post_id",
        post_ids,
    )
    said: dict[int, InForce] = defaultdict(InForce)
    for post_id, component, label in rows:
        one = said[post_id]
        if component == LANGUAGE:
            one.language = label
        elif component == THEME:
            one.themes = tuple(sorted({*(one.themes or ()), *({label} - {NONE})}))
        elif component == SENTIMENT:
            one.sentiment = label
        elif component == QUESTION:
            one.question = label == "yes"
    return dict(said)


def enforce(conn: sqlite3.Connection, post_ids: Iterable[int]) -> None:
    """Let the words of people stand in ``posts`` and ``post_themes``; the rollups are the caller's.

    A post that waits to be tagged is left alone: what was said of it counts as soon as it is tagged.
    """
    said = in_force(conn, post_ids)
    tagged = select_in(conn, "SELECT id FROM posts", "tagged_at IS NOT NULL AND id", said)
    for (post_id,) in tagged:
        one = said[post_id]
        if one.language is not None:
            language = None if one.language == UNKNOWN else one.language
            conn.execute("UPDATE posts SET language_detected = ? WHERE id = ?", (language, post_id))
        if one.sentiment is not None:
            conn.execute(
                "UPDATE posts SET sentiment = ?, sentiment_score = NULL, sure = 1 WHERE id = ?",
                (one.sentiment, post_id),
            )
        if one.themes is not None:
            conn.execute("DELETE FROM post_themes WHERE post_id = ?", (post_id,))
            conn.executemany(
                "INSERT INTO post_themes VALUES (?, ?, 1.0)", [(post_id, slug) for slug in one.themes]
            )
        if one.question is not None:
            conn.execute("UPDATE posts SET question = ? WHERE id = ?", (int(one.question), post_id))
            grouping.join_or_leave(conn, post_id)
        put_to_chair(conn, [post_id])


def words_of(conn: sqlite3.Connection, post_id: int) -> list[tuple[object, ...]]:
    """All that people ever said of a post, to be passed on to the post that it turns out to be."""
    return conn.execute(
        "SELECT component, label, evidence, version, set_by, seen_at, superseded_at FROM tags "
        "WHERE post_id = ? AND set_by IS NOT NULL ORDER BY id",
        (post_id,),
    ).fetchall()


def pass_on(conn: sqlite3.Connection, key: str, words: list[tuple[object, ...]], now: str) -> None:
    """Let a post have what people said of it under another key; the newest word counts."""
    found = resolve(conn, key)
    if found is None or not words:
        return
    post_id = found[0]
    conn.executemany(
        "INSERT INTO tags (post_id, component, label, evidence, version, set_by, seen_at, superseded_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(post_id, *word) for word in words],
    )
    conn.execute(
        "UPDATE tags AS old SET superseded_at = new.seen_at FROM (SELECT component, max(seen_at) AS seen_at "
        "FROM tags t WHERE t.post_id = ?1 AND t.set_by IS NOT NULL AND t.superseded_at IS NULL "
        "GROUP BY component) AS new WHERE old.post_id = ?1 AND old.component = new.component "
        "AND old.set_by IS NOT NULL AND old.superseded_at IS NULL AND old.seen_at < new.seen_at",
        (post_id,),
    )
    put_in_force(conn, post_id, now)
    noted(conn, [post_id])


def put_to_chair(conn: sqlite3.Connection, post_ids: Iterable[int]) -> None:
    """Whether posts are put to the chair, after their themes changed or whether they ask something."""
    conn.executemany(
        "UPDATE posts SET to_chair = question = 1 AND (ifnull(asked, 0) = 1 OR (ifnull(logistics, 0) = 0 "
        "AND EXISTS (SELECT 1 FROM post_themes t WHERE t.post_id = posts.id))) "
        "WHERE id = ? AND tagged_at IS NOT NULL",
        [(post_id,) for post_id in post_ids],
    )


# -- what is learned from it ---------------------------------------------------------------------------


def decide(
    conn: sqlite3.Connection,
    meeting: Meeting,
    word: tuple[str, str, str],
    *,
    accepted: bool,
    by: str,
    now: str,
) -> None:
    """Accept or reject a keyword ``(theme, language, keyword)``. Raises UsageError.

    The last word counts; case and accents make no other keyword.
    """
    theme, language, keyword = word
    _one_of("theme", theme, [theme.slug for theme in meeting.themes])
    _one_of("language", language, meeting.languages)
    keyword = unicodedata.normalize("NFC", " ".join(keyword.split()).strip("# "))
    if sum(map(str.isalnum, keyword)) < 2 or len(keyword) > LONGEST_KEYWORD:
        raise UsageError(
            f"a keyword has at least two letters or digits and at most {LONGEST_KEYWORD} characters"
        )
    _named(by, keyword)
    conn.executemany(
        "DELETE FROM keywords WHERE theme = ? AND language = ? AND keyword = ?",
        [one for one in decided(conn) if one[:2] == word[:2] and _folded(one[2]) == _folded(keyword)],
    )
    decision = ACCEPTED if accepted else REJECTED
    conn.execute(
        "INSERT INTO keywords VALUES (?, ?, ?, ?, ?, ?)", (theme, language, keyword, decision, by, now)
    )
    _changed(conn)


def _folded(keyword: str) -> str:
    decomposed = unicodedata.normalize("NFKD", keyword.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def decided(conn: sqlite3.Connection) -> dict[tuple[str, str, str], bool]:
    """Every keyword that was decided on, ``(theme, language, keyword)``: accepted or not."""
    rows = conn.execute("SELECT theme, language, keyword, decision FROM keywords ORDER BY 1, 2, 3")
    return {(theme, language, keyword): decision == ACCEPTED for theme, language, keyword, decision in rows}


def learned(conn: sqlite3.Connection, encoder: str) -> Learned:
    """All that people taught. A corrected post counts once it has a vector of this encoder."""
    slugs = {row[0] for row in conn.execute("SELECT slug FROM themes")}
    keywords = tuple(word for word, good in decided(conn).items() if good and word[0] in slugs)
    rows = conn.execute(
        "SELECT p.key, p.text, v.vector, group_concat(t.label, ' ') FROM tags t "
        "JOIN posts p ON p.id = t.post_id JOIN vectors v ON v.post_id = t.post_id AND v.encoder = ? "
        f"WHERE {_IN_FORCE} AND t.component = '{THEME}' AND {_KNOWN_THEME} GROUP BY p.id ORDER BY p.key",
        (encoder,),
    ).fetchall()
    taught = tuple(
        Taught(vector, text, tuple(sorted(set(labels.split()) - {NONE}))) for _, text, vector, labels in rows
    )
    rows = conn.execute(_AROUND, (encoder, AROUND)).fetchall() if taught else []
    around = tuple(sorted(vector for (vector,) in rows))
    return Learned(keywords, taught, _version(keywords, taught, around), around)


def _version(
    keywords: tuple[tuple[str, str, str], ...], taught: tuple[Taught, ...], around: tuple[bytes, ...]
) -> str:
    if not keywords and not taught:
        return ""
    content = json.dumps([keywords, [(one.text, one.themes, one.vector.hex()) for one in taught]])
    return sha256(b"".join((content.encode(), *around))).hexdigest()[:12]


def changes(conn: sqlite3.Connection) -> int:
    """A number that is another one whenever ``learned`` may have changed; cheap to ask for."""
    return int(conn.execute("SELECT changes FROM learning").fetchone()[0])


def noted(conn: sqlite3.Connection, post_ids: Iterable[int]) -> None:
    """Posts change, go or get their vector: if people taught with any of them, ``changes`` moves on."""
    if select_in(
        conn, "SELECT 1 FROM tags t", f"{_IN_FORCE} AND t.component = '{THEME}' AND t.post_id", post_ids
    ):
        _changed(conn)


def _changed(conn: sqlite3.Connection) -> None:
    conn.execute("UPDATE learning SET changes = changes + 1")


def fitted(conn: sqlite3.Connection, learned: Learned, seconds: float, now: str) -> None:
    """Note that the tagger now works with what was learned."""
    conn.execute(
        "UPDATE learning SET version = ?, corrections = ?, keywords = ?, fitted_at = ?, seconds = ?",
        (learned.version, len(learned.corrections), len(learned.keywords), now, seconds),
    )


def chosen_by(conn: sqlite3.Connection, themes_by: str) -> None:
    """Note what chooses themes at present: posts with another ``themes_by`` wait to be themed anew."""
    conn.execute("UPDATE learning SET themes_by = ?", (themes_by,))


def chooser(conn: sqlite3.Connection) -> str | None:
    """What chooses themes at present, as the tagger that began last has it."""
    version: str | None = conn.execute("SELECT themes_by FROM learning").fetchone()[0]
    return version
