"""One watched file: growth in pieces of any size, rewriting, what is believed when, and restarts."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.vocabulary import Deleted, Item, Meeting, Private, Received, Skipped, Span, Unmapped
from collector import importers
from collector.importers.base import MAX_RECORD
from collector.importing import read_file
from collector.sources import folder_tail
from collector.sources.base import Heard
from collector.sources.folder_tail import How, Mark, Stamp, WatchedFile

DAY = date(2012, 3, 26)
NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
CHAT = (
    "a line before all others\n"
    "14:03:10 From Ana to Everyone:\n\tWelcome to the session\n\tBring tea\n"
    "14:03:10 From Ana to Everyone:\n\tagain\r\n"
    '14:03:15 From Luis to Everyone:\n\tReplying to "Welcome to t..."\n\n\tThank yoü 👍🏽\n'
    "14:03:20 From Ana to Luis (direct message):\n\ta secret\n"
    '14:03:21 From Eva to Everyone:\n\tReacted to "again" with 👍\n'
    "14:03:22\t From Zoë : one line #sample2012\n"
    "14:0:77 From nobody\n\tto whom\n"
    "14:03:23 From Zoë to Everyone:\n"
    "14:03:24 From Ana to Everyone:\n\tthe end"
).encode()


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Desk:
    """A file that is written to and looked at; what it gave so far is in ``items``."""

    def __init__(
        self, path: Path, meeting: Meeting, *, format: str | None = None, day: date | None = DAY
    ) -> None:
        self.path = path
        self.clock = Clock()
        forced = importers.find(format) if format else None
        self.how = How(meeting, self.clock, forced, "remote", lambda _: day, 30.0)
        self.items: list[Item] = []
        self.restart(None)

    def restart(self, mark: Mark | None) -> None:
        self.file = WatchedFile(self.path, self.path.name, self.how, mark)

    def look(self, seconds: float = 0.25) -> list[Item]:
        """What one look gives, so many seconds after the last one."""
        self.clock.now += timedelta(seconds=seconds)
        self.file._not_before = 0.0  # how long to rest is measured elsewhere
        found = [item for item in self.file.look(Stamp.of(self.path.stat())) if not isinstance(item, Heard)]
        self.items += found
        return found

    def write(self, data: bytes, *, append: bool = False) -> list[Item]:
        with self.path.open("ab" if append else "wb") as file:
            file.write(data)
        # As though it were written at the clock's time.
        os.utime(self.path, ns=(self._stamp(), self._stamp()))
        return self.look()

    def _stamp(self) -> int:
        return int(self.clock.now.timestamp() * 1e9) + len(self.items)

    def settle(self) -> list[Item]:
        return self.look(31)

    def posts(self) -> dict[str, object]:
        """The newest version of every post, without the times of receiving."""
        newest: dict[str, Received] = {}
        for item in self.items:
            if isinstance(item, Received):
                before = newest.get(item.post.key)
                assert before is None or before.observed_at < item.observed_at  # type: ignore[operator]
                newest[item.post.key] = item
        return {key: (item.post, item.raw) for key, item in newest.items()}

    def others(self) -> list[Item]:
        return [item for item in self.items if not isinstance(item, Received)]


@pytest.fixture
def desk(tmp_path: Path, meeting: Meeting) -> Desk:
    return Desk(tmp_path / "chat.txt", meeting)


def whole(path: Path, data: bytes, meeting: Meeting) -> tuple[dict[str, object], list[Item]]:
    """What one import of all these bytes gives."""
    path.write_bytes(data)
    items = list(read_file(meeting, path, date=DAY, arm="remote"))
    posts: dict[str, object] = {i.post.key: (i.post, i.raw) for i in items if isinstance(i, Received)}
    named = [
        replace(item, where=f"chat.txt, {item.where}") if isinstance(item, Unmapped | Private) else item
        for item in items
        if not isinstance(item, Received)
    ]
    return posts, named


def texts(items: list[Item]) -> list[str]:
    return [item.post.text for item in items if isinstance(item, Received)]


CUTS = st.lists(st.integers(0, len(CHAT)), max_size=12).map(sorted)


@given(
    cuts=CUTS, pauses=st.lists(st.booleans(), min_size=14, max_size=14), restarts=st.sets(st.integers(0, 13))
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_pieces_give_what_the_whole_gives(
    tmp_path: Path, meeting: Meeting, cuts: list[int], pauses: list[bool], restarts: set[int]
) -> None:
    expected = whole(tmp_path / "whole.txt", CHAT, meeting)
    path = tmp_path / "chat.txt"
    path.write_bytes(b"")
    desk = Desk(path, meeting)
    paused = False
    for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(CHAT)], strict=True)):
        desk.write(CHAT[start:end], append=True)
        if pauses[number]:
            paused = paused or desk.settle() != []
        if number in restarts and not paused:
            mark = desk.file.mark
            desk.restart(Mark.read(json.loads(json.dumps(mark.flat()))) if mark else None)
    desk.settle()
    assert desk.posts() == expected[0]
    if not any(pauses):  # what was believed to be the end may have been said to be damaged
        assert desk.others() == expected[1]
    assert "secret" not in repr(desk.items)


@pytest.mark.parametrize("pauses", [False, True])
def test_a_cut_anywhere_changes_nothing(tmp_path: Path, meeting: Meeting, pauses: bool) -> None:
    posts, others = whole(tmp_path / "whole.txt", CHAT, meeting)
    for cut in range(len(CHAT)):
        desk = Desk(tmp_path / f"{cut}", meeting)
        desk.write(CHAT[:cut])
        if pauses:
            desk.settle()
        desk.write(CHAT[cut:], append=True)
        desk.settle()
        assert desk.posts() == posts, CHAT[:cut]
        assert pauses or len(desk.others()) == len(others)
        desk.path.unlink()


def test_a_message_is_there_at_its_first_line_break_and_grows(desk: Desk) -> None:
    assert texts(desk.write(b"14:03:10 From Ana : He")) == []
    assert texts(desk.write(b"llo\n", append=True)) == ["Hello"]
    assert texts(desk.write(b"and mo", append=True)) == []
    (item,) = desk.write(b"re\n", append=True)
    assert isinstance(item, Received) and item.post.text == "Hello\nand more"
    assert item.observed_at == item.received_at == desk.clock.now
    assert len(desk.posts()) == 1
    # Its end is nothing new, only what follows is.
    assert texts(desk.write(b"14:03:12 From Ana : Next\n", append=True)) == ["Next"]


def test_half_a_line_is_taken_after_a_while(desk: Desk) -> None:
    desk.write(b"14:03:10 From Ana : Hello\nand mo")
    assert texts(desk.settle()) == ["Hello\nand mo"]
    assert texts(desk.write(b"r", append=True)) == ["Hello\nand mor"]
    assert texts(desk.write(b"e\n", append=True)) == ["Hello\nand more"]
    assert desk.look() == [] and desk.settle() == []


def test_growth_is_read_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    honest = folder_tail._bytes_at

    def counting(file: int, size: int, position: int) -> bytes:
        data = honest(file, size, position)
        read.append(len(data))
        return data

    monkeypatch.setattr(folder_tail, "_bytes_at", counting)
    monkeypatch.setattr(folder_tail, "_WHOLE", 1e9)  # compared as a whole once, then not for long
    line = b"14:03:10 From Ana : " + b"x" * 400 + b"\n"
    desk.write(line * 5_000)
    desk.write(line, append=True)
    read.clear()
    for _ in range(20):
        desk.write(line, append=True)
    assert sum(read) <= 20 * (len(line) + 2 * folder_tail._EDGE)


@pytest.mark.parametrize(
    "change", ["shorter", "same size", "longer", "by rename", "emptied first", "in the middle, and longer"]
)
def test_a_rewritten_file_is_read_anew(desk: Desk, change: str) -> None:
    desk.write(b"14:03:10 From Ana : one\n14:03:11 From Ana : two\n")
    new = {
        "shorter": b"14:03:10 From Ana : 1\n14:03:11 From Ana : two\n",
        "same size": b"14:03:10 From Ana : ONE\n14:03:11 From Ana : two\n",
        "longer": b"14:03:10 From Ana : one and\n14:03:11 From Ana : two\n",
        "by rename": b"14:03:10 From Ana : ONE\n14:03:11 From Ana : two\n14:03:12 From Ana : three\n",
        "in the middle, and longer": (
            b"14:03:10 From Ana : ONE\n14:03:11 From Ana : two\n14:03:12 From Ana : three\n"
        ),
        "emptied first": b"14:03:10 From Ana : ONE\n14:03:11 From Ana : two\n14:03:12 From Ana : three\n",
    }[change]
    if change == "by rename":
        desk.path.with_name("new").write_bytes(new)
        desk.path.with_name("new").replace(desk.path)
        desk.look()
    else:
        if change == "emptied first":
            assert desk.write(b"") == []
        desk.write(new)
    expected, _ = whole(desk.path.with_name("whole.txt"), new, desk.how.meeting)
    assert desk.posts() == expected
    assert not any(isinstance(item, Deleted) for item in desk.items)


def test_a_file_saved_by_rename_is_read_on_where_it_was(desk: Desk) -> None:
    old = b"14:03:10 From Ana : one\n14:03:11 From Ana : two\n"
    desk.write(old)
    desk.path.with_name("new").write_bytes(old + b"14:03:12 From Ana : three\n")
    desk.path.with_name("new").replace(desk.path)
    assert texts(desk.look()) == ["three"]


def test_a_message_that_is_left_out_is_no_deletion(desk: Desk) -> None:
    desk.write(b"14:03:10 From Ana : one\n14:03:11 From Ana : two\n")
    desk.write(b"14:03:11 From Ana : two\n")
    assert len(desk.posts()) == 2


def test_a_restart_reads_nothing_twice(desk: Desk) -> None:
    desk.write(b"14:03:10 From Ana : one\n14:03:11 From Ana : two\n")
    mark = desk.file.mark
    assert mark is not None
    desk.restart(Mark.read(mark.flat()))
    assert desk.look() == []
    # A second message of that second: what went before is known.
    assert texts(desk.write(b"14:03:11 From Ana : three\n", append=True)) == ["three"]
    assert len(desk.posts()) == 3
    desk.settle()
    mark = desk.file.mark
    assert mark is not None and mark.done
    desk.restart(Mark.read(mark.flat()))
    assert desk.look() == [] and desk.settle() == []


def test_a_restart_after_another_file_came_reads_that(desk: Desk) -> None:
    desk.write(b"14:03:10 From Ana : one\n14:03:11 From Ana : two\n")
    mark = desk.file.mark
    desk.path.write_bytes(b"14:03:10 From Luis : uno\n14:03:11 From Luis : dos, tres\n")
    desk.restart(mark)
    assert texts(desk.look()) == ["uno", "dos, tres"]


def test_a_mark_that_is_none(desk: Desk) -> None:
    for damaged in ([], [1, 2, 3], ["a", 1, 1, 1, 1, "", 1], [1, 1, 1, 1, None, "", 0]):
        with pytest.raises(ValueError, match=r"unpack|no mark"):
            Mark.read(damaged)


def test_an_unknown_format_is_said_once_and_tried_again(desk: Desk) -> None:
    assert desk.write(b"To be continued\n") == []
    (item,) = desk.settle()
    assert isinstance(item, Unmapped) and item.where == "chat.txt" and item.payload is None
    assert desk.file.problem == item.reason and "continued" not in item.reason
    assert desk.settle() == []
    assert desk.write(b"and so on\n", append=True) == [] and desk.settle() == []
    assert texts(desk.write(CHAT, append=True)) != []
    assert desk.file.problem is None


def test_a_file_of_yesterday_need_not_settle(tmp_path: Path, meeting: Meeting) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes(CHAT)
    os.utime(path, (NOW.timestamp() - 86_400,) * 2)
    desk = Desk(path, meeting)
    desk.look()
    expected = whole(tmp_path / "whole.txt", CHAT, meeting)
    assert (desk.posts(), desk.others()) == expected
    assert desk.settle() == []


def test_binary_data_is_no_chat(desk: Desk) -> None:
    desk.write(bytes(range(256)) * 100)
    (item,) = desk.settle()
    assert isinstance(item, Unmapped) and "binary" in item.reason


def test_no_date_says_what_to_write(tmp_path: Path, meeting: Meeting) -> None:
    longer = replace(meeting, ends=meeting.ends + timedelta(days=1))
    desk = Desk(tmp_path / "chat.txt", longer, day=None)
    desk.write(CHAT)
    desk.write(b"\n", append=True)
    desk.settle()
    first, item = desk.items
    assert isinstance(first, Unmapped) and first.where == "chat.txt, line 1"
    assert isinstance(item, Unmapped) and "date = 2012-03-26" in item.reason


def test_the_wrong_format_says_so(tmp_path: Path, meeting: Meeting) -> None:
    desk = Desk(tmp_path / "chat.txt", meeting, format="youtube")
    desk.write(CHAT)
    (item,) = desk.settle()
    assert isinstance(item, Unmapped) and "youtube" in item.reason


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_other_encodings(desk: Desk, encoding: str) -> None:
    lines = "14:03:10 From Zoë : naïve\n14:03:11 From Zoë : déjà vu\n".encode(encoding)
    desk.write(lines)
    desk.settle()
    assert texts(desk.items) == ["naïve", "déjà vu"]


def test_a_byte_order_mark_and_carriage_returns(desk: Desk) -> None:
    desk.write(b"\xef\xbb\xbf14:03:10 From Ana : one\r\n14:03:11 From Ana : two\r")
    assert texts(desk.items) == ["one"]
    assert texts(desk.write(b"\n", append=True)) == ["two"]


def test_lone_carriage_returns(desk: Desk) -> None:
    desk.write(b"14:03:10 From Ana : one\r14:03:11 From Ana : two\r")
    desk.settle()
    assert texts(desk.items) == ["one", "two"]


def test_a_line_without_end_is_not_held(desk: Desk) -> None:
    desk.write(b"14:03:10 From Ana : one\n14:03:11 From Ana : " + b"x" * (MAX_RECORD + 10))
    assert texts(desk.items) == ["one"]
    assert desk.file._lines is not None and len(desk.file._lines._half) <= folder_tail._CHUNK * 9
    desk.write(b"x" * 100, append=True)
    mark = desk.file.mark
    desk.write(b"\n14:03:12 From Ana : two\n", append=True)
    assert texts(desk.items) == ["one", "two"]
    assert any(isinstance(item, Unmapped) and "longer than" in item.reason for item in desk.items)
    desk.restart(mark)
    assert texts(desk.look()) == ["one", "two"]


def test_a_huge_message_is_shown_when_it_ends(desk: Desk) -> None:
    desk.write(b"14:03:10 From Ana : one\n" + b"word\n" * 30_000)
    assert texts(desk.items) == []
    desk.write(b"14:03:12 From Ana : two\n", append=True)
    assert [len(text) for text in texts(desk.items)] == [3 + 30_000 * 5, 3]


def json_lines(*messages: tuple[int, str]) -> list[dict[str, object]]:
    return [
        {
            "message_id": f"m{number}",
            "timestamp": 1_332_770_400_000_000 + number,
            "time_text": "0:01",
            "author": {"id": "bc_ana", "name": "Ana"},
            "message": text,
        }
        for number, text in messages
    ]


def test_an_array_that_is_written_anew(desk: Desk) -> None:
    desk.write(json.dumps(json_lines((1, "one"), (2, "two"))).encode())
    assert texts(desk.items) == ["one", "two"] and desk.file.label == "youtube"
    assert texts(desk.write(json.dumps(json_lines((1, "one"), (2, "TWO"), (3, "3"))).encode())) == [
        "TWO",
        "3",
    ]
    assert texts(desk.write(json.dumps(json_lines((1, "one"), (2, "two"), (3, "3"))).encode())) == ["two"]
    assert desk.look() == [] and desk.settle() == []


def test_an_array_that_is_cut_off_waits(desk: Desk) -> None:
    data = json.dumps(json_lines((1, "one"), (2, "two"), (3, "three")), indent=1).encode()
    desk.write(data[: len(data) // 2])
    assert desk.others() == []
    desk.write(data)
    assert sorted(texts(desk.items)) == ["one", "three", "two"] and desk.others() == []


def test_an_array_that_stays_cut_off_is_quarantined(desk: Desk) -> None:
    data = json.dumps(json_lines((1, "one"), (2, "two"), (3, "three")), indent=1).encode()
    desk.write(data[:-30])
    assert not desk.others()
    desk.settle()
    assert texts(desk.items) == ["one", "two"]
    assert [type(item) for item in desk.others()] == [Unmapped]


def test_a_row_that_is_being_written_is_no_post(desk: Desk) -> None:
    table = b"message_id,timestamp,author,message\nm1,1332770400000000,Ana,one\nm2,13327704"
    assert texts(desk.write(table)) == ["one"]
    assert texts(desk.write(b"00000001,Ana,two\n", append=True)) == ["two"]


def test_the_memory_of_what_was_yielded_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_tail, "_REMEMBERED", 2)
    memory = folder_tail._Memory()
    items: list[Item] = [
        Skipped("a like"),
        Skipped("a like"),
        Deleted("x:1", "x"),
        Private("line 1"),
        Unmapped("damaged", None, "line 2"),
        Span(name="x", source="x", state="deaf", started_at=NOW),
    ]
    assert [memory.is_new(item) for item in items] == [True] * 6
    memory.again()
    assert [memory.is_new(item) for item in items] == [True] * 6
    assert len(memory._known) == 2


def test_what_is_no_file(desk: Desk, tmp_path: Path) -> None:
    os.mkfifo(desk.path)
    (item,) = desk.look()
    assert isinstance(item, Unmapped) and item.reason.startswith("it cannot be read")
    desk.path.unlink()
    (tmp_path / "elsewhere").write_bytes(CHAT)
    desk.path.symlink_to(tmp_path / "elsewhere")
    desk.restart(None)
    (item,) = desk.look()
    assert isinstance(item, Unmapped)
    stamp = Stamp.of(desk.path.stat())
    desk.path.unlink()
    assert list(desk.file.look(stamp)) == []


def test_reading_anew_takes_a_tenth_of_the_time_at_most(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(folder_tail, "time", SimpleNamespace(monotonic=lambda: now[0]))
    desk.path.write_bytes(json.dumps(json_lines((1, "word"), (2, "word"))).encode())
    for _ in desk.file.look(Stamp.of(desk.path.stat())):
        now[0] = 102.0  # it took two seconds
    desk.path.write_bytes(json.dumps(json_lines((1, "another"))).encode())
    now[0] = 119.9
    assert list(desk.file.look(Stamp.of(desk.path.stat()))) == []  # not yet
    now[0] = 120.0
    assert list(desk.file.look(Stamp.of(desk.path.stat()))) != []
