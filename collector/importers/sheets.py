"""Tables as meeting tools export them: columns under many names, and lines of their own before them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast
from unicodedata import category, normalize

from archive.errors import InputError
from collector.importers.base import HEAD_BYTES, Context, Head, head_of
from collector.importers.lines import Rejoined
from collector.importers.local_times import has_date
from collector.importers.tabular import DELIMITERS, Cells, header_of

MAX_PREAMBLE = 60  # lines that may stand before the header


@dataclass(frozen=True, slots=True)
class Form:
    """How one tool writes its table.

    ``columns`` has for each of id, question, name, date, time, likes, answer, answerer, answered and
    audience the names that its column may have, as ``plain`` makes them. A header is one that has a
    column for all that are ``required``.
    """

    source: str
    columns: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]

    def named(self, header: Sequence[str], suffix: str = "") -> dict[str, str]:
        """The columns of a header by what they hold."""
        written = {plain(name): name for name in reversed(header) if name}
        found = {}
        for what, names in self.columns.items():
            known = (f"{name}{suffix}{zone}" for name in names for zone in ("", " utc", " gmt"))
            column = next((written[name] for name in known if name in written), None)
            if column is not None:
                found[what] = column
        return found

    def is_header(self, header: Sequence[str]) -> bool:
        """Whether these are the names of this tool's columns."""
        return len(header) > 1 and self.named(header).keys() >= set(self.required)

    def line(self, head: Head) -> int | None:
        """Which line of a file is the header, counted from 0; None where none is."""
        if head.text.lstrip().startswith(("{", "[")):  # JSON may name the same things
            return None
        for at, line in enumerate(head.text.split("\n", MAX_PREAMBLE)[:MAX_PREAMBLE]):
            if self.is_header(header_of(Head(line, b""))):
                return at
        return None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table and what stands before it: the names of its columns, and what the preamble tells."""

    header: Sequence[str]
    facts: Mapping[str, str]
    stream: BinaryIO

    @classmethod
    def of(cls, stream: BinaryIO, form: Form, context: Context) -> Sheet:
        """The table of a file. InputError where no line is its header."""
        beginning = stream.read(HEAD_BYTES)
        head = head_of(beginning)
        line = form.line(head)
        if line is None:
            raise InputError(
                f"{context.file}: none of its first {MAX_PREAMBLE} lines names the columns of a table."
            )
        lines = head.text.split("\n")
        header = header_of(Head(lines[line], b""))
        table = cast(BinaryIO, Rejoined(_without_preamble(beginning, lines, line), stream))
        return cls(header, _facts(lines[:line]), table)


def plain(name: str) -> str:
    """A name or a word as it is compared: small letters without accents, one blank between words."""
    bare = "".join(char for char in normalize("NFKD", name.casefold()) if category(char)[0] != "M")
    return " ".join(re.sub(r"[\W_]+", " ", bare).split())


def picked(cells: Cells, columns: Mapping[str, str]) -> Cells:
    """The cells of a row by what they hold, blank ones left out."""
    return {what: cells[name] for what, name in columns.items() if cells.get(name, "").strip()}


def written_time(cells: Cells, columns: Mapping[str, str]) -> str | None:
    """When a row says it was written: its date and its time, with the zone that the column's name tells."""
    clock, day = cells.get("time"), cells.get("date")
    if clock is None:
        return zoned(day, columns["date"]) if day else None
    written = f"{day} {clock}" if day and not has_date(clock) else clock
    return zoned(written, columns["time"])


def zoned(written: str, column: str) -> str:
    """A time with the zone that the name of its column tells."""
    return f"{written} UTC" if plain(column).endswith((" utc", " gmt")) else written


def _without_preamble(beginning: bytes, lines: Sequence[str], header: int) -> bytes:
    """A file's beginning with blank lines before its header, so that places stay true.

    Where the first row ends with a comma that the header lacks, the header gets it: Zoom's reports do.
    """
    named = lines[header].rstrip("\r")
    delimiter = max(DELIMITERS, key=named.count)
    more = delimiter if _ends_with_comma(lines[header:], delimiter) else ""
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16-le" if beginning.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
        start = 2 + len("".join(f"{line}\n" for line in lines[:header]).encode(encoding))
        rest = beginning[start + len(named.encode(encoding)) :]
        return beginning[:2] + ("\n" * header + named + more).encode(encoding) + rest
    end = b"\n" if b"\n" in beginning else b"\r"
    parts = beginning.split(end, header + 1)
    parts[header] = parts[header].rstrip(b"\r") + more.encode()
    return end * header + end.join(parts[header:])


def _ends_with_comma(lines: Sequence[str], delimiter: str) -> bool:
    width = len(header_of(Head(lines[0], b"")))
    try:
        first = next(csv.reader(io.StringIO("\n".join(lines[1:])), delimiter=delimiter), [])
    except csv.Error:
        return False
    return len(first) == width + 1 and not first[-1]


def _facts(lines: Sequence[str]) -> dict[str, str]:
    """What the lines before a table tell: a name and its value side by side, or one above the other."""
    found: dict[str, str] = {}
    before: list[str] = []
    for line in lines:
        cells = header_of(Head(line, b"")) if line.strip() else []
        if len(cells) >= 2 and cells[0].endswith(":"):
            found.setdefault(plain(cells[0]), cells[1])
        for name, cell in zip(before, cells, strict=False):
            found.setdefault(plain(name), cell)
        before = cells
    return found
