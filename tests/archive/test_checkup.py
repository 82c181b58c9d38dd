"""What check finds out, on a real disk and a real socket."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from archive import checkup
from archive.checkup import (
    check_archive,
    check_machine,
    check_meeting,
    credentials,
    read_env,
    refuse_for_replay,
)
from archive.errors import UsageError
from archive.playback import Playback, write_playback
from archive.store import Archive
from archive.vocabulary import SourceSpec

NOW = datetime.now(UTC)


def source(kind="x", **settings):
    return SourceSpec(kind=kind, name=kind, arm="public", settings=settings)


def states(findings):
    return [(finding.about, finding.state) for finding in findings]


def test_the_meeting(meeting):
    assert states(check_meeting(replace(meeting, themes=()))) == [("meeting file", "warning")]
    described = tuple(replace(theme, description="What it is.") for theme in meeting.themes)
    assert states(check_meeting(replace(meeting, themes=described))) == [("meeting file", "ok")]
    found = list(check_meeting(replace(meeting, themes=described, hashtags=("2012", "el", "eleaders"))))
    assert [finding.text.split(":")[0].split(" is ")[0] for finding in found] == [
        "hashtag 2012",
        "hashtag el",
    ]


def test_credentials_come_from_the_environment_or_env(tmp_path):
    (tmp_path / ".env").write_text("# comment\nexport M_TOKEN='b'\nnonsense\nX_TOKEN=c\n", encoding="utf-8")
    known = read_env(tmp_path / ".env")
    assert known == {"M_TOKEN": "b", "X_TOKEN": "c"}
    assert read_env(tmp_path / "none") == {}
    assert states(credentials(source("x", token_env="X_TOKEN"), known)) == []
    assert states(credentials(source("x", token_env="X_TOKEN"), {"X_TOKEN": " "})) == [("source x", "failed")]
    assert states(credentials(source("bluesky"), {})) == []


def test_the_machine(tmp_path, monkeypatch, meeting):
    assert states(check_machine(tmp_path, NOW, meeting)) == [
        ("disk", "ok"),
        ("threads", "ok"),
        ("clock", "ok"),
    ]
    monkeypatch.setattr(checkup, "POST_BYTES", 10**18)
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = list(check_machine(tmp_path, datetime(1970, 1, 1, tzinfo=UTC), meeting))
    assert [finding.state for finding in found] == ["warning", "failed", "ok", "failed"]
    assert "set the clock" in found[3].text


def test_the_archive(archive: Archive, receive, tmp_path):
    meeting = archive.meeting
    assert "will be made" in check_archive(tmp_path / "no.db", meeting, NOW).text
    archive.write([receive(1, received_at=NOW)])
    assert check_archive(archive.path, meeting, NOW).text.endswith("1 posts")
    assert check_archive(archive.path, meeting, NOW - timedelta(hours=1)).state == "warning"
    other = check_archive(archive.path, replace(meeting, slug="other"), NOW)
    assert (other.state, "belongs to the meeting sample" in other.text) == ("failed", True)
    (tmp_path / "broken.db").write_bytes(b"no database at all" * 100)
    assert check_archive(tmp_path / "broken.db", meeting, NOW).state == "failed"


def test_a_replay_does_not_mix_with_what_was_collected(archive: Archive, receive, tmp_path):
    refuse_for_replay(tmp_path / "no.db")
    refuse_for_replay(archive.path)
    archive.write([receive(1)])
    with pytest.raises(UsageError, match="no replay brought"):
        refuse_for_replay(archive.path)
    with archive.transaction() as conn:
        write_playback(conn, Playback(NOW, NOW, NOW, 1.0, False, NOW))
    refuse_for_replay(archive.path)
