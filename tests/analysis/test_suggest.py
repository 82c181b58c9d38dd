"""Keywords that are offered, and those that are not, with an encoder that knows a few meanings by heart."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis import suggest as module
from analysis.suggest import suggest, suggesting
from archive.reading import open_readonly
from archive.store import Archive
from archive.suggestions import Suggestion
from archive.vocabulary import Attendance, Deleted, Meeting, Received, Tagging, Theme

Receive = Callable[..., Received]

MEANINGS = {
    "water": ("water", "agua", "eau", "rivers", "potable", "agua potable", "juan"),
    "money": ("money", "dinero", "budget", "taxes"),
}
FILLERS = [
    f"{first}{second}"
    for first in ("lo", "mi", "ku", "ta", "re", "so")
    for second in ("pan", "bel", "tur", "nik", "gos", "fer")
]


class Meanings:
    """Texts of one meaning are near each other; all others are anywhere."""

    version = "meanings 1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        rows = np.stack([self._row(text) for text in texts])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def _row(self, text: str) -> NDArray[np.float32]:
        row = _anywhere(text)
        for meaning, words in MEANINGS.items():
            if text.lower() in words:
                row = 0.5 * row + _anywhere(meaning)
        return row


def _anywhere(text: str) -> NDArray[np.float32]:
    seed = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)
    return np.random.default_rng(seed).standard_normal(64).astype(np.float32)


@pytest.fixture(autouse=True)
def _no_vectors_kept() -> Iterator[None]:
    module._kept.clear()
    yield
    module._kept.clear()


@pytest.fixture
def own(meeting: Meeting) -> Meeting:
    return replace(
        meeting,
        themes=(
            Theme(slug="water", title="Water", keywords={"en": ("rivers",)}),
            Theme(slug="money", title="Money", keywords={"en": ("budget",)}),
        ),
    )


Say = Callable[..., None]


@pytest.fixture
def say(archive: Archive, receive: Receive, own: Meeting) -> Say:
    """``say("agua", 5, theme="water", language="es")``: five people write it, and it is tagged so."""
    count = iter(range(10_000))

    def write(text: str, times: int = 1, theme: str = "", language: str | None = "en", who: str = "") -> None:
        items = [
            receive(number, author=who or f"a{number % 40}", text=text)
            for number in [next(count) for _ in range(times)]
        ]
        archive.write(items)
        keys = {item.post.key for item in items}
        posts = [post for post in archive.untagged(10_000) if post.key in keys]
        tagging = Tagging(
            language=language,
            themes=((theme, 0.9),) if theme else (),
            sentiment="neutral",
            sentiment_score=0.5,
            sure=True,
            question=False,
            tags=(),
        )
        archive.save_tags([(post, tagging) for post in posts], version="test")

    for filler in FILLERS:
        write(f"{filler} here", 4)
    return write


def found(archive: Archive, meeting: Meeting) -> dict[str, list[str]]:
    with closing(open_readonly(archive.path)) as conn:
        listed = suggest(conn, meeting, Meanings())
    return {
        theme.slug: [one.keyword for one in listed if one.theme == theme.slug] for theme in meeting.themes
    }


def test_a_word_near_the_theme_and_often_in_its_posts_is_offered(
    archive: Archive, say: Say, own: Meeting
) -> None:
    say("El agua falta, mucha agua", 5, theme="water", language="es")
    say("Agua para todos", 3, language="es")
    say("dinero", 5, theme="money", language="es")
    with closing(open_readonly(archive.path)) as conn:
        water, money = suggest(conn, own, Meanings())
    assert (water.theme, water.keyword, water.language) == ("water", "agua", "es")
    assert (water.posts, water.authors, water.new_posts) == (8, 8, 3)
    assert 0 < water.score < 1
    assert len(set(water.examples)) == 3
    assert (money.theme, money.keyword, money.new_posts) == ("money", "dinero", 0)
    assert suggest(archive.path, own, Meanings()) == [water, money]


def test_step_by_step_it_is_the_same_and_what_goes_meanwhile_is_no_example(
    archive: Archive, say: Say, own: Meeting
) -> None:
    say("El agua falta, mucha agua", 5, theme="water", language="es")
    say("dinero", 5, theme="money", language="es")
    water, money = suggest(archive.conn, own, Meanings())
    *steps, whole = suggesting(archive.conn, own, Meanings())
    assert set(steps) == {None}
    assert len(steps) > archive.conn.execute("SELECT count(*) FROM posts").fetchone()[0]
    assert whole == [water, money]
    again = suggesting(archive.conn, own, Meanings())
    for _ in range(len(steps) - 2):
        assert next(again) is None
    archive.write([Deleted(water.examples[0], "x")])
    *_, whole = again
    assert whole == [money]


def test_a_false_friend_is_near_and_elsewhere(archive: Archive, say: Say, own: Meeting) -> None:
    say("agua", 5, theme="water", language="es")
    say("juan", 8, language="es")
    assert found(archive, own)["water"] == ["agua"]


def test_a_word_that_only_stands_in_the_posts_is_not_meant(archive: Archive, say: Say, own: Meeting) -> None:
    say("agua mojito", 6, theme="water", language="es")
    assert found(archive, own)["water"] == ["agua"]


def test_two_authors_are_too_few(archive: Archive, say: Say, own: Meeting) -> None:
    say("agua", 6, theme="water", language="es", who="ana")
    say("agua", 6, theme="water", language="es", who="luis")
    assert found(archive, own)["water"] == []


@pytest.mark.parametrize(
    "text", ["rivers", "River", "water", "the #rivers", "agua", "agencies", "#cleanriver"]
)
def test_what_is_a_keyword_already_or_part_of_one_is_not_offered(
    archive: Archive, say: Say, own: Meeting, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MEANINGS, "water", (*MEANINGS["water"], "river", "agencies", "cleanriver"))
    keywords = {"en": ("rivers", "clean river", "water agency"), "es": ("falta de agua",)}
    meeting = replace(own, themes=(replace(own.themes[0], keywords=keywords), own.themes[1]))
    say(text, 6, theme="water")
    assert found(archive, meeting)["water"] == []
    assert (
        found(
            archive,
            replace(
                own,
                themes=(Theme(slug="water", title="Zzz", keywords={"en": ("eau", "potable")}), own.themes[1]),
            ),
        )["water"]
        != []
    )


@pytest.mark.parametrize("accepted", [True, False])
def test_what_was_decided_on_is_not_offered_again(
    archive: Archive, say: Say, own: Meeting, accepted: bool, conn: sqlite3.Connection
) -> None:
    say("agua", 6, theme="water", language="es")
    conn.execute(
        "INSERT INTO keywords VALUES ('water', 'es', 'Água', ?, 'ana', '2012')",
        ("accepted" if accepted else "rejected",),
    )
    conn.commit()
    assert found(archive, own)["water"] == []


@pytest.fixture
def conn(archive: Archive) -> sqlite3.Connection:
    return archive.conn


def test_an_accepted_keyword_says_what_the_theme_means(
    archive: Archive, say: Say, own: Meeting, conn: sqlite3.Connection
) -> None:
    bare = replace(own, themes=(Theme(slug="water", title="Zzz"), own.themes[1]))
    say("agua", 6, theme="water", language="es")
    assert found(archive, bare)["water"] == []
    conn.execute("INSERT INTO keywords VALUES ('water', 'fr', 'eau', 'accepted', 'ana', '2012')")
    conn.execute("INSERT INTO keywords VALUES ('water', 'fr', 'rivers', 'accepted', 'ana', '2012')")
    conn.commit()
    assert found(archive, bare)["water"] == ["agua"]


def test_names_are_not_offered(archive: Archive, say: Say, own: Meeting) -> None:
    say("we met Juan there", 6, theme="water", language="es")
    assert found(archive, own)["water"] == []
    say("we met #Agua there", 6, theme="water", language="es")
    assert found(archive, own)["water"] == ["agua"]


def test_delegations_are_names_in_small_letters_too(
    archive: Archive, say: Say, own: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MEANINGS, "water", (*MEANINGS["water"], "south korea", "korea"))
    say("the south korea pipes", 6, theme="water")
    meeting = replace(own, attendance=Attendance(by_country={"KR": 2}))
    assert found(archive, meeting)["water"] == []


def test_a_pair_that_explains_a_word_is_offered_in_its_place(
    archive: Archive, say: Say, own: Meeting
) -> None:
    say("agua potable", 7, theme="water", language="es")
    assert found(archive, own)["water"] == ["agua potable"]
    say("agua", 7, theme="water", language="es")
    offered = found(archive, own)["water"]
    assert "agua" in offered
    assert "agua potable" not in offered  # it would tag nothing more


def test_a_word_of_no_known_language_is_not_offered(archive: Archive, say: Say, own: Meeting) -> None:
    say("agua", 6, theme="water", language=None)
    say("eau", 6, theme="water", language="xx")
    assert found(archive, own)["water"] == []


def test_nothing_without_themes_tags_or_words(
    archive: Archive, say: Say, own: Meeting, receive: Receive
) -> None:
    assert found(archive, own) == {"water": [], "money": []}
    assert found(archive, replace(own, themes=())) == {}


def test_few_words_say_nothing(archive: Archive, receive: Receive, own: Meeting) -> None:
    archive.write([receive(n, author=f"a{n}", text="agua") for n in range(5)])
    assert found(archive, own) == {"water": [], "money": []}


def test_vectors_of_words_are_kept(archive: Archive, say: Say, own: Meeting) -> None:
    say("agua", 5, theme="water", language="es")
    first, second = Meanings(), Meanings()
    suggest(archive.path, own, first)
    suggest(archive.path, own, second)
    assert first.asked
    assert len(set(first.asked)) == len(first.asked)
    assert second.asked == []


@pytest.mark.parametrize("text", ["", "🐙", "#a" * 10_000, "\x00agua\ud7ff", "agua " * 5000, "‏agua"])
def test_hostile_posts(archive: Archive, say: Say, own: Meeting, text: str) -> None:
    say(text, 5, theme="water", language="es")
    for one in suggest(archive.path, own, Meanings()):
        assert isinstance(one, Suggestion)
        assert len(one.keyword) <= 100
