"""In which line of a TOML file a table or a key stands; ``tomllib`` keeps values but not places.

A small scan, not a parser: it is only asked about files that ``tomllib`` has read without complaint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Place = tuple[str | int, ...]

_KEY = r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'"""
_PATH = rf"(?:{_KEY})(?:[ \t]*\.[ \t]*(?:{_KEY}))*"
_HEADER = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_PATH})[ \t]*\]\]?")
_ASSIGNMENT = re.compile(rf"[ \t]*({_PATH})[ \t]*=")
_PART = re.compile(_KEY)
# Strings and comments, so that brackets and equals signs inside them do not count.
_OPAQUE = re.compile(
    r'"""(?:[^\\]|\\.)*?"""+' + r"|'''.*?'''+" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'|#[^\n]*",
    re.DOTALL,
)


def line_numbers(source: str) -> dict[Place, int]:
    """Line (from 1) of every table and key, by its path; items of ``[[arrays]]`` are counted from 0."""
    places: dict[Place, int] = {}
    arrays: dict[Place, int] = {}
    table: Place = ()
    for number, line in _statements(source):
        if header := _HEADER.match(line):
            table = _open_table(_parts(header[2]), header[1] == "[[", arrays)
            places.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            parts = _parts(assignment[1])
            for depth in range(1, len(parts) + 1):
                places.setdefault(table + parts[:depth], number)
    return places


def nearest(places: dict[Place, int], place: Place) -> int | None:
    """The line of the place itself, else of what encloses it; ``None`` where nothing of it is written."""
    while place:
        for written in (place, (*place, 0)):
            if written in places:
                return places[written]
        place = place[:-1]
    return None


def _open_table(parts: Place, is_array: bool, arrays: dict[Place, int]) -> Place:
    path: Place = ()
    for position, part in enumerate(parts):
        path = (*path, part)
        if is_array and position == len(parts) - 1:
            arrays[path] = arrays.get(path, -1) + 1
        if path in arrays:
            path = (*path, arrays[path])
    return path


def _parts(dotted: str) -> Place:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _statements(source: str) -> Iterator[tuple[int, str]]:
    """Lines that begin a statement, that is, those not inside a value of several lines."""
    blanked = _OPAQUE.sub(_blank, source)
    depth = 0
    for number, (line, shape) in enumerate(
        zip(source.split("\n"), blanked.split("\n"), strict=True), start=1
    ):
        if depth == 0 and line.strip() and not shape.startswith("\0"):
            yield number, line
        if depth > 0 or not _HEADER.match(line):
            depth += sum(shape.count(sign) for sign in "[{") - sum(shape.count(sign) for sign in "]}")


def _blank(match: re.Match[str]) -> str:
    # A line that begins inside a string is marked, since it may look like a key.
    return "".join("\n\0" if sign == "\n" else " " for sign in match[0])
