"""The meeting's own tool, as a folder or a file that grows: saved chats, exports of questions.

A file holds everything that was said, so nothing is lost while nobody looks, and a gap refills itself.
How one file is read stands in ``folder_tail``; here is which files there are. A poll looks at the folder
and one level below it, never through a link that leads out.
"""

from __future__ import annotations

import json
import os
import re
import stat
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from archive.checkup import Finding
from archive.errors import InputError
from archive.vocabulary import Unmapped
from collector import importers
from collector.importing import read_file
from collector.sources.base import (
    CaughtUp,
    Connected,
    Feed,
    Gap,
    Heard,
    Lost,
    Reached,
    Refilled,
    Setup,
    Signal,
    SourceError,
    Unavailable,
)
from collector.sources.folder_tail import How, Mark, Stamp, WatchedFile

KIND = "folder"
CONNECTS = (1000, 1.0)

POLL_SECONDS = 0.25
SETTLE_SECONDS = 30.0
MAX_FILES = 2_000
_IDLE = 10  # looking at a folder takes a tenth of the time at most
_SHOWN = 20  # files that check names
_HIDDEN = (".", "~$", "__MACOSX")
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".swp", ".lock", "~")
_DAY = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)(?!\d)")


def open_feed(setup: Setup) -> Feed:
    """The feed of a ``[[sources]]`` table of this kind. Raises UsageError for an unknown format."""
    return FolderFeed(setup)


