"""What people say of posts and keywords: rows beside the machine's, never overwritten.

Of each component the newest word of a person is in force: it is what ``posts``, ``post_themes`` and the
rollups show, whatever the machine says before or afterwards, and it outlives an edit of the post. The rows
of the machine stay beside it. The next word of a person takes its place, and the former one becomes history.
Figures count a post as untagged until the machine has tagged it, or has given it up.
"""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from archive import corrections, grouping, rollups
from archive.errors import UsageError
from archive.lookups import select_in
from archive.posts import resolve
from archive.rows import Unfit, check_fit
from archive.times import from_text, to_text
from archive.vocabulary import (
    ACCEPTED,
    ATTEMPTS,
    COMPONENTS,
    LONGEST_KEYWORD,
    LONGEST_NAME,
    LONGEST_NOTE,
    NONE,
    REJECTED,
    SENTIMENTS,
    UNKNOWN,
    Corrected,
    Correction,
    Decision,
    Learned,
    Meeting,
    Sentiment,
    Taught,
)

VERSION = "correction"
LANGUAGE, THEME, SENTIMENT, QUESTION = COMPONENTS
AROUND = 1_000  # posts at most that tell what is usual in a meeting

_Word = tuple[str, str, str]  # theme, language, keyword
_Row = tuple[str, str, str, str, str, str]  # of keywords

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
    latest = "SELECT max(seen_at) FROM tags WHERE post_id = ? AND set_by IS NOT NULL"
    now = _after(conn.execute(latest, (post_id,)).fetchone()[0], now)
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


def _after(latest: str | None, now: str) -> str:
    """The present time; where the clock was put back, the moment after what was said last.

    So the newest word is always the one with the latest time, also in a copy of the archive.
    """
    return now if latest is None or latest < now else to_text(from_text(latest) + timedelta(microseconds=1))


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


def corrected(conn: sqlite3.Connection) -> list[int]:
    """The row numbers of the posts of which people say something."""
    return [row[0] for row in conn.execute(f"SELECT DISTINCT post_id FROM tags t WHERE {_IN_FORCE}")]


def enforce(conn: sqlite3.Connection, post_ids: Iterable[int]) -> None:
    """Let the words of people stand in ``posts`` and ``post_themes``; the rollups are the caller's.

    They stand while a post waits to be tagged, too; it is grouped and put to the chair once it is tagged.
    """
    said = in_force(conn, post_ids)
    tagged = {row[0] for row in select_in(conn, "SELECT id FROM posts", "tagged_at IS NOT NULL AND id", said)}
    for post_id, one in said.items():
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
            if post_id in tagged:
                grouping.join_or_leave(conn, post_id)
        put_to_chair(conn, [post_id])


def pass_on(conn: sqlite3.Connection, key: str, words: Iterable[Corrected], now: str) -> None:
    """Let a post have what people said of it under another key or in another archive; the newest word counts.

    Of a post that is not here nothing is kept.
    """
    found = resolve(conn, key)
    changed = corrections.add(conn, found[0], words) if found else set()
    if found and changed:
        put_in_force(conn, found[0], now)
        if THEME in changed:
            _changed(conn)


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
    theme, language, keyword = _as_kept(word)
    _one_of("theme", theme, [theme.slug for theme in meeting.themes])
    _one_of("language", language, meeting.languages)
    if sum(map(str.isalnum, keyword)) < 2 or len(keyword) > LONGEST_KEYWORD:
        raise UsageError(
            f"a keyword has at least two letters or digits and at most {LONGEST_KEYWORD} characters"
        )
    _named(by, keyword)
    decision = ACCEPTED if accepted else REJECTED
    row = (theme, language, keyword, decision, by, now)
    former = _decisions(conn).get(_meant(row))
    _decide(conn, former, (*row[:5], _after(former and former[5], now)))


def decide_all(
    conn: sqlite3.Connection, meeting: Meeting, decisions: Iterable[tuple[_Word, bool]], *, by: str, now: str
) -> None:
    """Decide on several keywords; of two opposite decisions on one, none is the last. Raises UsageError."""
    said: dict[_Word, bool] = {}
    for word, accepted in decisions:
        kept = _as_kept(word)
        if said.setdefault(_meant(kept), accepted) is not accepted:
            raise UsageError(f"{':'.join(kept)}: both accepted and rejected; say one of the two")
        decide(conn, meeting, word, accepted=accepted, by=by, now=now)


def take_over(conn: sqlite3.Connection, decisions: Iterable[Decision]) -> None:
    """Take in decisions from another archive. Of those on the same keyword the newest counts."""
    known = _decisions(conn)
    for one in decisions:
        seen_at = to_text(one.seen_at)
        row = (one.theme, one.language, one.keyword, one.decision, one.set_by, seen_at)
        former = known.get(_meant(row))
        if former is None or (former[5], former) < (seen_at, row):
            _decide(conn, former, row)
            known[_meant(row)] = row


def _decisions(conn: sqlite3.Connection) -> dict[_Word, _Row]:
    """The rows of ``keywords`` by what they mean."""
    rows = conn.execute("SELECT theme, language, keyword, decision, set_by, seen_at FROM keywords")
    return {_meant(row): row for row in rows}


def _decide(conn: sqlite3.Connection, former: _Row | None, row: _Row) -> None:
    """Put a decision in the place of the former one on this keyword."""
    if former is not None:
        conn.execute(
            "DELETE FROM keywords WHERE theme = ? AND language = ? AND keyword = ?", tuple(former[:3])
        )
    conn.execute("INSERT OR REPLACE INTO keywords VALUES (?, ?, ?, ?, ?, ?)", row)
    _changed(conn)


def _as_kept(word: _Word) -> _Word:
    theme, language, keyword = word
    return theme, language, unicodedata.normalize("NFC", " ".join(keyword.split()).strip("# "))


def _meant(row: _Word | _Row) -> _Word:
    """What decides whether two decisions are on the same keyword: case and accents do not."""
    decomposed = unicodedata.normalize("NFKD", row[2].casefold())
    return row[0], row[1], "".join(char for char in decomposed if not unicodedata.combining(char))


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
