"""A Mastodon status, as the REST and streaming interfaces serve it, as a post.

A status has one ``uri`` everywhere and another ``id`` on every server that shows it. The uri makes the
key. The id, with the name of the server that served it, is an alias, ``mastodon:<server>/<id>``; what a
status says about others it says by id, so ``reply_to`` has that form too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from archive.vocabulary import Arm, Author, Engagement, Kind, Post, hashtags_in
from collector.mapping import MappingError, count, moment, table, tables, words
from collector.mapping.html_text import MAX_HTML, text_of

SOURCE = "mastodon"
Status = Mapping[str, Any]


def audience(status: Status) -> Literal["public", "private", "unknown"]:
    """Who may read a status: private is what goes to followers or to named people only."""
    visibilities = [status.get("visibility")]
    if status.get("reblog"):
        visibilities.append(table(status["reblog"]).get("visibility"))
    if any(name in ("private", "direct", "limited") for name in visibilities):
        return "private"
    return "public" if all(name in ("public", "unlisted") for name in visibilities) else "unknown"


def for_all_eyes(status: Status) -> Status:
    """The status without a quoted one that is for few eyes only; itself where there is none."""
    status = _without_hidden_quote(status)
    boosted = table(status.get("reblog"))
    shown = _without_hidden_quote(boosted)
    return status if shown is boosted else {**status, "reblog": shown}


def to_post(status: Status, *, server: str | None = None, arm: Arm = "public") -> Post:
    """The post of a status. Without ``server`` its name is taken from what the status shows of it.

    Raises MappingError.
    """
    shown = table(status.get("reblog")) or status  # whose text it is
    server = server or _server(status) or _server(shown)
    author = _author(status)
    created_at = _time(status.get("created_at"))
    if created_at is None:
        raise MappingError("created_at is no time with a zone")
    text, links = _text(shown)
    boosted = shown is not status
    return Post(
        key=_key(status),
        source=SOURCE,
        platform_id=_uri(status),
        author=author,
        text=text,
        created_at=created_at,
        kind=_kind(status),
        language=words(status.get("language")),
        edited_at=_time(status.get("edited_at")),
        arm=arm,
        reply_to=None if boosted else _local(server, status.get("in_reply_to_id")),
        reply_to_account=None if boosted else _answered(status, author),
        repost_of=_key(shown) if boosted else None,
        repost_account=_author(shown).handle if boosted else None,
        quote_of=_quoted(shown, server),
        hashtags=hashtags_in(text),
        mentions=tuple(dict.fromkeys(_handle(who, _home(shown)) for who in tables(shown.get("mentions")))),
        links=links,
        url=words(status.get("url")),
        engagement=None if boosted else _engagement(status),
        aliases=_aliases(server, status),
        flags=_flags(status),
    )


def status_key(server: str, status_id: str) -> str:
    """The alias under which a server's own id of a status is known."""
    return f"{SOURCE}:{server}/{status_id}"


def _time(value: Any) -> datetime | None:
    """In whole seconds: only the home server has the fraction, and tells no other server of it."""
    time = moment(value)
    return time.replace(microsecond=0) if time else None


def _uri(status: Status) -> str:
    uri = words(status.get("uri"))
    if uri is None:
        raise MappingError("uri is missing")
    return uri


def _key(status: Status) -> str:
    return f"{SOURCE}:{_uri(status)}"


def _kind(status: Status) -> Kind:
    if status.get("reblog"):
        return "repost"
    if status.get("in_reply_to_id") or status.get("in_reply_to_account_id"):
        return "reply"
    return "quote" if status.get("quote") or status.get("quote_id") else "original"


def _text(status: Status) -> tuple[str, tuple[str, ...]]:
    content = status.get("content")
    if not isinstance(content, str):
        raise MappingError("content is no text")
    if len(content) > MAX_HTML:
        raise MappingError(f"content is longer than {MAX_HTML:,} characters")
    named = {*_urls(status.get("mentions")), *_urls(status.get("tags"))}
    text, links = text_of(content, not_links=named)
    warning = words(status.get("spoiler_text"))
    return (f"{warning}\n\n{text}".strip() if warning else text), links


