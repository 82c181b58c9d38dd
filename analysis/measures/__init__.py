"""Every number that Backchannel shows, made in this one place from an archive (docs/measures.md)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from analysis.measures import conversation, honesty, meaning, names, networks, people, volume
from analysis.measures.window import Window
from archive.filters import Filters
from archive.reading import load_meeting


def measures(
    conn: sqlite3.Connection,
    filters: Filters,
    *,
    earlier: Sequence[sqlite3.Connection] = (),
    now: datetime | None = None,
) -> dict[str, Any]:
    """All measures of the posts that the filters leave: one flat object that ``json.dumps`` takes.

    ``conn`` is read-only; ``earlier`` are archives of earlier meetings, for returners and retention;
    ``now`` ends the scheduled time of a meeting that is still under way. Unknown is ``None``.
    """
    window = Window(conn, filters)
    meeting = load_meeting(conn)
    found = networks.networks(window)
    return {
        **volume.volume(window, found),
        **people.people(window, meeting, earlier),
        **conversation.conversation(window, found),
        **meaning.meaning(window, meeting),
        "names": names.names(window, meeting),
        **honesty.honesty(window, meeting, now),
    }
