"""mastodon-py over a session that keeps what the library loses: the payload, the status, the headers.

The library makes the requests, finds the streaming host and sends the token. What it would do with the
answers it does not get to do: it turns JSON into objects that have lost the payload, dies of one malformed
event or header, and tells a limit from a refusal by its words only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from mastodon import Mastodon, StreamListener

from collector.sources import web
from collector.sources.base import Lost, SourceError, Unavailable

MAX_BODY = 64_000_000  # bytes of a page; forty posts take about 200,000
_MAX_ERROR = 100_000
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Gone(Unavailable):
    """The server does not have what was asked for (404, 410); ``of_a_record`` if Mastodon itself says so."""

    def __init__(self, reason: str, *, of_a_record: bool) -> None:
        super().__init__(reason)
        self.of_a_record = of_a_record


class Wire(web.Session):
    """The session under mastodon-py. It reads and judges each answer before the library sees it.

    ``headers_seen`` are those of the last answer. Raises SourceError, which mastodon-py wraps.
    """

    def __init__(self, base_url: str, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.server = server_of(base_url)
        self.headers_seen: dict[str, str] = {}
        self._base_url = base_url
        self._clock = clock
        self._body: bytes | None = None
        # Without it, a .netrc that names the host would replace the token of a stream.
        self.auth = _unchanged

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """The answer of the server: a stream as it is, of anything else what the library may see of it."""
        wants_stream = bool(kwargs.pop("stream", False))
        with web.translated(self.server):
            self._guard_token(url)
            response = super().request(method, url, stream=True, **kwargs)
        self.headers_seen = {name.casefold(): value for name, value in response.headers.items()}
        if not response.ok:
            self._refuse(response)
        kind = response.headers.get("content-type", "").casefold()
        if wants_stream and "event-stream" not in kind:
            self._turn_away(response, "answers with something else than a stream of events")
        if wants_stream:
            return response
        if "html" in kind:
            self._turn_away(response, "answers with a page where JSON was asked for")
        self._body = web.body(response, self.server, MAX_BODY)
        return _for_library(response, self._body)

    def take_body(self) -> bytes | None:
        """The body of the last answer, once."""
        body, self._body = self._body, None
        return body

    def _guard_token(self, url: str) -> None:
        """Unavailable where the instance says that its streams are at a host of somebody else."""
        home, there = urlsplit(self._base_url), urlsplit(url)
        host, own = (there.hostname or "").casefold(), (home.hostname or "").casefold()
        related = host == own or host.endswith(f".{own}")
        if not related or (home.scheme == "https" and there.scheme != "https"):
            raise Unavailable(
                f"{self.server} says that its streams are at {there.scheme}://{host}, "
                "where no token of ours goes"
            )

    def _refuse(self, response: requests.Response) -> None:
        status = response.status_code
        try:
            reason = web.said(web.body(response, self.server, _MAX_ERROR))
        except SourceError:
            reason = ""
        if status in (404, 410):
            raise Gone(
                f"{self.server} answers {status}{f': {reason}' if reason else ''}", of_a_record=bool(reason)
            )
        web.refuse(status, response.headers, self._clock(), what=self.server, said=reason)
        raise Unavailable(f"{self.server} answers {status}")

    def _turn_away(self, response: requests.Response, why: str) -> None:
        response.close()
        raise Unavailable(f"{self.server} {why}; is base_url right?")


class Client(Mastodon):
    """mastodon-py as the source needs it: one client for one conversation, deaf after so many seconds."""

    def __init__(
        self, base_url: str, token: str | None, clock: Callable[[], datetime], stall_after: float
    ) -> None:
        self._stall_after = stall_after
        self.wire = Wire(base_url, clock)
        super().__init__(
            access_token=token,
            api_base_url=base_url.rstrip("/"),
            session=self.wire,
            request_timeout=min(web.CONNECT_SECONDS, stall_after),
            ratelimit_method="throw",
            user_agent="backchannel",
        )

    def timeline_is_available(self, *_: Any, **__: Any) -> bool:
        """Always: the library would ask the instance before every page, and then ask for the page anyway."""
        return True

    def ask(self, call: Callable[..., object], *args: Any, **kwargs: Any) -> bytes:
        """The body that the server answers a request of the library with. Raises SourceError."""
        self.wire.take_body()
        try:
            call(*args, **kwargs)
        except Exception as error:
            if isinstance(error.__context__, SourceError):
                raise error.__context__ from None
            # What the library cannot make of the answer does not matter: here is the answer.
            if (body := self.wire.take_body()) is None:
                raise
            return body
        body = self.wire.take_body()
        if body is None:
            raise Lost(f"{self.wire.server} gave no answer")
        return body

    def read_stream(self, tag: str, read: Callable[[requests.Response], None]) -> None:
        """Open the stream of a hashtag and hand it to ``read`` once it is accepted. Raises SourceError."""
        reader = _Reader(read)
        try:
            self.stream_hashtag(tag, reader, timeout=self._stall_after)
        except SourceError:
            raise
        except Exception:
            if reader.is_reading:
                raise
            # The library has looked for the streaming host in whatever the instance says of itself.
            raise Unavailable(f"{self.wire.server} names no address of its streams") from None


class _Reader(StreamListener):
    """Takes the stream before the library's own parser, which dies of the first malformed event."""

    def __init__(self, read: Callable[[requests.Response], None]) -> None:
        super().__init__()
        self._read = read
        self.is_reading = False

    def handle_stream(self, response: requests.Response) -> None:
        self.is_reading = True
        self._read(response)


def server_of(base_url: str) -> str:
    """The name of a server in aliases and messages: its host, with the port where that is not the usual."""
    parts = urlsplit(base_url)
    host = (parts.hostname or "").casefold()
    usual = parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme)
    return host if usual else f"{host}:{parts.port}"


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _for_library(response: requests.Response, body: bytes) -> requests.Response:
    """An answer that mastodon-py survives: no odd header, and JSON only where it reads it itself.

    It does so in the description of the instance, for the streaming host.
    """
    shown = requests.Response()
    shown.status_code = 200
    shown.url = response.url
    shown.request = response.request
    described = "/instance" in urlsplit(str(response.url)).path
    shown._content = body if described else b"{}"
    return shown
