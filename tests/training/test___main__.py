"""``python -m training``: names, order and errors."""

from __future__ import annotations

from importlib.util import find_spec
from types import SimpleNamespace

import pytest

from archive.errors import UsageError
from training import __main__ as command


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Models that only note that they were trained; ``c`` cannot be."""
    done: list[str] = []

    def fail() -> None:
        raise UsageError("no data")

    modules = {name: SimpleNamespace(train=lambda name=name: done.append(name)) for name in "ab"}
    modules["c"] = SimpleNamespace(train=fail)
    monkeypatch.setattr(command, "MODELS", {name: name for name in modules})
    monkeypatch.setattr(command, "import_module", modules.__getitem__)
    return done


def test_those_named_or_all_in_order(trained: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["b"]) == 0
    assert trained == ["b"]
    assert command.main([]) == 2
    assert trained == ["b", "a", "b"]
    assert "no data" in capsys.readouterr().err


def test_an_unknown_name_trains_nothing(trained: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["a", "x"]) == 2
    assert trained == []
    assert "x: there are a, b, c" in capsys.readouterr().err


@pytest.mark.parametrize("name", list(command.MODELS))
def test_every_model_has_its_module(name: str) -> None:
    assert find_spec(command.MODELS[name]) is not None
