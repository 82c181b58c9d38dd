"""The agenda as a table of figures: per session, and per gap between sessions."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis.measures.shares import sentiment_shares
from analysis.measures.window import AUTHORED, SENTIMENT, Window
from archive.agenda_slots import AFTER, AMBIGUOUS, BEFORE, BETWEEN, sessions_of
from archive.times import short, to_text
from archive.vocabulary import Meeting

#: Where a post stands on the agenda, each gap between sessions by its start. Takes the starts as JSON.
SLOT = (
    f"CASE session WHEN '{BETWEEN}' THEN "
    f"(SELECT '{BETWEEN} ' || max(value) FROM json_each(?) WHERE value <= created_at) ELSE session END"
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A session (by its slug), a gap ``between`` two, or one of ``before``, ``after`` and ``none``."""

    session: str
    title: str | None = None
    starts: datetime | None = None
    ends: datetime | None = None

    def name(self, meeting: Meeting) -> str:
        """What ``SLOT`` calls it: a gap by the moment from which posts belong to it."""
        if self.session != BETWEEN or self.starts is None:
            return self.session
        return f"{BETWEEN} {to_text(self.starts + meeting.lag)}"


def agenda(window: Window, meeting: Meeting) -> list[dict[str, Any]]:
    """Per slot in order of time: posts, authors, themes, sentiment, questions.

    A slot's times are the agenda's: the lag is taken off a post's time, not added to them.
    """
    slots = {slot.name(meeting): slot for slot in agenda_slots(meeting)}
    gaps = json.dumps([name.removeprefix(f"{BETWEEN} ") for name in slots if name.startswith(f"{BETWEEN} ")])
    counted = {
        row[0]: tuple(row[1:])
        for row in window.rows(
            f"SELECT {SLOT}, count(*), count(DISTINCT author_id), sum(tagged_at IS NOT NULL), "
            f"ifnull(sum(question = 1 AND {AUTHORED}), 0) FROM chosen GROUP BY 1",
            gaps,
        )
    }
    labels, themes = _moods(window, gaps), _themes(window, gaps)
    told = window.kinds.authored is not None
    table = []
    for name, slot in slots.items():
        posts, authors, tagged, asked = counted.get(name, (0, 0, 0, 0))
        table.append(
            {
                "session": slot.session,
                "title": slot.title,
                "from": short(to_text(slot.starts)) if slot.starts else None,
                "to": short(to_text(slot.ends)) if slot.ends else None,
                "posts": posts,
                "authors": authors,
                "themes": themes[name] if tagged else None,
                "sentiment": sentiment_shares(labels[name]) if tagged and told else None,
                "questions": asked if tagged and told else None,
            }
        )
    return table


def agenda_slots(meeting: Meeting) -> list[Slot]:
    """Sessions and the gaps between them by start, with ``before``, ``after`` and ``none`` around them."""
    sessions = sorted(sessions_of(meeting), key=lambda session: (session.starts, session.slug))
    reached = sessions[0].starts
    slots = [Slot(BEFORE, ends=reached)]
    for session in sessions:
        if session.starts > reached:
            slots.append(Slot(BETWEEN, starts=reached, ends=session.starts))
        slots.append(Slot(session.slug, session.title, session.starts, session.ends))
        reached = max(reached, session.ends)
    return [*slots, Slot(AFTER, starts=reached), Slot(AMBIGUOUS)]


def _moods(window: Window, gaps: str) -> dict[str, Counter[str]]:
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for name, label, authored in window.rows(
        f"SELECT {SLOT}, {SENTIMENT}, count(*) FROM chosen WHERE {AUTHORED} GROUP BY 1, 2", gaps
    ):
        labels[name][label] = authored
    return labels


def _themes(window: Window, gaps: str) -> dict[str, dict[str, int]]:
    themes: dict[str, dict[str, int]] = defaultdict(dict)
    for name, theme, posts in window.rows(
        f"SELECT {SLOT}, theme, count(*) FROM chosen JOIN post_themes t ON t.post_id = chosen.id "
        "WHERE tagged_at IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
        gaps,
    ):
        themes[name][theme] = posts
    return themes
