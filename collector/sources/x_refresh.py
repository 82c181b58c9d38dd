"""Edits and deletions of posts that are kept, asked anew: by batch compliance job, or id by id."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archive.vocabulary import Arm, Deleted, Unmapped
from collector.importers.records import loads, unmapped
from collector.mapping import table, words, x_ids, x_v2
from collector.sources.base import Heard, Refused, Signal, Spent, Unavailable
from collector.sources.x_api import FIELDS, Absent, Account, Answer, rows
from collector.sources.x_budget import Budget
from collector.sources.x_messages import received

AT_ONCE = 100
JOB_FROM = 500  # ids; a job costs nothing, but takes its time
_ID = re.compile(r"[0-9]{1,19}")
_WHERE = "looking up posts on X"
_GONE = ("resource-not-found", "not-authorized-for-resource", "resource-unavailable")
_GONE_ACTIONS = {"delete"}
_GONE_REASONS = {"deleted", "suspended", "protected", "deactivated", "bounced"}


@dataclass(slots=True)
class _Job:
    id: str
    ids: frozenset[str]
    download: str
    upload: str | None


class _NoJob(Exception):
    """The job came to nothing; the posts have to be looked up."""


class Refresh:
    """Interrupted anywhere it goes on where it was, so that nothing is paid for twice."""

    def __init__(self, account: Account, budget: Budget, arm: Arm, clock: Callable[[], datetime]) -> None:
        self._account = account
        self._budget = budget
        self._arm: Arm = arm
        self._clock = clock
        self._left: list[str] | None = None
        self._job: _Job | None = None
        self._by_job = False

    def run(self, ids: Sequence[str]) -> Iterator[Signal]:
        """What became of these posts. Raises SourceError."""
        if self._left is None:
            self._left = list(x_ids.once(post_id for post_id in ids if _ID.fullmatch(post_id)))
            self._by_job = len(self._left) > JOB_FROM
        if self._by_job:
            try:
                yield from self._by_compliance(self._left)
            except (Refused, Absent, _NoJob):
                self._job = None
            self._by_job = False
        while self._left:
            yield from self._looked_up(self._left[:AT_ONCE])
        self._left = None

    # -- id by id ---------------------------------------------------------------------------------

    def _looked_up(self, ids: list[str]) -> Iterator[Signal]:
        asked = self._budget.ask(len(ids), self._clock())
        read = 0
        try:
            answer: Answer = self._account.get_tweets(ids[:asked], **FIELDS)
            page = answer.value()
            data = page.get("data")
            read = len(data) if isinstance(data, list) else 0
        finally:
            self._budget.take(read, asked)
        now = self._clock()
        assert self._left is not None
        del self._left[:asked]
        for payload in x_v2.payloads(page) if read else ():
            self._left += _newer(payload, set(ids))
            yield received(payload, self._arm, now, _WHERE)
        if read:
            yield Spent(read)
        for problem in rows(page, "errors"):
            post_id = words(problem.get("resource_id")) or words(problem.get("value"))
            if post_id in ids[:asked] and str(problem.get("type")).endswith(_GONE):
                yield Deleted(f"{x_ids.SOURCE}:{post_id}", x_ids.SOURCE, now)
        yield Heard()

    # -- by a job ---------------------------------------------------------------------------------

    def _by_compliance(self, ids: list[str]) -> Iterator[Signal]:
        job = self._job
        if job is None:
            job = self._job = self._created(ids)
        if job.upload is not None:
            self._account.transfer("PUT", job.upload, "\n".join(sorted(job.ids)).encode())
            job.upload = None
        while not self._is_complete(job):
            yield Heard()
        answer = self._account.transfer("GET", job.download)
        again: list[str] = []
        for line in answer.body.splitlines():
            if line.strip():
                yield from self._result(line, job, again)
        self._job = None
        self._left = again

    def _created(self, ids: list[str]) -> _Job:
        data = table(self._account.create_compliance_job("tweets").value().get("data"))
        job_id, upload, download = (words(data.get(name)) for name in ("id", "upload_url", "download_url"))
        if job_id is None or upload is None or download is None:
            raise _NoJob
        return _Job(job_id, frozenset(ids), download, upload)

    def _is_complete(self, job: _Job) -> bool:
        status = table(self._account.get_compliance_job(job.id).value().get("data")).get("status")
        if status in ("failed", "expired"):
            raise _NoJob
        if status not in ("created", "in_progress", "complete"):
            raise Unavailable(f"X says nothing of the state of a compliance job: {str(status)[:40]!r}")
        return bool(status == "complete")

    def _result(self, line: bytes, job: _Job, again: list[str]) -> Iterator[Signal]:
        result = _read(line)
        if isinstance(result, Unmapped):
            yield result
            return
        post_id = str(result.get("id"))
        if post_id not in job.ids or "error" in result:
            return
        action = result.get("action")
        if action in _GONE_ACTIONS or (action is None and result.get("reason") in _GONE_REASONS):
            yield Deleted(f"{x_ids.SOURCE}:{post_id}", x_ids.SOURCE, self._clock())
        elif action == "rehydrate":
            again.append(post_id)


def _newer(payload: x_v2.Payload, asked: set[str]) -> list[str]:
    """The newest version of a post that was edited since, where it is not the one that came."""
    history = table(payload.get("data")).get("edit_history_tweet_ids")
    ids = [item for item in history if isinstance(item, str)] if isinstance(history, list) else []
    newest = max((post_id for post_id in ids if _ID.fullmatch(post_id)), key=int, default="")
    return [newest] if newest and newest not in asked else []


def _read(line: bytes) -> Any:
    try:
        value = loads(line.decode("utf-8"))
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    return unmapped("no JSON object", line.decode("utf-8", "backslashreplace"), "a compliance job of X")
