"""What components share: the extensions, and the promise that each keeps."""

from __future__ import annotations

import pytest
from spacy.tokens import Doc

import analysis.components
from analysis.pipeline import PIPELINE, build
from archive.vocabulary import Meeting


def test_the_extensions_are_declared() -> None:
    for name in ("post_text", "reading", "language", "themes", "sentiment", "question"):
        assert Doc.has_extension(name)


@pytest.mark.parametrize("step", PIPELINE, ids=lambda step: step.name)
def test_every_component_keeps_the_promise(step: object, meeting: Meeting) -> None:
    nlp = build(meeting)
    component: analysis.components.Component = nlp.get_pipe(step.name)  # type: ignore[attr-defined]
    for text in ("", "🎉", "Open data is great, isn't it?"):
        tags = component.tags(nlp(text))
        assert tags or step.name == "vector"  # type: ignore[attr-defined]
        for tag in tags:
            assert tag.component == step.name  # type: ignore[attr-defined]
            assert tag.version == component.version
            assert tag.label


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (3, [3]), (4, [3, 1]), (6, [3, 3])])
def test_batches_keep_every_item_in_its_order(count: int, sizes: list[int]) -> None:
    found = list(analysis.components.batches(iter(range(count)), 3))
    assert [len(batch) for batch in found] == sizes
    assert [item for batch in found for item in batch] == list(range(count))
