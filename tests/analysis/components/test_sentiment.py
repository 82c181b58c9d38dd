"""The sentiment component: evidence, and batches that change nothing."""

from __future__ import annotations

import pytest
from spacy.language import Language

from analysis.components.sentiment import settings
from analysis.pipeline import build
from archive.vocabulary import Meeting


@pytest.fixture
def nlp(meeting: Meeting) -> Language:
    return build(meeting)


def test_the_tag_has_probabilities_and_words(nlp: Language) -> None:
    (tag,) = nlp.get_pipe("sentiment").tags(nlp("What a wonderful panel, I love it"))
    assert tag.label == "positive"
    assert tag.score == tag.evidence["probabilities"]["positive"]
    assert sum(tag.evidence["probabilities"].values()) == pytest.approx(1, abs=0.001)
    assert tag.evidence["sure"] is True
    assert {"love", "wonderful"} & {word for word, _ in tag.evidence["words"]}


def test_one_by_one_or_in_batches_of_any_size(nlp: Language) -> None:
    texts = ["good", "bad", "", "so so", "great 🎉", "https://example.org"] * 3
    alone = [nlp(text)._.sentiment for text in texts]
    for size in (1, 4, 100):
        assert [doc._.sentiment for doc in nlp.pipe(texts, batch_size=size)] == alone


def test_the_meeting_changes_nothing(meeting: Meeting) -> None:
    assert settings(meeting) == {}
