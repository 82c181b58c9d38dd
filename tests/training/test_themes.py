"""The constants of the themes: learned from evidence, measured on kinds of posts that took no part."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis import theme_model
from analysis.theme_model import EVIDENCE, weigh
from training import contrast, themes
from training.themes import (
    CORRECTIONS,
    SETS,
    SMALLTALK,
    SUBJECTS,
    Judged,
    corrected,
    learn,
    macro_f1,
    measure,
)

WORDS = {
    "transport": "The bus and the train to the harbour were late again because of the traffic number",
    "health": "The hospital needs more doctors and nurses for its patients in ward number",
    "none": "My neighbour painted her kitchen yellow and it looks lovely, wall number",
}


def made_up(kind: str, seed: int) -> Judged:
    """Posts whose evidence tells the truth, more or less."""
    rng = np.random.default_rng(seed)
    truth = rng.random((80, 3)) < 0.3
    evidence = rng.normal(0, 0.3, (80, 3, len(EVIDENCE)))
    evidence[:, :, 0] += truth
    vectors = rng.normal(size=(80, 16)).astype(np.float32)
    vectors[:, :3] += 4 * truth
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Judged(f"{kind} {seed}", kind, evidence, truth, vectors, vectors.mean(axis=0))


@pytest.fixture(scope="module")
def sets() -> list[Judged]:
    return [made_up("one", 1), made_up("one", 2), made_up("two", 3), made_up("three", 4)]


def test_constants_follow_the_evidence(sets: list[Judged]) -> None:
    constants = learn(sets)
    assert constants.plain > 1
    assert constants.phrase >= 1
    assert min(constants.hits, constants.hit) >= 0
    assert constants == learn(sets)
    found = weigh(sets[0].evidence, constants) >= constants.begins
    assert macro_f1(sets[0].truth, found) > 0.75


def test_macro_f1_is_the_mean_over_themes() -> None:
    truth = np.array([[1, 0], [1, 0], [0, 0]], dtype=bool)
    found = np.array([[1, 0], [0, 0], [0, 1]], dtype=bool)
    assert macro_f1(truth, found) == pytest.approx((2 / 3 + 0) / 2)
    assert macro_f1(truth, truth) == pytest.approx(0.5)  # a theme without posts counts as missed


def test_corrections_help_and_are_drawn_by_the_seed(sets: list[Judged]) -> None:
    blind = replace(sets[0], evidence=np.zeros_like(sets[0].evidence))
    constants = learn(sets)
    before = macro_f1(blind.truth, weigh(blind.evidence, constants) >= constants.begins)
    after = corrected(blind, constants, 16, 0)
    assert after > before + 0.1
    assert after == corrected(blind, constants, 16, 0)


def test_a_set_is_measured_with_constants_of_the_other_kinds(
    sets: list[Judged], monkeypatch: pytest.MonkeyPatch
) -> None:
    learned_from: list[set[str]] = []
    monkeypatch.setattr(
        themes, "learn", lambda some: learned_from.append({one.kind for one in some}) or learn(some)
    )
    rows = measure(sets)
    assert learned_from == [{"two", "three"}] * 2 + [{"one", "three"}, {"one", "two"}]
    assert [row[0] for row in rows] == [*(one.name for one in sets), "mean"]
    assert all(len(row) == 4 + len(CORRECTIONS) for row in rows)
    assert float(rows[-1][1]) == pytest.approx(np.mean([float(row[1]) for row in rows[:-1]]), abs=1e-3)


def test_subjects_and_small_talk_are_told_apart() -> None:
    subjects, smalltalk = (file.read_text(encoding="utf-8").splitlines() for file in (SUBJECTS, SMALLTALK))
    for lines in (subjects, smalltalk):
        assert len(set(lines)) == len(lines) > 100
        assert all(line and line == line.strip() for line in lines)
    assert not set(subjects) & set(smalltalk)


def test_a_model_and_its_card_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data" / "labelled"
    folder.mkdir(parents=True)
    monkeypatch.setenv("BACKCHANNEL_TEST_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(themes, "CONSTANTS", tmp_path / "themes.json")
    monkeypatch.setattr(contrast, "RARE", 1)
    monkeypatch.setattr(contrast, "STEPS", 2)
    monkeypatch.setattr(themes, "DRAWS", 1)
    monkeypatch.setattr(themes, "CORRECTIONS", (4,))
    posts = [(of, f"{text} {number}") for of, text in WORDS.items() for number in range(12)]
    rows = [
        {"id": str(n), "lang": "en", "label": "neutral", "text": text} for n, (_, text) in enumerate(posts)
    ]
    _write(folder / "sentiment_train.jsonl", rows)
    agenda = {
        "transport": {
            "title": "Getting around",
            "desc": "Buses, trains and streets.",
            "kw": ["bus", "train"],
        },
        "health": {"title": "Health", "desc": "Hospitals and doctors.", "kw": ["hospital", "doctor"]},
    }
    (folder / "themes.json").write_text(json.dumps({kind: agenda for _, _, kind in SETS}))
    for _, file, _ in SETS:
        labelled = [{"text": text, "themes": [] if of == "none" else [of]} for of, text in posts]
        _write(folder / file, labelled)
    themes.train()
    model = theme_model.load(tmp_path / "themes.json")
    card = (tmp_path / "themes.md").read_text(encoding="utf-8")
    assert model.version in card
    assert "| SIB-200, es | 1.000 |" in card
    assert f"{model.constants.plain:g}" in card


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
