"""One file into an archive: find its format, read it, write it in batches, remember how far it came."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

from archive.errors import InputError
from archive.store import Archive, Checkpoint
from archive.vocabulary import Arm, Counts, Item, Meeting, Received, Unmapped
from collector import clocks, importers
from collector.containers import Member, members
from collector.importers import native
from collector.importers.base import HEAD_BYTES, Context, Head, Importer, head_of
from collector.importers.private import hushed
from collector.streams import Limits

BATCH = 1_000
_BATCH_CHARACTERS = 10_000_000
_IDENTITY_BYTES = 1_000_000
_FEW = 8  # control characters that stand in text by mistake

Progress = Callable[[int, int, Counts], None]


@dataclass(slots=True)
class ImportResult:
    """What became of one file; ``notes`` are sentences for the person who imports it."""

    counts: Counts = field(default_factory=Counts)
    format: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Part:
    """A member with the importer that reads it."""

    member: Member
    importer: Importer
    context: Context


def import_file(
    archive: Archive,
    meeting: Meeting,
    path: Path,
    *,
    format: str | None = None,
    zone: ZoneInfo | None = None,
    date: date | None = None,
    arm: Arm | None = None,
    progress: Progress | None = None,
    batch: int = BATCH,
    limits: Limits | None = None,
) -> ImportResult:
    """Import every post of a file, whatever its time or hashtag.

    ``progress`` is called after each batch with the bytes of the file read, its size, and the counts.
    An import of the very same file that was interrupted goes on where it stopped; a finished one is
    read again. InputError says why a file cannot be imported at all.
    """
    result = ImportResult()
    if native.is_empty_table(path):
        return ImportResult(format=native.NAME)
    read_bytes = 0

    def seen(position: int) -> None:
        nonlocal read_bytes
        read_bytes = position

    context = _context(meeting, path, date, zone, arm)
    forced = importers.find(format) if format else None
    parts = _parts(path, forced, context, limits, seen, result)
    size = path.stat().st_size
    identity = _identity(path, size, parts, context)
    reached = archive.checkpoint(identity)
    if reached is None or reached.finished:
        reached = Checkpoint(identity, result.format)
    else:
        result.notes.append(f"Going on after {reached.position:,} records of an interrupted import.")
    items = islice(_items(parts, result), reached.position, None)
    for found in _batches(items, batch):
        reached = archive.write_from(reached, found)
        if progress is not None:
            progress(read_bytes, size, reached.counts)
    archive.save_checkpoint(replace(reached, finished=True))
    result.counts = reached.counts
    if not result.counts.read and result.format != native.NAME:
        result.notes.append("No record was found in it: is it whole, and of this format?")
    return result


def files_of(path: Path) -> list[Path]:
    """What a path stands for: itself, or the tables in a folder that our own export wrote."""
    return sorted(path.glob("*.ndjson")) if (path / native.POSTS_FILE).is_file() else [path]


def read_file(
    meeting: Meeting,
    path: Path,
    *,
    format: str | None = None,
    date: date | None = None,
    zone: ZoneInfo | None = None,
    arm: Arm | None = None,
    limits: Limits | None = None,
) -> Iterator[Item]:
    """The items of a file in its own order, without an archive: for a replay, for a folder that is watched.

    Raises InputError.
    """
    result = ImportResult()
    context = _context(meeting, path, date, zone, arm)
    forced = importers.find(format) if format else None
    yield from _items(_parts(path, forced, context, limits, lambda _: None, result), result)


def _context(
    meeting: Meeting, path: Path, day: date | None, zone: ZoneInfo | None, arm: Arm | None
) -> Context:
    """What an importer is told; where nothing is said, by the meeting file's source for that folder."""
    for source in meeting.sources:
        folder = source.settings.get("path")
        if source.kind == "folder" and folder and Path(folder).name == path.absolute().parent.name:
            known = source.settings.get("date")
            day = day or (date.fromisoformat(known) if isinstance(known, str) else known)
            arm = arm or source.arm
    return Context(meeting, path.name, day, zone, arm)


