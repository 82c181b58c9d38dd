"""What every source must hold to, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from archive.collecting import Shelf
from archive.meeting_tables import SOURCE_DEFAULTS, SOURCE_KEYS
from archive.store import Archive
from archive.vocabulary import Meeting, SourceSpec
from collector.sources import SOURCES, find
from collector.sources.base import Feed, Gap, Refilled, Refused, Setup, Source, SourceError

SETTINGS: dict[str, dict[str, Any]] = {
    "x": {"base_url": "http://127.0.0.1:9"},
    "mastodon": {"base_url": "http://127.0.0.1:9"},
    "bluesky": {"base_url": "ws://127.0.0.1:9"},
    "folder": {"path": "chat/"},
    "webhook": {"listen": "127.0.0.1:9"},
}
NOW = datetime(2012, 3, 26, 16, tzinfo=UTC)


def setup_of(source: Source, archive: Archive, meeting: Meeting, folder: Path, **secrets: str) -> Setup:
    settings = {**SOURCE_DEFAULTS[source.KIND], **SETTINGS[source.KIND]}
    spec = SourceSpec(kind=source.KIND, name="mine", arm="public", settings=settings)  # type: ignore[arg-type]
    return Setup(spec, meeting, folder, secrets, Shelf(archive.path), lambda: NOW)


Open = Callable[..., Feed]


@pytest.fixture
def opened(archive: Archive, meeting: Meeting, tmp_path: Path) -> Open:
    def opened(source: Source, **secrets: str) -> Feed:
        return source.open_feed(setup_of(source, archive, meeting, tmp_path, **secrets))

    return opened


def test_the_meeting_files_kinds_and_the_sources_are_the_same() -> None:
    assert {source.KIND for source in SOURCES} == set(SOURCE_KEYS)
    assert all(find(source.KIND) is source for source in SOURCES)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.KIND)
class TestEvery:
    def test_opening_connects_to_nothing_and_closing_twice_is_fine(
        self, source: Source, opened: Open
    ) -> None:
        feed = opened(source)
        assert feed.label
        assert feed.notice is None
        feed.close()
        feed.close()

    def test_a_server_that_is_not_there_ends_as_an_error_of_the_contract(
        self, source: Source, opened: Open
    ) -> None:
        if source.KIND in ("folder", "webhook"):
            pytest.skip("has no server")
        feed = opened(source, X_BEARER_TOKEN="s3cr3t", MASTODON_TOKEN="s3cr3t")
        with pytest.raises(SourceError) as caught:
            list(feed.listen(None))
        assert not isinstance(caught.value, Refused)
        assert "s3cr3t" not in str(caught.value)
        feed.close()

    def test_a_missing_secret_is_no_right_and_names_its_variable(self, source: Source, opened: Open) -> None:
        variable = SOURCE_DEFAULTS[source.KIND].get("token_env")
        if variable is None:
            pytest.skip("needs no secret")
        feed = opened(source)
        with pytest.raises(Refused, match=variable):
            list(feed.listen(None))
        feed.close()

    def test_a_check_finds_something_and_never_raises_what_is_not_of_the_contract(
        self, source: Source, opened: Open
    ) -> None:
        feed = opened(source, X_BEARER_TOKEN="s3cr3t", MASTODON_TOKEN="s3cr3t")
        try:
            found = list(feed.check())
        except SourceError as error:
            assert "s3cr3t" not in str(error)
        else:
            assert found
            assert all(finding.about == "source mine" for finding in found)
            assert "s3cr3t" not in " ".join(finding.text for finding in found)
        finally:
            feed.close()

    def test_a_refill_that_is_not_possible_says_so(self, source: Source, opened: Open) -> None:
        feed = opened(source)
        try:
            *_, last = feed.refill(Gap(NOW - timedelta(hours=1), NOW))
        except SourceError:
            pass
        else:
            assert isinstance(last, Refilled)
        finally:
            feed.close()
