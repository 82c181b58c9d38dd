"""What every importer offers, and what it is told.

An importer is a module of this package with the names of ``Importer``, listed in ``IMPORTERS``. It
yields exactly one item for every candidate record, in the order of the file, so that an interrupted
import can go on where it stopped. Reading is shared: ``text_lines`` and ``json_records`` below, rows
of CSV in ``tabular``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO, Protocol
from zoneinfo import ZoneInfo

from archive.vocabulary import Arm, Item, Meeting, Unmapped
from collector.importers.lines import HEAD_BYTES, MAX_RECORD, decoded, decoded_head, text_lines
from collector.importers.records import Record, dump, json_records, loads, unmapped
from collector.mapping import MappingError

__all__ = [
    "HEAD_BYTES",
    "MAX_RECORD",
    "Context",
    "Head",
    "Importer",
    "Record",
    "decoded",
    "dump",
    "head_of",
    "json_records",
    "loads",
    "mapped",
    "text_lines",
    "unmapped",
]


@dataclass(frozen=True, slots=True)
class Context:
    """What an importer knows beside the file itself.

    ``file`` is the name for messages. ``date`` and ``zone`` are those asked for or found out, for the
    formats that carry none; ``arm`` overrides the one that the format implies.
    """

    meeting: Meeting
    file: str
    date: date | None = None
    zone: ZoneInfo | None = None
    arm: Arm | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, by which its format is found: decoded, and the bytes themselves."""

    text: str
    data: bytes


class Importer(Protocol):
    """What each module of this package offers at module level.

    ``NAME`` is what ``--format`` takes, ``TITLE`` what people call the format; ``TRIED`` is false
    where no real file was ever at hand and the format was written from its documentation.
    """

    NAME: str
    TITLE: str
    TRIED: bool

    def sniff(self, head: Head) -> bool:
        """Whether a file that begins like this is of this format."""

    def read(self, stream: BinaryIO, context: Context) -> Iterator[Item]:
        """The items of a file, streamed."""


def head_of(data: bytes) -> Head:
    """The head of a file that begins with these bytes."""
    return Head(decoded_head(data[:HEAD_BYTES]), data[:HEAD_BYTES])


def mapped(records: Iterable[Record | Unmapped], to_item: Callable[[Record], Item]) -> Iterator[Item]:
    """Each record as an item; what cannot be mapped as an ``Unmapped`` with its reason."""
    for record in records:
        if isinstance(record, Unmapped):
            yield record
            continue
        try:
            yield to_item(record)
        except MappingError as error:
            yield unmapped(str(error), record.raw, record.where)
        except RecursionError:  # readable at a smaller depth of the stack, but not writable here
            yield unmapped("nested too deeply", record.text, record.where)
