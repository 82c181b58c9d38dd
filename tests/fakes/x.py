"""X API v2 as X documents it, on loopback, with a fault for every step of the conversation.

Rules, the filtered stream, recent and full-archive search (which gives no reposts), lookups, batch
compliance jobs, usage. A fault is armed by ``fault("step:name")`` and strikes when the client next comes
to that step; the bare name strikes at the next step that knows it.
"""

from __future__ import annotations

import gzip
import itertools
import json
import os
import re
import select
import socket
import struct
import threading
import time
import unicodedata
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from archive.vocabulary import hashtags_in
from tests.collector.x_times import id_of

ANSWERS = (
    "401",
    "403",
    "429_far",
    "429_past",
    "429_missing",
    "429_soon",
    "503",
    "redirect",
    "html",
    "garbage",
    "null_data",
    "deep",
    "surrogate",
    "nan",
    "page_cut",
    "reset",
    "silent",
    "close_at_once",
    "slow_bytes",
    "gzip",
)
STEPS = ("rules", "add_rules", "connect", "search", "lookup", "usage", "jobs", "upload", "download")
OF_STEP = {
    "connect": ("too_many_connections", "no_rules"),
    "search": ("token_repeated", "empty_page", "page_garbled_with_token"),
    "add_rules": ("partial_errors",),
    "jobs": ("conflict", "failed"),
}
LIVE = (
    "half_line",
    "garbage",
    "endless_garbage",
    "html",
    "null_data",
    "rule_without_tag",
    "rules_missing",
    "rules_malformed",
    "cut_mid_line",
    "reset",
    "silent",
    "close_at_once",
    "operational_disconnect",
    "connection_exception",
    "duplicate",
    "reorder",
    "huge_post",
    "deep",
    "surrogate",
    "nul",
    "nan",
    "duplicate_keys",
    "wrong_types",
    "unknown_message",
    "big_id",
    "slow_bytes",
    "split_bytes",
)
TAG = re.compile(r"#(\w+)")


@dataclass
class _Post:
    id: str
    chain: list[str]
    text: str
    author: str
    created_at: datetime
    repost_of: str | None = None
    reply_to: str | None = None
    deleted: bool = False
    searchable_at: float = 0.0

    @property
    def key(self) -> str:
        return f"x:{self.chain[0]}"


@dataclass(eq=False)
class _Listener:
    connection: socket.socket
    waiting: deque[_Post] = field(default_factory=deque)
    bell: threading.Event = field(default_factory=threading.Event)


