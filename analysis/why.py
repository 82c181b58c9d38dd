"""Why a post is tagged as it is: ``backchannel why`` and the dashboard's "why this tag"."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from analysis import accurate, encoder, sentiment_model
from analysis.sentiment_model import ModelError, Opinion
from analysis.texts import hashtags_folded, read
from archive.errors import UsageError
from archive.evidence import StoredTag, TaggedPost, tags_of
from archive.reading import load_meeting, open_readonly
from archive.times import short
from archive.vocabulary import Meeting

_SAME = 0.01  # by which probabilities may differ in the same answer


def why(archive: sqlite3.Connection | Path, key: str) -> dict[str, Any]:
    """Everything that is known about a post's tags, ready for JSON.

    ``{"post", "text", "language", "tagged_at", "tagged_by", "failure", "tags": […], "history": […]}``; a
    tag is ``{"component", "label", "score", "version", "set_by", "overruled_by", "seen_at"}`` with its
    evidence beside it (spans, words, probabilities, alternatives, phrases near it, a person's note), in
    ``history`` also ``superseded_at``. ``overruled_by`` names the person whose word counts instead.
    ``language`` is the source's own mark. The ``words`` of the accurate tier's sentiment are found now, or
    ``words_missing`` says why not; its ``fast_words`` are those of the fast tier. Raises UsageError where no
    such post is kept.
    """
    if isinstance(archive, Path):
        with closing(open_readonly(archive)) as conn:
            return why(conn, key)
    post = tags_of(archive, key)
    if post is None:
        raise UsageError(f"{key}: no such post is kept here; a key looks like x:1234567890123456789")
    shown = as_json(post)
    for tag in shown["tags"]:
        if tag["component"] == "sentiment" and tag.get("tier") == "accurate":
            tag.update(_telling(post, tag, load_meeting(archive)))
    return shown


def as_json(post: TaggedPost) -> dict[str, Any]:
    """A post's tags as they are stored, those that count apart from those that did."""
    current = [tag for tag in post.tags if tag.superseded_at is None]
    people = {tag.component: tag.set_by for tag in current if tag.set_by is not None}
    return {
        "post": post.key,
        "text": post.text,
        "language": post.language,
        "tagged_at": None if post.tagged_at is None else short(post.tagged_at),
        "tagged_by": post.tagged_by,
        "failure": post.failure,
        "tags": [_tag(tag, None if tag.set_by else people.get(tag.component)) for tag in current],
        "history": [_tag(tag) for tag in post.tags if tag.superseded_at is not None],
    }


def _tag(tag: StoredTag, overruled_by: str | None = None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "component": tag.component,
        "label": tag.label,
        "score": None if tag.score is None else round(tag.score, 4),
        "version": tag.version,
        "set_by": tag.set_by,
        "overruled_by": overruled_by,
        "seen_at": short(tag.seen_at),
        **(tag.evidence or {}),
    }
    if tag.superseded_at is not None:
        shown["superseded_at"] = short(tag.superseded_at)
    return shown


def _telling(post: TaggedPost, shown: dict[str, Any], meeting: Meeting) -> dict[str, Any]:
    """The words that told for a tag of the accurate tier, as evidence, or why they cannot be said.

    The model is asked again. Where text, models or meeting file are others than they were, so is its answer:
    its words would then be those of another tag.
    """
    try:
        model, fast_model = accurate.load(), sentiment_model.load()
    except ModelError as error:
        return {"words_missing": str(error)}
    text = read(post.text, hashtags_folded(meeting.hashtags)).text
    spoken = [tag.label for tag in post.tags if tag.component == "language" and tag.set_by is None]
    language = spoken[-1] if spoken else None  # the newest stands last
    (fast,) = fast_model.judge([text], [_vector(text)], [language])
    (opinion,) = model.judge([text], [fast], [language])
    if not _same(opinion, shown):
        return {"words_missing": "the accurate tier, asked again, answers otherwise than in this tag"}
    return {"words": [list(word) for word in model.telling(text, fast, language)]}


def _vector(text: str) -> encoder.Floats | None:
    try:
        vector: encoder.Floats = encoder.rounded(encoder.load().encode([text]))[0]
    except encoder.EncoderMissing:
        return None
    return vector


def _same(opinion: Opinion, shown: dict[str, Any]) -> bool:
    then = shown.get("probabilities", {})
    now = dict(zip(sentiment_model.LABELS, opinion.probabilities, strict=True))
    return opinion.label == shown["label"] and all(
        abs(then.get(label, 2) - chance) < _SAME for label, chance in now.items()
    )
