from __future__ import annotations

import gzip
import io
import random
import zipfile
import zlib
from pathlib import Path

import pytest

from archive.errors import InputError
from collector import containers
from collector.containers import Member, members
from collector.streams import Limits, Source

TEXT = b"".join(b"line %d of a perfectly good file\n" % number for number in range(2000))


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "posts.csv"  # the name never decides


def content(member: Member) -> tuple[bytes, str | None]:
    """All that can be read of a member, and why it ends."""
    with member.open() as source:
        return b"".join(iter(lambda: source.read(1000), b"")), source.damage


def contents(path: Path, limits: Limits | None = None) -> dict[str, tuple[bytes, str | None]]:
    return {member.name: content(member) for member in members(path, limits)}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (TEXT, "posts.csv"),
        (gzip.compress(TEXT), "posts.csv"),
        (gzip.compress(gzip.compress(TEXT)), "posts.csv"),
        (zipped({"a/b.csv": TEXT}), "posts.csv/a/b.csv"),
        (zipped({"a.gz": gzip.compress(TEXT)}), "posts.csv/a.gz"),
        (zipped({"a.zip": zipped({"b": TEXT})}), "posts.csv/a.zip/b"),
        (gzip.compress(zipped({"b": TEXT}, zipfile.ZIP_STORED)), "posts.csv/b"),
    ],
)
def test_containers_are_found_by_content_and_opened_again_and_again(
    file: Path, data: bytes, name: str
) -> None:
    file.write_bytes(data)
    (member,) = members(file)
    assert member.name == name
    assert content(member) == content(member) == (TEXT, None)


def test_all_files_of_a_zip_in_its_order_without_litter(file: Path) -> None:
    file.write_bytes(zipped({"b": b"1", "folder/": b"", "__MACOSX/b": b"2", ".DS_Store": b"3", "a": b"4"}))
    assert contents(file) == {"posts.csv/b": (b"1", None), "posts.csv/a": (b"4", None)}


def test_hostile_names_are_only_names(file: Path) -> None:
    file.write_bytes(zipped({"../../etc/passwd\x1b[31m": b"1", "/" + "x" * 400: b"2"}))
    names = list(contents(file))
    assert names[0] == "posts.csv/../../etc/passwd?[31m"
    assert len(names[1]) < 220
    assert [path.name for path in file.parent.iterdir()] == ["posts.csv"]


def test_a_truncated_gzip_gives_what_is_there(file: Path) -> None:
    noise = random.Random(1).randbytes(100_000)
    file.write_bytes(gzip.compress(noise)[:50_000])
    data, damage = contents(file)["posts.csv"]
    assert len(data) > 30_000
    assert noise.startswith(data)
    assert damage is not None
    assert "damaged from here on" in damage


def test_damage_in_a_zip_costs_that_member_only(file: Path) -> None:
    data = bytearray(zipped({"bad": TEXT, "good": TEXT}))
    data[200:260] = bytes(60)
    file.write_bytes(data)
    found = contents(file)
    assert found["posts.csv/good"] == (TEXT, None)
    assert found["posts.csv/bad"][1] is not None


def test_a_zip_inside_that_is_damaged_costs_itself_only(file: Path) -> None:
    file.write_bytes(zipped({"bad.zip": zipped({"a": TEXT})[:-30], "good": TEXT, "paper.pdf": b"%PDF-1.4"}))
    found = contents(file)
    assert found["posts.csv/good"] == (TEXT, None)
    assert "damaged zip file" in (found["posts.csv/bad.zip"][1] or "")
    assert "is a PDF" in (found["posts.csv/paper.pdf"][1] or "")


