"""What can go wrong with a meeting file or an archive, by what the caller can do about it.

BackchannelError                  shown to the user as it reads, never with a traceback
├── UsageError                    exit 2: what was asked for cannot be done
│   ├── MeetingFileError          the meeting file has mistakes; carries them all
│   └── InputError                a file to import is unusable as a whole
├── ArchiveError                  exit 1: the archive cannot be used
│   ├── NotAnArchive              no SQLite file of ours
│   ├── NewerArchive              written by a newer version
│   ├── DamagedArchive            SQLite says that the file is damaged
│   └── ArchiveBusy               somebody else holds the lock for too long
│       └── LeaseTaken            another collector is at work
└── SearchError                   the words in the search box cannot be understood
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


class BackchannelError(Exception):
    """Something a person can understand and mend; its text says what, where and what to do."""

    exit_code = 1


class UsageError(BackchannelError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a meeting file."""

    field: str
    found: str
    expected: str
    line: int | None = None


class MeetingFileError(UsageError):
    """Every mistake of a meeting file at once, each with line, field, what was found, what is allowed."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path = path
        self.problems = tuple(problems)
        lines = [
            f"{path.name}{f', line {p.line}' if p.line else ''}: {p.field}: found {p.found}; {p.expected}"
            for p in problems
        ]
        super().__init__("\n".join(lines))


class InputError(UsageError):
    """A file that cannot be imported at all."""


class ArchiveError(BackchannelError):
    """The archive cannot be used."""


class NotAnArchive(ArchiveError):
    """The file is no archive of ours."""


class NewerArchive(ArchiveError):
    """The file was written by a newer version."""


class DamagedArchive(ArchiveError):
    """SQLite reports damage."""


class ArchiveBusy(ArchiveError):
    """Another process holds the lock for too long."""


class LeaseTaken(ArchiveBusy):
    """Another process holds the collector lease."""


class SearchError(BackchannelError):
    """A search that cannot be understood; the text says how to write it."""
