"""Which of a whole network's events concern the meeting, and what to say about each of them.

Nothing is filtered at the servers: every post passes through here, and almost all of them are dropped.
Deletions, edits and reposts of everybody come by too; what they are about may be in the archive, so they
are passed on as ``IfKnown``.

The streams may deliver in another order than things happened. What came before its post is remembered
for a while and said again when the post comes, so that the archive ends up the same.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import Any

from archive.vocabulary import Deleted, Item, Received, Unmapped
from collector import mapping
from collector.importers.records import dump, loads, unmapped
from collector.mapping import MappingError, moment, table, words
from collector.mapping.bluesky import (
    POST,
    REPOST,
    SOURCE,
    Commit,
    commit_of,
    key_of,
    tags_of,
    to_post,
)
from collector.sources.base import IfKnown, Setup, Signal
from collector.sources.bluesky_wire import from_microseconds, whole

MAX_GONE = 50_000
MAX_WAITING = 20_000
MAX_FRESH = 20_000
_LONGEST_KEY = 3_000  # characters; a did has up to 2,048, a record key 512
_DID = re.compile(r"did:plc:[a-z0-9]{24}|did:[a-z]{1,20}:[\w.:%-]{1,2000}")
_LONGEST_KEPT = 20_000  # characters of an event that waits for its post

#: Why an account stopped being shown. An account of any of these must not be redistributed (AT Protocol,
#: Account Hosting). The archive cannot hide and show again, so what a person withdrew for a while is gone
#: here for good: the side of privacy. Other values (``throttled``, ``desynchronized``) are about the host.
WITHDRAWN = ("deleted", "takendown", "deactivated", "suspended")


def folded(tag: str) -> str:
    """A hashtag as it is compared; here some write the '#' with it."""
    return mapping.folded(tag).removeprefix("#")


def carries(record: Mapping[str, Any], wanted: Collection[str]) -> bool:
    """Whether a post's record has one of the (folded) hashtags, in text, facets or ``tags``."""
    if "facets" not in record and "tags" not in record:
        text = record.get("text")
        if not isinstance(text, str) or ("#" not in text and "＃" not in text):
            return False
    return any(folded(tag) in wanted for tag in tags_of(record))


class Memory:
    """What came before its post, for a while; safe to use from two threads."""

    def __init__(self, max_gone: int = MAX_GONE, max_waiting: int = MAX_WAITING) -> None:
        self._lock = Lock()
        self._max_gone = max_gone
        self._max_waiting = max_waiting
        self._gone: OrderedDict[str, datetime | None] = OrderedDict()
        self._waiting: OrderedDict[str, list[str]] = OrderedDict()
        self._count = 0

    def bury(self, key: str, seen_at: datetime | None) -> None:
        """Remember that a post, or an account by its author key, is gone."""
        if len(key) > _LONGEST_KEY:
            return
        with self._lock:
            self._gone[key] = seen_at
            self._gone.move_to_end(key)
            while len(self._gone) > self._max_gone:
                self._gone.popitem(last=False)

    def revive(self, key: str) -> None:
        """Forget that an account is gone: it came back."""
        with self._lock:
            self._gone.pop(key, None)

    def deletion(self, key: str) -> Deleted | None:
        """The deletion of a post, or of its author's account, that came before it."""
        author = key.partition("/")[0]
        with self._lock:
            for name in (key, author):
                if name in self._gone:
                    return Deleted(key, SOURCE, self._gone[name])
        return None

    def wait(self, key: str, raw: str) -> None:
        """Keep an event until the post ``key`` comes."""
        if len(key) > _LONGEST_KEY or len(raw) > _LONGEST_KEPT:
            return
        with self._lock:
            self._waiting.setdefault(key, []).append(raw)
            self._waiting.move_to_end(key)
            self._count += 1
            while self._count > self._max_waiting:
                _, dropped = self._waiting.popitem(last=False)
                self._count -= len(dropped)

    def take(self, key: str) -> list[str]:
        """What waited for a post; it waits no more."""
        with self._lock:
            found = self._waiting.pop(key, [])
            self._count -= len(found)
        return found


