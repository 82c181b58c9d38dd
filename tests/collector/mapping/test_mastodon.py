"""Statuses to posts: who may read them, whose they are, what they answer, quote and pass on."""

from __future__ import annotations

from typing import Any

import pytest

from collector.mapping import MappingError
from collector.mapping.mastodon import audience, for_all_eyes, status_key, to_post


def account(name: str, host: str = "social.example.org", **changes: Any) -> dict[str, Any]:
    return {"id": name[-1], "acct": name, "url": f"https://{host}/@{name.partition('@')[0]}", **changes}


def status(**changes: Any) -> dict[str, Any]:
    return {
        "id": "9101",
        "uri": "https://social.example.org/users/bc_ana/statuses/1",
        "created_at": "2026-03-16T14:03:10.987Z",
        "visibility": "public",
        "content": "<p>Hello</p>",
        "account": account("bc_ana"),
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "readers"),
    [
        ({}, "public"),
        ({"visibility": "unlisted"}, "public"),
        ({"visibility": "private"}, "private"),
        ({"visibility": "direct"}, "private"),
        ({"visibility": None}, "unknown"),
        ({"visibility": ["public"]}, "unknown"),
        ({"reblog": {"visibility": "direct"}}, "private"),
        ({"reblog": {}}, "public"),
        ({"reblog": {"id": "1"}}, "unknown"),
    ],
)
def test_who_may_read_it(changes: dict[str, Any], readers: str) -> None:
    assert audience(status(**changes)) == readers


def test_whole_seconds_and_server_from_the_account() -> None:
    post = to_post(status())
    assert post.created_at.isoformat() == "2026-03-16T14:03:10+00:00"
    assert post.aliases == (status_key("social.example.org", "9101"),)
    assert post.engagement is None


def test_a_given_server_is_believed() -> None:
    remote = account("bc_luis@far.example.org", "far.example.org")
    assert to_post(status(account=remote)).aliases == ()
    post = to_post(status(account=remote, in_reply_to_id="7"), server="near.example.org")
    assert post.aliases == ("mastodon:near.example.org/9101",)
    assert (post.kind, post.reply_to, post.reply_to_account) == ("reply", "mastodon:near.example.org/7", None)


@pytest.mark.parametrize(
    ("quote", "key"),
    [
        (
            {"quote": {"quoted_status": {"uri": "https://far.example.org/9"}}},
            "mastodon:https://far.example.org/9",
        ),
        ({"quote": {"uri": "https://far.example.org/9"}}, "mastodon:https://far.example.org/9"),
        ({"quote": {"state": "accepted", "quoted_status_id": "9"}}, "mastodon:social.example.org/9"),
        ({"quote": {"state": "deleted", "quoted_status": None}}, None),
        ({"quote_id": "9"}, "mastodon:social.example.org/9"),
    ],
)
def test_quotes(quote: dict[str, Any], key: str | None) -> None:
    post = to_post(status(**quote))
    assert (post.kind, post.quote_of) == ("quote", key)


def test_a_reply_that_quotes_stays_a_reply() -> None:
    post = to_post(status(in_reply_to_account_id="a", quote={"uri": "https://far.example.org/9"}))
    assert (post.kind, post.reply_to_account) == ("reply", "bc_ana@social.example.org")
    assert post.quote_of


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"uri": ""}, "uri is missing"),
        ({"created_at": "2026-03-16T14:03:10"}, "created_at"),
        ({"content": None}, "content is no text"),
        ({"content": "x" * 300_000}, "longer than"),
        ({"account": {}}, "no acct"),
        ({"account": {"acct": "bc_ana"}, "uri": "tag:1"}, "has no url"),
        ({"account": {"acct": "bc_ana", "url": "http://[bad"}, "uri": "tag:1"}, "has no url"),
    ],
)
def test_what_a_post_cannot_do_without(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        to_post(status(**changes))


def test_an_account_without_an_address_lives_where_its_status_does() -> None:
    bare = {"id": "1", "acct": "bc_ana"}
    assert to_post(status(account=bare)).author.key == "mastodon:bc_ana@social.example.org"
    boost = status(account=account("bc_luis"), reblog=status(account=bare, id="2"))
    assert to_post(boost).repost_account == "bc_ana@social.example.org"
    mentioned = status(mentions=[{"id": "3", "acct": "bc_kofi"}])
    assert to_post(mentioned).mentions == ("bc_kofi@social.example.org",)


def test_the_input_is_not_changed() -> None:
    given = status(mentions=[account("bc_luis@far.example.org", "far.example.org")], tags=[{"name": "x"}])
    before = repr(given)
    to_post(given)
    assert repr(given) == before


def test_what_few_may_read_is_taken_out_of_what_quotes_it() -> None:
    plain = status(quote={"quoted_status": status()}, reblog=None)
    assert for_all_eyes(plain) is plain
    quoting = status(quote={"quoted_status": status(visibility="private", content="<p>secret</p>")})
    assert for_all_eyes(quoting) == status(quote=None)
    assert for_all_eyes(status(reblog=quoting)) == status(reblog=status(quote=None))
