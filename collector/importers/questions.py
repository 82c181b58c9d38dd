"""Tables of questions with their answers, as the tools of meetings export them.

A row is a question with what was answered to it, or a further answer to the question above. Questions are
posts; answers are replies to them, where somebody is named who gave them: the one who answered, else the
host where the file names one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import BinaryIO

from archive.vocabulary import ASKED, Engagement, Item, Post, Private, Received, Unmapped
from collector.importers.base import Context, unmapped
from collector.importers.local_times import GUESSED, Clock
from collector.importers.personal import person, raw_cells, unread, without_addresses
from collector.importers.sheets import Form, Sheet, picked, plain, written_time, zoned
from collector.importers.tabular import Cells, Row, number, rows
from collector.mapping import MappingError
from collector.mapping.chat import Message, Ordinals, display_name, message_id, to_post

#: Who asks where the tool names nobody. All of them share it: how many they are is not known.
ANONYMOUS = "Anonymous"

_ANSWERS = 10  # columns for as many answers, numbered
_ANSWER = ("answer", "answerer", "answered", "audience")
_STARTS = ("actual start time", "start time", "started at", "started", "start date")
_HOSTS = ("host", "host name", "hosted by", "organizer", "organizer name", "anfitrion", "hote")
_SPOKEN = {
    "live answered", "answered live", "this question has been answered live", "respondida en vivo",
    "respondida en directo", "contestada en vivo", "repondu en direct", "no answer", "not answered",
}  # fmt: skip
_SPOKEN_LENGTH = 80
_PRIVATE = re.compile(r"\bpriv")  # in English, Spanish, French, German and Portuguese
_MARK = r"(?:privately answered|answered privately|private(?: answer| reply)?)"
_MARKED_PRIVATE = re.compile(rf"\s*(?:[\[(]\s*{_MARK}\s*[\])]|{_MARK}\s*:)", re.IGNORECASE)
_YES = {"yes", "true", "1", "si", "oui", "y"}


def read_questions(stream: BinaryIO, context: Context, form: Form) -> Iterator[Item]:
    """Each question and each answer as a post. InputError where nothing tells the day."""
    sheet = Sheet.of(stream, form, context)
    reader = _Reader(form, sheet, context)
    for row in rows(sheet.stream):
        yield from reader.items(row)


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer as a row has it, by what its cells hold."""

    cells: Cells
    is_private: bool


