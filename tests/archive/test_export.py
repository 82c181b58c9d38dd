"""Exports: the promised columns, whole files or none, no formula in a spreadsheet, only what was asked."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from archive.errors import NotAnArchive, UsageError
from archive.export import canonical, export, fingerprint, safe_cell
from archive.export_tables import FULL_TABLES, POST_COLUMNS, TABLES
from archive.filters import Filters
from archive.store import Archive
from archive.vocabulary import (
    Correction,
    Deleted,
    Engagement,
    Private,
    Received,
    Span,
    Tag,
    Tagging,
    Unmapped,
)
from tests.conftest import START

LATER = START + timedelta(minutes=100, microseconds=500_000)


@pytest.fixture
def filled(archive: Archive, receive: Callable[..., Received]) -> Archive:
    archive.write(
        [
            receive(1, text="=1+1 #one", engagement=Engagement(likes=3), links=("https://example.org",)),
            receive(2, kind="reply", author="luis", mentions=("bc_ana",), edited_at=LATER),
            receive(3, kind="repost", repost_of="x:9000000000000000001"),
            receive(4),
            Deleted("x:9000000000000000004", "x"),
            Span(name="x", source="x", state="listening", started_at=START),
            Private("line 1"),
            Unmapped("damaged", "{", "line 2"),
        ]
    )
    (post,) = archive.untagged(1, newest_first=False)
    tags = (Tag(component="theme", label="agility", score=0.5, evidence={"words": ["é"]}, version="1"),)
    tagging = Tagging(
        language="en",
        themes=(("open-data", 0.8), ("agility", 0.5)),
        sentiment="positive",
        sentiment_score=0.75,
        sure=True,
        question=True,
        tags=tags,
    )
    archive.save_tags([(post, tagging)], version="1")
    return archive


QUESTION = Tagging(
    language="en", themes=(), sentiment=None, sentiment_score=None, sure=None, question=True, tags=()
)


def ndjson(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_table_in_every_format(filled: Archive, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    written = export(filled.path, out)
    assert {file.path.name for file in written} == {
        f"{entry.name}.{name}" for entry in TABLES for name in ("csv", "ndjson")
    }
    assert {path.name for path in out.iterdir()} == {file.path.name for file in written}
    for file in written:
        rows = table(file.path) if file.path.suffix == ".csv" else ndjson(file.path)
        assert len(rows) == file.rows, file.path.name


def test_posts(filled: Archive, tmp_path: Path) -> None:
    export(filled.path, tmp_path)
    first, second, third = ndjson(tmp_path / "posts.ndjson")
    assert tuple(first) == POST_COLUMNS
    assert (first["created_at"], first["text"], first["likes"]) == ("2012-03-26T15:01:00Z", "=1+1 #one", 3)
    assert (first["themes"], first["question"], first["sure"]) == (["agility", "open-data"], True, True)
    assert (first["sentiment"], first["sentiment_score"], first["session"]) == ("positive", 0.75, "s1")
    assert (second["edited_at"], second["likes"], second["question"]) == (
        "2012-03-26T16:40:00.5Z",
        None,
        None,
    )
    assert (third["kind"], third["themes"]) == ("repost", [])
    row = table(tmp_path / "posts.csv")[0]
    assert (row["platform_id"], row["text"], row["themes"]) == (
        "9000000000000000001",
        "'=1+1 #one",
        "agility open-data",
    )
    assert (row["question"], row["likes"], row["edited_at"]) == ("true", "3", "")


def test_corrections_and_groups_are_exported(filled: Archive, tmp_path: Path) -> None:
    first, second = "x:9000000000000000001", "x:9000000000000000002"
    filled.save_tags([(post, QUESTION) for post in filled.untagged(9)], version="1")
    filled.save_groups({1: 1, 2: 1})
    filled.correct(first, Correction(by="=Eva", note="@x", themes=("agility",), sentiment="negative"))
    export(filled.path, tmp_path)
    rows = [row for row in ndjson(tmp_path / "tags.ndjson") if row["set_by"]]
    assert [(row["post"], row["component"], row["label"], row["evidence"]) for row in rows] == [
        (first, "sentiment", "negative", {"note": "@x"}),
        (first, "theme", "agility", {"note": "@x"}),
    ]
    assert table(tmp_path / "tags.csv")[-1]["set_by"] == "'=Eva"
    questions = {row["key"]: row["representative"] for row in ndjson(tmp_path / "questions.ndjson")}
    assert (questions[first], questions[second]) == (first, first)
    post = ndjson(tmp_path / "posts.ndjson")[0]
    assert (post["themes"], post["sentiment"], post["sentiment_score"]) == (["agility"], "negative", None)


def test_the_other_tables(filled: Archive, tmp_path: Path) -> None:
    export(filled.path, tmp_path, ["ndjson"])
    key = "x:9000000000000000001"
    assert ndjson(tmp_path / "post_hashtags.ndjson")[0] == {"key": key, "hashtag": "one"}
    assert ndjson(tmp_path / "post_links.ndjson") == [{"key": key, "link": "https://example.org"}]
    assert ndjson(tmp_path / "post_mentions.ndjson") == [
        {"key": "x:9000000000000000002", "account": "bc_ana"}
    ]
    (question,) = ndjson(tmp_path / "questions.ndjson")
    assert (question["key"], question["to_chair"], question["representative"]) == (key, True, None)
    (tag,) = ndjson(tmp_path / "tags.ndjson")
    assert (tag["post"], tag["evidence"], tag["superseded_at"]) == (key, {"words": ["é"]}, None)
    ana, luis = ndjson(tmp_path / "authors.ndjson")
    assert (ana["key"], ana["posts"], ana["authored"], luis["posts"]) == ("x:ana", 2, 1, 1)
    assert ana["first_post_at"] == "2012-03-26T15:01:00Z"


def test_coverage_counts_what_is_absent(filled: Archive, tmp_path: Path) -> None:
    export(filled.path, tmp_path, ["ndjson"])
    rows = {row["state"]: row for row in ndjson(tmp_path / "coverage.ndjson")}
    assert rows["listening"]["started_at"] == "2012-03-26T15:00:00Z"
    assert (rows["deleted"]["source"], rows["deleted"]["posts"]) == ("x", 1)
    assert (rows["private"]["posts"], rows["quarantined"]["posts"]) == (1, 1)


def test_filters_leave_out_posts_in_all_tables_of_posts(filled: Archive, tmp_path: Path) -> None:
    export(filled.path, tmp_path, ["ndjson"], Filters(kind="reply"), full=True)
    assert [row["author_key"] for row in ndjson(tmp_path / "posts.ndjson")] == ["x:luis"]
    assert [row["key"] for row in ndjson(tmp_path / "authors.ndjson")] == ["x:luis"]
    assert not ndjson(tmp_path / "tags.ndjson") and not ndjson(tmp_path / "post_links.ndjson")
    assert {row["post"] for row in ndjson(tmp_path / "raw.ndjson")} == {"x:9000000000000000002"}


def test_full_adds_tables_and_observations(filled: Archive, tmp_path: Path) -> None:
    written = export(filled.path, tmp_path, full=True)
    assert {file.path.stem for file in written} == {entry.name for entry in (*TABLES, *FULL_TABLES)}
    first = ndjson(tmp_path / "posts.ndjson")[0]
    assert first["observations"][0]["post"]["key"] == first["key"]
    assert "observations" not in table(tmp_path / "posts.csv")[0]
    (tombstone,) = ndjson(tmp_path / "tombstones.ndjson")
    assert tombstone["post_seen"] is True


def test_only_a_full_export_brings_what_people_said_back(filled: Archive, tmp_path: Path) -> None:
    first = "x:9000000000000000001"
    filled.correct(first, Correction(by="Eva", note="“é”", themes=("open-data", "agility")))
    filled.correct(first, Correction(by="Ana", themes=(), question=False))
    filled.decide("agility", "es", "=ágil", accepted=False, by="Eva")
    export(filled.path, tmp_path / "plain")
    assert not (tmp_path / "plain" / "keywords.ndjson").exists()
    assert "corrections" not in (tmp_path / "plain" / "posts.ndjson").read_text("utf-8")
    export(filled.path, tmp_path / "full", full=True)
    posts = ndjson(tmp_path / "full" / "posts.ndjson")
    said = posts[0]["corrections"]
    assert [(row["component"], row["label"], row["set_by"], "superseded_at" in row) for row in said] == [
        ("theme", "agility", "Eva", True),
        ("theme", "open-data", "Eva", True),
        ("theme", "none", "Ana", False),
        ("question", "no", "Ana", False),
    ]
    assert said[0]["evidence"] == {"note": "“é”"} and "evidence" not in said[2]
    assert said[0]["superseded_at"] == said[2]["seen_at"]
    assert not any("corrections" in post for post in posts[1:])
    (decision,) = ndjson(tmp_path / "full" / "keywords.ndjson")
    seen_at = decision.pop("seen_at")
    assert seen_at.startswith("20") and decision == {
        "theme": "agility",
        "language": "es",
        "keyword": "=ágil",
        "decision": "rejected",
        "set_by": "Eva",
    }
    assert table(tmp_path / "full" / "keywords.csv")[0]["keyword"] == "'=ágil"
    assert "corrections" not in table(tmp_path / "full" / "posts.csv")[0]
    export(filled.path, tmp_path / "replies", ["ndjson"], Filters(kind="reply"), full=True)
    assert "corrections" not in (tmp_path / "replies" / "posts.ndjson").read_text("utf-8")


@pytest.mark.parametrize("risky", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "\x00x", "＝1"])
def test_no_cell_is_a_formula(risky: str) -> None:
    assert safe_cell(risky) == f"'{risky}"


def test_other_cells_stay(archive: Archive) -> None:
    assert [safe_cell(value) for value in ("a=b", -1, None, True, ["a", "b"])] == [
        "a=b",
        -1,
        None,
        "true",
        "a b",
    ]


@pytest.mark.parametrize("formats", [[], ["docx"]])
def test_unknown_formats(filled: Archive, tmp_path: Path, formats: list[str]) -> None:
    with pytest.raises(UsageError, match="csv, ndjson"):
        export(filled.path, tmp_path, formats)


def test_no_archive_and_no_folder(filled: Archive, tmp_path: Path) -> None:
    with pytest.raises(NotAnArchive):
        export(tmp_path / "absent.db", tmp_path / "tables")
    assert not (tmp_path / "tables").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot be written"):
        export(filled.path, tmp_path / "file")


def test_an_interrupted_export_leaves_no_half_file(filled: Archive, tmp_path: Path) -> None:
    filled.conn.execute("UPDATE tags SET evidence = '{'")
    filled.conn.commit()
    with pytest.raises(ValueError):
        export(filled.path, tmp_path / "out", ["ndjson"])
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert "posts.ndjson" in names and "tags.ndjson" not in names
    assert not [name for name in names if name.startswith(".")]


def test_canonical_is_offered_here_too(filled: Archive) -> None:
    assert len(fingerprint(filled.path)) == 64 and next(canonical(filled.path))
