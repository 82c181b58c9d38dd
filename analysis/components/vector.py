"""The meaning of a post as a vector, for the themes, the sentiment and the likeness of questions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from analysis.components import batches
from analysis.encoder import VERSION, Encoder, EncoderMissing, load, rounded
from archive.vocabulary import Meeting, Tag

NAME = "vector"


def settings(meeting: Meeting) -> dict[str, Any]:
    """Nothing depends on the meeting."""
    return {}


@Language.factory(NAME)
class VectorMaker:
    """``doc._.vector`` becomes float32, 512 values; one given beforehand is kept.

    It stays ``None`` without an encoder. Vectors have the precision with which they are stored, so that a
    stored one gives the same tags.
    """

    def __init__(self, nlp: Language, name: str) -> None:
        self.encoder: Encoder | None
        try:
            self.encoder = load()
            self.version = f"vector {VERSION}"
        except EncoderMissing:
            self.encoder = None
            self.version = "vector none"

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, docs: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """Fill in vectors, a batch at a time."""
        for batch in batches(docs, batch_size):
            if self.encoder is not None and (bare := [doc for doc in batch if doc._.vector is None]):
                vectors = rounded(self.encoder.encode([doc._.reading.text for doc in bare]))
                for doc, vector in zip(bare, vectors, strict=True):
                    doc._.vector = vector
            yield from batch

    def tags(self, doc: Doc) -> list[Tag]:
        """None: a vector is no finding, but what findings rest on."""
        return []
