"""A Mastodon instance on loopback: mastodon-mock behind a wrapper that does what the real server does.

Statuses, timelines and the description of the instance are mastodon-mock's (its REST interface over its
own database). The streams are ours, since the mock's cannot break, reorder or refuse; they are fed from
the same rows. ``FAULTS`` are the things that go wrong; ``fault(name)`` arms one for the next opportunity.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import socket
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

import uvicorn
from mastodon_mock.app import create_app
from mastodon_mock.config import MastodonMockConfig, SeedAccount, SeedConfig
from mastodon_mock.db.models import Account, OAuthApp, OAuthToken, Status, StatusTag
from mastodon_mock.ids import next_id
from mastodon_mock.serializers.statuses import serialize_status
from sqlalchemy import delete, insert, select

TOKEN = "bc-token-of-a-user"
HASHTAG = re.compile(r"(?<![\w&])#(\w+)")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: When a stream is opened.
CONNECT_FAULTS = (
    "connect_401",
    "connect_403",
    "connect_429",
    "connect_503",
    "connect_html",
    "connect_redirect",
    "connect_closed",
    "connect_silent",
    "connect_empty",
)
#: While a stream is open; those of the second group harm no post.
STREAM_FAULTS = (
    "cut",
    "cut_after",
    "end",
    "half_event",
    "half_line_end",
    "html_midstream",
    "silence",
    # -- with the post still delivered
    "garbage",
    "invalid_utf8",
    "huge",
    "deep",
    "surrogate",
    "nul",
    "nan",
    "big_id",
    "duplicate_keys",
    "wrong_types",
    "unknown_event",
    "nameless_event",
    "private",
    "direct",
    "foreign",
    "repeat",
    "reorder",
    "slow_bytes",
    "crlf",
)
#: When a timeline or a status is asked for.
PAGE_FAULTS = (
    "page_429",
    "page_503",
    "page_html",
    "page_garbage",
    "page_cut",
    "page_closed",
    "page_silent",
    "page_redirect",
    "page_repeated",
    "page_bad_items",
    "page_odd_headers",
)

_CUT, _END, _SILENCE = "cut", "end", "silence"


class _Broken(Exception):
    """Makes uvicorn drop a connection in the middle of an answer."""


@dataclass(eq=False)
class _Listener:
    """An open stream: what is still to be written, and how it is to end."""

    tag: str
    waiting: deque[bytes | str] = field(default_factory=deque)
    held: list[bytes] = field(default_factory=list)
    awake: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, *things: bytes | str) -> None:
        self.waiting.extend(things)
        self.awake.set()

    def let_go(self) -> None:
        """Write what was held back, last first."""
        self.put(*reversed(self.held))
        self.held.clear()


@dataclass
class _Known:
    """A post as an all-seeing observer knows it."""

    id: int
    text: str
    author: str
    tags: tuple[str, ...]
    visibility: str
    created_at: datetime
    repost_of: str | None = None
    peers: list[MastodonServer] = field(default_factory=list)


class MastodonServer:
    """One instance. ``home`` is its name in uris and accounts; ``heartbeat`` the seconds of a silence."""

    FAULTS = CONNECT_FAULTS + STREAM_FAULTS + PAGE_FAULTS
    CONNECT_FAULTS = CONNECT_FAULTS
    STREAM_FAULTS = STREAM_FAULTS
    PAGE_FAULTS = PAGE_FAULTS

    def __init__(
        self,
        hashtags: Iterable[str] = ("sample2012",),
        *,
        home: str = "social.example",
        heartbeat: float = 1.0,
        token: str = TOKEN,
        streaming: str | None = None,
        batches: bool = True,
    ) -> None:
        self.hashtags = tuple(hashtags)
        self.home = home
        self.token = token
        self.heartbeat = heartbeat
        self.streaming = streaming  # the address of the streams that the instance announces, else its own
        self.batches = batches  # several statuses in one request: since 4.3
        self.reset: datetime | str | None = "in 1 s"  # what X-RateLimit-Reset says in a 429
        self.requests: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self._armed: Counter[str] = Counter()
        self._known: dict[str, _Known] = {}
        self._accounts: dict[str, int] = {}
        self._templates: dict[str, dict[str, Any]] = {}
        self._listeners: set[_Listener] = set()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._number = 0
        self._start()

    # -- the interface of all fakes ----------------------------------------------------------------

    def __enter__(self) -> MastodonServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def post(
        self,
        text: str,
        author: str = "bc_ana",
        *,
        reply_to: str | None = None,
        repost_of: str | None = None,
        created_at: datetime | None = None,
        visibility: str = "public",
        indexable: bool = True,
        delivered: bool = True,
    ) -> str:
        """A new post; ``delivered`` False: it is on the timeline, and no stream tells of it."""
        with self._lock:
            self._number += 1
            uri = f"https://{self.home}/users/{author}/statuses/{self._number}"
            created_at = created_at or datetime.now(UTC)
            return self._add(
                uri, text, author, created_at, visibility, indexable, reply_to, repost_of, delivered
            )

    def post_many(self, texts: Iterable[str], author: str = "bc_ana") -> list[str]:
        """Many posts at once, in one transaction."""
        with self._lock:
            account = self._account(author, True)
            now = datetime.now(UTC)
            rows, tags, keys, events = [], [], [], []
            template = self._template(author)
            for text in texts:
                self._number += 1
                uri = f"https://{self.home}/users/{author}/statuses/{self._number}"
                known = _Known(next_id(), text, author, _tags(text), "public", now)
                self._known[f"mastodon:{uri}"] = known
                keys.append(f"mastodon:{uri}")
                rows.append(_row(known.id, account, uri, text, now, "public", None, None))
                tags += [{"id": next_id(), "status_id": known.id, "name": tag} for tag in known.tags]
                events.append((known.tags, "update", self._filled(template, known, uri)))
            with self._sessions.begin() as session:
                session.execute(insert(Status), rows)
                session.execute(insert(StatusTag), tags)
            self._deliver(*events)
            return keys

    def edit(self, key: str, text: str, *, delivered: bool = True) -> str:
        """Rewrite a post, here and where it was shared; returns its key."""
        with self._lock:
            known = self._known[key]
            known.text = text
            edited_at = datetime.now(UTC)
            if not self._is_home(key):
                edited_at = edited_at.replace(microsecond=0)
            tags = {*known.tags, *_tags(text)}
            known.tags = _tags(text)
            with self._sessions.begin() as session:
                status = session.get_one(Status, known.id)
                status.content, status.text = _html(text), text
                status.edited_at = edited_at.replace(tzinfo=None)
                session.execute(delete(StatusTag).where(StatusTag.status_id == known.id))
                for tag in known.tags:
                    session.add(StatusTag(status_id=known.id, name=tag))
            if delivered:
                self._deliver((tuple(tags), "status.update", self._serialized(known.id)))
            peers = list(known.peers)
        for peer in peers:
            peer.edit(key, text, delivered=delivered)
        return key

    def delete(self, key: str, *, delivered: bool = True) -> None:
        """Delete a post with its boosts, here and where it was shared."""
        with self._lock:
            known = self._known.pop(key)
            for boost in [name for name, post in self._known.items() if post.repost_of == key]:
                self.delete(boost, delivered=delivered)
            with self._sessions.begin() as session:
                session.execute(delete(StatusTag).where(StatusTag.status_id == known.id))
                session.execute(delete(Status).where(Status.id == known.id))
            if delivered:
                self._deliver((known.tags, "delete", str(known.id).encode()))
        for peer in known.peers:
            peer.delete(key, delivered=delivered)

    def fault(self, name: str, times: int = 1) -> None:
        """Arm a fault: it strikes at the next opportunity."""
        assert name in self.FAULTS, name
        with self._lock:
            self._armed[name] += times

    def truth(self) -> dict[str, str]:
        """The newest text of every post that exists now and carries a hashtag, by its key."""
        ours = {tag.casefold() for tag in self.hashtags}
        with self._lock:
            return {
                key: known.text
                for key, known in self._known.items()
                if known.visibility in ("public", "unlisted") and ours.intersection(known.tags)
            }

    def close(self) -> None:
        """Stop the server; safe to call twice."""
        if self._server.should_exit:
            return
        self._loop.call_soon_threadsafe(self._end_streams)
        self._server.should_exit = True
        self._thread.join(10)
        self._app.state.engine.dispose()
        self._media.cleanup()

    # -- what only this network has ----------------------------------------------------------------

    def share(self, key: str, other: MastodonServer, *, delivered: bool = True) -> str:
        """Let another instance show a post of ours: the same uri, an id of its own, whole seconds."""
        known = self._known[key]
        created_at = known.created_at.replace(microsecond=0)
        uri = key.removeprefix("mastodon:")
        author = f"{known.author}@{self.home}"
        other._add(uri, known.text, author, created_at, known.visibility, True, None, None, delivered)
        known.peers.append(other)
        return key

    def id_of(self, key: str) -> str:
        """The id that this instance gives a post."""
        return str(self._known[key].id)

    def say(self, event: bytes) -> None:
        """Write these very bytes into every open stream."""
        self._loop.call_soon_threadsafe(lambda: [each.put(event) for each in self._listeners])

    def wait_for_listeners(self, count: int = 1, timeout: float = 15.0) -> None:
        """Wait until so many streams are open."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._listeners) == count, timeout), "nobody listens"

    # -- rows and events ---------------------------------------------------------------------------

    def _add(
        self,
        uri: str,
        text: str,
        author: str,
        created_at: datetime,
        visibility: str,
        indexable: bool,
        reply_to: str | None,
        repost_of: str | None,
        delivered: bool,
    ) -> str:
        key = f"mastodon:{uri}"
        with self._lock:
            account = self._account(author, indexable)
            original = self._known[repost_of] if repost_of else None
            if original is not None:
                text = original.text
            tags = original.tags if original is not None else _tags(text)
            known = _Known(next_id(), text, author, tags, visibility, created_at, repost_of)
            self._known[key] = known
            answered = self._known[reply_to].id if reply_to else None
            boosted = original.id if original is not None else None
            row = _row(known.id, account, uri, text, created_at, visibility, answered, boosted)
            if reply_to:
                row["in_reply_to_account_id"] = self._accounts[self._known[reply_to].author]
            with self._sessions.begin() as session:
                session.execute(insert(Status), [row])
                if tags:
                    marks = [{"id": next_id(), "status_id": known.id, "name": tag} for tag in tags]
                    session.execute(insert(StatusTag), marks)
            if delivered and visibility in ("public", "unlisted"):
                plain = not (reply_to or repost_of) and indexable and visibility == "public"
                payload = (
                    self._filled(self._template(author), known, uri) if plain else self._serialized(known.id)
                )
                self._deliver((tags, "update", payload))
            return key

    def _account(self, author: str, indexable: bool) -> int:
        name, _, domain = author.partition("@")
        with self._sessions.begin() as session:
            if author not in self._accounts:
                account = Account(
                    username=name, domain=domain or None, display_name=name, indexable=indexable
                )
                session.add(account)
                session.flush()
                self._accounts[author] = account.id
            elif not indexable:
                session.get_one(Account, self._accounts[author]).indexable = False
                self._templates.pop(author, None)
        return self._accounts[author]

    def _is_home(self, key: str) -> bool:
        return key.startswith(f"mastodon:https://{self.home}/")

    def _serialized(self, status_id: int) -> bytes:
        """A status as the mock serves it."""
        with self._sessions() as session:
            status = session.get_one(Status, status_id)
            value = serialize_status(session, status, self._config, None)
        return json.dumps(value).encode()

    def _template(self, author: str) -> dict[str, Any]:
        """What all plain posts of an author have in common: serialising each would take milliseconds."""
        if author not in self._templates:
            with self._sessions() as session:
                account = session.get_one(Account, self._accounts[author])
                blank = Status(
                    id=0,
                    account_id=account.id,
                    account=account,
                    content="",
                    text="",
                    created_at=datetime.now(UTC),
                    visibility="public",
                    url="x",
                    sensitive=False,
                    spoiler_text="",
                    quote_approval_policy="public",
                )
                with session.no_autoflush:
                    self._templates[author] = serialize_status(session, blank, self._config, None)
                session.expunge_all()
        return self._templates[author]

    def _filled(self, template: dict[str, Any], known: _Known, uri: str) -> bytes:
        return json.dumps(
            {
                **template,
                "id": str(known.id),
                "uri": uri,
                "url": uri,
                "content": _html(known.text),
                "created_at": known.created_at.isoformat(),
                "tags": [{"name": tag, "url": f"https://{self.home}/tags/{tag}"} for tag in known.tags],
            }
        ).encode()

    def _deliver(self, *events: tuple[tuple[str, ...], str, bytes]) -> None:
        with suppress(RuntimeError):  # the server is closed
            self._loop.call_soon_threadsafe(self._spread, events)

    def _spread(self, events: Iterable[tuple[tuple[str, ...], str, bytes]]) -> None:
        """Runs in the server's loop: an event to all who listen to one of its hashtags."""
        for tags, name, data in events:
            listeners = [each for each in self._listeners if each.tag in tags]
            fault = self._strike(STREAM_FAULTS) if listeners else None
            for listener in listeners:
                _tell(listener, fault, name, data)

    def _strike(self, among: Iterable[str]) -> str | None:
        with self._changed:
            name = next((name for name in among if self._armed[name] > 0), None)
            if name is not None:
                self._armed[name] -= 1
                self.struck[name] += 1
                self._changed.notify_all()
            return name

    # -- HTTP --------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._media = tempfile.TemporaryDirectory(prefix="bc_media_")
        self._config = MastodonMockConfig(
            domain=self.home,
            title="A small instance",
            media_storage_path=self._media.name,
            seed=SeedConfig(accounts=[SeedAccount(username="bc_observer", access_token=self.token)]),
        )
        self._app = create_app(self._config)
        self._sessions = self._app.state.session_factory
        with self._sessions.begin() as session:
            made = OAuthApp(client_id="bc", client_secret="bc", name="Backchannel", scopes=["read:statuses"])
            session.add(made)
            session.flush()
            session.scalars(select(OAuthToken)).one().app_id = made.id
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=1,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name=f"fake {self.home}", daemon=True
        )
        self._thread.start()
        assert self._ready.wait(20), "the fake does not start"

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._loop = asyncio.get_running_loop()
            await self._app(scope, receive, self._telling_ready(send))
            return
        path = scope["path"]
        with self._lock:
            self.requests[path] += 1
        headers = {name.decode().casefold(): value.decode() for name, value in scope["headers"]}
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if path == "/api/v1/streaming/hashtag":
            await self._stream(scope, receive, send, token)
        elif path.startswith(("/api/v1/timelines/", "/api/v1/statuses")):
            if token and token != self.token:
                await _json(send, 401, {"error": "The access token is invalid"})
            elif path == "/api/v1/statuses" and not self.batches:
                await _json(send, 404, {"error": "Not Found"})
            else:
                await self._page(scope, receive, send)
        elif "instance" in path and self.streaming:
            await _json(send, 200, {"version": "4.5.0", "urls": {"streaming_api": self.streaming}})
        else:
            await self._app(scope, receive, self._with_limits(send))

    def _telling_ready(self, send: Send) -> Send:
        async def tell(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._ready.set()

        return tell

    def _with_limits(self, send: Send, reset: str | None = None) -> Send:
        """Adds the headers that the real server sends with every answer."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                until = reset or (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
                message["headers"] = [
                    *message["headers"],
                    (b"x-ratelimit-limit", b"300"),
                    (b"x-ratelimit-remaining", b"299"),
                    (b"x-ratelimit-reset", until.encode()),
                ]
            await send(message)

        return add

    def _limit_headers(self) -> list[tuple[bytes, bytes]]:
        reset = datetime.now(UTC) + timedelta(seconds=1) if self.reset == "in 1 s" else self.reset
        if reset is None:
            return []
        text = reset if isinstance(reset, str) else reset.isoformat()
        return [(b"x-ratelimit-reset", text.encode())]

    async def _fail(self, fault: str, receive: Receive, send: Send) -> None:
        """The faults that streams and pages have in common."""
        match fault.partition("_")[2]:
            case "401" | "403" | "503" as status:
                await _json(send, int(status), {"error": f"no ({status})"})
            case "429":
                await _json(send, 429, {"error": "Too many requests"}, self._limit_headers())
            case "html":
                await _answer(send, 200, b"<!doctype html><title>Soon back</title>", b"text/html")
            case "redirect":
                place = f"http://localhost:{self.url.rpartition(':')[2]}/elsewhere".encode()
                await _answer(send, 302, b"", b"text/plain", [(b"location", place)])
            case "silent":
                await _until_gone(receive)
            case _:
                # uvicorn knows no way to close without an answer; its connection does.
                receive.__self__.transport.abort()  # type: ignore[attr-defined]
                await _until_gone(receive)

    async def _page(self, scope: Message, receive: Receive, send: Send) -> None:
        fault = self._strike(PAGE_FAULTS)
        if fault == "page_repeated":
            scope = {**scope, "query_string": re.sub(rb"max_id=\d+&?", b"", scope["query_string"])}
        if fault in ("page_garbage", "page_cut", "page_bad_items"):
            body = await self._body(scope, receive)
            if fault == "page_garbage":
                body = b"\x00\xff[[{" + body[:50]
            elif fault == "page_bad_items":
                body = body.replace(b"[", b"[" + b",".join(_bad_items()) + b",", 1).replace(b",]", b"]")
            if fault == "page_cut":
                await _answer(send, 200, body[: len(body) // 2], b"application/json", length=len(body))
                raise _Broken
            await _answer(send, 200, body, b"application/json")
        elif fault == "page_odd_headers":
            await self._app(scope, receive, self._with_limits(send, "the day after tomorrow"))
        elif fault not in (None, "page_repeated"):
            await self._fail(fault, receive, send)
        else:
            await self._app(scope, receive, self._with_limits(send))

    async def _body(self, scope: Message, receive: Receive) -> bytes:
        pieces: list[bytes] = []

        async def keep(message: Message) -> None:
            pieces.append(message.get("body", b""))

        await self._app(scope, receive, keep)
        return b"".join(pieces)

    async def _stream(self, scope: Message, receive: Receive, send: Send, token: str) -> None:
        if token != self.token:
            text = "The access token is invalid" if token else "Missing access token"
            await _json(send, 401, {"error": text})
            return
        fault = self._strike(CONNECT_FAULTS)
        if fault is not None and fault != "connect_empty":
            await self._fail(fault, receive, send)
            return
        query = dict(part.split("=", 1) for part in scope["query_string"].decode().split("&") if "=" in part)
        listener = _Listener(query.get("tag", "").casefold())
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        with self._changed:
            self._listeners.add(listener)
            self._changed.notify_all()
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b":)\n", "more_body": True})
            if fault != "connect_empty":
                await self._write(listener, send, gone)
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            with self._changed:
                self._listeners.discard(listener)
                self._changed.notify_all()

    async def _write(self, listener: _Listener, send: Send, gone: asyncio.Future[None]) -> None:
        while not gone.done():
            if not listener.waiting:
                waking = asyncio.ensure_future(listener.awake.wait())
                done, _ = await asyncio.wait(
                    {waking, gone}, timeout=self.heartbeat, return_when=asyncio.FIRST_COMPLETED
                )
                waking.cancel()
                if not done:
                    listener.let_go()
                    listener.put(b":thump\n")
                continue
            pieces = []
            while listener.waiting and isinstance(listener.waiting[0], bytes):
                pieces.append(listener.waiting.popleft())
            await send({"type": "http.response.body", "body": b"".join(pieces), "more_body": True})
            if listener.waiting:
                match listener.waiting.popleft():
                    case "cut":
                        raise _Broken
                    case "silence":
                        await gone
                    case "pause":
                        await asyncio.sleep(0.005)
                    case _:
                        return
            elif not listener.waiting:
                listener.awake.clear()

    def _end_streams(self) -> None:
        for listener in self._listeners:
            listener.put(_END)


def _tell(listener: _Listener, fault: str | None, name: str, data: bytes) -> None:
    """Put an event into a stream, spoilt in the way that the fault names."""
    event = b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
    middle = len(event) // 2
    match fault:
        case None if listener.held:
            listener.held.append(event)
            if name == "delete" or len(listener.held) >= 3:
                listener.let_go()
        case None:
            listener.put(event)
        case "cut" | "end" | "silence":
            listener.put(fault)
        case "cut_after":
            listener.put(event, _CUT)
        case "half_event":
            listener.put(event[:middle], _CUT)
        case "half_line_end":
            listener.put(event[:middle], _END)
        case "html_midstream":
            listener.put(b"<html>\n<body>Soon back</body>\n</html>\n", _END)
        case "repeat":
            listener.put(event, event)
        case "reorder":
            listener.held.append(event)
        case "slow_bytes":
            for start in range(0, len(event), 200):
                listener.put(event[start : start + 200], "pause")
        case "crlf":
            listener.put(event.replace(b"\n", b"\r\n"))
        case "duplicate_keys":
            doubled = b'{"content": "<p>old</p>", ' + data.lstrip()[1:] if data.startswith(b"{") else data
            listener.put(b"event: " + name.encode() + b"\ndata: " + doubled + b"\n\n", event)
        case _:
            listener.put(_NOISE[fault], event)


def _status(**fields: Any) -> bytes:
    """A status that is nobody's, for the events that bring no post."""
    account = {"acct": "bc_nobody", "url": "https://elsewhere.example/@bc_nobody", "id": "1"}
    value = {
        "id": "1",
        "uri": "https://elsewhere.example/1",
        "visibility": "public",
        "created_at": "2012-03-26T15:00:00.000Z",
        "account": account,
        "reblog": None,
        "content": "<p>Hello #sample2012</p>",
        "tags": [{"name": "sample2012"}],
        **fields,
    }
    return json.dumps(value).encode()


def _update(data: bytes) -> bytes:
    return b"event: update\ndata: " + data + b"\n\n"


def _bad_items() -> list[bytes]:
    """Elements of a page that are no statuses, and harm no neighbour."""
    return [
        b"5",
        b'"words"',
        b"{}",
        b'{"id": NaN}',
        b'{"id": "7", "content": "\\ud800"}',
        b'{"id": "8", "content": "\xff"}',
        b'{"deep": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        _status(content=5),
        _status(visibility="direct", content="<p>a secret #sample2012</p>"),
    ]


_NOISE = {
    "garbage": b"\x00\x01\x02 no event at all\n\n",
    "invalid_utf8": _update(b'{"id": "3", "visibility": "public", "text": "\xff\xfe"}'),
    "huge": _update(_status(content="<p>" + "x" * 10_000_000 + "</p>")),
    "deep": _update(b"[" * 100_000 + b"]" * 100_000),
    "surrogate": _update(_status(content="SURROGATE").replace(b"SURROGATE", b"half \\ud83d of one")),
    "nul": _update(
        _status(uri="https://elsewhere.example/nul", content="NUL").replace(b"NUL", b"a\\u0000b #sample2012")
    ),
    "nan": _update(_status(content="NAN").replace(b'"NAN"', b"NaN")),
    "big_id": b"event: delete\ndata: " + str(2**70).encode() + b"\n\n",
    "wrong_types": _update(_status(content=5, account=[], created_at=True)),
    "unknown_event": b'event: celebration\ndata: {"of": "spring"}\n\n',
    "nameless_event": b'data: {"of": "spring"}\n\n',
    "private": _update(_status(visibility="private", content="<p>a secret #sample2012</p>")),
    "direct": b"event: conversation\ndata: "
    + _status(visibility="direct", content="<p>a secret</p>")
    + b"\n\n",
    "foreign": _update(_status(content="<p>Something else</p>", tags=[])),
}


def _row(
    status_id: int,
    account: int,
    uri: str,
    text: str,
    created_at: datetime,
    visibility: str,
    answered: int | None,
    boosted: int | None,
) -> dict[str, Any]:
    return {
        "id": status_id,
        "account_id": account,
        "url": uri,
        "text": text if boosted is None else "",
        "content": _html(text) if boosted is None else "",
        "created_at": created_at.astimezone(UTC).replace(tzinfo=None),
        "visibility": visibility,
        "in_reply_to_id": answered,
        "reblog_of_id": boosted,
        "edit_history": [],
    }


def _tags(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.casefold() for tag in HASHTAG.findall(text)))


def _html(text: str) -> str:
    """A text as a server shows it, with its line breaks; our mapping makes the same text of it again."""
    return f"<p>{html.escape(text).replace(chr(10), '<br />')}</p>"


async def _json(send: Send, status: int, value: Any, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    await _answer(send, status, json.dumps(value).encode(), b"application/json", headers)


async def _answer(
    send: Send,
    status: int,
    body: bytes,
    kind: bytes,
    headers: Iterable[tuple[bytes, bytes]] = (),
    length: int | None = None,
) -> None:
    size = str(len(body) if length is None else length).encode()
    all_headers = [(b"content-type", kind), (b"content-length", size), *headers]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": body, "more_body": length is not None})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
