from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from archive.errors import InputError, UsageError
from archive.store import Archive, Checkpoint
from archive.vocabulary import Counts, Item, Meeting, Received, SourceSpec
from collector import importing
from collector.importers import twarc1, zoom
from collector.importers.base import head_of
from collector.importing import import_file, importer_of, read_file
from collector.streams import Limits
from tests.collector.x_times import id_of

HEADER = "id,datetime,user,text\n"


def status(number: int) -> dict[str, Any]:
    """A status of API v1.1."""
    return {
        "id_str": f"9{number:018d}",
        "user": {"id_str": "101", "screen_name": "bc_ana"},
        "created_at": "Mon Mar 26 15:00:00 +0000 2012",
        "text": f"Post number {number} #sample2012",
        "retweeted": False,
    }


def lines(numbers: Iterable[int]) -> str:
    """A file of such statuses, one a line."""
    return "".join(json.dumps(status(number)) + "\n" for number in numbers)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "posts.json"
    path.write_text(lines(range(25)))
    return path


def texts(archive: Archive) -> list[str]:
    """All texts of the archive."""
    return [row[0] for row in archive.conn.execute("SELECT text FROM posts ORDER BY key")]


def test_a_file_comes_in_and_a_second_time_is_all_duplicates(
    archive: Archive, meeting: Meeting, file: Path
) -> None:
    seen: list[tuple[int, int, int]] = []

    def progress(done: int, size: int, counts: Counts) -> None:
        seen.append((done, size, counts.read))

    result = import_file(archive, meeting, file, batch=10, progress=progress)
    assert (result.format, result.counts, result.notes) == ("twarc1", Counts(new=25), [])
    size = file.stat().st_size
    assert seen == [(size, size, 10), (size, size, 20), (size, size, 25)]
    assert len(texts(archive)) == 25
    again = import_file(archive, meeting, file)
    assert (again.counts, again.notes) == (Counts(duplicate=25), [])


class Interrupted:
    """An archive that fails after some batches, as a killed process does."""

    def __init__(self, archive: Archive, batches: int) -> None:
        self.archive = archive
        self.batches = batches
        self.checkpoint = archive.checkpoint
        self.save_checkpoint = archive.save_checkpoint

    def write_from(self, reached: Checkpoint, items: Sequence[Item]) -> Checkpoint:
        if self.batches == 0:
            raise KeyboardInterrupt
        self.batches -= 1
        return self.archive.write_from(reached, items)


