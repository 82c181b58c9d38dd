"""X API v1.1: a status object as a post. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archive.vocabulary import Arm, Author, Engagement, Post, hashtags_in
from collector.mapping import MappingError, count, table, tables, words, x_ids


def to_post(status: Mapping[str, Any], *, arm: Arm = "public") -> Post:
    """The post in a status; MappingError where id, author, time or text are missing."""
    post_id, flags = x_ids.checked_id(status.get("id_str") or status.get("id"))
    author = _author(table(status.get("user")))
    text, entities = _text(status)
    repost = table(status.get("retweeted_status"))
    answered = _id(status, "in_reply_to_status_id")
    answered_account = words(status.get("in_reply_to_screen_name")) or _id(status, "in_reply_to_user_id")
    quoted = _id(status, "quoted_status_id") or _own_id(table(status.get("quoted_status")))
    return Post(
        key=f"{x_ids.SOURCE}:{post_id}",
        source=x_ids.SOURCE,
        platform_id=post_id,
        author=author,
        text=x_ids.shown(text),
        created_at=x_ids.classic_time(status.get("created_at")),
        # Statuses without a quote mark are older than quotes, so that the kind is always known.
        kind=x_ids.kind_of(
            repost=bool(repost),
            reply=bool(answered or answered_account),
            quote=bool(quoted) or status.get("is_quote_status") is True,
        ),
        language=words(status.get("lang")),
        arm=arm,
        reply_to=x_ids.post_key(answered),
        reply_to_account=answered_account,
        repost_of=x_ids.post_key(_own_id(repost)),
        repost_account=words(table(repost.get("user")).get("screen_name")),
        quote_of=x_ids.post_key(quoted),
        hashtags=hashtags_in(_text(repost)[0] if words(_text_field(repost)) else text),
        mentions=_entries(entities, "user_mentions", "screen_name"),
        links=x_ids.links(_entries(entities, "urls", "expanded_url", "url"), post_id, _own_id(repost)),
        url=x_ids.post_url(author.handle, post_id),
        engagement=_engagement(status),
        flags=flags,
    )


def deleted_id(message: Mapping[str, Any]) -> str | None:
    """The id of the status that a stream's message says is deleted."""
    return _own_id(table(table(message.get("delete")).get("status")))


def is_private(record: Mapping[str, Any]) -> bool:
    """Whether a record is a direct message, in any of the forms that v1.1 and the archives know."""
    return (
        "direct_message" in record
        or "direct_message_events" in record
        or "message_create" in record
        or "messageCreate" in record
        or "dmConversation" in record
        or record.get("kind") == "dm"
        or ("recipient" in record or "recipient_id" in record)
    )


def _author(user: Mapping[str, Any]) -> Author:
    return x_ids.account(
        x_ids.optional_id(user.get("id_str")) or x_ids.optional_id(user.get("id")),
        words(user.get("screen_name")),
        name=words(user.get("name")),
        description=words(user.get("description")),
        location=words(user.get("location")),
        followers=count(user.get("followers_count")),
    )


def _text(status: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The whole text of a status, and the entities that belong to it."""
    extended = table(status.get("extended_tweet"))
    if words(extended.get("full_text")):
        return extended["full_text"], table(extended.get("entities"))
    text = _text_field(status)
    if not isinstance(text, str):
        if status:
            raise MappingError("no text")
        text = ""
    return text, table(status.get("entities"))


def _text_field(status: Mapping[str, Any]) -> Any:
    full = status.get("full_text")
    return full if isinstance(full, str) else status.get("text")


def _entries(entities: Mapping[str, Any], name: str, *fields: str) -> tuple[str, ...]:
    """One field of every entity of a list: the first of ``fields`` that says anything."""
    found = (_first(item, fields) for item in tables(entities.get(name)))
    return x_ids.once(value for value in found if value)


def _first(item: Mapping[str, Any], fields: tuple[str, ...]) -> str | None:
    return next((value for field in fields if (value := words(item.get(field)))), None)


def _engagement(status: Mapping[str, Any]) -> Engagement:
    return Engagement(
        likes=count(status.get("favorite_count")),
        reposts=count(status.get("retweet_count")),
        replies=count(status.get("reply_count")),
        quotes=count(status.get("quote_count")),
    )


def _id(status: Mapping[str, Any], name: str) -> str | None:
    return x_ids.optional_id(status.get(f"{name}_str")) or x_ids.optional_id(status.get(name))


def _own_id(status: Mapping[str, Any]) -> str | None:
    return _id(status, "id")
