"""The values of JSON files, streamed: one a line, the elements of an array, or spread over many lines."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

from archive.vocabulary import Unmapped
from collector.importers.lines import MAX_RECORD, TextReader, skip_rest, too_long

MAX_PAYLOAD = 100_000  # characters kept of a record that could not be mapped

_PIECE = 65_536
_NEAR = 16  # a value cut off by the end of the buffer fails within this distance of it
_BLANK = re.compile(r"[ \t\r\n]*")
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    r"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON value of a file; ``text`` is its source where it stands alone there."""

    value: Any
    where: str
    text: str | None = None

    @property
    def raw(self) -> str:
        """The value as JSON text."""
        return self.text if self.text is not None else dump(self.value)


def dump(value: Any) -> str:
    """Compact JSON text."""
    return _ENCODE(value)


def unmapped(reason: str, payload: str | None, where: str) -> Unmapped:
    """An ``Unmapped`` whose payload is cut to a size worth keeping."""
    return Unmapped(reason, payload if payload is None else payload[:MAX_PAYLOAD], where)


def loads(text: str, *, once: bool = False) -> Any:
    """The value of a JSON text. ValueError says what is wrong with it, however hostile it is.

    ``once``: an object that names a key twice is refused too, since nobody can say which of them is meant.
    """
    try:
        value = (_ONCE if once else _DECODER).decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _refuse_surrogates(text, value)
    return value


def json_records(stream: BinaryIO, limit: int = MAX_RECORD) -> Iterator[Record | Unmapped]:
    """The values of a JSON file; never more than one line or element of it is held.

    What is damaged becomes an ``Unmapped``, and reading goes on at the next line or element.
    """
    reader = TextReader(stream)
    skipped = 0
    while (first := reader.readline(_PIECE)) and not first.strip():
        skipped += first.endswith("\n")
    if first.lstrip().startswith("["):
        yield from _spread(_Scanner(reader, first, limit))
        return
    first = _whole_line(reader, first, limit)
    if len(first) > limit:
        yield from _one_a_line(reader, [first], skipped, limit)
        return
    second = _whole_line(reader, reader.readline(_PIECE), limit)
    if first.lstrip().startswith("{") and _goes_on(first, second):
        yield from _spread(_Scanner(reader, first + second, limit))
    else:
        yield from _one_a_line(reader, [first, second], skipped, limit)


def _one_a_line(reader: TextReader, lines: list[str], number: int, limit: int) -> Iterator[Record | Unmapped]:
    while lines or (line := _whole_line(reader, reader.readline(_PIECE), limit)):
        line = lines.pop(0) if lines else line
        number += 1
        text = line.strip()
        if len(line) > limit and not line.endswith("\n"):
            yield too_long(limit, len(line) + skip_rest(reader), f"line {number}")
        elif text:
            yield _record(text, f"line {number}")


def _record(text: str, where: str) -> Record | Unmapped:
    try:
        return Record(loads(text), where, text)
    except ValueError as error:
        return unmapped(f"damaged JSON: {_reason(error)}", text, where)


def _spread(scanner: _Scanner) -> Iterator[Record | Unmapped]:
    """The values of documents that span lines; of an array its elements."""
    number = 0
    inside = False
    while char := scanner.next_char():
        if char == "[" and not inside:
            inside = True
            scanner.position += 1
        elif char in ",]":
            inside = inside and char == ","
            scanner.position += 1
        else:
            number += 1
            where = f"record {number}"
            try:
                value, text = scanner.value()
            except ValueError as error:
                payload = scanner.rest()
                lost = "" if scanner.resume() else "; nothing after it could be read"
                yield unmapped(f"damaged JSON: {_reason(error)}{lost}", payload, where)
                inside = inside and scanner.next_char() != "["
            else:
                yield Record(value, where, text)


class _Scanner:
    """Cuts JSON values out of a text that is read as it is needed."""

    def __init__(self, reader: TextReader, start: str, limit: int) -> None:
        self._reader = reader
        self._buffer = start
        self._limit = limit
        self._ended = False
        self.position = 0

    def next_char(self) -> str:
        """Skip blanks; the character that follows, empty at the end."""
        while True:
            match = _BLANK.match(self._buffer, self.position)
            self.position = match.end() if match else self.position
            if self.position < len(self._buffer) or not self._fill():
                return self._buffer[self.position : self.position + 1]

    def value(self) -> tuple[Any, str]:
        """The value that begins here, and its text; ValueError where it is damaged or too long."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self.position)
            except json.JSONDecodeError as error:
                if len(self._buffer) - self.position > self._limit:
                    raise ValueError(f"longer than {self._limit:,} characters") from None
                if not self._cut_off(error) or not self._fill():
                    raise
            except RecursionError:
                raise ValueError("nested too deeply") from None
            else:
                text = self._buffer[self.position : end]
                if len(text) > self._limit:
                    raise ValueError(f"longer than {self._limit:,} characters")
                _refuse_surrogates(text, value)
                self.position = end
                return value, text

    def rest(self) -> str:
        """What of a damaged value has been read, up to the end of its line."""
        end = self._buffer.find("\n", self.position)
        return self._buffer[self.position : end if end >= 0 else None][:MAX_PAYLOAD]

    def resume(self) -> bool:
        """Go on after a damaged value: at the next line that begins as its own line did."""
        line = self._buffer.rfind("\n", 0, self.position) + 1
        indent = self._buffer[line : self.position].removeprefix("[")
        mark = re.compile(rf"\n{re.escape(indent if not indent.strip() else '')}(?=[{{\[])")
        self.position += 1
        while not (match := mark.search(self._buffer, self.position)):
            self.position = max(self.position, len(self._buffer) - len(indent) - 2)
            if not self._fill():
                self.position = len(self._buffer)
                return False
        self.position = match.end()
        return True

    def _cut_off(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._buffer) - _NEAR

    def _fill(self) -> bool:
        """Read on, twice as much as is waiting, so that a long value is tried a few times only."""
        if self._ended:
            return False
        waiting = len(self._buffer) - self.position
        # The beginning of the current line stays: its indentation says where to go on after damage.
        keep = max(self._buffer.rfind("\n", 0, self.position), self.position - _PIECE, 0)
        pieces = [self._buffer[keep:]]
        read = 0
        while read <= waiting and (piece := self._reader.readline(_PIECE)):
            pieces.append(piece)
            read += len(piece)
        self._ended = read <= waiting
        self._buffer = "".join(pieces)
        self.position -= keep
        return read > 0


def _whole_line(reader: TextReader, start: str, limit: int) -> str:
    pieces = [start]
    size = len(start)
    while size <= limit and pieces[-1] and not pieces[-1].endswith("\n"):
        pieces.append(reader.readline(_PIECE))
        size += len(pieces[-1])
    return "".join(pieces)


def _goes_on(first: str, second: str) -> bool:
    """Whether a document that begins in the first line goes on in the second."""
    if not second.strip() or second.startswith("{"):
        return False
    try:
        loads(first)
    except ValueError:
        return True
    return False


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.colno}"
    return "a number with too many digits" if "digits" in str(error) else str(error)


def _refuse_surrogates(text: str, value: Any) -> None:
    if _LONE_SURROGATE.search(text):
        try:
            dump(value).encode()
        except (UnicodeEncodeError, RecursionError):
            raise ValueError("half a character (a lone surrogate)") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number with too many digits")
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key that stands twice in one object")
    return found


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_ONCE = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_each_once)
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
