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

from analysis.components import (
    Component,
    language,
    logistics,
    names,
    question,
    refinement,
    sentiment,
    themes,
    vector,
)
from analysis.components.normalise import Normaliser, vocabulary
from analysis.encoder import VERSION as ENCODER
from analysis.encoder import pack, unpack
from analysis.texts import LONGEST
from archive.vocabulary import NOTHING, Learned, Meeting, Mood, Tag, Tagging, Themes, Tier, Untagged

BATCH = 256
VERSION = 2  # of the tokenizer and of how components work together


@dataclass(frozen=True, slots=True)
class Step:
    """A component by the name of its factory, and how it is set up for a meeting."""

    name: str
    settings: Callable[[Meeting], dict[str, Any]]


PIPELINE: tuple[Step, ...] = (
    Step(language.NAME, language.settings),
    Step(vector.NAME, vector.settings),
    Step(themes.NAME, themes.settings),
    Step(sentiment.NAME, sentiment.settings),
    Step(logistics.NAME, logistics.settings),
    Step(question.NAME, question.settings),
    Step(names.NAME, names.settings),
)


def build(meeting: Meeting, *, tier: Tier = "fast", learned: Learned = NOTHING) -> Language:
    """The pipeline for a meeting, with what people taught. Raises ModelError where a model cannot be read."""
    nlp = spacy.blank("xx", vocab=vocabulary())
    nlp.tokenizer = Normaliser(nlp.vocab, meeting.hashtags)
    nlp.max_length = sys.maxsize  # the tokenizer reads no more than LONGEST characters
    for step in PIPELINE:
        nlp.add_pipe(step.name, config=step.settings(meeting))
    if tier == "accurate":
        add_accurate(nlp)
    nlp.meta["version"] = _version(nlp, meeting)
    if learned.version:
        teach(nlp, learned)
    return nlp


def add_accurate(nlp: Language) -> None:
    """Let a pipeline of the fast tier refine sentiment, too. Raises ModelError; then nothing is added."""
    nlp.add_pipe(refinement.NAME, after=sentiment.NAME)


def teach(nlp: Language, learned: Learned) -> None:
    """Let the themes know what people taught; ``themes_by`` becomes another one."""
    _component(nlp, themes.NAME).teach(learned)
    nlp.meta["learned"] = learned.version


def learned_version(nlp: Language) -> str:
    """The version of what people taught that the themes know of."""
    return str(nlp.meta.get("learned", ""))


def refines(nlp: Language) -> bool:
    """Was it built with the accurate tier?"""
    return nlp.has_pipe(refinement.NAME)


def version(nlp: Language) -> str:
    """Names the components, models and settings: posts tagged under one version were tagged alike.

    What people taught is not part of it, see ``themes_by``; nor is the accurate tier.
    """
    return str(nlp.meta["version"])


def themes_by(nlp: Language) -> str:
    """Names what chooses the themes, with what people taught."""
    return str(_component(nlp, themes.NAME).version)


def _version(nlp: Language, meeting: Meeting) -> str:
    versions = [_component(nlp, step.name).version for step in PIPELINE]
    settings = [step.settings(meeting) for step in PIPELINE]
    parts = json.dumps([VERSION, versions, settings, sorted(meeting.hashtags)])
    return f"{VERSION}-{hashlib.sha256(parts.encode()).hexdigest()[:12]}"


def tag_texts(
    nlp: Language,
    posts: Sequence[Untagged],
    *,
    languages: Sequence[str | None] = (),
    tier: Tier = "accurate",
) -> list[Tagging]:
    """Tag posts, in their order. ``languages``, where given, says what is known of each beforehand.

    Every post is tagged as if it stood alone. The tier is the one that ``nlp`` was built with, or ``fast``.
    """
    refined = tier == "accurate" and refines(nlp)
    with nlp.memory_zone():
        docs = nlp.pipe(
            _docs(nlp, posts, languages), batch_size=BATCH, disable=[] if refined else [refinement.NAME]
        )
        return [_tagging(nlp, doc, refined=refined) for doc in docs]


def theme_texts(nlp: Language, posts: Sequence[Untagged]) -> list[Themes]:
    """The themes of posts that were tagged before, from their stored vectors."""
    with nlp.memory_zone():
        return [_themes(nlp, doc) for doc in _through(nlp, posts, (language.NAME, vector.NAME, themes.NAME))]


def judge_texts(nlp: Language, posts: Sequence[Untagged]) -> list[Mood]:
    """What the accurate tier says of posts' sentiment; ``nlp`` was built with it."""
    steps = (language.NAME, vector.NAME, sentiment.NAME, refinement.NAME)
    with nlp.memory_zone():
        return [_mood(nlp, doc) for doc in _through(nlp, posts, steps)]


def _through(nlp: Language, posts: Sequence[Untagged], steps: Sequence[str]) -> Iterator[Doc]:
    """The posts as these components alone leave them."""
    others = [name for name in nlp.pipe_names if name not in steps]
    return nlp.pipe(_docs(nlp, posts), batch_size=BATCH, disable=others)


def _mood(nlp: Language, doc: Doc) -> Mood:
    opinion = doc._.sentiment
    (tag,) = _tags(doc, [_component(nlp, refinement.NAME)])
    return Mood(sentiment=opinion.label, score=round(opinion.score, 4), sure=opinion.sure, tag=tag)


def _themes(nlp: Language, doc: Doc) -> Themes:
    tags = _tags(doc, [_component(nlp, themes.NAME)])
    return Themes(themes=_chosen(doc), tags=tuple(tags), vector=_vector(doc), encoder=ENCODER)


def _vector(doc: Doc) -> bytes | None:
    return None if doc._.vector is None else pack(doc._.vector)


def _chosen(doc: Doc) -> tuple[tuple[str, float], ...]:
    return tuple((theme.slug, theme.score) for theme in doc._.themes)


def _tags(doc: Doc, components: Sequence[Component]) -> list[Tag]:
    tags = [tag for component in components for tag in component.tags(doc)]
    if doc._.reading.cut:
        tags = [replace(tag, evidence={**(tag.evidence or {}), "read": LONGEST}) for tag in tags]
    return tags


def _docs(nlp: Language, posts: Sequence[Untagged], languages: Sequence[str | None] = ()) -> Iterator[Doc]:
    for number, post in enumerate(posts):
        doc = nlp.make_doc(post.text)
        found = doc._
        found.asked = post.asked
        found.vector = None if post.vector is None else unpack(post.vector)
        if languages:
            found.language = languages[number]
        yield doc


def _tagging(nlp: Language, doc: Doc, *, refined: bool) -> Tagging:
    found = doc._
    opinion = found.sentiment
    silent = sentiment.NAME if refined else refinement.NAME
    speaking = [cast(Component, component) for name, component in nlp.pipeline if name != silent]
    return Tagging(
        language=found.language,
        themes=_chosen(doc),
        theme_scores=found.theme_scores or {},
        themes_by=themes_by(nlp),
        sentiment=opinion.label,
        sentiment_score=round(opinion.score, 4),
        sure=opinion.sure,
        tier="accurate" if refined else "fast",
        question=bool(found.question),
        asked=bool(found.asked),
        logistics=bool(found.logistics),
        names=tuple(found.names or ()),
        vector=_vector(doc),
        encoder=ENCODER,
        tags=tuple(_tags(doc, speaking)),
    )


def _component(nlp: Language, name: str) -> Any:
    return nlp.get_pipe(name)
