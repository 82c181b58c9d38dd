from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.vocabulary import Post
from collector.mapping import MappingError, x_v1

USER = {"id_str": "101", "screen_name": "bc_ana", "name": "Ana", "followers_count": 7}
TIME = "Mon Mar 26 15:00:00 +0000 2012"


def status(number: int = 1, **fields: Any) -> dict[str, Any]:
    """A status with the least that a post needs."""
    return {"id_str": f"9{number:018d}", "user": USER, "created_at": TIME, "text": "hola", **fields}


def test_the_least_is_enough() -> None:
    post = x_v1.to_post(status(), arm="remote")
    assert (post.key, post.kind, post.arm, post.language) == (
        "x:9000000000000000001",
        "original",
        "remote",
        None,
    )
    assert post.author.followers == 7
    assert post.engagement is not None
    assert post.engagement.likes is None


def test_a_repost_wins_and_brings_its_hashtags() -> None:
    passed_on = status(
        2, text="#one", extended_tweet={"full_text": "#One and #two"}, user={"screen_name": "bc_luis"}
    )
    post = x_v1.to_post(status(text="RT #o…", retweeted_status=passed_on, in_reply_to_screen_name="bc_eva"))
    assert (post.kind, post.repost_of, post.repost_account) == ("repost", "x:9000000000000000002", "bc_luis")
    assert post.hashtags == ("one", "two")


def test_a_repost_of_something_without_a_text_keeps_its_own_hashtags() -> None:
    assert x_v1.to_post(status(text="RT #one", retweeted_status={"id": 5})).hashtags == ("one",)


def test_replies_name_a_post_or_an_account() -> None:
    post = x_v1.to_post(status(in_reply_to_status_id=9000000000000000002))
    assert (post.kind, post.reply_to, post.reply_to_account) == ("reply", "x:9000000000000000002", None)
    post = x_v1.to_post(status(in_reply_to_user_id_str="102", is_quote_status=True))
    assert (post.kind, post.reply_to_account, post.quote_of) == ("reply", "102", None)


def test_a_quote_by_its_mark_or_by_what_it_carries() -> None:
    assert x_v1.to_post(status(is_quote_status=True)).kind == "quote"
    post = x_v1.to_post(status(quoted_status=status(2)))
    assert (post.kind, post.quote_of) == ("quote", "x:9000000000000000002")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id_str": None}, "no post id"),
        ({"user": None}, "no author"),
        ({"text": None}, "no text"),
        ({"created_at": "noon"}, "no time"),
    ],
)
def test_what_a_post_cannot_do_without(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(MappingError, match=reason):
        x_v1.to_post(status(**change))


def test_messages_of_the_stream() -> None:
    assert x_v1.deleted_id({"delete": {"status": {"id": 5}}}) == "5"
    assert x_v1.deleted_id({"delete": 5}) is None
    assert x_v1.is_private({"dmConversation": {}})
    assert not x_v1.is_private(status())


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(TIME) | st.just("12"),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["id", "id_str", "urls", "expanded_url", "user_mentions", "full_text", "screen_name"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
FIELDS = [
    "id",
    "id_str",
    "user",
    "created_at",
    "text",
    "full_text",
    "entities",
    "extended_tweet",
    "retweeted_status",
]


@given(
    st.dictionaries(st.sampled_from([*FIELDS, "quoted_status", "in_reply_to_user_id", "favorite_count"]), ANY)
)
def test_whatever_json_holds_it_is_a_post_or_a_mapping_error(changes: dict[str, Any]) -> None:
    for record in (changes, status(**changes)):
        try:
            assert isinstance(x_v1.to_post(record), Post)
        except MappingError:
            continue
