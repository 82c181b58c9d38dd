"""Bluesky's three streams: where they are, how a place in them is written down, and what a frame says.

========  =========================================  =====================================
name      endpoint                                   a place in the stream
========  =========================================  =====================================
``v2``    Jetstream, ``…jetstream.subscribeEvents``  a number per instance, or microseconds
``v1``    Jetstream, ``/subscribe``                  microseconds
``repos`` a relay or PDS, ``…sync.subscribeRepos``   a number per host
========  =========================================  =====================================

The clients of atproto connect again by themselves, skip what they cannot decode without a word, and hide
the payload; so only its decoders are used here (CBOR and CAR), over ``websockets``.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol
from urllib.parse import urlencode, urlsplit

from atproto_core.car import CAR
from atproto_core.cbor import decode_dag_multi
from atproto_core.cid import CID

from archive.shown import printable
from collector.importers.records import dump, loads
from collector.mapping import moment, table, tables, words
from collector.mapping.bluesky import POST, REPOST
from collector.sources.base import Lost, SourceError, Unavailable

DEFAULT_URL = "wss://jetstream2.us-east.bsky.network"
V2_METHOD = "network.bsky.jetstream.subscribeEvents"
REPOS_METHOD = "com.atproto.sync.subscribeRepos"
#: Seconds that a place given in microseconds is moved back: instances see events in different orders.
REWIND_SECONDS = 5
#: The same for a place given as a number, in events.
REWIND_EVENTS = 1_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX = 2**63
_MARK = re.compile(r"(v1|v2|repos):(\d{1,19}):(\d{0,19}):([^\s:]+(?::\d+)?)")
_CID_HEADS = (b"\x01\x71\x12\x20", b"\x01\x55\x12\x20")  # CIDv1, DAG-CBOR or raw, SHA-256
_CID_BYTES = 36

Name = Literal["v1", "v2", "repos"]


class CursorRefused(SourceError):
    """The server does not go on from the place that we asked for; another may do."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a stream: the position in its own numbers, and the time of the event there, if known."""

    stream: Name
    position: int
    time_us: int | None
    host: str

    def __str__(self) -> str:
        return f"{self.stream}:{self.position}:{self.time_us or ''}:{self.host}"

    @property
    def moment(self) -> datetime | None:
        """The time of the event at this place."""
        return from_microseconds(self.time_us)

    @classmethod
    def parse(cls, cursor: str | None) -> Mark | None:
        """The mark behind a cursor; None for one that is none of ours."""
        found = _MARK.fullmatch(cursor or "")
        if found is None:
            return None
        stream, position, time_us, host = found.groups()
        return cls(stream, int(position), int(time_us) if time_us else None, host)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Event:
    """One change, as Jetstream would give it. ``raw`` is its JSON text where it came as one."""

    value: Mapping[str, Any]
    raw: str | None
    position: int | None
    time_us: int | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A remark of the server about the stream: ``OutdatedCursor``, ``FutureCursor``."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One change of a frame that cannot be read, while its others can."""

    reason: str
    payload: str


Said = Event | Notice | Unreadable


class Stream(Protocol):
    """How one of the three streams is asked for and read."""

    @property
    def name(self) -> Name:
        """How a cursor calls it."""

    @property
    def what(self) -> str:
        """How people call it."""

    @property
    def subprotocol(self) -> str | None:
        """What to ask for in the handshake."""

    def url(self, address: Address, start: int | None) -> str:
        """Where to connect to go on from ``start``; None is the present."""

    def starts(self, mark: Mark, host: str) -> list[int]:
        """From where to go on after ``mark``, the best place first; empty where it says nothing here."""

    def read(self, frame: bytes) -> Iterator[Said]:
        """What a frame says. ValueError says why it cannot be read; errors of the server are raised."""


@dataclass(frozen=True, slots=True)
class Address:
    """The ``base_url`` of a source, taken apart. ``only`` is the stream that its path asks for, if any."""

    scheme: Literal["ws", "wss"]
    host: str
    path: str
    only: Name | None

    @classmethod
    def of(cls, url: str) -> Address:
        """The address behind a ``base_url``."""
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        only: Name | None = None
        for ending, name in _PATHS.items():
            if path.endswith(ending):
                path, only = path.removesuffix(ending), name
                break
        return cls("wss" if parts.scheme in ("https", "wss") else "ws", parts.netloc.casefold(), path, only)

    def join(self, path: str, query: list[tuple[str, str]]) -> str:
        """An address below this one."""
        asked = f"?{urlencode(query)}" if query else ""
        return f"{self.scheme}://{self.host}{self.path}{path}{asked}"


