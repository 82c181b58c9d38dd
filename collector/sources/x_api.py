"""One account of X API v2: tweepy's calls over a session of ours.

tweepy names the resources and builds the parameters. What reaches the wire, and what comes back, is ours:
its own ``request`` has no time-out, logs the token, trips over hostile answers, and its ``_connect``
reconnects by itself for ever, which would hide every gap (research: plain tweepy dies on half a line).
Synchronous, since one blocking connection a source needs no event loop, and closing its socket ends it.
"""

from __future__ import annotations

import json as json_module
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import requests
import tweepy

from archive.errors import UsageError
from collector.importers.records import loads
from collector.mapping import tables
from collector.sources import web
from collector.sources.base import Limited, Refused, Setup, Unavailable

HOST = "https://api.x.com"
MAX_BODY = 64_000_000  # bytes; 500 posts with all that they refer to take about 10,000,000
ANSWER_SECONDS = 30.0  # of silence in the middle of an answer
WHOLE_ANSWER = timedelta(minutes=2)
ANOTHER_PROGRAM = (
    "X allows one stream a project and another one is open: stop the other program, or wait until X notices "
    "that it is gone"
)
NO_CREDITS = "the project's posts of this month are used up: buy more in X's developer console"
_KEEP_ALIVE_MARGIN = 1.05  # X sends a sign of life every 20 s, and it has to travel

