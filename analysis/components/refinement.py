"""Sentiment judged again by the accurate tier, with what the fast tier said as one of its voices.

Not in PIPELINE: ``pipeline.build`` adds it behind the fast tier where that tier is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spacy.language import Language
from spacy.tokens import Doc

from analysis.accurate import load
from analysis.components import sentiment
from archive.vocabulary import Tag

NAME = "refinement"


@Language.factory(NAME)
class Refiner:
    """``doc._.sentiment`` becomes the accurate tier's Opinion. Raises ModelError as that model does."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.model = load()
        self.version = f"accurate 2 {self.model.version}"

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, docs: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """Judge a batch at once, which changes nothing but the time it takes."""
        return sentiment.judged(docs, batch_size, self.model.judge, "sentiment")

    def tags(self, doc: Doc) -> list[Tag]:
        """One tag, in place of the fast tier's: the label with the three probabilities.

        Its own telling words cost a run of the networks each: ``analysis.why`` finds them when it is asked.
        """
        return [sentiment.opinion_tag(doc, self.version, words="fast_words", tier="accurate")]