@dataclass
class _Reader:
    """The memory of a table while it is read: the question that answers belong to."""

    form: Form
    sheet: Sheet
    context: Context
    ordinals: Ordinals = field(default_factory=Ordinals)
    asked: Post | None = None
    asked_privately: bool = False

    def __post_init__(self) -> None:
        self.clock = Clock(self.context)
        self.columns = self.form.named(self.sheet.header)
        answers = [
            {
                what: name
                for what, name in self.form.named(self.sheet.header, suffix).items()
                if what in _ANSWER
            }
            for suffix in ("", *(f" {number}" for number in range(1, _ANSWERS + 1)))
        ]
        self.answers = [columns for columns in answers if "answer" in columns]

    def items(self, row: Row | Unmapped) -> Iterator[Item]:
        """The question of a row and its answers."""
        if isinstance(row, Unmapped):
            yield self._damaged(row)
            return
        answers = list(self._answers(row.cells))
        question = row.cells.get(self.columns["question"], "").strip()
        if question:
            # Whom the word "private" is about: the answer where there is one.
            self.asked = None
            self.asked_privately = not answers and is_private(row.cells, self.columns)
            yield Private(row.where) if self.asked_privately else self._question(row, question)
        elif not answers:
            yield unmapped("neither a question nor an answer", self._raw(row.cells), row.where)
        for answer in answers:
            if answer.is_private or self.asked_privately:
                yield Private(row.where)
            else:
                yield self._answer(answer.cells, row.where)

    def _question(self, row: Row, text: str) -> Item:
        cells = picked(row.cells, self.columns)
        name = person(cells.get("name")) or ANONYMOUS
        try:
            at, flags = self._asked_at(cells)
            message = Message(name=name, text=text, at=at, id=cells.get("id"), flags=(*flags, ASKED))
            post = with_likes(self._post(message), cells)
        except MappingError as error:
            return unread(error, self._raw(row.cells), row.where, f"{self.form.source}:{name}")
        self.asked = post
        return Received(post, self._raw(row.cells))

    def _answers(self, cells: Cells) -> Iterator[_Answer]:
        for columns in self.answers:
            if not _is_answer(cells.get(columns["answer"], "")):
                continue
            answer = picked(cells, columns)
            if "answered" in answer:
                answer["answered"] = zoned(answer["answered"], columns["answered"])
            private = any(is_private(cells, where) for where in (self.columns, columns))
            yield _Answer(answer, private or bool(_MARKED_PRIVATE.match(answer["answer"])))

    def _answer(self, cells: Cells, where: str) -> Item:
        raw = raw_cells(cells, "answer")
        name = person(cells.get("answerer")) or person(self._host)
        if not name:
            return unmapped("an answer, and nobody is named who gave it", raw, where)
        asked = self.asked
        try:
            if "answered" in cells:
                at, flags = self.clock.read(cells["answered"])
            elif asked is not None:
                at, flags = asked.created_at, GUESSED
            else:
                raise MappingError("an answer without a time or a question")
            message = Message(
                name=name,
                text=cells["answer"].strip(),
                at=at,
                kind="reply",
                reply_to=asked.key if asked else None,
                reply_to_account=asked.author.name if asked else None,
                flags=flags,
            )
            return Received(self._post(message), raw)
        except MappingError as error:
            return unread(error, raw, where, f"{self.form.source}:{name}")

    def _post(self, message: Message) -> Post:
        own_id = message.id or table_id(message, self.ordinals)
        message = replace(message, id=own_id)
        return to_post(self.form.source, message, self.ordinals, arm=self.context.arm or "remote")

    def _asked_at(self, cells: Cells) -> tuple[datetime, tuple[str, ...]]:
        written = written_time(cells, self.columns)
        if written is not None:
            return self.clock.read(written)
        if "time" in self.columns or "date" in self.columns:
            raise MappingError("no time")
        return self._start, GUESSED

    @cached_property
    def _start(self) -> datetime:
        """When it all began, for tables that tell no times."""
        for name in _STARTS:
            if written := self.sheet.facts.get(name):
                try:
                    return self.clock.read(written)[0]
                except MappingError:
                    continue
        return self.clock.start()

    @cached_property
    def _host(self) -> str | None:
        return next((self.sheet.facts[name] for name in _HOSTS if self.sheet.facts.get(name)), None)

    def _raw(self, cells: Cells) -> str:
        """A question's own cells: whoever answered may want to be forgotten without it."""
        others = {
            name
            for columns in self.answers
            if _is_answer(cells.get(columns["answer"], ""))
            for name in columns.values()
        }
        own = {name: cell for name, cell in cells.items() if name not in others}
        return raw_cells(own, self.columns["question"])

    def _damaged(self, row: Unmapped) -> Unmapped:
        """A row that cannot be read, without its cells where they may hold something private."""
        self.asked = None
        if row.payload is None or any("audience" in columns for columns in (self.columns, *self.answers)):
            return replace(row, payload=None)
        return replace(row, payload=without_addresses(row.payload, "…"))


def table_id(message: Message, ordinals: Ordinals) -> str:
    """What stands in for the id of a row: the same wherever in whatever export the row stands.

    Exports are sorted by votes or by state, times are often those of minutes, and the anonymous share a
    name. So the ordinal counts rows with the same words only; and a question is never mistaken for the
    message that its author wrote into the chat in the same second.
    """
    mark = f"table\x1f{message.kind}\x1f{display_name(message.name)}\x1f{message.text}"
    ordinal = ordinals.next(message.at, message_id(message.at, mark, 0))
    return message_id(message.at, mark, ordinal)


def is_private(cells: Cells, columns: Mapping[str, str]) -> bool:
    """Whether a row is for few eyes only: it says so, or says yes in a column called private."""
    column = columns.get("audience", "")
    said = plain(cells.get(column, ""))
    return bool(_PRIVATE.search(said)) or (said in _YES and bool(_PRIVATE.search(plain(column))))


def with_likes(post: Post, cells: Cells) -> Post:
    """The post with its votes, where they are told."""
    likes = number(cells.get("likes"))
    return post if likes is None else replace(post, engagement=Engagement(likes=likes))


def _is_answer(cell: str) -> bool:
    """Whether a cell holds an answer: not where it was spoken, or where there is none."""
    if len(cell) > _SPOKEN_LENGTH:
        return True
    return cell.strip(" \t\r\n-–—") != "" and plain(cell) not in _SPOKEN
