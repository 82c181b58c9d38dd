"""Feed health on the Live page, in a real Chromium: what every source is doing, and what it has missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from archive.collecting import Heartbeat, Turn
from archive.store import Archive
from archive.times import utc_now
from archive.vocabulary import Meeting, Received, SourceSpec, Span, State

pytestmark = pytest.mark.browser

Start = Callable[[Path], tuple[Any, str]]
Visit = Callable[..., Page]
PHONE = {"width": 390, "height": 844}
CUT = "social.example.org broke off (ConnectionResetError)"
GONE = "the folder zoom-chat is not there any more: is the drive of the meeting room's computer connected?"
REFUSED = "the server answered 401: renew the token"


@pytest.fixture
def now() -> datetime:
    """The moment from which the ledger of a test looks back, a whole second."""
    return utc_now().replace(microsecond=0)


@pytest.fixture
def meeting(now: datetime) -> Meeting:
    """A meeting that is under way on the real clock."""
    names = ("x", "mastodon", "bluesky", "folder", "webhook")
    return Meeting(
        slug="now",
        title="A meeting under way",
        hashtags=("now",),
        starts=now - timedelta(hours=2),
        ends=now + timedelta(hours=3),
        timezone="America/Mexico_City",
        sources=tuple(
            SourceSpec(kind=kind, name=name, arm="public")  # type: ignore[arg-type]
            for kind, name in (*zip(names, names, strict=True), ("mastodon", "second"))
        ),
    )


@pytest.fixture
def span(now: datetime) -> Callable[..., Span]:
    """An interval of the ledger, in seconds before now."""

    def make(name: str, state: State, starts: float, ends: float | None = None, **fields: Any) -> Span:
        return Span(
            name=name,
            source="zoom" if name == "folder" else name,
            state=state,
            started_at=now - timedelta(seconds=starts),
            ended_at=None if ends is None else now - timedelta(seconds=ends),
            **fields,
        )

    return make


@pytest.fixture
def every_state(
    archive: Archive, span: Callable[..., Span], receive: Callable[..., Received], now: datetime
) -> None:
    """A ledger with a source in each state; the newest post is twelve minutes old."""
    lost = {"backfilled": "its timeline; boosts are lost", "missing_estimate": 14}
    archive.write(
        [
            receive(1, created_at=now - timedelta(minutes=12), received_at=now - timedelta(minutes=12)),
            span("x", "listening", 7200, 5000),
            span("x", "deaf", 5000, 4900, cause=CUT, backfilled="search", missing_estimate=0),
            span("x", "listening", 4900, cause="16,000 of at most 20,000 posts read"),
            span("mastodon", "listening", 7200, 900),
            span("mastodon", "deaf", 900, 800, cause=CUT, **lost),
            span("mastodon", "listening", 800, 90),
            span("mastodon", "deaf", 90, 60, cause=CUT),
            span("mastodon", "waiting", 60, 40, cause="too many requests"),
            span("mastodon", "catching_up", 40),
            span("bluesky", "listening", 7200, 30),
            span("bluesky", "waiting", 30, -600, cause="too many requests"),
            span("folder", "listening", 7200, 240),
            span("folder", "deaf", 240, cause=GONE),
            span("webhook", "stopped", 7200, cause=REFUSED),
        ]
    )
    alive(archive, "x", "mastodon")


def alive(archive: Archive, *names: str) -> None:
    for name in names:
        archive.heard(name, name, utc_now())


def feed(page: Page, name: str) -> Locator:
    return page.locator(f"[data-feed={name}] button.feed")


def clock(moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo('America/Mexico_City')):%H:%M:%S}"


@pytest.mark.usefixtures("every_state")
def test_every_source_says_what_it_does_since_when_and_why(
    archive: Archive, start: Start, visit: Visit, now: datetime
) -> None:
    page = visit(start(archive.path)[1])
    x = "●x listening · last post 12 min ago 16,000 of at most 20,000 posts read 1 gap refilled"
    expect(feed(page, "x")).to_have_text(x)
    mastodon = "◐mastodon catching up refilling 1 gap 1 other gap about 14 posts missing"
    expect(feed(page, "mastodon")).to_have_text(mastodon)
    until = clock(now + timedelta(seconds=600))
    expect(feed(page, "bluesky")).to_have_text(f"○bluesky waiting until {until} too many requests")
    since = clock(now - timedelta(seconds=240))
    expect(feed(page, "folder")).to_have_text(f"▲folder deaf since {since} {GONE}")
    since = clock(now - timedelta(hours=2))
    expect(feed(page, "webhook")).to_have_text(f"■webhook stopped since {since} {REFUSED}")
    expect(feed(page, "second")).to_have_text("□second not started yet")


def test_a_change_of_state_is_seen_at_once_and_a_quiet_source_is_never_deaf(
    archive: Archive, start: Start, visit: Visit, span: Callable[..., Span]
) -> None:
    archive.write([span("x", "listening", 3600)])
    alive(archive, "x")
    page = visit(start(archive.path)[1])
    expect(feed(page, "x")).to_have_text("●x listening · no posts yet")
    archive.collect([], [Turn("x", "x", "stopped", utc_now(), REFUSED)])
    expect(feed(page, "x")).to_contain_text("stopped since")
    expect(feed(page, "x")).to_contain_text(REFUSED)
    archive.collect([], [Turn("x", "x", "listening", utc_now()), Heartbeat("x", "x", utc_now())])
    expect(feed(page, "x")).to_have_text("●x listening · no posts yet 1 gap unknown number missing")


@pytest.mark.usefixtures("every_state")
def test_the_details_open_by_mouse_and_by_keyboard(archive: Archive, start: Start, visit: Visit) -> None:
    page = visit(start(archive.path)[1])
    panel = page.locator(".panel")
    feed(page, "mastodon").click()
    expect(panel).to_have_attribute("aria-label", "mastodon, details")
    expect(panel.locator("li")).to_have_count(2)
    expect(panel.locator("li").first).to_contain_text("being refilled")
    expect(panel.locator("li").first).to_contain_text(f"{CUT}; too many requests")
    expect(panel.locator("li").last).to_contain_text(
        "refilled by its timeline · boosts are lost · about 14 posts"
    )
    page.locator("h1").click()
    expect(panel).to_have_count(0)

    feed(page, "folder").focus()
    page.keyboard.press("Enter")
    expect(panel).to_contain_text(GONE)
    expect(feed(page, "folder")).to_have_attribute("aria-expanded", "true")
    expect(feed(page, "mastodon")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(feed(page, "folder")).to_be_focused()
    expect(feed(page, "folder")).to_have_attribute("aria-expanded", "false")


@pytest.mark.usefixtures("every_state")
def test_focus_and_an_open_panel_outlast_updates(
    archive: Archive, start: Start, visit: Visit, receive: Callable[..., Received]
) -> None:
    page = visit(start(archive.path)[1])
    feed(page, "x").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    close = page.locator(".panel").get_by_role("button", name="Close")
    expect(close).to_be_focused()
    # A new source comes before it, and its own line changes.
    archive.write([receive(2, created_at=utc_now(), received_at=utc_now())])
    archive.collect([], [Turn("a", "x", "deaf", utc_now(), CUT), Heartbeat("x", "x", utc_now())])
    expect(feed(page, "a")).to_be_visible()
    expect(feed(page, "x")).to_have_text("●x listening 16,000 of at most 20,000 posts read 1 gap refilled")
    expect(close).to_be_focused()
    close.click()
    expect(feed(page, "x")).to_be_focused()


@pytest.mark.usefixtures("every_state")
def test_on_a_phone_the_reason_is_seen_and_the_figures_stay_on_the_first_screen(
    archive: Archive, start: Start, visit: Visit
) -> None:
    page = visit(start(archive.path)[1], viewport=PHONE, has_touch=True)
    for name in ("bluesky", "folder", "webhook"):
        expect(feed(page, name).locator(".note")).to_be_visible()
    note = feed(page, "folder").locator(".note")
    assert note.evaluate("node => node.scrollWidth > node.clientWidth"), "a long reason is cut"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = page.locator(".figures").bounding_box()
    assert box is not None and box["y"] + box["height"] <= PHONE["height"]

    feed(page, "folder").tap()
    expect(page.locator(".panel .reason")).to_have_text(GONE)
    box = page.locator(".panel").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
    page.locator(".panel").get_by_role("button", name="Close").tap()
    expect(page.locator(".panel")).to_have_count(0)


def test_of_thousands_of_gaps_the_newest_are_listed_and_nothing_is_taken_for_html(
    archive: Archive, start: Start, visit: Visit, span: Callable[..., Span]
) -> None:
    hostile = "<img src=x onerror=globalThis.hit=1>"
    fields = {"cause": hostile, "backfilled": f"search; {hostile}", "missing_estimate": 1}
    ledger = [span("x", "listening", 7200, 7000)]
    for n in range(1000):
        ledger.append(span("x", "deaf", 7000 - 7 * n, 6999 - 7 * n, **fields))
        ledger.append(span("x", "listening", 6999 - 7 * n, 6993 - 7 * n))
    archive.write([*ledger, span("x", "deaf", 0, cause=hostile)])
    page = visit(start(archive.path)[1])
    expect(feed(page, "x")).to_contain_text("1,000 gaps about 1,000 posts missing")
    feed(page, "x").click()
    expect(page.locator(".panel li")).to_have_count(20)
    expect(page.locator(".panel .more-gaps")).to_have_text("The newest 20 of 1,000.")
    expect(page.locator(".panel .reason")).to_have_text(hostile)
    assert page.evaluate("globalThis.hit") is None
