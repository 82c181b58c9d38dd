"""Webex: the Q&A report of a meeting or a webinar (CSV, or the tab-delimited text of the older sites)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from archive.vocabulary import Item
from collector.importers.base import Context, Head
from collector.importers.questions import read_questions
from collector.importers.sheets import Form

NAME = "webex-qa"
TITLE = "Webex Q&A report (CSV)"
TRIED = False

_FORM = Form(
    source="webex",
    columns={
        "id": ("question id",),
        "question": ("question", "questions", "question content", "pregunta"),
        "name": (
            "asked by",
            "asker display name",
            "questioner",
            "questioner name",
            "attendee name",
            "submitted by",
        ),
        "date": ("question date", "date"),
        "time": (
            "question time",
            "asked at",
            "time asked",
            "asked time",
            "submitted at",
            "time",
            "timestamp",
        ),
        "likes": ("upvotes", "votes", "likes"),
        "answer": ("answer", "answers", "answer s", "response", "responses", "answer content"),
        "answerer": (
            "answered by",
            "answerer",
            "answerer name",
            "responder",
            "responded by",
            "answerer display name",
        ),
        "answered": ("answer time", "answered at", "answered time", "time answered", "response time"),
        "audience": ("answer type", "answer visibility", "visibility", "privacy", "private"),
    },
    required=("question", "name"),
)


def sniff(head: Head) -> bool:
    """One of the first lines has a column for the question and one for who asked it."""
    return _FORM.line(head) is not None


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Each question and each written answer as a post. InputError where nothing tells the day."""
    return read_questions(stream, context, _FORM)
