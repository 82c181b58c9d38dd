"""Files of labelled posts, and what can be wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.labels import KINDS, TASKS, Row, Task, read_labels
from archive.errors import UsageError
from archive.vocabulary import Meeting, Tagging

POSTS = [
    {
        "id": "a",
        "lang": "en",
        "text": "open it",
        "themes": ["agility", "open-data"],
        "label": "positive",
        "act": "QUE",
    },
    {
        "id": "b",
        "lang": "es",
        "text": "hola",
        "themes": [],
        "label": "neutral",
        "question": False,
        "act": "QUE",
    },
]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return tmp_path / "labels.jsonl"


def as_lines(posts: list[dict]) -> str:
    return "".join(json.dumps(post) + "\n" for post in posts)


TRUTH: list[tuple[Task, list[set[str]]]] = [
    ("themes", [{"agility", "open-data"}, {"none"}]),
    ("sentiment", [{"positive"}, {"neutral"}]),
    ("questions", [{"question"}, {"other"}]),
    ("language", [{"en"}, {"es"}]),
]


@pytest.mark.parametrize(("task", "truth"), TRUTH)
@pytest.mark.parametrize("written", [as_lines, json.dumps])
def test_lines_and_lists_are_read(
    labels: Path, meeting: Meeting, task: Task, truth: list[set[str]], written: object
) -> None:
    labels.write_text("\ufeff" + written(POSTS), encoding="utf-8")  # type: ignore[operator]
    rows = read_labels(labels, task, meeting)
    assert rows == [
        Row("open it", "en", frozenset(truth[0])),
        Row("hola", "es", frozenset(truth[1])),
    ]


@pytest.mark.parametrize(
    ("lang", "language", "truth"),
    [("EN", "en", "en"), ("en-GB", "en", "en"), ("unknown", None, "unknown"), ("und", None, "unknown")],
)
def test_a_language_is_its_code(
    labels: Path, meeting: Meeting, lang: str, language: str | None, truth: str
) -> None:
    labels.write_text(json.dumps({"text": "a", "lang": lang, "label": "neutral"}), encoding="utf-8")
    assert read_labels(labels, "sentiment", meeting) == [Row("a", language, frozenset(["neutral"]))]
    assert read_labels(labels, "language", meeting) == [Row("a", language, frozenset([truth]))]


def test_blank_lines_count_but_say_nothing(labels: Path, meeting: Meeting) -> None:
    labels.write_text('{"text": "a", "label": "neutral"}\n\n  \n{"text": "b"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"labels\.jsonl, line 4: label: found nothing"):
        read_labels(labels, "sentiment", meeting)


BAD: list[tuple[Task, str, str]] = [
    ("sentiment", "", "no labels in it"),
    ("sentiment", "[]", "no labels in it"),
    ("sentiment", "text,label\n", "line 1: not JSON"),
    ("sentiment", "[1, 2", "the list: not JSON"),
    ("sentiment", "[" * 100_000, "the list: not JSON"),
    ("sentiment", '[{"text": "a", "label": "neutral"}, 3]', "item 2: label: found 3; write an object"),
    ("sentiment", '{"label": "neutral"}', "line 1: text: found nothing; write the post's text"),
    ("sentiment", '{"text": 7, "label": "neutral"}', "line 1: text: found 7"),
    ("sentiment", '{"text": "a", "label": "pos"}', 'label: found "pos"; write positive, neutral or negative'),
    (
        "sentiment",
        '{"text": "a", "label": "neutral", "lang": 3}',
        "lang: found 3; write the code of a language",
    ),
    ("sentiment", '{"text": "a", "label": "' + "x" * 1000 + '"}', "xxx…; write"),
    ("themes", '{"text": "a", "themes": "agility"}', 'themes: found "agility"; write a list'),
    ("themes", '{"text": "a", "themes": ["agile"]}', 'themes: found "agile"; the meeting file has open-data'),
    ("themes", '{"text": "a", "themes": [["agility"]]}', 'themes: found ["agility"]'),
    ("questions", '{"text": "a"}', "question: found nothing; write true or false"),
    ("questions", '{"text": "a", "question": "yes"}', 'question: found "yes"'),
    ("questions", '{"text": "a", "act": 3}', "act: found 3"),
    ("language", '{"text": "a"}', "lang: found nothing; write the code of a language"),
    ("language", '{"text": "a", "lang": ""}', 'lang: found ""; write the code of a language'),
    ("language", '{"text": "a", "lang": null}', "lang: found null; write the code of a language"),
    ("sentiment", '{"text": "a", "label": "neutral", "lang": "english!"}', 'lang: found "english!"; write'),
]


@pytest.mark.parametrize(("task", "written", "said"), BAD)
def test_a_mistake_is_named_with_its_place(
    labels: Path, meeting: Meeting, task: Task, written: str, said: str
) -> None:
    labels.write_text(written, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        read_labels(labels, task, meeting)
    assert said in str(raised.value)
    assert len(str(raised.value)) < 400
    assert raised.value.exit_code == 2


def test_a_missing_file_and_one_that_is_no_text_are_named(labels: Path, meeting: Meeting) -> None:
    with pytest.raises(UsageError, match=r"labels\.jsonl: No such file"):
        read_labels(labels, "themes", meeting)
    labels.write_bytes(b'{"text": "caf\xe9"}')
    with pytest.raises(UsageError, match="not UTF-8 at byte 13"):
        read_labels(labels, "themes", meeting)
    with pytest.raises(UsageError, match="Is a directory"):
        read_labels(labels.parent, "themes", meeting)


def test_a_tagging_answers_for_every_task(meeting: Meeting) -> None:
    tagging = Tagging(
        language=None,
        themes=(("agility", 0.7),),
        sentiment="negative",
        sentiment_score=0.6,
        sure=True,
        question=True,
        tags=(),
    )
    found = {task: set(KINDS[task].found(tagging)) for task in TASKS}
    assert found == {
        "themes": {"agility"},
        "sentiment": {"negative"},
        "questions": {"question"},
        "language": {"unknown"},
    }
    for task in TASKS:
        assert KINDS[task].found(tagging) <= set(KINDS[task].classes(meeting))
