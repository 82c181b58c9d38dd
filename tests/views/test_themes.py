"""The Themes page: what is offered, what was decided, what cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analysis.measures.learning import ENOUGH
from archive.store import Archive
from archive.suggestions import Suggestion, replace_all
from archive.vocabulary import Correction, Meeting, Received
from views import settings
from views.themes import SHOWN, decide

Receive = Callable[..., Received]
KEY = f"x:9{1:018d}"


def offer(archive: Archive, *words: str, theme: str = "open-data") -> None:
    found = [
        Suggestion(
            theme=theme,
            language="es",
            keyword=word,
            score=0.9 - place / 100,
            posts=12,
            authors=7,
            new_posts=5,
            examples=(KEY, "x:gone"),
        )
        for place, word in enumerate(words)
    ]
    with archive.transaction() as conn:
        replace_all(conn, found, "2012-03-26T15:00:00.000000Z")


@pytest.fixture
def path(archive: Archive, receive: Receive) -> Path:
    archive.write([receive(1, text="Datos para todos")])
    offer(archive, "datos públicos", "catálogo")
    return archive.path


def opened(path: Path) -> AppTest:
    script = f"from pathlib import Path\nfrom views import themes\nthemes.page(Path({str(path)!r}))"
    page = AppTest.from_string(script, default_timeout=20).run()
    assert not page.exception
    return page


def state(page: AppTest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.get("bidi_component")[0].proto.json)
    return found


def said(page: AppTest) -> str:
    return " ".join(one.proto.body for one in page.get("html"))


def theme(path: Path, slug: str = "open-data") -> dict[str, Any]:
    return next(one for one in state(opened(path))["themes"] if one["slug"] == slug)


def test_a_theme_with_what_it_is_found_by_and_what_is_offered(path: Path) -> None:
    found = theme(path)
    assert found["title"] == "Open data to open governments"
    assert found["keywords"] == [["en", ["open data", "transparency"]], ["es", ["datos abiertos"]]]
    assert (found["posts"], found["corrections"], found["enough"], found["more"]) == (0, 0, ENOUGH, 0)
    assert [one["keyword"] for one in found["suggestions"]] == ["datos públicos", "catálogo"]
    first = found["suggestions"][0]
    assert (first["named"], first["posts"], first["authors"], first["new"]) == ("Spanish", 12, 7, 5)
    assert [(post["author"], post["text"]) for post in first["examples"]] == [("@bc_ana", "Datos para todos")]
    assert state(opened(path))["fixed"] is False


def test_a_decision_takes_the_keyword_out_and_can_be_turned(path: Path) -> None:
    word = {"theme": "open-data", "language": "es", "keyword": "catálogo", "by": " Ana "}
    assert decide(path, {**word, "accepted": True}) is None
    found = theme(path)
    assert [one["keyword"] for one in found["suggestions"]] == ["datos públicos"]
    assert [(one["keyword"], one["accepted"], one["by"]) for one in found["decided"]] == [
        ("catálogo", True, "Ana")
    ]
    assert decide(path, {**word, "accepted": False}) is None
    assert theme(path)["decided"][0]["accepted"] is False
    assert theme(path, "agility")["decided"] == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"by": ""}, "signed"),
        ({"theme": "made-up"}, "not known"),
        ({"language": None}, "not known"),
        ({"keyword": "x" * 101}, "characters"),
        ({"keyword": "los"}, "in posts about anything"),
    ],
)
def test_what_cannot_be_decided_is_explained(path: Path, wrong: dict[str, Any], problem: str) -> None:
    word = {"theme": "open-data", "language": "es", "keyword": "catálogo", "accepted": True, "by": "Ana"}
    found = decide(path, {**word, **wrong})
    assert found is not None and problem in found


def test_a_word_that_says_nothing_can_be_rejected(path: Path) -> None:
    word = {"theme": "open-data", "language": "es", "keyword": "los", "by": "Ana"}
    assert decide(path, {**word, "accepted": False}) is None


def test_nothing_is_decided_where_it_is_read_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.READ_ONLY, "1")
    assert state(opened(path))["fixed"] is True
    word = {"theme": "open-data", "language": "es", "keyword": "catálogo", "accepted": True, "by": "Ana"}
    assert "read-only" in (decide(path, word) or "")
    assert theme(path)["decided"] == []


def test_what_was_taught_is_counted(path: Path, archive: Archive) -> None:
    archive.correct(KEY, Correction(by="Ana", themes=("open-data",)))
    assert theme(path)["corrections"] == 1
    assert state(opened(path))["learned"] == "1 correction given, not learned from yet"


def test_many_suggestions_come_a_few_at_a_time(path: Path, archive: Archive) -> None:
    offer(archive, *(f"word {n}" for n in range(SHOWN + 3)))
    found = theme(path)
    assert (len(found["suggestions"]), found["more"]) == (SHOWN, 3)


def test_clicks_decide_and_open(path: Path) -> None:
    word = {"theme": "open-data", "language": "es", "keyword": "catálogo", "accepted": True, "by": "Ana"}
    call = (
        "from pathlib import Path\nimport views.themes as t\n"
        f"t.st.session_state['themes'] = {{'act': {{'decide': {word!r}}}, 'go': 'x:1'}}\n"
        f"t._act(Path({str(path)!r}))\nt._go()"
    )
    page = AppTest.from_string(call).run()
    assert not page.exception
    assert page.session_state["themes_saved"] == {"number": 1, "problem": None}
    assert page.query_params == {"page": "archive", "post": "x:1"}
    assert len(theme(path)["decided"]) == 1


def test_a_meeting_without_themes_is_told_how_to_get_some(tmp_path: Path, meeting: Meeting) -> None:
    with Archive.open(tmp_path / "none.db", replace(meeting, themes=(), sessions=())) as archive:
        assert "This meeting has no themes" in said(opened(archive.path))


def test_what_cannot_be_read_is_said(tmp_path: Path, path: Path, archive: Archive) -> None:
    assert "This archive cannot be read" in said(opened(tmp_path / "absent.db"))
    archive.conn.execute("DROP TABLE suggestions")
    assert "This archive cannot be read" in said(opened(path))
