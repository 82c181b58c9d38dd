"""Tags against labels, through the real pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis import evaluate as module
from analysis.evaluate import evaluate, tables
from analysis.labels import TASKS, Task
from analysis.pipeline import build, tag_texts
from archive.errors import UsageError
from archive.vocabulary import Learned, Meeting, Taught, Untagged

POSTS = [
    ("en", "I love open data and transparency, what a great idea!", ["open-data"], "positive", False),
    ("en", "This is terrible, I hate the delays and the lies", [], "negative", False),
    ("es", "¡Me encantan los datos abiertos, qué maravilla!", ["open-data"], "positive", False),
    ("es", "Esto es una vergüenza, qué asco y qué tristeza", [], "negative", False),
    ("en", "When does the next agile project begin?", ["agility"], "neutral", True),
    ("fr", "Bonjour, la séance commence à dix heures", [], "neutral", False),
]
FIGURES = {"posts", "accuracy", "accuracy_95", "macro_f1", "macro_f1_95", "macro_recall", "macro_recall_95"}


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.jsonl"
    keys = ("lang", "text", "themes", "label", "question")
    lines = [json.dumps(dict(zip(keys, post, strict=True))) + "\n" for post in POSTS]
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize("task", TASKS)
def test_the_report_has_every_figure_and_is_json(meeting: Meeting, labels: Path, task: Task) -> None:
    report = evaluate(task, meeting, labels, tier="fast")
    assert json.loads(json.dumps(report)) == report
    assert (report["task"], report["labels"], report["tier"]) == (task, "labels.jsonl", "fast")
    assert (report["posts"], report["left_out"], report["before"]) == (6, 0, None)
    cuts = [report["now"]["all"], *report["now"].get("languages", {}).values()]
    for cut in cuts:
        assert set(cut) >= FIGURES
        assert set(cut["classes"]) >= set(module.KINDS[task].classes(meeting))
    assert sum(cut["posts"] for cut in cuts[1:]) in (0, 6)


def test_sentiment_says_how_often_it_is_sure_and_right_then(meeting: Meeting, labels: Path) -> None:
    report = evaluate("sentiment", meeting, labels, tier="fast")["now"]
    assert list(report["languages"]) == ["en", "es", "fr"]
    assert report["all"]["accuracy"] >= 0.5
    assert set(report["all"]["sure"]) == {"share", "share_95", "accuracy", "accuracy_95"}
    assert 0 <= report["all"]["sure"]["share"] <= 1


def test_themes_have_the_class_none_beside_the_mean_and_the_order(meeting: Meeting, labels: Path) -> None:
    report = evaluate("themes", meeting, labels, tier="fast")["now"]["all"]
    means = [report["classes"][slug]["f1"] for slug in ("open-data", "agility")]
    assert report["macro_f1"] == pytest.approx(sum(means) / 2, abs=1e-3)
    assert report["classes"]["none"]["support"] == 3
    assert report["map"] > 0.9


def test_language_looks_at_short_posts_apart(meeting: Meeting, labels: Path) -> None:
    report = evaluate("language", meeting, labels, tier="fast")["now"]
    assert report["all"]["accuracy"] == 1
    assert report["short"]["posts"] == 1


def test_a_language_that_the_meeting_does_not_have_is_a_class_of_its_own(
    meeting: Meeting, tmp_path: Path
) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"text": "Guten Morgen, meine Damen und Herren", "lang": "de"}\n', encoding="utf-8")
    assert evaluate("language", meeting, path)["now"]["all"]["classes"]["de"]["support"] == 1


def taught(meeting: Meeting, *texts: str) -> Learned:
    posts = [Untagged(n, str(n), "", text, None, None) for n, text in enumerate(texts)]
    vectors = [found.vector or b"" for found in tag_texts(build(meeting), posts)]
    corrections = [Taught(v, text, ("agility",)) for v, text in zip(vectors, texts, strict=True)]
    return Learned(corrections=tuple(corrections), version="1234abcd")


def test_what_was_corrected_is_no_test(meeting: Meeting, labels: Path) -> None:
    learned = taught(meeting, f"RT @bc_ana: {POSTS[0][1].upper()} https://example.org/1")
    report = evaluate("themes", meeting, labels, tier="fast", learned=learned)
    assert (report["posts"], report["left_out"]) == (5, 1)
    assert report["before"]["all"]["posts"] == report["now"]["all"]["posts"] == 5
    assert evaluate("sentiment", meeting, labels, tier="fast", learned=learned)["before"] is None


def test_corrections_change_what_is_found(meeting: Meeting, labels: Path) -> None:
    texts = [f"Good morning, session {n} begins at {n} o'clock in the morning" for n in range(8, 20)]
    texts += [f"Bonjour, la séance {n} commence à {n} heures" for n in range(8, 20)]
    report = evaluate("themes", meeting, labels, tier="fast", learned=taught(meeting, *texts))
    assert report["before"]["version"] != report["now"]["version"]
    before, now = (report[when]["all"]["confusion"]["none"] for when in ("before", "now"))
    assert now.get("agility", 0) > before.get("agility", 0), "twelve posts on the hour were called agile"


def test_labels_that_were_all_corrected_are_refused(meeting: Meeting, labels: Path) -> None:
    learned = taught(meeting, *(post[1] for post in POSTS))
    with pytest.raises(UsageError, match="every post in it was corrected"):
        evaluate("themes", meeting, labels, learned=learned)


@pytest.mark.parametrize("task", TASKS)
def test_tables_are_straight_and_say_the_figures(meeting: Meeting, labels: Path, task: Task) -> None:
    report = evaluate(task, meeting, labels, tier="fast")
    shown = list(tables(report))
    assert len(shown) == 3
    for title, columns, rows in shown:
        assert title
        assert rows
        assert {len(row) for row in rows} == {len(columns)}
        assert all(isinstance(cell, str) for row in rows for cell in row)
    everything = shown[0][2][0]
    assert everything[1] == "6"
    assert everything[2].startswith(f"{report['now']['all']['accuracy']:.3f} (")


def test_a_class_that_no_label_has_is_not_printed(meeting: Meeting, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(
        '{"text": "Good morning, everybody", "lang": "en"}\n{"text": "123", "lang": "en"}\n', encoding="utf-8"
    )
    report = evaluate("language", meeting, path, tier="fast")
    assert report["now"]["all"]["confusion"] == {"en": {"en": 1, "unknown": 1}}
    shown = {title: rows for title, _, rows in tables(report)}
    assert [row[0] for row in shown["classes"]] == ["en"]


def test_tables_begin_with_what_corrections_change(meeting: Meeting, labels: Path) -> None:
    learned = taught(meeting, "We learn to be agile")
    shown = list(tables(evaluate("themes", meeting, labels, tier="fast", learned=learned)))
    title, columns, rows = shown[0]
    assert (title, columns) == ("what the corrections change", ["", "before", "now"])
    assert [row[0] for row in rows][:3] == ["macro-F1", "accuracy", "mAP"]
