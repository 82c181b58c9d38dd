"""Two archives are the same whatever the order, the clock and the row numbers; and not for less."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from archive.canonical import canonical, fingerprint
from archive.errors import DamagedArchive, NotAnArchive
from archive.store import Archive, Checkpoint
from archive.vocabulary import Meeting, Received, Span, Unmapped
from tests.conftest import START

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, meeting: Meeting) -> Make:
    """An archive of some items, each in a transaction of its own."""

    def build(name: str, *items: object, later: int = 0) -> Path:
        clock = lambda: START + timedelta(days=later)  # noqa: E731
        with Archive.open(tmp_path / name, meeting, clock=clock) as archive:
            for item in items:
                archive.write([item])  # type: ignore[list-item]
            archive.save_checkpoint(Checkpoint(name, "x", later, archive.write([]), finished=True))
            return archive.path

    return build


def test_order_clock_and_log_do_not_matter(make: Make, receive: Callable[..., Received]) -> None:
    items = [
        receive(1, author="luis"),
        receive(2, received_at=START),
        Unmapped("damaged", "{", "line 1"),
        Span(name="x", source="x", state="deaf", started_at=START),
    ]
    one = make("one.db", *items)
    other = make("other.db", receive(1, author="luis"), *reversed(items), later=7)
    assert list(canonical(one)) == list(canonical(other))
    assert fingerprint(one) == fingerprint(other)


def test_what_is_said_matters(make: Make, receive: Callable[..., Received]) -> None:
    assert fingerprint(make("one.db", receive(1))) != fingerprint(make("two.db", receive(1, text="else")))


def test_rows_are_named_by_keys(make: Make, receive: Callable[..., Received]) -> None:
    rows = [json.loads(line) for line in canonical(make("one.db", receive(1)))]
    assert [row["table"] for row in rows] == sorted(row["table"] for row in rows)
    post = next(row for row in rows if row["table"] == "posts")
    hashtag = next(row for row in rows if row["table"] == "post_hashtags")
    assert (post["author"], post["tagged"], hashtag["post"]) == ("x:ana", 0, post["key"])
    assert not {"id", "post_id", "author_id", "received_at"} & {name for row in rows for name in row}


def test_no_archive(tmp_path: Path) -> None:
    with pytest.raises(NotAnArchive):
        fingerprint(tmp_path / "absent.db")


def test_a_damaged_one_is_refused(make: Make, receive: Callable[..., Received]) -> None:
    path = make("one.db", *(receive(number, text="word " * 200) for number in range(200)))
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises((DamagedArchive, NotAnArchive)):
        list(canonical(path))