class FolderFeed:
    """A watched path. ``poll`` is how often it is looked at, ``settle`` when a file has come to rest (s)."""

    def __init__(self, setup: Setup, *, poll: float = POLL_SECONDS, settle: float = SETTLE_SECONDS) -> None:
        settings = setup.spec.settings
        self.label = KIND
        self.notice: str | None = None
        self._name = setup.spec.name
        self._shown = str(settings["path"])  # the ledger tells nobody where on this machine it lies
        self._path = setup.folder / self._shown
        self._poll = poll
        self._closed = threading.Event()
        self._files: dict[str, WatchedFile] = {}
        self._marks: dict[str, Mark] = {}
        self._told: dict[str, str] = {}
        name = str(settings.get("format") or "auto")
        said = settings.get("date")
        self._date = date.fromisoformat(str(said)) if said else None
        self._how = How(
            meeting=setup.meeting,
            clock=setup.clock,
            forced=None if name == "auto" else importers.find(name),
            arm=setup.spec.arm,
            day=self._day,
            settle=settle,
        )

    def listen(self, cursor: str | None) -> Iterator[Signal]:
        """What is new in the files, for as long as the path is there. Raises Lost and Unavailable."""
        # What was yielded before may not have been stored: only the cursor says what was.
        self._files, self._told = {}, {}
        self._restore(cursor)
        first = True
        while not self._closed.is_set():
            began = time.monotonic()
            found, refused = self._scan()
            spent = time.monotonic() - began
            if first:
                yield Connected(replays="the file")
            yield from self._tell(refused)
            for name, (path, stamp) in found.items():
                if self._closed.is_set():
                    return
                yield from self._look(name, path, stamp)
            self.notice = self._problem()
            if self._moved(found):
                yield Reached(self._cursor())
            yield CaughtUp() if first else Heard()
            first = False
            self._closed.wait(max(self._poll, _IDLE * spent))

    def refill(self, gap: Gap) -> Iterator[Signal]:
        """Nothing to ask for: the file is read on where reading stopped."""
        yield Refilled(by="the file")

    def refresh(self, since: datetime) -> Iterator[Signal]:
        """Nothing: a message that a file no longer holds was not deleted by anybody."""
        return iter(())

    def check(self) -> Iterator[Finding]:
        """Whether the path is there, and of which format each file is."""
        about = f"source {self._name}"
        try:
            found, refused = self._scan()
        except SourceError as error:
            yield Finding(about, "warning", f"{error}; make it, or mend path")
            return
        kept = "" if found else "; no file yet, they are read as they come"
        yield Finding(about, "ok", f"{self._path}: {len(found):,} files{kept}")
        for name, reason in refused.items():
            yield Finding(about, "warning", f"{name}: {reason}")
        for name, (path, stamp) in list(found.items())[:_SHOWN]:
            yield self._recognised(about, name, path, stamp)
        if len(found) > _SHOWN:
            yield Finding(about, "ok", f"… and {len(found) - _SHOWN:,} more")

    def close(self) -> None:
        """Stop waiting for the next look."""
        self._closed.set()

    # -- which files there are -------------------------------------------------------------------

    def _scan(self) -> tuple[dict[str, tuple[Path, Stamp]], dict[str, str]]:
        """The files by name, the one written longest ago first; and those left out, with the reason."""
        found: list[tuple[str, Path, Stamp]] = []
        refused: dict[str, str] = {}
        try:
            root = self._path.resolve(strict=True)
            if root.is_dir():
                self._entries(root, root, found, refused, inner=False)
            else:
                self._entry(self._path.name, root, root.stat(), found, refused)
        except FileNotFoundError:
            raise Lost(f"{self._shown} is not there yet") from None
        except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise Unavailable(f"{self._shown} cannot be read ({reason})") from None
        # In this order what was saved later is observed later, too.
        found.sort(key=lambda file: (file[2].modified, file[0]))
        if len(found) > MAX_FILES:
            refused["the folder"] = f"{len(found):,} files; only the {MAX_FILES:,} newest are read"
        return {name: (path, stamp) for name, path, stamp in found[-MAX_FILES:]}, refused

    def _entries(
        self,
        root: Path,
        folder: Path,
        found: list[tuple[str, Path, Stamp]],
        refused: dict[str, str],
        *,
        inner: bool,
    ) -> None:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_left_out(entry.name):
                    continue
                name = _printable(os.path.relpath(entry.path, root))
                try:
                    if entry.is_dir(follow_symlinks=False):
                        if not inner:
                            self._entries(root, Path(entry.path), found, refused, inner=True)
                    elif not entry.is_symlink():
                        # Not entry.stat(): on some systems it knows no inode.
                        self._entry(name, Path(entry.path), os.lstat(entry.path), found, refused)
                    elif not Path(entry.path).resolve().is_relative_to(root):
                        refused[name] = "it is a link that leads out of the folder; it is not followed"
                    # A link to a file in the folder is that file once more.
                except FileNotFoundError:
                    continue  # gone since the folder was listed
                except (OSError, RuntimeError) as error:
                    reason = getattr(error, "strerror", None) or type(error).__name__
                    refused[name] = f"it cannot be read ({reason})"

    def _entry(
        self,
        name: str,
        path: Path,
        status: os.stat_result,
        found: list[tuple[str, Path, Stamp]],
        refused: dict[str, str],
    ) -> None:
        if stat.S_ISREG(status.st_mode):
            found.append((name, path, Stamp.of(status)))
        else:
            refused[name] = "it is no ordinary file"

    def _look(self, name: str, path: Path, stamp: Stamp) -> Iterator[Signal]:
        file = self._files.get(name)
        if file is None:
            file = self._files[name] = WatchedFile(path, name, self._how, self._marks.get(name))
        for signal in file.look(stamp):
            if self.label == KIND and file.label:
                self.label = file.label
            yield signal

    def _tell(self, refused: dict[str, str]) -> Iterator[Unmapped]:
        """What is left out, each once."""
        for name, reason in refused.items():
            if self._told.get(name) != reason:
                yield Unmapped(reason, None, name)
        self._told = refused

    def _problem(self) -> str | None:
        """The first of what cannot be read, for the person at the dashboard."""
        told = {**self._told, **{name: file.problem for name, file in self._files.items() if file.problem}}
        first = next((f"{name}: {reason}" for name, reason in told.items()), None)
        return f"{first} (and {len(told) - 1:,} more)" if len(told) > 1 else first

    def _day(self, path: Path) -> date | None:
        """Which day a file is of: as the meeting file says, else as its name or its folder's does.

        Zoom names the folder of a meeting ``2026-03-16 14.00.00 Title``.
        """
        if self._date is not None:
            return self._date
        zone = self._how.meeting.zone
        first = self._how.meeting.starts.astimezone(zone).date() - timedelta(days=1)
        last = self._how.meeting.ends.astimezone(zone).date() + timedelta(days=1)
        for text in _DAY.findall(path.name) + _DAY.findall(path.parent.name):
            try:
                day = date.fromisoformat(text)
            except ValueError:
                continue
            if first <= day <= last:
                return day
        return None

    def _recognised(self, about: str, name: str, path: Path, stamp: Stamp) -> Finding:
        if stamp.size == 0:
            return Finding(about, "ok", f"{name}: empty so far")
        forced = self._how.forced.NAME if self._how.forced else None
        try:
            items = read_file(self._how.meeting, path, format=forced, date=self._day(path), arm=self._how.arm)
            first = next(items, None)
        except InputError as error:
            return Finding(about, "warning", f"{name}: {error}")
        label = getattr(getattr(first, "post", None), "source", None)
        return Finding(about, "ok", f"{name}: can be read{f', {label}' if label else ''}")

    # -- how far they were read --------------------------------------------------------------------

    def _moved(self, found: dict[str, tuple[Path, Stamp]]) -> bool:
        """Note how far every file was read; whether that is any further than before."""
        for name in self._files.keys() - found.keys():
            del self._files[name]
        marks = {name: mark for name, file in self._files.items() if (mark := file.mark)}
        moved = marks != self._marks
        self._marks = marks
        return moved

    def _cursor(self) -> str:
        files = {name: mark.flat() for name, mark in self._marks.items()}
        return json.dumps({"label": self.label, "files": files}, separators=(",", ":"))

    def _restore(self, cursor: str | None) -> None:
        """Take up a cursor; one that cannot be read means that everything is read again."""
        try:
            known = json.loads(cursor or "{}")
            self._marks = {name: Mark.read(mark) for name, mark in known.get("files", {}).items()}
            self.label = str(known.get("label", self.label))
        except (ValueError, TypeError, AttributeError, RecursionError):
            self._marks = {}


def _is_left_out(name: str) -> bool:
    """Hidden files, and those that are being written under a name for the time being."""
    return name.startswith(_HIDDEN) or name.casefold().endswith(_UNFINISHED)


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()
