"""The accurate tier of sentiment: the shipped networks, and how they are read."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import accurate
from analysis.accurate import FOLDER, SETTINGS, Accurate, load, log_chances, log_softmax
from analysis.sentiment_model import LABELS, ModelError, Opinion

FILES = (SETTINGS, "accurate.npz", "accurate.onnx", "accurate-en.npz", "accurate-en.onnx")
UNDECIDED = Opinion("neutral", (1 / 3, 1 / 3, 1 / 3), False, (("word", 0.1),))


@pytest.fixture(scope="module")
def model() -> Accurate:
    return load()


def judge(model: Accurate, text: str, language: str | None = "en", fast: Opinion = UNDECIDED) -> Opinion:
    return model.judge([text], [fast], [language])[0]


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("en", "What a great session, thank you so much!", "positive"),
        ("es", "¡Qué gran sesión, muchas gracias!", "positive"),
        ("fr", "Quelle excellente séance, merci beaucoup !", "positive"),
        ("de", "Was für eine tolle Sitzung, vielen Dank!", "positive"),
        ("it", "Che bella sessione, grazie mille!", "positive"),
        ("pt", "Que sessão maravilhosa, muito obrigado!", "positive"),
        ("ar", "جلسة رائعة، شكرا جزيلا لكم", "positive"),
        ("en", "This is terrible, nobody listens to us. Shame.", "negative"),
        ("es", "Esto es terrible, nadie nos escucha. Qué vergüenza.", "negative"),
        ("fr", "C'est terrible, personne ne nous écoute. Quelle honte.", "negative"),
        ("de", "Das ist schrecklich, niemand hört uns zu. Eine Schande.", "negative"),
        ("ar", "هذا أمر فظيع، لا أحد يستمع إلينا", "negative"),
        ("en", "The next session starts on Monday at 10.", "neutral"),
        ("es", "La próxima sesión empieza el lunes a las 10.", "neutral"),
        ("fr", "La prochaine séance commence lundi à 10 heures.", "neutral"),
    ],
)
def test_plain_cases_in_many_languages(model: Accurate, language: str, text: str, label: str) -> None:
    assert judge(model, text, language).label == label


@pytest.mark.parametrize(
    ("language", "text", "label"),
    [
        ("en", "Open data is not a bad idea at all", "positive"),
        ("en", "This was not a good talk", "negative"),
        ("en", "I don't like this proposal", "negative"),
        ("en", "The food was awful but the talks were amazing, I loved every minute", "positive"),
        ("es", "No me gusta nada esta propuesta", "negative"),
        ("fr", "Je n'aime pas du tout cette proposition", "negative"),
        ("en", "sooooo happyyyy about thissss", "positive"),
        ("en", "😍😍😍", "positive"),
        ("en", "😡😡😡", "negative"),
    ],
)
def test_negation_contrast_repeated_letters_and_emoji(
    model: Accurate, language: str, text: str, label: str
) -> None:
    assert judge(model, text, language).label == label


def test_probabilities_belong_to_the_label(model: Accurate) -> None:
    opinion = judge(model, "so sad and angry")
    assert sum(opinion.probabilities) == pytest.approx(1)
    assert LABELS[int(np.argmax(opinion.probabilities))] == opinion.label
    assert opinion.score == max(opinion.probabilities)


def test_the_fast_tier_is_heard(model: Accurate) -> None:
    text = "It is what it is"
    for at, label in ((0, "negative"), (2, "positive")):
        chances = [0.01, 0.01, 0.01]
        chances[at] = 0.98
        convinced = Opinion(LABELS[at], (chances[0], chances[1], chances[2]), True, ())
        with_it, without = judge(model, text, "en", convinced), judge(model, text, "en")
        assert with_it.probabilities[at] > without.probabilities[at] + 0.01, label


def test_the_words_are_those_of_the_fast_tier_where_it_agrees(model: Accurate) -> None:
    agreed = Opinion("positive", (0.2, 0.2, 0.6), False, (("love", 1.0),))
    assert judge(model, "I love this so much", "en", agreed).words == agreed.words
    assert judge(model, "I hate this so much", "en", agreed).words == ()


def test_the_telling_words_are_those_that_count(model: Accurate) -> None:
    told = model.telling("The panel on water was wonderful today", UNDECIDED, "en")
    assert told[0][0] == "wonderful"
    assert told[0][1] > 0.1
    assert model.telling("", UNDECIDED, None) == ()
    assert model.telling("?! …", UNDECIDED, None) == (), "the answer is the fast tier's"


HOSTILE = [
    "",
    " ",
    "\0",
    "\ud800 lone \udfff",
    "😀" * 3000,
    "a" * 20_000,
    "日本語のテスト",
    "שלום עולם",
    "Z̷̡͎̈a̸l̶g̵o̴" * 200,
    "#tag " * 10_000,
    "\u202eright to left\u202c",
]


def test_hostile_texts_get_an_answer(model: Accurate) -> None:
    opinions = model.judge(HOSTILE, [UNDECIDED] * len(HOSTILE), ["en", None] * 5 + ["xx"])
    assert len(opinions) == len(HOSTILE)
    for opinion in opinions:
        assert np.isfinite(opinion.probabilities).all()
        assert sum(opinion.probabilities) == pytest.approx(1)
    assert model.judge([], [], []) == []


@pytest.mark.parametrize("text", ["", "  ", "?!", "\0", "…", "\u202e\u202c"])
def test_where_nothing_is_said_the_fast_tier_is_believed(model: Accurate, text: str) -> None:
    assert judge(model, text) is UNDECIDED


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=[]), max_size=60), st.sampled_from(["en", "es", None])
        ),
        min_size=2,
        max_size=4,
    )
)
def test_neighbours_change_nothing(posts: list[tuple[str, str | None]]) -> None:
    model = load()
    texts, languages = [text for text, _ in posts], [language for _, language in posts]
    together = model.judge(texts, [UNDECIDED] * len(texts), languages)
    assert together == [judge(model, text, language) for text, language in posts]


def test_the_model_keeps_to_the_size_that_was_agreed() -> None:
    sizes = [(FOLDER / name).stat().st_size for name in FILES]
    assert max(sizes) < 45e6
    assert sum(sizes) < 52e6


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def test_a_model_has_a_version_that_follows_its_files(copy: Path) -> None:
    written = json.loads((copy / SETTINGS).read_text(encoding="utf-8"))
    assert load(copy).version == load().version
    accurate.load.cache_clear()
    written["voices"]["en"]["fast"] += 0.1
    (copy / SETTINGS).write_text(json.dumps(written), encoding="utf-8")
    assert load(copy).version != load().version


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_damaged_file_is_said(copy: Path, name: str) -> None:
    accurate.load.cache_clear()
    whole = (copy / name).read_bytes()
    for damage in (whole[: len(whole) // 2], b"", b"{}"):
        (copy / name).write_bytes(damage)
        with pytest.raises(ModelError, match=f"{name}: .* damaged"):
            load(copy)
    (copy / name).unlink()
    with pytest.raises(ModelError, match=f"{name}: .* missing; `make train`"):
        load(copy)


def test_settings_of_another_version_or_without_a_part_are_said(copy: Path) -> None:
    written = json.loads((copy / SETTINGS).read_text(encoding="utf-8"))
    (copy / SETTINGS).write_text(json.dumps({**written, "format": 99}), encoding="utf-8")
    with pytest.raises(ModelError, match="another version"):
        load(copy)
    del written["voices"]["other"]
    (copy / SETTINGS).write_text(json.dumps(written), encoding="utf-8")
    with pytest.raises(ModelError, match="damaged"):
        load(copy)


def test_a_graph_that_cannot_be_run_is_said(copy: Path) -> None:
    written = json.loads((copy / SETTINGS).read_text(encoding="utf-8"))
    (copy / "accurate.onnx").write_bytes(b"not a graph")
    written["files"]["accurate.onnx"] = hashlib.sha256(b"not a graph").hexdigest()
    (copy / SETTINGS).write_text(json.dumps(written), encoding="utf-8")
    with pytest.raises(ModelError, match="damaged"):
        load(copy)


def test_logarithms_of_chances_have_a_floor() -> None:
    assert log_chances(np.array([[0.0, 0.5, 0.5]]))[0, 0] == pytest.approx(np.log(1e-6))
    assert log_softmax(np.array([[0.0, 0.0, 900.0]]))[0].tolist() == pytest.approx([np.log(1e-6)] * 2 + [0.0])
