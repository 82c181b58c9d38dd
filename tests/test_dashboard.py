"""The app as a whole: a page for every value of the query parameter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from archive.store import Archive
from views import PAGES, push, settings

APP = Path(__file__).parent.parent / "dashboard.py"


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    push.close_all()


def said(page: AppTest) -> str:
    return " ".join(one.proto.body for one in page.get("html"))


@pytest.mark.parametrize("name", PAGES)
def test_the_address_chooses_the_page(archive: Archive, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(settings.ARCHIVE, str(archive.path))
    app = AppTest.from_file(str(APP), default_timeout=20)
    app.query_params["page"] = name
    app.run()
    assert not app.exception
    assert app.segmented_control(key="page").value == name
    assert app.get("bidi_component")


def test_the_control_chooses_the_page(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.ARCHIVE, str(archive.path))
    app = AppTest.from_file(str(APP), default_timeout=20).run()
    assert app.segmented_control(key="page").value == "live"
    app.segmented_control(key="page").set_value("archive").run()
    assert not app.exception
    assert app.segmented_control(key="page").value == "archive"


def test_an_unknown_page_opens_the_first(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.ARCHIVE, str(archive.path))
    app = AppTest.from_file(str(APP), default_timeout=20)
    app.query_params["page"] = "nowhere"
    assert app.run().segmented_control(key="page").value == "live"


@pytest.mark.parametrize("name", PAGES)
def test_without_an_archive_every_page_says_what_to_do(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(settings.ARCHIVE, raising=False)
    app = AppTest.from_file(str(APP), default_timeout=20)
    app.query_params["page"] = name
    app.run()
    assert not app.exception
    assert "backchannel dashboard MEETING" in said(app)
