from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.checkup import Finding
from archive.errors import UsageError
from archive.vocabulary import Meeting, SourceSpec
from collector import checking
from collector.checking import check_sources
from collector.loop import Settings
from collector.sources.base import Lost


class Feed:
    def __init__(self, findings: list[Finding | Exception]) -> None:
        self.findings = findings
        self.closed = False

    def check(self) -> Iterator[Finding]:
        for finding in self.findings:
            if isinstance(finding, Exception):
                raise finding
            yield finding

    def close(self) -> None:
        self.closed = True


def test_each_source_is_asked_whatever_the_others_do(
    meeting: Meeting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = Finding("source good", "ok", "it accepts us")
    feeds: dict[str, Any] = {
        "good": Feed([fine]),
        "lost": Feed([Lost("it cannot be reached")]),
        "odd": Feed([fine, ZeroDivisionError("secret")]),
    }

    def open_feed(spec: SourceSpec, *_: object) -> Any:
        if spec.name not in feeds:
            raise UsageError("its format is not known")
        return feeds[spec.name]

    monkeypatch.setattr(checking, "open_feed", open_feed)
    names = ("good", "lost", "odd", "wrong", "poor")
    specs = [SourceSpec(kind="bluesky", name=name, arm="public") for name in names]
    specs[-1] = replace(specs[-1], settings={"token_env": "NOT_SET"})
    having = replace(meeting, sources=tuple(specs))
    settings = Settings(tmp_path, {})
    found = list(check_sources(having, tmp_path / "m.db", settings, offline=False))
    assert [(finding.about, finding.state) for finding in found] == [
        ("source good", "ok"),
        ("source lost", "failed"),
        ("source good", "ok"),
        ("source odd", "failed"),
        ("source wrong", "failed"),
        ("source poor", "failed"),
    ]
    assert "NOT_SET" in found[-1].text
    assert "secret" not in " ".join(finding.text for finding in found)
    assert all(feed.closed for feed in feeds.values())
    offline = list(check_sources(having, tmp_path / "m.db", settings, offline=True))
    assert {finding.state for finding in offline} == {"ok", "failed"}
    (nothing,) = check_sources(meeting, tmp_path / "m.db", settings, offline=True)
    assert nothing.state == "warning"
