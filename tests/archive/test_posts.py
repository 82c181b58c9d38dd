from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from archive import posts
from archive.posts import MOST_REPLIES, read
from archive.store import Archive
from archive.vocabulary import Deleted, Engagement, Post, Received
from tests.conftest import START

Receive = Callable[..., Received]


def key(number: int) -> str:
    return f"x:9{number:018d}"


def test_a_post_that_is_not_there(archive: Archive) -> None:
    assert read(archive.conn, "x:nothing") is None


def test_a_post_alone(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1, text="all of it " * 200)])
    detail = read(archive.conn, key(1))
    assert detail is not None
    assert detail.hit.key == key(1)
    assert detail.text == (("all of it " * 200, False),)
    assert (detail.versions, detail.thread, detail.absent) == ((), (), None)
    assert (detail.passed_on, detail.quoted, detail.cut) == (None, None, False)


def test_an_edit_keeps_what_was_said_before(archive: Archive, receive: Receive) -> None:
    edited = START + timedelta(minutes=9)
    archive.write([receive(1, text="first"), receive(1, text="second", edited_at=edited)])
    detail = read(archive.conn, key(1))
    assert detail is not None
    assert [version.text for version in detail.versions] == ["second", "first"]
    assert [version.at[11:16] for version in detail.versions] == ["15:09", "15:01"]


def test_any_versions_id_will_do(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1, aliases=("x:older",))])
    detail = read(archive.conn, "x:older")
    assert detail is not None
    assert detail.hit.key == key(1)


def test_a_thread_is_read_from_its_first_post(archive: Archive, receive: Receive) -> None:
    replies = {2: 1, 3: 2, 4: 1, 5: 3}
    archive.write(
        [receive(1), *(receive(n, kind="reply", reply_to=key(to)) for n, to in replies.items()), receive(6)]
    )
    for asked in (1, 3, 5):
        detail = read(archive.conn, key(asked))
        assert detail is not None
        thread = [(one.depth, one.hit.key) for one in detail.thread]
        assert thread == [(0, key(1)), (1, key(2)), (2, key(3)), (3, key(5)), (1, key(4))]
    assert detail is not None
    assert detail.thread[0].hit.replies == 2


def test_what_a_reply_answers_may_be_missing(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2, kind="reply", reply_to=key(1)), Deleted(key=key(1), source="x")])
    detail = read(archive.conn, key(2))
    assert detail is not None
    assert (detail.absent, [one.hit.key for one in detail.thread]) == (key(1), [key(2)])


def test_posts_that_answer_each_other_end(archive: Archive, receive: Receive) -> None:
    archive.write(
        [receive(1, kind="reply", reply_to=key(2)), receive(2, kind="reply", reply_to=key(1)), receive(3)]
    )
    detail = read(archive.conn, key(1))
    assert detail is not None
    assert {one.hit.key for one in detail.thread} == {key(1), key(2)}


def test_a_long_thread_is_cut(archive: Archive, receive: Receive) -> None:
    archive.write(
        [receive(0), *(receive(n, kind="reply", reply_to=key(0)) for n in range(1, MOST_REPLIES + 5))]
    )
    detail = read(archive.conn, key(0))
    assert detail is not None
    assert (len(detail.thread), detail.cut) == (MOST_REPLIES, True)


def test_a_deep_climb_ends(archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posts, "LONGEST_CLIMB", 2)
    archive.write([receive(0), *(receive(n, kind="reply", reply_to=key(n - 1)) for n in range(1, 6))])
    detail = read(archive.conn, key(5))
    assert detail is not None
    assert detail.thread[0].hit.key == key(3)


def test_what_a_post_passes_on_or_quotes(archive: Archive, receive: Receive) -> None:
    archive.write(
        [
            receive(1),
            receive(2, kind="repost", repost_of=key(1)),
            receive(3, kind="quote", quote_of=key(1)),
            receive(4, kind="quote", quote_of="x:elsewhere"),
        ]
    )
    repost, quote, other = (read(archive.conn, key(n)) for n in (2, 3, 4))
    assert repost is not None and quote is not None and other is not None
    assert repost.passed_on is not None and repost.passed_on.key == key(1)
    assert quote.quoted is not None and quote.quoted.key == key(1)
    assert other.quoted is None


def test_counters_as_they_were_seen(archive: Archive, make_post: Callable[..., Post]) -> None:
    post = make_post(1, engagement=Engagement(likes=1))
    later = replace(post, engagement=Engagement(likes=5, reposts=2))
    archive.write([Received(post, None, START), Received(later, None, START + timedelta(hours=1))])
    detail = read(archive.conn, key(1))
    assert detail is not None
    assert [(one.likes, one.reposts, one.impressions) for one in detail.engagement] == [
        (1, None, None),
        (5, 2, None),
    ]


def test_a_post_is_known_by_any_versions_id_with_or_without_its_network(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    item = receive(1, aliases=("x:9999",))
    archive.write([item])
    for name in (item.post.key, item.post.platform_id, "x:9999", "9999"):
        assert posts.resolve(archive.conn, name) == (1, item.post.key)
    assert posts.resolve(archive.conn, "8888") is None
