"""One file of a watched folder: what of it is new, however it is written.

A chat of lines is read on where reading stopped (its importer has a ``Tail``), so that growth costs what
was added. Every other format is read anew when the file has changed, and only what was not yielded
before comes out. A file is *settled* when nothing has happened to it for a while: only then is its
end believed, half a line included, and only then is said what of it cannot be read.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from archive.errors import InputError
from archive.vocabulary import Arm, Deleted, Item, Meeting, Private, Received, Skipped, Unmapped
from collector.importers.base import HEAD_BYTES, MAX_RECORD, Context, Importer, decoded, head_of
from collector.importers.lines import too_long
from collector.importers.private import Net
from collector.importing import importer_of, read_file
from collector.sources.base import Heard

_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_CHUNK = 1_000_000
_EDGE = 512  # bytes at both ends of what was read, by which a rewritten file is known
_REMEMBERED = 100_000  # items of one file; what is forgotten is yielded again, which changes nothing
_SHOWN = 100_000  # characters of a message that is shown while it still grows
_IDLE = 9  # reading a file anew takes a tenth of the time at most
_WHOLE = 50  # comparing a growing file with what was read of it takes a fiftieth
_REST = 60.0  # seconds, if it waited for the archive meanwhile
_QUIET = 1_000  # items already known after which a sign of life is due
_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)
_BEGINS = re.compile(r"no known format begins with .*(?=\. Known formats)", re.DOTALL)


class Stamp(NamedTuple):
    """What tells that a file has changed."""

    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, found: os.stat_result) -> Stamp:
        """The stamp of a file as the system describes it."""
        return cls(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class Mark(NamedTuple):
    """How far a file was read. ``done`` is true where it was settled, and nothing of it is owed."""

    stamp: Stamp
    position: int
    digest: str
    done: bool

    @classmethod
    def read(cls, value: Any) -> Mark:
        """The mark that ``flat`` made. Raises ValueError."""
        *stamp, position, digest, done = value
        if len(stamp) != 4 or not all(type(part) is int for part in (*stamp, position)):
            raise ValueError("no mark of a file")
        return cls(Stamp(*stamp), position, str(digest), bool(done))

    def flat(self) -> list[int | str]:
        """As the cursor keeps it."""
        return [*self.stamp, self.position, self.digest, int(self.done)]


@dataclass(frozen=True, slots=True)
class How:
    """What a folder's files are read with. ``settle`` is the seconds after which a file is settled."""

    meeting: Meeting
    clock: Callable[[], datetime]
    forced: Importer | None
    arm: Arm
    day: Callable[[Path], date | None]
    settle: float


class _Tail(Protocol):
    """What an importer of lines offers beside ``read``: see ``collector.importers.zoom.Tail``."""

    def feed(self, lines: Iterator[str | Unmapped]) -> Iterator[Item]: ...

    def unfinished(self, half: str | None = None) -> list[Item]: ...

    def may_turn(self, item: Item) -> bool: ...


