"""Identifiers that can be nobody's: 19 digits that begin with 9, an X time after 2078."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random

from data.sample.schedule import LISTENING_FROM
from data.sample.story import Draft

_BASE = 9_000_000_000_000_000_000
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"


def assign(rng: Random, drafts: Iterable[Draft]) -> None:
    """Give every draft the identifier that its network would, in order of time."""
    for draft in drafts:
        draft.id = _of(rng, draft.network, draft.at)
        if draft.edited_at:
            draft.edited_id = _of(rng, draft.network, draft.edited_at)


def numeric(rng: Random, at: datetime) -> str:
    """A number of 19 digits that grows with time, like those of X and Mastodon."""
    milliseconds = (at - LISTENING_FROM + timedelta(days=2)) // timedelta(milliseconds=1)
    return str(_BASE + (milliseconds << 22) + rng.randrange(1 << 22))


def _of(rng: Random, network: str, at: datetime) -> str:
    if network != "bluesky":
        return numeric(rng, at)
    number = int(at.timestamp() * 1_000_000) << 10 | rng.randrange(1024)
    return "".join(_SORTABLE[number >> shift & 31] for shift in range(60, -1, -5))
