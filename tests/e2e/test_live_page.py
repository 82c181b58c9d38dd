"""The Live page in a real Chromium, against a real server and a real archive."""

from __future__ import annotations

import re
import signal
import sqlite3
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from archive.playback import Playback, playback, write_playback
from archive.store import Archive
from archive.times import utc_now
from archive.vocabulary import Author, Deleted, Meeting, Name, Received, Session, Tagging, Theme

pytestmark = pytest.mark.browser
WATCH = """() => {
  globalThis.seen = {}
  const roots = [...document.querySelectorAll("*")].map((node) => node.shadowRoot)
  const root = roots.find((one) => one?.querySelector(".posts"))
  const look = () => {
    for (const { textContent } of root.querySelectorAll(".posts .text")) {
      globalThis.seen[textContent] ??= Date.now()
    }
  }
  new MutationObserver(look).observe(root, { childList: true, subtree: true, characterData: true })
}"""
CANARY = "canary.example.org"
Start = Callable[[Path], tuple[Any, str]]


@pytest.fixture
def meeting() -> Meeting:
    """A meeting that is under way on the real clock."""
    now = utc_now()
    return Meeting(
        slug="now",
        title="A meeting under way",
        hashtags=("now",),
        starts=now - timedelta(hours=1),
        ends=now + timedelta(hours=3),
        timezone="Europe/Paris",
        themes=(Theme(slug="open-data", title="Open data"), Theme(slug="agility", title="Agility")),
        sessions=(
            Session(
                slug="s1",
                title="The first hour",
                starts=now - timedelta(hours=1),
                ends=now + timedelta(hours=3),
            ),
        ),
    )


@pytest.fixture
def send(archive: Archive, receive: Callable[..., Received]) -> Callable[..., None]:
    """Write one post, dated now, as a collector does."""

    def write(number: int, text: str, **fields: object) -> None:
        now = utc_now()
        archive.write([receive(number, text=text, created_at=now, received_at=now, **fields)])

    return write


def tag(archive: Archive, **fields: Any) -> None:
    values: dict[str, Any] = {
        "language": "en",
        "themes": (("open-data", 0.9),),
        "sentiment": "positive",
        "sentiment_score": 0.9,
        "sure": True,
        "question": False,
        "tags": (),
        **fields,
    }
    archive.save_tags([(post, Tagging(**values)) for post in archive.untagged(1000)], version="test")


def figure(page: Page, key: str) -> str:
    return page.locator(f"[data-figure={key}] .value").inner_text()


def test_posts_appear_and_the_counters_equal_the_sql(
    archive: Archive, send: Callable[..., None], start: Start, visit: Callable[..., Page]
) -> None:
    send(1, "The very first")
    page = visit(start(archive.path)[1])
    expect(page.locator(".posts li")).to_have_count(1)
    for number in range(2, 12):
        send(number, f"Post {number}", author=f"author{number % 4}")
    tag(archive)
    expect(page.locator(".posts li")).to_have_count(11)
    expect(page.locator(".posts li").first.locator(".text")).to_have_text("Post 11")
    expect(page.locator(".posts li").first.locator(".tags")).to_contain_text("Open data")
    with sqlite3.connect(archive.path) as conn:
        posts, authors = conn.execute("SELECT count(*), count(DISTINCT author_id) FROM posts").fetchone()
    conn.close()
    expect(page.locator("[data-figure=posts] .value")).to_have_text(str(posts))
    assert figure(page, "authors") == str(authors)
    assert figure(page, "mood").split() == ["▲", "100%", "▼", "0%"]


def test_an_edit_a_tag_and_a_deletion_reach_a_post_that_is_shown(
    archive: Archive, send: Callable[..., None], start: Start, visit: Callable[..., Page]
) -> None:
    send(1, "Is it tagged?")
    send(2, "It stays")
    page = visit(start(archive.path)[1])
    first = page.locator(".posts li", has_text="Is it tagged?")
    expect(first.locator(".tags")).to_contain_text("not tagged yet")
    tag(archive, question=True, sentiment="negative")
    expect(first.locator(".tags")).to_contain_text("question")
    expect(first.locator(".mood.negative")).to_have_text("▼negative")
    archive.write([Deleted("x:9000000000000000001", "x")])
    expect(page.locator(".posts li")).to_have_count(1)
    expect(page.locator("[data-figure=posts] .value")).to_have_text("1")


def test_a_committed_post_is_visible_within_half_a_second(
    archive: Archive, send: Callable[..., None], start: Start, visit: Callable[..., Page]
) -> None:
    page = visit(start(archive.path)[1])
    expect(page.locator(".push")).to_contain_text("Live")
    page.evaluate(WATCH)

    def late(first: int) -> list[float]:
        delays = []
        for number in range(first, first + 20):
            send(number, f"probe {number}")
            committed = time.time() * 1000
            page.wait_for_function("(text) => globalThis.seen[text]", arg=f"probe {number}")
            delays.append(page.evaluate("(text) => globalThis.seen[text]", f"probe {number}") - committed)
            page.wait_for_timeout(90)
        return sorted(delays)

    # The best of some rounds, since a busy machine may be slow.
    rounds = [late(100)]
    while rounds[-1][18] > 500 and len(rounds) < 4:
        rounds.append(late(100 * (len(rounds) + 1)))
    assert rounds[-1][18] <= 500, rounds


