"""Whether a post asks something, and whether it asks the chair.

A request to do something ("can you share the slides?") asks nothing. Conventions count by themselves: a
hashtag, ``Q:`` at the start, a question that came in by the meeting tool's Q&A channel.
"""

from __future__ import annotations

import re
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from analysis.linear_model import told
from analysis.question_model import PLAIN, load, signs_of_post
from analysis.texts import LONGEST
from archive.vocabulary import Meeting, Tag

NAME = "question"
YES, NO = "yes", "no"

#: In the post's own text: ``#q4s``, ``#ask``, and at its start ``Q:``, ``Q2:``, ``Pregunta para la mesa:``.
_CONVENTION = re.compile(
    r"(?<![\w&])#(?:q4s|ask)\b"
    r"|\A(?>\s|(?:RT\s+)?@[\w.@-]+:?|[#\"'«“¿])*+"  # possessive: hostile text must not be tried in every way
    r"(?P<label>(?:Q|P|question|pregunta|frage|domanda|pergunta|سؤال)(?:\s?\d{1,3})?\s?[:：]|[QP]\d{1,3}[.)]\s"
    r"|(?:question\s+(?:for|to|pour|aux?|à)|pregunta\s+(?:para|a)|frage\s+an|domanda\s+(?:per|a)"
    r"|pergunta\s+(?:para|ao?))\b[^:：?\n]{1,60}[:：])",
    re.IGNORECASE,
)


def settings(meeting: Meeting) -> dict[str, Any]:
    """Nothing in the meeting file changes it."""
    return {}


@Language.factory(NAME)
class QuestionFinder:
    """``doc._.question``, ``doc._.to_chair`` are true or false; ``doc._.asked`` where a convention says so.

    Raises ModelError where the model cannot be read.
    """

    def __init__(self, nlp: Language, name: str) -> None:
        self.model = load()
        self.version = f"question 3 {self.model.version}"

    def __call__(self, doc: Doc) -> Doc:
        left = doc._
        found = signs_of_post(left.post_text[:LONGEST], left.reading)
        chance = self.model.chance(found, left.vector)
        convention = _CONVENTION.search(left.post_text[:LONGEST])
        doc.user_data[NAME] = found, chance, left.asked, convention
        left.asked = left.asked or convention is not None
        left.question = left.asked or chance >= self.model.threshold
        left.to_chair = left.question and (left.asked or bool(left.themes and not left.logistics))
        return doc

    def tags(self, doc: Doc) -> list[Tag]:
        """One tag: yes or no with its probability, what fired with its weight, and whether to the chair."""
        found, chance, by_channel, convention = doc.user_data[NAME]
        fired = told(self.model, found, doc._.post_text, doc._.reading)
        if convention:
            fired.insert(0, _by_convention(doc, convention))
        if by_channel:
            fired.insert(0, {"rule": "asked in the Q&A channel"})
        evidence: dict[str, Any] = {"probability": round(chance, 4), "fired": fired}
        if not doc._.question:
            nothing = all(sign.name.startswith("no mark") and sign.value < PLAIN for sign in found)
            return [self._tag(NO, 1 - chance, None if nothing else evidence)]
        score = 1.0 if doc._.asked else chance
        return [self._tag(YES, score, {**evidence, "to_chair": doc._.to_chair})]

    def _tag(self, label: str, score: float, evidence: dict[str, Any] | None) -> Tag:
        return Tag(
            component=NAME, label=label, score=round(score, 4), evidence=evidence, version=self.version
        )


def _by_convention(doc: Doc, found: re.Match[str]) -> dict[str, Any]:
    start, end = found.span("label") if found["label"] else found.span()
    return {"rule": "convention", "start": start, "end": end, "text": doc._.post_text[start:end]}
