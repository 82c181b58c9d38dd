"""The sample as X's API v2 answers a search: a page a line, newest first, with its includes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from data.sample.people import Person
from data.sample.story import Draft

PAGE = 100
_TAG = re.compile(r"(?<![\w&])#(\w+)")
_MENTION = re.compile(r"@(\w+)")
_URL = re.compile(r"https?://\S+")


def pages(drafts: list[Draft]) -> Iterator[str]:
    """JSON lines, each a response with up to 100 posts; one post stands in two pages."""
    posts = [version for draft in reversed(drafts) for version in _versions(draft)]
    posts[PAGE:PAGE] = posts[PAGE - 1 : PAGE]
    people = {draft.author.handle: draft.author for draft in drafts}
    rest = iter(posts)
    while page := list(islice(rest, PAGE)):
        yield _dump(_response(page, people))


def _response(page: list[tuple[Draft, dict[str, Any]]], people: dict[str, Person]) -> dict[str, Any]:
    passed_on = {draft.repost_of.id: draft.repost_of for draft, _ in page if draft.repost_of}
    users = {draft.author.handle: draft.author for draft, _ in page}
    users |= {draft.author.handle: draft.author for draft in passed_on.values()}
    ids = [post["id"] for _, post in page]
    return {
        "data": [post for _, post in page],
        "includes": {
            "users": [_user(users[handle]) for handle in sorted(users)],
            "tweets": [_post(passed_on[id]) for id in sorted(passed_on)],
        },
        "meta": {"newest_id": max(ids), "oldest_id": min(ids), "result_count": len(ids)},
    }


def _versions(draft: Draft) -> Iterator[tuple[Draft, dict[str, Any]]]:
    if draft.edited_text and draft.edited_id and draft.edited_at:
        chain = [draft.id, draft.edited_id]
        edited = _post(draft) | {"id": draft.edited_id, "created_at": _time(draft.edited_at)}
        yield draft, edited | {"text": draft.edited_text, "edit_history_tweet_ids": chain}
    yield draft, _post(draft)


def _post(draft: Draft) -> dict[str, Any]:
    mention = f"@{draft.parent.author.handle} " if draft.parent else ""
    text = mention + draft.text
    post: dict[str, Any] = {
        "id": draft.id,
        "text": text,
        "created_at": _time(draft.at),
        "author_id": draft.author.user_id,
        "lang": draft.language,
        "conversation_id": _root(draft).id,
        "edit_history_tweet_ids": [draft.id],
        "entities": _entities(text),
    }
    if draft.parent:
        post["in_reply_to_user_id"] = draft.parent.author.user_id
        post["referenced_tweets"] = [{"type": "replied_to", "id": draft.parent.id}]
    if draft.repost_of:
        post["referenced_tweets"] = [{"type": "retweeted", "id": draft.repost_of.id}]
    return post


def _entities(text: str) -> dict[str, Any]:
    found = {
        "hashtags": [{"start": m.start(), "end": m.end(), "tag": m[1]} for m in _TAG.finditer(text)],
        "mentions": [{"start": m.start(), "end": m.end(), "username": m[1]} for m in _MENTION.finditer(text)],
        "urls": [
            {"start": m.start(), "end": m.end(), "url": m[0], "expanded_url": m[0]}
            for m in _URL.finditer(text)
            if not m[0].endswith("…")
        ],
    }
    return {name: entries for name, entries in found.items() if entries}


def _user(person: Person) -> dict[str, Any]:
    return {
        "id": person.user_id,
        "username": person.handle,
        "name": person.name,
        "description": person.role,
        "location": person.city,
        "public_metrics": {"followers_count": person.followers},
    }


def _root(draft: Draft) -> Draft:
    while draft.parent:
        draft = draft.parent
    return draft


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def early_rows(rows: Iterable[tuple[str, str, str, str]]) -> Iterator[str]:
    """The plain list that somebody kept by hand before the listening began: CSV lines."""
    yield "id,datetime,user,text"
    for row in rows:
        yield ",".join(f'"{cell}"' if "," in cell else cell for cell in row)
