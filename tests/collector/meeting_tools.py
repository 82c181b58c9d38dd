"""What the tests of the meeting tools' formats share: a day, and reading a text with an importer."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from archive.vocabulary import Item, Meeting
from collector.importers.base import Context, Importer

STARTS = datetime(2026, 3, 16, 15, tzinfo=UTC)  # nine o'clock in Mexico City
MEETING = Meeting(
    slug="tools",
    title="Tools of a meeting",
    hashtags=("bc_open",),
    starts=STARTS,
    ends=STARTS + timedelta(hours=4),
    timezone="America/Mexico_City",
)


def read(importer: Importer, text: str | bytes, **known: object) -> list[Item]:
    """The items of a file with this text."""
    data = text if isinstance(text, bytes) else text.encode()
    meeting = known.pop("meeting", MEETING)
    return list(importer.read(io.BytesIO(data), Context(meeting, "file", **known)))  # type: ignore[arg-type]
