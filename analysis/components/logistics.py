"""Whether a post is about the running of the meeting (stream, sound, rooms, coffee), asking or complaining.

A mark of its own beside the sentiment: "the stream keeps dropping" is no view on the matter.
"""

from __future__ import annotations

from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from analysis.linear_model import told
from analysis.logistics_model import has_cue, load, signs
from archive.vocabulary import Meeting, Tag

NAME = "logistics"
YES, NO = "yes", "no"


def settings(meeting: Meeting) -> dict[str, Any]:
    """Nothing in the meeting file changes it."""
    return {}


@Language.factory(NAME)
class LogisticsMarker:
    """``doc._.logistics`` is true or false. Raises ModelError where the model cannot be read."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.model = load()
        self.version = f"logistics 1 {self.model.version}"

    def __call__(self, doc: Doc) -> Doc:
        found = signs(doc._.reading.text)
        cued = has_cue(found)
        chance = self.model.chance(found, doc._.vector) if cued else 0.0
        doc.user_data[NAME] = found, chance
        doc._.logistics = cued and chance >= self.model.threshold
        return doc

    def tags(self, doc: Doc) -> list[Tag]:
        """One tag: yes or no with its probability, and the cues with their weights."""
        found, chance = doc.user_data[NAME]
        label, score = (YES, chance) if doc._.logistics else (NO, 1 - chance)
        evidence = (
            {
                "probability": round(chance, 4),
                "fired": told(self.model, found, doc._.post_text, doc._.reading),
            }
            if found
            else None
        )
        return [
            Tag(component=NAME, label=label, score=round(score, 4), evidence=evidence, version=self.version)
        ]
