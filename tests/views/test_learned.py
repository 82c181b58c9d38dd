"""What is said of learning."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.measures.learning import ENOUGH, MANY
from archive.vocabulary import Meeting
from views.learned import line

AT = "2012-03-26T20:03:00Z"


@pytest.mark.parametrize(
    ("learning", "said"),
    [
        (None, ""),
        ({}, "as without corrections since 14:03"),
        ({"fitted_at": None}, ""),
        ({"fitted_at": None, "waiting": 1}, "1 post still to re-tag"),
        ({"fitted_at": None, "corrections": 1}, "1 correction given, not learned from yet"),
        (
            {"corrections": 12, "waiting": 312},
            "learned from 12 corrections at 14:03 · 312 posts still to re-tag",
        ),
        (
            {"corrections": 3, "enough": False},
            f"3 corrections noted at 14:03, a theme learns from {ENOUGH} on",
        ),
        ({"corrections": 8, "keywords": 1}, "learned from 8 corrections and 1 keyword at 14:03"),
        (
            {"keywords": 2, "waiting": MANY},
            "learned from 2 keywords at 14:03 · more than 10,000 posts still to re-tag",
        ),
    ],
)
def test_one_line(meeting: Meeting, learning: dict[str, Any] | None, said: str) -> None:
    known = {"corrections": 0, "keywords": 0, "fitted_at": AT, "enough": True, "waiting": 0}
    assert line(None if learning is None else known | learning, meeting) == said