class XServer:
    """The server. ``far`` is the reset of ``429_far`` in seconds, ``search_lag`` what the index is behind."""

    FAULTS: tuple[str, ...] = tuple(
        f"{step}:{name}" for step in STEPS for name in (*ANSWERS, *OF_STEP.get(step, ()))
    ) + tuple(f"live:{name}" for name in LIVE)

    def __init__(
        self,
        hashtags: Iterable[str] = ("sample2012",),
        *,
        token: str = "a-token",
        keep_alive: float = 0.2,
        far: float = 900.0,
        search_lag: float = 0.0,
        connects: int = 50,
        page_size: int = 500,
        full_archive: bool = True,
        poll: int = 2,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.clock = clock
        self.hashtags = tuple(hashtags)
        self.token = token
        self.keep_alive = keep_alive
        self.far = far
        self.search_lag = search_lag
        self.usual_end = timedelta(seconds=30)  # before now: where a search ends that names no end
        self.connects = connects
        self.page_size = page_size
        self.full_archive = full_archive
        self.poll = poll
        self.rules: dict[str, dict[str, str]] = {}
        self.requests: list[tuple[str, dict[str, list[str]]]] = []
        self.leaked: list[str] = []  # what a server elsewhere got as Authorization
        self.struck: Counter[str] = Counter()
        self.project_cap = 3_000_000
        self.read = 0
        self.skew = timedelta(0)
        self.extra_errors: list[dict[str, Any]] = []
        self.delivered: Counter[str] = Counter()
        self._armed: Counter[str] = Counter()
        self._posts: dict[str, _Post] = {}  # every version by its id; the newest is by_key's
        self._by_key: dict[str, _Post] = {}
        self._order: list[str] = []
        self._listeners: list[_Listener] = []
        self._connected_at: deque[float] = deque()
        self._jobs: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._of_millisecond: Counter[int] = Counter()
        self._guard = threading.RLock()
        self._changed = threading.Condition(self._guard)
        self.closing = threading.Event()
        self._servers = [_Server(self, _Handler), _Server(self, _Elsewhere)]
        self.url = self._servers[0].url
        self.elsewhere = self._servers[1].url

    def __enter__(self) -> XServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop, and break off whatever is open."""
        self.closing.set()
        with self._guard:
            for listener in self._listeners:
                listener.bell.set()
        for server in self._servers:
            server.stop()

    # -- what people do -----------------------------------------------------------------------------

    def post(
        self,
        text: str,
        author: str = "bc_ana",
        *,
        reply_to: str | None = None,
        repost_of: str | None = None,
        created_at: datetime | None = None,
    ) -> str:
        """A new post; its archive key. A repost takes the text of the post that it passes on."""
        with self._guard:
            at = created_at or self.clock()
            if repost_of is not None:
                passed_on = self._by_key[repost_of]
                text = f"RT @{passed_on.author}: {passed_on.text}"[:280]
            post = _Post(
                id=self._new_id(at),
                chain=[],
                text=text,
                author=author,
                created_at=at,
                repost_of=self._by_key[repost_of].id if repost_of else None,
                reply_to=self._by_key[reply_to].id if reply_to else None,
            )
            post.chain.append(post.id)
            self._publish(post)
            return post.key

    def post_many(self, texts: Iterable[str], author: str = "bc_ana") -> list[str]:
        """One post a text."""
        return [self.post(text, author) for text in texts]

    def edit(self, key: str, text: str) -> str:
        """A new version, which is a new id at X; the key stays."""
        with self._guard:
            old = self._by_key[key]
            at = self.clock()
            new_id = self._new_id(at)
            chain = [*old.chain, new_id]
            for version in old.chain:
                self._posts[version].chain = chain
            edited = _Post(new_id, chain, text, old.author, at, old.repost_of, old.reply_to)
            self._publish(edited)
            return edited.key

    def delete(self, key: str) -> None:
        """The post and all its versions are gone; nobody is told."""
        with self._guard:
            for version in self._by_key[key].chain:
                self._posts[version].deleted = True

    def fault(self, name: str, times: int = 1) -> None:
        """Arm a fault, by ``step:name`` or its bare name."""
        assert name in self.FAULTS or any(known.endswith(f":{name}") for known in self.FAULTS), name
        with self._guard:
            self._armed[name] += times
            for listener in self._listeners:
                listener.bell.set()

    def truth(self) -> dict[str, str]:
        """Key and newest text of every post that is there now and carries one of the hashtags."""
        with self._guard:
            return {key: post.text for key, post in self._by_key.items() if self._counts(post)}

    def lost_reposts(self) -> set[str]:
        """Keys of reposts that no stream delivered whole: no search gives them back."""
        with self._guard:
            return {
                key for key, post in self._by_key.items() if post.repost_of and not self.delivered[post.id]
            }

    def wait_for_listeners(self, number: int = 1, timeout: float = 15.0) -> None:
        """Until so many streams are open."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._present() == number, timeout)

    def _present(self) -> int:
        return sum(not _has_left(listener.connection) for listener in self._listeners)

    # -- what the server knows ----------------------------------------------------------------------

    def _new_id(self, at: datetime) -> str:
        number = int(id_of(at))
        self._of_millisecond[number] += 1
        return str(number + self._of_millisecond[number] - 1)

    def _publish(self, post: _Post) -> None:
        post.searchable_at = time.monotonic() + self.search_lag
        self._posts[post.id] = post
        self._by_key[post.key] = post
        self._order.append(post.id)
        if not self._listeners:
            return
        matching = self.matching(post)
        if matching:
            for listener in self._listeners:
                listener.waiting.append(post)
                listener.bell.set()

    def _tagged_text(self, post: _Post) -> str:
        return self._posts[post.repost_of].text if post.repost_of else post.text

    def _counts(self, post: _Post) -> bool:
        if post.deleted or (post.repost_of and self._posts[post.repost_of].deleted):
            return False
        return bool(_folded(hashtags_in(self._tagged_text(post))) & _folded(self.hashtags))

    def matching(self, post: _Post) -> list[dict[str, str]]:
        """The rules that a post matches; X looks into the post passed on."""
        tags = _folded(hashtags_in(self._tagged_text(post)))
        return [
            {name: rule[name] for name in ("id", "tag") if name in rule}
            for rule in self.rules.values()
            if tags & _folded(TAG.findall(rule["value"]))
        ]

    def strikes(self, step: str, names: Iterable[str]) -> str | None:
        """The armed fault of this step, if there is one: it is used up now."""
        with self._guard:
            if not self._armed:
                return None
            for name in names:
                for armed in (f"{step}:{name}", name):
                    if self._armed[armed] > 0:
                        self._armed[armed] -= 1
                        self._armed += Counter()
                        self.struck[f"{step}:{name}"] += 1
                        return name
        return None

    def shown(self, post: _Post) -> dict[str, Any]:
        """A post as X writes it, with what it refers to."""
        authors = [post.author]
        data = self._data(post)
        tweets = []
        for other_id in filter(None, (post.repost_of, post.reply_to)):
            other = self._posts[other_id]
            if not other.deleted:
                tweets.append(self._data(other))
                authors.append(other.author)
        includes: dict[str, Any] = {"users": [_user(name) for name in dict.fromkeys(authors)]}
        if tweets:
            includes["tweets"] = tweets
        return {"data": data, "includes": includes}

    def _data(self, post: _Post) -> dict[str, Any]:
        data: dict[str, Any] = {
            "id": post.id,
            "text": post.text if len(post.text) <= 280 else post.text[:279] + "…",
            "author_id": _user_id(post.author),
            "conversation_id": post.reply_to or post.chain[0],
            "created_at": f"{post.created_at:%Y-%m-%dT%H:%M:%S}.{post.created_at.microsecond // 1000:03d}Z",
            "edit_history_tweet_ids": list(post.chain),
            "lang": "en",
            "entities": {"hashtags": [{"tag": tag} for tag in TAG.findall(post.text)]},
            "public_metrics": {
                name: 0
                for name in (
                    "retweet_count",
                    "repost_count",
                    "reply_count",
                    "like_count",
                    "quote_count",
                    "bookmark_count",
                    "impression_count",
                )
            },
        }
        if len(post.text) > 280:
            data["note_tweet"] = {"text": post.text}
        references = [("retweeted", post.repost_of), ("replied_to", post.reply_to)]
        if known := [{"type": kind, "id": other} for kind, other in references if other]:
            data["referenced_tweets"] = known
        if post.reply_to:
            data["in_reply_to_user_id"] = _user_id(self._posts[post.reply_to].author)
        return data

    # -- what is asked of it -------------------------------------------------------------------------

    def search(
        self, query: str, starts: datetime, ends: datetime, most: int, token: str | None
    ) -> dict[str, Any]:
        """A page, newest first. No reposts, since 2026-05-04."""
        tags = _folded(TAG.findall(query))
        now = time.monotonic()
        with self._guard:
            found = [
                post
                for post in self._by_key.values()
                if starts <= post.created_at < ends
                and not post.repost_of
                and not post.deleted
                and post.searchable_at <= now
                and tags & _folded(hashtags_in(post.text))
            ]
            found.sort(key=lambda post: int(post.id), reverse=True)
            below = int(token.removeprefix("b")) if token else None
            left = [post for post in found if below is None or int(post.id) < below]
            page = left[: min(most, self.page_size)]
            self.read += len(page)
            answer = self._page([self.shown(post) for post in page])
            answer["meta"] = {"result_count": len(page)}
            if page:
                answer["meta"] |= {"newest_id": page[0].id, "oldest_id": page[-1].id}
            if len(page) < len(left):
                answer["meta"]["next_token"] = f"b{page[-1].id}"
            return answer

    def lookup(self, ids: list[str]) -> dict[str, Any]:
        """The posts with these ids, and why the others are not there."""
        with self._guard:
            known = [self._posts[i] for i in ids if i in self._posts and not self._posts[i].deleted]
            self.read += len(known)
            answer = self._page([self.shown(post) for post in known])
            missing = set(ids) - {post.id for post in known}
            errors = [_missing(post_id) for post_id in ids if post_id in missing] + self.extra_errors
            if errors:
                answer["errors"] = errors
            return answer

    def _page(self, shown: list[dict[str, Any]]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        if not shown:
            return answer
        answer["data"] = [one["data"] for one in shown]
        users = {user["id"]: user for one in shown for user in one["includes"]["users"]}
        tweets = {post["id"]: post for one in shown for post in one["includes"].get("tweets", ())}
        answer["includes"] = {"users": list(users.values())}
        if tweets:
            answer["includes"]["tweets"] = list(tweets.values())
        return answer

    def change_rules(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Add or delete rules."""
        with self._guard:
            if "delete" in asked:
                ids = asked["delete"]["ids"]
                deleted = sum(1 for rule_id in ids if self.rules.pop(rule_id, None))
                return {"meta": {"summary": {"deleted": deleted, "not_deleted": len(ids) - deleted}}}
            added: list[dict[str, str]] = []
            errors: list[dict[str, Any]] = []
            for rule in asked["add"]:
                self._add_rule(rule, added, errors)
            answer: dict[str, Any] = {
                "meta": {"summary": {"created": len(added), "not_created": len(errors)}}
            }
            if added:
                answer["data"] = added
            if errors:
                answer["errors"] = errors
            return answer

    def _add_rule(self, rule: dict[str, str], added: list[dict[str, str]], errors: list[Any]) -> None:
        problem = "https://api.twitter.com/2/problems/"
        twin = next((r for r in self.rules.values() if r["value"] == rule["value"]), None)
        if twin:
            errors.append(
                {
                    "value": rule["value"],
                    "id": twin["id"],
                    "title": "DuplicateRule",
                    "type": f"{problem}duplicate-rules",
                }
            )
        elif len(rule["value"]) > 1024 or self.strikes("add_rules", ["partial_errors"]):
            errors.append(
                {
                    "value": rule["value"],
                    "details": ["the rule is too long"],
                    "title": "UnprocessableEntity",
                    "type": f"{problem}invalid-rules",
                }
            )
        else:
            new = {"id": str(10**18 + next(self._numbers)), **rule}
            self.rules[new["id"]] = new
            added.append(new)

    def connect(self, connection: socket.socket) -> tuple[_Listener | None, dict[str, str]]:
        """A place on the stream, where there is one, and the headers of its limit."""
        with self._changed:
            now = time.monotonic()
            while self._connected_at and self._connected_at[0] < now - 900:
                self._connected_at.popleft()
            left = self.connects - len(self._connected_at)
            headers = {
                "x-rate-limit-limit": str(self.connects),
                "x-rate-limit-remaining": str(max(left - 1, 0)),
                "x-rate-limit-reset": str(int(self.clock().timestamp()) + 900),
            }
            self._listeners = [one for one in self._listeners if not _has_left(one.connection)]
            if left <= 0 or self._listeners:
                return None, headers
            self._connected_at.append(now)
            listener = _Listener(connection)
            self._listeners.append(listener)
            self._changed.notify_all()
            return listener, headers

    def leave(self, listener: _Listener) -> None:
        """The stream has ended."""
        with self._changed:
            if listener in self._listeners:
                self._listeners.remove(listener)
            self._changed.notify_all()

    def job(self, kind: str, job_id: str = "", ids: str = "") -> dict[str, Any] | str | None:
        """Compliance jobs: ``create``, ``show``, ``upload``, ``download``."""
        with self._guard:
            if kind == "create":
                if any(job["status"] in ("created", "in_progress") for job in self._jobs.values()):
                    return None
                job_id = str(next(self._numbers))
                self._jobs[job_id] = {
                    "id": job_id,
                    "type": "tweets",
                    "status": "created",
                    "upload_url": f"{self.url}/upload/{job_id}",
                    "download_url": f"{self.url}/download/{job_id}",
                    "polls": self.poll,
                }
            job = self._jobs.get(job_id)
            if job is None:
                return None
            if kind == "upload":
                job |= {"status": "in_progress", "ids": ids.split()}
            elif kind == "download":
                return "".join(f"{json.dumps(line)}\n" for line in self._results(job.get("ids", [])))
            elif kind == "show" and job["status"] == "in_progress":
                job["polls"] -= 1
                if job["polls"] <= 0:
                    job["status"] = "failed" if self.strikes("jobs", ["failed"]) else "complete"
            return {name: value for name, value in job.items() if name not in ("polls", "ids")}

    def _results(self, ids: list[str]) -> Iterable[dict[str, Any]]:
        for post_id in ids:
            post = self._posts.get(post_id)
            if post is None or post.deleted:
                yield {"id": post_id, "action": "delete", "reason": "deleted", "redacted_at": None}
            elif self._by_key[post.key].id != post_id:
                yield {"id": post_id, "action": "rehydrate", "reason": "edited"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, fake: XServer, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.fake = fake
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._workers: set[threading.Thread] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
            self._workers.add(threading.current_thread())
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._open.discard(request)
                self._workers.discard(threading.current_thread())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error here."""

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._guard:
            sockets, workers = list(self._open), list(self._workers)
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for worker in workers:
            worker.join(5)


class _Elsewhere(BaseHTTPRequestHandler):
    """Another host: it notes what it is told."""

    server: _Server

    def do_GET(self) -> None:
        self.server.fake.leaked.append(self.headers.get("Authorization", ""))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_PUT = do_GET

    def log_message(self, *_: object) -> None:
        pass


class _Ended(Exception):
    """The answer is complete, or was broken off."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    @property
    def fake(self) -> XServer:
        return self.server.fake

    def log_message(self, *_: object) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.fake.clock() + self.fake.skew, usegmt=True)

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        asked = parse_qs(parts.query)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.fake.requests.append((f"{self.command} {parts.path}", asked))
        try:
            if self.headers.get("Authorization") != f"Bearer {self.fake.token}":
                self._problem(401, "Unauthorized", "Unauthorized")
            self._route(parts.path, {name: values[0] for name, values in asked.items()}, body)
            self._problem(404, "Not Found", "no such resource")
        except _Ended:
            pass
        except OSError:
            self.close_connection = True

    def _route(self, path: str, asked: dict[str, str], body: bytes) -> None:
        fake = self.fake
        if path == "/2/tweets/search/stream/rules":
            if self.command == "GET":
                rules = list(fake.rules.values())
                meta = {"meta": {"result_count": len(rules)}}
                self._answer("rules", {"data": rules, **meta} if rules else meta)
            self._before("add_rules")
            self._answer("", fake.change_rules(json.loads(body)), 200 if b'"delete"' in body else 201)
        elif path == "/2/tweets/search/stream":
            self._stream()
        elif path in ("/2/tweets/search/recent", "/2/tweets/search/all"):
            self._search(asked, whole=path.endswith("all"))
        elif path == "/2/tweets":
            self._answer("lookup", lambda: fake.lookup(asked["ids"].split(",")))
        elif path == "/2/usage/tweets":
            usage = {"project_usage": str(fake.read), "project_cap": str(fake.project_cap)}
            self._answer("usage", {"data": {**usage, "cap_reset_day": 3}})
        elif path.startswith(("/2/compliance/jobs", "/upload/", "/download/")):
            self._job(path, body)

    def _job(self, path: str, body: bytes) -> None:
        fake = self.fake
        kind, _, job_id = path.removeprefix("/2/compliance/").strip("/").partition("/")
        if kind == "jobs" and self.command == "POST":
            self._before("jobs")
            job = None if fake.strikes("jobs", ["conflict"]) else fake.job("create")
            if job is None:
                self._problem(409, "Conflict", "a job of this type is under way")
            self._answer("", {"data": job})
        elif kind == "jobs":
            self._answer("jobs", {"data": fake.job("show", job_id)})
        elif kind == "upload":
            self._before("upload")
            fake.job("upload", job_id, body.decode())
            self._answer("", {})
        else:
            self._before("download")
            text = str(fake.job("download", job_id))
            self._send(200, text.encode(), {"Content-Type": "application/x-ndjson"})

    def _search(self, asked: dict[str, str], *, whole: bool) -> None:
        fake = self.fake
        if whole and not fake.full_archive:
            self._problem(403, "Forbidden", "your access level does not allow full-archive search")
        now = self.fake.clock()
        starts = datetime.fromisoformat(asked["start_time"])
        # Where no end is given, X takes one of its own.
        ends = datetime.fromisoformat(asked["end_time"]) if "end_time" in asked else now - fake.usual_end
        most = int(asked.get("max_results", 10))
        if "end_time" in asked and ends > now - timedelta(seconds=10):
            self._problem(400, "Invalid Request", "'end_time' must be at least 10 seconds before now")
        if not whole and starts < now - timedelta(days=7):
            self._problem(400, "Invalid Request", "'start_time' must be within 7 days")
        if not 10 <= most <= (500 if whole else 100) or len(asked["query"]) > (1024 if whole else 512):
            self._problem(400, "Invalid Request", "max_results or query")
        token = asked.get("next_token")
        if fake.strikes("search", ["empty_page"]):
            self._answer("", {"meta": {"result_count": 0, "next_token": f"b0{(token or f'b{1 << 63}')[1:]}"}})
        if fake.strikes("search", ["page_garbled_with_token"]):
            page = json.dumps(fake.search(asked["query"], starts, ends, most, token))
            self._send(200, page.replace('"data"', '"data', 1).encode())
        page_of = fake.search(asked["query"], starts, ends, most, token)
        if token and fake.strikes("search", ["token_repeated"]):
            page_of["meta"]["next_token"] = token
        self._answer("search", page_of)

    # -- the stream --------------------------------------------------------------------------------

    def _stream(self) -> None:
        fake = self.fake
        self._before("connect", except_for=("gzip",))
        zipped = bool(fake.strikes("connect", ["gzip"]))
        if fake.strikes("connect", ["too_many_connections"]):
            self._too_many(
                {
                    "x-rate-limit-remaining": "7",
                    "x-rate-limit-reset": str(int(fake.clock().timestamp()) + 900),
                }
            )
        if not fake.rules or fake.strikes("connect", ["no_rules"]):
            self._problem(409, "RuleConfigurationIssue", "You must define rules before you can connect.")
        listener, headers = fake.connect(self.connection)
        if listener is None:
            if headers["x-rate-limit-remaining"] == "0":
                self._send(429, b'{"title":"Too Many Requests","detail":"Too Many Requests"}', headers)
            self._too_many(headers)
        assert listener is not None
        try:
            _Stream(self, listener, headers, zipped).run()
        except OSError:
            pass  # the client has gone
        finally:
            fake.leave(listener)
        self.close_connection = True
        raise _Ended

    def _too_many(self, headers: dict[str, str]) -> None:
        problem = {
            "title": "ConnectionException",
            "detail": "This stream is currently at the maximum allowed connection limit.",
            "connection_issue": "TooManyConnections",
            "type": "https://api.twitter.com/2/problems/streaming-connection",
        }
        self._send(429, json.dumps(problem).encode(), headers)

    # -- answers -----------------------------------------------------------------------------------

    def _answer(self, step: str, value: Any, status: int = 200) -> None:
        if step:
            self._before(step)
        value = value() if callable(value) else value
        self._send(status, json.dumps(value).encode())

    def _problem(self, status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> None:
        problem = {"title": title, "status": status, "detail": detail, "type": "about:blank"}
        self._send(status, json.dumps(problem).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        fields = {
            "Content-Type": "application/json; charset=utf-8",
            **_rate(self.fake.clock()),
            **(headers or {}),
        }
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        raise _Ended

    def _before(self, step: str, except_for: tuple[str, ...] = ()) -> None:
        """Answer with a fault instead, where one is armed."""
        name = self.fake.strikes(step, [name for name in ANSWERS if name not in except_for])
        if name is None:
            return
        now = int(self.fake.clock().timestamp())
        resets = {"429_far": now + int(self.fake.far), "429_past": now - 1000, "429_soon": now + 1}
        if name in ("401", "403", "503"):
            self._problem(int(name), "Problem", "as the test wants it")
        elif name.startswith("429"):
            headers = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(resets.get(name, ""))}
            self._problem(429, "Too Many Requests", "Too Many Requests", headers)
        elif name == "redirect":
            self._send(302, b"", {"Location": f"{self.fake.elsewhere}{self.path}"})
        elif name == "html":
            page = b"<!DOCTYPE html>\n<html><body><p>We are down.</p></body></html>\n"
            self._send(200, page, {"Content-Type": "text/html"})
        elif name in _BODIES:
            self._send(200, _BODIES[name])
        self._break_off(name)

    def _break_off(self, name: str) -> None:
        self.close_connection = True
        if name == "silent":
            _wait_for_the_end(self.connection, self.fake)
        elif name == "page_cut":
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9000\r\n\r\n"
                + b'{"data":[{"id":"12'
            )
        elif name == "slow_bytes":
            self.wfile.write(b"HTTP/1.1 503 Slow\r\nConnection: close\r\nContent-Length: 40\r\n\r\n")
            for _ in range(40):
                self.fake.closing.wait(0.005)
                self.wfile.write(b" ")
        elif name == "gzip":
            packed = gzip.compress(b'{"title":"packed","status":503,"detail":"packed"}')
            fields = f"Connection: close\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}"
            head = f"HTTP/1.1 503 Packed\r\n{fields}\r\n\r\n"
            self.wfile.write(head.encode() + packed)
        elif name == "reset":
            _reset(self.connection)
        raise _Ended


class _Stream:
    """One open stream, written in chunks."""

    def __init__(self, handler: _Handler, listener: _Listener, headers: dict[str, str], zipped: bool) -> None:
        self.handler, self.fake, self.listener = handler, handler.fake, listener
        self.pack = zlib.compressobj(wbits=31) if zipped else None
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", "application/json; charset=utf-8")
        handler.send_header("Transfer-Encoding", "chunked")
        if zipped:
            handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()

    def run(self) -> None:
        """Deliver until the client leaves, the server stops or a fault ends it."""
        fake, listener = self.fake, self.listener
        while not fake.closing.is_set():
            listener.bell.clear()
            # Most faults need a post to strike, so all wait for one.
            fault = fake.strikes("live", LIVE) if listener.waiting else None
            if fault and not self._struck(fault):
                return
            self._deliver()
            if not listener.bell.wait(fake.keep_alive):
                if _has_left(self.handler.connection):
                    return
                self.write(b"\r\n")

    def _deliver(self) -> None:
        posts = []
        while self.listener.waiting:
            posts.append(self.listener.waiting.popleft())
        if posts:
            self.write(b"".join(self.line(post) for post in posts))
            for post in posts:
                self.fake.delivered[post.id] += 1
                self.fake.read += 1

    def line(self, post: _Post, **changes: Any) -> bytes:
        """A post as the stream writes it."""
        with self.fake._guard:
            message = {**self.fake.shown(post), "matching_rules": self.fake.matching(post), **changes}
        return json.dumps(message, ensure_ascii=False).encode() + b"\r\n"

    def write(self, data: bytes) -> None:
        """One chunk."""
        if self.pack is not None:
            data = self.pack.compress(data) + self.pack.flush(zlib.Z_SYNC_FLUSH)
        self.handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self) -> bool:
        """A clean end of the body."""
        if self.pack is not None:
            self.write(b"")
        self.handler.wfile.write(b"0\r\n\r\n")
        return False

    def _struck(self, name: str) -> bool:
        """Do what the fault says; whether the stream goes on."""
        waiting, delivered = self.listener.waiting, self.fake.delivered
        post = waiting[0]
        line = self.line(post)
        extra = _EXTRA.get(name)
        if extra is not None:
            self.write(extra)
            return True
        if name in ("operational_disconnect", "connection_exception"):
            self.write(_PROBLEMS[name])
            return self.end()
        if name in ("rule_without_tag", "rules_missing", "rules_malformed"):
            rules: Any = [{"id": "1"}] if name == "rule_without_tag" else "none"
            data = self.line(post, matching_rules=rules)
            if name == "rules_missing":
                data = data.replace(b', "matching_rules": "none"', b"")
            self.write(data)
        elif name == "duplicate":
            self.write(line + line)
        elif name == "reorder":
            posts = list(waiting)[::-1]
            self.write(b"".join(map(self.line, posts)))
            waiting.clear()
            delivered.update(post.id for post in posts)
            return True
        elif name in ("slow_bytes", "split_bytes"):
            for start in range(0, len(line), 97):
                self.write(line[start : start + 97])
                if name == "slow_bytes":
                    self.fake.closing.wait(0.002)
        else:
            return self._broken_off(name, line)
        waiting.popleft()
        delivered[post.id] += 1
        return True

    def _broken_off(self, name: str, line: bytes) -> bool:
        half = line[: len(line) // 2]
        if name == "half_line":
            self.write(half)
            return self.end()
        if name == "cut_mid_line":
            self.handler.wfile.write(b"%x\r\n%s" % (len(line), half))
        elif name == "reset":
            self.write(half)
            self.fake.closing.wait(0.05)  # what was sent before may be read: a reset throws the rest away
            _reset(self.handler.connection)
        elif name == "silent":
            _wait_for_the_end(self.handler.connection, self.fake)
        elif name == "close_at_once":
            return self.end()
        return False


def _line(message: Any) -> bytes:
    return json.dumps(message).encode() + b"\r\n"


_STRANGE = {"id": "7" * 19, "author_id": "1", "text": "strange", "created_at": "2026-01-01T00:00:00.000Z"}
_DEEP = b"[" * 100_000 + b"]" * 100_000
_BODIES = {
    "garbage": b"\x00\xff\xfe not JSON at all",
    "null_data": b'{"data": null}',
    "deep": b'{"data": ' + _DEEP + b"}",
    "surrogate": b'{"data": [{"id": "7", "text": "\\ud800"}], "meta": {}}',
    "nan": b'{"data": [{"id": NaN}], "meta": {}}',
}
_EXTRA = {
    "garbage": b"\xff\xfe}{ garbage\r\n",
    "endless_garbage": b"\xff\xfe}{ garbage\r\n" * 200,
    "html": b"<!DOCTYPE html><html><body>We are down.</body></html>\r\n",
    "null_data": b'{"data":null}\r\n',
    "huge_post": _line({"data": {**_STRANGE, "text": "x" * 10_000_000}}),
    "deep": b'{"data":' + _DEEP + b"}\r\n",
    "surrogate": b'{"data":{"id":"7","author_id":"1","text":"\\ud83d"}}\r\n',
    "nul": _line({"data": {**_STRANGE, "id": "7\0"}}),
    "nan": b'{"data":{"id":"7","author_id":"1","text":"a","public_metrics":{"like_count":NaN}}}\r\n',
    "duplicate_keys": b'{"data":{"id":"7","id":null,"author_id":"1","text":"a"}}\r\n',
    "wrong_types": _line(
        {"data": {"id": {}, "text": 5, "author_id": []}, "includes": 7, "matching_rules": 3}
    ),
    "unknown_message": _line({"disposition": {"kind": "new"}}),
    "big_id": _line({"data": {**_STRANGE, "id": "9" * 40}}),
}
_PROBLEMS = {
    "operational_disconnect": _line(
        {
            "errors": [
                {
                    "title": "operational-disconnect",
                    "disconnect_type": "UpstreamOperationalDisconnect",
                    "detail": "This stream has been disconnected upstream for operational reasons.",
                    "type": "https://api.twitter.com/2/problems/operational-disconnect",
                }
            ]
        }
    ),
    "connection_exception": _line(
        {
            "title": "ConnectionException",
            "detail": "This stream is currently at the maximum allowed connection limit.",
            "connection_issue": "TooManyConnections",
            "type": "https://api.twitter.com/2/problems/streaming-connection",
        }
    ),
}


def _folded(tags: Iterable[str]) -> set[str]:
    return {
        "".join(
            sign for sign in unicodedata.normalize("NFKD", tag) if not unicodedata.combining(sign)
        ).casefold()
        for tag in tags
    }


def _user_id(author: str) -> str:
    return str(10_000_000 + zlib.crc32(author.encode()))


def _user(author: str) -> dict[str, Any]:
    return {
        "id": _user_id(author),
        "username": author,
        "name": author.removeprefix("bc_").title(),
        "public_metrics": {"followers_count": 12},
    }


def _missing(post_id: str) -> dict[str, str]:
    return {
        "value": post_id,
        "resource_id": post_id,
        "resource_type": "tweet",
        "parameter": "ids",
        "title": "Not Found Error",
        "detail": f"Could not find tweet with ids: [{post_id}].",
        "type": "https://api.twitter.com/2/problems/resource-not-found",
    }


def _rate(now: datetime) -> dict[str, str]:
    return {
        "x-rate-limit-limit": "450",
        "x-rate-limit-remaining": "449",
        "x-rate-limit-reset": str(int(now.timestamp()) + 900),
    }


def _has_left(connection: socket.socket) -> bool:
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and not connection.recv(1024)
    except (OSError, ValueError):  # reset, or closed here
        return True


def _wait_for_the_end(connection: socket.socket, fake: XServer) -> None:
    while not fake.closing.wait(0.02):
        if _has_left(connection):
            return


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())  # at once, which closing would put off
