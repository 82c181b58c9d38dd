"""The pipeline: a blank spaCy language, our tokenizer, and the components of PIPELINE in their order.

To add a component, write a module in ``analysis/components`` and a line in PIPELINE. One thread, one
process, always: ``n_process`` made light pipelines fifteen times slower.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from analysis.components import Component, language, question, sentiment, themes
from analysis.components.normalise import Normaliser, vocabulary
from analysis.texts import LONGEST
from archive.vocabulary import Meeting, Tagging, Untagged

BATCH = 256
VERSION = 1  # of the tokenizer and of how components work together


@dataclass(frozen=True, slots=True)
class Step:
    """A component by the name of its factory, and how it is set up for a meeting."""

    name: str
    settings: Callable[[Meeting], dict[str, Any]]


PIPELINE: tuple[Step, ...] = (
    Step(language.NAME, language.settings),
    Step(themes.NAME, themes.settings),
    Step(sentiment.NAME, sentiment.settings),
    Step(question.NAME, question.settings),
)


def build(meeting: Meeting) -> Language:
    """The pipeline for a meeting. Raises ModelError where a model cannot be read."""
    nlp = spacy.blank("xx", vocab=vocabulary())
    nlp.tokenizer = Normaliser(nlp.vocab, meeting.hashtags)
    nlp.max_length = sys.maxsize  # the tokenizer reads no more than LONGEST characters
    for step in PIPELINE:
        nlp.add_pipe(step.name, config=step.settings(meeting))
    nlp.meta["version"] = _version(nlp, meeting)
    return nlp


def version(nlp: Language) -> str:
    """Names the components, models and settings: posts tagged under one version were tagged alike."""
    return str(nlp.meta["version"])


def _version(nlp: Language, meeting: Meeting) -> str:
    versions = [component.version for component in _components(nlp)]
    settings = [step.settings(meeting) for step in PIPELINE]
    parts = json.dumps([VERSION, versions, settings, sorted(meeting.hashtags)])
    return f"{VERSION}-{hashlib.sha256(parts.encode()).hexdigest()[:12]}"


def tag_texts(
    nlp: Language, posts: Sequence[Untagged], *, languages: Sequence[str | None] = ()
) -> list[Tagging]:
    """Tag posts, in their order. ``languages``, where given, says what is known of each beforehand.

    Every post is tagged as if it stood alone.
    """
    with nlp.memory_zone():
        docs = _docs(nlp, posts, languages)
        return [_tagging(nlp, doc) for doc in nlp.pipe(docs, batch_size=BATCH)]


def _docs(nlp: Language, posts: Sequence[Untagged], languages: Sequence[str | None]) -> Iterator[Doc]:
    for number, post in enumerate(posts):
        doc = nlp.make_doc(post.text)
        if languages:
            doc._.language = languages[number]
        yield doc


def _tagging(nlp: Language, doc: Doc) -> Tagging:
    found = doc._
    opinion = found.sentiment
    tags = [tag for component in _components(nlp) for tag in component.tags(doc)]
    if found.reading.cut:
        tags = [replace(tag, evidence={**(tag.evidence or {}), "read": LONGEST}) for tag in tags]
    return Tagging(
        language=found.language,
        themes=tuple((theme.slug, theme.score) for theme in found.themes),
        sentiment=opinion.label,
        sentiment_score=round(opinion.score, 4),
        sure=opinion.sure,
        question=bool(found.question),
        tags=tuple(tags),
    )


def _components(nlp: Language) -> list[Component]:
    return [cast(Component, component) for _, component in nlp.pipeline]
