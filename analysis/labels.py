"""Labelled posts: the files that people write and what they say of each post (fields: docs/evaluating.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from archive.errors import UsageError
from archive.vocabulary import NONE, SENTIMENTS, UNKNOWN, Meeting, Tagging

Task = Literal["themes", "sentiment", "questions", "language"]

QUESTION, OTHER = "question", "other"

_CODE = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})*|unknown")
_LANGUAGE = f"the code of a language, as en, or {UNKNOWN}"


@dataclass(frozen=True, slots=True)
class Row:
    """A post that somebody labelled; ``truth`` is a set of classes, of one class but for themes."""

    text: str
    language: str | None
    truth: frozenset[str]


class _Wrong(Exception):
    """A field of a label is not as it must be: its name, what was found, what to write."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a task compares: the label's classes, the tagging's, and which there may be."""

    truth: Callable[[Mapping[str, Any], Meeting], frozenset[str]]
    found: Callable[[Tagging], frozenset[str]]
    classes: Callable[[Meeting], tuple[str, ...]]


def read_labels(path: Path, task: Task, meeting: Meeting) -> list[Row]:
    """The labelled posts of a file: one JSON object a line, or one JSON list.

    Raises UsageError, which says where, what was found and what to write.
    """
    rows = []
    for where, item in _items(path):
        try:
            rows.append(_row(item, task, meeting))
        except _Wrong as wrong:
            field, found, expected = wrong.args
            raise UsageError(f"{path.name}, {where}: {field}: found {found}; {expected}") from None
    if not rows:
        raise UsageError(f'{path.name}: no labels in it; write one JSON object a line, as {{"text": …}}')
    return rows


def _items(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a file with labels") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    if text.lstrip().startswith("["):
        items = _parsed(text, path, "the list")
        yield from ((f"item {number}", item) for number, item in enumerate(items, start=1))
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"line {number}", _parsed(line, path, f"line {number}")


def _parsed(text: str, path: Path, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path.name}, {where}: not JSON: {error}; one object a line is needed") from None


def _row(item: Any, task: Task, meeting: Meeting) -> Row:
    if not isinstance(item, dict):
        raise _Wrong("label", _shown(item), 'write an object, as {"text": …}')
    text, language = _field(item, "text", str, "the post's text"), None
    if item.get("lang") is not None:
        language = _language(item)
    return Row(text, None if language == UNKNOWN else language, KINDS[task].truth(item, meeting))


def _language(item: Mapping[str, Any]) -> str:
    try:
        return language_code(item["lang"])
    except ValueError:
        raise _Wrong("lang", _shown(item["lang"]), f"write {_LANGUAGE}") from None


def language_code(value: object) -> str:
    """What a mark of a language means: ``en`` for ``EN`` and ``en-GB``, ``unknown``. Raises ValueError."""
    found = _CODE.fullmatch(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(value)
    return UNKNOWN if found[1] in (None, "und") else found[1]


def _field(item: Mapping[str, Any], name: str, kind: type, expected: str) -> Any:
    if name not in item:
        raise _Wrong(name, "nothing", f"write {expected}")
    if not isinstance(item[name], kind):
        raise _Wrong(name, _shown(item[name]), f"write {expected}")
    return item[name]


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _true_themes(item: Mapping[str, Any], meeting: Meeting) -> frozenset[str]:
    slugs = [theme.slug for theme in meeting.themes]
    allowed = f"the meeting file has {', '.join(slugs) or 'no themes'}; [] is no theme"
    themes = _field(item, "themes", list, f"a list of themes: {allowed}")
    for theme in themes:
        if theme not in slugs:
            raise _Wrong("themes", _shown(theme), allowed)
    return frozenset(themes or [NONE])


def _true_sentiment(item: Mapping[str, Any], meeting: Meeting) -> frozenset[str]:
    expected = "positive, neutral or negative"
    label = _field(item, "label", str, expected)
    if label not in SENTIMENTS:
        raise _Wrong("label", _shown(label), f"write {expected}")
    return frozenset([label])


def _true_question(item: Mapping[str, Any], meeting: Meeting) -> frozenset[str]:
    if "question" in item:
        asks = _field(item, "question", bool, "true or false")
    elif "act" in item:
        asks = _field(item, "act", str, "QUE for a question, another code for anything else") == "QUE"
    else:
        raise _Wrong("question", "nothing", 'write true or false (or "act": "QUE" for a question)')
    return frozenset([QUESTION if asks else OTHER])


def _true_language(item: Mapping[str, Any], meeting: Meeting) -> frozenset[str]:
    _field(item, "lang", str, _LANGUAGE)
    return frozenset([_language(item)])


KINDS: dict[Task, Kind] = {
    "themes": Kind(
        _true_themes,
        lambda tagging: frozenset(slug for slug, _ in tagging.themes) or frozenset([NONE]),
        lambda meeting: (*(theme.slug for theme in meeting.themes), NONE),
    ),
    "sentiment": Kind(
        _true_sentiment,
        lambda tagging: frozenset([str(tagging.sentiment)]),
        lambda meeting: SENTIMENTS,
    ),
    "questions": Kind(
        _true_question,
        lambda tagging: frozenset([QUESTION if tagging.question else OTHER]),
        lambda meeting: (QUESTION, OTHER),
    ),
    "language": Kind(
        _true_language,
        lambda tagging: frozenset([tagging.language or UNKNOWN]),
        lambda meeting: (*meeting.languages, UNKNOWN),
    ),
}
TASKS: tuple[Task, ...] = tuple(KINDS)