def test_hostile_text_reaches_no_other_host_and_runs_nothing(
    tmp_path: Path,
    meeting: Meeting,
    receive: Callable[..., Received],
    start: Start,
    visit: Callable[..., Page],
) -> None:
    image = f"![x](http://{CANARY}/a.png) <img src=http://{CANARY}/b.png onerror=globalThis.ran=1>"
    hostile = f"{image}<script>globalThis.ran=1</script>"
    theme = Theme(slug="open-data", title=hostile)
    session = Session(slug="s1", title=hostile, starts=meeting.starts, ends=meeting.ends)
    named = Meeting(
        slug="now",
        title=hostile,
        hashtags=("now",),
        starts=meeting.starts,
        ends=meeting.ends,
        timezone="Europe/Paris",
        themes=(theme,),
        sessions=(session,),
    )
    author = Author(key="x:1", source="x", handle=image, name=hostile)
    with Archive.open(tmp_path / "hostile.db", named) as archive:
        now = utc_now()
        posts = [
            receive(n, text=f"{hostile} \u202eevil #{CANARY}", author=author, created_at=now)
            for n in range(12)
        ]
        archive.write(posts)
        tag(archive)
        asked: list[str] = []

        def listen(page: Page) -> None:
            page.on("request", lambda request: asked.append(request.url))

        address = start(archive.path)[1]
        page = visit(address, before=listen)
        expect(page.locator(".posts li")).to_have_count(12)
        expect(page.locator(".posts li").first.locator(".text")).to_contain_text("![x](http://")
        page.wait_for_selector("[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas")
        page.wait_for_timeout(1500)
        assert [url for url in asked if not url.startswith((address, "data:", "blob:", "ws:"))] == []
        assert page.evaluate("globalThis.ran") is None


def test_where_push_is_blocked_the_page_polls_by_itself_and_says_so(
    archive: Archive, send: Callable[..., None], start: Start, visit: Callable[..., Page]
) -> None:
    send(1, "Before")
    page = visit(
        start(archive.path)[1], before=lambda page: page.route("**/api/live", lambda route: route.abort())
    )
    expect(page.locator(".push")).to_have_text("Updates every 2 s", timeout=15_000)
    send(2, "Without a push")
    expect(page.locator(".posts li").first.locator(".text")).to_have_text("Without a push", timeout=10_000)
    page.unroute("**/api/live")
    expect(page.locator(".push")).to_have_text("Live", timeout=40_000)


def test_many_tabs_share_one_stream(
    archive: Archive, send: Callable[..., None], start: Start, visit: Callable[..., Page]
) -> None:
    asked: list[str] = []

    def listen(page: Page) -> None:
        page.on("request", lambda request: asked.append(request.url))

    address = start(archive.path)[1]
    first = visit(address, before=listen)
    pages = [first]
    for _ in range(7):
        page = first.context.new_page()
        listen(page)
        page.goto(address)
        page.wait_for_selector(".pulse h1:not(:empty)")
        pages.append(page)
    send(1, "To every tab")
    for page in pages:
        expect(page.locator(".posts li .text")).to_have_text("To every tab")
        expect(page.locator(".push")).to_have_text("Live")
    assert sum(url.endswith("/api/live") for url in asked) == 1
    first.close()
    send(2, "The first tab is gone")
    for page in pages[1:]:
        expect(page.locator(".posts li .text").first).to_have_text("The first tab is gone")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_server_ends_within_two_seconds_with_streams_open(
    archive: Archive, start: Start, visit: Callable[..., Page], sign: signal.Signals
) -> None:
    def took() -> float:
        server, address = start(archive.path)
        expect(visit(address).locator(".push")).to_have_text("Live")
        server.send_signal(sign)
        began = time.monotonic()
        assert server.wait(20) == 0
        return time.monotonic() - began

    # The best of some times, since a busy machine may be slow.
    assert any(took() < 2 for _ in range(4))