class WatchedFile:
    """A file, looked at again and again. ``name`` is for messages; ``mark`` what was read before."""

    def __init__(self, path: Path, name: str, how: How, mark: Mark | None = None) -> None:
        self.path = path
        self.name = name
        self.label: str | None = None
        self._how = how
        self._mark = mark
        self._stamp = mark.stamp if mark else None
        self._done = mark.done if mark else False
        self._since: datetime | None = None
        self._not_before = 0.0
        self._observed = datetime.min.replace(tzinfo=UTC)
        self._lines: _Lines | None = None
        self._memory = _Memory()
        self.problem: str | None = None  # why it cannot be read as a whole

    @property
    def mark(self) -> Mark | None:
        """How far it was read, for the cursor; None before anything was."""
        if self._stamp is None:
            return None
        if self._lines is not None:
            return Mark(self._stamp, self._lines.position, self._lines.digest, self._done)
        if self._mark is not None:
            return self._mark
        return Mark(self._stamp, 0, "", self._done)

    def look(self, stamp: Stamp) -> Iterator[Item | Heard]:
        """What is new, if anything happened to the file. ``stamp`` is what its folder says of it."""
        now = self._how.clock()
        if self._since is None or stamp != self._stamp:
            known = None if self._since is None else now
            self._since = known or _first_seen(now, stamp)
        settled = (now - self._since).total_seconds() >= self._how.settle
        if stamp == self._stamp and (self._done or not settled):
            return
        try:
            with _opened(self.path) as file:
                yield from self._read(file, settled)
        except FileNotFoundError:
            return  # gone between the look at its folder and this one
        except (OSError, InputError) as error:
            self._lines = self._mark = None
            self._stamp, self._done = stamp, settled
            if settled or isinstance(error, OSError):
                yield from self._say(_reason(error, self._how))

    def _read(self, file: int, settled: bool) -> Iterator[Item | Heard]:
        stamp = Stamp.of(os.fstat(file))
        if self._lines is not None and self._lines.goes_on(file, self._stamp, stamp, settled):
            yield from self._received(self._lines.read(file, stamp.size, settled))
            self._stamp, self._done = stamp, settled
            return
        # Not what was read before: from its beginning. What it no longer holds was not deleted by
        # anybody; a tool that saves only the last hour would otherwise empty the archive.
        self._lines = None
        began = time.monotonic()
        if began >= self._not_before:
            yield from self._read_anew(file, stamp, settled)
            ended = time.monotonic()
            self._not_before = ended + min(_IDLE * (ended - began), _REST)

    def _read_anew(self, file: int, stamp: Stamp, settled: bool) -> Iterator[Item | Heard]:
        self._lines = self._begin(file, stamp, settled)
        if self._lines is not None:
            yield from self._received(self._not_again(self._lines.read(file, stamp.size, settled)))
            self._stamp, self._done, self._mark, self.problem = stamp, settled, None, None
        elif stamp.size:
            yield from self._whole(file, stamp, settled)
        else:
            self._stamp, self._done, self._mark = stamp, True, None

    def _begin(self, file: int, stamp: Stamp, settled: bool) -> _Lines | None:
        """A reader of lines, where the file is of a format that can be read so."""
        head = _bytes_at(file, HEAD_BYTES, 0)
        if head.startswith(_UTF_16) or (b"\n" not in head and b"\r" in head):
            return None
        importer = importer_of(head_of(head), self._how.forced)
        tail = getattr(importer, "Tail", None)
        if importer is None or tail is None or not (settled or b"\n" in head):
            return None
        self.label = self.label or importer.NAME
        known, self._mark = self._mark, None
        context = Context(self._how.meeting, self.name, self._how.day(self.path), arm=self._how.arm)
        lines = _Lines(tail(context))
        if known is None or not known.digest or not 0 < known.position <= stamp.size:
            return lines
        # After a restart: what was read before is read again for what it tells of the rest.
        for _ in lines.read(file, known.position, False):
            pass
        if (lines.position, lines.digest) == (known.position, known.digest):
            return lines
        return _Lines(tail(context))

    def _whole(self, file: int, stamp: Stamp, settled: bool) -> Iterator[Item | Heard]:
        """A file of another format, from beginning to end; without its last item while it may be cut off."""
        ended = settled or _bytes_at(file, 1, stamp.size - 1) in (b"\n", b"]", b"}")
        begun = _bytes_at(file, 2, 0)
        if not ended and b"\n" not in _bytes_at(file, HEAD_BYTES, 0) and begun[:1] not in (b"[", b"{"):
            self._stamp, self._done = stamp, False
            return
        how = self._how
        forced = how.forced.NAME if how.forced else None
        found = read_file(how.meeting, self.path, format=forced, date=how.day(self.path), arm=how.arm)
        yield from self._received(self._new(found, ended, settled, stamp))
        self._stamp, self._done, self._mark = stamp, settled, None
        if settled:
            self.problem = None

    def _new(self, items: Iterator[Item], ended: bool, settled: bool, stamp: Stamp) -> Iterator[Item | Heard]:
        self._memory.again()
        known = 0
        for item, is_last in _with_last(items):
            if is_last and not settled and not (ended and self._unchanged(stamp)):
                return
            # What cannot be read of a file that is being written may be whole a moment later.
            if isinstance(item, Unmapped) and not settled:
                continue
            if self._memory.is_new(item):
                yield item
            elif (known := known + 1) % _QUIET == 0:
                yield Heard()

    def _not_again(self, items: Iterator[Item | Heard]) -> Iterator[Item | Heard]:
        """The items of a chat read from its beginning, without the damage that was said before.

        Posts all come again: what stands there now is the newest that was seen of them.
        """
        self._memory.again()
        for item in items:
            if isinstance(item, Heard | Received) or self._memory.is_new(item):
                yield item

    def _unchanged(self, stamp: Stamp) -> bool:
        try:
            return Stamp.of(os.stat(self.path)) == stamp
        except OSError:
            return False

    def _received(self, items: Iterator[Item | Heard]) -> Iterator[Item | Heard]:
        """The items with the time of this look, which decides between two versions of a message."""
        # A clock that was put back must not make an older version win.
        now = self._observed = max(self._how.clock(), self._observed + timedelta(microseconds=1))
        for item in items:
            match item:
                case Received(post, _, observed_at, received_at):
                    self.label = self.label or post.source
                    yield replace(item, observed_at=observed_at or now, received_at=received_at or now)
                case Unmapped() | Private():
                    yield replace(item, where=f"{self.name}, {item.where}")
                case _:
                    yield item

    def _say(self, reason: str) -> Iterator[Unmapped]:
        """Why the file as a whole cannot be read; once, until it can be or another reason is found."""
        if reason != self.problem:
            self.problem = reason
            yield Unmapped(reason, None, self.name)


