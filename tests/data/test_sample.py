"""The sample meeting: reproducible, safe to publish, of the promised shape, with every quirk in it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from archive.meeting import load
from archive.store import Archive
from archive.vocabulary import Counts, Meeting
from collector.importing import import_file
from data import sample
from data.sample import generate, people

FILES = [path for path in sorted(sample.MEETING.rglob("*")) if path.is_file()]
GAP = ("2012-03-26T21:18", "2012-03-26T21:31")


@pytest.fixture(scope="module")
def sample_meeting() -> Meeting:
    return load(sample.MEETING)


@pytest.fixture(scope="module")
def imported(
    tmp_path_factory: pytest.TempPathFactory, sample_meeting: Meeting
) -> Iterator[tuple[Archive, dict[str, Counts]]]:
    counts = {}
    with Archive.open(tmp_path_factory.mktemp("sample") / "sample.db", sample_meeting) as archive:
        for path in sample.post_files():
            result = import_file(archive, sample_meeting, path, date=date(2012, 3, 27))
            counts[f"{path.parent.name}/{path.name}"] = result.counts
        yield archive, counts


def rows(archive: Archive, sql: str, *values: object) -> list[tuple[object, ...]]:
    return [tuple(row) for row in archive.conn.execute(sql, values)]


def one(archive: Archive, sql: str, *values: object) -> int:
    return int(archive.conn.execute(sql, values).fetchone()[0])


def test_the_shipped_files_are_what_the_generator_writes(tmp_path: Path) -> None:
    generate.write(tmp_path)
    written = {
        path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert written == {path.relative_to(sample.MEETING): path.read_bytes() for path in FILES}


def test_another_seed_makes_another_meeting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["generate", str(tmp_path), "--seed", "7"])
    generate.main()
    assert (tmp_path / "x/search.jsonl").read_bytes() != (sample.MEETING / "x/search.jsonl").read_bytes()
    assert (tmp_path / "meeting.toml").read_bytes() == (sample.MEETING / "meeting.toml").read_bytes()


def test_it_is_small_and_names_nobody_real() -> None:
    assert sum(path.stat().st_size for path in FILES) < 6_000_000
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        hosts = set(re.findall(r"https?://([^/\s\"\\<…]+)", text))
        cut = {host for host in hosts if "example.org".startswith(host)}  # at the end of a repost
        assert all(host.endswith("example.org") for host in hosts - cut), path.name
        assert all(name.startswith(people.PREFIX) for name in re.findall(r"(?<!\w)@([a-z]\w+)", text)), (
            path.name
        )
        if path.parent.name in ("x", "mastodon"):
            assert set(re.findall(r'"id": ?"(\d+)"', text)) <= set(re.findall(r"\b9\d{18}\b", text))


def test_the_meeting_file_is_complete(sample_meeting: Meeting) -> None:
    assert [theme.slug for theme in sample_meeting.themes] == ["defragment", "agility", "open-data"]
    for theme in sample_meeting.themes:
        assert theme.description and all(len(theme.keywords[code]) >= 8 for code in ("en", "es", "fr"))
    kinds = Counter(session.kind for session in sample_meeting.sessions)
    assert kinds == {"session": 9, "break": 6}
    roster = sample_meeting.participants
    assert len(roster) > 60 and len({person.country for person in roster}) >= 15
    assert {person.attendance for person in roster} == {"room", "remote"}
    assert len(sample_meeting.attendance.by_country) == 20


def test_nothing_fails_on_import(imported: tuple[Archive, dict[str, Counts]]) -> None:
    _, counts = imported
    assert all(count.quarantined == 0 for count in counts.values())
    assert sum(count.new for count in counts.values()) > 3_000


def test_the_shape(imported: tuple[Archive, dict[str, Counts]]) -> None:
    archive, _ = imported
    posts = one(archive, "SELECT count(*) FROM posts")
    authored = one(archive, "SELECT count(*) FROM posts WHERE kind IS NOT 'repost'")
    replies = one(archive, "SELECT count(*) FROM posts WHERE kind = 'reply'")
    authors = one(archive, "SELECT count(*) FROM authors WHERE posts > 0")
    top_ten = one(archive, "SELECT sum(posts) FROM (SELECT posts FROM authors ORDER BY posts DESC LIMIT 10)")
    links = one(archive, "SELECT count(*) FROM posts WHERE has_link AND kind IS NOT 'repost'")
    peak = one(
        archive, "SELECT max(n) FROM (SELECT count(*) n FROM posts GROUP BY substr(created_at, 1, 13))"
    )
    night = one(
        archive, "SELECT count(*) FROM posts WHERE created_at BETWEEN '2012-03-27T07' AND '2012-03-27T12'"
    )
    assert 2_500 <= posts <= 4_000
    assert 0.42 <= 1 - authored / posts <= 0.57
    assert 0.12 <= replies / authored <= 0.22
    assert one(archive, "SELECT count(*) FROM authors WHERE posts = 1") / authors > 0.45
    assert 0.18 <= top_ten / posts <= 0.56
    assert 0.12 <= links / authored <= 0.42
    assert 0.02 <= peak / posts <= 0.09
    assert night < 40


def test_the_languages(imported: tuple[Archive, dict[str, Counts]]) -> None:
    labels = [json.loads(line) for line in sample.LABELS.read_text(encoding="utf-8").splitlines()]
    languages = Counter(label["language"] for label in labels)
    assert 0.40 <= languages["es"] / len(labels) <= 0.50
    assert 0.07 <= languages["fr"] / len(labels) <= 0.13


def test_every_label_belongs_to_a_post(imported: tuple[Archive, dict[str, Counts]]) -> None:
    archive, _ = imported
    labels = [json.loads(line) for line in sample.LABELS.read_text(encoding="utf-8").splitlines()]
    keys = {row[0] for row in rows(archive, "SELECT key FROM posts")}
    assert {label["key"] for label in labels} <= keys
    assert {label["sentiment"] for label in labels} == {"positive", "neutral", "negative"}
    assert {theme for label in labels for theme in label["themes"]} == {"defragment", "agility", "open-data"}


def test_there_is_a_gap_in_x_and_the_ledger_says_so(imported: tuple[Archive, dict[str, Counts]]) -> None:
    archive, _ = imported
    x_in_gap = "SELECT count(*) FROM posts WHERE source = 'x' AND created_at BETWEEN ? AND ?"
    assert one(archive, x_in_gap, *GAP) == 0
    spans = [json.loads(line) for line in sample.COVERAGE.read_text(encoding="utf-8").splitlines()]
    (deaf,) = [span for span in spans if span["state"] == "deaf"]
    assert (deaf["started_at"][:16], deaf["ended_at"][:16]) == GAP
    assert deaf["cause"] and deaf["missing_estimate"] > 10


def test_edits_keep_one_post_each(imported: tuple[Archive, dict[str, Counts]]) -> None:
    archive, _ = imported
    for now, before in (
        ("%counters before, 1 with%", "%counters before, 2 with%"),
        ("%Corrijo%", "%del tren #%"),
    ):
        assert one(archive, "SELECT count(*) FROM posts WHERE text LIKE ?", now) == 1
        assert one(archive, "SELECT count(*) FROM posts WHERE text LIKE ?", before) == 0
        assert one(archive, "SELECT count(*) FROM versions WHERE content LIKE ?", before) == 1


def test_deleted_posts_are_gone_whichever_came_first(imported: tuple[Archive, dict[str, Counts]]) -> None:
    archive, _ = imported
    assert one(archive, "SELECT count(*) FROM tombstones WHERE source = 'bluesky'") >= 2
    for words in ("%wifi password of the main hall is on my badge%", "%wrong account%"):
        assert one(archive, "SELECT count(*) FROM posts WHERE text LIKE ?", words) == 0


def test_duplicates_damage_and_direct_messages(imported: tuple[Archive, dict[str, Counts]]) -> None:
    archive, counts = imported
    assert counts["x/search.jsonl"].duplicate >= 1
    assert one(archive, "SELECT count(*) FROM posts WHERE flags LIKE '%damaged_id%'") == 1
    assert one(archive, "SELECT count(*) FROM aliases WHERE alias LIKE 'mastodon:%'") >= 0
    assert sum(count.duplicate for name, count in counts.items() if name.startswith("mastodon/")) > 20
    assert sum(count.private for count in counts.values()) == 6
    assert one(archive, "SELECT count(*) FROM posts WHERE text LIKE '%this panel bores me%'") == 0


def test_one_question_in_three_channels_and_a_cross_post(imported: tuple[Archive, dict[str, Counts]]) -> None:
    archive, _ = imported
    asked = "SELECT DISTINCT source FROM posts WHERE text LIKE 'Will the data sets%' AND kind <> 'repost'"
    assert {row[0] for row in rows(archive, asked)} >= {"x", "mastodon", "zoom"}
    crossed = "SELECT DISTINCT source FROM posts WHERE text LIKE 'Tres cosas que me llevo%'"
    assert {row[0] for row in rows(archive, crossed)} == {"x", "mastodon"}


def test_the_session_that_ran_late_is_felt_at_lunch(imported: tuple[Archive, dict[str, Counts]]) -> None:
    archive, _ = imported
    late = "SELECT count(*) FROM posts WHERE session = 'lunch-1' AND text LIKE '%Merging registers%'"
    assert one(archive, late) > 2


def test_one_account_only_reposts(imported: tuple[Archive, dict[str, Counts]]) -> None:
    archive, _ = imported
    (counted,) = rows(archive, "SELECT posts, authored FROM authors WHERE handle = ?", people.BOT)
    assert int(str(counted[0])) >= 100 and counted[1] == 0


def test_early_posts_were_noted_in_utc(imported: tuple[Archive, dict[str, Counts]]) -> None:
    archive, _ = imported
    (first,) = rows(archive, "SELECT min(created_at) FROM posts")
    assert first[0] == "2012-03-24T16:12:00.000000Z"
    assert datetime.fromisoformat(str(first[0])).tzinfo == UTC
