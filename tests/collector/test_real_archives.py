"""The importers on the real archives: what they find equals the reference figures beside each set."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archive.store import Checkpoint
from archive.vocabulary import Counts, Item, Meeting, Post, Received
from collector.importing import ImportResult, import_file

pytestmark = pytest.mark.real_data

SETS = [
    ("user2018_rtweet", "rtweet", ["user2018.csv"]),
    ("amca19_rtweet", "rtweet", ["amca19.csv"]),
    ("bosc2017_rtweet04", "rtweet", ["bosc17.csv"]),
    ("sibhack2014_twarc_v11", "twarc1", ["sibhack.json"]),
    ("twarc2_v2", "twarc2", ["brexit.jsonl", "noflat.jsonl"]),
    ("twitterchive", "plain-csv", ["bog14.csv"]),
]
MEETING = Meeting(
    slug="real",
    title="A real meeting",
    hashtags=("real",),
    starts=datetime(2013, 1, 1, tzinfo=UTC),
    ends=datetime(2013, 1, 2, tzinfo=UTC),
    timezone="Australia/Brisbane",
)


class Collected(list[Item]):
    """Items instead of an archive."""

    def write_from(self, reached: Checkpoint, items: Sequence[Item]) -> Checkpoint:
        self.extend(items)
        return reached.moved(len(items), Counts(new=len(items)))

    def checkpoint(self, file: str) -> None:
        return None

    def save_checkpoint(self, reached: Checkpoint) -> None:
        pass


def imported(path: Path) -> tuple[list[Post], ImportResult]:
    """The posts of a file, repeated ones included, in which there may be nothing else."""
    items = Collected()
    result = import_file(items, MEETING, path)
    assert all(isinstance(item, Received) for item in items)
    return [item.post for item in items if isinstance(item, Received)], result


@dataclass(frozen=True)
class Found:
    """A set: its reference figures, its records, and each of its posts once, the first that was seen."""

    facts: dict[str, Any]
    records: list[Post]
    posts: list[Post]

    def count(self, *kinds: str | None) -> int:
        """How many posts are of these kinds."""
        return sum(post.kind in kinds for post in self.posts)


@pytest.fixture(scope="module", params=SETS, ids=[name for name, _, _ in SETS])
def found(request: pytest.FixtureRequest, test_data: Path) -> Found:
    name, format, files = request.param
    folder = test_data / "archives" / name
    records = []
    for file in files:
        posts, result = imported(folder / file)
        assert result.format == format
        records += posts
    once: dict[str, Post] = {}
    for post in records:
        once.setdefault(post.key, post)
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    return Found(facts, records, list(once.values()))


def pairs(edges: Iterable[tuple[Post, str | None]]) -> dict[str, int]:
    """Distinct pairs without self, the posts behind them, and the posts to the own account."""
    named = [
        (post.key, (post.author.handle or "").casefold(), other.casefold()) for post, other in edges if other
    ]
    apart = [edge for edge in named if edge[1] != edge[2]]
    return {
        "n_pairs": len({edge[1:] for edge in apart}),
        "n_posts": len({edge[0] for edge in apart}),
        "self_posts": len({edge[0] for edge in named if edge[1] == edge[2]}),
    }


def facts_of(found: Found, name: str) -> dict[str, int]:
    """The same from the reference figures."""
    edges = found.facts.get(name) or {}
    return {key: edges.get(key, 0) for key in ("n_pairs", "n_posts", "self_posts")}


def test_records_posts_and_authors(found: Found) -> None:
    assert len(found.records) == found.facts["rows_in_file"]
    assert len(found.posts) == found.facts["posts"]
    assert len(found.records) - len(found.posts) == found.facts["duplicates"]
    assert len({post.author.key for post in found.posts}) == found.facts["unique_authors"]


def test_kinds(found: Found) -> None:
    facts = found.facts
    assert found.count("repost") == facts["reposts"]
    assert found.count("reply", "quote", "original", None) == facts["originals"]
    if "replies" not in facts:
        assert found.count("reply", "quote", "original") == 0
        return
    assert found.count("reply") == facts["replies"]
    also_quoting = sum(post.kind == "reply" and post.quote_of is not None for post in found.posts)
    assert found.count("quote") == facts["quotes"] - also_quoting
    answered = [post for post in found.posts if post.kind == "reply" and post.reply_to]
    assert len(answered) == facts["reply_with_parent_id"]


def test_who_spoke_to_whom(found: Found) -> None:
    posts = found.posts
    replies = pairs((post, post.reply_to_account) for post in posts if post.kind == "reply")
    reposts = pairs((post, post.repost_account) for post in posts if post.kind == "repost")
    assert replies == facts_of(found, "reply_edges")
    assert reposts == facts_of(found, "repost_edges")
    if "mention_edges" not in found.facts:
        return
    mentions = pairs((post, name) for post in posts if post.kind != "repost" for name in post.mentions)
    assert mentions["n_pairs"] == found.facts["mention_edges"]["n_pairs"]


def test_links_and_hashtags(found: Found) -> None:
    posts = found.posts
    assert sum(bool(post.links) for post in posts) == found.facts["posts_with_url"]
    authored = [post for post in posts if post.kind != "repost"]
    assert sum(bool(post.links) for post in authored) == found.facts["originals_with_url"]
    tags = Counter(tag for post in posts for tag in post.hashtags)
    top = sorted(tags.items(), key=lambda pair: (-pair[1], pair[0]))[:20]
    if "top_hashtags_text" in found.facts or found.facts["archive"] == "twitterchive":
        wanted = found.facts.get("top_hashtags_text") or found.facts["top_hashtags"]
        assert [list(pair) for pair in top] == wanted
    else:  # elsewhere the figures are those of entity lists, which miss some
        assert all(tags[tag] >= number for tag, number in found.facts["top_hashtags"])


def test_times_and_languages(found: Found) -> None:
    times = sorted(post.created_at for post in found.posts)
    assert f"{times[0]:%Y-%m-%dT%H:%M:%SZ}" == found.facts["first"]
    assert f"{times[-1]:%Y-%m-%dT%H:%M:%SZ}" == found.facts["last"]
    assert Counter(f"{time:%Y-%m-%dT%H}" for time in times) == found.facts["per_hour"]
    languages = Counter(post.language for post in found.posts if post.language)
    assert languages == found.facts.get("languages", {})


def test_reach(found: Found) -> None:
    if "reach_followers" not in found.facts:
        assert all(post.author.followers is None for post in found.posts)
        return
    largest: Counter[str] = Counter()
    for post in found.posts:
        largest[post.author.key] = max(largest[post.author.key], post.author.followers or 0)
    assert largest.total() == found.facts["reach_followers"]


def test_the_same_posts_flattened_and_in_pages(test_data: Path) -> None:
    folder = test_data / "archives" / "twarc2_v2"
    assert imported(folder / "flat.jsonl")[0] == imported(folder / "noflat.jsonl")[0]
    assert len(imported(folder / "kpop.jsonl")[0]) == 100
    assert len(imported(folder / "2sets.jsonl")[0]) == 200


def test_the_same_posts_as_a_table_and_as_a_log(test_data: Path) -> None:
    folder = test_data / "archives" / "twitterchive"
    table, _ = imported(folder / "bog14.csv")
    log, result = imported(folder / "bog14.txt")
    assert result.format == "plain-log"
    assert [post.created_at for post in log] == [post.created_at for post in table]
    assert [post.author.key for post in log] == [post.author.key for post in table]


@pytest.mark.parametrize(
    ("file", "records", "posts", "damaged"),
    [("bog13.csv", 2274, 2274, 0), ("GI2013.csv", 2113, 2086, 1), ("bog14.csv", 3231, 3231, 3)],
)
def test_clocks_of_new_york(test_data: Path, file: str, records: int, posts: int, damaged: int) -> None:
    found, result = imported(test_data / "archives" / "twitterchive" / file)
    assert len(found) == records
    assert len({post.key for post in found}) == posts
    assert sum("damaged_id" in post.flags for post in found) == damaged
    assert "America/New_York (100.0% of them)" in result.notes[0]


def test_the_sheet_of_tags(test_data: Path) -> None:
    folder = test_data / "archives" / "aect19_tags"
    posts = [post for file in ("sample-data.csv", "sample-tweet.csv") for post in imported(folder / file)[0]]
    assert Counter(post.kind for post in posts) == {"repost": 9, None: 2}
    assert sum(post.author.followers is None for post in posts) == 1
    assert min(post.created_at for post in posts) == datetime(2020, 1, 19, 23, 46, 51, tzinfo=UTC)
