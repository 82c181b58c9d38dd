"""Which posts somebody wants to look at: the filters of the command line, of measures and of exports."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from archive.times import to_text
from archive.vocabulary import NONE, UNKNOWN, UNTAGGED

#: The language of a post: as detected, or as a person says; the source's own mark counts until it is tagged.
LANGUAGE = (
    "coalesce(nullif({p}.language_detected, ''), CASE WHEN {p}.tagged_at IS NOT NULL "
    f"THEN '{UNKNOWN}' ELSE ifnull(nullif({{p}}.language, ''), '{UNTAGGED}') END)"
)
_GROUP = """{p}.author_id IN (
    WITH named (account) AS (
        SELECT lower(account.value) FROM meeting m
        JOIN json_each(m.definition, '$.participants') person
        JOIN json_each(person.value, '$.accounts') account
        WHERE json_extract(person.value, '$.group') = ?)
    SELECT a.id FROM authors a
    WHERE lower(a.key) IN named OR lower(a.source || ':@' || a.handle) IN named)"""

#: Condition and parameter of each filter that compares with one text.
_TEXTS = {
    "session": "{p}.session = ?",
    "track": "{p}.session IN (SELECT slug FROM sessions WHERE track = ?)",
    "source": "{p}.source = ?",
    "arm": "{p}.arm = ?",
    "group": _GROUP,
    "language": f"{LANGUAGE} = ?",
    "kind": "{p}.kind = ?",
}
_THEME = "EXISTS (SELECT 1 FROM post_themes t WHERE t.post_id = {p}.id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Every filter that is set must fit. Times are aware and half-open: from ``from_``, before ``to``.

    ``theme`` is a slug, ``none`` (tagged without one) or ``untagged``. ``group`` needs a roster.
    ``language`` is the detected one or ``unknown``; for an untagged post that of its source or ``untagged``.
    """

    from_: datetime | None = None
    to: datetime | None = None
    session: str | None = None
    track: str | None = None
    theme: str | None = None
    source: str | None = None
    arm: str | None = None
    group: str | None = None
    language: str | None = None
    kind: str | None = None

    def where(self, alias: str = "p") -> tuple[str, tuple[str, ...]]:
        """The SQL condition on ``posts`` under this alias (empty: no filter), and its values."""
        found: list[tuple[str, tuple[str, ...]]] = []
        if self.from_ is not None:
            found.append(("{p}.created_at >= ?", (to_text(self.from_),)))
        if self.to is not None:
            found.append(("{p}.created_at < ?", (to_text(self.to),)))
        if self.theme is not None:
            found.append(_theme(self.theme))
        for name, condition in _TEXTS.items():
            value = getattr(self, name)
            if value is not None:
                found.append((condition, (value,)))
        sql = " AND ".join(condition for condition, _ in found).replace("{p}", alias)
        return sql, tuple(value for _, values in found for value in values)


def _theme(theme: str) -> tuple[str, tuple[str, ...]]:
    if theme == UNTAGGED:
        return "{p}.tagged_at IS NULL", ()
    if theme == NONE:
        return f"{{p}}.tagged_at IS NOT NULL AND NOT {_THEME})", ()
    return f"{_THEME} AND t.theme = ?)", (theme,)


def languages(conn: sqlite3.Connection) -> list[str]:
    """The codes that posts of the archive have, of their sources or found by us."""
    rows = conn.execute(
        "SELECT DISTINCT value FROM rollup_totals "
        "WHERE dimension IN ('language', 'language_detected') AND value <> '' ORDER BY value"
    )
    return [row[0] for row in rows]
