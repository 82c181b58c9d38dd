"""The words of the house: what a post, an author, a meeting and a tag are.

Frozen dataclasses without behaviour beyond properties. Every other room speaks in these types; the
archive stores them. Times are aware and in UTC; what a source does not tell is ``None``, never 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

Kind = Literal["repost", "reply", "quote", "original"]
Arm = Literal["room", "remote", "public"]
Sentiment = Literal["positive", "neutral", "negative"]
State = Literal["listening", "catching_up", "waiting", "deaf", "stopped"]
Tier = Literal["fast", "accurate"]
NameKind = Literal["person", "organisation", "place", "document", "other"]

KINDS: tuple[Kind, ...] = ("repost", "reply", "quote", "original")
AUTHORED: tuple[Kind, ...] = ("reply", "quote", "original")
ARMS: tuple[Arm, ...] = ("room", "remote", "public")
SENTIMENTS: tuple[Sentiment, ...] = ("positive", "neutral", "negative")
STATES: tuple[State, ...] = ("listening", "catching_up", "waiting", "deaf", "stopped")
TIERS: tuple[Tier, ...] = ("fast", "accurate")
NETWORKS = ("x", "mastodon", "bluesky")
CHATS = ("zoom", "teams", "webex", "slido", "youtube", "webhook")
SOURCE_LABELS = NETWORKS + CHATS
GROUPS = (
    "government",
    "business",
    "civil society",
    "social entrepreneur",
    "academia",
    "other",
)

#: Placeholders in the theme and sentiment columns of rollups and figures.
NONE = "none"
UNTAGGED = "untagged"
NOT_SURE = "not_sure"
#: A kind that nobody told, a language that was not found, logistics without tags.
UNKNOWN = "unknown"

#: The mark of a post that came in by the Q&A channel of the meeting's tool: it is put to the chair.
ASKED = "asked"

#: What people correct, in the order in which it is written down.
COMPONENTS = ("language", "theme", "sentiment", "question")
ACCEPTED, REJECTED = "accepted", "rejected"
LONGEST_KEYWORD, LONGEST_NAME, LONGEST_NOTE = 100, 100, 2_000  # characters

#: After so many failures to tag it a post is set aside, so that one post never holds up the others.
ATTEMPTS = 3

HASHTAG = re.compile(r"(?<![\w&])#(\w+)")


def hashtags_in(text: str) -> tuple[str, ...]:
    """The case-folded hashtags of a text, each once, in order of appearance (measures.md)."""
    if "#" not in text:
        return ()
    return tuple(dict.fromkeys(tag.casefold() for tag in HASHTAG.findall(text)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """An *account* that sent a post, as the source described it at that moment.

    ``key`` is ``<source>:<account id>``, or ``x:@<handle, case-folded>`` where a format has no ids.
    ``handle`` is as written (Mastodon: always ``user@host``); the chats have a ``name`` only.
    ``followers_max`` is the most ever seen, where the archive or a full export of ours tells it.
    """

    key: str
    source: str
    handle: str | None = None
    name: str | None = None
    url: str | None = None
    description: str | None = None
    location: str | None = None
    followers: int | None = None
    followers_max: int | None = None
    bot: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engagement:
    """The platform's counters as seen once; ``None`` is what the source does not offer."""

    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    quotes: int | None = None
    impressions: int | None = None


COUNTERS = tuple(counter.name for counter in fields(Engagement))


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One item of the discussion, mapped from a platform's own form.

    ``kind`` is ``None`` where the format cannot tell; ``kind_among`` then names what it may be
    (a plain CSV without a reply mark: reply, quote or original). ``reply_to``, ``repost_of`` and
    ``quote_of`` are post keys; ``reply_to_account``, ``repost_account`` and ``mentions`` are handles
    as the source gives them, else bare account ids. ``hashtags`` come from the text (``hashtags_in``),
    for a repost from the text of the post passed on where it came along. ``links`` are the entries of
    the URL entities, media left out. ``aliases`` are other keys under which the same post is known.
    """

    key: str
    source: str
    platform_id: str
    author: Author
    text: str
    created_at: datetime
    kind: Kind | None
    kind_among: tuple[Kind, ...] = ()
    language: str | None = None
    edited_at: datetime | None = None
    arm: Arm = "public"
    reply_to: str | None = None
    reply_to_account: str | None = None
    repost_of: str | None = None
    repost_account: str | None = None
    quote_of: str | None = None
    hashtags: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    url: str | None = None
    engagement: Engagement | None = None
    aliases: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What a person said of one component of a post, as it stands beside the machine's tags.

    ``evidence`` is JSON text: the note, where there is one. ``superseded_at`` is when the next word of a
    person about this component took its place; ``None`` while it is in force.
    """

    component: str
    label: str
    evidence: str | None = None
    version: str
    set_by: str
    seen_at: datetime
    superseded_at: datetime | None = None


