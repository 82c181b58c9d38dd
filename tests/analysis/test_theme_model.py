"""How themes are compared with posts: likeness, rivals, keywords, and the file with the constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.encoder import DIMENSIONS
from analysis.sentiment_model import ModelError
from analysis.theme_model import (
    CONSTANTS,
    EVIDENCE,
    GENERIC,
    USUAL,
    Agenda,
    Constants,
    Model,
    Phrases,
    Singles,
    Words,
    load,
    phrases_of,
    probability,
    save,
    unit,
)

PLAIN = Constants(
    plain=4.0,
    lens=0.0,
    rival_plain=-3.0,
    rival_lens=0.0,
    hits=1.0,
    hit=0.5,
    phrase=1.0,
    bias=-1.0,
    begins=0.0,
    generic_margin=0.1,
    smalltalk_margin=0.1,
    few_names=0.0,
    no_details=0.0,
)


def axis(number: int) -> Singles:
    row = np.zeros(DIMENSIONS, dtype=np.float32)
    row[number] = 1
    return row


class Axes:
    """An encoder that knows texts by their first letter: each points in a direction of its own."""

    def encode(self, texts: Sequence[str]) -> Singles:
        return np.stack([axis(ord(text[0])) for text in texts])


@pytest.fixture
def model() -> Model:
    generic = np.stack([axis(200 + number) for number in range(GENERIC + 5)])
    centre = np.zeros(DIMENSIONS, dtype=np.float32)
    return Model(PLAIN, np.eye(DIMENSIONS, dtype=np.float32), generic, axis(500)[None], centre, "toy")


@pytest.fixture
def agenda(model: Model) -> Agenda:
    return Agenda(model, Axes(), [Phrases(("a", "b"), ("c",)), Phrases(("x",), ())])


def no_words(posts: int, themes: int = 2) -> Words:
    return Words(np.zeros((posts, themes)), np.zeros((posts, themes)))


def test_likeness_is_the_best_two_names_and_the_best_parts(agenda: Agenda) -> None:
    vectors = unit(np.stack([axis(ord("a")) + axis(ord("b")) + axis(ord("c")), axis(ord("x"))]))
    plain = agenda.evidence(vectors, no_words(2))[:, :, EVIDENCE.index("plain")]
    third = 1 / np.sqrt(3)
    assert plain == pytest.approx(np.array([[2 * third, 0], [0, 2]]), abs=1e-6)


def test_the_rival_is_the_best_other_theme_or_a_generic_subject(agenda: Agenda) -> None:
    vectors = np.stack([axis(ord("x")), axis(300)])
    rivals = agenda.evidence(vectors, no_words(2))[:, :, EVIDENCE.index("rival_plain")]
    floor = -PLAIN.generic_margin
    assert rivals == pytest.approx(np.array([[2, max(floor, 0)], [0, 0]]), abs=1e-6)


def test_a_post_that_is_like_everything_is_about_nothing(model: Model) -> None:
    agenda = Agenda(model, Axes(), [Phrases(("x",), ())])
    about = axis(ord("x"))
    vague = unit((about + sum(model.generic[n] for n in range(len(model.generic))))[None])
    odds = agenda.judge(np.concatenate([about[None], vague]), no_words(2, 1))
    assert odds[0, 0] > 0 > odds[1, 0]


def test_a_theme_of_which_little_is_written_is_allowed_more(model: Model) -> None:
    kind = replace(model, constants=replace(PLAIN, few_names=1.0, no_details=0.5))
    themes = [Phrases(tuple("abcdefghij"), ("k",)), Phrases(("x",), ("y",)), Phrases(("z",), ())]
    strict, allowed = (
        Agenda(one, Axes(), themes).judge(axis(400)[None], no_words(1, 3)) for one in (model, kind)
    )
    assert (allowed - strict)[0] == pytest.approx([0, 5 / 6, 5 / 6 + 0.5])


def test_small_talk_is_about_nothing(model: Model) -> None:
    agenda = Agenda(model, Axes(), [Phrases(("x",), ())])
    vectors = unit(np.stack([axis(ord("x")), axis(ord("x")) + 2 * axis(500)]))
    odds = agenda.judge(vectors, no_words(2, 1))
    assert odds[0, 0] > 0 > odds[1, 0]


def test_keywords_raise_the_odds_up_to_two(agenda: Agenda) -> None:
    vectors = np.repeat(axis(400)[None], 4, axis=0)
    words = Words(np.array([[0, 0], [1, 0], [2, 0], [9, 0]], dtype=float), np.zeros((4, 2)))
    odds = agenda.judge(vectors, words)[:, 0]
    assert np.diff(odds) == pytest.approx([1.5, 1.0, 0.0])
    words.phrase[0, 0] = 1
    assert agenda.judge(vectors, words)[0, 0] - odds[0] == pytest.approx(1.0)


def test_a_theme_more_changes_the_others_only_where_it_is_the_better_one(model: Model) -> None:
    two = [Phrases(("a",), ()), Phrases(("b",), ())]
    vectors = np.stack([axis(ord("a")), axis(ord("b")), axis(ord("z"))])
    before = Agenda(model, Axes(), two).judge(vectors, no_words(3))
    after = Agenda(model, Axes(), [*two, Phrases(("z",), ())]).judge(vectors, no_words(3, 3))[:, :2]
    assert np.array_equal(before[:2], after[:2])
    assert (after[2] < before[2]).all()


def test_neighbours_change_nothing(agenda: Agenda) -> None:
    rng = np.random.default_rng(1)
    vectors = unit(rng.normal(size=(40, DIMENSIONS)).astype(np.float32))
    together = agenda.judge(vectors, no_words(40))
    alone = np.concatenate([agenda.judge(vectors[n : n + 1], no_words(1)) for n in range(40)])
    assert np.abs(together - alone).max() < 1e-12


def test_the_nearest_phrases_come_with_the_cosine(agenda: Agenda) -> None:
    post = unit((axis(ord("c")) * 2 + axis(ord("a")))[None])[0]
    assert agenda.nearest(post, 0, 2) == [("c", pytest.approx(0.8944)), ("a", pytest.approx(0.4472))]
    assert agenda.nearest(post, 1) == [("x", 0.0)]


def test_the_phrases_of_a_theme() -> None:
    full = phrases_of(
        "Open data", "Publish data, answer those who use it. Licences and portals.", ["API", "csv"]
    )
    assert full.names == ("API", "csv", "Open data")
    assert full.details == ("Publish data", "answer those who use it", "Licences", "portals")
    bare = phrases_of("Film, TV and video", "", [])
    assert bare == Phrases(("Film, TV and video", "Film", "TV", "video"), ())
    assert phrases_of("Datos y leyes", "", []).names == ("Datos y leyes", "Datos", "leyes")
    assert phrases_of("t", "The old town? Raise the wall! 堤防。避難", []).details == (
        "The old town",
        "Raise the wall",
        "堤防",
        "避難",
    )
    assert phrases_of("!!!", " . , ", []) == Phrases(("!!!",), ())
    assert len(phrases_of("t", ", ".join(map(str, range(1_000))), []).details) == 40


def test_odds_become_scores() -> None:
    assert probability(np.array([-1e9, 0.0, 1e9])) == pytest.approx([0, 0.5, 1], abs=1e-9)


def test_what_is_saved_is_read_again(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "themes.json"
    save(path, model, {"what": "a toy"})
    again = load(path)
    assert again.constants == PLAIN
    assert np.array_equal(again.lens, model.lens)
    assert again.generic.shape == model.generic.shape
    assert len(again.version) == 8


def test_the_shipped_model_can_be_read() -> None:
    model = load()
    assert model.constants.plain > 0 > model.constants.rival_plain
    assert model.constants.lens > 0
    assert CONSTANTS.with_suffix(".npz").stat().st_size < 2_000_000


@pytest.mark.parametrize(
    ("ruin", "says"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.with_suffix(".npz").unlink(), "missing"),
        (lambda path: path.write_text("{"), "damaged"),
        (lambda path: path.write_text("[]"), "damaged"),
        (lambda path: path.with_suffix(".npz").write_bytes(b"PK\x03\x04 no"), "damaged"),
        (lambda path: path.write_text(path.read_text().replace('"plain"', '"plane"')), "damaged"),
        (lambda path: path.write_text(path.read_text().replace('"use3 ', '"use4 ')), "another version"),
    ],
)
def test_a_model_that_cannot_be_used_says_why(model: Model, tmp_path: Path, ruin: object, says: str) -> None:
    path = tmp_path / "themes.json"
    save(path, model, {})
    assert callable(ruin)
    ruin(path)
    with pytest.raises(ModelError, match=says):
        load(path)


def test_a_model_of_another_shape_belongs_to_another_version(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "themes.json"
    save(path, replace(model, lens=model.lens[:5]), {})
    with pytest.raises(ModelError, match="another version"):
        load(path)


def test_the_middle_of_a_meeting_begins_at_the_centre_and_moves_with_its_posts(model: Model) -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(3, DIMENSIONS)).astype(np.float32))
    model = replace(model, centre=vectors[0])
    assert model.middle(np.empty((0, DIMENSIONS), np.float32)) == pytest.approx(vectors[0])
    posts = np.tile(vectors[1], (USUAL, 1))
    assert model.middle(posts) == pytest.approx((vectors[0] + vectors[1]) / 2, abs=1e-5)
