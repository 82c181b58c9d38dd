"""In words: what the themes have learned from people, and how far the meeting has been re-tagged since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.measures.learning import ENOUGH, MANY
from archive.times import from_text
from archive.vocabulary import Meeting


def line(learning: Mapping[str, Any] | None, meeting: Meeting) -> str:
    """One line, such as ``learned from 12 corrections at 14:03 · 312 posts still to re-tag``.

    Empty where nobody has taught anything.
    """
    if learning is None:
        return ""
    waiting = learning["waiting"]
    more = "more than " if waiting >= MANY else ""
    rest = f"{more}{counted(waiting, 'post')} still to re-tag" if waiting else ""
    return " · ".join(filter(None, (_learned(learning, meeting), rest)))


def _learned(learning: Mapping[str, Any], meeting: Meeting) -> str:
    taught = " and ".join(
        counted(learning[what], what[:-1]) for what in ("corrections", "keywords") if learning[what]
    )
    if learning["fitted_at"] is None:
        return f"{taught} given, not learned from yet" if taught else ""
    at = from_text(learning["fitted_at"]).astimezone(meeting.zone)
    if not taught:
        return f"as without corrections since {at:%H:%M}"
    if not learning["enough"]:
        return f"{taught} noted at {at:%H:%M}, a theme learns from {ENOUGH} on"
    return f"learned from {taught} at {at:%H:%M}"


def counted(count: int, what: str) -> str:
    """``1 post``, ``2 posts``."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