@pytest.mark.parametrize("size", [(1600, 900), (1280, 800), (390, 844)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_every_screen(
    archive: Archive,
    send: Callable[..., None],
    start: Start,
    visit: Callable[..., Page],
    size: tuple[int, int],
    scheme: str,
) -> None:
    for number in range(30):
        send(number, "A longer post with a verylongwordthatmustbebroken" + "x" * 120)
    tag(archive)
    width, height = size
    page = visit(start(archive.path)[1], viewport={"width": width, "height": height}, color_scheme=scheme)
    page.wait_for_selector("[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".pulse").get_attribute("data-theme") == scheme
    expect(page.locator("[data-testid=stToolbar]")).to_be_hidden()
    if size == (1600, 900):
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight") <= 940
    assert re.search(r"\d", figure(page, "posts"))


def test_a_replay_is_paused_from_the_page(archive: Archive, start: Start, visit: Callable[..., Page]) -> None:
    begins, ends = archive.meeting.starts, archive.meeting.ends
    state = Playback(begins, ends, begins + timedelta(minutes=30), 60.0, False, utc_now())
    with archive.transaction() as conn:
        write_playback(conn, state)
    page = visit(start(archive.path)[1])
    expect(page.locator(".replay")).to_contain_text("×60")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.locator(".replay-title")).to_have_text("Replay, paused")
    page.get_by_role("button", name="Faster").click()
    expect(page.locator(".speed")).to_have_text("×120")
    played = playback(archive.conn)
    assert played is not None and (played.paused, played.speed) == (True, 120.0)


def test_a_list_that_is_held_stays_still_until_it_is_let_go(
    archive: Archive, send: Callable[..., None], start: Start, visit: Callable[..., Page]
) -> None:
    send(1, "First")
    page = visit(start(archive.path)[1])
    page.get_by_role("button", name="Hold").click()
    send(2, "Second")
    expect(page.locator(".more")).to_have_text("↑ 1 new post")
    expect(page.locator(".posts li")).to_have_count(1)
    page.locator(".more").click()
    expect(page.locator(".posts li .text").first).to_have_text("Second")


def test_a_rising_topic_opens_its_posts(
    archive: Archive,
    receive: Callable[..., Received],
    send: Callable[..., None],
    start: Start,
    visit: Callable[..., Page],
) -> None:
    earlier = utc_now() - timedelta(minutes=50)
    words = ("quiet", "slow", "warm", "long")
    archive.write([receive(n, text=f"A {words[n % 4]} morning", created_at=earlier) for n in range(30)])
    for number in range(30, 36):
        send(number, f"The blackout <b>again</b> {number}", author=f"a{number}")
    page = visit(start(archive.path)[1])
    topic = page.locator("[data-id=topics] button", has_text="blackout").first
    expect(topic).to_be_visible(timeout=20_000)
    topic.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".examples li")).to_have_count(3)
    expect(page.locator(".examples li").first).to_contain_text("The blackout <b>again</b> 35")
    expect(page.locator("[data-id=topics] button[aria-expanded=true]")).to_be_focused()
    page.locator(".examples a").first.click()
    expect(page.locator(".open .whole .text")).to_contain_text("The blackout <b>again</b>")
    assert "page=archive" in page.url and "post=x" in page.url


def test_names_are_ranked_by_what_is_shown_of_them(
    archive: Archive, send: Callable[..., None], start: Start, visit: Callable[..., Page]
) -> None:
    for number, (author, name) in enumerate(
        [(f"a{n}", "OECD") for n in range(4)] + [(f"b{n % 3}", "UNESCO") for n in range(5)]
    ):
        send(number, f"{name} speaks {number}", author=author)
        tag(archive, names=(Name("organisation", name),))
    page = visit(start(archive.path)[1])
    names = page.locator("[data-id=names]")
    expect(names.locator("h2")).to_have_text("Mentioned authors, last hour", timeout=20_000)
    expect(names.locator("li")).to_have_text(["OECD4", "UNESCO3"])
    expect(names.locator("a").last).to_have_attribute("title", "organisation, in 5 posts by 3 authors")


def test_complaints_stand_above_everything_and_lead_to_the_archive(
    archive: Archive, send: Callable[..., None], start: Start, visit: Callable[..., Page]
) -> None:
    send(1, "All is well")
    tag(archive)
    page = visit(start(archive.path)[1])
    expect(page.locator(".posts li")).to_have_count(1)
    expect(page.locator(".alarm")).to_be_hidden()
    for number in range(2, 6):
        send(number, f"The stream keeps dropping {number} <img src=x>")
    tag(archive, logistics=True, sentiment="negative")
    expect(page.locator(".alarm.loud .count")).to_have_text("▲ 4 posts about stream, sound or room in 5 min")
    expect(page.locator(".alarm .quoted").first).to_contain_text("The stream keeps dropping 5 <img src=x>")
    expect(page.locator(".posts li").first.locator(".tags")).to_contain_text("stream, sound, room")
    page.locator(".alarm .count").click()
    expect(page.locator(".archive .list h2")).to_have_text("4 posts")
    expect(page.locator(".chosen .chip")).to_contain_text("stream, sound, room")


def test_a_question_to_the_chair_is_marked_and_opened(
    archive: Archive, send: Callable[..., None], start: Start, visit: Callable[..., Page]
) -> None:
    for number in range(1, 5):
        send(number, f"Who pays for it? {number}", author=f"a{number}")
    tag(archive, question=True)
    archive.save_groups(dict.fromkeys(range(1, 5), 1))
    page = visit(start(archive.path)[1])
    first = page.locator(".posts li").first
    expect(first.locator(".tags")).to_contain_text("question to the chair")
    expect(first.locator(".tags")).to_contain_text("asked by 4")
    first.get_by_role("link", name="Open the post of @bc_a4").click()
    expect(page.locator(".open .whole .text")).to_contain_text("Who pays for it? 4")
    expect(page.get_by_text("Asked by others too")).to_be_visible()
    expect(page.locator(".open section", has_text="Asked by others too").locator(".other")).to_have_count(3)