# What a source or an importer yields: exactly one of the following for every candidate item.


@dataclass(frozen=True, slots=True)
class Received:
    """A post with the payload that it was mapped from.

    ``raw`` is JSON text; ``observed_at`` is when its source served it (not when we read a file), and
    decides which of two differing versions is the newer; ``received_at`` is when we got it live.
    ``corrections`` come along with one of the observations in a full export of ours.
    """

    post: Post
    raw: str | None = None
    observed_at: datetime | None = None
    received_at: datetime | None = None
    corrections: tuple[Corrected, ...] = ()


@dataclass(frozen=True, slots=True)
class Deleted:
    """The source says that a post is gone. It may come before the post itself."""

    key: str
    source: str
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A record that could not be mapped: it goes to quarantine with its reason.

    ``payload`` is ``None`` where it must not be kept (it may have been private). ``accounts`` are the names
    (author keys, ``<source>:@<handle>``) of who may have written it: of people who opted out nothing is kept.
    """

    reason: str
    payload: str | None
    where: str
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Private:
    """A direct message: counted, nothing of it stored."""

    where: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that is no post by its nature: a like, a follow, a reaction."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An interval of the coverage ledger: what one source was doing between two moments.

    ``ended_at`` is ``None`` while it lasts. ``missing_estimate`` is the number of posts thought lost.
    """

    name: str
    source: str
    state: State
    started_at: datetime
    ended_at: datetime | None = None
    cause: str | None = None
    backfilled: str | None = None
    missing_estimate: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided on a keyword that was suggested for a theme, from a full export of ours."""

    theme: str
    language: str
    keyword: str
    decision: str
    set_by: str
    seen_at: datetime

    @property
    def name(self) -> str:
        """What it is about."""
        return f"{self.theme} {self.language} {self.keyword}"


Item = Received | Deleted | Unmapped | Private | Skipped | Span | Decision


@dataclass(slots=True)
class Counts:
    """What became of the records of one import or batch; ``read`` is the sum of the rest."""

    new: int = 0
    updated: int = 0
    duplicate: int = 0
    private: int = 0
    skipped: int = 0
    quarantined: int = 0

    @property
    def read(self) -> int:
        return sum(asdict(self).values())

    def add(self, other: Counts) -> None:
        """Add another batch's counts to these."""
        for name, count in asdict(other).items():
            setattr(self, name, getattr(self, name) + count)

    def as_json(self) -> dict[str, int]:
        """The promise of ``import --json`` (design.md)."""
        return {"read": self.read, **asdict(self)}


