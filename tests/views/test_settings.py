"""Which archive is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.errors import NotAnArchive
from archive.store import Archive
from views import settings


def test_the_environment_names_the_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.ARCHIVE, "/somewhere/a.db")
    assert settings.archive_path() == Path("/somewhere/a.db")


def test_without_a_name_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(settings.ARCHIVE, raising=False)
    with pytest.raises(NotAnArchive, match="backchannel dashboard MEETING"):
        settings.archive_path()


def test_a_page_reads_and_lets_go(archive: Archive) -> None:
    with settings.reading(archive.path) as conn:
        assert conn.execute("SELECT slug FROM meeting").fetchone()[0] == "sample"
    with pytest.raises(Exception, match="closed"):
        conn.execute("SELECT 1")


def test_nobody_changes_anything_where_it_is_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(settings.READ_ONLY, raising=False)
    assert not settings.read_only()
    monkeypatch.setenv(settings.READ_ONLY, "1")
    assert settings.read_only()
