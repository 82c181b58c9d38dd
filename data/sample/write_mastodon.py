"""The sample as two Mastodon servers show their tag page: arrays of statuses, newest first."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

from data.sample.ids import numeric
from data.sample.people import HOSTS, Person
from data.sample.story import Draft

PAGE = 40
_MARKUP = re.compile(r"https?://\S+|(?<![\w&])#(\w+)")


def pages(rng: Random, drafts: list[Draft]) -> Iterator[tuple[str, str]]:
    """(file name, JSON) of every page of both servers. Each shows its own posts and half of the other's.

    The first server was asked before an edit, the second after it.
    """
    for number, host in enumerate(HOSTS):
        shown = [d for d in drafts if d.author.host == host or d.edited_at or rng.random() < 0.5]
        statuses = [_status(rng, draft, host, edited=number == 1) for draft in reversed(shown)]
        for start in range(0, len(statuses), PAGE):
            text = json.dumps(statuses[start : start + PAGE], ensure_ascii=False, indent=1)
            yield f"{host.partition('.')[0]}-{start // PAGE + 1}.json", text


def _status(rng: Random, draft: Draft, host: str, *, edited: bool) -> dict[str, Any]:
    home = draft.author.host
    is_edited = edited and draft.edited_text is not None
    text = draft.edited_text if is_edited and draft.edited_text else draft.text
    mention = f"@{draft.parent.author.handle} " if draft.parent else ""
    return {
        "id": draft.id if host == home else numeric(rng, draft.at),
        "uri": f"https://{home}/users/{draft.author.handle}/statuses/{draft.id}",
        "url": f"https://{home}/@{draft.author.handle}/{draft.id}",
        "created_at": _time(draft.at),
        "edited_at": _time(draft.edited_at) if is_edited and draft.edited_at else None,
        "in_reply_to_id": draft.parent.id if draft.parent and draft.parent.author.host == host else None,
        "in_reply_to_account_id": draft.parent.author.user_id if draft.parent else None,
        "visibility": "public",
        "language": draft.language,
        "content": f"<p>{html.escape(mention)}{_marked_up(text, home)}</p>",
        "reblog": None,
        "account": _account(draft.author, host),
        "media_attachments": [],
        "mentions": [_mention(draft.parent.author, host)] if draft.parent else [],
        "tags": [{"name": tag.lower()} for tag in re.findall(r"(?<![\w&])#(\w+)", text)],
        "replies_count": 0,
        "reblogs_count": 0,
        "favourites_count": rng.randrange(6),
    }


def _account(person: Person, host: str) -> dict[str, Any]:
    return _mention(person, host) | {
        "display_name": person.name,
        "bot": person.bot,
        "indexable": True,
        "note": f"<p>{html.escape(person.role)}</p>",
        "followers_count": person.followers // 4,
    }


def _mention(person: Person, host: str) -> dict[str, Any]:
    return {
        "id": person.user_id,
        "username": person.handle,
        "acct": person.handle if person.host == host else f"{person.handle}@{person.host}",
        "url": f"https://{person.host}/@{person.handle}",
    }


def _marked_up(text: str, host: str) -> str:
    pieces, end = [], 0
    for match in _MARKUP.finditer(text):
        pieces.append(html.escape(text[end : match.start()], quote=False))
        pieces.append(_link(match, host))
        end = match.end()
    return "".join(pieces) + html.escape(text[end:], quote=False)


def _link(match: re.Match[str], host: str) -> str:
    if match[1] is None:
        return f'<a href="{match[0]}" rel="nofollow noopener" target="_blank">{match[0]}</a>'
    address = f"https://{host}/tags/{match[1].lower()}"
    return f'<a href="{address}" class="mention hashtag" rel="tag">#<span>{match[1]}</span></a>'


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
