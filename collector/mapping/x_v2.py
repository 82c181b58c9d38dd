"""X API v2: pages, single responses and flattened posts. Pure functions.

The form that is mapped, and kept as raw payload, is that of one response of the stream:
``{"data": post, "includes": {"users": [...], "tweets": [...]}}`` with what this one post refers to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from archive.vocabulary import Arm, Author, Engagement, Post, hashtags_in
from collector.mapping import MappingError, count, table, tables, words, x_ids

Payload = dict[str, Any]

_ID_LAG = timedelta(minutes=1)


def payloads(page: Mapping[str, Any]) -> Iterator[Payload]:
    """The posts of a response, each with the users and posts that it refers to."""
    includes = table(page.get("includes"))
    users = _by_id(includes.get("users"))
    posts = _by_id(includes.get("tweets"))
    data = page.get("data")
    for item in data if isinstance(data, list) else [data]:
        yield {"data": item, "includes": _needed(table(item), users, posts)}


def from_flat(post: Mapping[str, Any]) -> Payload:
    """A flattened post, which carries its author and the posts referred to inside it, as a payload."""
    referenced = tables(post.get("referenced_tweets"))
    users = [post.get("author"), post.get("in_reply_to_user"), *(item.get("author") for item in referenced)]
    return {
        "data": post,
        "includes": {
            "users": [user for user in map(table, users) if user],
            "tweets": [item for item in referenced if "author_id" in item],
        },
    }


def to_post(payload: Mapping[str, Any], *, arm: Arm = "public") -> Post:
    """The post in a payload; MappingError where id, author, time or text are missing."""
    data = table(payload.get("data"))
    includes = table(payload.get("includes"))
    users = _by_id(includes.get("users"))
    post_id, flags = x_ids.checked_id(data.get("id"))
    chain = _chain(data, post_id)
    author = _author(data, users)
    text, entities = _text(data)
    reference = {
        str(item.get("type")): x_ids.optional_id(item.get("id"))
        for item in tables(data.get("referenced_tweets"))
    }
    reposted, answered, quoted = (reference.get(name) for name in ("retweeted", "replied_to", "quoted"))
    passed_on = _by_id(includes.get("tweets")).get(reposted or "", {})
    answered_account = _handle(data.get("in_reply_to_user_id"), users)
    written_at = x_ids.iso_time(data.get("created_at"))
    return Post(
        key=f"{x_ids.SOURCE}:{chain[0]}",
        source=x_ids.SOURCE,
        platform_id=post_id,
        author=author,
        text=x_ids.shown(text),
        created_at=_first_written(chain[0], post_id, written_at),
        edited_at=written_at if post_id != chain[0] else None,
        kind=x_ids.kind_of(
            repost="retweeted" in reference,
            reply="replied_to" in reference or answered_account is not None,
            quote="quoted" in reference,
        ),
        language=words(data.get("lang")),
        arm=arm,
        reply_to=x_ids.post_key(answered),
        reply_to_account=answered_account,
        repost_of=x_ids.post_key(reposted),
        repost_account=_handle(passed_on.get("author_id"), users),
        quote_of=x_ids.post_key(quoted),
        hashtags=hashtags_in(_text(passed_on)[0] if words(passed_on.get("text")) else text),
        mentions=x_ids.once(
            filter(None, (words(m.get("username")) for m in tables(entities.get("mentions"))))
        ),
        links=x_ids.links(_urls(entities), reposted, *chain),
        url=x_ids.post_url(author.handle, post_id),
        engagement=_engagement(table(data.get("public_metrics"))),
        aliases=tuple(f"{x_ids.SOURCE}:{version}" for version in chain[1:]),
        flags=flags,
    )


def _needed(data: Mapping[str, Any], users: _Index, posts: _Index) -> Payload:
    """The included users and posts that one post refers to; nothing where nothing was included."""
    referenced = [
        posts[post_id]
        for item in tables(data.get("referenced_tweets"))
        if (post_id := x_ids.optional_id(item.get("id")) or "") in posts
    ]
    ids = [
        data.get("author_id"),
        data.get("in_reply_to_user_id"),
        *(post.get("author_id") for post in referenced),
    ]
    known = [users[user] for user in x_ids.once(map(str, ids)) if user in users]
    found: Payload = {}
    if known:
        found["users"] = known
    if referenced:
        found["tweets"] = referenced
    return found


_Index = Mapping[str, Mapping[str, Any]]


def _by_id(value: Any) -> dict[str, Mapping[str, Any]]:
    return {item["id"]: item for item in tables(value) if isinstance(item.get("id"), str)}


def _chain(data: Mapping[str, Any], post_id: str) -> tuple[str, ...]:
    """The ids of all versions, first to newest; the post's own is always among them."""
    history = data.get("edit_history_tweet_ids")
    ids = [x_ids.optional_id(item) for item in history] if isinstance(history, list) else []
    return x_ids.once([*filter(None, ids), post_id])


def _first_written(first_id: str, post_id: str, written_at: datetime) -> datetime:
    """When the first version was written: an edit has an id and a time of its own.

    The ids tell, but only those of X itself, whose time is that of the post.
    """
    first_at, own_at = x_ids.time_of_id(first_id), x_ids.time_of_id(post_id)
    if first_id == post_id or not first_at or not own_at or abs(own_at - written_at) > _ID_LAG:
        return written_at
    return first_at.replace(microsecond=0)


def _author(data: Mapping[str, Any], users: _Index) -> Author:
    user_id = x_ids.optional_id(data.get("author_id"))
    user = users.get(user_id or "", {})
    return x_ids.account(
        user_id,
        words(user.get("username")),
        name=words(user.get("name")),
        description=words(user.get("description")),
        location=words(user.get("location")),
        followers=count(table(user.get("public_metrics")).get("followers_count")),
    )


def _handle(user_id: Any, users: _Index) -> str | None:
    """The handle of an account that the payload describes, else its id."""
    known = x_ids.optional_id(user_id)
    return known and (words(users.get(known, {}).get("username")) or known)


def _text(data: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The whole text, which a long post keeps apart, and the entities that belong to it."""
    note = table(data.get("note_tweet"))
    holder = note if words(note.get("text")) else data
    text = holder.get("text")
    if not isinstance(text, str):
        raise MappingError("no text")
    return text, table(holder.get("entities"))


def _mentions(entities: Mapping[str, Any]) -> tuple[str, ...]:
    names = (words(item.get("username")) for item in tables(entities.get("mentions")))
    return x_ids.once(name for name in names if name)


def _urls(entities: Mapping[str, Any]) -> Iterator[str]:
    for item in tables(entities.get("urls")):
        address = words(item.get("expanded_url")) or words(item.get("url"))
        if address and "media_key" not in item:
            yield address


def _engagement(metrics: Mapping[str, Any]) -> Engagement | None:
    if not metrics:
        return None
    reposts = count(metrics.get("retweet_count"))
    return Engagement(
        likes=count(metrics.get("like_count")),
        reposts=count(metrics.get("repost_count")) if reposts is None else reposts,
        replies=count(metrics.get("reply_count")),
        quotes=count(metrics.get("quote_count")),
        impressions=count(metrics.get("impression_count")),
    )
