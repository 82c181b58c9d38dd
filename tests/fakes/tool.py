"""The meeting's own tool, as it writes a chat file, and as it posts to the webhook.

Both have what every fake has: ``post``, ``edit``, ``delete``, ``fault``, ``truth``, ``close``; and they work
whether or not anybody listens.
"""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import requests

from collector.mapping.chat import Ordinals, message_id


@dataclass
class _Said:
    """A message as the tool keeps it."""

    key: str
    author: str
    text: str
    at: datetime
    reply_to: str | None = None
    gone: bool = False


class ChatFolder:
    """A folder with a Zoom chat that grows; ``zone`` is the meeting's, in which Zoom writes its times.

    Faults strike at the next post: ``half_line`` (the rest of it comes with the post after it, or with
    ``finish``), ``rewrite`` (the same file written anew, with a line at its beginning), ``truncate`` (emptied
    first), ``replaced`` (by a file saved under another name), ``vanish`` (gone until the next post),
    ``crlf``, ``garbage`` (a damaged header), ``binary`` (another file), ``growing_message``, ``duplicate``
    (a copy of the file beside it), ``private`` (a direct message, which must leave nothing).
    """

    FAULTS = (
        *("half_line", "rewrite", "truncate", "replaced", "vanish", "crlf", "garbage", "binary"),
        *("growing_message", "duplicate", "private"),
    )

    def __init__(self, path: Path, zone: ZoneInfo | None = None) -> None:
        self.url = str(path)
        self.file = path / "meeting_saved_chat.txt"
        path.mkdir(parents=True, exist_ok=True)
        self._zone = zone or ZoneInfo("UTC")
        self._lock = threading.RLock()
        self._said: list[_Said] = []
        self._ordinals = Ordinals()
        self._written = b""  # all that the file should hold
        self._owed = b""  # the rest of half a line
        self._faults: deque[str] = deque()
        self._vanished = False

    def __enter__(self) -> ChatFolder:
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
    ) -> str:
        """Append a message; its key. Zoom knows no reposts, and times to the second."""
        with self._lock:
            at = (created_at or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
            key = f"zoom:{message_id(at, author, self._ordinals.next(at, author))}"
            said = _Said(key, author, text, at, reply_to)
            self._said.append(said)
            self._strike(said, self._faults.popleft() if self._faults else None)
            return key

    def post_many(self, texts: Iterable[str]) -> list[str]:
        """Several messages in one write."""
        with self._lock:
            if self._faults:
                return [self.post(text) for text in texts]
            at = datetime.now(UTC).replace(microsecond=0)
            fresh = []
            for text in texts:
                key = f"zoom:{message_id(at, 'bc_ana', self._ordinals.next(at, 'bc_ana'))}"
                fresh.append(_Said(key, "bc_ana", text, at))
            self._said += fresh
            self._append(b"".join(map(self._lines, fresh)))
            return [said.key for said in fresh]

    def edit(self, key: str, text: str) -> str:
        """Another text for a message: the file is written anew."""
        with self._lock:
            for said in self._said:
                if said.key == key:
                    said.text = text
            self._rewrite()
            return key

    def delete(self, key: str) -> None:
        """Leave a message out of the file from now on, which is no deletion: ``truth`` keeps it."""
        with self._lock:
            for said in self._said:
                said.gone = said.gone or said.key == key
            self._rewrite()

    def fault(self, name: str, times: int = 1) -> None:
        """Arm a fault."""
        assert name in self.FAULTS, name
        self._faults.extend([name] * times)

    def finish(self) -> None:
        """Write what is owed."""
        with self._lock:
            self._append(b"")

    def truth(self) -> dict[str, str]:
        """What an all-seeing observer would have kept; what is owed is written first."""
        with self._lock:
            self.finish()
            return {said.key: said.text for said in self._said}

    def close(self) -> None:
        """Nothing is open between two writes."""

    # -- writing ---------------------------------------------------------------------------------

    def _lines(self, said: _Said) -> bytes:
        body = said.text.replace("\n", "\n\t")
        if said.reply_to is not None:
            answered = next(other for other in self._said if other.key == said.reply_to)
            body = f'Replying to "{answered.text[:20]}..."\n\t\n\t{body}'
        local = said.at.astimezone(self._zone)
        return f"{local:%Y-%m-%d %H:%M:%S} From {said.author} to Everyone:\n\t{body}\n".encode()

    def _append(self, data: bytes) -> None:
        data, self._owed = self._owed + data, b""
        self._written += data
        mode = "wb" if self._vanished else "ab"
        with self.file.open(mode) as file:
            file.write(self._written if self._vanished else data)
        self._vanished = False

    def _rewrite(self, *, beginning: bytes = b"", by_rename: bool = False) -> None:
        self._owed = b""
        self._written = beginning + b"".join(self._lines(said) for said in self._said if not said.gone)
        target = self.file.with_name("chat.tmp") if by_rename else self.file
        target.write_bytes(self._written)
        if by_rename:
            target.replace(self.file)
        self._vanished = False

    def _strike(self, said: _Said, fault: str | None) -> None:
        lines = self._lines(said)
        match fault:
            case "half_line":
                self._append(lines[: len(lines) // 2])
                self._owed = lines[len(lines) // 2 :]
            case "rewrite":
                self._rewrite(beginning=b"\n")
            case "truncate":
                self.file.write_bytes(b"")
                self._rewrite()
            case "replaced":
                self._rewrite(by_rename=True)
            case "vanish":
                self._append(b"")
                self._written += lines
                self.file.unlink(missing_ok=True)
                self._vanished = True
            case "crlf":
                self._append(lines.replace(b"\n", b"\r\n"))
            case "garbage":
                self._append(lines + b"14:0\xff3:99 From \x00 nobody\n")
            case "binary":
                (self.file.parent / "recording.bin").write_bytes(bytes(range(256)) * 64)
                self._append(lines)
            case "growing_message":
                self._append(lines)
                said.text += "\nand more of it"
                self._append(b"\tand more of it\n")
            case "duplicate":
                self._append(lines)
                shutil.copy(self.file, self.file.with_name("meeting_saved_chat_copy.txt"))
            case "private":
                local = f"{said.at.astimezone(self._zone):%Y-%m-%d %H:%M:%S}"
                secret = f"{local} From bc_eva to bc_luis (direct message):\n\ta secret of theirs\n"
                self._append(lines + secret.encode())
            case _:
                self._append(lines)


@dataclass
class _Request:
    method: str
    path: str
    body: bytes
    fault: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class WebhookTool:
    """A bot that tells the webhook at ``url`` what is said, again and again until that is stored.

    A thread of its own sends, so that ``post`` never waits. Faults strike at the next request, before the
    request itself: ``wrong_token``, ``cut`` (half a body), ``garbage`` (no JSON), ``deep``, ``huge``,
    ``liar`` (a wrong Content-Length), ``slow`` (a body that comes in pieces), ``duplicate`` (sent twice),
    ``reorder`` (after the next one), ``bad_item`` (one without an author beside it), ``private``.
    """

    FAULTS = (
        *("wrong_token", "cut", "garbage", "deep", "huge", "liar", "slow", "duplicate", "reorder"),
        *("bad_item", "private"),
    )

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._token = token
        self._said: dict[str, _Said] = {}
        self._number = 0
        self._outbox: deque[_Request] = deque()
        self._faults: deque[str] = deque()
        self._work = threading.Condition()
        self._sending = False
        self._closed = threading.Event()
        self.answers: deque[int] = deque(maxlen=10_000)
        self._session = requests.Session()
        self._thread = threading.Thread(target=self._send_all, name="webhook tool", daemon=True)
        self._thread.start()

    def __enter__(self) -> WebhookTool:
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
    ) -> str:
        """Say something; its key."""
        (key,) = self._post([text], author, reply_to, created_at)
        return key

    def post_many(self, texts: Iterable[str]) -> list[str]:
        """Several messages in one request; at most 1,000."""
        return self._post(list(texts), "bc_ana", None, None)

    def edit(self, key: str, text: str) -> str:
        """Another text for a message."""
        with self._work:
            said = self._said[key]
            said.text = text
            item = {**self._item(said), "edited_at": datetime.now(UTC).isoformat()}
            self._queue("PUT", f"/posts/{quote(_id(key), safe='')}", item)
            return key

    def delete(self, key: str) -> None:
        """Take a message back."""
        with self._work:
            self._said[key].gone = True
            self._queue("DELETE", f"/posts/{quote(_id(key), safe='')}", None)

    def fault(self, name: str, times: int = 1) -> None:
        """Arm a fault."""
        assert name in self.FAULTS, name
        with self._work:
            self._faults.extend([name] * times)

    def truth(self) -> dict[str, str]:
        """What an all-seeing observer would have kept."""
        with self._work:
            return {key: said.text for key, said in self._said.items() if not said.gone}

    def flush(self, seconds: float = 30) -> bool:
        """Wait until everything was accepted; whether it was."""
        with self._work:
            return self._work.wait_for(lambda: not self._outbox and not self._sending, seconds)

    def close(self) -> None:
        """Stop sending."""
        self._closed.set()
        with self._work:
            self._work.notify_all()
        self._thread.join(10)
        self._session.close()

    # -- sending ---------------------------------------------------------------------------------

    def _post(
        self, texts: list[str], author: str, reply_to: str | None, created_at: datetime | None
    ) -> list[str]:
        with self._work:
            fresh = []
            for text in texts:
                self._number += 1
                key = f"webhook:m/{self._number}"
                said = _Said(key, author, text, created_at or datetime.now(UTC), reply_to)
                self._said[key] = said
                fresh.append(said)
            items = [self._item(said) for said in fresh]
            self._queue("POST", "/posts", items[0] if len(items) == 1 else items)
            return [said.key for said in fresh]

    def _item(self, said: _Said) -> dict[str, object]:
        item: dict[str, object] = {
            "id": _id(said.key),
            "author": {"id": said.author, "name": said.author.removeprefix("bc_").title()},
            "text": said.text,
            "at": said.at.isoformat(),
        }
        if said.reply_to:
            item["reply_to"] = _id(said.reply_to)
        return item

    def _queue(self, method: str, path: str, value: object) -> None:
        body = b"" if value is None else json.dumps(value).encode()
        fault = self._faults.popleft() if self._faults else None
        self._outbox.append(_Request(method, path, body, fault))
        self._work.notify_all()

    def _send_all(self) -> None:
        while True:
            with self._work:
                self._sending = False
                self._work.notify_all()
                self._work.wait_for(lambda: self._outbox or self._closed.is_set())
                if self._closed.is_set():
                    return
                request = self._outbox.popleft()
                self._sending = True
                if request.fault == "reorder" and self._outbox:
                    self._outbox.insert(1, _Request(request.method, request.path, request.body))
                    continue
            self._misbehave(request)
            for _ in range(2 if request.fault == "duplicate" else 1):
                self._deliver(request)

    def _deliver(self, request: _Request) -> None:
        """Send until it is answered with 2xx, or with what says that it will never be."""
        while not self._closed.is_set():
            status = self._send(request, self._token)
            if status is not None and status < 500:
                return
            self._closed.wait(0.1)

    def _send(self, request: _Request, token: str) -> int | None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        try:
            answer = self._session.request(
                request.method, self.url + request.path, data=request.body, headers=headers, timeout=15
            )
        except requests.RequestException:
            return None
        self.answers.append(answer.status_code)
        return answer.status_code

    def _misbehave(self, request: _Request) -> None:
        stray = _Request("POST", "/posts", b"")
        match request.fault:
            case "wrong_token":
                self._send(request, "not the token")
            case "garbage":
                stray.body = b"<html>\xff\x00 no JSON"
                self._send(stray, self._token)
            case "deep":
                stray.body = b"[" * 100_000
                self._send(stray, self._token)
            case "huge":
                stray.body = json.dumps({"author": "bc_ana", "text": "x" * 10_000_000}).encode()
                self._send(stray, self._token)
            case "bad_item":
                stray.body = json.dumps([{"text": "nobody said this"}, {"author": 7, "text": []}]).encode()
                self._send(stray, self._token)
            case "private":
                stray.body = json.dumps({"author": "bc_eva", "text": "a secret", "private": True}).encode()
                self._send(stray, self._token)
            case "cut":
                self._raw(request, [request.body[: len(request.body) // 2]], len(request.body))
            case "liar":
                self._raw(request, [request.body], max(len(request.body) - 5, 0))
            case "slow":
                half = len(request.body) // 2
                self._raw(request, [request.body[:half], request.body[half:]], len(request.body), answer=True)
            case _:
                return

    def _raw(self, request: _Request, pieces: list[bytes], length: int, *, answer: bool = False) -> None:
        parts = urlsplit(self.url)
        head = (
            f"{request.method} {request.path} HTTP/1.1\r\nHost: {parts.hostname}\r\n"
            f"Authorization: Bearer {self._token}\r\nContent-Length: {length}\r\n\r\n"
        )
        try:
            with socket.create_connection((str(parts.hostname), parts.port or 80), 5) as connection:
                connection.sendall(head.encode())
                for piece in pieces:
                    self._closed.wait(0.05)
                    connection.sendall(piece)
                if answer:
                    connection.recv(1)
        except OSError:
            return


def _id(key: str) -> str:
    return key.removeprefix("webhook:")
