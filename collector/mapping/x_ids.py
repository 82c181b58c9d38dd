"""What all forms of X posts share: ids and the time inside them, keys, kinds, text and links."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from archive.vocabulary import Author, Kind
from collector.mapping import MappingError

SOURCE = "x"
DAMAGED = "damaged_id"

_ID = re.compile(r"[0-9]{1,25}")
_SCIENTIFIC = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+?[0-9]{1,3}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MILLISECOND = 1_288_834_974_657  # of the ids that carry a time, from 2010-11-04 on
_FIRST_ID_WITH_TIME = 29_700_859_247
_LAST_ID_WITH_TIME = 1 << 63
_HANDLE = re.compile(r"\w{1,50}")  # anything else in its place must not get into an address
_MENTION = re.compile(r"(?<!\w)@(\w+)")
_LINK = re.compile(r"https?://\S+")
_MEDIA = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/\w+/status/([0-9]+)/(?:photo|video)/")
_ESCAPE = re.compile(r"&(amp|lt|gt|quot|#39);")
_ESCAPED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "#39": "'"}
MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}


def checked_id(value: object) -> tuple[str, tuple[str, ...]]:
    """A post's id as text, and its flags: an id that a spreadsheet spoilt is kept as it stands."""
    text = str(value).strip() if isinstance(value, (str, int, float)) else ""
    if _ID.fullmatch(text):
        return text, ()
    if _SCIENTIFIC.fullmatch(text):
        return text, (DAMAGED,)
    raise MappingError(f"no post id: {text[:40]!r}" if text else "no post id")


def optional_id(value: object) -> str | None:
    """An id that a post may do without: of an account or of another post."""
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    return text if _ID.fullmatch(text) else None


def post_key(post_id: str | None) -> str | None:
    """The key of a post by its id."""
    return f"{SOURCE}:{post_id}" if post_id else None


def time_of_id(post_id: str) -> datetime | None:
    """The moment inside an id; None for damaged ids and those from before November 2010."""
    if not _ID.fullmatch(post_id) or not _FIRST_ID_WITH_TIME < (number := int(post_id)) < _LAST_ID_WITH_TIME:
        return None
    return _EPOCH + timedelta(milliseconds=(number >> 22) + _FIRST_MILLISECOND)


def post_url(handle: str | None, post_id: str) -> str:
    """The address of a post."""
    return f"https://x.com/{handle if handle and _HANDLE.fullmatch(handle) else 'i'}/status/{post_id}"


def account(
    user_id: str | None,
    handle: str | None,
    *,
    name: str | None = None,
    description: str | None = None,
    location: str | None = None,
    followers: int | None = None,
) -> Author:
    """The author of a post; MappingError where it is not told at all."""
    if user_id is None and handle is None:
        raise MappingError("no author")
    return Author(
        key=f"{SOURCE}:{user_id}" if user_id else f"{SOURCE}:@{(handle or '').casefold()}",
        source=SOURCE,
        handle=handle,
        name=name,
        url=f"https://x.com/{handle}" if handle and _HANDLE.fullmatch(handle) else None,
        description=description,
        location=location,
        followers=followers,
    )


def kind_of(*, repost: bool, reply: bool, quote: bool) -> Kind:
    """The first of the kinds that fits (measures.md)."""
    if repost:
        return "repost"
    if reply:
        return "reply"
    return "quote" if quote else "original"


def kind_without_quotes(*, repost: bool, reply: bool) -> tuple[Kind | None, tuple[Kind, ...]]:
    """The kind where a format has no mark of quotes; if it is not told, None and those that it may be."""
    if repost or reply:
        return kind_of(repost=repost, reply=reply, quote=False), ()
    return None, ("quote", "original")


def is_old_repost(text: str) -> bool:
    """A repost by its text, for the formats that have no mark of it."""
    return text.startswith("RT @")


def shown(text: str) -> str:
    """A text as people saw it: X escapes ``&``, ``<`` and ``>``; a NUL is no part of any text.

    Hashtags are counted in the text as it was served: ``&amp;#tag`` is a hashtag there, ``&#tag`` is not.
    """
    if "\0" in text:
        text = text.replace("\0", "")
    return _ESCAPE.sub(lambda match: _ESCAPED[match[1]], text) if "&" in text else text


def mentions_in(text: str) -> tuple[str, ...]:
    """The accounts named in a text, for the formats without a list of them."""
    return once(_MENTION.findall(text)) if "@" in text else ()


def links_in(text: str) -> tuple[str, ...]:
    """The links in a text, for the formats without a list of them."""
    return once(_LINK.findall(text)) if "://" in text else ()


def links(urls: Iterable[str], *own: str | None) -> tuple[str, ...]:
    """The entries of a URL list that are links: without the photo and video pages of the post itself.

    ``own`` are the ids that the post goes by, and that of the post passed on in it.
    """
    return once(url for url in urls if not ((page := _MEDIA.match(url)) and page[1] in own))


def once(values: Iterable[str]) -> tuple[str, ...]:
    """Each value once, in order of appearance."""
    return tuple(dict.fromkeys(values))


def no_time(text: object) -> MappingError:
    """What to raise where a time is missing or cannot be read."""
    return MappingError(f"no time that can be read: {str(text)[:40]!r}" if text else "no time")


def classic_time(text: object) -> datetime:
    """The time that API v1.1 writes: ``Wed Oct 10 20:19:24 +0000 2018``."""
    try:
        _, month, day, clock, offset, year = str(text).split()
        hour, minute, second = clock.split(":")
        moment = datetime(
            int(year), MONTHS[month], int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC
        )
        shift = timedelta(hours=int(offset[:3]), minutes=int(offset[0] + offset[3:]))
        return moment - shift if shift else moment
    except (ValueError, KeyError, IndexError, OverflowError):
        raise no_time(text) from None


def iso_time(text: object) -> datetime:
    """A time in ISO form as UTC; one without a zone is taken as UTC."""
    try:
        moment = datetime.fromisoformat(str(text).strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise no_time(text) from None
