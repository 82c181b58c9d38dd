"""Streams that end early instead of failing: where a file is damaged, or asks more than the limits allow."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MEGABYTE = 1_000_000
_RATIO_FROM = 16 * _MEGABYTE  # below this size no ratio is a danger
#: What reading damaged files raises.
BROKEN = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may ask of us: bytes unpacked, how often its own size, files, nesting, time."""

    max_bytes: int = 20_000 * _MEGABYTE
    max_ratio: int = 200
    max_members: int = 1_000
    max_depth: int = 2
    max_seconds: float = 4 * 3600


class Budget:
    """What is left of the limits while one file is read."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self._clock = clock
        self._until = clock() + limits.max_seconds
        self._bytes = 0

    def exceeded(self, size: int) -> str | None:
        """Count some bytes; the limit that they go beyond, if any."""
        self._bytes += size
        if self._bytes > self.limits.max_bytes:
            return f"it unpacks to more than {self.limits.max_bytes:,} bytes"
        if self._clock() > self._until:
            return f"reading took longer than {self.limits.max_seconds:,.0f} seconds"
        return None


class Source(io.RawIOBase):
    """A stream of a member that ends where damage or a limit is met, and then tells so."""

    def __init__(
        self, inner: BinaryIO, budget: Budget, packed: Callable[[], int] | None, stack: ExitStack
    ) -> None:
        # read() of a buffered stream loses what it has collected when damage stops it; read1() does not.
        self._read = getattr(inner, "read1", inner.read)
        self._budget = budget
        self._packed = packed
        self._stack = stack
        self._size = 0
        self.damage: str | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read on; nothing more after damage."""
        if self.damage is not None:
            return 0
        try:
            data: bytes = self._read(len(buffer))
        except BROKEN as error:
            self.damage = damage_of(error)
            return 0
        self._size += len(data)
        self.damage = self._budget.exceeded(len(data)) or self._swollen()
        if self.damage is not None:
            return 0
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close everything that was opened for it."""
        if not self.closed:
            self._stack.close()
        super().close()

    def _swollen(self) -> str | None:
        if self._packed is None or self._size < _RATIO_FROM:
            return None
        most = self._budget.limits.max_ratio
        if self._size <= most * max(self._packed(), 1):
            return None
        return f"it unpacks to more than {most} times its size, as no real archive does"


def unreadable(reason: str, budget: Budget) -> Source:
    """A stream with nothing in it but the reason."""
    source = Source(io.BytesIO(), budget, None, ExitStack())
    source.damage = reason
    return source


def damage_of(error: BaseException) -> str:
    """What to say of an exception that reading ended with."""
    if isinstance(error, RuntimeError) and "password" in str(error):
        return "it is encrypted: unpack it with its password and import that"
    if isinstance(error, NotImplementedError):
        return "it is packed in a way that cannot be read here: unpack it and import that"
    return f"the file is damaged from here on ({str(error) or type(error).__name__})"


class Watched(io.FileIO):
    """The file on disk, telling how far it has been read."""

    def __init__(self, path: Path, seen: Callable[[int], None] | None) -> None:
        super().__init__(path)
        self._seen = seen

    def read(self, size: int | None = -1) -> bytes:
        """As every file; where it stands is told afterwards."""
        data = super().read(-1 if size is None else size)
        if self._seen is not None:
            self._seen(self.tell())
        return data


class Counter(io.RawIOBase):
    """A stream that counts what was read from it."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """Read on, counting."""
        data = self._inner.read(size)
        self.size += len(data)
        return data
