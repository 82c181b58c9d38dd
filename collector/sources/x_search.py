"""What a gap left out, by paged search; interrupted anywhere, it goes on at the page that it had reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from archive.vocabulary import Arm, Meeting
from collector.importers.records import loads, unmapped
from collector.mapping import table, words, x_ids, x_v2
from collector.sources.base import Gap, Refilled, Refused, Signal, Spent, Unavailable
from collector.sources.x_api import FIELDS, Account, Answer
from collector.sources.x_budget import Budget
from collector.sources.x_messages import received
from collector.sources.x_rules import queries

RECENT_PAGE, WHOLE_PAGE, LEAST = 100, 500, 10
_LONGEST_QUERY = 512
_BEFORE, _AFTER = timedelta(seconds=60), timedelta(seconds=30)
# X takes no end_time within 10 s of its own clock, from which ours may differ.
_TOO_FRESH = timedelta(seconds=15)
_RECENT = timedelta(days=7) - timedelta(minutes=5)
_STILL_INDEXED = timedelta(minutes=1)
_AGAIN_SECONDS = 30.0
_TRIES = 3
_TOKEN = re.compile(r'"next_token"\s*:\s*"([\w-]{1,500})"')
_NO_REPOSTS = "reposts: X's search gives none"


@dataclass(slots=True)
class _Progress:
    """How far a refill has come: queries left, the page of the first of them."""

    queries: list[str]
    starts: datetime
    ends: datetime | None  # None: as far as X goes
    whole: bool
    fresh: bool
    lost: list[str] = field(default_factory=lambda: [_NO_REPOSTS])
    token: str | None = None
    seen: set[str] = field(default_factory=set)
    failures: int = 0

    def go_on(self, token: str | None) -> None:
        """To the next page, or to the next query where there is none."""
        self.failures = 0
        if token is not None and token not in self.seen:
            self.seen.add(token)
            self.token = token
            return
        if token is not None:
            self.lost.append("what came after a page where X's search went in circles")
        self.token = None
        self.seen.clear()
        del self.queries[:1]


class Search:
    """Recent search, or full-archive search where a gap begins earlier and the account may use it."""

    def __init__(
        self, account: Account, budget: Budget, meeting: Meeting, arm: Arm, clock: Callable[[], datetime]
    ) -> None:
        self._account = account
        self._budget = budget
        self._queries = queries(meeting.hashtags, _LONGEST_QUERY)
        self._arm: Arm = arm
        self._clock = clock
        self._under_way: dict[Gap, _Progress] = {}
        self._done_once: set[Gap] = set()

    def refill(self, gap: Gap) -> Iterator[Signal]:
        """The posts of a gap. Raises SourceError; called again with the same gap it goes on from there."""
        progress = self._under_way.get(gap)
        if progress is None:
            progress = self._under_way[gap] = self._begun(gap)
        while progress.queries:
            yield from self._page(progress)
        del self._under_way[gap]
        again = progress.fresh and gap not in self._done_once
        (self._done_once.add if again else self._done_once.discard)(gap)
        yield Refilled(
            "full-archive search" if progress.whole else "search",
            "; ".join(x_ids.once(progress.lost)),
            again=_AGAIN_SECONDS if again else None,
        )

    def _begun(self, gap: Gap) -> _Progress:
        now = self._clock()
        starts, ends = gap.starts - _BEFORE, min(gap.ends + _AFTER, now - _TOO_FRESH)
        fresh = gap.ends > now - _STILL_INDEXED
        return _Progress(
            queries=list(self._queries) if starts < ends else [],
            starts=starts,
            # What X has already it gives to a search without an end; the second look is for the rest.
            ends=None if fresh and gap not in self._done_once else ends,
            whole=starts < now - _RECENT,
            fresh=fresh,
        )

    def _page(self, progress: _Progress) -> Iterator[Signal]:
        largest = WHOLE_PAGE if progress.whole else RECENT_PAGE
        asked = self._budget.ask(largest, self._clock(), least=LEAST)
        read = 0
        try:
            answer = self._asked(progress, asked)
            page = _page_in(answer)
            read = len(page["data"]) if page else 0
        except Refused as error:
            if not progress.whole:
                raise
            self._fall_back(progress, str(error))
            return
        finally:
            self._budget.take(read, asked)
        where = f"{'full-archive' if progress.whole else 'recent'} search of X"
        if page is None:
            yield from self._unreadable(progress, answer, where)
            return
        now = self._clock()
        if read:
            for payload in x_v2.payloads(page):
                yield received(payload, self._arm, now, where)
            yield Spent(read)
        progress.go_on(words(table(page.get("meta")).get("next_token")))

    def _asked(self, progress: _Progress, most: int) -> Answer:
        search = self._account.search_all_tweets if progress.whole else self._account.search_recent_tweets
        answer: Answer = search(
            progress.queries[0],
            start_time=progress.starts,
            end_time=progress.ends,
            max_results=most,
            next_token=progress.token,
            **FIELDS,
        )
        return answer

    def _fall_back(self, progress: _Progress, reason: str) -> None:
        """To the part of the gap that recent search still has."""
        border = self._clock() - _RECENT
        progress.lost.append(f"everything before {border:%Y-%m-%d %H:%M} UTC ({reason})")
        progress.whole = False
        progress.starts = border
        progress.token = None
        progress.seen.clear()
        reaches_it = progress.ends is None or border < progress.ends
        progress.queries = list(self._queries) if reaches_it else []

    def _unreadable(self, progress: _Progress, answer: Answer, where: str) -> Iterator[Signal]:
        """A page that is no page: asked for again, then passed over where the next one is named."""
        yield unmapped("a page of search results that cannot be read", answer.text, where)
        progress.failures += 1
        if progress.failures < _TRIES:
            raise Unavailable(f"the {where} sent a page that cannot be read")
        progress.lost.append("a page that could not be read")
        following = _TOKEN.search(answer.text)
        progress.go_on(following[1] if following else None)


def _page_in(answer: Answer) -> dict[str, Any] | None:
    try:
        page = loads(answer.body.decode("utf-8"))
    except ValueError:
        return None
    if not isinstance(page, dict) or not isinstance(page.get("data", []), list):
        return None
    if "data" not in page and not isinstance(page.get("meta"), Mapping):
        return None
    return {**page, "data": page.get("data", [])}
