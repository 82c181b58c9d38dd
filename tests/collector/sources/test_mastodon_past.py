"""Timelines paged backwards and statuses asked for again, answer by answer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from archive.vocabulary import Deleted, Received, Unmapped
from collector.sources import mastodon_past
from collector.sources.base import Limited, Unavailable
from collector.sources.mastodon_events import Reader
from collector.sources.mastodon_past import Past, Progress
from collector.sources.mastodon_wire import Gone
from tests.collector.sources.test_mastodon_events import status

NOW = datetime(2012, 3, 26, 16, 0, tzinfo=UTC)
READER = Reader("social.example", "public", frozenset({"sample2012"}), lambda: NOW)


class Answers:
    """Stands in for the client: gives the answers one by one, and notes what was asked."""

    def __init__(self, *answers: Any, link: str = "") -> None:
        self.answers = list(answers)
        self.asked: list[Any] = []
        self.wire = SimpleNamespace(headers_seen={"link": link})
        self.timeline_hashtag, self.statuses, self.status = "timeline", "statuses", "status"

    def ask(self, call: str, *args: Any, max_id: str | None = None, limit: int | None = None) -> bytes:
        self.asked.append(max_id if call == "timeline" else (call, *args))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def page(*numbers: int, age: timedelta = timedelta(0)) -> list[dict[str, Any]]:
    created_at = (NOW - age).isoformat()
    return [status(id=str(n), uri=f"https://social.example/{n}", created_at=created_at) for n in numbers]


def past(answers: Answers, progress: Progress | None = None) -> Past:
    return Past(answers, READER, progress or Progress())  # type: ignore[arg-type]


def timeline(asker: Past, *, first: bool = False) -> list[str]:
    signals = asker.timeline("sample2012", NOW - timedelta(minutes=5), first=first)
    return [signal.post.platform_id for signal in signals if isinstance(signal, Received)]


def test_an_answer_is_true_when_it_was_asked_for() -> None:
    """Read late, it may not undo an edit that the stream told of meanwhile."""
    clock = [NOW]

    class Slow(Answers):
        def ask(self, *args: Any, **given: Any) -> bytes:
            clock[0] += timedelta(seconds=1)
            return super().ask(*args, **given)

    answers = Slow(page(2), [], page(3), Gone("no", of_a_record=True), page(4)[0])
    asker = past(answers, Progress(unchecked=["3"]))
    asker = replace(asker, reader=replace(READER, clock=lambda: clock[0]))
    starts = NOW - timedelta(minutes=5)
    signals = [*asker.timeline("sample2012", starts, first=True), *asker.again()]
    asker.progress.unchecked = ["4"]
    signals += asker.again()
    items = [signal for signal in signals if isinstance(signal, Received)]
    assert [item.observed_at for item in items] == [NOW + timedelta(seconds=n) for n in (0, 2, 4)]


def test_pages_until_one_is_empty() -> None:
    answers = Answers(page(5, 4), page(3), [])
    assert len(timeline(past(answers))) == 3
    assert answers.asked == [None, "4", "3"]


def test_the_server_says_where_to_go_on() -> None:
    link = (
        '<https://social.example/a?max_id=abc&limit=40>; rel="next", <https://social.example/a>; rel="prev"'
    )
    answers = Answers(page(5, 4), [], link=link)
    timeline(past(answers))
    assert answers.asked == [None, "abc"]


def test_a_clock_that_lies_on_one_post_ends_nothing() -> None:
    odd = [*page(5), *page(4, age=timedelta(days=4000))]
    assert len(timeline(past(Answers(odd, page(3), [])), first=True)) == 2


@pytest.mark.parametrize(("age", "pages"), [(timedelta(minutes=7), 4), (timedelta(hours=1), 1)])
def test_late_posts_are_looked_for_some_pages_further(age: timedelta, pages: int) -> None:
    answers = Answers(*(page(90 - number, age=age) for number in range(9)))
    timeline(past(answers))
    assert len(answers.asked) == pages


@pytest.mark.parametrize("answer", [b"{", b'{"error": "odd"}', b"\xff", [5], page(5)])
def test_a_page_that_leads_nowhere(answer: Any) -> None:
    answers = Answers(page(5), *([answer] * 3))
    progress = Progress()
    for _ in range(2):
        with pytest.raises(Unavailable):
            timeline(past(answers, progress))
    timeline(past(answers, progress))
    assert len(progress.lost) == 1
    assert "#sample2012 before id 5" in progress.lost[0]


def test_a_page_that_is_none_is_kept() -> None:
    signals = past(Answers(b"nothing", [])).timeline("sample2012", NOW, first=False)
    item = next(signals)
    assert isinstance(item, Unmapped)
    assert item.payload == "nothing"


def test_a_server_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mastodon_past, "MAX_PAGES", 5)
    progress = Progress()
    timeline(past(Answers(*(page(90 - number) for number in range(9))), progress))
    assert progress.lost == ["the timeline of #sample2012 before id 86: 5 pages were read"]


def test_it_goes_on_after_a_limit() -> None:
    answers = Answers(page(5), Limited("later"), page(4), [])
    progress = Progress()
    with pytest.raises(Limited):
        timeline(past(answers, progress))
    assert timeline(past(answers, progress)) == ["https://social.example/4"]
    assert answers.asked == [None, "5", "5", "4"]


def again(answers: Answers, progress: Progress) -> list[Any]:
    return list(past(answers, progress).again())


def gone(*, of_a_record: bool = True) -> Gone:
    return Gone("404", of_a_record=of_a_record)


def test_batches_and_what_they_leave_out() -> None:
    progress = Progress(unchecked=[str(n) for n in range(25)])
    answers = Answers(page(*range(19), 99), gone(), page(20, 21, 22, 23, 24))
    items = again(answers, progress)
    assert [type(item) for item in items] == [Received] * 19 + [Deleted] + [Received] * 5
    assert items[19].key == "mastodon:social.example/19"
    assert answers.asked[1] == ("status", "19")
    assert progress.unchecked == []


def test_a_server_without_batches() -> None:
    progress = Progress(unchecked=["1", "2"])
    one, two = again(Answers(gone(), page(1)[0], gone()), progress)
    assert (type(one), type(two)) == (Received, Deleted)


def test_a_server_without_batches_is_asked_for_fewer() -> None:
    progress = Progress(unchecked=["1", "2", "3", "4"], singly=2)
    again(Answers(gone(), page(1)[0], page(2)[0]), progress)
    assert progress.unchecked == []
    assert progress.lost == ["edits and deletions of 2 older posts, which were not asked for again"]


def test_a_batch_that_cannot_be_read() -> None:
    progress = Progress(unchecked=["1"])
    assert [type(item) for item in again(Answers(b"\xff", b"{"), progress)] == [Unmapped]
    assert progress.unchecked == []


@pytest.mark.parametrize("error", [Unavailable("503"), gone(of_a_record=False)])
def test_a_missing_page_is_no_deletion(error: Exception) -> None:
    progress = Progress(unchecked=["1", "2"], in_batches=False)
    answers = Answers(error, error, error, page(2)[0])
    for _ in range(2):
        with pytest.raises(Unavailable):
            again(answers, progress)
    (item,) = again(answers, progress)
    assert isinstance(item, Received)
    assert progress.lost == ["whether the post 1 was edited or deleted"]


def test_asking_again_goes_on_after_a_limit() -> None:
    progress = Progress(unchecked=["1", "2"], in_batches=False)
    answers = Answers(page(1)[0], Limited("later"), page(2)[0])
    with pytest.raises(Limited):
        again(answers, progress)
    assert progress.unchecked == ["2"]
    assert len(again(answers, progress)) == 1


def test_nothing_to_ask() -> None:
    assert again(Answers(), Progress()) == []