class Sorter:
    """Turns events into signals for one meeting."""

    def __init__(self, setup: Setup, memory: Memory | None = None) -> None:
        self.memory = memory or Memory()
        self._arm = setup.spec.arm
        self._clock = setup.clock
        self._shelf = setup.shelf
        self._wanted = frozenset(folded(tag) for tag in setup.meeting.hashtags)
        self._fresh: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()  # a refill remembers too

    def wants(self, record: Mapping[str, Any]) -> bool:
        """Whether a post is one of the meeting's."""
        return carries(record, self._wanted)

    def sort(self, event: Mapping[str, Any], raw: str | None, where: str) -> list[Signal]:
        """What an event has to say to the loop; almost always nothing."""
        commit: Commit | str | None = None
        try:
            commit = commit_of(event)
            if isinstance(commit, str):
                return list(self._account(event)) if commit == "account event" else []
            return self._changed(commit, event, raw)
        except MappingError as error:
            if isinstance(commit, Commit) and not self.wants(commit.record):
                return []  # somebody else's, and no concern of ours
            return [unmapped(str(error), raw or dump(event), where)]

    def kept(self, commit: Commit, item: Received) -> Iterator[Item]:
        """A post of the meeting, and after it all that came before it."""
        yield item
        self._remember(commit.key)
        waiting = self.memory.take(commit.key)
        deletion = self.memory.deletion(commit.key)
        if deletion is not None:
            yield deletion
            return
        for raw in waiting:
            earlier = commit_of(loads(raw))
            if isinstance(earlier, Commit) and self.memory.deletion(earlier.key) is None:
                yield self._received(earlier, raw)

    def _changed(self, commit: Commit, event: Mapping[str, Any], raw: str | None) -> list[Signal]:
        if commit.collection not in (POST, REPOST):
            return []
        if commit.operation == "delete":
            self.memory.bury(commit.key, commit.seen_at)
            return [IfKnown(commit.key, Deleted(commit.key, SOURCE, commit.seen_at))]
        if commit.operation not in ("create", "update"):
            raise MappingError(f"unknown operation {commit.operation[:40]!r}")
        if commit.collection == REPOST:
            return self._about(key_of(table(commit.record.get("subject")).get("uri")), commit, event, raw)
        if self.wants(commit.record):
            return list(self.kept(commit, self._received(commit, raw or dump(event))))
        # An edit that took the hashtag out: the archive has the post, and shows what it says now.
        return self._about(commit.key, commit, event, raw) if commit.operation == "update" else []

    def _about(
        self, key: str | None, commit: Commit, event: Mapping[str, Any], raw: str | None
    ) -> list[Signal]:
        """A repost or edit that matters only where the post ``key`` does."""
        if key is None or self.memory.deletion(commit.key) is not None:
            return []
        text = raw or dump(event)
        item = self._received(commit, text)
        self.memory.wait(key, text)
        return [IfKnown(key, item)]

    def _received(self, commit: Commit, raw: str) -> Received:
        # What the network saw, and when, is the same in every replay: so is which version is the newer.
        return Received(to_post(commit, arm=self._arm), raw, commit.seen_at, self._clock())

    def _account(self, event: Mapping[str, Any]) -> Iterator[Deleted]:
        event = table(event.get("payload")) or event
        account = table(event.get("account"))
        did = words(event.get("did"))
        if did is None:
            return
        author = f"{SOURCE}:{did}"
        if account.get("active") is True:
            self.memory.revive(author)
        elif account.get("active") is False and account.get("status") in WITHDRAWN:
            seen_at = moment(event.get("time")) or from_microseconds(whole(event.get("time_us")))
            self.memory.bury(author, seen_at)
            # Those that were yielded a moment ago may not be in the archive yet.
            with self._lock:
                fresh = [key for key in self._fresh if key.startswith(f"{author}/")]
            for key in dict.fromkeys([*self._shelf.keys_of_author(author), *fresh]):
                yield Deleted(key, SOURCE, seen_at)

    def _remember(self, key: str) -> None:
        with self._lock:
            self._fresh[key] = None
            while len(self._fresh) > MAX_FRESH:
                self._fresh.popitem(last=False)


def owned(signal: Signal) -> Signal:
    """A signal; one that could not be read says whose it may be, since of some people nothing is kept."""
    if not isinstance(signal, Unmapped):
        return signal
    names = {f"bluesky:{did}" for did in _DID.findall(signal.payload or "")}
    return replace(signal, accounts=tuple(sorted(names)))


def explain(reason: str, frame: bytes, where: str) -> Unmapped:
    """A frame that could not be read, as quarantine keeps it."""
    return unmapped(reason, frame[:100_000].decode("utf-8", "backslashreplace"), where)
