"""Tags for lines of JSON: one line out for each line in, in the same order (design.md, ``classify``)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.components import batches
from analysis.labels import language_code
from analysis.pipeline import BATCH, tag_texts
from archive.vocabulary import UNKNOWN, Meeting, Tagging, Untagged

if TYPE_CHECKING:
    from spacy.language import Language


@dataclass(frozen=True, slots=True)
class _Line:
    """A line read: its id and text, or what is wrong with it."""

    id: Any
    text: str = ""
    language: str | None = None
    error: str | None = None


def classify(nlp: Language, meeting: Meeting, lines: Iterable[str | bytes]) -> Iterator[str]:
    """Answer every line, blank ones too. A line that cannot be read is answered with ``error``."""
    slugs = [theme.slug for theme in meeting.themes]
    for some in batches(lines, BATCH):
        read = [_read(line) for line in some]
        for answer in _answers(nlp, read, slugs):
            yield json.dumps(answer)


def _read(line: str | bytes) -> _Line:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return _Line(None, error=f"not JSON: {error}"[:200])
    if not isinstance(value, dict):
        return _Line(None, error='a line is an object: {"id", "text"}')
    name, text, language = value.get("id"), value.get("text"), value.get("lang")
    if isinstance(name, bool) or not isinstance(name, str | int):
        return _Line(None, error="id: a text or a whole number is needed")
    if not isinstance(text, str):
        return _Line(name, error="text: a text is needed")
    try:
        code = UNKNOWN if language is None else language_code(language)
    except ValueError:
        return _Line(name, error="lang: the code of a language is needed, as en, or unknown")
    return _Line(name, text, None if code == UNKNOWN else code)


def _answers(nlp: Language, lines: Sequence[_Line], slugs: Sequence[str]) -> list[dict[str, Any]]:
    good = [line for line in lines if line.error is None]
    tagged = iter(_tagged(nlp, good))
    return [
        _answer(line, next(tagged), slugs) if line.error is None else {"id": line.id, "error": line.error}
        for line in lines
    ]


def _tagged(nlp: Language, lines: Sequence[_Line]) -> list[Tagging | str]:
    """A tagging for each line, or why there is none; a line that fails does not touch the others."""
    posts = [Untagged(n, str(n), "", line.text, line.language, None) for n, line in enumerate(lines)]
    languages = [line.language for line in lines]
    try:
        return list(tag_texts(nlp, posts, languages=languages))
    except Exception as error:  # whatever a component may raise on a hostile text
        if len(lines) <= 1:
            return [f"{type(error).__name__}: {error}"[:200]]
    middle = len(lines) // 2
    return _tagged(nlp, lines[:middle]) + _tagged(nlp, lines[middle:])


def _answer(line: _Line, tagging: Tagging | str, slugs: Sequence[str]) -> dict[str, Any]:
    if isinstance(tagging, str):
        return {"id": line.id, "error": tagging}
    return {
        "id": line.id,
        "language": tagging.language,
        "sentiment": tagging.sentiment,
        "sentiment_score": round(tagging.sentiment_score or 0.0, 4),
        "sure": bool(tagging.sure),
        "themes": [slug for slug, _ in tagging.themes],
        "theme_scores": {slug: round(tagging.theme_scores.get(slug, 0.0), 4) for slug in slugs},
        "question": tagging.question,
    }
