"""Which of the meeting's languages a post is in; unknown where it is too short or in none of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from py3langid.langid import MODEL_FILE, LanguageIdentifier
from spacy.language import Language
from spacy.tokens import Doc

from archive.vocabulary import Meeting, Tag

NAME = "language"
UNKNOWN = "unknown"
CLOSED_SHARE = 0.02  # what the meeting's languages must have of the probability over all languages
LEAST = 0.3  # and the best of them of the probability among them
SHORT, LEAST_SHORT = 20, 0.5  # characters, and the same for a text that has fewer
LONGEST = 2_000  # characters that are looked at

_LETTERS = re.compile(r"(?:[^\W\d_][\W\d_]*){3}")  # fewer say nothing: "ok" and "no" are everywhere


def settings(meeting: Meeting) -> dict[str, Any]:
    """The languages of the meeting file."""
    return {"languages": list(meeting.languages)}


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@Language.factory(NAME, default_config={"languages": ["en"]})
class LanguageFinder:
    """Closed to the meeting's languages: that makes a short post's language likelier to be right.

    A language given beforehand (``doc._.language``) is kept.
    """

    version = "language 1"

    def __init__(self, nlp: Language, name: str, languages: Sequence[str]) -> None:
        self.languages = sorted(set(languages))
        self.identifier = _identifier()

    def __call__(self, doc: Doc) -> Doc:
        found = doc._
        if found.language is None:
            found.language, found.language_score = self.find(found.reading.text)
        return doc

    def find(self, text: str) -> tuple[str | None, float | None]:
        """The language of a reading text and its share among the meeting's languages."""
        if not _LETTERS.search(text):
            return None, None
        text = " ".join(text[:LONGEST].split())
        shares = dict(self.identifier.rank(text))
        inside = [shares.get(code, 0.0) for code in self.languages]
        closed = sum(inside)
        if closed < CLOSED_SHARE:
            return None, None
        share = max(inside)
        best = self.languages[inside.index(share)]
        score = round(share / closed, 4)
        least = LEAST if len(text) >= SHORT else LEAST_SHORT
        return (best, score) if score >= least else (None, score)

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