def _parts(
    path: Path,
    forced: Importer | None,
    context: Context,
    limits: Limits | None,
    seen: Callable[[int], None],
    result: ImportResult,
) -> list[_Part]:
    """The members that can be imported, each with its importer and what it needs to know."""
    found = list(members(path, limits, seen=seen))
    parts = []
    unknown = []
    for member in found:
        head, damage = _head(member)
        reason = _no_text(head) if head.data else damage or "it is empty"
        importer = _sniffed(head, forced)
        if forced and importer is None and not reason:
            # Damage may hide that it is of this format, unless it is plainly of another.
            other = _sniffed(head, None)
            reason = f"it is no {forced.NAME} but {other.NAME}: leave --format out" if other else None
            importer = forced if len(found) == 1 else None
        if reason or importer is None:
            unknown.append((member.name, reason or f"no known format begins with {head.text.strip()[:60]!r}"))
            continue
        own = replace(context, file=member.name)
        parts.append(_Part(member, importer, _with_zone(member, importer, own, result)))
    if not parts:
        reasons = " ".join(f"{name}: {reason}." for name, reason in unknown[:5])
        raise InputError(f"{reasons or f'{path.name} holds no files.'} {known_formats()}")
    result.notes += [f"{name} was left out: {reason}." for name, reason in unknown]
    result.format = "+".join(dict.fromkeys(part.importer.NAME for part in parts))
    if untried := [part.importer.TITLE for part in parts if not part.importer.TRIED]:
        result.notes.append(
            f"{untried[0]}: this format was never tried on a real file; look at what came in."
        )
    return parts


def known_formats() -> str:
    """The sentence that helps after a file of no known format."""
    titles = "; ".join(f"{importer.NAME} = {importer.TITLE}" for importer in importers.IMPORTERS)
    return f"Known formats, which --format names: {titles}."


def importer_of(head: Head, forced: Importer | None = None) -> Importer | None:
    """The importer of a text that begins like this: the one asked for, where it is of its format."""
    return None if _no_text(head) else _sniffed(head, forced)


def _head(member: Member) -> tuple[Head, str | None]:
    with member.open() as source:
        data = bytearray()
        while len(data) < HEAD_BYTES and (piece := source.read(HEAD_BYTES - len(data))):
            data += piece
        return head_of(bytes(data)), source.damage


def _sniffed(head: Head, forced: Importer | None) -> Importer | None:
    candidates = [forced] if forced else importers.IMPORTERS
    return next((importer for importer in candidates if importer.sniff(head)), None)


def _no_text(head: Head) -> str | None:
    """Why a file cannot be of any format: it is empty, or binary."""
    if not head.text.strip():
        return "it is empty"
    control = sum(char < " " and char not in "\t\r\n\f" for char in head.text)
    if control <= max(_FEW, len(head.text) / 100):
        return None
    return "it is no text but binary data, or in an encoding not known here: save it as UTF-8"


def _with_zone(member: Member, importer: Importer, context: Context, result: ImportResult) -> Context:
    """The context with the zone that the file's own ids tell, where its times have none."""
    times = getattr(importer, "times", None)
    if times is None or context.zone is not None:
        return context
    with member.open() as source:
        finding = clocks.find_zone(times(cast(BinaryIO, source), context), context.meeting.zone)
    if finding is None:
        return context
    result.notes.append(finding.note())
    return replace(context, zone=finding.zone)


def _items(parts: Sequence[_Part], result: ImportResult) -> Iterator[Item]:
    """The items of all members, one after another; damage to a file is an item of its own."""
    for part in parts:
        with part.member.open() as source:
            yield from hushed(part.importer.read(cast(BinaryIO, source), part.context))
            if source.damage is not None:
                result.notes.append(f"{part.member.name}: {source.damage}. What came before it is in.")
                yield Unmapped(source.damage, None, part.member.name)


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Batches of at most ``size`` items, smaller ones where the payloads are large."""
    found: list[Item] = []
    weight = 0
    for item in items:
        found.append(item)
        weight += len(item.raw or "") if isinstance(item, Received) else 0
        if len(found) == size or weight > _BATCH_CHARACTERS:
            yield found
            found, weight = [], 0
    if found:
        yield found


def _identity(path: Path, size: int, parts: Sequence[_Part], context: Context) -> str:
    """What makes an import the same as an earlier one: the file's name, size, beginning, and the options."""
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(_IDENTITY_BYTES))
    formats = [part.importer.NAME for part in parts]
    digest.update(repr((formats, context.date, str(context.zone), context.arm)).encode())
    name = path.name.encode("utf-8", "backslashreplace").decode()  # of an old archive it may be in Latin-1
    return f"{name}:{size}:{digest.hexdigest()[:32]}"
