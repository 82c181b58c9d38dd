"""How a post is meant: positive, neutral or negative, or not sure, from the shipped linear model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from spacy.language import Language
from spacy.tokens import Doc

from analysis.sentiment_model import LABELS, Opinion, load
from archive.vocabulary import Meeting, Tag

NAME = "sentiment"


def settings(meeting: Meeting) -> dict[str, str]:
    """Nothing in the meeting file changes it."""
    return {}


@Language.factory(NAME)
class SentimentTagger:
    """``doc._.sentiment`` is an Opinion. Raises ModelError where the model cannot be read."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.model = load()
        self.version = f"sentiment 1 {self.model.version}"

    def __call__(self, doc: Doc) -> Doc:
        doc._.sentiment = self.model.judge([doc._.post_text])[0]
        return doc

    def pipe(self, docs: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """Judge a batch at once, which changes nothing but the time it takes."""
        source = iter(docs)
        while batch := list(islice(source, batch_size)):
            opinions = self.model.judge([doc._.post_text for doc in batch])
            for doc, opinion in zip(batch, opinions, strict=True):
                doc._.sentiment = opinion
                yield doc

    def tags(self, doc: Doc) -> list[Tag]:
        """One tag: the label with its probability, the other probabilities, and the telling words."""
        opinion: Opinion = doc._.sentiment
        chances = zip(LABELS, opinion.probabilities, strict=True)
        evidence = {
            "probabilities": {label: round(chance, 4) for label, chance in chances},
            "sure": opinion.sure,
            "words": [list(word) for word in opinion.words],
        }
        return [
            Tag(
                component=NAME,
                label=opinion.label,
                score=round(opinion.score, 4),
                evidence=evidence,
                version=self.version,
            )
        ]
