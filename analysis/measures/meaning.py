"""Meaning: what the posts are about, in which mood, when on the agenda, and what they ask."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from analysis.measures.agenda import agenda
from analysis.measures.shares import sentiment_shares
from analysis.measures.window import AUTHORED, SENTIMENT, Window
from archive.vocabulary import NOT_SURE, Meeting


def meaning(window: Window, meeting: Meeting) -> dict[str, Any]:
    """What of Meaning in measures.md tags can tell; ``None`` where nothing has been tagged."""
    return {
        "themes": themes(window, meeting),
        "sentiment": sentiment(window),
        "agenda": agenda(window, meeting),
        "questions": questions(window),
    }


def sentiment(window: Window) -> dict[str, Any] | None:
    """Shares of each sentiment over authored posts; ``None`` where reposts cannot be told from them."""
    if window.kinds.authored is None or not window.tagged:
        return None
    return sentiment_shares(window.totals("sentiment", SENTIMENT, authored=True))


def themes(window: Window, meeting: Meeting) -> dict[str, dict[str, Any]] | None:
    """By theme, those of the agenda first: its posts, their share of the tagged ones, and their mood."""
    if not window.tagged:
        return None
    rows = window.rows(
        f"SELECT theme, {SENTIMENT}, count(*), sum({AUTHORED}) FROM chosen "
        "JOIN post_themes t ON t.post_id = chosen.id WHERE tagged_at IS NOT NULL GROUP BY 1, 2"
    )
    authors: dict[str, int] = dict(
        window.rows(
            "SELECT theme, count(DISTINCT author_id) FROM chosen "
            "JOIN post_themes t ON t.post_id = chosen.id WHERE tagged_at IS NOT NULL GROUP BY 1"
        )
    )
    posts: Counter[str] = Counter()
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for theme, label, count, authored in rows:
        posts[theme] += count
        labels[theme][label] += authored
    told = window.kinds.authored is not None
    slugs = dict.fromkeys([*(theme.slug for theme in meeting.themes), *sorted(posts)])
    return {
        slug: {
            "posts": posts[slug],
            "authored": labels[slug].total() if told else None,
            "authors": authors.get(slug, 0),
            "share": posts[slug] / window.tagged,
            "sentiment": sentiment_shares(labels[slug]) if told else None,
            "abstained": labels[slug][NOT_SURE] if told else None,
        }
        for slug in slugs
    }


def questions(window: Window) -> dict[str, Any]:
    """Authored posts that ask something, and the different questions among them, where all are grouped.

    What became of them is known to no one yet: ``None``.
    """
    where = f"WHERE question = 1 AND {AUTHORED}"
    known = bool(window.tagged) and window.kinds.authored is not None
    by = {
        column: dict(
            map(tuple, window.rows(f"SELECT {column}, count(*) FROM chosen {where} GROUP BY 1 ORDER BY 1"))
        )
        if known
        else None
        for column in ("arm", "source")
    }
    return {
        "found": window.value(f"SELECT count(*) FROM chosen {where}") if known else None,
        "grouped": _grouped(window, where) if known else None,
        **dict.fromkeys(("put", "answered", "deferred", "dismissed", "median_s_to_answer")),
        "by_arm": by["arm"],
        "by_source": by["source"],
    }


def _grouped(window: Window, where: str) -> int | None:
    """How many different questions these are; ``None`` while one of them waits for its group."""
    ((asked, placed, groups),) = window.rows(
        "SELECT count(*), count(representative), count(DISTINCT representative) FROM "
        "(SELECT representative FROM chosen "
        f"LEFT JOIN question_groups g ON g.post_id = chosen.id {where})"
    )
    return int(groups) if asked == placed else None
