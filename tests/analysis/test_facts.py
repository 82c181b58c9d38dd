"""Every figure of the real archives' facts.json, from the file itself to the measure.

The words differ: ``originals`` there is ``authored`` here. Figures from platforms' entity lists of
hashtags and Mastodon's bare handles are left out: measures.md differs from them on purpose.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analysis.measures import measures
from analysis.measures.networks import Network, networks
from analysis.measures.window import Window
from archive.filters import Filters
from archive.reading import open_readonly
from archive.store import Archive
from archive.vocabulary import Counts, Meeting
from collector.importing import import_file

pytestmark = pytest.mark.real_data

MEETING = Meeting(
    slug="facts",
    title="A meeting that knows nothing of the archive",
    hashtags=("facts",),
    starts=datetime(2018, 7, 10, tzinfo=UTC),
    ends=datetime(2018, 7, 14, tzinfo=UTC),
    timezone="UTC",
)

#: The files of each set that its facts.json covers.
FILES = {
    "user2018_rtweet": ("user2018.csv",),
    "amca19_rtweet": ("amca19.csv",),
    "bosc2017_rtweet04": ("bosc17.csv",),
    "sibhack2014_twarc_v11": ("sibhack.json",),
    "twarc2_v2": ("brexit.jsonl", "noflat.jsonl"),
    "twitterchive": ("bog14.csv",),
    "mastodon": (
        "rstats_fosstodon_page1.json",
        "public_mastodonsocial_page1.json",
        *(f"account_fosstodon_page{page}.json" for page in range(1, 6)),
    ),
}
X_SETS = [name for name in FILES if name != "mastodon"]

#: README, section 3: (measure, user2018, amca19, bosc2017). None: the archive cannot show it.
TABLE: list[tuple[str, Any, Any, Any]] = [
    ("posts", 5967, 932, 3235),
    ("reposts", 4294, 612, 1994),
    ("authored", 1673, 320, 1241),
    ("replies", 291, 58, 253),
    ("quotes", 148, 31, 105),
    ("originals", 1234, 231, 883),
    ("replies_to_self", 139, 7, 131),
    ("reply_pairs", 139, 45, 102),
    ("reply_posts", 152, 51, 122),
    ("repost_pairs", 3570, 361, None),
    ("repost_posts", 4290, 611, None),
    ("mention_pairs", 941, 242, 594),
    ("mention_posts", 1331, 381, 949),
    ("authors", 1718, 176, 496),
    ("authors_authored", 326, 77, 135),
    ("authors_with_one_post", 1145, 94, 280),
    ("with_link", 1193, 79, 1016),
    ("authored_with_link", 390, 55, 512),
    (
        "peak_hour",
        {"hour": "2018-07-13T00", "posts": 142},
        {"hour": "2019-02-28T14", "posts": 51},
        {"hour": "2017-07-22T08", "posts": 273},
    ),
    ("potential_reach", 2_088_637, 267_750, None),
]
TABLE_SETS = ("user2018_rtweet", "amca19_rtweet", "bosc2017_rtweet04")


@dataclass(frozen=True)
class Imported:
    """One set in an archive of its own, with what was counted there and what should be."""

    facts: dict[str, Any]
    counts: Counts
    measures: dict[str, Any]
    window: Window


@pytest.fixture(scope="module")
def imported(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Imported]]:
    """``imported("amca19_rtweet")``: the set, read once for the whole module."""
    done: dict[str, Imported] = {}
    opened: list[sqlite3.Connection] = []

    def load(name: str, files: tuple[str, ...] | None = None, **options: Any) -> Imported:
        if name not in done:
            folder = test_data / "archives" / name
            path = tmp_path_factory.mktemp(name) / "facts.db"
            counts = Counts()
            with Archive.open(path, MEETING) as archive:
                for file in files or FILES[name]:
                    counts.add(import_file(archive, MEETING, folder / file, **options).counts)
            opened.append(open_readonly(path))
            facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
            window = Window(opened[-1], Filters())
            done[name] = Imported(facts, counts, measures(opened[-1], Filters()), window)
        return done[name]

    yield load
    for conn in opened:
        conn.close()


@pytest.mark.parametrize(
    ("measure", "name", "expected"),
    [(row[0], name, value) for row in TABLE for name, value in zip(TABLE_SETS, row[1:], strict=True)],
)
def test_the_table_of_worked_examples(
    imported: Callable[..., Imported], measure: str, name: str, expected: object
) -> None:
    assert imported(name).measures[measure] == expected


@pytest.mark.parametrize(("name", "posts"), list(zip(TABLE_SETS, (5967, 906, 3116), strict=True)))
def test_the_first_hashtag_of_the_table(imported: Callable[..., Imported], name: str, posts: int) -> None:
    assert imported(name).measures["top_hashtags"][0][1] == posts


@pytest.mark.parametrize("name", FILES)
def test_every_row_is_accounted_for(imported: Callable[..., Imported], name: str) -> None:
    found = imported(name)
    assert found.counts.read == found.facts["rows_in_file"]
    assert (found.counts.new, found.counts.duplicate) == (found.facts["posts"], found.facts["duplicates"])
    coverage = found.measures["coverage"]
    assert sum(source["duplicates"] for source in coverage.values()) == found.facts["duplicates"]


@pytest.mark.parametrize("name", FILES)
def test_counts_people_and_bins(imported: Callable[..., Imported], name: str) -> None:
    found, facts = imported(name).measures, imported(name).facts
    for measure, fact in (
        ("posts", "posts"),
        ("reposts", "reposts"),
        ("authored", "originals"),
        ("per_day", "per_day"),
        ("per_hour", "per_hour"),
        ("authors", "unique_authors"),
        ("authors_authored", "authors_of_originals"),
        ("authors_with_one_post", "authors_with_one_post"),
    ):
        assert found[measure] == facts[fact], measure
    assert list(found["peak_hour"].values()) == facts["peak_hour"]
    seconds = slice(len("2018-07-10T00:00:00"))  # facts.json leaves the fractions out
    assert found["first_post_at"][seconds] == facts["first"][seconds]
    assert found["last_post_at"][seconds] == facts["last"][seconds]
    if name != "mastodon":  # told apart by the address there: a post linked to is none, a group named is one
        assert found["with_link"] == facts["posts_with_url"]
        assert found["authored_with_link"] == facts["originals_with_url"]
    # What a format cannot show is absent there and None here.
    for measure in ("replies", "potential_reach", "languages"):
        fact = {"potential_reach": "reach_followers"}.get(measure, measure)
        assert found[measure] == facts.get(fact), measure


@pytest.mark.parametrize("name", X_SETS)
def test_rankings(imported: Callable[..., Imported], name: str) -> None:
    found, facts = imported(name).measures, imported(name).facts
    assert found["top_authors"] == facts["top_authors"]
    assert found["top_authors_authored"] == facts["top_authors_originals"]
    if "top_hashtags_text" in facts:
        assert found["top_hashtags"] == facts["top_hashtags_text"]
    expected = [[f"x:{post}", reposts] for post, reposts in facts.get("most_reposted", [])]
    assert found["most_reposted"] == (expected or None)


@pytest.mark.parametrize("name", X_SETS)
def test_networks(imported: Callable[..., Imported], name: str) -> None:
    found = networks(imported(name).window)
    for kind, network in (("reply", found.replies), ("repost", found.reposts), ("mention", found.mentions)):
        expected = imported(name).facts.get(f"{kind}_edges")
        if expected is not None:
            assert network is not None
            assert edges(network) == expected, kind


def edges(network: Network) -> dict[str, Any]:
    """A network as facts.json describes one."""
    bare = {tuple(name.partition(":")[2] for name in pair): posts for pair, posts in network.pairs.items()}
    ranked = sorted(bare.items(), key=lambda item: (-item[1], item[0]))
    return {
        "n_pairs": len(bare),
        "n_posts": network.posts,
        "self_posts": network.self_posts,
        "sources": len({from_ for from_, _ in bare}),
        "targets": len({to for _, to in bare}),
        "top": [[*pair, posts] for pair, posts in ranked[:10]],
    }


@pytest.mark.parametrize("name", [name for name in FILES if name != "twitterchive"])
def test_quotes_are_what_is_marked_less_the_replies_that_quote(
    imported: Callable[..., Imported], name: str
) -> None:
    found = imported(name)
    both = found.window.value("SELECT count(*) FROM chosen WHERE kind = 'reply' AND quote_of IS NOT NULL")
    if name != "bosc2017_rtweet04":  # its old format marks a quote without saying of what
        assert found.measures["quotes"] + both == found.facts["quotes"]
    kinds = ("originals", "replies", "quotes")
    assert sum(found.measures[kind] for kind in kinds) == found.measures["authored"]


def test_a_plain_csv_tells_neither_replies_nor_quotes(imported: Callable[..., Imported]) -> None:
    found = imported("twitterchive").measures
    assert found["replies"] is found["quotes"] is found["originals"] is found["reply_pairs"] is None
    assert found["replies_to_self"] is found["dialogue_share"] is None


@pytest.mark.parametrize(
    ("file", "posts", "authors", "duplicates"),
    [("bog13.csv", 2274, 389, 0), ("GI2013.csv", 2086, 313, 27)],  # README, sections 2 and 4
)
def test_the_other_meetings_of_twitterchive(
    test_data: Path, tmp_path: Path, file: str, posts: int, authors: int, duplicates: int
) -> None:
    with Archive.open(tmp_path / "other.db", MEETING) as archive:
        counts = import_file(archive, MEETING, test_data / "archives" / "twitterchive" / file).counts
        with closing(open_readonly(archive.path)) as conn:
            found = measures(conn, Filters())
    assert (found["posts"], found["authors"], counts.duplicate) == (posts, authors, duplicates)


def test_mastodon_pairs_and_reposts(imported: Callable[..., Imported]) -> None:
    found, facts = imported("mastodon").measures, imported("mastodon").facts
    assert found["reply_pairs"] == facts["reply_edges"]["n_pairs"]
    assert found["reply_posts"] == facts["reply_edges"]["n_posts"]
    assert found["replies_to_self"] == facts["reply_edges"]["self_posts"]
    assert found["mention_pairs"] == facts["mention_edges"]["n_pairs"]
    assert found["mention_posts"] == facts["mention_edges"]["n_posts"]
    assert found["repost_pairs"] == facts["repost_edges"]["n_pairs"]
    assert [posts for _, posts in found["most_reposted"]] == [posts for _, posts in facts["most_reposted"]]
    ranked = [posts for _, posts in facts["top_authors"]]
    assert [posts for _, posts in found["top_authors"]] == ranked
    assert found["top_authors"][0][0].partition("@")[0] == facts["top_authors"][0][0]


def test_the_same_posts_from_a_second_server_add_nothing(
    test_data: Path, tmp_path: Path, imported: Callable[..., Imported]
) -> None:
    folder = test_data / "archives" / "mastodon"
    with Archive.open(tmp_path / "both.db", MEETING) as archive:
        for file in ("rstats_fosstodon_page1.json", "rstats_mastodonsocial_page1.json"):
            import_file(archive, MEETING, folder / file)
        with closing(open_readonly(archive.path)) as conn:
            assert measures(conn, Filters())["posts"] == 5


DAY = date(2020, 12, 1)  # the saved chats have none


@pytest.mark.parametrize("name", ["zoom_agu2020", "zoom_bibsoc2023"])
def test_zoom(imported: Callable[..., Imported], name: str) -> None:
    found = imported(name, ("meeting_saved_chat.txt",), date=DAY, zone=ZoneInfo("UTC"))
    facts = found.facts
    assert found.counts.private == facts["direct"]
    assert found.counts.skipped == facts["reaction_lines"]
    assert found.counts.read == facts["messages"]
    assert found.measures["posts"] == facts["posts"]
    assert found.measures["authors"] == facts["unique_authors"]
    assert found.measures["top_authors"] == facts["top_authors"]
    assert found.measures["with_link"] == facts["posts_with_url"]
    assert found.measures["first_post_at"] == f"{DAY}T{facts['first']}Z"
    assert found.measures["last_post_at"] == f"{DAY}T{facts['last']}Z"


def test_zoom_replies_where_the_form_marks_them(imported: Callable[..., Imported]) -> None:
    found = imported("zoom_bibsoc2023", ("meeting_saved_chat.txt",), date=DAY, zone=ZoneInfo("UTC"))
    assert found.measures["replies"] == found.facts["replies"]


@pytest.mark.parametrize("file", ["chat.json", "chat.csv"])
def test_youtube(test_data: Path, tmp_path: Path, file: str) -> None:
    folder = test_data / "archives" / "youtube_nasa2020"
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    with Archive.open(tmp_path / "chat.db", MEETING) as archive:
        counts = import_file(archive, MEETING, folder / file).counts
        with closing(open_readonly(archive.path)) as conn:
            found = measures(conn, Filters())
    assert counts.read == found["posts"] == facts["messages"]
    assert found["authors"] == facts["unique_authors"]
    assert found["per_minute"] == facts["per_minute"]
    assert found["top_authors"] == facts["top_authors"]
    assert found["first_post_at"] == facts["first"].replace("+00:00", "Z")
    assert found["last_post_at"] == facts["last"].replace("+00:00", "Z")


def test_jetstream(imported: Callable[..., Imported]) -> None:
    found = imported("bluesky_jetstream", ("jetstream_v1.jsonl",))
    facts, kinds = found.facts, found.facts["by_kind_op_collection"]
    assert found.counts.read == facts["events"]
    assert found.measures["authored"] == facts["posts"]
    assert found.measures["authors_authored"] == facts["post_authors"]
    assert found.measures["reposts"] == kinds["commit create app.bsky.feed.repost"]
    assert found.measures["replies"] == facts["replies"]
    assert found.counts.skipped == facts["events"] - found.measures["posts"]
    languages = Counter(found.measures["languages"])
    assert languages == Counter(facts["langs"])
    assert dict(found.measures["top_hashtags"]) == facts["tags"]
