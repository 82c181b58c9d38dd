"""Bluesky's streams on loopback: Jetstream in both versions, subscribeRepos, and a search beside them.

``truth()`` says what an observer who missed nothing would have kept. Faults are armed by name and strike
at the next handshake (``HANDSHAKE``) or just before the next event (``STREAM``).
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import libipld
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from archive.vocabulary import hashtags_in

POST = "app.bsky.feed.post"
REPOST = "app.bsky.feed.repost"
V2 = "network.bsky.jetstream.subscribeEvents"
HANDSHAKE = ("html", "503", "401", "403", "429", "redirect", "hang_up", "slow_handshake", "unspoken")
#: Frames that nobody can make sense of; each comes beside the next event and harms it not.
HOSTILE = (
    "garbage",
    "binary_junk",
    "bad_utf8",
    "half",
    "huge",
    "deep",
    "surrogate",
    "nul",
    "nan",
    "big_int",
    "wrong_types",
    "empty",
)
HARMLESS = ("unknown_kind", "duplicate", "reorder", "stutter")
ENDING = ("cut", "cut_mid_frame", "close", "close_at_once", "consumer_too_slow", "giant", "silence")
_TID = "234567abcdefghijklmnopqrstuvwxyz"
_QUIET = logging.Logger("fake bluesky", logging.CRITICAL + 1)


def did_of(author: str) -> str:
    """The did of a fictional person: ``bc_ana`` is ``did:plc:bcana000…``."""
    return f"did:plc:{author.replace('_', '').casefold():0<24}"


@dataclass
class Entry:
    """An event of the log. ``change`` is None for what is no commit."""

    seq: int
    time_us: int
    did: str
    change: dict[str, Any] | None = None
    other: dict[str, Any] = field(default_factory=dict)


@dataclass
class State:
    """What the network knows of a post now."""

    did: str
    rkey: str
    record: dict[str, Any]
    tagged: bool
    time_us: int
    subject: str | None = None


class Network:
    """The posts, and the log of what happened to them; what the servers below have in common."""

    HASHTAGS = ("sample2012",)

    def __init__(self, hashtags: Iterable[str] = HASHTAGS) -> None:
        self.hashtags = frozenset(tag.casefold() for tag in hashtags)
        self.changed = threading.Condition()
        self.log: list[Entry] = []
        self.states: dict[str, State] = {}
        self._seq = 0
        self._last_us = 0
        self._stop = threading.Event()
        self._noise: threading.Thread | None = None

    def post(
        self,
        text: str,
        author: str = "bc_ana",
        *,
        reply_to: str | None = None,
        repost_of: str | None = None,
        created_at: datetime | None = None,
        **record: Any,
    ) -> str:
        """A new post or repost; returns its key. More fields of its record may be given by name."""
        with self.changed:
            key = self._post(text, author, reply_to, repost_of, created_at, record)
            self.changed.notify_all()
        return key

    def post_many(self, texts: Iterable[str], author: str = "bc_ana") -> list[str]:
        """Many posts at once."""
        with self.changed:
            keys = [self._post(text, author, None, None, None, {}) for text in texts]
            self.changed.notify_all()
        return keys

    def edit(self, key: str, text: str) -> str:
        """The same post with another text."""
        with self.changed:
            state = self.states[key]
            state.record = {**state.record, "text": text}
            state.tagged = state.tagged or self._tagged(state.record)
            self._commit(state.did, "update", POST, state.rkey, state.record)
            self.changed.notify_all()
        return key

    def delete(self, key: str) -> None:
        """The post is gone."""
        with self.changed:
            state = self.states.pop(key)
            self._commit(state.did, "delete", REPOST if state.subject else POST, state.rkey, None)
            self.changed.notify_all()

    def account(self, author: str, status: str | None) -> None:
        """An account is withdrawn (``deactivated``, ``deleted`` …), or active again (None)."""
        did = did_of(author)
        with self.changed:
            if status is not None:
                self.states = {key: state for key, state in self.states.items() if state.did != did}
            account = {"active": status is None, "did": did}
            if status is not None:
                account["status"] = status
            self._append(did, None, {"account": account})
            self.changed.notify_all()

    def forget(self, keep: int = 0) -> None:
        """Drop all but the last ``keep`` events: older cursors are too old now."""
        with self.changed:
            del self.log[: max(len(self.log) - keep, 0)]

    def truth(self) -> dict[str, str]:
        """Key to newest text of every post that is there now and carried a hashtag, and of its reposts."""
        with self.changed:
            return {
                key: "" if state.subject else state.record["text"]
                for key, state in self.states.items()
                if state.tagged or ((subject := self.states.get(state.subject or "")) and subject.tagged)
            }

    def noise(self, rate: float) -> None:
        """Foreign posts, so many a second, until the server is closed."""
        self._noise = threading.Thread(target=self._make_noise, args=(rate,), daemon=True)
        self._noise.start()

    def foreign(self, count: int) -> None:
        """So many posts, reposts and deletions of other people."""
        with self.changed:
            for number in range(count):
                self._foreign(number)
            self.changed.notify_all()

    def stop(self) -> None:
        """End the noise."""
        self._stop.set()
        if self._noise is not None:
            self._noise.join(5)

    def _make_noise(self, rate: float) -> None:
        step = max(1, round(rate / 50))
        while not self._stop.wait(step / rate):
            self.foreign(step)

    def _foreign(self, number: int) -> None:
        did = did_of(f"bc_other{number % 997}")
        rkey = self._tid()
        if number % 10 == 9:
            self._commit(did, "delete", POST, rkey, None)
        elif number % 10 > 6:
            subject = {"uri": f"at://{did}/{POST}/{rkey}", "cid": "bafyreia"}
            self._commit(did, "create", REPOST, rkey, {"$type": REPOST, "subject": subject, **_created(None)})
        else:
            self._commit(did, "create", POST, rkey, {**_NOISE, **_created(None)})

    def _post(
        self,
        text: str,
        author: str,
        reply_to: str | None,
        repost_of: str | None,
        created_at: datetime | None,
        more: dict[str, Any],
    ) -> str:
        did, rkey = did_of(author), self._tid()
        key = f"bluesky:{did}/{rkey}"
        if repost_of is not None:
            record: dict[str, Any] = {
                "$type": REPOST,
                "subject": {"uri": _uri(repost_of), "cid": "bafyreia"},
                **_created(created_at),
            }
        else:
            record = {"$type": POST, "text": text, "langs": ["en"], **_created(created_at), **more}
            if reply_to is not None:
                reference = {"uri": _uri(reply_to), "cid": "bafyreia"}
                record["reply"] = {"root": reference, "parent": reference}
        tagged = repost_of is None and self._tagged(record)
        entry = self._commit(did, "create", REPOST if repost_of else POST, rkey, record)
        self.states[key] = State(did, rkey, record, tagged, entry.time_us, repost_of)
        return key

    def _tagged(self, record: dict[str, Any]) -> bool:
        found = [*hashtags_in(record["text"]), *(tag.casefold() for tag in record.get("tags", ()))]
        for facet in record.get("facets", ()):
            found += [part["tag"].casefold() for part in facet["features"] if "tag" in part]
        return not self.hashtags.isdisjoint(found)

    def _commit(
        self, did: str, operation: str, collection: str, rkey: str, record: dict[str, Any] | None
    ) -> Entry:
        change = {"operation": operation, "collection": collection, "rkey": rkey, "rev": self._tid()}
        if record is not None:
            change |= {"record": record, "cid": "bafyreia"}
        return self._append(did, change, {})

    def _append(self, did: str, change: dict[str, Any] | None, other: dict[str, Any]) -> Entry:
        now = datetime.now(UTC)
        self._seq += 1
        self._last_us = max(int(now.timestamp() * 1_000_000), self._last_us + 1)
        entry = Entry(self._seq, self._last_us, did, change, other)
        self.log.append(entry)
        return entry

    def _tid(self) -> str:
        self._tids = getattr(self, "_tids", 0) + 1
        number, text = self._tids, ""
        for _ in range(13):
            text = _TID[number % 32] + text
            number //= 32
        return "3" + text[1:]


class Server(Network):
    """A network with a WebSocket server in front; see the classes below."""

    FAULTS: tuple[str, ...] = (*HANDSHAKE, *HOSTILE, *HARMLESS, *ENDING)
    path = ""

    def __init__(self, hashtags: Iterable[str] = Network.HASHTAGS) -> None:
        super().__init__(hashtags)
        self.elsewhere = "404"  # at other paths: a status, or "close", "close_badly", "hang_up"
        self.slow = 0.6  # seconds that a slow handshake takes
        self.struck: Counter[str] = Counter()
        self.asked: list[dict[str, list[str]]] = []  # the query of each handshake
        self._armed: list[str] = []
        self._lines: set[ServerConnection] = set()
        self._closing = threading.Event()
        self._server = serve(
            self._talk,
            "127.0.0.1",
            0,
            process_request=self._greet,
            select_subprotocol=lambda _, offered: offered[0] if offered else None,
            compression=None,
            ping_interval=None,
            close_timeout=1,
            logger=_QUIET,
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}{self.path}"

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fault(self, name: str, times: int = 1) -> None:
        """Arm a fault."""
        assert name in self.FAULTS, name
        with self.changed:
            self._armed += [name] * times

    def disconnect(self) -> None:
        """Break every connection that is open now."""
        for line in list(self._lines):
            _cut(line)

    @property
    def listeners(self) -> int:
        """How many are connected."""
        return len(self._lines)

    def close(self) -> None:
        """End everything."""
        self.stop()
        self._closing.set()
        with self.changed:
            self.changed.notify_all()
        self._server.shutdown()
        self.disconnect()
        self._thread.join(5)

    # -- what the kinds of server differ in --------------------------------------------------------

    def serves(self, path: str) -> bool:
        """Whether this is the path of the stream."""
        raise NotImplementedError

    def begin(self, cursor: int | None) -> tuple[int, list[bytes | str]]:
        """The number of the first event for a cursor, and what is said before it."""
        raise NotImplementedError

    def refuses(self, cursor: int | None) -> Response | None:
        """An answer to a handshake whose cursor is no good."""
        return None

    def frame(self, entry: Entry) -> bytes | str:
        """An event as it goes over the wire."""
        raise NotImplementedError

    def error(self, name: str, message: str) -> bytes | str:
        """An error that ends the stream."""
        raise NotImplementedError

    def hostile(self, name: str, entry: Entry) -> bytes | str:
        """A frame that cannot be read."""
        raise NotImplementedError

    def unknown(self, entry: Entry) -> bytes | str:
        """An event of a kind that nobody has heard of."""
        raise NotImplementedError

    # -- the conversation ---------------------------------------------------------------------------

    def _greet(self, connection: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        fault = self._strike(HANDSHAKE)
        if fault == "hang_up":
            _cut(connection)
        elif fault == "slow_handshake":
            self._closing.wait(self.slow)
        elif fault == "html":
            return _answer(200, "<html>Welcome</html>", "text/html")
        elif fault == "redirect":
            return _answer(302, "", location=self.url.replace("127.0.0.1", "localhost"))
        elif fault == "unspoken":
            return _answer(404, "nothing here")
        elif fault is not None:
            return _answer(int(fault), '{"error":"No","message":"not now"}', "application/json")
        if not self.serves(parts.path):
            connection.beginning = None  # type: ignore[attr-defined]
            if self.elsewhere == "hang_up":
                _cut(connection)
            return _answer(int(self.elsewhere), "nothing here") if self.elsewhere.isdecimal() else None
        self.asked.append(query)
        refusal = self.refuses(_cursor(query))
        if refusal is None:
            # What happens from now on is heard, even before the conversation begins.
            connection.beginning = self.begin(_cursor(query))  # type: ignore[attr-defined]
            self._lines.add(connection)  # and whoever knows that they are connected can be disconnected
        return refusal

    def _talk(self, connection: ServerConnection) -> None:
        self._lines.add(connection)
        beginning = connection.beginning  # type: ignore[attr-defined]
        try:
            with suppress(ConnectionClosed, OSError):
                if beginning is not None:
                    self._serve(connection, *beginning)
                elif self.elsewhere == "close_badly":
                    connection.close(1011)
        finally:
            self._lines.discard(connection)

    def _serve(self, connection: ServerConnection, number: int, opening: list[bytes | str]) -> None:
        if self._strike(("close_at_once",)):
            return
        for frame in opening:
            connection.send(frame)
        while not self._closing.is_set():
            with self.changed:
                entries = self._from(number)
                if not entries:
                    self.changed.wait(0.5)
                    if connection.state.name != "OPEN":
                        return
                    continue
            for entry in entries:
                number = entry.seq + 1
                if not self._deliver(connection, entry):
                    return

    def _from(self, number: int) -> list[Entry]:
        if not self.log:
            return []
        first = max(number - self.log[0].seq, 0)
        if len(self.log) - first >= 2 and self._strike(("reorder",)):
            one, two = self.log[first], self.log[first + 1]
            one.did, two.did = two.did, one.did
            one.change, two.change = two.change, one.change
            one.other, two.other = two.other, one.other
        return self.log[first : first + 500]

    def _deliver(self, connection: ServerConnection, entry: Entry) -> bool:
        """Send an event; False where the conversation is over."""
        fault = self._strike((*HOSTILE, "unknown_kind", "duplicate", "stutter", *ENDING[:3], *ENDING[4:]))
        frame = self.frame(entry)
        if fault is None:
            connection.send(frame)
            return True
        if fault in HOSTILE:
            hostile = self.hostile(fault, entry)
            connection.send(hostile, text=isinstance(hostile, str | _Text))
        elif fault == "unknown_kind":
            connection.send(self.unknown(entry))
        elif fault == "duplicate":
            connection.send(frame)
        elif fault == "stutter":
            half = len(frame) // 2
            connection.send([frame[:half], frame[half:]])  # one message in two frames
            return True
        elif fault == "consumer_too_slow":
            connection.send(self.error("ConsumerTooSlow", "you cannot keep up"))
            return False
        elif fault == "giant":
            connection.send(b"x" * 13_000_000)
        elif fault == "cut_mid_frame":
            data = frame.encode() if isinstance(frame, str) else frame
            head = b"\x81\x7e" + len(data).to_bytes(2, "big")
            connection.socket.sendall(head + data[: len(data) // 2])
            _cut(connection)
            return False
        elif fault == "cut":
            _cut(connection)
            return False
        elif fault == "silence":
            with connection.recv_flow_control:  # nothing is read any more, so no ping is answered
                self._closing.wait(5)
            return False
        else:
            return False
        connection.send(frame)
        return True

    def _strike(self, names: tuple[str, ...]) -> str | None:
        if not self._armed:
            return None
        with self.changed:
            name = next((name for name in self._armed if name in names), None)
            if name is not None:
                self._armed.remove(name)
                self.struck[name] += 1
        return name

    def _number_at(self, time_us: int) -> int:
        return next((entry.seq for entry in self.log if entry.time_us >= time_us), self._seq + 1)

    @property
    def _oldest(self) -> int:
        return self.log[0].seq if self.log else self._seq + 1


class JetstreamServer(Server):
    """Jetstream of one version: the other's address is unknown to it."""

    def __init__(self, version: int = 2, hashtags: Iterable[str] = Network.HASHTAGS) -> None:
        self.version = version
        self.numbers_only = False  # a cursor is a number of an event, never a time
        super().__init__(hashtags)

    def serves(self, path: str) -> bool:
        return path == ("/subscribe" if self.version == 1 else f"/xrpc/{V2}")

    def refuses(self, cursor: int | None) -> Response | None:
        if self.numbers_only and cursor is not None and cursor >= 10**15:
            return _answer(400, "no such cursor")
        if self.version == 2 and cursor is not None and cursor < min(10**15, self._oldest - 1):
            body = '{"error":"CursorTooOld","message":"the cursor is too old"}'
            return _answer(400, body, "application/json")
        return None

    def begin(self, cursor: int | None) -> tuple[int, list[bytes | str]]:
        with self.changed:
            if cursor is None:
                return self._seq + 1, []
            if self.version == 1:
                return self._number_at(cursor), []  # too old: the oldest, silently
            if cursor < 10**15:
                if cursor > self._seq + 1:
                    return self._seq + 1, [self._info("FutureCursor")]
                return cursor, []
            dropped = self._oldest > 1 and (not self.log or self.log[0].time_us > cursor)
            return self._number_at(cursor), [self._info("OutdatedCursor")] if dropped else []

    def frame(self, entry: Entry) -> str:
        if self.version == 1:
            event = {"did": entry.did, "time_us": entry.time_us}
            kind = "commit" if entry.change is not None else "account"
            event |= {"kind": kind, **({"commit": entry.change} if entry.change else entry.other)}
            return _json(event)
        kind = "commit" if entry.change is not None else "account"
        return self._envelope(entry, kind, entry.change or entry.other)

    def unknown(self, entry: Entry) -> str:
        if self.version == 1:
            return _json({"did": entry.did, "time_us": entry.time_us, "kind": "comet", "comet": [1]})
        return self._envelope(entry, "comet", {})

    def error(self, name: str, message: str) -> str:
        return _json({"$type": "error", "error": name, "message": message})

    def hostile(self, name: str, entry: Entry) -> bytes | str:
        mine = {"text": "@@ #sample2012", **_created(None)}
        change = {"operation": "create", "collection": POST, "rkey": "3hostile", "rev": "3a", "record": mine}
        frame = self.frame(Entry(entry.seq, entry.time_us, entry.did, change))
        match name:
            case "garbage":
                return "this is no JSON"
            case "binary_junk":
                return bytes(range(256))
            case "bad_utf8":
                return _Text(frame.encode().replace(b"@@", b"\xff\xfe"))
            case "half":
                return frame[: len(frame) // 2]
            case "huge":
                return frame.replace("@@", "x" * 10_000_000)
            case "deep":
                return frame.replace('"@@', "[" * 100_000 + '"@@')
            case "surrogate":
                return frame.replace("@@", "\\ud83d")
            case "nul":
                return frame.replace("@@", "\\u0000")
            case "nan":
                return frame.replace('"3a"', "NaN")
            case "big_int":
                return frame.replace('"3a"', "9" * 5_000)
            case "wrong_types":
                return frame.replace(f'"{entry.did}"', "[7]")
        return ""

    def _envelope(self, entry: Entry, kind: str, body: dict[str, Any]) -> str:
        time = datetime.fromtimestamp(entry.time_us / 1_000_000, UTC)
        time = time.replace(microsecond=entry.time_us % 1_000_000)
        payload = {"$type": f"{V2}#{kind}", "did": entry.did, "seq": entry.seq, "time": _iso(time), **body}
        return _json({"$type": "message", "payload": payload})

    def _info(self, name: str) -> str:
        payload = {"$type": f"{V2}#info", "name": name, "message": "said the fake"}
        return _json({"$type": "message", "payload": payload})


class ReposServer(Server):
    """The stream of a relay or PDS, in CBOR."""

    path = "/xrpc"

    def serves(self, path: str) -> bool:
        return path == "/xrpc/com.atproto.sync.subscribeRepos"

    def begin(self, cursor: int | None) -> tuple[int, list[bytes | str]]:
        with self.changed:
            if cursor is None:
                return self._seq + 1, []
            if cursor > self._seq:
                return self._seq + 1, [self.error("FutureCursor", "cursor in the future")]
            if cursor + 1 < self._oldest:
                return self._oldest, [_cbor({"op": 1, "t": "#info"}) + _cbor({"name": "OutdatedCursor"})]
            return cursor + 1, []

    def frame(self, entry: Entry) -> bytes:
        time = datetime.fromtimestamp(entry.time_us / 1_000_000, UTC)
        time = time.replace(microsecond=entry.time_us % 1_000_000)
        common = {"seq": entry.seq, "time": _iso(time)}
        if entry.change is None:
            return _cbor({"op": 1, "t": "#account"}) + _cbor({**common, **entry.other["account"]})
        return self.commit(common, entry.did, [entry.change])

    def commit(self, common: dict[str, Any], did: str, changes: list[dict[str, Any]]) -> bytes:
        """A commit with its records in a CAR file."""
        ops, blocks = [], {}
        for change in changes:
            cid = None
            if "record" in change:
                block = _cbor(change["record"])
                cid = Link(b"\x01\x71\x12\x20" + sha256(block).digest())
                blocks[cid] = block
            path = f"{change['collection']}/{change['rkey']}"
            ops.append({"action": change["operation"], "path": path, "cid": cid})
        root_block = _cbor({"did": did, "version": 3})
        root = Link(b"\x01\x71\x12\x20" + sha256(root_block).digest())
        car = _car(root, {root: root_block, **blocks})
        body = {**common, "repo": did, "rev": "3zz", "ops": ops, "blocks": car, "commit": root}
        body |= {"tooBig": False, "rebase": False, "since": None, "blobs": []}
        return _cbor({"op": 1, "t": "#commit"}) + _cbor(body)

    def unknown(self, entry: Entry) -> bytes:
        return _cbor({"op": 1, "t": "#comet"}) + _cbor({"seq": entry.seq, "did": entry.did})

    def error(self, name: str, message: str) -> bytes:
        return _cbor({"op": -1}) + _cbor({"error": name, "message": message})

    def hostile(self, name: str, entry: Entry) -> bytes | str:
        record = {"text": "@@ #sample2012", "depth": "++", **_created(None)}
        change = {"operation": "create", "collection": POST, "rkey": "3hostile", "record": record}
        frame = self.frame(Entry(entry.seq, entry.time_us, entry.did, change))
        match name:
            case "garbage":
                return "this is no CBOR"
            case "binary_junk":
                return bytes(range(256))
            case "bad_utf8" | "surrogate":
                return frame.replace(b"@@", b"\xed\xa0")
            case "nul":
                record["text"] = "\0 #sample2012"
                return self.frame(Entry(entry.seq, entry.time_us, entry.did, change))
            case "half":
                return frame[: len(frame) // 2]
            case "huge":
                record["text"] = "x" * 10_000_000 + " #sample2012"
                return self.frame(Entry(entry.seq, entry.time_us, entry.did, change))
            case "deep":
                return frame[:1] + b"\x81" * 100_000
            case "nan":
                return frame.replace(b"b++", b"\xf9\x7e\x00")
            case "big_int":
                return frame.replace(b"b++", b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff")
            case "wrong_types":
                return _cbor({"op": 1, "t": "#commit"}) + _cbor({"seq": "x", "ops": [7], "tooBig": True})
        return b""


class SearchServer:
    """An AppView's XRPC over plain HTTP: search, look-up and login, for the posts of a network."""

    FAULTS = ("401", "403", "429", "500", "html", "garbage", "list", "redirect", "endless", "hang_up", "odd")
    PASSWORD = "abcd-efgh-ijkl-mnop"

    def __init__(self, network: Network, *, page: int = 100, login: bool = False) -> None:
        self.network = network
        self.page = page
        self.login = login
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.seen: list[str] = []  # Authorization headers
        self.armed: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append(self.headers.get("Authorization", ""))
                outer._get(self)

            def do_POST(self) -> None:
                outer._login(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> SearchServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fault(self, name: str, times: int = 1) -> None:
        """Arm a fault for the next questions."""
        assert name in self.FAULTS
        self.armed += [name] * times

    def close(self) -> None:
        """End everything."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _get(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = parse_qs(parts.query)
        method = parts.path.rpartition("/")[2]
        self.asked.append((method, query))
        fault = self.armed.pop(0) if self.armed else ""
        if fault == "hang_up":
            handler.connection.shutdown(socket.SHUT_RDWR)
        elif fault.isdigit():
            _reply(handler, int(fault), {"error": "No", "message": "not now"})
        elif fault == "html":
            _reply(handler, 200, b"<html>Welcome</html>", "text/html")
        elif fault == "garbage":
            _reply(handler, 200, b'{"posts": [')
        elif fault == "list":
            _reply(handler, 200, [7])
        elif fault == "redirect":
            _reply(handler, 302, {}, location="http://localhost:9/elsewhere")
        elif self.login and "Bearer" not in handler.headers.get("Authorization", ""):
            _reply(handler, 401, {"error": "AuthMissing", "message": "Authentication Required"})
        elif method.endswith("searchPosts"):
            posts = [7, {"uri": "at://x"}, *self._found(query)] if fault == "odd" else self._found(query)
            start = int(query.get("cursor", ["0"])[0])
            page: dict[str, Any] = {"posts": posts[start : start + self.page]}
            if fault == "endless":
                page["cursor"] = str(start)
                self.armed.insert(0, "endless")
            elif start + self.page < len(posts):
                page["cursor"] = str(start + self.page)
            _reply(handler, 200, page)
        elif method.endswith("getPosts"):
            states = [self.network.states.get(_key(uri)) for uri in query.get("uris", [])]
            posts = [_view(state) for state in states if state and not state.subject]
            _reply(handler, 200, {"posts": posts})
        else:
            self._record(handler, query)

    def _record(self, handler: BaseHTTPRequestHandler, query: dict[str, list[str]]) -> None:
        repo, collection, rkey = (query[name][0] for name in ("repo", "collection", "rkey"))
        state = self.network.states.get(f"bluesky:{repo}/{rkey}")
        if state is None or collection != (REPOST if state.subject else POST):
            _reply(handler, 400, {"error": "RecordNotFound", "message": "Could not locate record"})
        else:
            _reply(handler, 200, {"uri": f"at://{repo}/{collection}/{rkey}", "value": state.record})

    def _found(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        words = query["q"][0]
        tags = {tag.casefold() for tag in query.get("tag", [])}
        found = []
        with self.network.changed:
            states = list(self.network.states.values())
        for state in sorted(states, key=lambda state: -state.time_us):
            record, since = state.record, query.get("since", [""])[0]
            if state.subject or record["createdAt"] < since:
                continue
            listed = {tag.casefold() for tag in record.get("tags", ())}
            if tags & listed if tags else words.casefold() in record["text"].casefold():
                found.append(_view(state))
        return found

    def _login(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        if body.get("password") != self.PASSWORD:
            _reply(handler, 401, {"error": "AuthenticationRequired", "message": "Invalid password"})
            return
        claims = {"scope": "x", "sub": did_of("bc_desk"), "iat": 1, "exp": 4_000_000_000, "aud": "did:web:x"}
        token = ".".join(_base64(part) for part in ({"alg": "none"}, claims, {"x": 1}))
        session = {"did": did_of("bc_desk"), "handle": "bc-desk.example.org", "active": True}
        _reply(handler, 200, {**session, "accessJwt": token, "refreshJwt": token})


class Link(bytes):
    """A CID inside a record."""


class _Text(bytes):
    """Bytes to be sent as a text message."""


def _cbor(value: Any) -> bytes:
    """DAG-CBOR; links are what libipld's encoder does not know."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
        return _head(5, len(value)) + b"".join(_cbor(name) + _cbor(value[name]) for name in names)
    if isinstance(value, list | tuple):
        return _head(4, len(value)) + b"".join(map(_cbor, value))
    if isinstance(value, Link):
        return b"\xd8\x2a" + _head(2, len(value) + 1) + b"\x00" + value
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        return _head(3, len(data)) + data
    encoded: bytes = libipld.encode_dag_cbor(value)
    return encoded


def _head(major: int, size: int) -> bytes:
    if size < 24:
        return bytes([major << 5 | size])
    for code, width in ((24, 1), (25, 2), (26, 4)):
        if size < 1 << 8 * width:
            return bytes([major << 5 | code]) + size.to_bytes(width, "big")
    return bytes([major << 5 | 27]) + size.to_bytes(8, "big")


def _car(root: Link, blocks: dict[Link, bytes]) -> bytes:
    parts = [_cbor({"roots": [root], "version": 1}), *(cid + block for cid, block in blocks.items())]
    return b"".join(_varint(len(part)) + part for part in parts)


def _varint(number: int) -> bytes:
    data = b""
    while number > 127:
        data += bytes([number & 127 | 128])
        number >>= 7
    return data + bytes([number])


def _created(created_at: datetime | None) -> dict[str, str]:
    return {"createdAt": _iso(created_at or datetime.now(UTC), "milliseconds")}


def _iso(moment: datetime, precision: str = "microseconds") -> str:
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _uri(key: str) -> str:
    did, _, rkey = key.removeprefix("bluesky:").partition("/")
    return f"at://{did}/{POST}/{rkey}"


def _key(uri: str) -> str:
    did, _, rkey = uri.removeprefix("at://").partition(f"/{POST}/")
    return f"bluesky:{did}/{rkey}"


def _view(state: State) -> dict[str, Any]:
    return {
        "uri": f"at://{state.did}/{POST}/{state.rkey}",
        "cid": "bafyreia",
        "author": {"did": state.did, "handle": "bc-ana.example.org"},
        "record": state.record,
        "indexedAt": _iso(datetime.fromtimestamp(state.time_us / 1_000_000, UTC)),
        "likeCount": 3,
        "repostCount": 0,
        "replyCount": 1,
        "quoteCount": 0,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _base64(value: Any) -> str:
    import base64

    return base64.urlsafe_b64encode(_json(value).encode()).decode().rstrip("=")


def _answer(status: int, text: str, kind: str = "text/plain", location: str | None = None) -> Response:
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(text)), "Connection": "close"})
    if status == 429:
        headers["Retry-After"] = "7"
    if location is not None:
        headers["Location"] = location
    return Response(status, HTTPStatus(status).phrase, headers, text.encode())


def _reply(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: Any,
    kind: str = "application/json",
    location: str | None = None,
) -> None:
    data = body if isinstance(body, bytes) else _json(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(data)))
    if status == 429:
        handler.send_header("Retry-After", "7")
    if location is not None:
        handler.send_header("Location", location)
    handler.end_headers()
    handler.wfile.write(data)


def _cursor(query: dict[str, list[str]]) -> int | None:
    return int(query["cursor"][0]) if "cursor" in query else None


def _cut(connection: ServerConnection) -> None:
    with suppress(OSError):
        connection.socket.shutdown(socket.SHUT_RDWR)


def _words() -> Iterator[str]:
    yield from ("so much rain today", "bread again", "who has seen my umbrella", "a long evening")


_NOISE: dict[str, Any] = {
    "$type": POST,
    "langs": ["en"],
    "text": "Nothing to do with the meeting: " + ", ".join(_words()) + " #weather #bread",
    "facets": [
        {
            "index": {"byteStart": 90, "byteEnd": 98},
            "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "weather"}],
        }
    ],
    "reply": {
        "root": {"uri": f"at://{did_of('bc_x')}/{POST}/3a", "cid": "bafyreia"},
        "parent": {"uri": f"at://{did_of('bc_x')}/{POST}/3a", "cid": "bafyreia"},
    },
}