class _Lines:
    """A growing file of lines: how far it was read, and what was made of its unfinished end."""

    def __init__(self, tail: _Tail) -> None:
        self.position = 0  # where the last whole line ends
        self._tail = tail
        self._net = Net()
        self._hash = blake2b(digest_size=16)
        self._head = self._edge = b""  # the first and the last bytes of what was read
        self._whole_again_at = 0.0
        self._half = b""  # what follows the last whole line
        self._half_shown = False
        self._dropped = 0  # bytes of a line that is too long to be kept
        self._shown: list[Item | None] = []  # of the unfinished messages, as yielded

    @property
    def digest(self) -> str:
        """What the whole lines so far come to."""
        return self._hash.hexdigest()

    @property
    def _offset(self) -> int:
        return self.position + self._dropped + len(self._half)

    def goes_on(self, file: int, before: Stamp | None, now: Stamp, settled: bool) -> bool:
        """Does the file still begin with what was read?

        A file that only grew is compared at both ends of that, and as a whole as often as this takes a
        small part of the time: somebody may have changed a line in the middle. When it settles, always.
        """
        if now.size < self._offset:
            return False
        if before == now and not settled:
            return True
        began = time.monotonic()
        grew = before is not None and before.inode == now.inode and before.size < now.size
        if grew and not settled and began < self._whole_again_at:
            start = self._offset - len(self._edge)
            at_ends = _bytes_at(file, len(self._head), 0), _bytes_at(file, len(self._edge), start)
            return at_ends == (self._head, self._edge)
        same = self._same(file)
        ended = time.monotonic()
        self._whole_again_at = ended + min(_WHOLE * (ended - began), _REST)
        return same

    def read(self, file: int, end: int, settled: bool) -> Iterator[Item | Heard]:
        """The items of what was added up to ``end``, and of the unfinished messages after it."""
        while self._offset < end and (data := _bytes_at(file, min(_CHUNK, end - self._offset), self._offset)):
            yield from self._ended(map(self._net.through, self._tail.feed(self._cut(data))))
            yield Heard()
        # Once half a line was shown it stays so, or the message would shrink before it grows.
        self._half_shown = bool(self._half) and not self._dropped and (settled or self._half_shown)
        half = decoded(self._half) if self._half_shown else None
        certain = settled and half is None
        yield from self._open(self._tail.unfinished(half), settled, certain)

    def _cut(self, data: bytes) -> Iterator[str | Unmapped]:
        """The whole lines of what was read so far, with the bytes that waited for their end."""
        self._head = (self._head + data)[:_EDGE] if self._offset < _EDGE else self._head
        self._edge = (self._edge + data)[-_EDGE:]
        *lines, rest = data.split(b"\n")
        for line in lines:
            first = self.position == 0
            whole = self._half + line + b"\n"
            self._hash.update(whole)
            size = self._dropped + len(whole)
            self.position += size
            dropped, self._dropped, self._half, self._half_shown = self._dropped, 0, b"", False
            if dropped or size > MAX_RECORD:
                yield too_long(MAX_RECORD, size, "")
            else:
                yield decoded(whole.removeprefix(_BOM) if first else whole)
        self._half += rest
        if len(self._half) > MAX_RECORD:
            self._hash.update(self._half)
            self._dropped += len(self._half)
            self._half = b""

    def _ended(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items of ended messages, but for those that were yielded as they are before they ended."""
        for item in items:
            if item != (self._shown.pop(0) if self._shown else None):
                yield item

    def _open(self, items: list[Item], settled: bool, certain: bool) -> Iterator[Item]:
        shown = self._shown
        self._shown = []
        for number, item in enumerate(items):
            before = shown[number] if number < len(shown) else None
            shows = certain or ((settled or _may_be_shown(item)) and not self._tail.may_turn(item))
            if item == before or not shows:
                self._shown.append(before)
            else:
                self._shown.append(item)
                yield item

    def _same(self, file: int) -> bool:
        """Whether all that was read still stands there, byte for byte."""
        found, position = blake2b(digest_size=16), 0
        end = self.position + self._dropped
        while position < end and (data := _bytes_at(file, min(_CHUNK, end - position), position)):
            found.update(data)
            position += len(data)
        half = _bytes_at(file, len(self._half), end)
        return found.hexdigest() == self.digest and half == self._half


class _Memory:
    """What was yielded of a file that is read again and again."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}
        self._times: Counter[tuple[str, str]] = Counter()

    def again(self) -> None:
        """The file is read from its beginning."""
        self._times.clear()

    def is_new(self, item: Item) -> bool:
        """Is this not what stood there when the file was last read?"""
        name = type(item).__name__, _identity(item)
        self._times[name] += 1
        place = hash((*name, self._times[name]))
        if self._known.get(place) == (found := hash(item)):
            return False
        self._known.pop(place, None)
        self._known[place] = found
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        return True


def _identity(item: Item) -> str:
    match item:
        case Received(post):
            return post.key
        case Deleted(key):
            return key
        case Unmapped(where=where) | Private(where):
            return where
        case Skipped(what):
            return what
        case _:
            return item.name


def _may_be_shown(item: Item) -> bool:
    """Whether an unfinished message is yielded: as a post at once; nothing else is certain before its end."""
    match item:
        case Received(_, raw):
            return len(raw or "") <= _SHOWN
        case Unmapped(payload=payload):
            return payload is None
        case _:
            return isinstance(item, Private)


def _with_last(items: Iterator[Item]) -> Iterator[tuple[Item, bool]]:
    """Each item, and whether it is the last one."""
    held: Item | None = None
    for item in items:
        if held is not None:
            yield held, False
        held = item
    if held is not None:
        yield held, True


def _first_seen(now: datetime, stamp: Stamp) -> datetime:
    """Since when a file that we have just found is as it is: a file of yesterday need not settle first."""
    age = now.timestamp() - stamp.modified / 1e9
    return now - timedelta(seconds=min(max(age, 0), 86_400))


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A regular file, opened for reading: never a link put in its place, nor a pipe that would block."""
    file = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(0, "it is no ordinary file")
        yield file
    finally:
        os.close(file)


def _bytes_at(file: int, size: int, position: int) -> bytes:
    os.lseek(file, position, os.SEEK_SET)
    return os.read(file, size)


def _reason(error: OSError | InputError, how: How) -> str:
    if isinstance(error, OSError):
        return f"it cannot be read ({error.strerror or type(error).__name__})"
    if "--date" not in str(error):
        # How it begins is told to a person who imports it; here it could be a private message.
        return _BEGINS.sub("it is of no known format", str(error))
    first = how.meeting.starts.astimezone(how.meeting.zone).date()
    return f"its messages have no date; say in the meeting file which day it was, for example date = {first}"
