"""Files as they come: plain, gzip, zip, and these inside each other; read as streams, within limits.

What a file is says its first bytes, never its name. Nothing is ever unpacked to a named file. Damage and
limits end a stream early (``streams``): what was read until then is good.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal, cast

from archive.errors import InputError
from collector.streams import BROKEN, Budget, Counter, Limits, Source, Watched, damage_of, unreadable

_MEGABYTE = 1_000_000
_ENTRY_BYTES = 2_000  # more than a member's entry in the list of a zip needs, its name included
_IN_MEMORY = 8 * _MEGABYTE  # of a zip inside a zip; more of it waits in an unnamed temporary file
_FOREIGN = (
    (b"%PDF", "a PDF"),
    (b"SQLite format 3\0", "a database"),
    (b"BZh", "packed with bzip2"),
    (b"\xfd7zXZ\0", "packed with xz"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"7z\xbc\xaf\x27\x1c", "packed with 7-Zip"),
    (b"Rar!", "packed with RAR"),
    (b"PAR1", "a Parquet file"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"RDX", "an R data file"),
)


@dataclass(frozen=True, slots=True)
class Member:
    """A file that can be read, alone or inside others; ``name`` is for messages only."""

    name: str
    open: Callable[[], Source]


def members(
    path: Path,
    limits: Limits | None = None,
    *,
    clock: Callable[[], float] = time.monotonic,
    seen: Callable[[int], None] | None = None,
) -> Iterator[Member]:
    """The readable files in a file, in its order: itself, or what it holds.

    ``seen`` is told how many bytes of the file on disk have been passed. InputError says why a file
    cannot be read at all.
    """
    budget = Budget(limits or Limits(), clock)

    def opened() -> tuple[BinaryIO, None, ExitStack]:
        stack = ExitStack()
        return cast(BinaryIO, stack.enter_context(Watched(path, seen))), None, stack

    try:
        if path.is_dir():
            raise InputError(f"{path.name} is a folder: name the files in it.")
        if path.stat().st_size == 0:
            raise InputError(f"{path.name} is empty: was it written to the end?")
        opened()[2].close()  # what cannot be opened at all is no damage
        found = _members(path.name, opened, budget, 0)
        for position, member in enumerate(found):
            if position >= budget.limits.max_members:
                raise InputError(f"{path.name} holds more than {budget.limits.max_members:,} files.")
            yield member
    except FileNotFoundError:
        raise InputError(f"There is no file {path.name}: check the path.") from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror or error}.") from None


_Opened = tuple[BinaryIO, Callable[[], int] | None, ExitStack]
_Form = Literal["plain", "gzip", "zip"]


def _members(name: str, opened: Callable[[], _Opened], budget: Budget, depth: int) -> Iterator[Member]:
    """The files in one that can be opened again and again."""
    form = _form(name, opened, budget)
    if form == "plain":
        yield Member(name, lambda: _source(opened, budget))
    elif depth >= budget.limits.max_depth:
        raise InputError(f"{name}: packed more than {budget.limits.max_depth} times; unpack it first.")
    elif form == "gzip":
        yield from _members(name, lambda: _unzipped(opened, budget), budget, depth + 1)
    else:
        yield from _zip_members(name, opened, budget, depth)


def _source(opened: Callable[[], _Opened], budget: Budget) -> Source:
    try:
        inner, packed, stack = opened()
    except (*BROKEN, ValueError) as error:  # ValueError: a name in a zip that cannot be decoded
        return unreadable(damage_of(error), budget)
    return Source(inner, budget, packed, stack)


def _form(name: str, opened: Callable[[], _Opened], budget: Budget) -> _Form:
    with _source(opened, budget) as source:
        head = source.read(512) or b""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    foreign = next((what for mark, what in _FOREIGN if head.startswith(mark)), None)
    if foreign is None and head[257:262] == b"ustar":
        foreign = "a tar archive"
    if foreign is not None:
        raise InputError(f"{name} is {foreign}: unpack it, or save what is in it as text, and import that.")
    return "plain"


def _unzipped(opened: Callable[[], _Opened], budget: Budget) -> _Opened:
    """The inside of a gzip; each layer counts against the limits for itself."""
    outer, _, stack = opened()
    counter = Counter(outer)
    inner = gzip.GzipFile(fileobj=cast(BinaryIO, counter))
    stack.enter_context(inner)
    return cast(BinaryIO, inner), lambda: counter.size, stack


def _zip_members(name: str, opened: Callable[[], _Opened], budget: Budget, depth: int) -> Iterator[Member]:
    with _zip(name, opened, budget) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir() and not _is_litter(info.filename)]
    if any(info.filename == "[Content_Types].xml" for info in infos):
        raise InputError(f"{name} is an Office document: save it as CSV (UTF-8) and import that.")
    if len(infos) > budget.limits.max_members:
        raise InputError(f"{name} holds more than {budget.limits.max_members:,} files.")
    for info in infos:

        def open_info(info: zipfile.ZipInfo = info) -> _Opened:
            stack = ExitStack()
            try:
                archive = stack.enter_context(_zip(name, opened, budget))
                return (
                    cast(BinaryIO, stack.enter_context(archive.open(info))),
                    lambda: info.compress_size,
                    stack,
                )
            except BaseException:
                stack.close()
                raise

        inside = f"{name}/{_shown(info.filename)}"
        try:
            yield from _members(inside, open_info, budget, depth + 1)
        except InputError as error:
            yield Member(inside, partial(unreadable, str(error), budget))


@contextmanager
def _zip(name: str, opened: Callable[[], _Opened], budget: Budget) -> Iterator[zipfile.ZipFile]:
    """An open zip file; one inside another is first copied to memory or an unnamed temporary file."""
    outer, packed, stack = opened()
    with stack, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        if not isinstance(outer, Watched):
            shutil.copyfileobj(Source(outer, budget, packed, ExitStack()), copy)
            outer = cast(BinaryIO, copy)
        if _directory_size(outer) > budget.limits.max_members * _ENTRY_BYTES:
            raise InputError(f"{name} holds more than {budget.limits.max_members:,} files.")
        try:
            archive = zipfile.ZipFile(outer)
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
            raise InputError(f"{name} is a damaged zip file ({error}): get it again.") from None
        with archive:
            yield archive


def _directory_size(file: BinaryIO) -> int:
    """The size that a zip file gives for its list of members, which is read into memory as a whole."""
    end = file.seek(0, io.SEEK_END)
    file.seek(max(0, end - 65_557))  # the record below and the longest comment
    tail = file.read()
    start = tail.rfind(b"PK\x05\x06")
    return int.from_bytes(tail[start + 12 : start + 16], "little") if start >= 0 else 0


def _is_litter(name: str) -> bool:
    """What operating systems add to a zip beside what people put into it."""
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] in (".DS_Store", "Thumbs.db")


def _shown(name: str) -> str:
    """A member's name, which may hold anything, as part of a message."""
    return "".join(char if char.isprintable() else "?" for char in name)[:200]
