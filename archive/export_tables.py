"""The tables of an export: their columns, and the SQL that fills them.

``chosen`` stands for the posts that the filters leave. The columns are a promise to those who read the
files; docs/archive.md describes each.
"""

from __future__ import annotations

from dataclasses import dataclass

from archive.vocabulary import COUNTERS

POST_COLUMNS = (
    *("key", "source", "platform_id", "kind", "author_key", "author_handle", "author_name", "text"),
    *("language", "language_detected", "created_at", "received_at", "edited_at", "arm", "session"),
    *("reply_to", "repost_of", "quote_of", "url", *COUNTERS),
    *("sentiment", "sentiment_score", "sure", "themes", "question"),
)
AUTHOR_COLUMNS = (
    *("key", "source", "handle", "name", "url", "description", "location"),
    *("followers", "followers_max", "bot", "posts", "authored", "first_post_at", "last_post_at"),
)
TAG_COLUMNS = (
    *("post", "component", "label", "score", "evidence", "version"),
    *("set_by", "seen_at", "superseded_at"),
)
QUESTION_COLUMNS = (
    *("key", "source", "arm", "session", "author_key", "author_handle", "author_name"),
    *("text", "created_at", "themes", "url", "to_chair", "representative"),
)
COVERAGE_COLUMNS = (
    *("name", "source", "state", "started_at", "ended_at"),
    *("cause", "backfilled", "missing_estimate", "posts"),
)
KEYWORD_COLUMNS = ("theme", "language", "keyword", "decision", "set_by", "seen_at")
VERSION_COLUMNS = ("post", "version_at", "observed_at", "content_hash", "payload_hash", "content")


@dataclass(frozen=True, slots=True)
class Table:
    """One file of an export; ``of_posts`` where the filters on posts apply to it."""

    name: str
    columns: tuple[str, ...]
    sql: str
    of_posts: bool = True


def _readable(columns: tuple[str, ...]) -> str:
    names = ", ".join(f"r.{name}" for name in columns)
    return f"SELECT {names} FROM posts_readable r JOIN chosen c ON c.key = r.key ORDER BY r.created_at, r.key"


def _side(table: str, *columns: str, order: str | None = None) -> str:
    names = ", ".join(f"s.{name}" for name in columns)
    return (
        f"SELECT c.key, {names} FROM chosen c JOIN {table} s ON s.post_id = c.id "
        f"ORDER BY c.created_at, c.key, {order or names}"
    )


TABLES = (
    Table("posts", POST_COLUMNS, _readable(POST_COLUMNS)),
    Table(
        "authors",
        AUTHOR_COLUMNS,
        "SELECT a.key, a.source, a.handle, a.name, a.url, a.description, a.location, a.followers, "
        "a.followers_max, a.bot, count(*), count(*) - ifnull(sum(c.kind = 'repost'), 0), "
        "min(c.created_at), max(c.created_at) "
        "FROM chosen c JOIN authors a ON a.id = c.author_id GROUP BY a.id ORDER BY a.key",
    ),
    Table("post_hashtags", ("key", "hashtag"), _side("post_hashtags", "hashtag")),
    Table("post_mentions", ("key", "account"), _side("post_mentions", "account")),
    Table("post_links", ("key", "link"), _side("post_links", "url")),
    Table("tags", TAG_COLUMNS, _side("tags", *TAG_COLUMNS[1:], order="s.seen_at, s.component, s.id")),
    Table(
        "questions",
        QUESTION_COLUMNS,
        f"SELECT {', '.join(f'r.{name}' for name in QUESTION_COLUMNS[:-2])}, c.to_chair, "
        "(SELECT p.key FROM question_groups g JOIN posts p ON p.id = g.representative "
        "WHERE g.post_id = c.id) "
        "FROM posts_readable r JOIN chosen c ON c.key = r.key WHERE r.question = 1 "
        "ORDER BY r.created_at, r.key",
    ),
    Table(
        "coverage",
        COVERAGE_COLUMNS,
        "SELECT name, source, state, started_at, ended_at, cause, backfilled, missing_estimate, NULL "
        "FROM coverage UNION ALL "
        "SELECT NULL, source, 'deleted', NULL, NULL, NULL, NULL, NULL, count(*) "
        "FROM tombstones WHERE post_seen GROUP BY source UNION ALL "
        "SELECT NULL, source, 'duplicates', NULL, NULL, NULL, NULL, NULL, duplicates "
        "FROM intake WHERE duplicates UNION ALL "
        "SELECT NULL, source, 'private', NULL, NULL, NULL, NULL, NULL, private "
        "FROM intake WHERE private UNION ALL "
        "SELECT NULL, NULL, 'quarantined', NULL, NULL, NULL, NULL, NULL, count(*) "
        "FROM quarantine HAVING count(*) ORDER BY 1, 4, 3, 2",
        of_posts=False,
    ),
)

FULL_TABLES = (
    Table("raw", ("post", "payload_hash", "payload"), _side("raw", "hash", "payload", order="s.hash")),
    Table(
        "versions",
        VERSION_COLUMNS,
        _side("versions", *VERSION_COLUMNS[1:], order="s.version_at, s.content_hash"),
    ),
    Table("engagement", ("post", "observed_at", *COUNTERS), _side("engagement", "observed_at", *COUNTERS)),
    Table("aliases", ("alias", "key"), "SELECT alias, key FROM aliases ORDER BY alias", of_posts=False),
    Table(
        "tombstones",
        ("key", "source", "seen_at", "post_seen"),
        "SELECT key, source, seen_at, post_seen FROM tombstones ORDER BY key",
        of_posts=False,
    ),
    Table(
        "keywords",
        KEYWORD_COLUMNS,
        f"SELECT {', '.join(KEYWORD_COLUMNS)} FROM keywords ORDER BY theme, language, keyword",
        of_posts=False,
    ),
    Table(
        "quarantine",
        ("reason", "payload", "location", "seen_at"),
        "SELECT reason, payload, location, seen_at FROM quarantine ORDER BY id",
        of_posts=False,
    ),
)
