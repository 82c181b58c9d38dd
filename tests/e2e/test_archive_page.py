"""The Archive page in a real Chromium, against a real server and a real archive."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from archive.store import Archive
from archive.vocabulary import Author, Meeting, Post, Received, Session, Tag, Tagging, Theme
from tests.conftest import START

pytestmark = pytest.mark.browser
CANARY = "canary.example.org"
HOSTILE = (
    f"![x](http://{CANARY}/m.png) <img src='http://{CANARY}/i.png' onerror='fetch(\"http://{CANARY}/e\")'> "
    f"[link](http://{CANARY}/l) http://{CANARY}/plain <script>fetch('http://{CANARY}/s')</script> "
    "\u202eright to left\u202c $x^2$ :material/home: zebra"
)
Start = Callable[[Path], tuple[Any, str]]
Visit = Callable[..., Page]


def address(root: str, query: str = "") -> str:
    return f"{root}/?page=archive{query and '&'}{query}"


@pytest.fixture
def filled(archive: Archive, make_post: Callable[..., Post]) -> Archive:
    """Ninety posts over three hours: a thread, an edit, themes on every second post."""
    items = []
    for number in range(90):
        fields: dict[str, Any] = {"text": f"Post {number} about {'budget' if number % 3 else 'open data'}"}
        if number == 41:
            fields.update(kind="reply", reply_to=f"x:9{40:018d}")
        items.append(Received(make_post(number * 2, **fields), None, START))
    archive.write(items)
    edited = replace(
        make_post(80, text="Post 40 about open data, put right"), edited_at=START + timedelta(minutes=90)
    )
    archive.write([Received(edited, None, START + timedelta(minutes=91))])
    evidence = {"spans": [{"start": 0, "end": 4, "text": "budget", "keyword": "budget"}]}
    tags = (Tag(component="theme", label="agility", score=0.5, evidence=evidence, version="1"),)
    tagging = Tagging(
        language="en",
        themes=(("agility", 0.5),),
        sentiment="positive",
        sentiment_score=0.9,
        sure=True,
        question=False,
        tags=tags,
    )
    waiting = archive.untagged(100, newest_first=False)[::2]
    archive.save_tags([(post, tagging) for post in waiting], version="1")
    return archive


def visited(start: Start, visit: Visit, archive: Archive, query: str = "", **options: Any) -> Page:
    return visit(address(start(archive.path)[1], query), wait=".archive .list h2", **options)


def total(page: Page, posts: int) -> None:
    expect(page.locator(".list h2")).to_have_text(f"{posts} post{'' if posts == 1 else 's'}")


def test_search_narrow_open_and_come_back_by_the_address(filled: Archive, start: Start, visit: Visit) -> None:
    page = visited(start, visit, filled)
    total(page, 90)
    page.get_by_role("searchbox").fill('"open data"')
    page.keyboard.press("Enter")
    total(page, 31)
    assert page.locator(".post .text mark").first.inner_text() == "open data"
    page.locator("button[data-facet=theme][data-value=agility]").click()
    expect(page.locator("button[data-facet=theme][data-value=agility]")).to_have_attribute(
        "aria-pressed", "true"
    )
    shown = int(page.locator("button[data-facet=theme][data-value=agility] .count").inner_text())
    total(page, shown)
    page.locator(".post").first.click()
    expect(page.locator(".open .whole .text")).to_be_visible()
    text = page.locator(".open .whole .text").inner_text()
    again = visit(page.url, wait=".open .whole .text")
    total(again, shown)
    assert again.get_by_role("searchbox").input_value() == '"open data"'
    assert again.locator(".open .whole .text").inner_text() == text
    again.locator(".chosen .chip").first.click()
    total(again, 31)
    again.locator(".open .close").click()
    expect(again.locator(".open")).to_be_hidden()
    assert "post=" not in again.url


def test_an_opened_post_shows_versions_thread_and_evidence(
    filled: Archive, start: Start, visit: Visit
) -> None:
    page = visited(start, visit, filled, f"post=x:9{80:018d}")
    opened = page.locator(".open")
    expect(opened.locator(".version")).to_contain_text("Post 40 about budget")
    expect(opened.locator(".whole")).to_contain_text("put right")
    expect(opened.get_by_text("Why these tags")).to_be_visible()
    page.goto(page.url.replace(f"{80:018d}", f"{4:018d}"))
    expect(page.locator(".open .word")).to_have_text("budget", timeout=15_000)


def test_the_timeline_narrows_by_dragging_and_by_typing(filled: Archive, start: Start, visit: Visit) -> None:
    page = visited(start, visit, filled)
    expect(page.locator(".hint")).to_contain_text("2 minutes a bar")
    box = page.locator(".bars").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + 40)
    expect(page.locator(".tip")).to_have_text("26 Mar 09:00 · 1 post · Opening")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 - 2, box["y"] + 40, steps=5)
    page.mouse.up()
    expect(page.locator(".chosen .chip")).to_contain_text("from 26 Mar 09:00")
    expect(page.locator(".hint")).to_contain_text("1 minute a bar")
    assert "from=2012-03-26T09" in page.url
    page.locator("input[name=to]").fill("2012-03-26T09:20")
    page.locator("input[name=to]").blur()
    total(page, 10)
    page.get_by_role("button", name="All times").click()
    total(page, 90)


def test_more_posts_the_other_order_and_the_link(filled: Archive, start: Start, visit: Visit) -> None:
    page = visited(start, visit, filled, permissions=["clipboard-read", "clipboard-write"])
    expect(page.locator(".post")).to_have_count(20)
    page.locator(".next").click()
    expect(page.locator(".post")).to_have_count(40)
    page.get_by_role("button", name="Oldest first").click()
    expect(page.locator(".post .text").first).to_have_text("Post 0 about open data")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".link")).to_have_text("Copied ✓")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_the_download_is_the_search(filled: Archive, start: Start, visit: Visit, tmp_path: Path) -> None:
    page = visited(start, visit, filled, "q=budget&order=oldest")
    total(page, 59)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    waiting.value.save_as(tmp_path / "found.csv")
    with (tmp_path / "found.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 59
    assert rows[0]["text"] == "Post 1 about budget"
    assert rows[0]["platform_id"] == f"9{2:018d}"


def test_an_address_made_up_is_answered_in_words(filled: Archive, start: Start, visit: Visit) -> None:
    page = visited(start, visit, filled, "sentiment=%3Cimg%20src=x%3E&theme=a%20b&session=c%20d&kind=%20")
    total(page, 0)
    expect(page.locator(".list .chosen")).to_contain_text("Sentiment: <img src=x>")
    expect(page.locator(".list .notice")).to_contain_text("Take a filter away")


def test_the_keyboard_comes_back_to_the_post_that_was_closed(
    filled: Archive, start: Start, visit: Visit
) -> None:
    page = visited(start, visit, filled)
    details = page.locator(".post .details").nth(3)
    details.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".open .close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".open")).to_be_hidden()
    expect(details).to_be_focused()


def test_what_cannot_be_searched_is_explained(filled: Archive, start: Start, visit: Visit) -> None:
    page = visited(start, visit, filled, 'q="open')
    expect(page.get_by_role("alert")).to_contain_text("quotation mark is missing")
    page.get_by_role("searchbox").fill("zebra")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.empty")).to_contain_text("No post has all of this.")


def test_nothing_outside_is_ever_loaded(
    tmp_path: Path, meeting: Meeting, make_post: Callable[..., Post], start: Start, visit: Visit
) -> None:
    hostile = replace(
        meeting,
        title=HOSTILE[:200],
        themes=(Theme(slug="open-data", title=HOSTILE), Theme(slug="other", title=HOSTILE)),
        sessions=(Session(slug="s1", title=HOSTILE, starts=meeting.starts, ends=meeting.ends),),
    )
    author = Author(key="x:eve", source="x", handle=HOSTILE, name=HOSTILE, url=f"http://{CANARY}/u")
    tag = Tag(
        component=HOSTILE,
        label=HOSTILE,
        score=0.1,
        evidence={"spans": [{"text": HOSTILE}]},
        version=HOSTILE,
    )
    tagging = Tagging(
        language=HOSTILE,
        themes=(("open-data", 1.0),),
        sentiment="positive",
        sentiment_score=0.9,
        sure=True,
        question=True,
        tags=(tag,),
    )
    post = make_post(1, text=HOSTILE, author=author, url=f"http://{CANARY}/post")
    later = replace(post, text=HOSTILE + " edited", edited_at=START + timedelta(minutes=9))
    reply = make_post(2, text=HOSTILE, author=author, kind="reply", reply_to=post.key)
    with Archive.open(tmp_path / "hostile.db", hostile) as archive:
        archive.write([Received(post), Received(later), Received(reply), Received(make_post(3))])
        archive.save_tags([(one, tagging) for one in archive.untagged(9)[1:]], version="1")
        asked: list[str] = []
        page = visited(
            start,
            visit,
            archive,
            f"q=zebra&theme=open-data&post={post.key}",
            before=lambda page: page.on("request", lambda request: asked.append(request.url)),
        )
        expect(page.locator(".open .whole .text")).to_contain_text("zebra edited")
        assert page.locator(".open .version .text").inner_text().startswith("![x](http")
        page.locator(".open .close").click()
        page.locator(".tags .theme").first.hover()
        page.wait_for_timeout(1500)
        assert page.locator("img[src*=canary], iframe, script[src*=canary]").count() == 0
        assert [url for url in asked if CANARY in url] == []
        assert asked


def test_nothing_is_wider_than_the_window(filled: Archive, start: Start, visit: Visit) -> None:
    query = f"q=open+data&theme=agility&post=x:9{80:018d}"
    root = start(filled.path)[1]
    for scheme in ("light", "dark"):
        for width, height in ((1600, 900), (1280, 800), (390, 844)):
            size = {"width": width, "height": height}
            page = visit(address(root, query), wait=".open .whole .text", viewport=size, color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (scheme, size)
            assert page.locator(".archive").get_attribute("data-theme") == scheme
            assert page.locator(".archive").evaluate("(node) => node.scrollWidth <= node.clientWidth")
