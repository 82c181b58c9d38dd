"""Whether a post asks something. A request to do something ("can you share the slides?") does not."""

from __future__ import annotations

import re
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from analysis.texts import LONGEST
from archive.vocabulary import Meeting, Tag

NAME = "question"
YES, NO = "yes", "no"

#: Conventions by which a post counts as a question whatever it looks like, in the post's own text.
_CONVENTION = re.compile(r"(?<![\w&])#(?:q4s|ask)\b|\A\s*Q:", re.IGNORECASE)

_MARK = re.compile(r"[?？؟]")
_SENTENCE_BEFORE = re.compile(r"[^.!?？؟…\n]*\Z")

#: "What a day!", "¡Qué día!": a question word that opens an exclamation.
_EXCLAIMED = re.compile(r"[^.!?？؟…\n]*!")

_OPENING = re.compile(
    r"(?:\A|[.!…\n])[\s\W]*("
    r"(?:what|where|when|why|how|who|which)(?:'s|’s|\s+(?:is|are|was|were|do|does|did|can|could|will|would"
    r"|should|has|have|many|much|about|of))\b"
    r"|(?:do|does|did|is|are|has|have)\s+(?:you|we|they|there|anyone|anybody|someone)\b"
    r"|(?:anyone|anybody)\s+(?:know|have|has|else)\b|(?:i\s+)?wonder(?:ing)?\s+(?:if|how|why|what|whether)\b"
    r"|¿"
    r"|qué\s+(?:es|son|hay|hace|hacen|pasa|pasó|pasará|significa|significan|piensan?|opinan?|tipo|va|van|se"
    r"|puede|pueden|podemos|debe|deben|planes)\b"
    r"|(?:cómo|cuándo|dónde|quién|quiénes|cuál|cuáles|cuánto|cuántos|cuántas)\b|por\s+qué\b|alguien\s+sabe\b"
    r"|est-ce\s+qu|qu['’]est-ce\b|pourquoi\b|comment\s+(?:est|sont|peut|peuvent|faire|puis)\b"
    r"|quel(?:le)?s?\s+(?:est|sont)\b|combien\s+de\b|quelqu['’]un\s+sait\b"
    r")",
    re.IGNORECASE,
)

_REQUEST = re.compile(
    r"\A[\s\W]*(?:please|pls|por\s+favor|svp|s['’]il\s+vous\s+pla[iî]t)\b"
    r"|\b(?:can|could|would|will)\s+(?:you|someone|somebody|anyone|we|everyone)\s+(?:all\s+)?(?:please|pls|kindly"
    r"|share|send|post|upload|repeat|speak|turn|mute|unmute|retweet|follow|join|vote|fix|move|stop|put|make"
    r"|slow|zoom|show)\b"
    r"|\b(?:puedes?|pueden|podrías?|podrían|podéis)\s+(?:por\s+favor|compartir|enviar|mandar|repetir|subir"
    r"|hablar|publicar|poner|mostrar)\w*"
    r"|\b(?:pouvez|pourriez|peux|pourrais)[-\s](?:vous|tu)\s+(?:svp|partager|envoyer|répéter|parler|publier"
    r"|mettre|montrer|poster)\b",
    re.IGNORECASE,
)


def settings(meeting: Meeting) -> dict[str, Any]:
    """Nothing in the meeting file changes it."""
    return {}


@Language.factory(NAME)
class QuestionFinder:
    """``doc._.question`` lists what fired: ``{"rule", "start", "end", "text"}`` of the post's own text."""

    version = "question 2"

    def __init__(self, nlp: Language, name: str) -> None:
        pass

    def __call__(self, doc: Doc) -> Doc:
        doc._.question = signs(doc)
        return doc

    def tags(self, doc: Doc) -> list[Tag]:
        """One tag: yes, with what fired, or no."""
        fired = doc._.question
        if not fired:
            return [Tag(component=NAME, label=NO, version=self.version)]
        return [Tag(component=NAME, label=YES, evidence={"fired": fired}, version=self.version)]


def signs(doc: Doc) -> list[dict[str, Any]]:
    """What shows that a post asks something; an empty list where nothing does."""
    reading, post = doc._.reading, doc._.post_text
    fired = []
    if found := _CONVENTION.search(post[:LONGEST]):
        fired.append(_sign("convention", found.span(), post))
    for mark in _MARK.finditer(reading.text):
        sentence = _SENTENCE_BEFORE.search(reading.text[max(0, mark.start() - 300) : mark.start()])
        if sentence is None or not _REQUEST.search(sentence[0]):
            fired.append(_sign("question mark", reading.original(*mark.span()), post))
            break
    opening = None if fired else _OPENING.search(reading.text)
    if opening and not _REQUEST.search(reading.text) and not _EXCLAIMED.match(reading.text, opening.start(1)):
        fired.append(_sign("question word", reading.original(*opening.span(1)), post))
    return fired


def _sign(rule: str, span: tuple[int, int], post: str) -> dict[str, Any]:
    start, end = span
    return {"rule": rule, "start": start, "end": end, "text": post[start:end]}
