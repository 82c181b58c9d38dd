"""What people said: one history, whatever the copies, their order and their number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import corrections
from archive.corrections import joined
from archive.store import Archive
from archive.vocabulary import COMPONENTS, Corrected, Correction, Received
from tests.conftest import START

KEY = "x:9000000000000000001"


def word(component: str, label: str, minute: int, ended: int | None = None, by: str = "Eva") -> Corrected:
    return Corrected(
        component=component,
        label=label,
        version="correction",
        set_by=by,
        seen_at=START + timedelta(minutes=minute),
        superseded_at=None if ended is None else START + timedelta(minutes=ended),
    )


#: Eva gives two themes and a mood, Ana takes the themes away, Zoe speaks of the mood twice.
HISTORY = [
    word("theme", "agility", 1, 3),
    word("theme", "open-data", 1, 3),
    word("sentiment", "neutral", 1, 4),
    word("theme", "none", 3, by="Ana"),
    word("sentiment", "positive", 4, 5, by="Zoe"),
    word("sentiment", "negative", 5, by="Zoe"),
]


def test_an_archive_gives_back_what_it_was_told(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1)])
    archive.correct(KEY, Correction(by="Eva", note="“é”", themes=("open-data", "agility"), language="es"))
    archive.correct(KEY, Correction(by="Ana", sentiment="neutral", question=False, themes=()))
    said = corrections.of_key(archive.conn, KEY)
    assert [(one.component, one.label, one.set_by, one.superseded_at is None) for one in said] == [
        ("language", "es", "Eva", True),
        ("theme", "agility", "Eva", False),
        ("theme", "open-data", "Eva", False),
        ("theme", "none", "Ana", True),
        ("sentiment", "neutral", "Ana", True),
        ("question", "no", "Ana", True),
    ]
    assert (said[0].evidence, said[-1].evidence) == ('{"note": "“é”"}', None)
    assert said[1].superseded_at == said[3].seen_at
    with archive.transaction() as conn:
        assert corrections.add(conn, 1, said) == set()
        conn.execute("DELETE FROM tags")
        assert corrections.add(conn, 1, reversed(said)) == set(COMPONENTS)
    assert corrections.of_post(archive.conn, 1) == said


def test_one_copy_stays_as_it_is() -> None:
    assert joined([*HISTORY, *reversed(HISTORY)]) == HISTORY


def test_an_older_copy_changes_nothing_that_came_later() -> None:
    older = [replace(one, superseded_at=None) for one in HISTORY[:3]]
    assert joined([*HISTORY, *older]) == joined([*older, *HISTORY]) == HISTORY


def test_a_word_that_came_between_is_history_at_once() -> None:
    late = word("theme", "defragment", 2, by="Luis")
    said = joined([*HISTORY, late])
    assert [(one.label, one.superseded_at) for one in said if one.component == "theme"] == [
        ("agility", late.seen_at),
        ("open-data", late.seen_at),
        ("defragment", HISTORY[3].seen_at),
        ("none", None),
    ]


@pytest.mark.parametrize("minute", [1, 5])
def test_a_clock_that_was_put_back_changes_nothing(minute: int) -> None:
    said = [
        word("sentiment", "positive", 5, minute, by="Zoe"),
        word("sentiment", "negative", minute, by="Ana"),
    ]
    assert set(joined(said)) == set(said)


def test_a_component_of_a_later_version_is_kept() -> None:
    said = [word("theme", "agility", 1), word("tone", "dry", 1)]
    assert joined(reversed(said)) == said


words = st.builds(
    word,
    component=st.sampled_from(COMPONENTS),
    label=st.sampled_from("abc"),
    minute=st.integers(0, 5),
    by=st.sampled_from(["Ana", "Eva"]),
)


@given(st.lists(st.lists(words, max_size=6), max_size=4), st.randoms())
def test_any_copies_in_any_order_end_in_the_same_history(copies: list[list[Corrected]], random: Any) -> None:
    def merged(order: list[list[Corrected]]) -> list[Corrected]:
        found: list[Corrected] = []
        for copy in order:
            found = joined([*found, *copy])
        return found

    known = [joined(copy) for copy in copies]
    shuffled = [*known, *known]
    random.shuffle(shuffled)
    history = merged(known)
    assert merged(shuffled) == history
    for component in COMPONENTS:
        about = [one for one in history if one.component == component]
        newest = max(((one.seen_at, one.set_by) for one in about), default=None)
        valid = {(one.seen_at, one.set_by) for one in about if one.superseded_at is None}
        assert valid == ({newest} if newest else set())
