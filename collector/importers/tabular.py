"""Rows of CSV files as people and programs really write them.

One row of a table becomes one ``Row`` or one ``Unmapped``. A quotation mark that is never closed, or a
row with too few or too many cells, costs its own line only: reading goes on at the next one.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

from archive.vocabulary import Item, Private, Unmapped
from collector.importers.base import Head
from collector.importers.lines import MAX_RECORD, text_lines
from collector.importers.records import dump, unmapped
from collector.mapping import MAX_COUNT, MappingError, count

MAX_LINES = 2_000  # that one row may span
MAX_GIVEN_BACK = 1_000_000  # lines read for rows that proved none; after them a row is one line
DELIMITERS = ",;\t"

_PRIVATE = {"dm", "direct_message", "message_create"}

csv.field_size_limit(MAX_RECORD + 1)

Cells = dict[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the names of its columns; cells that are empty are left out."""

    cells: Cells
    where: str

    @property
    def raw(self) -> str:
        """The row as JSON text."""
        return dump(self.cells)


def header_of(head: Head) -> list[str]:
    """The names in the first line of a table, as written, without blanks around them."""
    line = head.text.lstrip("\r\n").partition("\n")[0]
    return [cell.strip() for cell in _cells([line], _delimiter(line))]


def rows(
    stream: BinaryIO, *, blank: frozenset[str] = frozenset(), text: Sequence[str] = ()
) -> Iterator[Row | Unmapped]:
    """The rows below the header.

    ``blank`` lists what stands for an empty cell (``NA``). Where the last column is one of ``text``, a
    row with too many cells has commas that were not quoted in it: the cells are put together again.
    """
    lines = _Lines(text_lines(stream))
    header, delimiter = _header(lines)
    doubled = {name for name in header if name and header.count(name) > 1}
    joinable = bool(header) and header[-1].casefold() in text
    while cells := _next_row(lines, delimiter, len(header), joinable):
        if isinstance(cells, Unmapped):
            yield cells
        elif cells == [""]:
            continue
        elif len(cells) > len(header) and joinable:
            last = len(header) - 1
            cells[last:] = [delimiter.join(cells[last:])]
            yield Row(_named(header, cells, blank), lines.where)
        elif len(cells) != len(header):
            reason = f"{len(cells)} cells where the header has {len(header)}"
            yield unmapped(reason, lines.taken, lines.where)
        elif name := _contradicted(header, cells, doubled):
            reason = f"the header names {name!r} twice, and the cells below differ"
            yield unmapped(reason, lines.taken, lines.where)
        else:
            yield Row(_named(header, cells, blank), lines.where)


def mapped_rows(found: Iterable[Row | Unmapped], to_item: Callable[[Row], Item]) -> Iterator[Item]:
    """Each row as an item; what cannot be mapped as an ``Unmapped`` with its reason."""
    for row in found:
        if isinstance(row, Unmapped):
            yield row
            continue
        if not _PRIVATE.isdisjoint((row.cells.get("kind"), row.cells.get("type"))):
            yield Private(row.where)
            continue
        try:
            yield to_item(row)
        except MappingError as error:
            yield unmapped(str(error), row.raw, row.where)


def readable(found: Iterable[Row | Unmapped], read: Callable[[Cells], T]) -> Iterator[T]:
    """What ``read`` gives for each row; one that it cannot read is left out."""
    for row in found:
        if isinstance(row, Row):
            try:
                yield read(row.cells)
            except MappingError:
                continue


class _Lines:
    """Lines that a row takes, some of which can be given back."""

    def __init__(self, lines: Iterator[str | Unmapped]) -> None:
        self._lines = lines
        self._again: deque[str | Unmapped] = deque()
        self._row: list[str] = []
        self._number = 0
        self._patience = MAX_GIVEN_BACK
        self.too_long: Unmapped | None = None

    @property
    def where(self) -> str:
        """The line that the current row begins in."""
        return f"line {self._number - len(self._row) + 1}"

    @property
    def taken(self) -> str:
        """The lines of the current row."""
        return "".join(self._row)

    @property
    def spans(self) -> int:
        """How many lines the current row has taken."""
        return len(self._row)

    def begin(self) -> None:
        """Begin a new row with the next line."""
        self._row = []

    def give_back(self) -> None:
        """Return all lines of the current row but the first."""
        self._again.extendleft(reversed(self._row[1:]))
        self._number -= len(self._row) - 1
        self._patience -= len(self._row) - 1
        del self._row[1:]

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._row) >= (MAX_LINES if self._patience > 0 else 1):
            raise csv.Error("too many lines")
        line = self._again.popleft() if self._again else next(self._lines)
        if isinstance(line, Unmapped):
            if self._row:
                self._again.appendleft(line)
                raise csv.Error("a line too long")
            self.too_long = line
            line = "\n"
        self._number += 1
        self._row.append(line)
        return line


def _header(lines: _Lines) -> tuple[list[str], str]:
    for line in lines:
        if line.strip():
            delimiter = _delimiter(line)
            return [cell.strip() for cell in _cells([line], delimiter)], delimiter
        lines.begin()
    return [], ","


def _next_row(lines: _Lines, delimiter: str, width: int, joinable: bool) -> list[str] | Unmapped | None:
    """The cells of the next row, an ``Unmapped`` for a line that begins none, None at the end."""
    lines.begin()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        cells = next(reader, None)
        whole = cells is None or lines.spans == 1 or len(cells) == width or (joinable and len(cells) > width)
    except csv.Error:
        cells, whole = [], False
    if lines.too_long is not None:
        found, lines.too_long = lines.too_long, None
        return found
    if whole:
        return cells if cells is None or cells else [""]
    lines.give_back()
    return _lone_line(lines, delimiter)


def _lone_line(lines: _Lines, delimiter: str) -> list[str] | Unmapped:
    """The cells of a line that no strict reader accepts, or what is wrong with it."""
    feed = iter([lines.taken, ""])
    cells = _cells(feed, delimiter)
    if next(feed, None) is None:  # the reader asked for a second line: a quoted cell is still open
        reason = "a quotation mark is opened in this line and never closed"
        return unmapped(reason, lines.taken, lines.where)
    return cells


def _cells(lines: Iterable[str], delimiter: str) -> list[str]:
    """The cells of a line, taken as it is: a carriage return inside it is a blank."""
    tame = (line.rstrip("\r\n").replace("\r", " ") + "\n" if line else "" for line in lines)
    return next(csv.reader(tame, delimiter=delimiter), [])


def _contradicted(header: Sequence[str], cells: Sequence[str], doubled: Iterable[str]) -> str | None:
    """A column that stands twice in the header, with different cells in this row."""
    for name in doubled:
        if len({cell for column, cell in zip(header, cells, strict=True) if column == name}) > 1:
            return name
    return None


def _named(header: Sequence[str], cells: Sequence[str], blank: frozenset[str]) -> Cells:
    return {name: cell for name, cell in zip(header, cells, strict=True) if cell and cell not in blank}


def _delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def number(cell: str | None) -> int | None:
    """A cell that counts something, else None: a count is a whole number from 0 up."""
    if cell is None or not cell.isdecimal() or len(cell) > len(str(MAX_COUNT)):
        return None
    return count(int(cell))
