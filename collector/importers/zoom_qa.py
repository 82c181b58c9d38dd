"""Zoom: the Q&A report of a webinar or a meeting (CSV).

Older reports tell no times: their questions are taken to be asked when the webinar began, and are flagged.
A report that names nobody who answered leaves its answers to quarantine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from archive.vocabulary import Item
from collector.importers.base import Context, Head
from collector.importers.questions import read_questions
from collector.importers.sheets import Form

NAME = "zoom-qa"
TITLE = "Zoom Q&A report (CSV)"
TRIED = False

_FORM = Form(
    source="zoom",
    columns={
        "id": ("question id", "qid"),
        "question": ("question", "questions", "pregunta"),
        "name": ("asker name", "asker", "asker name original name"),
        "time": (
            "question time",
            "question asked time",
            "asked time",
            "asked at",
            "time asked",
            "create time",
        ),
        "likes": ("upvotes", "upvote", "upvote count", "votes", "likes"),
        "answer": ("answer", "answers", "answer s", "answer content"),
        "answerer": ("answer name", "answerer name", "answered by", "answerer", "answer by", "panelist name"),
        "answered": ("answer time", "answered time", "answered at"),
        "audience": ("answer type", "answer privacy", "privacy", "visibility", "private"),
    },
    required=("question", "name"),
)


def sniff(head: Head) -> bool:
    """One of the first lines has a column for the question and one for the asker's name."""
    return _FORM.line(head) is not None


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Each question and each written answer as a post. InputError where nothing tells the day."""
    return read_questions(stream, context, _FORM)
