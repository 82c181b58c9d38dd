"""Golden pairs: a file of a format, and beside it as JSON the items that its importer makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from archive.codec import received_to_json
from archive.vocabulary import Deleted, Item, Private, Received, Skipped, Span, Unmapped
from collector.importers.base import Context, Importer

TESTDATA = Path(__file__).parent.parent / "testdata"


def cases(name: str) -> list[str]:
    """The names of the files of a format that have a golden pair."""
    return sorted(path.name for path in (TESTDATA / name).iterdir() if not path.name.endswith(".items.json"))


def expected(name: str, case: str) -> list[dict[str, Any]]:
    """What an importer shall make of a file."""
    items: list[dict[str, Any]] = json.loads((TESTDATA / name / f"{case}.items.json").read_text("utf-8"))
    return items


def made(importer: Importer, case: str, context: Context) -> list[dict[str, Any]]:
    """What an importer makes of a file, as JSON."""
    with (TESTDATA / importer.NAME / case).open("rb") as stream:
        return [_shown(item) for item in importer.read(stream, context)]


def posts(items: Iterable[Item]) -> list[Any]:
    """The posts among some items."""
    return [item.post for item in items if isinstance(item, Received)]


def _shown(item: Item) -> dict[str, Any]:
    match item:
        case Received():
            shown = received_to_json(item)
            del shown["raw"]  # the input again; tests of its own look at it
            return shown
        case Deleted(key, _, seen_at):
            return {"deleted": key, "seen_at": seen_at.isoformat() if seen_at else None}
        case Unmapped(reason, payload, where):
            return {"unmapped": reason, "payload": payload, "where": where}
        case Private(where):
            return {"private": where}
        case Skipped(what):
            return {"skipped": what}
        case Span():
            return {"span": item.name, "state": item.state}