FIELDS: dict[str, list[str]] = {
    "tweet_fields": [
        "author_id",
        "conversation_id",
        "created_at",
        "edit_history_tweet_ids",
        "entities",
        "in_reply_to_user_id",
        "lang",
        "note_tweet",
        "public_metrics",
        "referenced_tweets",
    ],
    "user_fields": ["created_at", "description", "location", "name", "public_metrics", "username"],
    "expansions": [
        "author_id",
        "in_reply_to_user_id",
        "referenced_tweets.id",
        "referenced_tweets.id.author_id",
    ],
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said to one request."""

    what: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text, whatever it holds."""
        return self.body.decode("utf-8", "backslashreplace")

    def value(self) -> Mapping[str, Any]:
        """The JSON object in the body; Unavailable where there is none."""
        try:
            value = loads(self.body.decode("utf-8"))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Unavailable(f"{self.what} answers with something that is no JSON object")
        return value

    @property
    def date(self) -> datetime | None:
        """The server's clock, to the second."""
        try:
            moment = parsedate_to_datetime(self.headers.get("date", ""))
        except (ValueError, TypeError, OverflowError):
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class _Bearer(requests.auth.AuthBase):
    """The token, set last: no ``.netrc`` of the machine replaces it, and no log shows it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Account(tweepy.StreamingClient, tweepy.Client):  # type: ignore[misc]
    """tweepy's two clients in one, on one session; every call answers with an ``Answer``.

    Raises Refused, Limited, Unavailable and Lost, and never tries anything twice.
    """

    def __init__(self, setup: Setup) -> None:
        """Connects to nothing yet. Raises UsageError where ``base_url`` is no address."""
        super().__init__("", return_type=requests.Response)
        self.session = web.Session()
        self.base = str(setup.spec.settings.get("base_url") or HOST).rstrip("/").removesuffix("/2")
        if not web.origin(self.base):
            raise UsageError(f"sources.{setup.spec.name}: base_url is no address of a server: {self.base}")
        self._variable = str(setup.spec.settings.get("token_env") or "the variable that token_env names")
        self._token = setup.secret("token_env")
        self._clock: Callable[[], datetime] = setup.clock
        stall_after = float(setup.spec.settings.get("stall_after") or 20)
        self._stall_seconds = stall_after * _KEEP_ALIVE_MARGIN
        self._stream: requests.Response | None = None

    def close(self) -> None:
        """Break off everything, from any thread."""
        self.session.close()

    def request(
        self,
        method: str,
        route: str,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        user_auth: bool = False,
    ) -> Answer:
        """One call of tweepy's: the answer, or what its status means."""
        what = f"X ({method} {route.split('?')[0]})"
        url = self.base + route
        data = None if json is None else json_module.dumps(json).encode()
        headers = {} if json is None else {"Content-Type": "application/json"}
        with web.translated(what):
            response = self._send(method, url, self._bearer(), params=params, data=data, headers=headers)
        return self._answer(response, what)

    def get_usage(self) -> Answer:
        """Posts read by the whole project this month, which tweepy does not know."""
        return self.request("GET", "/2/usage/tweets")

    def transfer(self, method: Literal["GET", "PUT"], url: str, data: bytes | None = None) -> Answer:
        """Upload or download at an address that X gave us; the token goes along to X itself only."""
        what = f"X ({'upload' if method == 'PUT' else 'download'} for a compliance job)"
        ours = web.origin(url) == web.origin(self.base)
        with web.translated(what):
            if not url.startswith(("https://", "http://")):
                raise Unavailable(f"{what}: no address of a server was given")
            headers = {} if data is None else {"Content-Type": "text/plain"}
            response = self._send(
                method, url, self._bearer() if ours else _no_token, data=data, headers=headers
            )
        return self._answer(response, what)

    def open_stream(self) -> requests.Response:
        """The filtered stream, connected: its lines are still to be read."""
        self._stream = None
        # filter() of tweepy builds the parameters and calls _connect below.
        self.filter(**FIELDS)
        return self._opened_stream()

    def _opened_stream(self) -> requests.Response:
        if self._stream is None:
            raise Unavailable("the stream of X could not be opened")
        return self._stream

    def _connect(self, method: str, endpoint: str, params: Mapping[str, Any] | None = None) -> None:
        what = "the stream of X"
        url = f"{self.base}/2/tweets/{endpoint}/stream"
        with web.translated(what):
            response = self._send(method, url, self._bearer(), params=params, seconds=self._stall_seconds)
        if response.status_code != 200:
            self._answer(response, what)
            raise Unavailable(f"{what} answers {response.status_code}")
        self._stream = response

    def _bearer(self) -> requests.auth.AuthBase:
        if self._token is None:
            raise Refused(f"no token: put {self._variable} into the environment or into .env")
        if not self._token.isascii() or not self._token.isprintable() or " " in self._token:
            raise Refused(f"{self._variable} holds signs that no token of X has: copy it again")
        return _Bearer(self._token)

    def _send(
        self,
        method: str,
        url: str,
        auth: Callable[[requests.PreparedRequest], requests.PreparedRequest],
        *,
        params: Mapping[str, Any] | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> requests.Response:
        return self.session.request(
            method,
            url,
            params=params,
            data=data,
            headers={"User-Agent": self.user_agent, **(headers or {})},
            auth=auth,
            stream=True,
            timeout=(web.CONNECT_SECONDS, seconds or ANSWER_SECONDS),
        )

    def _answer(self, response: requests.Response, what: str) -> Answer:
        latest = self._clock() + WHOLE_ANSWER
        body = web.body(response, what, MAX_BODY, lambda: self._clock() > latest)
        status, headers = response.status_code, response.headers
        known = {name.casefold(): value for name, value in headers.items()}
        if status == 404:
            raise Absent(f"{what} answers 404: it is not offered there")
        if status == 429 and b"TooManyConnections" in body and known.get("x-rate-limit-remaining") != "0":
            raise Limited(ANOTHER_PROGRAM)  # the reset is that of the window, which has nothing to do with it
        web.refuse(status, headers, self._clock(), what=what, said=_advice(status, body))
        return Answer(what, status, known, body)


class Absent(Unavailable):
    """The server does not know what it was asked for."""


def _no_token(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _advice(status: int, body: bytes) -> str:
    advice = {
        401: "make a new bearer token in X's developer console",
        403: "look in X's developer console whether credits are left and the access level allows this",
        429: NO_CREDITS if b"usage-capped" in body.lower() else "",
    }.get(status, "")
    return "; ".join(part for part in (web.said(body), advice) if part)


def rate_of(answer: Answer) -> tuple[int, int, datetime | None] | None:
    """Requests allowed and left in this window of 15 minutes, and when it ends, where the server tells."""
    try:
        allowed = int(answer.headers["x-rate-limit-limit"])
        left = int(answer.headers["x-rate-limit-remaining"])
        ends = datetime.fromtimestamp(int(answer.headers["x-rate-limit-reset"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    return allowed, left, ends


def rows(answer_value: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list in an answer; none where it is absent or something else."""
    return tables(answer_value.get(name))
