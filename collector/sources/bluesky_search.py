"""Bluesky's past: search and look-up by XRPC, through atproto's client.

Only posts can be searched for, and the search knows neither reposts nor what was deleted. Its answers are
taken as they came (atproto's models would drop what they do not know), and mapped to the very posts that
the streams bring.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any

from archive.checkup import Finding
from archive.vocabulary import Deleted, Received
from collector.importers.records import dump, loads, unmapped
from collector.mapping import MappingError, table, words
from collector.mapping.bluesky import POST, REPOST, SOURCE, commit_of_view, to_post, with_counts
from collector.sources.base import Gap, Heard, Refilled, Setup, Signal
from collector.sources.bluesky_events import Sorter
from collector.sources.bluesky_wire import Address
from collector.sources.web import Sockets, reset_of

if TYPE_CHECKING:
    from atproto_client import Client

MAX_PAGES = 200  # of one query; a server that never ends is left
PAGE = 100
LOOKED_UP = 25  # posts a getPosts
INDEX_LAG = 60.0  # seconds until a search can be thought to know everything
TIMEOUT = 10.0
_UNSEARCHABLE = "reposts, edits and deletions of that time cannot be searched for"
_GONE = ("RecordNotFound", "RepoDeactivated", "RepoTakendown", "RepoSuspended")


class Failed(Exception):
    """A question was not answered; ``until`` is when to ask again, where the server says so."""

    def __init__(self, reason: str, code: str = "", until: datetime | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.until = until


def search_of(setup: Setup) -> Search | None:
    """Whom to ask: ``search_url``, else, for look-ups only, the PDS that ``base_url`` may be."""
    settings = setup.spec.settings
    if settings.get("search_url"):
        return Search(setup, str(settings["search_url"]), searches=True)
    address = Address.of(str(settings.get("base_url") or ""))
    if address.only == "repos":
        scheme = "https" if address.scheme == "wss" else "http"
        return Search(setup, f"{scheme}://{address.host}{address.path}", searches=False)
    return None


class Search:
    """An XRPC server that answers questions about posts."""

    def __init__(self, setup: Setup, url: str, *, searches: bool) -> None:
        self._setup = setup
        self._url = url
        self._searches = searches
        self._host = Address.of(url).host
        self._lock = Lock()
        self._client: Client | None = None
        self._sockets = Sockets()
        self._asking = 0  # questions under way
        self._closed = False

    def refill(self, gap: Gap, sorter: Sorter) -> Iterator[Signal]:
        """The posts of a gap that carry the hashtags, from all queries that may find some."""
        if not self._searches:
            yield Refilled(by="nothing", lost="Bluesky has no search for us here: set search_url")
            return
        try:
            for tag in self._setup.meeting.hashtags:
                # Clients may leave a hashtag without its facet, or put it into "tags" only.
                yield from self._found({"q": f"#{tag}"}, gap, sorter)
                yield from self._found({"q": tag, "tag": [tag]}, gap, sorter)
        except Failed as error:
            again = None
            if error.until is not None:
                again = max(1.0, (error.until - self._setup.clock()).total_seconds())
            yield Refilled(by="search", lost=str(error), again=again)
            return
        lag = INDEX_LAG - (self._setup.clock() - gap.ends).total_seconds()
        yield Refilled(by="search", lost=_UNSEARCHABLE, again=INDEX_LAG if lag > 0 else None)

    def refresh(self, since: datetime, sorter: Sorter) -> Iterator[Signal]:
        """Every post of the archive since a moment, as it is now; what is gone is Deleted."""
        ids = self._setup.shelf.recent_ids(SOURCE, since)
        unsure = 0
        try:
            for start in range(0, len(ids), LOOKED_UP):
                for signal in self._now(ids[start : start + LOOKED_UP], sorter):
                    unsure += isinstance(signal, Heard)
                    yield signal
        except Failed as error:
            yield Refilled(by="nothing", lost=str(error))
            return
        lost = f"of {unsure} posts it could not be said whether they are still there" if unsure else None
        yield Refilled(by="look-up", lost=lost)

    def check(self, about: str) -> Iterator[Finding]:
        """Whether the account is accepted and the search answers."""
        if not self._searches:
            text = "without search_url the time before the start and long gaps cannot be searched"
            yield Finding(about, "warning", text)
            return
        try:
            self._ask("app.bsky.feed.searchPosts", {"q": f"#{self._setup.meeting.hashtags[0]}", "limit": 1})
        except Failed as error:
            yield Finding(about, "failed", f"{error}; see search_url, handle and app_password_env")
        else:
            yield Finding(about, "ok", f"search at {self._host} answers")

    def close(self) -> None:
        """Break a question that is under way; safe to call twice."""
        with self._lock:
            self._closed = True
        # The library only closes its sockets, which wakes nobody who reads from one.
        self._sockets.close()
        self._leave()

    def _leave(self) -> None:
        """Once closed, whoever goes last closes the library: not while one of its sockets is read from."""
        with self._lock:
            client = self._client if self._closed and not self._asking else None
        if client is not None:
            client.request.close()

    def _found(self, query: Mapping[str, Any], gap: Gap, sorter: Sorter) -> Iterator[Signal]:
        asked = {**query, "sort": "latest", "limit": PAGE, "until": _iso(gap.ends + timedelta(seconds=1))}
        if not gap.first:
            asked["since"] = _iso(gap.starts - timedelta(seconds=1))
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            page = self._ask("app.bsky.feed.searchPosts", asked)
            posts = page.get("posts")
            if not isinstance(posts, list):
                raise Failed(f"the search at {self._host} does not answer with posts")
            yield Heard()
            for view in posts:
                yield from self._item(view, sorter)
            cursor = words(page.get("cursor"))
            if cursor is None or cursor in seen or not posts:
                return
            seen.add(cursor)
            asked["cursor"] = cursor

    def _item(self, view: Any, sorter: Sorter, *, any_post: bool = False) -> Iterator[Signal]:
        raw = _text(view)
        where = f"search at {self._host}"
        try:
            loads(raw)  # what SQLite and its readers could not carry must not come in this way either
            commit = commit_of_view(table(view))
            if any_post or sorter.wants(commit.record):
                now = self._setup.clock()
                post = with_counts(to_post(commit, arm=self._setup.spec.arm), table(view))
                yield from sorter.kept(commit, Received(post, raw, now, now))
        except (MappingError, ValueError) as error:
            yield unmapped(f"cannot be read: {str(error)[:200]}", raw, where)

    def _now(self, ids: Sequence[str], sorter: Sorter) -> Iterator[Signal]:
        """Some posts as they are now; ``Heard`` for each of which nothing can be said."""
        found: set[str] = set()
        if self._searches:
            uris = [_uri(platform_id, POST) for platform_id in ids]
            posts = self._ask("app.bsky.feed.getPosts", {"uris": uris}).get("posts")
            if not isinstance(posts, list):
                raise Failed(f"{self._host} does not answer with posts")
            for view in posts:
                found.add(str(table(view).get("uri")))
                yield from self._item(view, sorter, any_post=True)
        for platform_id in ids:
            if _uri(platform_id, POST) not in found:
                yield from self._one(platform_id, sorter)

    def _one(self, platform_id: str, sorter: Sorter) -> Iterator[Signal]:
        """One post or repost, asked for by name. Only a server that says so makes it a deletion."""
        did, _, rkey = platform_id.partition("/")
        for collection in (POST, REPOST):
            try:
                asked = {"repo": did, "collection": collection, "rkey": rkey}
                answer = self._ask("com.atproto.repo.getRecord", asked)
            except Failed as error:
                if error.code == "RecordNotFound" and collection == POST:
                    continue  # the archive does not say which of its posts are reposts
                if error.code in _GONE:
                    yield Deleted(f"{SOURCE}:{platform_id}", SOURCE, self._setup.clock())
                elif error.code in ("RepoNotFound", "InvalidRequest"):
                    yield Heard()  # an account of another server: it cannot say
                else:
                    raise
            else:
                if collection == POST and not self._searches:
                    view = {"uri": _uri(platform_id, POST), "record": answer.get("value")}
                    yield from self._item(view, sorter, any_post=True)
            return

    def _ask(self, method: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of the server. Raises Failed, whose text says why, without any secret."""
        with self._lock:
            if self._closed:
                raise Failed("stopped")
            self._asking += 1
        try:
            return self._answered(method, asked)
        finally:
            with self._lock:
                self._asking -= 1
            self._leave()

    def _answered(self, method: str, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        # The library takes two seconds to load, and most meetings never ask.
        from atproto_client import exceptions, models

        params: Any = {
            "app.bsky.feed.searchPosts": models.AppBskyFeedSearchPosts.Params,
            "app.bsky.feed.getPosts": models.AppBskyFeedGetPosts.Params,
            "com.atproto.repo.getRecord": models.ComAtprotoRepoGetRecord.Params,
        }[method]
        try:
            client = self._connected()
            # A login moves the client to the server that the answer names; questions stay where we were
            # told to ask them.
            client.update_base_url(self._url)
            answer = client.invoke_query(method, params=params(**asked), output_encoding="application/json")
        except exceptions.RequestErrorBase as error:
            raise self._failed(error) from None
        except Failed:
            raise
        except Exception as error:  # httpx, pydantic and ssl have no common root, and none may get out
            raise Failed(f"{self._host} cannot be asked ({type(error).__name__})") from None
        if not isinstance(answer.content, dict):
            raise Failed(f"{self._host} answers with something else than JSON")
        return answer.content

    def _connected(self) -> Client:
        with self._lock:
            if self._client is not None:
                return self._client
            client = _client(self._url, self._sockets)
            self._client = client
        handle = words(self._setup.spec.settings.get("handle"))
        password = self._setup.secret("app_password_env")
        if handle and password:
            try:
                client.login(handle, password, fetch_bsky_profile=False)
            except Exception:
                self._client = None
                client.request.close()
                raise
        return client

    def _failed(self, error: Any) -> Failed:
        response = error.response
        if response is None:
            return Failed(f"{self._host} cannot be reached")
        status = response.status_code
        content = response.content
        code = words(getattr(content, "error", None)) or ""
        if status in (401, 403):
            why = f"{self._host} refuses to search for us ({status}): set handle and app_password_env"
        elif status == 429:
            why = f"{self._host} has had enough of us for now (429)"
        else:
            said = "".join(sign for sign in code if sign.isprintable())[:80]
            why = f"{self._host} answers {status}{f' ({said})' if said else ''}"
        until = reset_of(response.headers, self._setup.clock()) if status == 429 else None
        if code == "InvalidRequest" and "locate record" in str(getattr(content, "message", "")):
            code = "RecordNotFound"  # what older servers say
        return Failed(why, code, until)


def _client(url: str, sockets: Sockets) -> Client:
    from atproto_client import Client
    from atproto_client.request import Request

    def told(event: str, about: Mapping[str, Any]) -> None:
        # A TLS socket takes the place of the plain one.
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            sockets.add(about["return_value"].get_extra_info("socket"))

    request = Request(timeout=TIMEOUT)
    # A redirect would be followed with the password of a login in the body; there is no setting for it.
    request._send_request = partial(request._send_request, follow_redirects=False, extensions={"trace": told})
    return Client(url, request=request)


def _uri(platform_id: str, collection: str) -> str:
    did, _, rkey = platform_id.partition("/")
    return f"at://{did}/{collection}/{rkey}"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _text(view: Any) -> str:
    try:
        return dump(view)
    except (RecursionError, ValueError):
        return ""
