"""A small authenticated HTTP endpoint that other tools post to: chat bots, forms, question tools.

An answer of 2xx is given after the archive's commit, never before: a tool that is told so may forget what
it sent. How items read stands in ``collector/mapping/webhook.py``, the server in ``webhook_server``.
"""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address

import requests

from archive.checkup import Finding
from collector.mapping.webhook import Unnamed
from collector.sources.base import (
    Acknowledge,
    Connected,
    Feed,
    Gap,
    Heard,
    Lost,
    Refilled,
    Refused,
    Setup,
    Signal,
    Unavailable,
)
from collector.sources.webhook_server import SERVICE, Delivery, Endpoint, Limits

KIND = "webhook"
CONNECTS = (1000, 1.0)

BEAT = 1.0  # seconds between two signs of life
_PROBE_SECONDS = 2.0
_SHORT = 16  # characters of a token that can be guessed


def open_feed(setup: Setup) -> Feed:
    """The feed of a ``[[sources]]`` table with ``kind = "webhook"``; it binds no port yet."""
    return WebhookFeed(setup)


class WebhookFeed:
    """The endpoint, while it is listened to. ``url`` is where it can be reached then."""

    def __init__(self, setup: Setup, limits: Limits | None = None) -> None:
        self.label = KIND
        self.notice: str | None = None
        self.url = ""
        self._setup = setup
        self._limits = limits or Limits()
        self._address = str(setup.spec.settings.get("listen", "127.0.0.1:8600"))
        self._closed = threading.Event()
        self._waiting: queue.Queue[Delivery | None] = queue.Queue(self._limits.waiting)
        self._unnamed = Unnamed()

    def listen(self, cursor: str | None) -> Iterator[Signal]:
        """What tools post, until closed. Refused without a token, Unavailable where the port is taken."""
        token = self._setup.secret("token_env")
        if token is None:
            raise Refused(f"no {self._variable} in the environment or in .env: nobody could be let in")
        listener = _bound(self._address)
        endpoint = Endpoint(self._setup, token, self._waiting, self._unnamed, self._limits)
        self.url = _url(listener)
        endpoint.start(listener)
        try:
            yield Connected()
            while not self._closed.is_set():
                delivery = self._next()
                if delivery is not None:
                    yield from delivery.items
                    yield Acknowledge(delivery.stored)
                elif endpoint.is_running():
                    yield Heard()
                elif not self._closed.is_set():
                    raise Lost("the endpoint ended by itself")
        finally:
            # What was handed over is being stored: its senders are still answered, if that is soon.
            endpoint.stop()

    def refill(self, gap: Gap) -> Iterator[Signal]:
        """Nothing to ask: only the tools know what they sent."""
        lost = "what a tool sent while nobody listened is known to that tool only"
        yield Refilled(by="nothing", lost=lost)

    def refresh(self, since: datetime) -> Iterator[Signal]:
        """Nothing: tools tell of edits and deletions themselves."""
        return iter(())

    def check(self) -> Iterator[Finding]:
        """Whether there is a token worth the name, the port is free, and who can reach it."""
        about = f"source {self._setup.spec.name}"
        token = self._setup.secret("token_env")
        if token is None:
            text = f"no {self._variable} in the environment or in .env beside the meeting file; put it there"
            yield Finding(about, "failed", text)
        elif len(token) < _SHORT:
            text = f"{self._variable} is shorter than {_SHORT} characters; choose one that cannot be guessed"
            yield Finding(about, "warning", text)
        else:
            yield Finding(about, "ok", f"{self._variable} is there")
        yield self._port(about)
        if not _is_loopback(self._address):
            text = (
                f"{self._address} can be reached from other machines, and the token travels unencrypted; "
                "put a proxy with TLS before it, or listen on 127.0.0.1"
            )
            yield Finding(about, "warning", text)

    def close(self) -> None:
        """Stop listening; who waits for an answer is told to send again."""
        self._closed.set()
        with suppress(queue.Full):  # then nobody waits for the next delivery
            self._waiting.put_nowait(None)

    @property
    def _variable(self) -> str:
        return str(self._setup.spec.settings.get("token_env", "BACKCHANNEL_WEBHOOK_TOKEN"))

    def _next(self) -> Delivery | None:
        try:
            return self._waiting.get(timeout=BEAT)
        except queue.Empty:
            return None

    def _port(self, about: str) -> Finding:
        try:
            _bound(self._address).close()
        except Unavailable as error:
            if _is_ours(self._address):
                return Finding(about, "ok", f"{self._address}: a collector listens there already")
            return Finding(about, "failed", str(error))
        return Finding(about, "ok", f"{self._address} is free")


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _bound(address: str) -> socket.socket:
    """A listening socket at ``host:port``. Raises Unavailable."""
    host, port = _split(address)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Unavailable(f"{address} cannot be listened on ({error.strerror}); mend listen") from None
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where SO_REUSEADDR would share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"{address} cannot be listened on ({error.strerror}); "
            "stop what uses it, or name another port with listen"
        ) from None
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _is_loopback(address: str) -> bool:
    host, _ = _split(address)
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


def _is_ours(address: str) -> bool:
    host, port = _split(address)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/health"
    try:
        with requests.get(url, timeout=_PROBE_SECONDS, stream=True, allow_redirects=False) as answer:
            return answer.headers.get("server") == SERVICE
    except requests.RequestException:
        return False
