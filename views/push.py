"""The live push: one thread per process watches the archive, every viewer gets what changed.

The hub looks at ``PRAGMA data_version`` ten times a second, builds one snapshot for all viewers and
hands the difference, encoded once, to the open streams of ``/api/live`` (server-sent events).
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from archive.errors import ArchiveError, DamagedArchive
from archive.reading import data_version, explained, load_meeting, open_readonly
from views import settings
from views.heard import Heard, heard
from views.snapshot import Snapshot, clock_of, difference, take, trouble

logger = logging.getLogger(__name__)

ROUTE = "/api/live"
LOOK = 0.1  # seconds between two looks at the archive
REFRESH = 2.0  # seconds after which ages and rates are counted anew, changed or not
NOTICE = 10.0  # seconds between two looks at rising topics and names; a replay is faster
NOTICE_REPLAY = 3.0
BEAT = 15.0  # seconds of silence before a stream says that it is alive
BACKLOG = 200  # updates that a slow viewer may lag behind before it gets a whole snapshot


class Hub:
    """Watches one archive in a thread of its own. ``snapshot`` is always there and never raises."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.epoch = uuid4().hex[:12]
        self.closing = threading.Event()
        self.heard: Heard | None = None
        self.snapshot: Snapshot = self._take(None)
        self._seq = 0
        self._streams: set[Stream] = set()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=work, name=f"backchannel-{name}", daemon=True)
            for name, work in (("live", self._watch), ("heard", self._notice))
        ]

    def start(self) -> None:
        """Begin to watch."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop watching and end every open stream; returns at once. Safe in a signal handler."""
        self.closing.set()
        for stream in list(self._streams):
            stream.wake()

    def whole(self) -> dict[str, Any]:
        """The whole state, as a page needs it to begin with."""
        return {"epoch": self.epoch, "seq": self._seq, **self.snapshot}

    def open(self) -> Stream:
        """A stream of updates for one viewer, beginning with the whole state."""
        with self._lock:
            stream = Stream(asyncio.get_running_loop(), self)
            self._streams.add(stream)
            return stream

    def leave(self, stream: Stream) -> None:
        """A viewer is gone."""
        self._streams.discard(stream)

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def refresh(self) -> None:
        """Read the archive again and tell every viewer what is different."""
        self._publish(self._take(self._conn))

    # What the threads do.

    def _notice(self) -> None:
        """Look for topics and names, which takes longer than a push may wait."""
        while not self.closing.is_set():
            replaying = False
            try:
                with settings.reading(self.path) as conn:
                    clock = clock_of(conn)
                    replaying = clock.replay is not None
                    self.heard = heard(conn, clock, load_meeting(conn))
            except (ArchiveError, sqlite3.Error):
                pass  # the other thread says what is the matter
            except Exception:
                logger.exception("topics and names could not be read")
            self.closing.wait(NOTICE_REPLAY if replaying else NOTICE)

    _conn: sqlite3.Connection | None = None

    def _watch(self) -> None:
        seen: tuple[int, int] | None = None
        age = 0.0
        while not self.closing.wait(LOOK):
            age += LOOK
            mark = self._mark()
            if mark != seen or age >= REFRESH:
                seen, age = mark, 0.0
                self.refresh()
        if self._conn is not None:
            self._conn.close()

    def _mark(self) -> tuple[int, int] | None:
        """Which file and which version of it; None as long as it cannot be read."""
        try:
            file = self.path.stat().st_ino
            if self._conn is None or file != self._file:
                self._reopen(file)
            assert self._conn is not None
            return file, data_version(self._conn)
        except (OSError, ArchiveError, sqlite3.Error):
            self._drop()
            return None

    _file = 0

    def _reopen(self, file: int) -> None:
        self._drop()
        self._conn, self._file = open_readonly(self.path), file

    def _drop(self) -> None:
        if self._conn is not None:
            self._conn.close()
        self._conn = None

    def _take(self, conn: sqlite3.Connection | None) -> Snapshot:
        try:
            if conn is not None:
                return take(conn, heard=self.heard)
            with settings.reading(self.path) as own:
                return take(own, heard=self.heard)
        except ArchiveError as error:
            return trouble(error)
        except sqlite3.Error as error:
            return trouble(explained(error, self.path))
        except Exception:
            # Whatever it is, the viewers keep what they have and the next look may succeed.
            logger.exception("the archive could not be read")
            return getattr(self, "snapshot", None) or trouble(DamagedArchive("see the log of the dashboard"))

    def _publish(self, snapshot: Snapshot) -> None:
        with self._lock:
            update = difference(self.snapshot, snapshot)
            self.snapshot = snapshot
            if not update:
                return
            self._seq += 1
            line = event({"epoch": self.epoch, "seq": self._seq, **update})
            for stream in list(self._streams):
                stream.offer(line)


class Stream:
    """What one viewer has still to be sent."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hub: Hub) -> None:
        self.hub = hub
        self._loop = loop
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._queue.put_nowait(event(hub.whole()))

    def offer(self, line: bytes) -> None:
        """Add an update, from any thread."""
        self._loop.call_soon_threadsafe(self._put, line)

    def wake(self) -> None:
        """Let the stream notice that the server is closing."""
        self._loop.call_soon_threadsafe(self._queue.put_nowait, None)

    def _put(self, line: bytes) -> None:
        if self._queue.qsize() < BACKLOG:
            return self._queue.put_nowait(line)
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(event(self.hub.whole()))

    async def lines(self) -> AsyncIterator[bytes]:
        """Events until the server closes; the caller cancels when the viewer leaves."""
        try:
            yield b"retry: 1000\n\n"
            while not self.hub.closing.is_set():
                try:
                    line = await asyncio.wait_for(self._queue.get(), BEAT)
                except TimeoutError:
                    line = b": alive\nevent: beat\ndata: {}\n\n"
                if line is not None:
                    yield line
        finally:
            self.hub.leave(self)


def event(update: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(update, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


_hubs: dict[Path, Hub] = {}
_hubs_lock = threading.Lock()


def hub(path: Path) -> Hub:
    """The one hub of this process for an archive, started at its first use."""
    with _hubs_lock:
        found = _hubs.get(path)
        if found is None or found.closing.is_set():
            found = _hubs[path] = Hub(path)
            found.start()
        return found


def close_all() -> None:
    """End every stream and every thread: the server is going down."""
    for one in list(_hubs.values()):
        one.close()


async def live(request: Request) -> Response:
    """``GET /api/live``: the stream, for pages of this very server only."""
    if not same_origin(request):
        return PlainTextResponse("Only pages of this server may listen.", 403)
    stream = hub(settings.archive_path()).open()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(stream.lines(), media_type="text/event-stream", headers=headers)


def same_origin(request: HTTPConnection) -> bool:
    """Whether a browser says that the request comes from a page of this host and port.

    Another port of the same host counts as foreign: cookies would be sent along from there.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


ROUTES = [Route(ROUTE, live)]
