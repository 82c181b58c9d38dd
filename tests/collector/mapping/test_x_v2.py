from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.vocabulary import Post
from collector.mapping import MappingError, x_v2
from tests.collector.x_times import id_of

TIME = "2012-03-26T15:00:00.000Z"
START = datetime(2012, 3, 26, 15, tzinfo=UTC)
ANA = {"id": "101", "username": "bc_ana", "name": "Ana", "public_metrics": {"followers_count": 7}}
LUIS = {"id": "102", "username": "bc_luis"}


def data(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A post with the least that it needs."""
    return {"id": f"9{number:018d}", "author_id": "101", "created_at": TIME, "text": "hola", **fields}


def mapped(post: dict[str, Any], **includes: Any) -> Post:
    """A post beside what was included with it."""
    return x_v2.to_post({"data": post, "includes": includes})


def test_the_least_is_enough() -> None:
    post = mapped(data())
    assert (post.key, post.kind, post.author.key) == ("x:9000000000000000001", "original", "x:101")
    assert (post.author.handle, post.engagement, post.created_at) == (None, None, START)
    assert mapped(data(), users=[ANA]).author.followers == 7


def test_a_repost_names_whom_it_passes_on_where_that_was_included() -> None:
    repost = data(text="RT #o…", referenced_tweets=[{"type": "retweeted", "id": data(2)["id"]}])
    post = mapped(repost, users=[ANA, LUIS], tweets=[data(2, author_id="102", text="#One #two")])
    assert (post.kind, post.repost_of, post.repost_account) == ("repost", "x:9000000000000000002", "bc_luis")
    assert post.hashtags == ("one", "two")
    post = mapped(repost)
    assert (post.kind, post.repost_account, post.hashtags) == ("repost", None, ("o",))


def test_a_reply_names_a_post_or_an_account() -> None:
    assert mapped(data(in_reply_to_user_id="102"), users=[LUIS]).reply_to_account == "bc_luis"
    assert mapped(data(in_reply_to_user_id="102")).reply_to_account == "102"
    post = mapped(data(referenced_tweets=[{"type": "replied_to", "id": "5"}, {"type": "quoted", "id": "6"}]))
    assert (post.kind, post.reply_to, post.quote_of) == ("reply", "x:5", "x:6")


def test_an_edit_keeps_the_key_and_the_time_of_the_first_version() -> None:
    first, second = id_of(START), id_of(START + timedelta(minutes=9))
    edit = {"id": second, "edit_history_tweet_ids": [first, second], "created_at": "2012-03-26T15:09:00.000Z"}
    post = mapped({**data(), **edit})
    assert (post.key, post.platform_id, post.aliases) == (f"x:{first}", second, (f"x:{second}",))
    assert (post.created_at, post.edited_at) == (START, START + timedelta(minutes=9))
    early = mapped({**data(), "id": first, "edit_history_tweet_ids": [first]})
    assert (early.key, early.created_at, early.edited_at, early.aliases) == (post.key, START, None, ())


def test_ids_that_do_not_carry_the_time_of_their_post_tell_none() -> None:
    post = mapped(data(2, edit_history_tweet_ids=[data(1)["id"], data(2)["id"]]))
    assert (post.key, post.created_at, post.edited_at) == ("x:9000000000000000001", START, START)


def test_media_are_no_links() -> None:
    own = f"https://twitter.com/bc_ana/status/{data()['id']}/photo/1"
    urls = [
        {"expanded_url": own},
        {"expanded_url": "https://example.org/m", "media_key": "1"},
        {"url": "https://example.org/a"},
    ]
    assert mapped(data(entities={"urls": urls})).links == ("https://example.org/a",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "no post id"),
        ({"author_id": None}, "no author"),
        ({"text": None}, "no text"),
        ({"created_at": None}, "no time"),
    ],
)
def test_what_a_post_cannot_do_without(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(MappingError, match=reason):
        mapped(data(**change))


def test_a_page_is_taken_apart() -> None:
    page = {"data": [data(1), data(2, author_id="102")], "includes": {"users": [ANA, LUIS]}}
    assert [payload["includes"] for payload in x_v2.payloads(page)] == [{"users": [ANA]}, {"users": [LUIS]}]
    assert list(x_v2.payloads({"data": data()})) == [{"data": data(), "includes": {}}]


def test_a_flattened_post_says_the_same() -> None:
    other = data(2, author_id="102", text="#two")
    flat = data(author=ANA, referenced_tweets=[{"type": "retweeted", **other, "author": LUIS}])
    plain = data(referenced_tweets=[{"type": "retweeted", "id": other["id"]}])
    assert x_v2.to_post(x_v2.from_flat(flat)) == mapped(plain, users=[ANA, LUIS], tweets=[other])


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(TIME) | st.just("12"),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "urls", "expanded_url", "mentions", "username", "text", "author_id"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
FIELDS = [
    "id",
    "author_id",
    "created_at",
    "text",
    "entities",
    "note_tweet",
    "referenced_tweets",
    "public_metrics",
]


@given(st.dictionaries(st.sampled_from([*FIELDS, "edit_history_tweet_ids", "in_reply_to_user_id"]), ANY), ANY)
def test_whatever_json_holds_it_is_a_post_or_a_mapping_error(changes: dict[str, Any], includes: Any) -> None:
    for post in (changes, data(**changes), includes):
        for payload in (
            {"data": post, "includes": includes},
            *x_v2.payloads({"data": post, "includes": includes}),
        ):
            try:
                assert isinstance(x_v2.to_post(payload), Post)
            except MappingError:
                continue
