from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis import linear_model
from analysis.linear_model import Sign
from analysis.texts import Reading
from training import linear
from training.linear import Choice, Rows, Score

SENTENCES = Path(__file__).parents[2] / "training" / "sentences"
HELD_OUT = Path(__file__).parents[1] / "behaviour"


def shouts(text: str, reading: Reading) -> list[Sign]:
    return [Sign("loud", 1.0, 0, 1)] if text.isupper() else []


@pytest.fixture
def data() -> Rows:
    texts = ["NO SOUND", "no sound", "WE PAY", "we pay"] * 5
    return linear.rows(texts, [text.isupper() for text in texts], shouts)


def test_rows_have_signs_vectors_and_answers(data: Rows) -> None:
    assert data.names == ("loud",)
    assert data.signs[:2].tolist() == [[1.0], [0.0]]
    assert data.vectors.shape == (20, 512)
    assert np.allclose(np.linalg.norm(data.vectors, axis=1), 1, atol=1e-2)


def test_what_is_fitted_says_the_same_when_it_is_read_from_its_file(data: Rows, tmp_path: Path) -> None:
    everything = np.arange(20)
    fitted = linear.fit(data, everything, np.ones(20), Choice(1.0, 1.0))
    assert fitted["weights"]["loud"] > 0
    linear_model.save(tmp_path / "model.json", {**fitted, "threshold": 0.5})
    model = linear_model.load(tmp_path / "model.json", "loudness")
    said = linear.chances(fitted, data, everything)
    read = [
        model.chance(shouts("X" if loud else "x", None), vector)  # type: ignore[arg-type]
        for loud, vector in zip(data.answers, data.vectors.astype(np.float32), strict=True)
    ]
    assert said == pytest.approx(read, abs=1e-6)
    assert ((said >= 0.5) == data.answers).all()


def test_scores_and_thresholds() -> None:
    answers = np.array([True, True, False, False])
    assert linear.score(answers, np.array([True, False, True, False])) == Score(0.5, 0.5)
    assert Score(0.5, 1.0).f1 == pytest.approx(2 / 3)
    threshold, f1 = linear.best_threshold(answers, np.array([0.9, 0.8, 0.3, 0.25]))
    assert 0.3 < threshold < 0.8
    assert f1 == 1.0


@pytest.mark.parametrize(
    ("name", "held_out"), [("meeting", "meeting_sentences"), ("same_questions", "same_questions")]
)
def test_no_sentence_of_the_tests_is_trained_on(name: str, held_out: str) -> None:
    def lines(folder: Path) -> set[str]:
        text = folder / f"{'meeting_sentences' if folder == HELD_OUT and name == 'meeting' else name}.toml"
        return {
            part.casefold() for part in text.read_text(encoding="utf-8").split('"')[1::2] if len(part) > 8
        }

    assert not lines(SENTENCES) & lines(HELD_OUT)


def test_every_group_says_its_thing_in_every_language() -> None:
    found = linear.sentences()
    assert {sentence.language for sentence in found} == set(linear.LANGUAGES)
    assert sum(sentence.logistics for sentence in found) >= 300
    groups = {sentence.group for sentence in found}
    assert all(
        {sentence.language for sentence in found if sentence.group == group} == set(linear.LANGUAGES)
        for group in groups
    )
    assert len({sentence.text for sentence in found}) == len(found), "a sentence stands twice"
