"""All measures at once: equal to a naive recount over random discussions, with and without filters."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.measures import measures
from archive.filters import Filters
from archive.reading import open_readonly
from archive.store import Archive
from archive.vocabulary import KINDS, Author, Meeting, Post, Received, Session, hashtags_in
from tests.conftest import START

MEASURES = """
posts reposts authored originals replies quotes replies_to_self with_link authored_with_link
first_post_at last_post_at per_minute per_hour per_day peak_hour languages languages_detected
by_source by_kind by_theme by_sentiment top_hashtags
authors authors_authored authors_with_one_post top_authors top_authors_authored posts_per_author
concentration newcomers returners retention likely_automated participation intensity live_contributors
reply_pairs mention_pairs repost_pairs reply_posts mention_posts repost_posts reciprocity components
largest_component_share isolates dialogue_share informational_share conversational_share most_reposted
visibility themes sentiment agenda questions names coverage potential_reach
"""

NAMES = ("ana", "Ana2", "luis", "EVA")
MEETING = Meeting(
    slug="random",
    title="Random",
    hashtags=("random",),
    starts=START,
    ends=START + timedelta(hours=2),
    timezone="UTC",
    sessions=(Session(slug="s1", title="First", starts=START, ends=START + timedelta(hours=1)),),
)


@st.composite
def discussions(draw: st.DrawFn) -> list[Post]:
    """Up to 25 posts of four accounts, the later ones answering or passing on the earlier ones."""
    posts: list[Post] = []
    for number in range(draw(st.integers(0, 25))):
        kind = draw(st.sampled_from(KINDS if posts else ("original", "quote")))
        of = draw(st.sampled_from(posts)) if kind in ("reply", "repost") else None
        text = draw(st.sampled_from(["plain", "#One", "#one #two", "#Zwei #ONE"]))
        handle = draw(st.sampled_from(NAMES))
        named = draw(st.sampled_from([str.upper, str.lower]))
        posts.append(
            Post(
                key=f"x:{number}",
                source="x",
                platform_id=str(number),
                author=Author(key=f"x:id-{handle}", source="x", handle=handle, followers=number),
                text=text,
                created_at=START + timedelta(minutes=draw(st.integers(-30, 150))),
                kind=kind,
                language=draw(st.sampled_from([None, "en", "und"])),
                reply_to=of.key if of and kind == "reply" else None,
                reply_to_account=named(of.author.handle or "") if of and kind == "reply" else None,
                repost_of=of.key if of and kind == "repost" else None,
                repost_account=named(of.author.handle or "") if of and kind == "repost" else None,
                hashtags=hashtags_in(text),
                mentions=tuple(draw(st.sets(st.sampled_from(NAMES)))),
                links=("https://example.org/",) if draw(st.booleans()) else (),
            )
        )
    return posts


@contextmanager
def counted(posts: list[Post], filters: Filters) -> Iterator[dict[str, Any]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Archive.open(Path(folder) / "random.db", MEETING) as archive,
    ):
        archive.write([Received(post) for post in posts])
        with closing(open_readonly(archive.path)) as conn:
            yield measures(conn, filters)


def recount(posts: list[Post]) -> dict[str, Any]:
    """The same figures, counted as simply as can be."""
    kinds = Counter(post.kind for post in posts)
    authored = [post for post in posts if post.kind != "repost"]
    sent = Counter(fold(post) for post in posts)
    hours = Counter(f"{post.created_at:%Y-%m-%dT%H}" for post in posts)
    replies = pairs(post for post in posts if post.kind == "reply")
    reposts = pairs(post for post in posts if post.kind == "repost")
    mentions = [
        (fold(p), name.casefold()) for p in authored for name in p.mentions if name.casefold() != fold(p)
    ]
    tags = Counter(tag for post in posts for tag in post.hashtags)
    reposted = Counter(post.repost_of for post in posts if post.repost_of)
    return {
        "posts": len(posts),
        "reposts": kinds["repost"],
        "authored": len(authored),
        "originals": kinds["original"],
        "replies": kinds["reply"],
        "quotes": kinds["quote"],
        "replies_to_self": kinds["reply"] - len(replies),
        "with_link": sum(bool(post.links) for post in posts),
        "authored_with_link": sum(bool(post.links) for post in authored),
        "per_hour": dict(hours),
        "languages": dict(Counter(p.language for p in posts if p.language)) or (None if posts else {}),
        "top_hashtags": [list(item) for item in ranked(tags)],
        "authors": len(sent),
        "authors_authored": len({fold(post) for post in authored}),
        "authors_with_one_post": sum(n == 1 for n in sent.values()),
        "top_authors": [list(item) for item in ranked(sent)],
        "reply_pairs": len(set(replies)),
        "reply_posts": len(replies),
        "repost_pairs": len(set(reposts)),
        "repost_posts": len(reposts),
        "mention_pairs": len(set(mentions)),
        "mention_posts": len(mentions),
        "most_reposted": [list(item) for item in islice(ranked(reposted), 10)],
        "potential_reach": sum(reach(posts).values()) if posts else None,
    }


def fold(post: Post) -> str:
    return (post.author.handle or "").casefold()


def pairs(posts: Any) -> list[tuple[str, str]]:
    found = [(fold(p), (p.reply_to_account or p.repost_account).casefold()) for p in posts]
    return [(from_, to) for from_, to in found if from_ != to]


def ranked(counts: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def reach(posts: list[Post]) -> dict[str, int]:
    most: dict[str, int] = {}
    for post in posts:
        most[post.author.key] = max(most.get(post.author.key, 0), post.author.followers or 0)
    return most


@settings(max_examples=20, deadline=None)
@given(discussions())
def test_measures_equal_a_recount(posts: list[Post]) -> None:
    with counted(posts, Filters()) as found:
        for name, expected in recount(posts).items():
            assert found[name] == expected, name


@settings(max_examples=20, deadline=None)
@given(discussions(), st.integers(-30, 150), st.integers(0, 180))
def test_a_window_equals_a_recount_of_its_posts(posts: list[Post], starts: int, length: int) -> None:
    from_ = START + timedelta(minutes=starts)
    to = from_ + timedelta(minutes=length)
    chosen = [post for post in posts if from_ <= post.created_at < to]
    with counted(posts, Filters(from_=from_, to=to)) as found:
        for name, expected in recount(chosen).items():
            if name != "potential_reach":  # the most followers ever seen, inside the window or not
                assert found[name] == expected, name


@settings(max_examples=12, deadline=None)
@given(discussions())
def test_rollups_and_raw_counts_give_the_same_measures(posts: list[Post]) -> None:
    everything = Filters(from_=START - timedelta(days=1), to=START + timedelta(days=1))
    with counted(posts, Filters()) as whole, counted(posts, everything) as raw:
        assert {name: whole[name] for name in whole if name != "coverage"} == {
            name: raw[name] for name in raw if name != "coverage"
        }


def test_the_measures_are_one_flat_json_object_of_the_names_in_measures_md() -> None:
    with counted([], Filters()) as found:
        assert json.loads(json.dumps(found)) == found
        assert set(found) == set(MEASURES.split())


def test_posts_of_an_agenda_add_up() -> None:
    posts = [
        Post(
            key=f"x:{number}",
            source="x",
            platform_id=str(number),
            author=Author(key="x:1", source="x", handle="bc_ana"),
            text="A post",
            created_at=START + timedelta(minutes=number),
            kind="original",
        )
        for number in (-1, 0, 59, 60)
    ]
    with counted(posts, Filters()) as found:
        assert [slot["posts"] for slot in found["agenda"]] == [1, 2, 1, 0]
