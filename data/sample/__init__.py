"""The sample meeting: synthetic, CC0, made by ``python -m data.sample.generate`` (see data/README.md)."""

from __future__ import annotations

from pathlib import Path

MEETING = Path(__file__).parent / "meeting"
COVERAGE = MEETING / "coverage.ndjson"
LABELS = MEETING / "gold.ndjson"
POST_FOLDERS = ("x", "mastodon", "bluesky", "zoom", "zoom-breakout")


def post_files(folder: Path = MEETING) -> list[Path]:
    """The files of the sample that hold posts, in a fixed order."""
    return sorted(path for name in POST_FOLDERS for path in (folder / name).iterdir() if path.is_file())
