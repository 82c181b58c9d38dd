"""Starting and stopping the dashboard: Streamlit as an ASGI application, with the live stream beside it."""

from __future__ import annotations

import asyncio
import errno
import gc
import ipaddress
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web import bootstrap

from archive.errors import UsageError
from views import push, settings, style

SCRIPT = Path(__file__).resolve().parent.parent / "dashboard.py"
PORT = 8501
GRACE = 1  # seconds that connections get to end by themselves
COLLECT = 30.0  # seconds between two sweeps of the garbage that Streamlit leaves

OPTIONS: dict[str, Any] = {
    # A full collection after every run was most of the price of a refresh (research/dashboard.md, 1).
    "runner.postScriptGC": False,
    "runner.magicEnabled": False,
    "global.minCachedMessageSize": 1000,  # what a browser already has is named, not sent
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.headless": True,
    "server.enableStaticServing": False,
    "server.maxUploadSize": 1,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "logger.level": "error",
    **style.THEME,
}


class Server(uvicorn.Server):
    """A server that ends its own streams on a signal, and hands control back to the caller."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Catch SIGINT and SIGTERM while serving; unlike uvicorn's own, never raise them again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop: an open stream would otherwise keep the server for ever."""
        push.close_all()
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """Stop from another thread."""
        push.close_all()
        self.should_exit = True


def run(
    archive: Path,
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    ready: Callable[[str], None] | None = None,
    started: Callable[[Server], None] | None = None,
) -> None:
    """Serve the dashboard of an archive until SIGINT, SIGTERM or ``Server.stop``; then return.

    Without ``port`` the first free one from 8501 is taken. ``ready`` is called with the address as soon
    as it answers, ``started`` with the server before that. Raises UsageError for an address that others
    could reach, and for a port that is taken.
    """
    refuse_public(host)
    os.environ[settings.ARCHIVE] = str(archive.absolute())
    listening = bind(host, port)
    address = f"http://{_bracketed(host)}:{listening.getsockname()[1]}"
    app = application(ready=lambda: ready(address) if ready else None)
    config = uvicorn.Config(
        app,
        ws="websockets-sansio",
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=GRACE,
        lifespan="on",
    )
    server = Server(config)
    if started:
        started(server)
    with listening:
        server.run(sockets=[listening])


def application(*, ready: Callable[[], None] | None = None, options: Mapping[str, Any] = OPTIONS) -> st.App:
    """The ASGI application: pages by Streamlit, the live stream as a route of its own."""
    bootstrap.load_config_options(dict(options))

    @asynccontextmanager
    async def lifespan(_: st.App) -> AsyncIterator[None]:
        push.hub(settings.archive_path())
        gc.collect()
        gc.freeze()
        sweeping = asyncio.create_task(_sweep())
        announcing = asyncio.create_task(_announce(ready))
        try:
            yield
        finally:
            push.close_all()
            for task in (sweeping, announcing):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            gc.unfreeze()

    return st.App(SCRIPT, routes=push.ROUTES, lifespan=lifespan, middleware=[Middleware(OwnPagesOnly)])


class OwnPagesOnly:
    """Refuses websockets that a page of another address opens: corrections are made through them.

    Streamlit lets every port of this machine in.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close what is foreign before it was accepted; hand on everything else."""
        if scope["type"] == "websocket" and not push.same_origin(HTTPConnection(scope)):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)


async def _sweep() -> None:
    while True:
        await asyncio.sleep(COLLECT)
        await asyncio.to_thread(gc.collect)


async def _announce(ready: Callable[[], None] | None) -> None:
    # The socket listens already; what comes before the server is up waits in its backlog.
    await asyncio.sleep(0)
    if ready:
        ready()


def refuse_public(host: str) -> None:
    """Raise UsageError unless only this machine can reach the address: there is no sign-in yet."""
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host == "localhost":
        return
    raise UsageError(
        f"--host {host}: the dashboard has no sign-in yet, so it listens on this machine only; "
        "use 127.0.0.1, and a tunnel or a proxy with sign-in for others"
    )


def bind(host: str, port: int | None) -> socket.socket:
    """A listening socket; without a port the first free one of twenty. Raises UsageError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in [port] if port is not None else range(PORT, PORT + 20):
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, number))
            listening.listen(2048)
        except OSError as error:
            listening.close()
            if error.errno in (errno.EADDRINUSE, errno.EACCES) and port is None:
                continue
            raise UsageError(
                f"--port {number}: cannot listen on it ({os.strerror(error.errno or 0)}); name another port"
            ) from error
        listening.setblocking(False)
        return listening
    raise UsageError(f"all ports from {PORT} to {PORT + 19} are taken; name one with --port")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