def _urls(entities: Any) -> list[str]:
    return [url for entity in tables(entities) if (url := words(entity.get("url")))]


def _author(status: Status) -> Author:
    account = table(status.get("account"))
    handle = _handle(account, _home(status))
    note = words(account.get("note"))
    bot = account.get("bot")
    return Author(
        key=f"{SOURCE}:{handle.casefold()}",
        source=SOURCE,
        handle=handle,
        name=words(account.get("display_name")),
        url=words(account.get("url")),
        description=(text_of(note)[0] or None) if note else None,
        followers=count(account.get("followers_count")),
        bot=bot if isinstance(bot, bool) else None,
    )


def _home(status: Status) -> str | None:
    """The host that a status and its author are at, where the author is one of the server's own."""
    acct = words(table(status.get("account")).get("acct"))
    return None if acct and "@" in acct else _host(status.get("uri"))


def _handle(account: Mapping[str, Any], home: str | None) -> str:
    """``user@host``: a server leaves the host out where it is its own."""
    name = words(account.get("acct")) or words(account.get("username"))
    if name is None:
        raise MappingError("an account has no acct")
    if "@" in name:
        return name
    host = _host(account.get("url")) or home
    if host is None:
        raise MappingError(f"the home of the account {name!r} cannot be told: it has no url")
    return f"{name}@{host}"


def _host(url: Any) -> str | None:
    try:
        return urlsplit(url).hostname if isinstance(url, str) else None
    except ValueError:
        return None


def _server(status: Status) -> str | None:
    """The server that served a status: accounts without a host are its own, and so are tag pages."""
    people = [table(status.get("account")), *tables(status.get("mentions"))]
    for account in people:
        acct = words(account.get("acct"))
        if acct and "@" not in acct:
            return _host(account.get("url"))
    return next((host for url in _urls(status.get("tags")) if (host := _host(url))), None)


def _local(server: str | None, status_id: Any) -> str | None:
    return status_key(server, str(status_id)) if server and isinstance(status_id, str | int) else None


def _aliases(server: str | None, status: Status) -> tuple[str, ...]:
    alias = _local(server, status.get("id"))
    return () if alias is None else (alias,)


def _answered(status: Status, author: Author) -> str | None:
    """The account that a status answers: itself, one that it mentions, else only an id."""
    answered = status.get("in_reply_to_account_id")
    if not isinstance(answered, str | int):
        return None
    if str(answered) == str(table(status.get("account")).get("id")):
        return author.handle
    mentioned = (p for p in tables(status.get("mentions")) if str(p.get("id")) == str(answered))
    return next((_handle(person, _home(status)) for person in mentioned), str(answered))


def _quoted(status: Status, server: str | None) -> str | None:
    """The post that a status quotes: given whole, by id, or (deleted, withdrawn) not at all."""
    quote = table(status.get("quote"))
    whole = table(quote.get("quoted_status")) or quote
    if words(whole.get("uri")):
        return _key(whole)
    return _local(server, quote.get("quoted_status_id") or status.get("quote_id"))


def _without_hidden_quote(status: Status) -> Status:
    quote = table(status.get("quote"))
    quoted = table(quote.get("quoted_status")) or quote
    hidden = "visibility" in quoted and audience(quoted) != "public"
    return {**status, "quote": None} if hidden else status


def _engagement(status: Status) -> Engagement | None:
    seen = Engagement(
        likes=count(status.get("favourites_count")),
        reposts=count(status.get("reblogs_count")),
        replies=count(status.get("replies_count")),
        quotes=count(status.get("quotes_count")),
    )
    return None if seen == Engagement() else seen


def _flags(status: Status) -> tuple[str, ...]:
    account = table(status.get("account"))
    marks = {
        "unlisted": status.get("visibility") == "unlisted",
        "not_indexable": account.get("indexable") is False,
        "noindex": account.get("noindex") is True,
    }
    return tuple(flag for flag, is_set in marks.items() if is_set)
