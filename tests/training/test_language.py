"""Training the language model on a tiny fictional corpus."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.language_model import LANGUAGES, MODEL, load
from training import labelled, language

SENTENCES = {
    "ar": ("شكرا جزيلا للجميع", "الجلسة بدأت الآن"),
    "de": ("vielen dank euch allen", "die sitzung beginnt jetzt"),
    "en": ("thank you all so much", "the session is starting now"),
    "es": ("muchas gracias a todos", "la sesión empieza ahora"),
    "fr": ("merci beaucoup à tous", "la séance commence maintenant"),
    "hi": ("bahut dhanyavaad sabko", "baithak ab shuru hoti hai"),
    "it": ("grazie mille a tutti", "la seduta inizia adesso"),
    "pt": ("muito obrigado a todos", "a sessão começa agora"),
}


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a fictional corpus; the model is written beside it."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    rows = [
        {"id": f"umsab-{code}-{n}", "lang": code, "label": "neutral", "text": f"@user {text} #welcome http"}
        for n in range(6)
        for code, texts in SENTENCES.items()
        for text in texts
    ]
    rows += [{"id": f"se17-{n}", "lang": "en", "label": "neutral", "text": "more of it"} for n in range(9)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    for name in ("sentiment_train", "sentiment_val"):
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    monkeypatch.setenv("BACKCHANNEL_TEST_DATA", str(tmp_path))
    monkeypatch.setattr(language, "MODEL", tmp_path / "out" / "language.npz")
    return tmp_path


def test_the_same_posts_give_the_same_model(corpus: Path) -> None:
    language.train()
    first = (corpus / "out" / "language.npz").read_bytes()
    card = (corpus / "out" / "language.md").read_text(encoding="utf-8")
    language.train()
    assert (corpus / "out" / "language.npz").read_bytes() == first
    assert "| all | 84 | 1.000 |" in card
    assert "{" not in card
    assert load(corpus / "out" / "language.npz").version in card


def test_hindi_hashtags_and_most_of_the_english_posts_are_left_out(corpus: Path) -> None:
    texts, answers = language.chosen(labelled.sentiment("sentiment_train.jsonl"), english=2)
    assert [LANGUAGES[n] for n in sorted(set(answers.tolist()))] == list(LANGUAGES)
    assert len(texts) == 6 * 7 * 2 + 2
    assert not any("welcome" in text or "user" in text or "http" in text for text in texts)


def test_the_card_is_that_of_the_shipped_model() -> None:
    assert f"version `{load().version}`" in MODEL.with_suffix(".md").read_text(encoding="utf-8")