# What analysis hands to the archive.


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One finding of one component about one post, with the evidence for it.

    ``evidence`` is JSON-able: matched spans, features, alternatives, probabilities.
    """

    component: str
    label: str
    score: float | None = None
    evidence: Mapping[str, Any] | None = None
    version: str


@dataclass(frozen=True, slots=True)
class Name:
    """Somebody or something named in a post, in the spelling under which it is counted."""

    kind: NameKind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagging:
    """All tags of one post, and the values that figures are made of.

    ``themes`` are those chosen, with their scores; ``theme_scores`` has every theme of the meeting.
    ``asked`` is set where a convention in the text (``#q4s``) or the Q&A channel puts it to the chair.
    ``vector`` is the meaning of the text as ``encoder`` saw it: 512 float16, little-endian; ``None`` without
    an encoder. ``themes_by`` is the version of what chose the themes.
    """

    language: str | None
    themes: tuple[tuple[str, float], ...]
    sentiment: Sentiment | None
    sentiment_score: float | None
    sure: bool | None
    question: bool
    tags: tuple[Tag, ...]
    theme_scores: Mapping[str, float] = field(default_factory=dict)
    themes_by: str = ""
    tier: Tier = "fast"
    asked: bool = False
    logistics: bool = False
    names: tuple[Name, ...] = ()
    vector: bytes | None = None
    encoder: str | None = None

    @property
    def to_chair(self) -> bool:
        """A question that is on the matter, or expressly put to the chair."""
        return self.question and (self.asked or (bool(self.themes) and not self.logistics))


@dataclass(frozen=True, slots=True, kw_only=True)
class Themes:
    """A post's themes seen anew, after people taught something. Fields as in Tagging."""

    themes: tuple[tuple[str, float], ...]
    tags: tuple[Tag, ...]
    vector: bytes | None = None
    encoder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """A post's sentiment judged anew by the accurate tier."""

    sentiment: Sentiment
    score: float
    sure: bool
    tag: Tag


@dataclass(frozen=True, slots=True)
class Untagged:
    """A post as the tagger needs it. ``version`` guards against an edit between reading and tagging.

    ``language`` is the source's own mark; ``vector`` is one stored earlier by the same encoder, still good;
    ``asked`` says that the post came in by the Q&A channel of the meeting's tool.
    """

    id: int
    key: str
    version: str
    text: str
    language: str | None
    kind: Kind | None
    vector: bytes | None = None
    asked: bool = False


# What people teach.


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person says of a post; ``None`` is what they say nothing about.

    ``themes`` is the whole set, empty = none. ``language`` is a code, or ``unknown``.
    """

    by: str
    note: str = ""
    themes: tuple[str, ...] | None = None
    sentiment: Sentiment | None = None
    question: bool | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Taught:
    """A post whose themes a person set; ``vector`` as in Tagging."""

    vector: bytes
    text: str
    themes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Learned:
    """All that people taught: keywords that were accepted, ``(theme, language, keyword)``, and posts.

    All in an order that depends on nothing else; ``version`` is a short hash of them, empty for nothing.
    ``around`` are the vectors of some posts that were there by then, corrected or not.
    """

    keywords: tuple[tuple[str, str, str], ...] = ()
    corrections: tuple[Taught, ...] = ()
    version: str = ""
    around: tuple[bytes, ...] = ()


NOTHING = Learned()


# The meeting.


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """An item of the agenda that posts are tagged with; keywords by language code."""

    slug: str
    title: str
    description: str = ""
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A slot of the agenda, in UTC, half-open."""

    slug: str
    title: str
    starts: datetime
    ends: datetime
    kind: Literal["session", "break"] = "session"
    track: str = "main"
    hashtags: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """A ``[[sources]]`` table of the meeting file."""

    kind: Literal["x", "mastodon", "bluesky", "folder", "webhook"]
    name: str
    arm: Arm
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A *person* on the organiser's roster who agreed to be matched. Never inferred from text."""

    name: str
    country: str | None = None
    group: str | None = None
    attendance: Literal["room", "remote"] | None = None
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """The denominators that the organiser knows."""

    registered: int | None = None
    room: int | None = None
    remote: int | None = None
    by_country: Mapping[str, int] = field(default_factory=dict)
    by_group: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """The meeting file, read and checked. ``starts`` and ``ends`` are in UTC."""

    slug: str
    title: str
    hashtags: tuple[str, ...]
    starts: datetime
    ends: datetime
    timezone: str
    languages: tuple[str, ...] = ("en", "es", "fr", "de", "it", "pt", "ar")
    interface: Literal["en", "es", "fr"] = "en"
    lag: timedelta = timedelta(0)
    attendance: Attendance = Attendance()
    themes: tuple[Theme, ...] = ()
    sessions: tuple[Session, ...] = ()
    sources: tuple[SourceSpec, ...] = ()
    participants: tuple[Participant, ...] = ()
    moderation: Mapping[str, Any] = field(default_factory=dict)
    alerts: Sequence[Mapping[str, Any]] = ()
    quotes: Literal["names", "pseudonyms", "none"] = "names"
    retain_until: date | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        """The meeting's time zone."""
        return ZoneInfo(self.timezone)
