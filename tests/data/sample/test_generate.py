"""The generator as a command: every file, again the same bytes, no stale pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from data import sample
from data.sample import generate


def test_twice_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["generate", str(tmp_path)])
    generate.main()
    first = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "mastodon" / "social-99.json").write_text("[]")
    generate.main()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == first
    assert {path.parent.name for path in sample.post_files(tmp_path)} == set(sample.POST_FOLDERS)
