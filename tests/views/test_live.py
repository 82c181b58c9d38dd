"""The Live page in every state that a meeting and its archive can be in."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from analysis.charts import Window
from archive import playback
from archive.playback import Playback, write_playback
from archive.reading import open_readonly
from archive.store import Archive
from archive.times import utc_now
from archive.vocabulary import Meeting, Received, Tagging, Theme
from views import live, push, settings
from views.live import binned, moods, window_of
from views.snapshot import Clock


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    yield
    push.close_all()


def moved(meeting: Meeting, starts: datetime) -> Meeting:
    """The same meeting at another time."""
    by = starts - meeting.starts
    return replace(
        meeting,
        starts=meeting.starts + by,
        ends=meeting.ends + by,
        sessions=tuple(replace(s, starts=s.starts + by, ends=s.ends + by) for s in meeting.sessions),
    )


def drawn(path: Path) -> AppTest:
    script = f"from pathlib import Path\nfrom views import live\nlive.page(Path({str(path)!r}))"
    page = AppTest.from_string(script, default_timeout=20).run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    return " ".join(one.proto.body for one in page.get("html"))


def charts(page: AppTest) -> list[str]:
    return [one.proto.alt for one in page.get("vega_lite_chart")]


def tag(archive: Archive, themes: tuple[str, ...]) -> None:
    values: dict[str, Any] = {"language": "en", "sentiment": "positive", "sentiment_score": 0.9, "sure": True}
    tagging = Tagging(**values, themes=tuple((t, 0.9) for t in themes), question=False, tags=())
    archive.save_tags([(post, tagging) for post in archive.untagged(1000)], version="test")


@pytest.fixture
def under_way(tmp_path: Path, meeting: Meeting) -> Iterator[Archive]:
    """An archive of a meeting that began an hour ago."""
    with Archive.open(tmp_path / "now.db", moved(meeting, utc_now() - timedelta(hours=1))) as archive:
        yield archive


def test_before_the_meeting_the_agenda_stands(tmp_path: Path, meeting: Meeting) -> None:
    with Archive.open(tmp_path / "a.db", moved(meeting, utc_now() + timedelta(days=2))) as archive:
        page = drawn(archive.path)
    assert "Agenda" in said(page) and "Coffee" in said(page) and "America/Mexico City" in said(page)
    assert charts(page) == []


def test_without_posts_the_agenda_says_what_is_under_way(under_way: Archive) -> None:
    page = drawn(under_way.path)
    assert '<tr class="now">' in said(page)


def test_with_posts_the_pictures_stand(under_way: Archive, receive: Callable[..., Received]) -> None:
    now = utc_now()
    posts = [receive(n, created_at=now - timedelta(minutes=n), author=f"a{n % 4}") for n in range(50)]
    under_way.write(posts)
    tag(under_way, ("agility",))
    page = drawn(under_way.path)
    assert charts(page)[0].startswith("Posts per minute by theme, ")
    assert "50 in all" in charts(page)[0]
    assert "Sentiment of Improve agility, 50 posts: 100% positive, 0% negative." in charts(page)
    assert "not tagged yet" not in said(page)
    under_way.write([receive(60, created_at=now)])  # one that is just being tagged changes no legend
    assert "not tagged yet" not in said(drawn(under_way.path))


def test_what_is_clicked_is_looked_for_in_the_archive() -> None:
    call = (
        "import views.live as live\n"
        "wish = {'post': 'x:1', 'q': '\"OECD\"', 'page': 'live', 'nonsense': 1}\n"
        "live.st.session_state['heard'] = {'go': wish}\nlive._go('heard')\n"
        "live.st.session_state['posts'] = {'go': None}\nlive._go('posts')"
    )
    page = AppTest.from_string(call)
    page.query_params["page"] = "live"
    page.run()
    assert not page.exception
    assert page.query_params == {"page": "archive", "post": "x:1", "q": '"OECD"'}


@pytest.mark.parametrize(("speed", "pace"), [(None, 1), (60.0, 2), (288.0, 4)])
def test_pictures_keep_up_with_a_replay(speed: float | None, pace: int) -> None:
    assert live._pace({"replay": speed and {"speed": speed}}) == pace


def test_untagged_posts_are_drawn_as_such(under_way: Archive, receive: Callable[..., Received]) -> None:
    under_way.write([receive(1, created_at=utc_now())])
    page = drawn(under_way.path)
    assert "not tagged yet" in said(page)
    assert "Nothing in this window has been tagged yet." in said(page)


def test_after_the_meeting_the_whole_of_it(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(n) for n in range(0, 240, 3)])
    tag(archive, ("open-data",))
    page = drawn(archive.path)
    assert "Late posts still count." in said(page)
    assert "Posts in 2 minutes by theme" in said(page)
    assert page.button(key="to-archive").label == "Search the archive"
    page.button(key="to-archive").click().run()
    assert page.query_params["page"] == "archive"


def test_after_a_meeting_without_posts(archive: Archive) -> None:
    page = drawn(archive.path)
    assert "No posts were kept." in said(page)
    assert not page.button


def test_many_themes_and_none(tmp_path: Path, meeting: Meeting, receive: Callable[..., Received]) -> None:
    themes = tuple(Theme(slug=f"t{n}", title=f"Theme {n}") for n in range(10))
    for name, some in (("many", themes), ("none", ())):
        changed = replace(meeting, themes=some, sessions=())
        with Archive.open(tmp_path / f"{name}.db", changed) as archive:
            archive.write([receive(n) for n in range(30)])
            tag(archive, tuple(theme.slug for theme in some[2:]))
            page = drawn(archive.path)
        assert len(charts(page)) == (7 if some else 1)
        assert ("4 more themes had fewer posts." in said(page)) is bool(some)


@pytest.mark.parametrize("content", [None, b"", b"not a database at all " * 100])
def test_an_archive_that_cannot_be_shown(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.db"
    if content is not None:
        path.write_bytes(content)
    page = drawn(path)
    assert "no archive" in said(page) or "no SQLite file" in said(page)


def test_a_newer_archive_is_refused_by_name(archive: Archive) -> None:
    with archive.transaction() as conn:
        newest = "SELECT max(name) FROM _sqlite_migrations"
        conn.execute(f"UPDATE _sqlite_migrations SET name = 'm999_later' WHERE name = ({newest})")
    assert "needs a newer Backchannel" in said(drawn(archive.path))


def test_a_replay_is_the_clock_and_can_be_paused(
    archive: Archive, receive: Callable[..., Received], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.write([receive(n) for n in range(60)])
    start = archive.meeting.starts
    state = Playback(start, archive.meeting.ends, start + timedelta(hours=1), 60.0, False, utc_now())
    with archive.transaction() as conn:
        write_playback(conn, state)
    page = drawn(archive.path)
    assert "Posts per minute" in said(page)
    sent = json.loads(page.get("bidi_component")[0].proto.json)["live"]["now"]
    assert sent["phase"] == "during"
    assert (sent["speed"], sent["replay"]["paused"]) == (60.0, False)
    for wish in ({"paused": True}, {"speed": 1e9}, {"speed": 30}, {}):
        monkeypatch.setattr(live.st, "session_state", {"pulse": {"control": wish}})
        live._control(archive.path)
    monkeypatch.setenv(settings.READ_ONLY, "1")
    monkeypatch.setattr(live.st, "session_state", {"pulse": {"control": {"paused": False}}})
    live._control(archive.path)
    conn = open_readonly(archive.path)
    played = playback.playback(conn)
    conn.close()
    assert played is not None and (played.paused, played.speed) == (True, 30.0)


def test_a_viewer_whose_push_is_blocked_is_fed(archive: Archive) -> None:
    script = (
        "import streamlit as st\nfrom pathlib import Path\nfrom views import live\n"
        f"live._poll(Path({str(archive.path)!r}))"
    )
    page = AppTest.from_string(script).run()
    assert json.loads(page.get("bidi_component")[0].proto.json)["live"]["meeting"]["title"]


# The windows and bins of the pictures.


def test_the_window_is_the_last_hour_then_the_meeting_then_the_posts(meeting: Meeting) -> None:
    inside = (meeting.starts, meeting.ends)
    during = window_of(meeting, Clock(meeting.starts + timedelta(minutes=90, seconds=20)), inside)
    assert (during.ends - during.starts, during.minutes) == (timedelta(hours=1), 1)
    assert during.ends == meeting.starts + timedelta(minutes=91)
    after = window_of(meeting, Clock(meeting.ends), inside)
    assert (after.starts, after.ends, after.minutes) == (meeting.starts, meeting.ends, 2)
    late = (meeting.ends + timedelta(days=1), meeting.ends + timedelta(days=2))
    assert window_of(meeting, Clock(meeting.ends + timedelta(days=9)), late).starts == late[0]


def test_minutes_are_added_up_to_round_times_of_the_meeting() -> None:
    starts = datetime(2012, 3, 26, 15, 2, tzinfo=UTC)
    zone = ZoneInfo("Asia/Kolkata")
    window = Window(starts=starts, ends=starts + timedelta(hours=5), minutes=60, zone=zone, now=starts)
    minutes = [("2012-03-26T15:29", "a", 1), ("2012-03-26T15:30", "a", 2), ("2012-03-26T16:29", "a", 4)]
    assert binned(minutes, window) == [
        (datetime(2012, 3, 26, 14, 30, tzinfo=UTC), "a", 1),
        (datetime(2012, 3, 26, 15, 30, tzinfo=UTC), "a", 6),
    ]
    bins = [{"bin": minute, "theme": t, "n": n, "positive": n, "negative": 0} for minute, t, n in minutes]
    assert moods(bins, window)["a"][1] == (datetime(2012, 3, 26, 15, 30, tzinfo=UTC), 6, 6, 0)
