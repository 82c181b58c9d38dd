"""Which session a post belongs to: the one under way at ``created_at`` minus the meeting's lag."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from archive.times import to_text
from archive.vocabulary import Meeting, Session

BEFORE, BETWEEN, AFTER, AMBIGUOUS = "before", "between", "after", "none"

#: (created_at as the archive writes it, hashtags of the post) -> session slug or one of the four above
Assign = Callable[[str, Iterable[str]], str]


def sessions_of(meeting: Meeting) -> tuple[Session, ...]:
    """The agenda; a meeting without sessions is one session as a whole."""
    return meeting.sessions or (
        Session(slug="meeting", title=meeting.title, starts=meeting.starts, ends=meeting.ends),
    )


def assigner(meeting: Meeting) -> Assign:
    """A function that says where on the agenda a post falls; built once, then a bisection per post.

    With parallel tracks the session's hashtags decide; a post that stays ambiguous belongs to none.
    """
    sessions = sessions_of(meeting)
    slots = [(to_text(s.starts + meeting.lag), to_text(s.ends + meeting.lag), s) for s in sessions]
    marks = sorted({mark for starts, ends, _ in slots for mark in (starts, ends)})
    under_way = [[s for starts, ends, s in slots if starts <= mark < ends] for mark in marks]
    gaps = [BETWEEN] * (len(marks) - 1) + [AFTER]

    def assign(created_at: str, hashtags: Iterable[str]) -> str:
        place = bisect_right(marks, created_at) - 1
        if place < 0:
            return BEFORE
        candidates = under_way[place]
        if not candidates:
            return gaps[place]
        if len(candidates) == 1:
            return candidates[0].slug
        tags = set(hashtags)
        named = [s.slug for s in candidates if tags.intersection(tag.casefold() for tag in s.hashtags)]
        return named[0] if len(named) == 1 else AMBIGUOUS

    return assign