def test_an_interrupted_import_goes_on_where_it_stopped(
    archive: Archive, meeting: Meeting, file: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        import_file(Interrupted(archive, 2), meeting, file, batch=10)
    assert len(texts(archive)) == 20
    result = import_file(archive, meeting, file, batch=10)
    assert result.counts == Counts(new=25)
    assert result.notes == ["Going on after 20 records of an interrupted import."]
    assert len(texts(archive)) == 25


def test_another_file_of_the_same_name_begins_anew(archive: Archive, meeting: Meeting, file: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        import_file(Interrupted(archive, 1), meeting, file, batch=10)
    file.write_text(lines(range(100, 130)))
    assert import_file(archive, meeting, file).counts == Counts(new=30)


def test_bad_records_are_kept_apart_and_good_ones_come_in(
    archive: Archive, meeting: Meeting, file: Path
) -> None:
    file.write_text(lines([1]) + "{half\n" + '{"direct_message": {}}\n{"limit": {}}\n' + lines([2, 2]))
    counts = import_file(archive, meeting, file).counts
    assert counts == Counts(new=2, duplicate=1, private=1, skipped=1, quarantined=1)
    reason, place = archive.conn.execute("SELECT reason, location FROM quarantine").fetchone()
    assert (reason[:12], place) == ("damaged JSON", "line 2")


def test_a_zip_of_several_formats(archive: Archive, meeting: Meeting, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("one.json.gz", gzip.compress(lines([1]).encode()))
        packed.writestr("README.txt", "What this is")
        packed.writestr("empty.csv", "")
        packed.writestr("two.csv", HEADER + "9000000000000000002,2012-03-26T15:00:00Z,bc_ana,hola\n")
    result = import_file(archive, meeting, path)
    assert (result.counts, result.format) == (Counts(new=2), "twarc1+plain-csv")
    assert result.notes == [
        "all.zip/README.txt was left out: no known format begins with 'What this is'.",
        "all.zip/empty.csv was left out: it is empty.",
    ]
    forced = import_file(archive, meeting, path, format="plain-csv")
    assert forced.counts == Counts(duplicate=1)


def test_damage_is_a_record_and_what_came_before_it_is_in(
    archive: Archive, meeting: Meeting, tmp_path: Path
) -> None:
    path = tmp_path / "cut.json.gz"
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=0) as packed:
        packed.write(lines(range(100)).encode())
    path.write_bytes(out.getvalue()[: len(out.getvalue()) // 2])
    result = import_file(archive, meeting, path)
    assert 40 <= result.counts.new <= 50
    assert result.counts.quarantined == 2  # the half line, and the damage
    assert "What came before it is in." in result.notes[0]


def test_limits_are_passed_on(archive: Archive, meeting: Meeting, file: Path) -> None:
    result = import_file(archive, meeting, file, limits=Limits(max_bytes=8000))
    assert result.counts.quarantined
    assert "more than 8,000 bytes" in result.notes[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \n\n", "it is empty"),
        (b"hello world", "no known format begins with 'hello world'"),
        (bytes(range(32)) * 20, "no text but binary data"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
    ],
)
def test_files_of_no_format(archive: Archive, meeting: Meeting, file: Path, data: bytes, reason: str) -> None:
    file.write_bytes(data)
    with pytest.raises(InputError, match=reason):
        import_file(archive, meeting, file)
    with pytest.raises(InputError):
        import_file(archive, meeting, file.with_name("nothing"))


def test_what_to_do_is_said(archive: Archive, meeting: Meeting, file: Path) -> None:
    file.write_text("hello")
    with pytest.raises(InputError, match=r"--format names: .*rtweet = rtweet \(CSV\)"):
        import_file(archive, meeting, file)
    with pytest.raises(UsageError, match="no format named 'word'"):
        import_file(archive, meeting, file, format="word")
    with zipfile.ZipFile(file, "w"):
        pass
    with pytest.raises(InputError, match="holds no files"):
        import_file(archive, meeting, file)


def test_a_named_format_is_not_looked_for(archive: Archive, meeting: Meeting, file: Path) -> None:
    file.write_text("{damaged\n" + file.read_text())
    counts = import_file(archive, meeting, file, format="twarc1").counts
    assert counts == Counts(new=25, quarantined=1)


def test_a_few_control_characters_make_no_binary_file(archive: Archive, meeting: Meeting, file: Path) -> None:
    file.write_text(HEADER + "9000000000000000001,2012-03-26T15:00:00Z,ana,\x1b[31mred\x07\n")
    assert import_file(archive, meeting, file).counts == Counts(new=1)


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_ends_and_encodings(
    end: str, encoding: str, archive: Archive, meeting: Meeting, file: Path
) -> None:
    text = HEADER + "9000000000000000001,2012-03-26T15:00:00Z,ana,“ñ” one\n"
    file.write_bytes(text.replace("\n", end).encode(encoding))
    assert import_file(archive, meeting, file).counts == Counts(new=1)


def local_table(zone: str) -> str:
    """A table whose times are those of a clock that does not say its zone."""
    start = datetime(2012, 3, 26, 15, tzinfo=UTC)
    rows = []
    for number in range(30):
        moment = start + timedelta(minutes=7 * number)
        local = moment.astimezone(ZoneInfo(zone))
        rows.append(f"{id_of(moment)},{local:%Y-%m-%d %H:%M:%S},bc_ana,text {number}\n")
    return HEADER + "".join(rows)


def test_a_clock_that_is_local_without_saying_so_is_found_out(
    archive: Archive, meeting: Meeting, file: Path
) -> None:
    file.write_text(local_table("America/New_York"))
    result = import_file(archive, meeting, file)
    assert "the ids of 30 rows say America/New_York (100.0% of them)" in result.notes[0]
    first = archive.conn.execute("SELECT min(created_at) FROM posts").fetchone()[0]
    assert first == "2012-03-26T15:00:00.000000Z"


def test_large_payloads_make_small_batches(
    archive: Archive, meeting: Meeting, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_BATCH_CHARACTERS", 500)
    seen: list[int] = []
    import_file(archive, meeting, file, progress=lambda done, size, counts: seen.append(counts.read))
    assert seen == [3, 6, 9, 12, 15, 18, 21, 24, 25]


def test_a_file_can_be_read_without_an_archive(meeting: Meeting, file: Path) -> None:
    assert sum(isinstance(item, Received) for item in read_file(meeting, file)) == 25
    with pytest.raises(InputError):
        next(read_file(meeting, file.parent))
    with pytest.raises(InputError, match="it is no zoom"):
        next(read_file(meeting, file, format="zoom"))


def test_the_importer_of_a_beginning() -> None:
    assert importer_of(head_of(b"14:03:10\t From Ana : Hello\n")) is zoom
    assert importer_of(head_of(b"14:03:10\t From Ana : Hello\n"), twarc1) is None
    assert importer_of(head_of(b"")) is importer_of(head_of(bytes(range(32)) * 9)) is None


def test_a_zone_that_is_named_decides(archive: Archive, meeting: Meeting, file: Path) -> None:
    file.write_text(local_table("America/New_York"))
    result = import_file(archive, meeting, file, zone=ZoneInfo("Asia/Tokyo"), arm="room")
    assert result.notes == []
    first, arm = archive.conn.execute("SELECT min(created_at), arm FROM posts").fetchone()
    assert (first, arm) == ("2012-03-26T02:00:00.000000Z", "room")


def test_a_format_never_tried_says_so(archive: Archive, meeting: Meeting, file: Path) -> None:
    file.write_text(
        "text,favoriteCount,replyToSN,created,id,screenName,isRetweet\n"
        "hola,1,NA,2012-03-26 15:00:00,9000000000000000001,bc_ana,FALSE\n"
    )
    result = import_file(archive, meeting, file)
    assert (result.format, result.counts) == ("twitter-r", Counts(new=1))
    assert any("never tried on a real file" in note for note in result.notes)


@pytest.mark.parametrize("format", ["twarc1", "twarc2", "plain-log", "plain-csv", "mastodon"])
def test_private_messages_read_as_another_format_leave_nothing_behind(
    format: str, archive: Archive, meeting: Meeting, tmp_path: Path
) -> None:
    for text in (
        "14:03:10\t From Ana to Luis(Privately) : secret\nmore of the secret\n",
        'window.YTD.direct_messages.part0 = [\n{"messageCreate":\n"text" : "secret",\n',
        '[{"visibility": "direct", "content": "secret"}]',
    ):
        path = tmp_path / "private.txt"
        path.write_text(text)
        with suppress(InputError):
            import_file(archive, meeting, path, format=format)
    kept = archive.conn.execute("SELECT payload FROM quarantine").fetchall()
    assert "secret" not in repr([tuple(row) for row in kept])


def test_a_format_asked_for_is_not_forced_on_what_is_plainly_another(
    archive: Archive, meeting: Meeting, file: Path
) -> None:
    with pytest.raises(InputError, match="no plain-csv but twarc1: leave --format out"):
        import_file(archive, meeting, file, format="plain-csv")


def test_a_table_without_rows_is_told(archive: Archive, meeting: Meeting, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text(HEADER)
    result = import_file(archive, meeting, path)
    assert result.counts == Counts()
    assert "No record was found" in result.notes[-1]


def test_a_name_that_is_no_utf_8_is_no_matter(archive: Archive, meeting: Meeting, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"mesa redonda \xf1.json")
    path.write_text(lines(range(2)) + '{"id_str": "9"\n')
    assert import_file(archive, meeting, path).counts == Counts(new=2, quarantined=1)
    assert import_file(archive, meeting, path).counts.new == 0


def test_the_folder_of_a_chat_tells_its_day_and_arm(
    archive: Archive, meeting: Meeting, tmp_path: Path
) -> None:
    source = SourceSpec(
        kind="folder", name="folder", arm="room", settings={"path": "zoom/", "date": date(2012, 3, 27)}
    )
    chat = tmp_path / "zoom" / "chat.txt"
    chat.parent.mkdir()
    chat.write_text("09:00:10\t From Ana Perez : Is it open?\n", encoding="utf-8")
    import_file(archive, replace(meeting, sources=(source,)), chat)
    rows = archive.conn.execute("SELECT created_at, arm FROM posts").fetchall()
    assert rows == [("2012-03-27T15:00:10.000000Z", "room")]
