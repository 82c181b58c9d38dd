"""What organisers should notice while the meeting runs: complaints, rising topics, who is named, who writes.

Topics and names cost some tens of milliseconds: the hub asks for them now and then, in a thread of its own.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from analysis.measures import live
from analysis.measures.marks import complaints
from analysis.measures.names import names_mentioned
from analysis.measures.rising import rising
from archive.search import Hit, hits_of
from archive.shown import account
from archive.vocabulary import Meeting

if TYPE_CHECKING:
    from views.snapshot import Clock

HOUR = timedelta(hours=1)  # of names, while the meeting runs
TOPICS = 6
NAMED = 6
ACTIVE = 6
TEXT = 200  # characters of an example
NEWEST = 2  # complaints that are quoted
LOUD = 3  # complaints that are an alarm
MINUTES, MINUTES_FAST = 5, 30  # of complaints; where a replay runs through five in a second or two
FAST = 10.0  # meeting seconds a second

#: JSON: ``topics``, ``names`` and ``active``, or None before anything was asked for.
Heard = dict[str, Any]


def heard(conn: sqlite3.Connection, clock: Clock, meeting: Meeting) -> Heard:
    """Rising topics with their posts, who and what is named of late, and who writes most."""
    over = clock.phase(meeting) == "after"
    topics = [] if over else rising(conn, clock.now, meeting, TOPICS)
    named = names_mentioned(conn, meeting, NAMED, since=None if over else clock.now - HOUR)
    posts = hits_of(conn, list({key for topic in topics for key in topic["examples"]}))
    found = live.most_active(conn, ACTIVE)
    several = len({one["source"] for one in found}) > 1
    return {
        "topics": [
            {
                **{name: topic[name] for name in ("term", "posts", "authors", "earlier")},
                "examples": examples(posts[key] for key in topic["examples"] if key in posts),
            }
            for topic in topics
        ],
        "names": [{name: one[name] for name in ("kind", "name", "posts", "authors")} for one in named],
        "active": [
            {
                "name": account(one["handle"], one["name"]),
                "handle": one["handle"],
                "source": one["source"] if several else "",
                "posts": one["posts"],
            }
            for one in found
        ],
    }


def alarm(conn: sqlite3.Connection, clock: Clock) -> dict[str, Any] | None:
    """What the last minutes had to say of stream, sound and room; None where nobody said anything.

    ``posts``, ``minutes``, ``loud`` (enough of them to look up at once), and the ``newest``.
    """
    minutes = MINUTES_FAST if clock.speed > FAST else MINUTES
    posts, newest = complaints(conn, clock.now - timedelta(minutes=minutes), clock.now, NEWEST)
    if not posts:
        return None
    hits = hits_of(conn, newest)
    return {
        "posts": posts,
        "minutes": minutes,
        "loud": posts >= LOUD,
        "newest": examples(hits[key] for key in newest if key in hits),
    }


def examples(hits: Iterable[Hit]) -> list[dict[str, str]]:
    """Posts as they stand under what they are an example of."""
    return [
        {
            "key": hit.key,
            "author": account(hit.handle, hit.name),
            "source": hit.source,
            "at": hit.created_at,
            "text": cut("".join(piece for piece, _ in hit.segments)),
        }
        for hit in hits
    ]


def cut(text: str) -> str:
    """A text on one line, at most TEXT characters of it."""
    text = " ".join(text[: 2 * TEXT].split())
    return text if len(text) <= TEXT else f"{text[: TEXT - 1]}…"
