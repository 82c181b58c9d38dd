"""Which of the meeting's languages a post is in; unknown where it is too short or in none of them.

py3langid says how likely each language is. Among the seven of ``language_model`` that model has a say too:
it knows how people write in posts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from spacy.language import Language
from spacy.tokens import Doc

from analysis.components import batches
from analysis.language_model import LANGUAGES, load, words
from analysis.sentiment_model import Floats, softmax
from analysis.texts import SAYS_SOMETHING, beside_hashtags
from archive.vocabulary import UNKNOWN, Meeting, Tag

NAME = "language"
CLOSED_SHARE = 0.02  # what the meeting's languages must have of the probability over all languages
LEAST = 0.3  # and the best of them of the probability among them
HASHTAGS_CLOSED_SHARE, HASHTAGS_LEAST = 0.1, 0.9  # the same where hashtags alone speak: names, mostly


def settings(meeting: Meeting) -> dict[str, Any]:
    """The languages of the meeting file."""
    return {"languages": list(meeting.languages)}


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def spoken(post: str, reading: str) -> tuple[str, bool]:
    """The words of a post that show its language, and whether they are hashtags.

    Those of its reading text, but without hashtags, which are often English, unless there is nothing else.
    """
    if "#" not in post:
        return words(reading), False
    bare = words(beside_hashtags(post))
    return (bare, False) if SAYS_SOMETHING.search(bare) else (words(reading), True)


def shares_over_all(texts: Sequence[str], languages: Sequence[str]) -> Floats:
    """py3langid's probabilities among all languages: a row a text, a column for each of ``languages``."""
    identifier = _identifier()
    known = [number for number, code in enumerate(languages) if code in identifier.nb_classes]
    columns = [identifier.nb_classes.index(languages[number]) for number in known]
    shares = np.zeros((len(texts), len(languages)))
    for row, text in enumerate(texts):
        shares[row, known] = identifier._decide(text)[columns]  # ``rank`` sorts them, at half the speed
    return shares


def logarithms(shares: Floats) -> Floats:
    """Logarithms of shares; what is nearly impossible is not taken for quite impossible."""
    return np.log(np.maximum(shares, 1e-9))


@Language.factory(NAME, default_config={"languages": ["en"]})
class LanguageFinder:
    """Closed to the meeting's languages: that makes a short post's language likelier to be right.

    A language given beforehand (``doc._.language``) is kept. Raises ModelError where the model cannot be
    read.
    """

    def __init__(self, nlp: Language, name: str, languages: Sequence[str]) -> None:
        self.languages = sorted(set(languages))
        self.model = load()
        self.version = f"language 3 {self.model.version}"
        self._here = [number for number, code in enumerate(self.languages) if code in LANGUAGES]
        self._there = [LANGUAGES.index(self.languages[number]) for number in self._here]

    def __call__(self, doc: Doc) -> Doc:
        return next(self.pipe([doc]))

    def pipe(self, docs: Iterable[Doc], batch_size: int = 256) -> Iterator[Doc]:
        """Look at a batch at once, which changes nothing but the time it takes."""
        for batch in batches(docs, batch_size):
            open_ones = [doc for doc in batch if doc._.language is None]
            answers = self.find([spoken(doc._.post_text, doc._.reading.text) for doc in open_ones])
            for doc, (language, score) in zip(open_ones, answers, strict=True):
                doc._.language, doc._.language_score = language, score
            yield from batch

    def find(self, heard: Sequence[tuple[str, bool]]) -> list[tuple[str | None, float | None]]:
        """For what is ``spoken`` in each post the language and its share among the meeting's languages."""
        texts = [text for text, _ in heard]
        over_all = shares_over_all(texts, self.languages)
        closed = over_all.sum(axis=1)
        shares = self._shares(texts, over_all / np.maximum(closed, 1e-9)[:, None])
        return [
            self._answer(*one, share, row)
            for one, share, row in zip(heard, closed.tolist(), shares, strict=True)
        ]

    def _shares(self, texts: Sequence[str], shares: Floats) -> Floats:
        """What py3langid gives to the languages of the model, shared out among them by both."""
        if len(self._here) < 2 or not texts:
            return shares
        model, theirs = self.model, shares[:, self._here]
        scores = (
            model.judge(texts)[:, self._there] + model.other * logarithms(theirs) + model.bias[self._there]
        )
        shares[:, self._here] = theirs.sum(axis=1, keepdims=True) * softmax(scores)
        return shares

    def _answer(
        self, text: str, hashtags: bool, closed: float, shares: Floats
    ) -> tuple[str | None, float | None]:
        closed_share, least = (HASHTAGS_CLOSED_SHARE, HASHTAGS_LEAST) if hashtags else (CLOSED_SHARE, LEAST)
        if closed < closed_share or not SAYS_SOMETHING.search(text):
            return None, None
        best = int(shares.argmax())
        score = round(float(shares[best]), 4)
        return (self.languages[best], score) if score >= least else (None, score)

    def tags(self, doc: Doc) -> list[Tag]:
        """One tag: the code of a language, or unknown."""
        return [
            Tag(
                component=NAME,
                label=doc._.language or UNKNOWN,
                score=doc._.language_score,
                version=self.version,
            )
        ]
