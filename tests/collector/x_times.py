"""Ids of X posts that carry a given time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def id_of(moment: datetime, ordinal: int = 0) -> str:
    """The id that a post of this moment would have."""
    return str((((moment - _EPOCH) // timedelta(milliseconds=1) - 1_288_834_974_657) << 22) + ordinal)
