"""The labelled posts of fictional meetings: a drop of any figure is seen."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from archive.meeting import load
from archive.vocabulary import SENTIMENTS
from tests.behaviour.gold import FOLDER, LANGUAGES, MEETINGS, RECORD, Figures, figures, rows
from tests.own_coverage import ROOT

TOLERANCE = 0.02  # two or three posts; machines differ by less
RECORDED: Figures = json.loads(RECORD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def measured() -> Figures:
    return figures()


@pytest.mark.parametrize("task", list(RECORDED))
def test_no_figure_drops(measured: Figures, task: str) -> None:
    recorded, now = RECORDED[task], measured[task]
    worse = {name: (recorded[name], now[name]) for name in recorded if now[name] < recorded[name] - TOLERANCE}
    assert not worse, f"{task}: {worse}; if that is meant, python -m tests.behaviour.gold records anew"


def test_every_figure_is_recorded(measured: Figures) -> None:
    assert {task: set(cuts) for task, cuts in measured.items()} == {
        task: set(cuts) for task, cuts in RECORDED.items()
    }


def test_the_set_is_what_its_readme_says() -> None:
    posts = [row for meeting in MEETINGS for row in rows(meeting)]
    assert len(posts) == len({post["id"] for post in posts}) == len({post["text"] for post in posts}) == 306
    counts = Counter(post["lang"] for post in posts)
    assert all(95 <= counts[code] <= 110 for code in LANGUAGES)


@pytest.mark.parametrize("meeting", MEETINGS)
def test_labels_are_sound(meeting: str) -> None:
    slugs = {theme.slug for theme in load(FOLDER / meeting).themes}
    for post in rows(meeting):
        assert set(post["themes"]) <= slugs, post
        assert post["label"] in SENTIMENTS, post
        assert post["question"] or not post["to_chair"], post
        assert not (post["logistics"] and post["themes"]), post


def test_nothing_is_trained_on_it() -> None:
    files = [path for kind in ("*.toml", "*.txt") for path in (ROOT / "training").rglob(kind)]
    assert files, "no training sentences found"
    taught = words("\n".join(path.read_text(encoding="utf-8") for path in files))
    for meeting in MEETINGS:
        for post in rows(meeting):
            said = words(post["text"])
            assert said.isspace() or said not in taught  # applause alone has no words


def words(text: str) -> str:
    """The words of a text without case and signs, between blanks."""
    return " ".join(["", *re.findall(r"\w+", text.casefold()), ""])
