from __future__ import annotations

import io
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from collector import streams
from collector.streams import Budget, Counter, Limits, Source, Watched, damage_of, unreadable


def budget(limits: Limits | None = None, seconds: float = 0) -> Budget:
    """A budget whose clock stands still, or jumps once."""
    times = iter((0.0, *[seconds] * 100))
    return Budget(limits or Limits(), lambda: next(times))


class Failing(io.BytesIO):
    """A stream that is damaged after its data."""

    def read1(self, size: int | None = -1) -> bytes:
        data = super().read1(size)
        if not data:
            raise zlib.error("bad block")
        return data


def test_a_stream_gives_what_it_has_and_then_says_why_there_is_no_more() -> None:
    with Source(Failing(b"good"), budget(), None, ExitStack()) as source:
        assert source.readable()
        assert source.read(100) == b"good"
        assert source.read(100) == source.read(100) == b""
        assert source.damage == "the file is damaged from here on (bad block)"


def test_too_many_bytes_and_too_much_time() -> None:
    source = Source(io.BytesIO(b"x" * 30), budget(Limits(max_bytes=25)), None, ExitStack())
    assert [source.read(10) for _ in range(4)] == [b"x" * 10, b"x" * 10, b"", b""]
    assert source.damage == "it unpacks to more than 25 bytes"
    source = Source(io.BytesIO(b"x"), budget(Limits(max_seconds=5), seconds=6), None, ExitStack())
    assert source.read(10) == b""
    assert source.damage == "reading took longer than 5 seconds"


def test_a_ratio_that_no_archive_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_RATIO_FROM", 20)
    source = Source(io.BytesIO(b"x" * 100), budget(Limits(max_ratio=10)), lambda: 3, ExitStack())
    assert [len(source.read(15)) for _ in range(4)] == [15, 15, 0, 0]
    assert "more than 10 times its size" in (source.damage or "")


def test_closing_closes_what_was_opened_for_it() -> None:
    closed: list[str] = []
    stack = ExitStack()
    stack.callback(closed.append, "once")
    source = Source(io.BytesIO(), budget(), None, stack)
    source.close()
    source.close()
    assert closed == ["once"]


def test_reasons() -> None:
    assert "its password" in damage_of(RuntimeError("File is encrypted, password required"))
    assert "cannot be read here" in damage_of(NotImplementedError("method 97"))
    assert damage_of(EOFError()) == "the file is damaged from here on (EOFError)"
    source = unreadable("no reason", budget())
    assert (source.read(5), source.damage) == (b"", "no reason")


def test_what_was_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    positions: list[int] = []
    with Watched(path, positions.append) as watched:
        counter = Counter(cast(BinaryIO, watched))
        assert counter.read(4) + counter.read() == b"0123456789"
        assert counter.size == 10
    assert positions == [4, 10]
    with Watched(path, None) as watched:
        assert watched.read(None) == b"0123456789"
