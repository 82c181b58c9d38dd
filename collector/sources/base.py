"""The contract between a source and the loop that drives it.

A source is a module of this package with the names of ``Source``, listed in ``SOURCES``. It knows one
network's conversation and maps its JSON (purely, in ``collector/mapping``); it never waits, retries, saves
or keeps time: the loop does. What it hears it yields as signals, in the order in which it was heard:

- an ``Item`` of the archive's vocabulary: exactly one for every candidate record, so that nothing is lost;
- ``IfKnown``: an item that matters only where a post is in the archive (a deletion on a network that sends
  everybody's);
- ``Connected``: from here on nothing is missed; ``CaughtUp``: and what was missed before has been replayed;
- ``Heard``: a sign of life without content; every other signal is one too;
- ``Reached``: everything yielded so far may be told to the server, by this cursor. It is saved in the very
  transaction that stores what came before it, and handed to the next ``listen``;
- ``Missed``: a time that the server says it cannot give again;
- ``Spent``: posts read that cost money, whether they were new to us or not;
- ``Acknowledge``: to be called once everything before it is committed;
- ``Refilled``: the end of a refill: by what, and what could not come back.

How a conversation ends says the exception (a plain return is a server that closed the connection):

SourceError
├── Lost             the connection broke, stalled or was closed: the loop connects again, with back-off
├── Unavailable      the server answers, but not with what we asked for (5xx, a page, 404): longer back-off
├── Limited          it said to come back later, and perhaps when
├── Refused          no right (401, 403): stopped, looked at again once a minute at most
└── Exhausted        a ceiling of our own is reached: stopped, not tried again
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from archive.checkup import Finding
from archive.vocabulary import Item, Meeting, SourceSpec


@dataclass(frozen=True, slots=True)
class IfKnown:
    """An item to take only where the archive has the post ``key``, or gets it in the same batch."""

    key: str
    item: Item


@dataclass(frozen=True, slots=True)
class Connected:
    """The server accepted us. ``replays`` names what refills the gap by itself (a cursor), else None.

    ``since`` is when such a replay begins; None where it leaves nothing out.
    """

    replays: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """A replay has come to the present."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A sign of life: a keep-alive, an event that is not ours, a look that found nothing new."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the server's record has been read, in its own words."""

    cursor: str


@dataclass(frozen=True, slots=True)
class Missed:
    """What was said between these moments cannot be had any more; ``ends`` None means now."""

    cause: str
    starts: datetime | None = None
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """Posts that were read and are paid for."""

    posts: int


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Called after the commit, from the thread that writes: it must return at once."""

    done: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Refilled:
    """What a refill used (``search``), what it could not bring back, how many posts those are thought to be.

    ``again`` asks for the same refill once more after so many seconds: a search index lags.
    """

    by: str
    lost: str | None = None
    missing: int | None = None
    again: float | None = None


Signal = Item | IfKnown | Connected | CaughtUp | Heard | Reached | Missed | Spent | Acknowledge | Refilled


class SourceError(Exception):
    """A conversation with a server ended; the text says why, without any secret."""


class Lost(SourceError):
    """The connection broke, fell silent, or was closed."""


class Unavailable(SourceError):
    """The server is there, but does not give what was asked for."""


class Limited(SourceError):
    """Too many requests; ``until`` is when to come back, where the server says it."""

    def __init__(self, reason: str, until: datetime | None = None) -> None:
        super().__init__(reason)
        self.until = until


class Refused(SourceError):
    """No right to listen: a person has to mend it."""


class Exhausted(SourceError):
    """A ceiling that the organiser set is reached."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time that was not listened to, left-closed, in UTC. ``first`` before anything was ever heard."""

    starts: datetime
    ends: datetime
    first: bool = False


class Shelf(Protocol):
    """What a source may ask of the archive; safe to use from any thread."""

    def recent_ids(self, source: str, since: datetime) -> list[str]:
        """The platform ids of a network's posts written at or after a moment, newest first."""

    def recent_aliases(self, source: str, since: datetime) -> list[str]:
        """The other names (keys) of those posts, newest first; on Mastodon ``mastodon:<server>/<id>``."""

    def keys_of_author(self, author_key: str) -> list[str]:
        """The keys of all posts of an account."""


@dataclass(frozen=True, slots=True)
class Setup:
    """All that a source is told when it is opened.

    ``folder`` is that of the meeting file; ``secrets`` the environment with the ``.env`` below it;
    ``spent`` the paid posts read before. ``clock`` tells the time, aware and in UTC.
    """

    spec: SourceSpec
    meeting: Meeting
    folder: Path
    secrets: Mapping[str, str]
    shelf: Shelf
    clock: Callable[[], datetime]
    spent: int = 0

    def secret(self, key: str) -> str | None:
        """The secret whose variable the setting ``key`` (``token_env``) names; None where there is none."""
        return self.secrets.get(str(self.spec.settings.get(key, "")), "").strip() or None


class Feed(Protocol):
    """An open source. ``label`` is the network (the column ``source``); a folder learns its own."""

    label: str

    @property
    def notice(self) -> str | None:
        """What a person should know although all is well: money spent, a right that is missing."""

    def listen(self, cursor: str | None) -> Iterator[Signal]:
        """One connection, from connecting to its end; ``cursor`` is the last one that was saved."""

    def refill(self, gap: Gap) -> Iterator[Signal]:
        """What a gap left out, ending with one ``Refilled``; runs beside ``listen``, in another thread.

        Where nothing can be asked again it yields only ``Refilled`` with ``lost``.
        """

    def check(self) -> Iterator[Finding]:
        """What ``backchannel check`` says: reached, accepted, rights, limits; one finding per line."""

    def refresh(self, since: datetime) -> Iterator[Signal]:
        """Edits and deletions of the archive's posts written since a moment, asked anew, without a stream."""

    def close(self) -> None:
        """Break whatever ``listen`` or ``refill`` waits for, from another thread; safe to call twice."""


class Source(Protocol):
    """What each module of this package offers at module level.

    ``CONNECTS`` is how many connections the server allows within how many seconds.
    """

    KIND: str
    CONNECTS: tuple[int, float]

    def open_feed(self, setup: Setup) -> Feed:
        """The source of a ``[[sources]]`` table. Connects to nothing yet. Raises UsageError."""


Sources = Sequence[Source]
