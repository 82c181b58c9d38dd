"""The card of the sentiment model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from analysis.sentiment_card import Row, vader_recall, write
from analysis.sentiment_model import MODEL, load

TEXTS = ["I love it", "I hate it", "It is a table"]
TRUTH = ["positive", "negative", "neutral"]


def test_vader_is_measured_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert vader_recall(TEXTS, TRUTH) == 1.0
    monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
    assert vader_recall(TEXTS, TRUTH) is None


def test_a_card_has_the_figures(tmp_path: Path) -> None:
    model = load()
    rows = [Row("One", 2000, 0.5, 0.4, 0.3, 0.2, 0.1), Row("Two", 3, 0.5, 0.4, 0.3, 0.2, None)]
    write(tmp_path / "card.md", model, rows, 1234, 3_200_000)
    card = (tmp_path / "card.md").read_text(encoding="utf-8")
    assert "| One | 2,000 | 0.500 | 0.400 | 0.30 | 0.20 | 0.100 |" in card
    assert "| Two | 3 | 0.500 | 0.400 | 0.30 | 0.20 |  |" in card
    assert "1,234 posts" in card
    assert "{" not in card


def test_the_shipped_card_is_that_of_the_shipped_model() -> None:
    card = MODEL.with_suffix(".md").read_text(encoding="utf-8")
    assert f"version `{load().version}`" in card
    assert f"**{load().sure_from:.2f}**" in card