_PATHS: dict[str, Name] = {
    f"/xrpc/{V2_METHOD}": "v2",
    f"/xrpc/{REPOS_METHOD}": "repos",
    "/xrpc": "repos",
    "/subscribe": "v1",
}


class JetstreamV1:
    """Jetstream as it was until 2026: a cursor that is too old is taken for the oldest one, silently."""

    name: Name = "v1"
    what = "Jetstream (v1)"
    subprotocol = None

    def url(self, address: Address, start: int | None) -> str:
        """Where to connect."""
        query = [("wantedCollections", POST), ("wantedCollections", REPOST)]
        return address.join("/subscribe", [*query, *_cursor(start)])

    def starts(self, mark: Mark, host: str) -> list[int]:
        """By time, so a mark of any instance will do."""
        return _by_time(mark)

    def read(self, frame: bytes) -> Iterator[Said]:
        """One event a frame."""
        text = frame.decode()
        value = _object(loads(text, once=True))
        time_us = whole(value.get("time_us"))
        yield Event(value, text, time_us, time_us)


class JetstreamV2:
    """Jetstream of today, with an envelope around each event."""

    name: Name = "v2"
    what = "Jetstream"
    subprotocol = "xrpc.v1.json"

    def url(self, address: Address, start: int | None) -> str:
        """Where to connect."""
        query = [("collections", POST), ("collections", REPOST), ("kinds", "commit"), ("kinds", "account")]
        return address.join(f"/xrpc/{V2_METHOD}", [*query, *_cursor(start)])

    def starts(self, mark: Mark, host: str) -> list[int]:
        """By number where it is this instance's, and by time, for which the server takes large numbers."""
        own = mark.stream == "v2" and mark.host == host
        return [*([max(mark.position - REWIND_EVENTS, 0)] if own else []), *_by_time(mark)]

    def read(self, frame: bytes) -> Iterator[Said]:
        """One event a frame, or a notice; an error frame is raised."""
        text = frame.decode()
        value = _object(loads(text, once=True))
        if value.get("$type") == "error":
            raise said_error(value.get("error"), value.get("message"), self.what)
        event = table(value.get("payload")) or value
        if event.get("$type") == f"{V2_METHOD}#info":
            yield Notice(words(event.get("name")) or "", words(event.get("message")) or "")
            return
        time = moment(event.get("witnessedAt")) or moment(event.get("time"))
        yield Event(value, text, whole(event.get("seq")), microseconds(time))


class SubscribeRepos:
    """The network's own stream, of a relay or a PDS: frames of CBOR, records in CAR files.

    Its commits are turned into the events that Jetstream makes of them, one for each record, so that
    everything after this reads one form only.
    """

    name: Name = "repos"
    what = "subscribeRepos"
    subprotocol = None

    def url(self, address: Address, start: int | None) -> str:
        """Where to connect."""
        return address.join(f"/xrpc/{REPOS_METHOD}", _cursor(start))

    def starts(self, mark: Mark, host: str) -> list[int]:
        """Exactly where we were: this stream is in order, and its numbers are the host's own."""
        return [mark.position] if mark.stream == "repos" and mark.host == host else []

    def read(self, frame: bytes) -> Iterator[Said]:
        """The changes of posts and reposts in a frame, or one event without content."""
        try:
            parts = decode_dag_multi(frame)
        except Exception as error:  # the decoder, written in Rust, has no error class of its own
            raise ValueError(f"no DAG-CBOR: {str(error)[:100]}") from None
        if len(parts) != 2 or not all(isinstance(part, dict) for part in parts):
            raise ValueError("no header and body in the frame")
        header, body = parts
        if header.get("op") == -1:
            raise said_error(body.get("error"), body.get("message"), self.what)
        kind = header.get("t")
        if kind == "#info":
            yield Notice(words(body.get("name")) or "", words(body.get("message")) or "")
            return
        if not isinstance(kind, str) or not kind.startswith("#"):
            raise ValueError("a frame that does not say what it is")
        position, time_us = whole(body.get("seq")), microseconds(moment(body.get("time")))
        if kind == "#commit":
            yield from _changes(body, position, time_us)
        else:
            value: dict[str, Any] = {"kind": kind[1:], "time_us": time_us, "did": body.get("did")}
            if kind == "#account":
                value["account"] = {name: body.get(name) for name in ("active", "status")}
            yield Event(value, None, position, time_us)


