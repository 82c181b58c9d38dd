"""The Themes page in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from archive.store import Archive
from archive.suggestions import Suggestion
from archive.vocabulary import Author, Meeting, Received, Theme
from views import settings

pytestmark = pytest.mark.browser
CANARY = "canary.example.org"
HOSTILE = f"<img src=http://{CANARY}/i.png onerror=globalThis.ran=1> ![x](http://{CANARY}/m.png) \u202eevil"
Start = Callable[[Path], tuple[Any, str]]
Visit = Callable[..., Page]


def key(number: int) -> str:
    return f"x:9{number:018d}"


def offered(theme: str, *keywords: str) -> list[Suggestion]:
    return [
        Suggestion(
            theme=theme,
            language="es",
            keyword=keyword,
            score=0.9 - place / 100,
            posts=12,
            authors=7,
            new_posts=5,
            examples=(key(1), key(2)),
        )
        for place, keyword in enumerate(keywords)
    ]


@pytest.fixture
def filled(archive: Archive, receive: Callable[..., Received]) -> Archive:
    archive.write([receive(n, text=f"Datos para todos, número {n}") for n in range(3)])
    archive.save_suggestions(
        [*offered("open-data", "datos públicos", "catálogo"), *offered("agility", "pruebas cortas")]
    )
    return archive


def opened(start: Start, visit: Visit, archive: Archive, **options: Any) -> Page:
    return visit(f"{start(archive.path)[1]}/?page=themes", wait=".themes .card", **options)


def keywords(archive: Archive) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in archive.conn.execute("SELECT theme, keyword, decision FROM keywords")]


def test_a_suggestion_is_accepted_by_name_and_can_be_turned(
    filled: Archive, start: Start, visit: Visit
) -> None:
    page = opened(start, visit, filled)
    card = page.locator(".card", has_text="Open data to open governments")
    expect(card.locator(".suggestions > li")).to_have_count(2)
    accept = page.get_by_role("button", name="Accept datos públicos (Spanish) for Open data")
    accept.click()
    expect(page.locator(".who [role=alert]")).to_contain_text("write your name first")
    assert keywords(filled) == []
    page.get_by_label("Your name").fill("Ana")
    accept.focus()
    page.keyboard.press("Enter")
    expect(card.locator(".suggestions > li")).to_have_count(1)
    expect(page.locator(".who [role=alert]")).to_be_hidden()
    assert keywords(filled) == [("open-data", "datos públicos", "accepted")]
    expect(card.locator("summary")).to_have_text("1 accepted")
    card.locator("summary").click()
    expect(card.locator(".decided li")).to_contain_text("accepted by Ana")
    page.get_by_role("button", name="Reject datos públicos after all").click()
    expect(card.locator("summary")).to_have_text("1 rejected")
    assert keywords(filled) == [("open-data", "datos públicos", "rejected")]
    expect(page.locator(".learned")).to_have_text("")


def test_examples_open_in_the_archive(filled: Archive, start: Start, visit: Visit) -> None:
    page = opened(start, visit, filled)
    line = page.get_by_role("button", name="pruebas cortas").first
    line.click()
    expect(line).to_have_attribute("aria-expanded", "true")
    expect(line).to_be_focused()
    example = page.locator(".examples a").first
    expect(example).to_contain_text("Datos para todos, número 1")
    assert (example.get_attribute("href") or "").startswith("?page=archive&post=x")
    example.click()
    expect(page.locator(".open .whole .text")).to_contain_text("número 1")
    assert "page=archive" in page.url


def test_what_the_tagger_finds_comes_by_itself(filled: Archive, start: Start, visit: Visit) -> None:
    page = opened(start, visit, filled)
    page.get_by_label("Your name").fill("An")
    filled.save_suggestions(offered("open-data", "a new word"))
    expect(page.locator(".suggestions").first).to_contain_text("a new word", timeout=10_000)
    expect(page.get_by_label("Your name")).to_have_value("An")
    expect(page.get_by_label("Your name")).to_be_focused()


def test_a_dashboard_to_look_at_decides_nothing(
    filled: Archive, start: Start, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.READ_ONLY, "1")
    page = opened(start, visit, filled)
    expect(page.locator(".suggestions > li")).to_have_count(3)
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    expect(page.get_by_label("Your name")).to_have_count(0)


def test_hostile_words_stay_text_and_nothing_is_wider_than_the_window(
    tmp_path: Path, meeting: Meeting, receive: Callable[..., Received], start: Start, visit: Visit
) -> None:
    themes = tuple(
        Theme(
            slug=f"t{n}",
            title=f"{HOSTILE} {'verylong' * 12}",
            description=HOSTILE,
            keywords={"en": (HOSTILE, "x" * 90)},
        )
        for n in range(10)
    )
    author = Author(key="x:eve", source="x", handle=HOSTILE, name=HOSTILE)
    with Archive.open(tmp_path / "h.db", replace(meeting, themes=themes, sessions=())) as archive:
        archive.write([receive(n, text=HOSTILE, author=author) for n in range(3)])
        archive.save_suggestions([one for n in range(10) for one in offered(f"t{n}", HOSTILE, "w" * 90)])
        archive.decide("t0", "es", HOSTILE[:90], accepted=True, by=HOSTILE[:90])
        asked: list[str] = []
        address = f"{start(archive.path)[1]}/?page=themes"
        for size in ((1600, 900), (390, 844)):
            page = visit(
                address,
                wait=".themes .card",
                viewport={"width": size[0], "height": size[1]},
                before=lambda page: page.on("request", lambda request: asked.append(request.url)),
            )
            expect(page.locator(".card")).to_have_count(10)
            page.locator(".suggestions .line").first.click()
            page.locator(".decided summary").first.click()
            expect(page.locator(".examples").first).to_contain_text("![x](http://")
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
            assert page.locator(".themes").evaluate("(node) => node.scrollWidth <= node.clientWidth")
            assert page.evaluate("globalThis.ran") is None
        assert asked and [url for url in asked if CANARY in url] == []
