"""An import that is killed again and again ends in the same archive as one that was left alone."""

from __future__ import annotations

import csv
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archive.canonical import canonical
from archive.integrity import verify
from archive.store import Archive
from bench import synthetic
from collector.importing import import_file
from tests.conftest import ROOT

POSTS = 6_000
CHILD = """
import sys
from pathlib import Path
from archive.store import Archive
from bench import synthetic
from collector.importing import import_file
with Archive.open(Path(sys.argv[1]), synthetic.meeting()) as archive:
    print("open", flush=True)
    import_file(archive, synthetic.meeting(), Path(sys.argv[2]), batch=100)
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("killed") / "posts.jsonl"
    path.write_text("".join(f"{item.raw}\n" for item in synthetic.posts(POSTS)))
    return path


@pytest.fixture(scope="module")
def untouched(file: Path) -> list[str]:
    path = file.with_name("untouched.db")
    with Archive.open(path, synthetic.meeting()) as archive:
        assert import_file(archive, synthetic.meeting(), file).counts.new == POSTS
    return list(canonical(path))


@pytest.mark.parametrize(
    "kills", [10, pytest.param(50, marks=pytest.mark.slow)], ids=["ten kills", "fifty kills"]
)
def test_killed_at_random_moments_and_repeated(
    kills: int, file: Path, untouched: list[str], tmp_path: Path
) -> None:
    rng = random.Random(kills)
    done = 0
    rounds = 0
    while done < kills:
        rounds += 1
        path = tmp_path / f"{rounds}.db"
        finished = False
        while done < kills and not finished:
            finished = _import_and_kill(path, file, rng.uniform(0, 0.4))
            done += not finished
        assert _import_and_kill(path, file, None)
        assert verify(path) == []
        assert list(canonical(path)) == untouched


def _import_and_kill(path: Path, file: Path, after: float | None) -> bool:
    """Run an import, and kill it ``after`` seconds of work; True where it came to its end first."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(file)], cwd=ROOT, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        if after is not None:
            try:
                return child.wait(after) == 0
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
                return False
        return child.wait() == 0


def test_twice_in_halves_and_backwards(file: Path, untouched: list[str], tmp_path: Path) -> None:
    lines = file.read_text().splitlines(keepends=True)
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text("".join(lines[: POSTS // 2]))
    second.write_text("".join(lines[POSTS // 2 :]))
    for name, files in (("ab", [first, second]), ("ba", [second, first]), ("twice", [file, file])):
        path = tmp_path / f"{name}.db"
        with Archive.open(path, synthetic.meeting()) as archive:
            for part in files:
                import_file(archive, synthetic.meeting(), part)
        assert list(canonical(path)) == untouched


@pytest.mark.real_data
def test_a_real_archive_twice_and_in_halves(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "archives" / "amca19_rtweet" / "amca19.csv"
    with source.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    halves = []
    for number, part in enumerate((rows[:400], rows[400:])):
        halves.append(tmp_path / f"half-{number}.csv")
        with halves[-1].open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([header, *part])
    ends = []
    for name, files in (("ab", halves), ("ba", halves[::-1]), ("twice", halves * 2)):
        path = tmp_path / f"{name}.db"
        with Archive.open(path, synthetic.meeting()) as archive:
            for file_ in files:
                import_file(archive, synthetic.meeting(), file_)
        ends.append(list(canonical(path)))
    assert ends[0] == ends[1] == ends[2]
