"""Volume: how many posts, of which kinds, when, from where, under which hashtags."""

from __future__ import annotations

from typing import Any

from analysis.measures.networks import Networks
from analysis.measures.window import AUTHORED, SENTIMENT, Window
from archive.times import DAY, HOUR, MINUTE, short
from archive.vocabulary import UNKNOWN

TOP_HASHTAGS = 20


def volume(window: Window, networks: Networks) -> dict[str, Any]:
    """Everything under Volume in measures.md."""
    kinds = window.kinds
    first, last = window.rows("SELECT min(created_at), max(created_at) FROM chosen")[0]
    per_minute = minutes(window)
    per_hour = binned(per_minute, HOUR)
    return {
        "posts": kinds.posts,
        "reposts": kinds.reposts,
        "authored": kinds.authored,
        "originals": kinds.of("original"),
        "replies": kinds.of("reply"),
        "quotes": kinds.of("quote"),
        "replies_to_self": networks.replies.self_posts if networks.replies else None,
        **links(window),
        "first_post_at": short(first) if first else None,
        "last_post_at": short(last) if last else None,
        "per_minute": per_minute,
        "per_hour": per_hour,
        "per_day": binned(per_minute, DAY),
        "peak_hour": peak(per_hour),
        "languages": languages(window),
        "languages_detected": languages_detected(window),
        "by_source": window.totals("source", "source"),
        "by_kind": dict(kinds.counts),
        "by_theme": by_theme(window),
        "by_sentiment": window.totals("sentiment", SENTIMENT),
        "top_hashtags": top_hashtags(window),
    }


def links(window: Window) -> dict[str, int | None]:
    """Posts with a link, over all and over authored."""
    linked, authored = window.rows(
        f"SELECT count(*), ifnull(sum({AUTHORED}), 0) FROM chosen WHERE has_link = 1"
    )[0]
    known = window.kinds.authored is not None
    return {"with_link": linked, "authored_with_link": authored if known else None}


def minutes(window: Window) -> dict[str, int]:
    """Posts per minute in UTC, empty minutes absent."""
    if window.whole:
        sql = "SELECT minute, sum(posts) FROM rollup_minutes WHERE theme = '*' GROUP BY 1 ORDER BY 1"
    else:
        sql = f"SELECT substr(created_at, 1, {MINUTE}), count(*) FROM chosen GROUP BY 1 ORDER BY 1"
    return {minute: posts for minute, posts in window.rows(sql) if posts}


def binned(per_minute: dict[str, int], width: int) -> dict[str, int]:
    """Posts per hour or day; ``width`` is the length of the bin's name."""
    bins: dict[str, int] = {}
    for minute, posts in per_minute.items():
        bins[minute[:width]] = bins.get(minute[:width], 0) + posts
    return bins


def peak(per_hour: dict[str, int]) -> dict[str, Any] | None:
    """The hour with most posts, the earliest on a tie; ``None`` without posts."""
    if not per_hour:
        return None
    hour = max(per_hour, key=lambda name: per_hour[name])
    return {"hour": hour, "posts": per_hour[hour]}


def languages(window: Window) -> dict[str, int] | None:
    """Posts by the source's own mark, unmarked ones absent; ``None`` where no post is marked."""
    found = window.totals("language", "ifnull(language, '')")
    found.pop("", None)
    return found if found or not window.kinds.posts else None


def languages_detected(window: Window) -> dict[str, int] | None:
    """Tagged posts by the language that we found, or ``unknown``; ``None`` where no post is tagged."""
    if window.whole:
        found = window.totals("language_detected", "")
    else:
        found = dict(
            window.rows(
                "SELECT ifnull(language_detected, ''), count(*) FROM chosen "
                "WHERE tagged_at IS NOT NULL GROUP BY 1 ORDER BY 1"
            )
        )
    if "" in found:
        found[UNKNOWN] = found.pop("")
    return found if window.tagged or not window.kinds.posts else None


def by_theme(window: Window) -> dict[str, int]:
    """Posts by theme, a post under each of its themes; ``none`` and ``untagged`` beside them."""
    if window.whole:
        return window.totals("theme", "")
    rows = window.rows(
        "SELECT CASE WHEN c.tagged_at IS NULL THEN 'untagged' ELSE ifnull(t.theme, 'none') END, "
        "count(DISTINCT c.id) FROM chosen c LEFT JOIN post_themes t ON t.post_id = c.id GROUP BY 1 ORDER BY 1"
    )
    return dict(map(tuple, rows))


def top_hashtags(window: Window) -> list[list[Any]]:
    """The 20 hashtags in most posts, ties A–Z."""
    joined = "" if window.whole else "JOIN chosen c ON c.id = h.post_id "
    rows = window.rows(
        f"SELECT h.hashtag, count(*) FROM post_hashtags h {joined}"
        f"GROUP BY h.hashtag ORDER BY count(*) DESC, h.hashtag LIMIT {TOP_HASHTAGS}"
    )
    return [list(row) for row in rows]
