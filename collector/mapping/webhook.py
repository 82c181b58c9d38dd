"""What other tools post to the webhook, as items. The contract stands in docs/meeting-tool.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from archive.vocabulary import ARMS, ASKED, Arm, Deleted, Post, Private, Received
from collector.importers.records import dump
from collector.mapping import MappingError, moment
from collector.mapping.chat import Message, Ordinals, display_name, message_id, to_post

LABEL = "webhook"
MAX_ID = 200  # characters
MAX_NAME = 300
MAX_URL = 2_000

KEYS = ("id", "author", "text", "at", "edited_at", "reply_to", "arm", "private", "asked", "url", "language")
_AUTHOR_KEYS = ("id", "name")
_AHEAD = timedelta(minutes=5)  # beyond which a clock that is ahead is flagged
_REMEMBERED = 20_000
_UNSEEN = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{1,8}){0,3}")
_URL = re.compile(r"https?://[^\s<>\"]+")


@dataclass(slots=True)
class Unnamed:
    """Tells messages without an id apart: the texts of one author in one second, in their order.

    The same text again is the same message: a tool that got no answer sends it once more.
    """

    _texts: dict[tuple[datetime, str], dict[int, int]] = field(default_factory=dict)

    def ordinal(self, at: datetime, account: str, text: str) -> int:
        """Which of this author's messages of that second this one is, from 0."""
        texts = self._texts.setdefault((at.replace(microsecond=0), account), {})
        if len(self._texts) > _REMEMBERED:
            del self._texts[next(iter(self._texts))]
        return texts.setdefault(hash(text), len(texts))


@dataclass(frozen=True, slots=True)
class Hearing:
    """What an item is read with: the arm of the source, the time, and the messages without ids so far."""

    arm: Arm
    now: datetime
    unnamed: Unnamed


def to_item(value: Any, hearing: Hearing, where: str) -> Received | Private:
    """The post that an item of ``POST /posts`` is. Raises MappingError, naming the key and what is wrong."""
    if not isinstance(value, dict):
        raise MappingError("an item is a JSON object")
    # First of all, so that no other mistake lets anything of it be kept.
    private = value.get("private")
    if private is not None and private is not False:
        return Private(where)
    _refuse_unknown(value, KEYS, "")
    post = _post(value, hearing)
    return Received(post, dump(value), observed_at=hearing.now, received_at=hearing.now)


def to_edit(value: Any, post_id: str, hearing: Hearing, where: str) -> Received | Private:
    """The newer version that ``PUT /posts/{id}`` brings: the whole item, with the time it was first said."""
    if not isinstance(value, dict):
        raise MappingError("an edit is one JSON object")
    if _id(value.get("id"), "id") not in (None, post_id):
        raise MappingError("id is not the one in the address")
    item = to_item({**value, "id": post_id}, hearing, where)
    if isinstance(item, Private):
        return item
    if value.get("at") is None:
        raise MappingError("at is missing: an edit needs the time when it was first said")
    return replace(item, post=replace(item.post, edited_at=item.post.edited_at or hearing.now))


def accounts(value: Any) -> tuple[str, ...]:
    """Who may have written an item that could not be read, as author keys."""
    author = value.get("author") if isinstance(value, dict) else None
    names = author.values() if isinstance(author, dict) else (author,)
    return tuple(f"{LABEL}:{display_name(name)}" for name in names if isinstance(name, str) and name.strip())


def to_deletion(post_id: str, hearing: Hearing) -> Deleted:
    """What ``DELETE /posts/{id}`` says."""
    return Deleted(f"{LABEL}:{_id(post_id, 'id')}", LABEL, hearing.now)


def _post(value: Mapping[str, Any], hearing: Hearing) -> Post:
    text = value.get("text")
    if not isinstance(text, str) or not text.strip():
        raise MappingError("text is missing, or is no text with something in it")
    if "\x00" in text:
        raise MappingError("text holds a NUL character")
    account, name = _author(value.get("author"))
    at = _time(value.get("at"), "at") or hearing.now
    edited_at = _time(value.get("edited_at"), "edited_at")
    post_id = _id(value.get("id"), "id")
    if post_id is None:
        said_by = account or display_name(name)
        post_id = message_id(at, said_by, hearing.unnamed.ordinal(at, said_by, text))
    answered = _id(value.get("reply_to"), "reply_to")
    message = Message(
        name=name,
        text=text,
        at=at,
        id=post_id,
        author_id=account,
        kind="reply" if answered else "original",
        reply_to=f"{LABEL}:{answered}" if answered else None,
        flags=(*_asked(value.get("asked")), *(("clock",) if at > hearing.now + _AHEAD else ())),
    )
    post = to_post(LABEL, message, Ordinals(), arm=_arm(value.get("arm"), hearing.arm))
    return replace(
        post, edited_at=edited_at, url=_url(value.get("url")), language=_language(value.get("language"))
    )


def _author(value: Any) -> tuple[str | None, str]:
    """The id, if there is one, and the name, which may be empty beside an id."""
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        raise MappingError('author is missing: "author": "name", or {"id": …, "name": …}')
    _refuse_unknown(value, _AUTHOR_KEYS, "author.")
    account = _id(value.get("id"), "author.id")
    name = value.get("name")
    if name is not None and (not isinstance(name, str) or len(name) > MAX_NAME or _UNSEEN.search(name)):
        raise MappingError(f"author.name is no text of at most {MAX_NAME} characters on one line")
    if account is None and not display_name(name or ""):
        raise MappingError("author has neither a name nor an id")
    return account, name or ""


def _id(value: Any, key: str) -> str | None:
    """An id, which is text always; None where there is none."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_ID or _UNSEEN.search(value):
        raise MappingError(f"{key} is no text or whole number of at most {MAX_ID} characters")
    return value


def _time(value: Any, key: str) -> datetime | None:
    if value is None:
        return None
    found = moment(value)
    if found is None or not 1990 <= found.year < 3000:
        raise MappingError(f"{key} is no ISO 8601 time with its zone, as 2026-03-16T14:03:10Z")
    return found


def _arm(value: Any, default: Arm) -> Arm:
    if value is None:
        return default
    if value not in ARMS:
        raise MappingError(f"arm is none of {', '.join(ARMS)}")
    return cast(Arm, value)


def _asked(value: Any) -> tuple[str, ...]:
    if value is not None and not isinstance(value, bool):
        raise MappingError("asked is neither true nor false")
    return (ASKED,) if value else ()


def _url(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > MAX_URL or not _URL.fullmatch(value):
        raise MappingError(f"url is no http or https address of at most {MAX_URL:,} characters")
    return value


def _language(value: Any) -> str | None:
    if value is None:
        return None
    match = _LANGUAGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise MappingError("language is no code such as en or pt-BR")
    return match[1].casefold()


def _refuse_unknown(value: Mapping[str, Any], known: tuple[str, ...], prefix: str) -> None:
    unknown = sorted(set(value).difference(known))
    if unknown:
        named = ", ".join(repr(prefix + key[:50]) for key in unknown[:5])
        raise MappingError(f"unknown: {named}; known are {', '.join(prefix + key for key in known)}")
