"""Can a meeting run here: what ``backchannel check`` finds out, one finding per line."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from archive.errors import ArchiveError, UsageError
from archive.meeting import warnings
from archive.playback import playback
from archive.reading import load_meeting, open_readonly
from archive.times import from_text
from archive.vocabulary import Meeting, SourceSpec

POST_BYTES = 4_000  # on disk, with payload, tags and index
SHORT = 3  # characters of a hashtag below which it belongs to everybody
_BUSY = 5.0  # posts a second, day and night: more than any meeting of this kind was seen to have


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: fine, worth a look, or in the way; ``text`` says what to do."""

    about: str
    state: Literal["ok", "warning", "failed"]
    text: str


def check_meeting(meeting: Meeting) -> Iterator[Finding]:
    """What is allowed in the meeting file and yet probably not meant."""
    said = [*_about_hashtags(meeting), *warnings(meeting)]
    yield from (Finding("meeting file", "warning", text) for text in said)
    if not said:
        yield Finding("meeting file", "ok", f"{meeting.title}: nothing wrong with it")


def _about_hashtags(meeting: Meeting) -> Iterator[str]:
    for tag in meeting.hashtags:
        if tag.isdigit():
            yield f"hashtag {tag}: networks take no hashtag of digits only; add a letter"
        elif len(tag) < SHORT:
            yield f"hashtag {tag} is so short that others use it too, and theirs come in; choose a longer one"


def credentials(source: SourceSpec, known: Mapping[str, str]) -> Iterator[Finding]:
    """The secrets that a source names and nobody has set; nothing where all are there."""
    for key, name in source.settings.items():
        if key.endswith("_env") and not known.get(str(name), "").strip():
            text = f"no {name} in the environment or in .env beside the meeting file; put it there"
            yield Finding(f"source {source.name}", "failed", text)


def read_env(path: Path) -> dict[str, str]:
    """``NAME=value`` lines of a ``.env`` file; empty where there is none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {
        name.removeprefix("export ").strip(): value.strip().strip("\"'")
        for name, equals, value in pairs
        if equals
    }


def check_machine(folder: Path, now: datetime, meeting: Meeting) -> Iterator[Finding]:
    """Disk for the expected load, threads and clock."""
    free, needed = shutil.disk_usage(folder).free, _expected(meeting)
    enough = free >= needed
    yield Finding(
        "disk",
        "ok" if enough else "warning",
        f"{free / 1e9:.1f} GB free in {folder}; this meeting may need {needed / 1e9:.1f} GB"
        + ("" if enough else ": make room"),
    )
    if not os.access(folder, os.W_OK):
        yield Finding("disk", "failed", f"{folder} cannot be written to; the archive stands there")
    yield Finding("threads", "ok", f"{os.cpu_count()} processor cores")
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, tz=now.tzinfo)
    if now < installed - timedelta(days=1):
        text = f"it says {now:%Y-%m-%d %H:%M} UTC, which was before this program was installed; set the clock"
        yield Finding("clock", "failed", text)
    else:
        yield Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _expected(meeting: Meeting) -> float:
    """The bytes that a busy meeting of this length fills, and as much again for a copy of it."""
    seconds = (meeting.ends - meeting.starts).total_seconds()
    return 2 * POST_BYTES * _BUSY * seconds


def check_archive(path: Path, meeting: Meeting, now: datetime) -> Finding:
    """Whether the archive can be opened, belongs to this meeting, and does not come from the future."""
    if not path.exists():
        return Finding("archive", "ok", f"{path} is not there yet; it will be made")
    try:
        with closing(open_readonly(path)) as conn:
            stored = load_meeting(conn)
            posts, newest = conn.execute("SELECT count(*), max(received_at) FROM posts").fetchone()
    except (ArchiveError, sqlite3.Error) as error:
        return Finding("archive", "failed", str(error))
    if stored.slug != meeting.slug:
        text = f"{path} belongs to the meeting {stored.slug}; name another file with --archive"
        return Finding("archive", "failed", text)
    if newest and from_text(newest) > now + timedelta(minutes=2):
        return Finding("archive", "warning", f"{path} has posts received at {newest}: the clock went back")
    return Finding("archive", "ok", f"{path}: {posts:,} posts")


def refuse_for_replay(path: Path) -> None:
    """Raise ``UsageError`` where an archive has posts that no replay brought: they must not be mixed."""
    if not path.exists():
        return
    with closing(open_readonly(path)) as conn:
        has_posts = conn.execute("SELECT EXISTS (SELECT 1 FROM posts)").fetchone()[0]
        if has_posts and playback(conn) is None:
            raise UsageError(f"{path}: has posts that no replay brought; name a new file with --archive")
