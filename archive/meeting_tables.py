"""What a meeting file may say, table by table, checked by pydantic.

A field's description is what a person is told is allowed there. Nothing is required by pydantic
itself: ``Table.required`` names what must be there, so that the half of a table which is right still
takes part in the checks between tables and every mistake is found in one go.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

LAG = re.compile(r"(\d{1,5})\s*([smh])")
SECONDS = {"s": 1, "m": 60, "h": 3600}
_LISTEN = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/]+):(\d{1,5})")


def _lag(value: Any) -> Any:
    if value == 0 and not isinstance(value, bool):
        return timedelta(0)
    match = LAG.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a length of time")
    lag = timedelta(seconds=int(match[1]) * SECONDS[match[2]])
    if lag > timedelta(hours=24):
        raise ValueError("more than a day")
    return lag


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError("no such zone") from error
    return name


def _hashtag(tag: str) -> str:
    tag = unicodedata.normalize("NFC", tag)
    if not re.fullmatch(r"\w+", tag):
        raise ValueError("not a hashtag")
    return tag


def _address(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname or parts.username:
        raise ValueError("not an address")
    return address


def _listen(address: str) -> str:
    match = _LISTEN.fullmatch(address)
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError("not host:port")
    return address


def _of_our_age(moment: datetime) -> datetime:
    if not 1900 <= moment.year < 3000:
        raise ValueError("a calendar's end, where times overflow")
    return moment


Day = date  # a field of that name hides the type
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
Title = Annotated[str, Field(pattern=r"^[^\x00]*[^\s\x00][^\x00]*$", max_length=300)]
Moment = Annotated[datetime, AfterValidator(_of_our_age)]
Hashtag = Annotated[str, AfterValidator(_hashtag)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Address = Annotated[str, AfterValidator(_address)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Number = Annotated[int, Field(ge=0, le=100_000_000)]

A_SLUG = "1 to 64 characters of a-z, 0-9 and -, in quotes"
A_TITLE = "a title of 1 to 300 characters, in quotes"
A_TIME = "local date and time of the meeting without quotes, such as 2012-03-26T09:00:00"
A_NUMBER = "a whole number, 0 or more, without quotes"
HASHTAGS = "a list of hashtags without '#', such as [\"eleaders2012\"]; letters, digits and _ only"
AN_ADDRESS = "an address that begins with http://, https://, ws:// or wss:// and carries no password"
A_VARIABLE = "the name of an environment variable, never the secret itself"
WORDS = 'a list of words in quotes, such as ["spam"]'


class Table(BaseModel):
    """A table of the meeting file. All keys are optional to pydantic; ``required`` are not to us."""

    model_config = ConfigDict(extra="forbid", strict=True)
    required: ClassVar[tuple[str, ...]] = ()


class MeetingTable(Table):
    """``[meeting]``."""

    required = ("slug", "title", "hashtags", "starts", "ends", "timezone")
    slug: Slug | None = Field(None, description=A_SLUG)
    title: Title | None = Field(None, description=A_TITLE)
    hashtags: Annotated[list[Hashtag], Field(min_length=1)] | None = Field(None, description=HASHTAGS)
    starts: Moment | None = Field(None, description=A_TIME)
    ends: Moment | None = Field(None, description=A_TIME + ", after starts")
    timezone: Annotated[str, AfterValidator(_timezone)] | None = Field(
        None, description='a zone of the IANA list, such as "America/Mexico_City" or "UTC"'
    )
    languages: Annotated[list[Language], Field(min_length=1)] | None = Field(
        None, description='language codes of two or three small letters, such as ["en", "es"]'
    )
    interface: Literal["en", "es", "fr"] | None = Field(None, description='"en", "es" or "fr"')
    lag: Annotated[timedelta, BeforeValidator(_lag)] | None = Field(
        None, description='a length of time up to a day, such as "90s", "2m" or "1h", or 0'
    )


class AttendanceTable(Table):
    """``[attendance]``: the denominators."""

    registered: Number | None = Field(None, description=A_NUMBER)
    room: Number | None = Field(None, description=A_NUMBER)
    remote: Number | None = Field(None, description=A_NUMBER)
    by_country: dict[Country, Number] | None = Field(
        None, description="whole numbers by country code of two capitals, such as { MX = 30, FR = 12 }"
    )
    by_group: dict[str, Number] | None = Field(
        None, description="whole numbers by group, such as { government = 60, business = 20 }"
    )


class ThemeTable(Table):
    """``[[themes]]``."""

    required = ("slug", "title")
    slug: Slug | None = Field(None, description=A_SLUG)
    title: Title | None = Field(None, description=A_TITLE)
    description: Annotated[str, Field(max_length=5000)] | None = Field(
        None, description="one to three sentences in quotes, 5000 characters at most"
    )
    keywords: dict[Language, list[Title]] | None = Field(
        None, description='lists of words and phrases by language code, such as { en = ["open data"] }'
    )


class SessionTable(Table):
    """``[[sessions]]``."""

    required = ("slug", "title", "starts", "ends")
    slug: Slug | None = Field(None, description=A_SLUG)
    title: Title | None = Field(None, description=A_TITLE)
    starts: Moment | None = Field(None, description=A_TIME)
    ends: Moment | None = Field(None, description=A_TIME + ", after starts")
    kind: Literal["session", "break"] | None = Field(None, description='"session" or "break"')
    track: Title | None = Field(None, description='the name of a track in quotes, such as "main"')
    hashtags: list[Hashtag] | None = Field(None, description=HASHTAGS)
    themes: list[str] | None = Field(None, description="a list of slugs of [[themes]]")
    speakers: list[Title] | None = Field(None, description="a list of names in quotes")


class SourceTable(Table):
    """``[[sources]]``; ``SOURCE_KEYS`` says which keys belong to which kind."""

    required = ("kind",)
    kind: Literal["x", "mastodon", "bluesky", "folder", "webhook"] | None = Field(
        None, description='"x", "mastodon", "bluesky", "folder" or "webhook"'
    )
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = Field(
        None, description="1 to 64 letters, digits, -, _ or . in quotes, different for every source"
    )
    arm: Literal["room", "remote", "public"] | None = Field(None, description='"room", "remote" or "public"')
    base_url: Address | None = Field(None, description=AN_ADDRESS)
    search_url: Address | None = Field(None, description=AN_ADDRESS)
    token_env: Variable | None = Field(None, description=A_VARIABLE)
    app_password_env: Variable | None = Field(None, description=A_VARIABLE)
    handle: Title | None = Field(None, description="the account's handle in quotes")
    stall_after: Annotated[int, Field(ge=1, le=86_400)] | None = Field(
        None, description="seconds, a whole number from 1 to 86400"
    )
    max_posts: Annotated[int, Field(ge=1)] | None = Field(
        None, description="a whole number of posts, 1 or more"
    )
    path: Title | None = Field(None, description="the path of a folder or file in quotes")
    format: Title | None = Field(None, description='"auto" or the name of a format (docs/importing.md)')
    date: Day | None = Field(None, description="a date without quotes, such as 2012-03-26")
    listen: Annotated[str, AfterValidator(_listen)] | None = Field(
        None, description='host and port in quotes, such as "127.0.0.1:8600"'
    )


COMMON_KEYS = ("kind", "name", "arm", "base_url")
SOURCE_KEYS: dict[str, tuple[str, ...]] = {
    "x": ("token_env", "stall_after", "max_posts"),
    "mastodon": ("token_env", "stall_after"),
    "bluesky": ("search_url", "handle", "app_password_env", "stall_after"),
    "folder": ("path", "format", "date"),
    "webhook": ("listen", "token_env"),
}
SOURCE_REQUIRED: dict[str, tuple[str, ...]] = {"mastodon": ("base_url",), "folder": ("path",)}
SOURCE_DEFAULTS: dict[str, dict[str, Any]] = {
    "x": {"token_env": "X_BEARER_TOKEN", "stall_after": 20},
    "mastodon": {"token_env": "MASTODON_TOKEN"},
    "bluesky": {},
    "folder": {"format": "auto"},
    "webhook": {"listen": "127.0.0.1:8600", "token_env": "BACKCHANNEL_WEBHOOK_TOKEN"},
}


class ParticipantsTable(Table):
    """``[participants]``."""

    roster: Title | None = Field(None, description="the path of a CSV file in quotes")


class ModerationTable(Table):
    """``[moderation]``."""

    show: Literal["everything", "approved", "automatic"] | None = Field(
        None, description='"everything", "approved" or "automatic"'
    )
    block: list[Title] | None = Field(None, description=WORDS)
    allow: list[Title] | None = Field(None, description=WORDS)


class AlertTable(Table):
    """``[[alerts]]``."""

    required = ("when",)
    when: Literal["deaf", "surge", "negative_surge", "questions_waiting", "word"] | None = Field(
        None, description='"deaf", "surge", "negative_surge", "questions_waiting" or "word"'
    )
    words: Annotated[list[Title], Field(min_length=1)] | None = Field(
        None, description=WORDS + ', together with when = "word"'
    )


class PrivacyTable(Table):
    """``[privacy]``."""

    retain_until: date | None = Field(None, description="a date without quotes, such as 2013-03-27")
    quotes: Literal["names", "pseudonyms", "none"] | None = Field(
        None, description='"names", "pseudonyms" or "none"'
    )


SINGLE: dict[str, type[Table]] = {
    "meeting": MeetingTable,
    "attendance": AttendanceTable,
    "participants": ParticipantsTable,
    "moderation": ModerationTable,
    "privacy": PrivacyTable,
}
REPEATED: dict[str, type[Table]] = {
    "themes": ThemeTable,
    "sessions": SessionTable,
    "sources": SourceTable,
    "alerts": AlertTable,
}
