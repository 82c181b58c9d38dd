"""People: how many accounts take part, how unevenly, and what share of the meeting that may be."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from statistics import mean, median
from typing import Any

from analysis.measures.networks import fold
from analysis.measures.participation import intensity, participation
from analysis.measures.window import AUTHORED, Window
from archive.agenda_slots import sessions_of
from archive.vocabulary import NETWORKS, Meeting

TOP_AUTHORS = 10
FEWEST_FOR_CONCENTRATION = 10
AUTOMATED_POSTS = 100
AUTOMATED_SHARE = 0.98


@dataclass(frozen=True, slots=True)
class AuthorCount:
    """One author of the window with what it sent there.

    ``first_post_at`` is the first post in the archive, ``first_here`` the first in the window.
    """

    id: int
    key: str
    source: str
    handle: str | None
    name: str | None
    bot: int | None
    first_post_at: str | None
    first_here: str | None
    posts: int
    authored: int

    @property
    def label(self) -> str:
        """What the author is ranked and shown by: the case-folded handle, in chats the name as written."""
        return fold(self.handle) if self.handle else self.name or self.key.partition(":")[2]

    @property
    def across(self) -> set[str]:
        """What the account is known by in other archives; a chat's names hold within one meeting only."""
        if self.source not in NETWORKS:
            return set()
        return {self.key, f"{self.source}:@{fold(self.handle)}"} if self.handle else {self.key}


def people(window: Window, meeting: Meeting, earlier: Sequence[sqlite3.Connection] = ()) -> dict[str, Any]:
    """Everything under People in measures.md, without a roster.

    ``earlier`` are archives of earlier meetings, read-only.
    """
    counts = author_counts(window)
    told = window.kinds.authored is not None
    authored = [author for author in counts if author.authored]
    return {
        "authors": len(counts),
        "authors_authored": len(authored) if told else None,
        "authors_with_one_post": sum(author.posts == 1 for author in counts),
        "top_authors": top({author: author.posts for author in counts}),
        "top_authors_authored": top({author: author.authored for author in authored}) if told else None,
        "posts_per_author": spread([author.posts for author in counts]),
        "concentration": concentration(authored) if told else None,
        **known_before(counts, earlier),
        "likely_automated": likely_automated(counts, told),
        "participation": participation(window, meeting),
        "intensity": intensity(window, meeting),
        "live_contributors": live_contributors(window, meeting) if told else None,
    }


def author_counts(window: Window) -> list[AuthorCount]:
    """Every author of the window, by key."""
    columns = "a.id, a.key, a.source, a.handle, a.name, a.bot, a.first_post_at"
    if window.whole:
        sql = f"SELECT {columns}, a.first_post_at, a.posts, a.authored FROM authors a WHERE a.posts > 0"
    else:
        sql = (
            f"SELECT {columns}, min(c.created_at), count(*), sum(c.{AUTHORED}) FROM chosen c "
            "JOIN authors a ON a.id = c.author_id GROUP BY a.id"
        )
    return sorted((AuthorCount(*row) for row in window.rows(sql)), key=lambda author: author.key)


def top(posts: Mapping[AuthorCount, int]) -> list[list[Any]]:
    """The ten authors with most posts, ties A–Z: ``[handle, posts]``."""
    ranked = sorted(posts.items(), key=lambda item: (-item[1], item[0].label.casefold(), item[0].key))
    return [[author.label, count] for author, count in ranked[:TOP_AUTHORS]]


def spread(posts: Sequence[int]) -> dict[str, float | None]:
    """Mean, median and maximum of the posts per author."""
    if not posts:
        return {"mean": None, "median": None, "max": None}
    return {"mean": mean(posts), "median": median(posts), "max": max(posts)}


def concentration(authors: Sequence[AuthorCount]) -> dict[str, Any] | None:
    """How unevenly authored posts are spread over their authors; ``None`` below ten authors."""
    if len(authors) < FEWEST_FOR_CONCENTRATION:
        return None
    ranked = [a.authored for a in sorted(authors, key=lambda author: (-author.authored, author.key))]
    total, many = sum(ranked), len(ranked)
    weighted = sum((2 * i - many - 1) * posts for i, posts in enumerate(reversed(ranked), start=1))
    return {
        "top_1": ranked[0] / total,
        "top_10": sum(ranked[:10]) / total,
        "divisions": divisions(ranked),
        "gini": weighted / (many * total),
    }


def divisions(ranked: Sequence[int]) -> list[dict[str, Any]]:
    """The first hundredth of the authors, then up to the first tenth, then the rest."""
    edges = [0, ceil(len(ranked) / 100), ceil(len(ranked) / 10), len(ranked)]
    parts = [ranked[start:end] for start, end in pairwise(edges)]
    return [{"authors": len(part), "posts": sum(part), "share": sum(part) / sum(ranked)} for part in parts]


def known_before(
    counts: Sequence[AuthorCount], earlier: Sequence[sqlite3.Connection]
) -> dict[str, float | int | None]:
    """Newcomers; with earlier archives also returners and the share of their authors seen again."""
    new = [author for author in counts if author.first_here == author.first_post_at]
    if not earlier:
        return {"newcomers": len(new), "returners": None, "retention": None}
    former = [author.across for conn in earlier for author in _network_authors(conn)]
    known = set().union(*former)
    present: set[str] = set().union(*(author.across for author in counts))
    distinct = {min(names): names for names in former}
    seen_again = sum(bool(names & present) for names in distinct.values())
    return {
        "newcomers": sum(not author.across & known for author in new),
        "returners": sum(bool(author.across & known) for author in counts),
        "retention": seen_again / len(distinct) if distinct else None,
    }


def _network_authors(conn: sqlite3.Connection) -> list[AuthorCount]:
    rows = conn.execute(
        "SELECT id, key, source, handle, name, bot, first_post_at, first_post_at, posts, authored "
        f"FROM authors WHERE posts > 0 AND source IN ({', '.join('?' * len(NETWORKS))})",
        NETWORKS,
    )
    return [AuthorCount(*row) for row in rows]


def likely_automated(counts: Sequence[AuthorCount], told: bool) -> list[dict[str, Any]]:
    """Accounts that may be run by a program, the most active first; a hint, never a verdict.

    ``told`` is whether reposts can be told from other posts; without it only the platform's mark counts.
    """

    def only_reposts(author: AuthorCount) -> bool:
        reposts = author.posts - author.authored
        return told and author.posts >= AUTOMATED_POSTS and reposts >= AUTOMATED_SHARE * author.posts

    found = [author for author in counts if author.bot or only_reposts(author)]
    return [
        {
            "handle": author.label,
            "posts": author.posts,
            "reposts": author.posts - author.authored if told else None,
            "bot_mark": None if author.bot is None else bool(author.bot),
        }
        for author in sorted(found, key=lambda author: (-author.posts, author.label))
    ]


def live_contributors(window: Window, meeting: Meeting) -> int:
    """Authors with at least one authored post that belongs to a session, breaks left out."""
    slugs = [session.slug for session in sessions_of(meeting) if session.kind == "session"]
    return int(
        window.value(
            f"SELECT count(DISTINCT author_id) FROM chosen WHERE {AUTHORED} "
            f"AND session IN ({', '.join('?' * len(slugs))})",
            *slugs,
        )
    )
