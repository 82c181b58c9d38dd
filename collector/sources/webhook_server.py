"""The server behind the webhook: Starlette under uvicorn, in a thread of its own.

Everything a stranger can ask for is bounded before anything is read: who has no token learns nothing and
leaves nothing; headers, bodies, waiting and the number of connections all have their limits.
"""

from __future__ import annotations

import asyncio
import hmac
import queue
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from archive.vocabulary import Deleted, Item, Private, Received
from collector.importers.private import hushed
from collector.importers.records import dump, loads, unmapped
from collector.mapping import MappingError
from collector.mapping.webhook import KEYS, Hearing, Unnamed, accounts, to_deletion, to_edit, to_item
from collector.sources.base import Setup

SERVICE = "backchannel"
_LAST_WORDS = 0.1  # seconds for the last answers to leave
_BY_ITSELF = 0.4  # seconds beyond ``leave`` that it has to end by itself
_BY_FORCE = 0.5  # and after it was told to drop whatever it does


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of a body, items of a request, connections and deliveries at once; the rest in seconds.

    ``commit`` is how long an answer waits for the archive, ``leave`` how long a stop waits for that.
    """

    body: int = 1_000_000
    items: int = 1_000
    connections: int = 64
    waiting: int = 32
    reading: float = 10.0
    commit: float = 10.0
    leave: float = 0.5


class Delivery:
    """The items of a request, and what tells its sender that they are stored."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = list(items)
        self._loop = asyncio.get_running_loop()
        self.is_stored: asyncio.Future[bool] = self._loop.create_future()

    def stored(self) -> None:
        """They are; called from the thread that writes."""
        with suppress(RuntimeError):  # the server has gone meanwhile, its sender was told to come again
            self._loop.call_soon_threadsafe(self.settle, True)

    def settle(self, stored: bool) -> None:
        """Answer the sender, once."""
        if not self.is_stored.done():
            self.is_stored.set_result(stored)


class _Wrong(Exception):
    """A request that cannot be taken; ``status`` says how it is answered."""

    def __init__(self, status: int, reason: str, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after = retry_after


@dataclass
class Endpoint:
    """The server with its thread; what comes in goes to ``waiting``."""

    setup: Setup
    token: str
    waiting: queue.Queue[Delivery | None]
    unnamed: Unnamed
    limits: Limits
    _open: set[Delivery] = field(default_factory=set)
    _leaving: bool = False

    def start(self, listener: socket.socket) -> None:
        """Serve on a bound socket, which belongs to the server from now on."""
        routes = [
            Route("/posts", self._answering(self._posts), methods=["POST"]),
            Route("/", self._answering(self._posts), methods=["POST"]),  # for tools that take no path
            Route("/posts/{id:path}", self._answering(self._edit), methods=["PUT"]),
            Route("/posts/{id:path}", self._answering(self._delete), methods=["DELETE"]),
            Route("/health", _health),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes),
            loop="asyncio",
            http=_ImpatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            headers=[("server", SERVICE)],
            limit_concurrency=self.limits.connections,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
            h11_max_incomplete_event_size=16_384,
        )
        self._server = uvicorn.Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, args=(listener,), name="webhook", daemon=True)
        self._thread.start()

    def is_running(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End it within a second; what is being stored has ``limits.leave`` seconds to be answered."""
        self._leaving = True
        self._server.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._leave)
        self._thread.join(self.limits.leave + _BY_ITSELF)
        self._server.force_exit = True
        self._thread.join(_BY_FORCE)

    def _run(self, listener: socket.socket) -> None:
        asyncio.run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            await self._server.serve(sockets=[listener])
        finally:
            listener.close()
            # Who was let in when the others were told to go already would wait for an answer for ever.
            self._cut()
            await asyncio.sleep(0)  # in which the connections are closed

    def _leave(self) -> None:
        """Nobody takes deliveries any more: their senders shall come again."""
        while True:
            try:
                delivery = self.waiting.get_nowait()
            except queue.Empty:
                break
            if delivery is not None:
                delivery.settle(False)
        asyncio.get_running_loop().call_later(self.limits.leave, self._give_up)

    def _give_up(self) -> None:
        for delivery in self._open:
            delivery.settle(False)
        asyncio.get_running_loop().call_later(_LAST_WORDS, self._cut)

    def _cut(self) -> None:
        """Whoever still sends has had time enough."""
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, _ImpatientProtocol):
                connection.transport.abort()

    # -- requests ----------------------------------------------------------------------------------

    def _answering(self, handle: Any) -> Any:
        return partial(self._answer, handle)

    async def _answer(self, handle: Any, request: Request) -> Response:
        """Who may ask is looked at before anything else, whatever is wrong becomes an answer."""
        try:
            self._admit(request)
            answer: Response = await handle(request)
            return answer
        except _Wrong as wrong:
            headers = {"retry-after": str(wrong.retry_after)} if wrong.retry_after else {}
            if wrong.status == 401:
                headers["www-authenticate"] = "Bearer"
            return JSONResponse({"error": str(wrong)}, wrong.status, headers)
        except ClientDisconnect:
            return Response(status_code=400)

    def _admit(self, request: Request) -> None:
        """Raise unless the request carries the token. What it says otherwise is not looked at."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # Headers come as Latin-1, whatever the token was written in.
        equal = hmac.compare_digest(given.strip().encode("latin-1"), self.token.encode())
        if scheme.casefold() != "bearer" or not equal:
            raise _Wrong(
                401, "the header Authorization: Bearer TOKEN is missing, or the token is another one"
            )
        if self._leaving:
            raise _Wrong(503, "stopping; send it again", 5)

    async def _posts(self, request: Request) -> Response:
        values = _values(await self._body(request), self.limits.items)
        hearing = self._hearing()
        found: list[Item] = []
        outcomes: list[dict[str, Any]] = []
        for number, value in enumerate(values, 1):
            item, outcome = _read(value, hearing, f"item {number}")
            found.append(item)
            outcomes.append(outcome)
        await self._store(found)
        accepted = sum(outcome["outcome"] != "refused" for outcome in outcomes)
        return JSONResponse({"accepted": accepted, "items": outcomes}, 200 if accepted else 422)

    async def _edit(self, request: Request) -> Response:
        value = _value(await self._body(request))
        post_id = request.path_params["id"]
        try:
            item = to_edit(value, post_id, self._hearing(), f"edit of {post_id[:100]!r}")
        except MappingError as error:
            raise _Wrong(422, str(error)) from None
        await self._store([item])
        return JSONResponse(_outcome(item))

    async def _delete(self, request: Request) -> Response:
        try:
            item = to_deletion(request.path_params["id"], self._hearing())
        except MappingError as error:
            raise _Wrong(422, str(error)) from None
        await self._store([item])
        return JSONResponse(_outcome(item))

    def _hearing(self) -> Hearing:
        return Hearing(self.setup.spec.arm, self.setup.clock(), self.unnamed)

    async def _body(self, request: Request) -> str:
        """The body as text, within the limits of size and time."""
        data = bytearray()
        try:
            async with asyncio.timeout(self.limits.reading):
                async for piece in request.stream():
                    data += piece
                    if len(data) > self.limits.body:
                        raise _Wrong(413, f"more than {self.limits.body:,} bytes; send less at once")
        except TimeoutError:
            raise _Wrong(408, f"the body took longer than {self.limits.reading:g} seconds") from None
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _Wrong(400, f"no UTF-8 at byte {error.start + 1}; nothing was stored") from None

    async def _store(self, items: list[Item]) -> None:
        """Hand items over, and wait until they are committed."""
        if self._leaving:
            raise _Wrong(503, "stopping; send it again", 5)
        delivery = Delivery(hushed(items))
        self._open.add(delivery)
        try:
            self.waiting.put_nowait(delivery)
            async with asyncio.timeout(self.limits.commit):
                if not await delivery.is_stored:
                    raise _Wrong(503, "stopping; send it again", 5)
        except queue.Full:
            raise _Wrong(503, "too much at once; send it again", 1) from None
        except TimeoutError:
            raise _Wrong(503, "it could not be stored in time; send it again", 5) from None
        finally:
            self._open.discard(delivery)


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "listening"})


