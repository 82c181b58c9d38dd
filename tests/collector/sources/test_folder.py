"""The watched folder: every fault of the tool, what is left out, states, cursor and check."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from archive.errors import UsageError
from archive.store import Archive
from archive.vocabulary import Item, Meeting, Received, SourceSpec, Unmapped
from collector.sources import folder
from collector.sources.base import (
    CaughtUp,
    Connected,
    Gap,
    Heard,
    Lost,
    Reached,
    Refilled,
    Setup,
    Signal,
    Unavailable,
)
from collector.sources.folder import FolderFeed
from tests.fakes.tool import ChatFolder

#: Seconds; a file that took long to read is left alone for nine times as long.
PATIENCE = 60.0
SIGNALS = (Connected, CaughtUp, Heard, Reached)


class NoShelf:
    def recent_ids(self, source: str, since: datetime) -> list[str]:
        return []

    def recent_aliases(self, source: str, since: datetime) -> list[str]:
        return []


@pytest.fixture
def setup(tmp_path: Path, meeting: Meeting) -> Callable[..., Setup]:
    def make(**settings: object) -> Setup:
        spec = SourceSpec(
            kind="folder", name="zoom", arm="remote", settings={"path": "zoom", "format": "auto", **settings}
        )
        return Setup(spec, meeting, tmp_path, {}, NoShelf(), lambda: datetime.now(UTC))

    return make


@contextmanager
def opened(setup: Setup, settle: float = 0.2) -> Iterator[FolderFeed]:
    feed = FolderFeed(setup, poll=0.005, settle=settle)
    with closing(feed):
        yield feed


def until(signals: Iterator[Signal], kind: type, times: int = 1) -> list[Signal]:
    """The signals up to the so-many-th of a kind."""
    found = []
    for signal in signals:
        found.append(signal)
        times -= isinstance(signal, kind)
        if not times:
            return found
    raise AssertionError(f"ended without {kind.__name__}")


def items(signals: list[Signal]) -> list[Item]:
    return [signal for signal in signals if not isinstance(signal, SIGNALS)]  # type: ignore[misc]


def texts(signals: list[Signal]) -> list[str]:
    return [signal.post.text for signal in signals if isinstance(signal, Received)]


def unmapped(signals: list[Signal]) -> dict[str, str]:
    return {signal.where: signal.reason for signal in signals if isinstance(signal, Unmapped)}


class Driver:
    """The smallest loop there is: every signal is written, the cursor with what came before it."""

    def __init__(self, archive: Archive, feed: FolderFeed, cursor: str | None = None) -> None:
        self.archive = archive
        self.feed = feed
        self.cursor = cursor
        self._stop = threading.Event()
        self._passes = 0
        self._passed = threading.Condition()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Driver:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.feed.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        if self._error:
            raise self._error

    def passes(self, count: int = 2) -> None:
        """Wait until so many whole passes have begun and ended."""
        with self._passed:
            goal = self._passes + count
            assert self._passed.wait_for(lambda: self._passes >= goal or self._error, PATIENCE)

    def agrees(self, truth: dict[str, str]) -> bool:
        """Wait until the archive holds exactly this."""
        with self._passed:
            self._passed.wait_for(lambda: stored(self.archive) == truth or self._error, PATIENCE)
            return stored(self.archive) == truth

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self._listen()
                except Lost:
                    self._pass()
        except BaseException as error:
            self._error = error
            self._pass()

    def _listen(self) -> None:
        batch: list[Item] = []
        for signal in self.feed.listen(self.cursor):
            if not isinstance(signal, SIGNALS):
                batch.append(signal)  # type: ignore[arg-type]
            elif isinstance(signal, Reached | Heard | CaughtUp):
                with self._passed:
                    self.archive.write(batch)
                batch.clear()
                if isinstance(signal, Reached):
                    self.cursor = signal.cursor
                else:
                    self._pass()

    def _pass(self) -> None:
        with self._passed:
            self._passes += 1
            self._passed.notify_all()


def stored(archive: Archive) -> dict[str, str]:
    return {row[0]: row[1] for row in archive.conn.execute("SELECT key, text FROM posts")}


def everything(archive: Archive) -> str:
    return "\n".join(archive.conn.iterdump())


@pytest.mark.parametrize("fault", ChatFolder.FAULTS)
def test_a_fault_changes_nothing(
    fault: str, tmp_path: Path, meeting: Meeting, setup: Callable[..., Setup]
) -> None:
    with (
        _archive(tmp_path, meeting) as archive,
        ChatFolder(tmp_path / "zoom", meeting.zone) as tool,
        opened(setup()) as feed,
        Driver(archive, feed) as driver,
    ):
        for number in range(3):
            tool.post(f"Message {number}, before", "bc_ana")
        driver.passes()
        for number in range(3):
            tool.fault(fault)
            tool.post(f"Message {number}, meanwhile\nof two lines", "bc_luis")
            driver.passes()
            tool.post(f"Message {number}, after", "bc_ana")
        assert driver.agrees(tool.truth())
        assert "secret" not in everything(archive)


@contextmanager
def _archive(tmp_path: Path, meeting: Meeting) -> Iterator[Archive]:
    with Archive.open(tmp_path / "sample.db", meeting) as archive:
        yield archive


def test_edits_replies_and_what_is_left_out(
    tmp_path: Path, meeting: Meeting, setup: Callable[..., Setup]
) -> None:
    with (
        _archive(tmp_path, meeting) as archive,
        ChatFolder(tmp_path / "zoom", meeting.zone) as tool,
        opened(setup()) as feed,
        Driver(archive, feed) as driver,
    ):
        first = tool.post("Is the data open to everybody?")
        reply = tool.post("It is", "bc_luis", reply_to=first)
        tool.post_many([f"number {number}" for number in range(300)])
        driver.passes()
        tool.edit(first, "Is the data open to everyone else?")
        tool.delete(reply)
        assert reply in tool.truth()
        assert driver.agrees(tool.truth())
        (answered,) = archive.conn.execute("SELECT reply_to FROM posts WHERE key = ?", (reply,)).fetchone()
        assert answered == first


def test_a_stop_at_any_moment_loses_nothing(
    tmp_path: Path, meeting: Meeting, setup: Callable[..., Setup]
) -> None:
    cursor = None
    with _archive(tmp_path, meeting) as archive, ChatFolder(tmp_path / "zoom", meeting.zone) as tool:
        for number in range(8):
            tool.post(f"between {number}\nand more")
            with opened(setup()) as feed, Driver(archive, feed, cursor) as driver:
                tool.fault(ChatFolder.FAULTS[number])
                tool.post(f"during {number}")
                driver.passes(1 + number % 3)
            cursor = driver.cursor
        truth = tool.truth()
        with opened(setup()) as feed, Driver(archive, feed, cursor) as driver:
            assert driver.agrees(truth)


def test_the_conversation(tmp_path: Path, setup: Callable[..., Setup]) -> None:
    with ChatFolder(tmp_path / "zoom") as tool, opened(setup()) as feed:
        tool.post("one")
        assert feed.label == "folder"
        signals = feed.listen(None)
        first = until(signals, CaughtUp)
        assert first[0] == Connected(replays="the file")
        assert texts(first) == ["one"] and isinstance(first[-2], Reached)
        assert feed.label == "zoom"
        assert until(signals, Heard)[-1] == Heard()
        tool.post("two")
        assert texts(until(signals, Reached)) == ["two"]
        feed.close()
        assert items(list(signals)) == []


def test_what_is_not_there_yet_is_lost_until_it_comes(tmp_path: Path, setup: Callable[..., Setup]) -> None:
    with opened(setup()) as feed:
        with pytest.raises(Lost, match=r"^[^/]+/? is not there yet"):
            next(feed.listen(None))
        with ChatFolder(tmp_path / "zoom") as tool:
            tool.post("one")
            signals = feed.listen(None)
            assert texts(until(signals, CaughtUp)) == ["one"]
            tool.file.unlink()
            tool.file.parent.rmdir()
            with pytest.raises(Lost, match=r"^[^/]+/? is not there yet"):
                list(signals)


def test_a_path_that_cannot_be_read(tmp_path: Path, setup: Callable[..., Setup]) -> None:
    (tmp_path / "zoom").symlink_to(tmp_path / "zoom")
    with opened(setup()) as feed, pytest.raises(Unavailable, match="cannot be read"):
        next(feed.listen(None))


def test_a_single_file_may_be_watched(tmp_path: Path, setup: Callable[..., Setup]) -> None:
    with ChatFolder(tmp_path / "zoom") as tool:
        tool.post("one")
        with opened(setup(path="zoom/meeting_saved_chat.txt")) as feed:
            signals = feed.listen(None)
            assert texts(until(signals, CaughtUp)) == ["one"]
            # Replaced by a folder: what is in it is read.
            chat = tool.file.read_bytes()
            tool.file.unlink()
            tool.file.mkdir()
            (tool.file / "chat.txt").write_bytes(chat)
            assert texts(until(signals, Reached)) == ["one"]


def test_what_is_left_out(tmp_path: Path, setup: Callable[..., Setup]) -> None:
    root = tmp_path / "zoom"
    with ChatFolder(root / "2012-03-26 09.00.00 Opening") as tool:
        tool.post("below")
        chat = tool.file.read_bytes()
    for name in (".hidden", "~$chat.txt", ".~lock.chat.txt#", "chat.txt.part", "chat.TMP", "c.crdownload"):
        (root / name).write_bytes(chat.replace(b"below", b"hidden"))
    (root / "deep" / "er").mkdir(parents=True)
    (root / "deep" / "er" / "chat.txt").write_bytes(chat.replace(b"below", b"too deep"))
    (tmp_path / "outside.txt").write_bytes(chat.replace(b"below", b"outside"))
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "inner.txt").symlink_to(tool.file)
    (root / "circle").symlink_to(root / "circle")
    (root / "nowhere").symlink_to(root / "gone")
    (root / "up").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    with opened(setup()) as feed:
        signals = feed.listen(None)
        found = until(signals, CaughtUp)
        assert texts(found) == ["below"]
        reasons = unmapped(found)
        reasons.pop("circle", None)  # refused by some versions of Python, followed to itself by others
        assert reasons == {
            "link.txt": "it is a link that leads out of the folder; it is not followed",
            "up": "it is a link that leads out of the folder; it is not followed",
            "pipe": "it is no ordinary file",
        }
        assert feed.notice is not None and "more" in feed.notice
        assert items(until(signals, Heard, 3)) == []  # each is said once


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path, setup: Callable[..., Setup]) -> None:
    with ChatFolder(tmp_path / "zoom") as tool, opened(setup()) as feed:
        tool.post("one")
        tool.file.chmod(0)
        signals = feed.listen(None)
        assert "Permission" in unmapped(until(signals, CaughtUp))["meeting_saved_chat.txt"]
        tool.file.chmod(0o600)
        assert texts(until(signals, Heard, 3)) == ["one"]


def test_too_many_files(tmp_path: Path, setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "MAX_FILES", 2)
    for number in range(3):
        with ChatFolder(tmp_path / "zoom" / str(number)) as tool:
            tool.post(f"{number}")
            os.utime(tool.file, (number, number))
    with opened(setup()) as feed:
        found = until(feed.listen(None), CaughtUp)
        assert texts(found) == ["1", "2"] and "only the 2 newest" in unmapped(found)["the folder"]


def test_a_format_that_is_wrong_is_said_and_listening_goes_on(
    tmp_path: Path, setup: Callable[..., Setup]
) -> None:
    with ChatFolder(tmp_path / "zoom") as tool, opened(setup(format="youtube"), settle=0.0) as feed:
        tool.post("one")
        signals = feed.listen(None)
        found = until(signals, CaughtUp)
        assert "youtube" in unmapped(found)["meeting_saved_chat.txt"]
        assert feed.notice is not None and feed.notice.startswith("meeting_saved_chat.txt: ")
        assert until(signals, Heard)


def test_a_format_that_does_not_exist(setup: Callable[..., Setup]) -> None:
    with pytest.raises(UsageError, match="there is no format named"):
        folder.open_feed(setup(format="teleprompter"))


LINE = b"14:03:10 From Ana : Hello\n"


@pytest.mark.parametrize(
    ("name", "settings", "day"),
    [
        ("2012-03-27 14.00.00 Second day", {}, date(2012, 3, 27)),
        ("Chat", {"date": "2012-03-26"}, date(2012, 3, 26)),
        ("2012-03-27 14.00.00 Second day", {"date": "2012-03-26"}, date(2012, 3, 26)),
        ("2001-01-01", {}, None),
        ("2012-13-45", {}, None),
    ],
)
def test_the_day_of_a_chat_without_dates(
    name: str, settings: dict[str, str], day: date | None, tmp_path: Path, setup: Callable[..., Setup]
) -> None:
    (tmp_path / "zoom" / name).mkdir(parents=True)
    (tmp_path / "zoom" / name / "chat.txt").write_bytes(LINE)
    made = setup(**settings)
    made = replace(made, meeting=replace(made.meeting, ends=made.meeting.ends + timedelta(days=1)))
    with opened(made, settle=0.0) as feed:
        found = until(feed.listen(None), CaughtUp)
    if day is None:
        assert "date = 2012-03-26" in unmapped(found)[f"{name}/chat.txt"]
    else:
        (post,) = [signal.post for signal in found if isinstance(signal, Received)]
        assert post.created_at.date() == day and post.arm == "remote"


def test_the_cursor_knows_what_was_read(tmp_path: Path, setup: Callable[..., Setup]) -> None:
    with ChatFolder(tmp_path / "zoom") as tool:
        tool.post("one")
        with opened(setup()) as feed:
            reached = [s for s in until(feed.listen(None), CaughtUp) if isinstance(s, Reached)][-1].cursor
        assert len(json.loads(reached)["files"]) == 1
        tool.post("two")
        with opened(setup()) as feed:
            assert texts(until(feed.listen(reached), CaughtUp)) == ["two"]
            assert feed.label == "zoom"
            # What came after the cursor may not have been stored: it comes again.
            assert texts(until(feed.listen(reached), CaughtUp)) == ["two"]


@pytest.mark.parametrize(
    "cursor",
    ["", "no JSON", "[]", '{"files": 7}', '{"files": {"a": [1]}}', '{"files": {"a": 1}}', "[" * 99_999],
)
def test_a_cursor_that_is_none_means_from_the_beginning(
    cursor: str, tmp_path: Path, setup: Callable[..., Setup]
) -> None:
    with ChatFolder(tmp_path / "zoom") as tool, opened(setup()) as feed:
        tool.post("one")
        assert texts(until(feed.listen(cursor), CaughtUp)) == ["one"]


def test_two_files_of_which_one_is_of_a_network(tmp_path: Path, setup: Callable[..., Setup]) -> None:
    (tmp_path / "zoom").mkdir()
    golden = Path(__file__).parents[2] / "testdata" / "twarc2" / "flattened.jsonl"
    (tmp_path / "zoom" / "posts.jsonl").write_bytes(golden.read_bytes())
    with opened(setup()) as feed:
        found = until(feed.listen(None), CaughtUp)
        assert feed.label == "x" and texts(found)


def test_names_that_are_no_text(tmp_path: Path, setup: Callable[..., Setup]) -> None:
    with ChatFolder(tmp_path / "zoom") as tool:
        tool.post("one")
        os.rename(tool.file, os.fsencode(tool.file.parent) + b"/caf\xe9.txt")
        with opened(setup()) as feed:
            found = until(feed.listen(None), Reached)
            assert texts(found) == ["one"]
            cursor = found[-1]
            assert isinstance(cursor, Reached)
            assert texts(until(feed.listen(cursor.cursor.encode().decode()), CaughtUp)) == []


def test_nothing_to_refill_or_refresh(setup: Callable[..., Setup]) -> None:
    now = datetime.now(UTC)
    with opened(setup()) as feed:
        assert list(feed.refill(Gap(now, now))) == [Refilled(by="the file")]
        assert list(feed.refresh(now)) == []


def test_check(tmp_path: Path, setup: Callable[..., Setup], monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(setup()) as feed:
        (finding,) = feed.check()
        assert finding.state == "warning" and "make it, or mend path" in finding.text
        with ChatFolder(tmp_path / "zoom") as tool:
            (finding,) = feed.check()
            assert finding.state == "ok" and "no file yet" in finding.text
            tool.post("one")
            (tmp_path / "zoom" / "empty.txt").touch()
            (tmp_path / "zoom" / "notes.txt").write_text("a note\n")
            os.mkfifo(tmp_path / "zoom" / "pipe")
            said = {finding.text.partition(":")[0]: finding for finding in feed.check()}
            assert said["meeting_saved_chat.txt"].text.endswith("can be read, zoom")
            assert said["notes.txt"].state == said["pipe"].state == "warning"
            assert said["empty.txt"].state == "ok"
            monkeypatch.setattr(folder, "_SHOWN", 1)
            assert [finding.text for finding in feed.check()][-1] == "… and 2 more"
