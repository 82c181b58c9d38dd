"""``make bench``: every figure of the budget, ours beside what a user would pick instead, in one run.

Exits with 1 where a ratio that must hold does not. With ``--write`` the table in docs/benchmarks.md is
replaced; with names (storing importing tagging quality searching showing starting collecting) only those
are run.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.figures import Figure, table
from bench.million import archive_of

DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def _parts(folder: Path) -> dict[str, Callable[[], list[Figure]]]:
    from bench import collecting, importing, quality, searching, showing, starting, storing, tagging

    def big() -> Path:
        return archive_of(Path(".bench"))

    return {
        "storing": lambda: storing.run(folder, big()),
        "importing": lambda: importing.run(folder),
        "tagging": lambda: tagging.run(folder),
        "quality": quality.run,
        "searching": lambda: searching.run(big()),
        "showing": lambda: showing.run(folder),
        "starting": starting.run,
        "collecting": lambda: collecting.run(folder),
    }


def main(arguments: list[str]) -> int:
    """Run the parts named (all by default); returns the exit code."""
    write = "--write" in arguments
    wanted = [name for name in arguments if not name.startswith("-")]
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, part in _parts(Path(folder)).items():
            if not wanted or name in wanted:
                print(f"{name} …", file=sys.stderr, flush=True)
                figures += part()
    print(table(figures))
    if write:
        text = DOCS.read_text()
        head, tail = text.split(BEGIN)[0], text.split(END)[1]
        DOCS.write_text(f"{head}{BEGIN}\n{table(figures)}\n{END}{tail}")
    failed = [figure.name for figure in figures if figure.failed]
    if failed:
        print(f"below the ratio that must hold: {'; '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
