"""Correcting a post in a real Chromium, and seeing what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from archive.evidence import tags_of
from archive.store import Archive
from archive.vocabulary import Received, Tag, Tagging, Themes
from views import settings

pytestmark = pytest.mark.browser
CANARY = "canary.example.org"
HOSTILE = f"<img src=http://{CANARY}/i.png onerror=globalThis.ran=1> ![x](http://{CANARY}/m.png) \u202eevil"
Start = Callable[[Path], tuple[Any, str]]
Visit = Callable[..., Page]


def key(number: int) -> str:
    return f"x:9{number:018d}"


def tagging(**fields: Any) -> Tagging:
    spans = [{"start": 0, "end": 6, "text": "Pilots"}]
    tags = (Tag(component="theme", label="agility", score=0.6, evidence={"spans": spans}, version="theme 1"),)
    values: dict[str, Any] = {
        "language": "en",
        "themes": (("agility", 0.6),),
        "sentiment": "neutral",
        "sentiment_score": 0.9,
        "sure": True,
        "question": False,
        "tags": tags,
        "themes_by": "themes 1",
        **fields,
    }
    return Tagging(**values)


@pytest.fixture
def filled(archive: Archive, receive: Callable[..., Received]) -> Archive:
    """Six posts about pilots, all tagged."""
    archive.write([receive(n, text=f"Pilots and more, number {n}") for n in range(6)])
    archive.save_tags([(post, tagging()) for post in archive.untagged(10)], version="1")
    return archive


@pytest.fixture
def opened(start: Start, visit: Visit, filled: Archive) -> Callable[..., Page]:
    """The Archive page with the second post opened."""

    def go(**options: Any) -> Page:
        address = f"{start(filled.path)[1]}/?page=archive&post={key(1)}"
        return visit(address, wait=".open .whole .text", **options)

    return go


def test_a_post_is_corrected_by_keyboard_and_shown_at_once(
    opened: Callable[..., Page], filled: Archive
) -> None:
    page = opened()
    expect(page.locator(".open .whole mark.theme")).to_have_text("Pilots")
    page.locator(".open .correct").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".correcting [value=open-data]")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # takes agility away
    page.locator(".correcting [value=neutral]").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("Your name").fill("Ana Ruiz")
    page.get_by_label("Why").fill("the question of licences")
    page.keyboard.press("Enter")
    expect(page.locator(".open .saved")).to_have_text("Saved: themes, sentiment.")
    expect(page.locator(".correcting")).to_have_count(0)
    expect(page.locator(".open .correct")).to_be_focused()
    expect(page.locator(".open .whole .tags")).to_contain_text("Open data to open governments")
    expect(page.locator(".open .whole .tags")).to_contain_text("negative")
    expect(page.locator(f'.post[data-key="{key(1)}"] .tags')).to_contain_text("Open data")
    reason = page.locator(".reason[data-component=theme]").first
    expect(reason).to_contain_text("by Ana Ruiz")
    expect(reason).to_contain_text("“the question of licences”")
    expect(page.locator(".reason.outvoted")).to_contain_text("Improve agility")
    expect(page.locator(".history .by-person")).to_contain_text("theme: Open data to open governments")
    post = tags_of(filled.conn, key(1))
    assert post is not None
    assert [(tag.label, tag.set_by) for tag in post.tags if tag.set_by] == [
        ("open-data", "Ana Ruiz"),
        ("negative", "Ana Ruiz"),
    ]
    assert [tag.label for tag in post.tags if not tag.set_by and tag.superseded_at is None] == ["agility"]


def test_a_name_is_asked_for_once(opened: Callable[..., Page], filled: Archive) -> None:
    page = opened()
    page.locator(".open .correct").click()
    expect(page.locator(".save")).to_have_text("Confirm as right")
    page.locator(".save").click()
    expect(page.locator(".correcting [role=alert]")).to_contain_text("write your name")
    expect(page.get_by_label("Your name")).to_be_focused()
    page.get_by_label("Your name").fill("Ana")
    page.locator(".save").click()
    expect(page.locator(".open .saved")).to_have_text("Saved: themes, sentiment, question.")
    page.locator(f'.post[data-key="{key(3)}"]').click()
    expect(page.locator(".open .whole .text")).to_contain_text("number 3")
    expect(page.locator(".open .saved")).to_have_count(0)
    page.locator(".open .correct").click()
    expect(page.get_by_label("Your name")).to_have_value("Ana")
    assert filled.conn.execute("SELECT count(*) FROM tags WHERE set_by = 'Ana'").fetchone()[0] == 3


def test_what_is_typed_survives_what_happens_around_it(opened: Callable[..., Page], filled: Archive) -> None:
    page = opened()
    page.locator(".open .correct").click()
    page.get_by_label("Why").fill("half")
    page.get_by_role("button", name="Oldest first").click()
    expect(page.locator(".post .text").first).to_have_text("Pilots and more, number 0")
    page.get_by_label("Why").fill("half a sent")
    filled.chosen_by("themes 2")  # the page is drawn anew when the last post has been tagged anew
    expect(page.locator(".learned")).to_have_text("6 posts still to re-tag", timeout=10_000)
    stale = filled.stale_themes(10, "themes 2")
    anew = Themes(themes=(("defragment", 0.9),), tags=())
    filled.save_themes([(post, anew) for post in stale], themes_by="themes 2")
    expect(page.locator(f'.post[data-key="{key(2)}"] .tags')).to_contain_text("Defragment", timeout=10_000)
    expect(page.get_by_label("Why")).to_have_value("half a sent")
    expect(page.get_by_label("Why")).to_be_focused()
    page.keyboard.type("ence")
    expect(page.get_by_label("Why")).to_have_value("half a sentence")
    page.keyboard.press("Escape")
    expect(page.locator(".correcting")).to_have_count(0)
    expect(page.locator(".open .whole .text")).to_be_visible()


def test_what_cannot_be_kept_is_explained_in_the_form(opened: Callable[..., Page], filled: Archive) -> None:
    page = opened()
    page.locator(".open .correct").click()
    page.get_by_label("Your name").fill("Ana")
    with filled.transaction() as conn:
        conn.execute("UPDATE posts SET key = 'x:moved' WHERE id = 2")
    page.locator(".save").click()
    expect(page.locator(".open")).to_contain_text("not in the archive")


def test_a_dashboard_to_look_at_has_no_form(
    opened: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.READ_ONLY, "1")
    page = opened()
    expect(page.get_by_text("Why these tags")).to_be_visible()
    expect(page.locator(".open .correct")).to_have_count(0)


def test_names_and_notes_from_outside_stay_text(opened: Callable[..., Page], filled: Archive) -> None:
    asked: list[str] = []
    page = opened(before=lambda page: page.on("request", lambda request: asked.append(request.url)))
    page.locator(".open .correct").click()
    page.get_by_label("Your name").fill(HOSTILE[:80])
    page.get_by_label("Why").fill(HOSTILE)
    page.locator(".save").click()
    expect(page.locator(".open .saved")).to_be_visible()
    expect(page.locator(".reason[data-component=theme]").first).to_contain_text("<img src=http://")
    expect(page.locator(".history .note").first).to_contain_text("![x](http://")
    page.wait_for_timeout(1000)
    assert [url for url in asked if CANARY in url] == []
    assert page.evaluate("globalThis.ran") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1600, 900), (1280, 800), (390, 844)])
def test_the_form_fits_every_screen(opened: Callable[..., Page], size: tuple[int, int], scheme: str) -> None:
    width, height = size
    page = opened(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.locator(".open .correct").click()
    page.locator(".correcting .pill.negative").click()
    page.get_by_label("Your name").fill("Ana")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator(".correcting").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width
    page.locator(".save").click()
    expect(page.locator(".open .saved")).to_have_text("Saved: sentiment.")
