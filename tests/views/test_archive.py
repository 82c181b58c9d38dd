"""The Archive page in every state of its address and of its archive."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from archive.errors import SearchError
from archive.export_tables import POST_COLUMNS
from archive.facets import Selection
from archive.store import Archive
from archive.vocabulary import Author, Meeting, Received, Tagging
from tests.conftest import START
from views import settings
from views.archive import MOST_SHOWN, as_csv, correct, selected

KEPT = ("archive_shown", "archive_saved")
Receive = Callable[..., Received]
TEXTS = ("Open data for everybody", "Lunch is served", "Who pays for open data?")
TAGGING = Tagging(
    language="en",
    themes=(("open-data", 0.9),),
    sentiment="positive",
    sentiment_score=0.8,
    sure=True,
    question=False,
    tags=(),
)


@pytest.fixture
def path(archive: Archive, receive: Receive) -> Path:
    """Sixty posts, three texts in turn, the first thirty of them tagged."""
    archive.write([receive(n, text=TEXTS[n % 3]) for n in range(60)])
    waiting = archive.untagged(30, newest_first=False)
    archive.save_tags([(post, TAGGING) for post in waiting], version="1")
    return archive.path


def opened(path: Path, **address: str) -> AppTest:
    script = f"from pathlib import Path\nfrom views import archive\narchive.page(Path({str(path)!r}))"
    page = AppTest.from_string(script, default_timeout=20)
    for name, value in address.items():
        page.query_params[name.rstrip("_")] = value
    page.run()
    assert not page.exception
    return page


def state(page: AppTest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.get("bidi_component")[0].proto.json)
    return found


def said(page: AppTest) -> str:
    return " ".join(one.proto.body for one in page.get("html"))


def test_it_opens_with_everything(path: Path) -> None:
    page = opened(path)
    shown = state(page)
    assert (shown["total"], len(shown["posts"]), shown["problem"]) == (60, 20, None)
    assert shown["more"] == "Show 20 more of 40"
    assert shown["posts"][0]["when"] == "26 Mar 09:59"
    assert sum(shown["timeline"]["counts"]) == 60
    assert "A sample meeting" in said(page)
    assert "26 Mar 2012 · all times in America/Mexico City" in said(page)


def test_a_search_is_typed_and_stands_in_the_address(path: Path) -> None:
    page = opened(path)
    page.text_input[0].set_value("lunch").run()
    assert page.query_params["q"] == "lunch"
    assert state(page)["total"] == 20
    assert state(page)["posts"][0]["segments"] == [["Lunch", True], [" is served", False]]
    page.text_input[0].set_value(" ").run()
    assert "q" not in page.query_params
    assert state(page)["total"] == 60


def test_an_address_restores_the_view(path: Path) -> None:
    page = opened(
        path,
        q="open data",
        theme="open-data",
        kind="original",
        order="oldest",
        from_="2012-03-26T09:00",
        to="2012-03-26T09:10",
        post="x:9" + "0" * 17 + "2",
    )
    shown = state(page)
    assert page.text_input[0].value == "open data"
    assert [post["when"] for post in shown["posts"]] == [
        f"26 Mar 09:0{minute}" for minute in (0, 2, 3, 5, 6, 8, 9)
    ]
    assert (shown["from"], shown["to"], shown["order"]) == ("2012-03-26T09:00", "2012-03-26T09:10", "oldest")
    chosen = {facet["name"]: facet["chosen"] for facet in shown["facets"] if facet["chosen"]}
    assert chosen == {"theme": "open-data", "kind": "original"}
    assert shown["open"]["segments"] == [["Who pays for open data?", False]]


def test_what_cannot_be_searched_is_explained(path: Path) -> None:
    shown = state(opened(path, q='"open'))
    assert "quotation mark is missing" in shown["problem"]
    assert (shown["posts"], shown["timeline"]) == ([], None)
    assert "is no time: write it like 2012-03-26T09:00" in state(opened(path, from_="yesterday"))["problem"]


def test_nothing_found_says_what_to_do(path: Path) -> None:
    shown = state(opened(path, q="zebra", theme="agility"))
    assert shown["total"] == 0
    assert shown["empty"]["what"] == "No post has all of this."
    assert len(shown["empty"]["do"]) == 3
    assert {facet["label"] for facet in shown["facets"] if facet["chosen"]} == {"Improve agility"}


def test_an_empty_archive_says_how_to_fill_it(archive: Archive) -> None:
    page = opened(archive.path)
    assert state(page)["empty"]["what"] == "There are no posts in this archive yet."
    assert "backchannel import" in state(page)["empty"]["do"][0]
    assert page.get("download_button")[0].proto.disabled


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(b"no archive at all, but long enough to be looked at" * 20)
    assert "This archive cannot be read" in said(opened(other))
    assert "This archive cannot be read" in said(opened(tmp_path / "absent.db"))


def test_a_damaged_archive_is_said(path: Path, archive: Archive, tmp_path: Path) -> None:
    archive.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = path.read_bytes()
    broken = tmp_path / "broken.db"
    for kept in range(4096 * 2, len(whole), 4096 * 6):
        broken.unlink(missing_ok=True)
        broken.write_bytes(whole[:kept] + b"\xff" * (len(whole) - kept))
        page = opened(broken, q="data", post="x:9" + "0" * 18)
        assert "This archive cannot be" in said(page) or state(page)["total"] >= 0


def test_marks_that_cannot_be_read_are_said(path: Path, archive: Archive) -> None:
    archive.conn.execute("DROP TABLE question_groups")
    assert "This archive cannot be searched" in said(opened(path))


def test_a_post_that_is_gone_is_said(path: Path) -> None:
    assert "not in the archive" in state(opened(path, post="x:gone"))["open"]["gone"]


def test_clicks_come_back_as_parameters(path: Path) -> None:
    page = opened(path, theme="open-data", page="archive")
    act(page, {"set": {"theme": None, "kind": "original", "page": "live", "nonsense": "1"}})
    assert page.query_params == {"kind": "original", "page": "archive"}
    assert state(page)["total"] == 60


def test_more_posts_are_shown_until_the_view_changes(path: Path) -> None:
    page = opened(path)
    act(page, {"more": 20})
    assert len(state(page)["posts"]) == 40
    act(page, {"more": 40})
    assert (len(state(page)["posts"]), state(page)["more"], state(page)["rest"]) == (60, None, None)
    act(page, {"set": {"kind": "original"}})
    assert len(state(page)["posts"]) == 20


def test_a_very_long_list_ends_with_advice(archive: Archive, receive: Receive) -> None:
    archive.write([receive(n) for n in range(MOST_SHOWN + 5)])
    page = opened(archive.path)
    page.session_state["archive_shown"] = ((None,) * 11, 10_000)
    page.run()
    assert state(page)["rest"] == "5 more: narrow the search, or download all 205 as CSV."


def act(page: AppTest, wish: dict[str, Any], path: str = "") -> None:
    """What the component does when something is clicked: AppTest cannot click in it."""
    call = (
        f"from pathlib import Path\nimport views.archive as a\n"
        f"a.st.session_state['archive'] = {{'act': {wish!r}}}\na._act(Path({path!r}))"
    )
    helper = AppTest.from_string(call)
    helper.query_params = page.query_params
    for name in KEPT:
        if name in page.session_state:
            helper.session_state[name] = page.session_state[name]
    helper.run()
    assert not helper.exception
    page.query_params = helper.query_params
    for name in KEPT:
        if name in helper.session_state:
            page.session_state[name] = helper.session_state[name]
    page.run()


def key(number: int) -> str:
    return f"x:9{number:018d}"


def test_a_correction_is_kept_and_shown_at_once(path: Path, archive: Archive) -> None:
    page = opened(path, post=key(2))
    assert state(page)["correcting"]["themes"] == ["open-data", "agility", "defragment"]
    said_ = {"key": key(2), "by": " Ana ", "note": "about pilots", "themes": ["agility"], "question": True}
    act(page, {"correct": said_}, str(path))
    shown = state(page)
    assert shown["saved"] == {"number": 1, "key": key(2), "said": "Saved: themes, question.", "problem": None}
    assert (shown["open"]["themes"], shown["open"]["question"]) == (["agility"], True)
    assert shown["open"]["why"][0]["person"] == "Ana"
    assert "1 correction given, not learned from yet" in said(page)
    act(page, {"set": {"post": key(3)}}, str(path))
    act(page, {"set": {"post": key(2)}}, str(path))  # said once is enough
    assert state(page)["saved"] == {"number": 1, "key": None, "said": "", "problem": None}


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"by": " ", "themes": []}, "signed"),
        ({"by": "Ana"}, "nothing to correct"),
        ({"by": "Ana", "themes": ["made-up"]}, "not known"),
        ({"by": "Ana", "themes": "agility"}, "load the page again"),
        ({"by": "Ana", "themes": [1]}, "load the page again"),
        ({"by": "Ana", "sentiment": "angry"}, "load the page again"),
        ({"by": "Ana", "question": "yes"}, "load the page again"),
        ({"by": "Ana", "language": 7}, "load the page again"),
        ({"by": "Ana", "language": "xx"}, "not known"),
        ({"by": "Ana", "sentiment": "neutral", "key": "x:gone"}, "no such post"),
        ({"by": "Ana\x00", "sentiment": "neutral"}, "name, note"),
    ],
)
def test_what_cannot_be_kept_is_explained(path: Path, wrong: dict[str, Any], problem: str) -> None:
    outcome = correct(path, {"key": key(2), **wrong})
    assert problem in outcome["problem"], outcome


def test_nothing_is_corrected_where_it_is_read_only(
    path: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.READ_ONLY, "1")
    assert state(opened(path, post=key(2)))["correcting"] is None
    outcome = correct(path, {"key": key(2), "by": "Ana", "sentiment": "negative"})
    assert "read-only" in outcome["problem"]
    assert archive.conn.execute("SELECT count(*) FROM tags WHERE set_by IS NOT NULL").fetchone()[0] == 0


def test_logistics_narrow_the_search(archive: Archive, receive: Receive) -> None:
    archive.write([receive(n) for n in range(3)])
    posts = archive.untagged(2, newest_first=False)
    archive.save_tags(
        [(posts[0], replace(TAGGING, logistics=True)), (posts[1], replace(TAGGING, question=True))],
        version="1",
    )
    shown = state(opened(archive.path, logistics="1"))
    assert [(post["key"], post["logistics"]) for post in shown["posts"]] == [(key(0), True)]
    facet = next(facet for facet in shown["facets"] if facet["name"] == "logistics")
    assert [(one["label"], one["posts"]) for one in facet["values"]] == [
        ("stream, sound, room", 1),
        ("everything else", 1),
        ("not tagged yet", 1),
    ]
    assert state(opened(archive.path, logistics="0"))["posts"][0]["to_chair"] is True


def test_the_csv_holds_what_is_found_and_no_formula(archive: Archive, receive: Receive, path: Path) -> None:
    hostile = Author(key="x:eve", source="x", handle="eve", name="=HYPERLINK(1)")
    archive.write([receive(90, text="=1+1 open data", author=hostile)])
    file = as_csv(path, {"q": "open data", "order": "oldest"})
    rows = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))
    assert tuple(rows[0]) == POST_COLUMNS
    assert len(rows) == 41
    assert [row["text"] for row in rows[:2]] == [TEXTS[0], TEXTS[2]]
    assert (rows[-1]["text"], rows[-1]["author_name"]) == ("'=1+1 open data", "'=HYPERLINK(1)")
    assert rows[0]["platform_id"] == "9" + "0" * 18
    newest = as_csv(path, {"theme": "open-data"}).decode("utf-8-sig").splitlines()
    assert len(newest) == 31


def test_times_of_an_address(meeting: Meeting) -> None:
    assert selected({}, meeting) == Selection()
    assert selected({"from": "2012-03-26T09:00"}, meeting).from_ == START
    assert selected({"to": "2012-03-26T16:00+01:00"}, meeting).to == START
    assert selected({"kind": "", "source": "x"}, meeting) == Selection(source="x")
    later = selected({"from": "2012-03-26"}, meeting).from_
    assert later == START - timedelta(hours=9)
    for wrong in ("never", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"):
        with pytest.raises(SearchError, match="is no time"):
            selected({"to": wrong}, meeting)
    with pytest.raises(SearchError, match="later than"):
        selected({"from": "2012-03-26T10:00", "to": "2012-03-26T10:00"}, meeting)
