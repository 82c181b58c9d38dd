"""Reading the labelled folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from archive.errors import UsageError
from training import labelled


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BACKCHANNEL_TEST_DATA", str(tmp_path))
    (tmp_path / "labelled").mkdir()
    return tmp_path / "labelled"


def test_lines_and_lists_are_read(folder: Path) -> None:
    row = {"id": "a", "lang": "en", "label": "neutral", "text": "one\u2028line"}
    (folder / "rows.jsonl").write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "list.json").write_text("[1, 2]", encoding="utf-8")
    assert labelled.read("rows.jsonl") == [row]
    assert labelled.read("list.json") == [1, 2]
    posts = labelled.sentiment("rows.jsonl")
    assert (posts.ids, posts.texts, posts.labels.tolist()) == (["a"], ["one\u2028line"], ["neutral"])


def test_absent_data_is_said(folder: Path) -> None:
    with pytest.raises(UsageError, match="BACKCHANNEL_TEST_DATA"):
        labelled.read("none.jsonl")


def rows(*ids: str) -> labelled.Labelled:
    return labelled.Labelled(
        list(ids), np.array(["hi"] * len(ids)), np.array(["neutral"] * len(ids)), list(ids)
    )


def test_posts_are_parted_and_joined() -> None:
    whole = rows("a", "b").with_more(rows("c"))
    assert whole.ids == whole.texts == ["a", "b", "c"]
    assert whole.part(np.array([True, False, True])).ids == ["a", "c"]
    assert whole.part(np.array([True, False, True])).labels.tolist() == ["neutral"] * 2


def test_labels_that_have_nothing_to_do_with_the_post_are_told_apart() -> None:
    posts = rows("umsab-hi-train-899", "umsab-hi-train-900", "umsab-es-train-3", "umsab-hi-val-3", "100")
    assert labelled.agreeing(posts).tolist() == [False, True, True, True, True]
