"""Importing files: CPU seconds for a real archive, and memory that does not grow with the file."""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from sqlite_utils import Database

from bench import synthetic
from bench.figures import Figure

CHILD = """
import atexit, sys
from pathlib import Path
def peak():
    status = Path("/proc/self/status").read_text()
    print(status.split("VmHWM:")[1].split()[0], file=sys.stderr)
atexit.register(peak)
sys.argv[0] = "backchannel"
from backchannel import main
main()
"""


def run(folder: Path, *, largest: int = 1_000_000) -> list[Figure]:
    """The real rtweet archive where it is at hand, and flat files of 10,000 posts and many more."""
    meeting = folder / "meeting.toml"
    meeting.write_text(
        '[meeting]\nslug = "bench"\ntitle = "A made-up meeting"\nhashtags = ["bench2012"]\n'
        'starts = 2012-03-26T09:00:00\nends = 2012-03-28T09:00:00\ntimezone = "America/Mexico_City"\n'
    )
    figures = []
    data = Path(os.environ.get("BACKCHANNEL_TEST_DATA", "../shared/data"))
    real = data / "archives" / "user2018_rtweet" / "user2018.csv"
    if real.is_file():
        spent, _ = _import(meeting, real, folder / "rtweet.db")
        figures.append(
            Figure(
                "`import` of the 5,967-post rtweet archive",
                spent,
                "CPU-s",
                6,
                3,
                False,
                _peer(real, folder / "rtweet-peer.db"),
                "csv.DictReader and sqlite-utils `insert_all` with FTS, in a process of its own",
                0.35,
            )
        )
    small, big = 10_000, largest
    peaks = {}
    for count in (small, big):
        file = folder / f"posts-{count}.jsonl"
        with file.open("w") as lines:
            lines.writelines(f"{item.raw}\n" for item in synthetic.posts(count))
        _, peaks[count] = _import(meeting, file, folder / f"import-{count}.db")
        file.unlink()
    figures.append(Figure(f"memory of `import` of {big:,} posts", peaks[big], "MB", 300, 200, False))
    figures.append(
        Figure(
            f"the same against {small:,} posts",
            peaks[big] / peaks[small],
            "times",
            1.5,
            1.2,
            False,
            1.0,
            "memory that does not grow",
            0.6,
        )
    )
    return figures


def _import(meeting: Path, file: Path, archive: Path) -> tuple[float, float]:
    """CPU seconds and peak memory in MB of one ``backchannel import`` in a process of its own."""
    return measured(
        [sys.executable, "-c", CHILD, "import", str(meeting), str(file), "--archive", str(archive)]
    )


def _peer(file: Path, target: Path) -> float:
    return measured([sys.executable, "-m", "bench.importing", str(file), str(target)])[0]


def measured(command: list[str]) -> tuple[float, float]:
    """CPU seconds of a command, and its peak memory in MB where it says so in its last line."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if child.returncode:
        raise SystemExit(f"bench: {' '.join(command[3:5])} failed: {child.stderr[-500:]}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # Not ru_maxrss, which counts the memory of the process that started it.
    last = child.stderr.split()[-1:]
    return spent, int(last[0]) / 1024 if last and last[0].isdigit() else 0.0


def peer_import(file: Path, target: Path) -> None:
    """What a user would do by hand: every row as it is into one table, with full-text search."""
    with file.open(newline="", encoding="utf-8") as lines:
        rows = [dict(row) for row in csv.DictReader(lines)]
    db = Database(target)
    table = db.table("posts", pk="status_id")
    table.insert_all(rows, pk="status_id", replace=True)
    table.enable_fts(["text"], tokenize="unicode61 remove_diacritics 2", create_triggers=True)
    json.dumps(rows[0])
    db.close()


if __name__ == "__main__":
    peer_import(Path(sys.argv[1]), Path(sys.argv[2]))