def test_an_encrypted_member_says_so(file: Path) -> None:
    data = bytearray(zipped({"a": TEXT}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    file.write_bytes(data)
    assert contents(file) == {
        "posts.csv/a": (b"", "it is encrypted: unpack it with its password and import that")
    }


def test_a_way_of_packing_that_is_not_known(file: Path) -> None:
    data = bytearray(zipped({"a": TEXT}))
    for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(signature) + offset] = 97
    file.write_bytes(data)
    assert "cannot be read here" in (contents(file)["posts.csv/a"][1] or "")


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped({"a": data})])
def test_a_bomb_is_stopped_by_its_ratio(file: Path, pack: type[bytes]) -> None:
    file.write_bytes(pack(bytes(40_000_000)))
    ((data, damage),) = contents(file).values()
    assert len(data) < 17_000_000
    assert "200 times its size" in (damage or "")


def test_limits_of_size_and_time(file: Path) -> None:
    file.write_bytes(gzip.compress(TEXT))
    ((data, damage),) = contents(file, Limits(max_bytes=10_000)).values()
    assert len(data) <= 10_000
    assert "more than 10,000 bytes" in (damage or "")
    clock = iter(range(0, 100_000, 1000))
    (member,) = members(file, Limits(max_seconds=5000), clock=lambda: next(clock))
    assert "longer than 5,000 seconds" in (content(member)[1] or "")


def test_limits_of_number_and_nesting(file: Path) -> None:
    file.write_bytes(zipped({str(number): b"1" for number in range(5)}))
    with pytest.raises(InputError, match="more than 4 files"):
        contents(file, Limits(max_members=4))
    with pytest.raises(InputError, match="more than 0 files"):
        contents(file, Limits(max_members=0))
    file.write_bytes(gzip.compress(gzip.compress(gzip.compress(TEXT))))
    with pytest.raises(InputError, match="packed more than 2 times"):
        contents(file)
    file.write_bytes(zipped({str(number): zipped({"a": b"1", "b": b"2"}) for number in range(3)}))
    with pytest.raises(InputError, match="more than 5 files"):
        contents(file, Limits(max_members=5))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7 rest", "is a PDF"),
        (b"SQLite format 3\0", "is a database"),
        (b"BZh91AY", "packed with bzip2"),
        (bytes(257) + b"ustar\0", "is a tar archive"),
        (b"PK\x03\x04 but not really", "damaged zip file"),
        (zipped({"[Content_Types].xml": b"", "sheet.xml": b""}), "is an Office document"),
    ],
)
def test_files_that_cannot_be_read_at_all(file: Path, data: bytes, what: str) -> None:
    file.write_bytes(data)
    with pytest.raises(InputError, match=what):
        contents(file)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        contents(tmp_path)
    with pytest.raises(InputError, match=r"There is no file nothing\.csv"):
        contents(tmp_path / "nothing.csv")


def test_a_file_that_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, seen: object) -> None:
        raise PermissionError(13, "Permission denied")

    file.write_bytes(TEXT)
    monkeypatch.setattr(containers, "Watched", refuse)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        contents(file)


def test_how_far_the_file_was_read_is_told(file: Path) -> None:
    file.write_bytes(gzip.compress(TEXT))
    positions: list[int] = []
    (member,) = members(file, seen=positions.append)
    content(member)
    assert max(positions) == file.stat().st_size


def test_damaged_streams_never_raise(file: Path) -> None:
    rng = random.Random(7)
    whole = zipped({"a": TEXT, "b.gz": gzip.compress(TEXT), "c.zip": zipped({"d": TEXT})})
    for _ in range(150):
        data = bytearray(whole if rng.random() < 0.6 else gzip.compress(whole))
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        file.write_bytes(data[: rng.randint(len(data) // 2, len(data))])
        try:
            for member in members(file):
                with member.open() as source:
                    assert isinstance(source, Source)
                    while source.read(10_000):
                        pass
        except InputError:
            continue


def test_a_raw_stream_of_deflate_is_plain(file: Path) -> None:
    file.write_bytes(zlib.compress(TEXT))
    assert contents(file) == {"posts.csv": (zlib.compress(TEXT), None)}
