"""Mastodon: the streams of the meeting's hashtags on one instance, its timelines, and its statuses by id.

Each ``[[sources]]`` table is one instance. A post that two of them show is one post, known by its uri; the
id that an instance gives it is an alias under the instance's name (``collector/mapping/mastodon.py``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from archive.checkup import Finding
from archive.errors import UsageError
from archive.shown import printable
from collector.importers.records import loads
from collector.mapping import folded
from collector.mapping.mastodon import SOURCE, status_key
from collector.sources.base import Gap, Refilled, Refused, Setup, Signal, SourceError
from collector.sources.mastodon_events import Reader
from collector.sources.mastodon_past import Past, Progress
from collector.sources.mastodon_streams import Streams
from collector.sources.mastodon_wire import Client, Gone, server_of

KIND = "mastodon"
CONNECTS = (300, 300.0)

STALL_AFTER = 30  # seconds; a server sends a sign of life every 15
RECHECKED = 2_000  # posts whose edits and deletions a refill asks for, twenty at a time
SINGLY = 400  # the same where one at a time: a server allows 300 requests in five minutes
RECHECK_BEFORE = timedelta(hours=24)
JUST_ENDED = timedelta(minutes=5)
AGAIN_AFTER = 20.0  # seconds; other servers deliver late
CLOCK_SKEW = timedelta(minutes=1)
_REMEMBERED = 50  # gaps


def open_feed(setup: Setup) -> MastodonFeed:
    """The source of an instance; connects to nothing yet. Raises UsageError."""
    return MastodonFeed(setup)


class _Closable(Protocol):
    def close(self) -> None: ...


class MastodonFeed:
    """One instance. Each conversation has a client of its own, so that one never breaks another."""

    label = SOURCE
    notice: str | None = None  # nothing here costs money

    def __init__(self, setup: Setup) -> None:
        self._base_url = str(setup.spec.settings.get("base_url") or "")
        if urlsplit(self._base_url).scheme not in ("http", "https") or not server_of(self._base_url):
            raise UsageError(
                f"source {setup.spec.name}: base_url has to be the http(s) address of an instance"
            )
        self._setup = setup
        self._server = server_of(self._base_url)
        self._tags = tuple(dict.fromkeys(setup.meeting.hashtags))
        self._reader = Reader(
            self._server, setup.spec.arm, frozenset(folded(tag) for tag in self._tags), setup.clock
        )
        self._stall_after = float(setup.spec.settings.get("stall_after") or STALL_AFTER)
        self._guard = threading.Lock()
        self._open: dict[_Closable, None] = {}  # in the order of opening
        self._closed = False
        self._progress: dict[Gap | datetime, Progress] = {}
        self._refilled: dict[Gap, None] = {}

    def listen(self, cursor: str | None) -> Iterator[Signal]:
        """One connection for each hashtag, from now on; nothing is replayed. Raises SourceError."""
        with self._client() as client:
            streams = Streams(client, self._tags, self._reader.events)
            with self._closed_with_us(streams), closing(streams.signals()) as signals:
                yield from signals

    def refill(self, gap: Gap) -> Iterator[Signal]:
        """The timelines back to the beginning of a gap, then what became of the posts that we have."""
        progress = self._progress.setdefault(gap, Progress())
        with self._client() as client:
            past = Past(client, self._reader, progress)
            for tag in self._tags:
                yield from past.timeline(tag, gap.starts, first=gap.first)
            if not gap.first:
                # The second time is for what had been heard and not yet been stored the first time.
                before = JUST_ENDED if gap in self._refilled else RECHECK_BEFORE
                self._choose(progress, gap.starts - before, RECHECKED)
                yield from past.again()
        del self._progress[gap]
        yield Refilled("timeline", lost="; ".join(progress.lost) or None, again=self._again(gap))

    def refresh(self, since: datetime) -> Iterator[Signal]:
        """Every post of this instance that the archive has from a moment on, asked for again."""
        progress = self._progress.setdefault(since, Progress())
        self._choose(progress, since, None)
        with self._client() as client:
            yield from Past(client, self._reader, progress).again()
        del self._progress[since]

    def check(self) -> Iterator[Finding]:
        """Reached, clock, token, rights, the past: each in a line."""
        about = f"source {self._setup.spec.name}"
        try:
            yield from self._check(about)
        except SourceError as error:
            yield Finding(about, "failed", f"{error}; {_what_to_do(error)}")

    def close(self) -> None:
        """End every conversation at once, from any thread."""
        with self._guard:
            self._closed = True
            still_open = list(self._open)
        # The newest first: streams whose connection went before them would take that for a fault.
        for conversation in reversed(still_open):
            conversation.close()

    def _check(self, about: str) -> Iterator[Finding]:
        with self._client(anonymous=True) as client:
            yield Finding(about, "ok", f"{self._server} answers: {_described(client)}")
            yield from self._check_clock(about, client.wire.headers_seen.get("date"))
        with self._client() as client:
            try:
                client.ask(client.app_verify_credentials)
            except Gone:
                yield Finding(about, "warning", f"{self._server} does not say whether it knows the token")
            else:
                yield Finding(about, "ok", f"{self._server} accepts the token")
            client.read_stream(self._tags[0], lambda response: response.close())
            yield Finding(about, "ok", f"{self._server} opens the stream of #{self._tags[0]}")
            client.ask(client.timeline_hashtag, self._tags[0], limit=1)
            yield Finding(about, "ok", f"{self._server} gives the timeline of #{self._tags[0]}")

    def _check_clock(self, about: str, date: str | None) -> Iterator[Finding]:
        try:
            skew = self._setup.clock() - parsedate_to_datetime(date or "")
        except (ValueError, TypeError):
            return
        if abs(skew) > CLOCK_SKEW:
            direction = "ahead of" if skew > timedelta(0) else "behind"
            text = (
                f"our clock is {abs(skew).total_seconds():,.0f} s {direction} that of {self._server}; set it"
            )
            yield Finding(about, "warning", text)

    def _token(self) -> str:
        token = self._setup.secret("token_env")
        if token is None:
            name = self._setup.spec.settings.get("token_env", "MASTODON_TOKEN")
            raise Refused(
                f"{self._server} lets nobody listen without a token, and there is none: put it as {name} "
                "into the environment or into .env beside the meeting file"
            )
        return token

    @contextmanager
    def _client(self, *, anonymous: bool = False) -> Iterator[Client]:
        token = None if anonymous else self._token()
        client = Client(self._base_url, token, self._setup.clock, self._stall_after)
        with self._closed_with_us(client.wire), closing(client.wire):
            yield client

    @contextmanager
    def _closed_with_us(self, conversation: _Closable) -> Iterator[None]:
        with self._guard:
            self._open[conversation] = None
            closed = self._closed
        if closed:
            conversation.close()
        try:
            yield
        finally:
            with self._guard:
                del self._open[conversation]

    def _choose(self, progress: Progress, since: datetime, most: int | None) -> None:
        """Which posts are to be asked for again: the newest of this instance, unless that has begun."""
        if progress.unchecked is not None:
            return
        mine = status_key(self._server, "")
        found = [
            alias.removeprefix(mine)
            for alias in self._setup.shelf.recent_aliases(SOURCE, since)
            if alias.startswith(mine)
        ]
        progress.unchecked = found
        progress.keep(most)
        progress.singly = None if most is None else SINGLY

    def _again(self, gap: Gap) -> float | None:
        """Once more where the gap has just ended: what was said in it may still be on its way."""
        is_first_pass = gap not in self._refilled
        self._refilled[gap] = None
        if len(self._refilled) > _REMEMBERED:
            del self._refilled[next(iter(self._refilled))]
        just_ended = self._setup.clock() - gap.ends < JUST_ENDED
        return AGAIN_AFTER if is_first_pass and just_ended else None


def _described(client: Client) -> str:
    """The title and version that an instance gives of itself."""
    body = b""
    for describe in (client.instance_v2, client.instance_v1):
        with suppress(Gone):
            body = client.ask(describe)
            break
    try:
        value: Any = loads(body.decode("utf-8", "replace"))
    except ValueError:
        value = None
    known = value if isinstance(value, dict) else {}
    version = str(known.get("version") or "of a version that it does not tell")[:60]
    return printable(f"Mastodon {version}")


def _what_to_do(error: SourceError) -> str:
    if isinstance(error, Refused):
        return (
            "make a token with the right read:statuses under Preferences > Development of your account there"
        )
    return "check base_url, the network and its firewall"