def _read(value: Any, hearing: Hearing, where: str) -> tuple[Item, dict[str, Any]]:
    try:
        item: Item = to_item(value, hearing, where)
    except MappingError as error:
        refused = replace(unmapped(str(error), _payload(value), where), accounts=accounts(value))
        return refused, {"outcome": "refused", "reason": str(error), "where": where}
    return item, _outcome(item)


def _payload(value: Any) -> str | None:
    """What quarantine keeps: nothing where a key that we do not know may have said that it is private."""
    if not isinstance(value, dict) or not set(value).issubset(KEYS):
        return None
    try:
        return dump(value)
    except RecursionError:
        return None


def _outcome(item: Item) -> dict[str, Any]:
    match item:
        case Received(post):
            return {"outcome": "stored", "id": post.platform_id, "key": post.key}
        case Deleted(key):
            return {"outcome": "deleted", "key": key}
        case Private():
            return {"outcome": "private"}
        case _:
            raise AssertionError(item)


def _values(text: str, most: int) -> list[Any]:
    """The items of a body: one object, an array of them, or one a line."""
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    first = text.lstrip()[:1]
    if first == "{" and len(lines) > 1 and _is_json(lines[0][1]):
        values = [_value(line, f"line {number}") for number, line in lines[: most + 1]]
    else:
        value = _value(text)
        values = value if isinstance(value, list) else [value]
    if not values:
        raise _Wrong(400, "no item in it")
    if len(values) > most:
        raise _Wrong(413, f"more than {most:,} items; send fewer at once")
    return values


def _is_json(text: str) -> bool:
    try:
        loads(text)
    except ValueError:
        return False
    return True


def _value(text: str, where: str = "") -> Any:
    try:
        return loads(text, once=True)
    except ValueError as error:
        place = f"{where}: " if where else ""
        reason = str(error) if text.strip() else "an empty body"
        raise _Wrong(400, f"no JSON: {place}{reason}; nothing was stored") from None


class _ImpatientProtocol(H11Protocol):
    """Closes a connection on which no request begins for a while.

    uvicorn limits how long a connection is kept between requests, but not how long headers may take.
    """

    PATIENCE = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch it."""
        super().connection_made(transport)
        self._last: object = None
        self._watch = self.loop.call_later(self.PATIENCE, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Watch it no longer."""
        self._watch.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        is_busy = self.cycle is not None and not self.cycle.response_complete
        if not is_busy and self.cycle is self._last:
            self.transport.abort()
            return
        self._last = self.cycle
        self._watch = self.loop.call_later(self.PATIENCE, self._look)
