"""What is said of the models: there, damaged, missing, on too many threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from analysis import accurate, encoder, logistics_model, models, pipeline, question_model
from analysis.models import check_models
from analysis.sentiment_model import ModelError
from archive.vocabulary import Meeting


class Encoder:
    version = "use 1"

    def __init__(self, threads: int = 1) -> None:
        self.allowed = threads

    def threads(self) -> int:
        return self.allowed

    def encode(self, texts: Sequence[str]) -> object:
        return np.outer(np.ones(2_000), np.ones(2_000)).sum()


class Greedy(Encoder):
    """Cannot say how many threads it works on, and uses another."""

    def encode(self, texts: Sequence[str]) -> object:
        helper = threading.Thread(target=super().encode, args=(texts,))
        helper.start()
        helper.join()
        return None


@pytest.fixture(autouse=True)
def all_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nlp = SimpleNamespace(pipe_names=["language", "theme"], meta={"version": "3-abc"})
    monkeypatch.setattr(encoder, "load", Encoder)
    monkeypatch.setattr(pipeline, "build", lambda meeting: nlp)
    monkeypatch.setattr(accurate, "load", lambda: SimpleNamespace(version="xyz"))
    (tmp_path / "accurate.md").write_text("Version `xyz`", encoding="utf-8")
    monkeypatch.setattr(accurate, "FOLDER", tmp_path)


def said(meeting: Meeting) -> dict[str, tuple[str, str]]:
    return {finding.about: (finding.state, finding.text) for finding in check_models(meeting)}


def fails(error: ModelError) -> object:
    def load(*arguments: object) -> object:
        raise error

    return load


def test_all_are_there(meeting: Meeting) -> None:
    assert said(meeting) == {
        "encoder": ("ok", "version use 1, on one thread"),
        "models": ("ok", "version 3-abc: language, theme"),
        "accurate tier": ("ok", "version xyz"),
    }


@pytest.mark.parametrize("model", [Encoder(threads=4), Greedy(threads=0)])
def test_an_encoder_on_several_threads_is_found_out(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch, model: Encoder
) -> None:
    monkeypatch.setattr(encoder, "load", lambda: model)
    state, text = said(meeting)["encoder"]
    assert (state, "more than one thread" in text) == ("failed", True)


def test_what_is_missing_is_said_with_what_it_means(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "load", fails(encoder.EncoderMissing("e is not installed")))
    monkeypatch.setattr(pipeline, "build", fails(ModelError("s.npz: damaged")))
    monkeypatch.setattr(accurate, "load", fails(ModelError("a.json: missing")))
    found = said(meeting)
    assert {about: state for about, (state, _) in found.items()} == {
        "encoder": "warning",
        "models": "failed",
        "accurate tier": "warning",
    }
    assert found["models"][1] == "s.npz: damaged; posts are collected and wait for their tags"
    assert "stays as the fast tier has it" in found["accurate tier"][1]


def test_the_share_of_other_threads_is_measured() -> None:
    assert models._share_of_others(Encoder()) < 0.2  # type: ignore[arg-type]
    assert models._share_of_others(Greedy()) > 0.5  # type: ignore[arg-type]


@pytest.mark.parametrize("module", [question_model, logistics_model])
def test_a_model_with_a_changed_number_is_found_out_by_its_card(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: ModuleType
) -> None:
    shipped: Path = module.MODEL  # type: ignore[attr-defined]
    changed = tmp_path / shipped.name
    content = shipped.read_text(encoding="utf-8")
    changed.write_text(content.replace('"bias": ', '"bias": 9e9, "was": '), encoding="utf-8")
    changed.with_suffix(".md").write_bytes(shipped.with_suffix(".md").read_bytes())
    load = module.load  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "MODEL", changed)
    monkeypatch.setattr(module, "load", lambda: load(changed))
    state, text = said(meeting)["models"]
    assert (state, text.split(":")[0]) == ("failed", shipped.name)
    assert "card" in text and "install Backchannel again" in text


def test_a_missing_card_and_a_changed_accurate_tier_are_said(
    meeting: Meeting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(question_model, "MODEL", tmp_path / "questions.json")
    (tmp_path / "accurate.md").write_text("Version `abc`", encoding="utf-8")
    found = said(meeting)
    assert found["models"][0] == "failed"
    assert found["accurate tier"][0] == "warning"
    assert "accurate.json" in found["accurate tier"][1]
