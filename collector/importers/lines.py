"""The text of a file of unknown encoding, line by line, with a bound on what is held in memory."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from typing import BinaryIO

from archive.vocabulary import Unmapped

HEAD_BYTES = 65_536
MAX_RECORD = 8_000_000  # characters of one line, row or JSON value

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_lines(stream: BinaryIO, limit: int = MAX_RECORD) -> Iterator[str | Unmapped]:
    """The lines of a file, each with its line end; one longer than ``limit`` becomes an ``Unmapped``."""
    reader = TextReader(stream)
    number = 0
    while line := reader.readline(limit + 1):
        number += 1
        if len(line) <= limit or line.endswith("\n"):
            yield line
        else:
            yield too_long(limit, len(line) + skip_rest(reader), f"line {number}")


def too_long(limit: int, size: int, where: str) -> Unmapped:
    """What becomes of a record that is too large to be a post."""
    return Unmapped(f"longer than {limit:,} characters ({size:,})", None, where)


def decoded(data: bytes) -> str:
    """The text of some bytes: UTF-8, else Windows-1252."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def decoded_head(data: bytes) -> str:
    """The text of a file's first bytes, which may end in the middle of a character.

    Where lines end with carriage returns alone, these are made the usual ones.
    """
    text = _decoded_head(data)
    return text if "\n" in text else text.replace("\r", "\n")


def _decoded_head(data: bytes) -> str:
    encoding = _encoding(data)
    if encoding == "utf-16":
        return data[: len(data) // 2 * 2].decode("utf-16", errors="replace")
    data = data.removeprefix(codecs.BOM_UTF8)
    for cut in range(4):
        try:
            return data[: len(data) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
    return data.decode("cp1252", errors="replace")


class TextReader:
    """``readline`` over a binary stream that need not seek.

    Encodings: UTF-8, UTF-16 with a byte order mark, and piece by piece Windows-1252 for what is not
    UTF-8. Lines end with ``\\n``; with ``\\r`` alone where the file knows nothing else.
    """

    def __init__(self, stream: BinaryIO) -> None:
        head = stream.read(HEAD_BYTES)
        source = io.BufferedReader(Rejoined(head, stream), HEAD_BYTES)
        encoding = _encoding(head)
        self._text: io.TextIOWrapper | None = None
        if encoding == "utf-16" or (b"\r" in head and b"\n" not in head):
            # newline=None also turns lone carriage returns into line ends.
            self._text = io.TextIOWrapper(source, encoding, errors="replace", newline=None)
        elif encoding == "utf-8-sig":
            source.read(len(codecs.BOM_UTF8))
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def readline(self, size: int) -> str:
        """The next line, or its next piece of at most ``size``; empty at the end of the file."""
        if self._text is not None:
            return self._text.readline(size)
        data = self._source.readline(size)
        pending = self._decoder.getstate()[0]
        try:
            ended = len(data) < size and not data.endswith(b"\n")
            return self._decoder.decode(data, final=ended)
        except UnicodeDecodeError:
            self._decoder.reset()
            return decoded(pending + data)


class Rejoined(io.RawIOBase):
    """A stream from whose beginning some bytes were already taken."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._head[: len(buffer)]
        self._head = self._head[len(data) :]
        data = data or self._rest.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _encoding(head: bytes) -> str:
    return next((name for mark, name in _BOMS if head.startswith(mark)), "utf-8")


def skip_rest(reader: TextReader) -> int:
    """Read to the end of the line; the number of characters passed over."""
    size = 0
    while piece := reader.readline(HEAD_BYTES):
        size += len(piece)
        if piece.endswith("\n"):
            break
    return size
