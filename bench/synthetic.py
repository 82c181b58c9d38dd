"""Made-up posts in any number, the same for every run: Zipf words and authors, a two-day meeting."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from archive.vocabulary import Author, Engagement, Kind, Meeting, Post, Received, Session, Theme, hashtags_in

START = datetime(2012, 3, 26, 15, 0, tzinfo=UTC)
DAYS = 2
LANGUAGES = ("en", "en", "en", "es", "es", "fr", "pt", "de")
_STEMS = [
    "open",
    "data",
    "government",
    "city",
    "service",
    "budget",
    "citizen",
    "agency",
    "digital",
    "platform",
    "health",
    "school",
    "innovation",
    "identity",
    "record",
    "street",
    "water",
    "policy",
    "report",
    "minister",
    "question",
    "panel",
    "speaker",
    "answer",
    "session",
    "people",
    "gobierno",
    "datos",
    "abiertos",
    "ciudad",
    "presupuesto",
    "trámite",
    "agencia",
    "innovación",
    "pregunta",
    "ponencia",
    "país",
    "red",
    "données",
    "ouvertes",
    "ville",
    "ministère",
    "réforme",
    "service",
    "citoyen",
    "numérique",
    "question",
    "agilité",
    "réseau",
]


def meeting() -> Meeting:
    """A meeting that fits the posts: three themes, two long sessions a day."""
    themes = (
        Theme(
            slug="open-data", title="Open data", keywords={"en": ("open data",), "es": ("datos abiertos",)}
        ),
        Theme(slug="agility", title="Improve agility", keywords={"en": ("innovation", "agency")}),
        Theme(slug="defragment", title="Defragment government", keywords={"en": ("platform",)}),
    )
    sessions = tuple(
        Session(
            slug=f"d{day}s{part}",
            title=f"Day {day}, part {part}",
            starts=START + timedelta(days=day, hours=4 * part),
            ends=START + timedelta(days=day, hours=4 * part + 3),
        )
        for day in range(DAYS)
        for part in range(2)
    )
    return Meeting(
        slug="bench",
        title="A made-up meeting",
        hashtags=("bench2012",),
        starts=START,
        ends=START + timedelta(days=DAYS),
        timezone="America/Mexico_City",
        themes=themes,
        sessions=sessions,
    )


def posts(count: int, *, seed: int = 1, first: int = 0) -> Iterator[Received]:
    """``count`` posts in order of time, with payloads of about 600 bytes, evenly over the meeting."""
    rng = random.Random(seed)
    words = _vocabulary(rng)
    weights = list(accumulate(1 / (rank + 4) for rank in range(len(words))))
    crowd = list(accumulate(1 / (rank + 2) for rank in range(6000)))
    people = range(len(crowd))
    step = timedelta(days=DAYS) / max(count, 1)
    for number in range(first, first + count):
        text = " ".join(rng.choices(words, cum_weights=weights, k=rng.randint(8, 22)))
        draw = rng.random()
        kind: Kind = (
            "repost" if draw < 0.5 else "reply" if draw < 0.6 else "quote" if draw < 0.64 else "original"
        )
        link = rng.random() < 0.25
        tail = f"{' http://example.org/' + str(number % 997) if link else ''}{'?' if draw > 0.93 else ''}"
        text = f"{text} #bench2012{' #' + words[number % 40] if number % 3 == 0 else ''}{tail}"
        yield _received(number, text, kind, rng.choices(people, cum_weights=crowd)[0], rng, step, first)


def _vocabulary(rng: random.Random) -> list[str]:
    syllables = ("ba", "ke", "lo", "ri", "su", "ta", "ne", "mo", "di", "gu", "fra", "ple", "cion", "ment")
    made = {"".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(20_000)}
    return _STEMS + sorted(made - set(_STEMS))


def _received(
    number: int, text: str, kind: Kind, person: int, rng: random.Random, step: timedelta, first: int
) -> Received:
    platform_id = f"9{number:018d}"
    handle = f"bench_{person}"
    earlier = f"x:9{rng.randrange(max(number, 1)):018d}"
    likes = rng.randrange(9)
    mentions = (f"bench_{rng.randrange(900)}",) if kind != "original" else ()
    language = LANGUAGES[number % len(LANGUAGES)]
    post = Post(
        key=f"x:{platform_id}",
        source="x" if number % 5 else "mastodon",
        platform_id=platform_id,
        author=Author(
            key=f"x:{person}",
            source="x",
            handle=handle,
            name=f"Person {person}",
            description="Somebody who is not there, and follows from afar",
            location="Somewhere",
            followers=person * 3,
        ),
        text=text,
        created_at=START + step * (number - first),
        kind=kind,
        language=language,
        reply_to=earlier if kind == "reply" else None,
        reply_to_account=mentions[0] if kind == "reply" else None,
        repost_of=earlier if kind == "repost" else None,
        repost_account=mentions[0] if kind == "repost" else None,
        quote_of=earlier if kind == "quote" else None,
        hashtags=hashtags_in(text),
        mentions=mentions,
        links=tuple(word for word in text.split() if word.startswith("http")),
        url=f"https://example.org/{handle}/{platform_id}",
        engagement=Engagement(likes=likes, reposts=likes // 2),
    )
    return Received(post, json.dumps(as_flat_v2(post, person)))


def as_flat_v2(post: Post, person: int) -> dict[str, object]:
    """The post as a line of a flattened X API v2 archive, for what is imported from a file."""
    refers = {"repost": ("retweeted", post.repost_of), "quote": ("quoted", post.quote_of)}
    refers["reply"] = ("replied_to", post.reply_to)
    kind, key = refers.get(post.kind or "", (None, None))
    likes = post.engagement.likes if post.engagement else 0
    return {
        "id": post.platform_id,
        "edit_history_tweet_ids": [post.platform_id],
        "text": post.text,
        "lang": post.language,
        "created_at": post.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "author_id": str(person),
        "author": {
            "id": str(person),
            "username": post.author.handle,
            "name": post.author.name,
            "description": post.author.description,
            "public_metrics": {"followers_count": post.author.followers},
        },
        "referenced_tweets": [{"type": kind, "id": (key or "").removeprefix("x:")}] if kind else [],
        "entities": {
            "hashtags": [{"tag": tag} for tag in post.hashtags],
            "mentions": [{"username": name} for name in post.mentions],
            "urls": [{"url": link, "expanded_url": link} for link in post.links],
        },
        "public_metrics": {"like_count": likes, "retweet_count": (likes or 0) // 2},
    }