STREAMS: dict[Name, Stream] = {
    "v2": JetstreamV2(),
    "v1": JetstreamV1(),
    "repos": SubscribeRepos(),
}


def _changes(body: Mapping[str, Any], position: int | None, time_us: int | None) -> Iterator[Said]:
    """The changes of posts and reposts that a commit makes, or one event that holds none."""
    wanted = [op for op in tables(body.get("ops")) if _collection(op) in (POST, REPOST)]
    if body.get("tooBig") is True and not wanted:
        raise ValueError("a commit too big for the stream: its records did not come along")
    if not wanted:
        yield Event({"kind": "other"}, None, position, time_us)
        return
    blocks: Mapping[str, Any] = {}
    if any(op.get("action") != "delete" for op in wanted):
        blocks = _blocks(body.get("blocks"))
    for op in wanted:
        collection, _, rkey = str(op["path"]).partition("/")
        change: dict[str, Any] = {
            "rev": body.get("rev"),
            "operation": op.get("action"),
            "collection": collection,
            "rkey": rkey,
        }
        value = {"did": body.get("repo"), "time_us": time_us, "kind": "commit", "commit": change}
        if op.get("action") != "delete":
            try:
                cid = _cid_text(op.get("cid"))
                change |= {"record": jsonable(blocks[cid]), "cid": cid}
            except KeyError:
                yield Unreadable("the record of a change did not come along", dump(jsonable(value)))
                continue
            except ValueError as error:
                yield Unreadable(str(error), dump(jsonable(value)))
                continue
        yield Event(value, None, position, time_us)


def _collection(op: Mapping[str, Any]) -> str:
    path = op.get("path")
    return path.partition("/")[0] if isinstance(path, str) else ""


def _blocks(data: Any) -> dict[str, Any]:
    if not isinstance(data, bytes):
        raise ValueError("a commit without blocks")
    try:
        return {cid.encode(): block for cid, block in CAR.from_bytes(data).blocks.items()}
    except Exception as error:  # as above
        raise ValueError(f"no CAR file: {str(error)[:100]}") from None


def _cid_text(cid: Any) -> str:
    if not isinstance(cid, bytes):
        raise ValueError("a change without the address of its record")
    text: str = CID.from_decoded_bytes(cid).encode()
    return text


def jsonable(value: Any, depth: int = 0) -> Any:
    """A decoded record as JSON has it: links as ``$link``, bytes as ``$bytes``. Raises ValueError."""
    if depth > 100:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {str(name): jsonable(part, depth + 1) for name, part in value.items()}
    if isinstance(value, list):
        return [jsonable(part, depth + 1) for part in value]
    if isinstance(value, bytes):
        if len(value) == _CID_BYTES and value.startswith(_CID_HEADS):
            return {"$link": _cid_text(value)}
        return {"$bytes": base64.b64encode(value).decode().rstrip("=")}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no JSON value")
    return value


def said_error(name: Any, message: Any, what: str) -> SourceError:
    """What an error that the server names means to the loop."""
    text = f"{words(name) or 'an error without a name'}: {words(message) or 'no reason given'}"[:200]
    text = printable(text)
    if name in ("FutureCursor", "CursorTooOld", "OutdatedCursor"):
        return CursorRefused(f"{what} does not go on from our cursor ({text})")
    if name == "ConsumerTooSlow":
        return Lost(f"{what} dropped us as too slow ({text})")
    return Unavailable(f"{what} says {text}")


def whole(value: Any) -> int | None:
    """A position: a whole number that a server could take back; else None."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX:
        return value
    return None


def microseconds(time: datetime | None) -> int | None:
    """The time as whole microseconds since 1970."""
    return None if time is None else (time - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(value: int | None) -> datetime | None:
    """The time behind whole microseconds since 1970; None where there is none."""
    try:
        return None if value is None else _EPOCH + timedelta(microseconds=value)
    except OverflowError:
        return None


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _cursor(start: int | None) -> list[tuple[str, str]]:
    return [] if start is None else [("cursor", str(start))]


def _by_time(mark: Mark) -> list[int]:
    return [] if mark.time_us is None else [max(mark.time_us - REWIND_SECONDS * 1_000_000, 0)]
