"""Our own export comes back: whole from a full one, as far as the columns tell from a plain one."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from archive.canonical import canonical, fingerprint
from archive.export import export
from archive.integrity import verify
from archive.store import Archive
from archive.vocabulary import Author, Deleted, Engagement, Meeting, Received, Span, Unmapped
from collector.importers import native
from collector.importers.base import Context, head_of
from collector.importing import import_file
from tests.conftest import START

Receive = Callable[..., Received]


def read(path: Path, meeting: Meeting) -> list[object]:
    with path.open("rb") as stream:
        return list(native.read(stream, Context(meeting, path.name)))


def fill(archive: Archive, receive: Receive) -> None:
    """Posts with everything that can happen to them."""
    later = START + timedelta(hours=1)
    ana = Author(key="x:ana", source="x", handle="bc_ana", followers=50, description="new")
    famous = Author(key="x:ana", source="x", handle="bc_ana", followers=900, description="old")
    archive.write(
        [
            receive(1, author=famous, engagement=Engagement(likes=1)),
            receive(1, author=famous, engagement=Engagement(likes=5, quotes=2), observed_at=later),
            receive(1, author=famous, engagement=Engagement(likes=3), observed_at=START),
            receive(2, text="first wording #one"),
            receive(
                2,
                text="second wording #two",
                edited_at=later,
                mentions=("Luis",),
                links=("https://example.org",),
            ),
            receive(3, kind="reply", reply_to="x:9000000000000000001", reply_to_account="bc_ana"),
            receive(4, author=ana, kind=None, kind_among=("reply", "original"), flags=("damaged_id",)),
            receive(5, kind="repost", repost_of="x:9000000000000000001", received_at=later),
            receive(6, aliases=("x:9000000000000000066",)),
            receive(7, text="to be deleted"),
            Deleted("x:9000000000000000007", "x", later),
            Deleted("x:9000000000000000099", "x"),
            Unmapped("no text", '{"id": 1}', "line 3"),
            Unmapped("may be private", None, "line 4"),
            Span(name="x", source="x", state="listening", started_at=START, ended_at=later),
            Span(name="x", source="x", state="deaf", started_at=later, cause="401", missing_estimate=3),
        ]
    )


@pytest.fixture
def exported(archive: Archive, receive: Receive, tmp_path: Path) -> Path:
    fill(archive, receive)
    export(archive.path, tmp_path / "plain", ["ndjson"])
    export(archive.path, tmp_path / "full", ["ndjson"], full=True)
    return tmp_path


@pytest.mark.parametrize("backwards", [False, True])
def test_a_full_export_gives_the_same_archive(
    archive: Archive, exported: Path, meeting: Meeting, backwards: bool
) -> None:
    items = [item for path in sorted((exported / "full").iterdir()) for item in read(path, meeting)]
    if backwards:
        items.reverse()
    with Archive.open(exported / "again.db", meeting) as again:
        for start in range(0, len(items), 4):
            again.write(items[start : start + 4])  # type: ignore[arg-type]
        assert list(canonical(again.path)) == list(canonical(archive.path))
        assert verify(again.path) == []


def test_a_plain_export_gives_the_posts(archive: Archive, exported: Path, meeting: Meeting) -> None:
    items = read(exported / "plain" / "posts.ndjson", meeting)
    found = {item.post.key: item.post for item in items if isinstance(item, Received)}
    assert len(found) == 6
    edited = found["x:9000000000000000002"]
    assert (edited.text, edited.hashtags, edited.author.handle) == ("second wording #two", ("two",), "bc_ana")
    assert edited.edited_at == START + timedelta(hours=1)
    counted = found["x:9000000000000000001"].engagement
    assert counted is not None and counted.likes == 5


def test_every_table_is_known_by_its_first_line(exported: Path) -> None:
    for path in (exported / "full").iterdir():
        assert not path.read_bytes() or native.sniff(head_of(path.read_bytes())), path.name
    posts = (exported / "full" / "posts.ndjson").read_text("utf-8")
    assert native.sniff(head_of((posts.partition("\n")[0][:-200] + "x" * 70_000).encode()))
    for other in (b'{"id": 1}', b"[]", b"{", b'{"key": "a"'):
        assert not native.sniff(head_of(other))


def test_damaged_rows_name_what_is_wrong(exported: Path, meeting: Meeting) -> None:
    plain = json.loads((exported / "plain" / "posts.ndjson").read_text("utf-8").partition("\n")[0])
    deletion = {"key": None, "source": "x", "seen_at": None, "post_seen": 0}
    span = dict.fromkeys(
        (
            "name",
            "source",
            "state",
            "started_at",
            "ended_at",
            "cause",
            "backfilled",
            "missing_estimate",
            "posts",
        )
    )
    rows = [
        {**plain, "created_at": "soon"},
        {**plain, "text": None},
        {**plain, "observations": []},
        {**plain, "observations": [7]},
        {**plain, "observations": [{"post": {}}]},
        deletion,
        {**span, "state": "deaf", "started_at": "soon"},
        {**span, "name": "x", "source": "x", "state": "asleep", "started_at": "2012-03-26T15:00:00Z"},
        {"id": 1},
        [],
    ]
    lines = "{cut off\n" + "\n".join(json.dumps(row) for row in rows)
    items = list(native.read(io.BytesIO(lines.encode()), Context(meeting, "posts.ndjson")))
    assert all(isinstance(item, Unmapped) for item in items)
    reasons = [item.reason for item in items if isinstance(item, Unmapped)]
    assert len(reasons) == len(rows) + 1
    assert "created_at is no time" in reasons[1]


def test_a_zip_of_a_full_export_is_imported_as_one_file(
    archive: Archive, exported: Path, meeting: Meeting
) -> None:
    zipped = exported / "full.zip"
    with zipfile.ZipFile(zipped, "w") as file:
        for path in sorted((exported / "full").iterdir()):
            file.write(path, path.name)
    with Archive.open(exported / "zipped.db", meeting) as again:
        result = import_file(again, meeting, zipped)
        assert result.format == "backchannel"
        assert fingerprint(again.path) == fingerprint(archive.path)
