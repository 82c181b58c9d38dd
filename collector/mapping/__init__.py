"""Pure functions that turn a platform's own JSON into a ``Post``: no network, no clock, input untouched.

Importers and live sources share them. JSON from outside may hold anything anywhere, so a mapping reads
it through the functions below, which answer with nothing instead of failing, and raises
``MappingError`` where a post cannot do without the value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

#: The largest count that SQLite can hold; anything beyond it is no count.
MAX_COUNT = 2**63 - 1


class MappingError(ValueError):
    """A record is no post that we can read; the text says what is missing or wrong."""


def table(value: Any) -> Mapping[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def tables(value: Any) -> list[Mapping[str, Any]]:
    """The JSON objects of a list; of anything else none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def words(value: Any) -> str | None:
    """The value if it is a text with something in it, else None."""
    return value if isinstance(value, str) and value.strip() else None


def folded(tag: str) -> str:
    """A hashtag as it is compared: case and accents do not matter."""
    if tag.isascii():
        return tag.casefold()
    apart = unicodedata.normalize("NFKD", tag)
    plain = "".join(sign for sign in apart if not unicodedata.combining(sign))
    # Folding can bring accents back (the Turkish dotted I), so they are taken off again.
    again = unicodedata.normalize("NFKD", plain.casefold())
    return "".join(sign for sign in again if not unicodedata.combining(sign))


def count(value: Any) -> int | None:
    """The value if it is a whole number from 0 up, else None (unknown, not 0)."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT:
        return value
    return None


def moment(value: Any) -> datetime | None:
    """The UTC time behind an ISO 8601 text that names its zone, else None."""
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None
