"""Whatever is done to a file, importing it ends with items or with an error that a person can understand."""

from __future__ import annotations

import random
import string
from datetime import date
from pathlib import Path

import pytest

from archive.errors import BackchannelError
from archive.vocabulary import Deleted, Meeting, Private, Received, Skipped, Span, Unmapped
from collector.importing import read_file
from tests.collector.golden import TESTDATA

FILES = sorted(path for path in TESTDATA.glob("*/*") if not path.name.endswith(".items.json"))
HOSTILE = (
    b"\0",
    b'"',
    b"\n",
    b"\r",
    b",,,",
    b"{",
    b"]",
    b"\xff\xfe",
    b"\\ud800",
    b"NaN",
    b"9" * 5000,
    b"[" * 2000,
    b"null",
    b"1e999",
    b"0001-01-01T00:00:00+14:00",
    "\u202e\u0600٣".encode(),
    string.punctuation.encode(),
)


def spoilt(data: bytes, rng: random.Random) -> bytes:
    """The file with some of its bytes cut, doubled, moved or replaced."""
    spoilt = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        start = rng.randrange(len(spoilt) + 1)
        end = min(len(spoilt), start + rng.choice((0, 1, 5, 200)))
        match rng.randrange(3):
            case 0:
                spoilt[start:end] = rng.choice(HOSTILE)
            case 1:
                spoilt[start:end] = b""
            case 2:
                spoilt[start:start] = spoilt[start:end]
    return bytes(spoilt)


@pytest.mark.parametrize("file", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_spoilt_files(file: Path, meeting: Meeting, tmp_path: Path) -> None:
    rng = random.Random(file.name)
    target = tmp_path / "file"
    for _ in range(40):
        target.write_bytes(spoilt(file.read_bytes(), rng))
        try:
            for item in read_file(meeting, target, date=date(2012, 3, 26)):
                assert isinstance(item, Received | Deleted | Unmapped | Private | Skipped | Span)
                if isinstance(item, Received):
                    repr(item).encode()
                    assert item.post.created_at.tzinfo is not None
        except BackchannelError as error:
            assert str(error)
