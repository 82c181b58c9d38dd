"""Slido: the questions of an event, exported as CSV; a workbook (XLSX) has to be saved as that first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from archive.vocabulary import Item
from collector.importers.base import Context, Head
from collector.importers.questions import read_questions
from collector.importers.sheets import Form

NAME = "slido"
TITLE = "Slido questions (CSV)"
TRIED = False

_FORM = Form(
    source="slido",
    columns={
        "id": ("question id", "id"),
        "question": ("question", "questions", "question text", "pregunta", "preguntas"),
        "name": ("author", "author name", "participant", "participant name", "autor", "autora", "auteur"),
        "date": ("date", "date created", "created date", "fecha"),
        "time": ("time", "created at", "created", "date time", "submitted at", "timestamp", "hora", "heure"),
        "likes": ("upvotes", "likes", "votes", "score", "votos", "votos positivos"),
        "answer": ("reply", "replies", "answer", "answers", "respuesta", "reponse"),
        "answerer": ("reply author", "replied by", "answered by", "answer author"),
        "answered": ("reply time", "replied at", "answered at", "reply date"),
        "audience": ("visibility", "privacy", "private"),
    },
    required=("question", "name", "likes"),
)


def sniff(head: Head) -> bool:
    """One of the first lines has columns for the question, its author and its votes."""
    return _FORM.line(head) is not None


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Each question and each reply as a post. InputError where nothing tells the day."""
    return read_questions(stream, context, _FORM)
