"""How a post is meant: positive, neutral or negative, or not sure, by the fast tier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from analysis.components import batches
from analysis.sentiment_model import LABELS, Opinion, load
from analysis.texts import has_words
from archive.vocabulary import Meeting, Tag

NAME = "sentiment"

Judge = Callable[[list[str], list[Any], list[str | None]], Sequence[Opinion]]


def settings(meeting: Meeting) -> dict[str, str]:
    """Nothing in the meeting file changes it."""
    return {}


@Language.factory(NAME)
class SentimentTagger:
    """``doc._.sentiment`` is an Opinion. Raises ModelError where the model cannot be read."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.model = load()
        self.version = f"sentiment 3 {self.model.version}"

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, docs: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """Judge a batch at once, which changes nothing but the time it takes."""
        return judged(docs, batch_size, self.model.judge, "vector")

    def tags(self, doc: Doc) -> list[Tag]:
        """One tag: the label with its probability, the other probabilities, and the telling words.

        ``by`` says what was asked: the words alone where the post has no vector.
        """
        by = "words" if doc._.vector is None else "words and meaning"
        return [opinion_tag(doc, self.version, by=by)]


def judged(docs: Iterable[Doc], batch_size: int, judge: Judge, beside: str) -> Iterator[Doc]:
    """Posts with their Opinion, of either tier; ``beside`` names what it is told beside text and language.

    Of a post without words nothing is sure: hashtags say what it is about, hardly how it is meant.
    """
    for batch in batches(docs, batch_size):
        opinions = judge(
            [doc._.reading.text for doc in batch],
            [doc._.get(beside) for doc in batch],
            [doc._.language for doc in batch],
        )
        for doc, opinion in zip(batch, opinions, strict=True):
            sure = opinion.sure and has_words(doc._.post_text)
            doc._.sentiment = replace(opinion, sure=sure)
            yield doc


def opinion_tag(doc: Doc, version: str, *, words: str = "words", **how: str) -> Tag:
    """The tag of a post's opinion, of either tier; ``how`` it came about goes into the evidence.

    ``words`` names there what the telling words are.
    """
    opinion = doc._.sentiment
    chances = zip(LABELS, opinion.probabilities, strict=True)
    evidence = {
        "probabilities": {label: round(chance, 4) for label, chance in chances},
        "sure": opinion.sure,
        words: [list(word) for word in opinion.words],
        **({} if has_words(doc._.post_text) else {"no_words": True}),
        **how,
    }
    return Tag(
        component=NAME,
        label=opinion.label,
        score=round(opinion.score, 4),
        evidence=evidence,
        version=version,
    )
