"""Microsoft Teams: the Q&A of a meeting, a webinar or a town hall, exported as CSV: one row a message.

``Source Id`` is not taken for a message's id, since nobody has seen whether it is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from archive.vocabulary import ASKED, Item, Post, Private, Received, Unmapped
from collector.importers.base import Context, Head
from collector.importers.local_times import Clock
from collector.importers.personal import person, raw_cells, unread
from collector.importers.questions import ANONYMOUS, is_private, table_id, with_likes
from collector.importers.sheets import Form, Sheet, picked, plain, written_time
from collector.importers.tabular import Cells, Row, rows
from collector.mapping import MappingError
from collector.mapping.chat import Message, Ordinals, to_post

NAME = "teams-qa"
TITLE = "Microsoft Teams Q&A (CSV)"
TRIED = False

_SOURCE = "teams"
_REMEMBERED = 100_000  # conversations whose first message is known
_REPLY = re.compile(r"\b(?:repl|respon|answer|respuesta|repon|comment)")
_FORM = Form(
    source=_SOURCE,
    columns={
        "id": ("message id", "post id"),
        "thread": ("conversation id", "thread id"),
        "parent": ("reply to id", "in reply to id", "parent id", "parent message id", "reply to"),
        "text": ("content", "message", "message content", "question discussion", "question or discussion"),
        "name": (
            "name",
            "author",
            "author name",
            "posted by",
            "display name",
            "user name",
            "sender",
            "nombre",
            "nom",
        ),
        "date": ("date", "fecha"),
        "time": ("timestamp", "time", "created at", "created", "created date time", "posted at", "date time"),
        "type": ("type", "post type", "message type", "question discussion", "question or discussion"),
        "likes": ("upvotes", "upvote count", "votes", "likes"),
        "audience": ("visibility", "privacy", "private", "type", "post type", "message type"),
    },
    required=("thread", "text", "name", "time", "type"),
)


def sniff(head: Head) -> bool:
    """One of the first lines has columns for the conversation, and for text, type, author and time."""
    return _FORM.line(head) is not None


def read(stream: BinaryIO, context: Context) -> Iterator[Item]:
    """Each question, discussion and answer as a post; private answers are only counted."""
    sheet = Sheet.of(stream, _FORM, context)
    reader = _Reader(context, _FORM.named(sheet.header))
    for row in rows(sheet.stream):
        # Damage may hide that a row was private.
        yield replace(row, payload=None) if isinstance(row, Unmapped) else reader.item(row)


@dataclass
class _Reader:
    """The memory of a table while it is read: who began each conversation."""

    context: Context
    columns: dict[str, str]
    ordinals: Ordinals = field(default_factory=Ordinals)
    begun: dict[str, Post] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock = Clock(self.context)

    def item(self, row: Row) -> Item:
        """The post of a row, or why it is none."""
        if is_private(row.cells, self.columns):
            return Private(row.where)
        raw = raw_cells(row.cells, self.columns["text"])
        cells = picked(row.cells, self.columns)
        try:
            return Received(self._post(cells), raw)
        except MappingError as error:
            return unread(error, raw, row.where, f"{_SOURCE}:{person(cells.get('name')) or ANONYMOUS}")

    def _post(self, cells: Cells) -> Post:
        if "text" not in cells:
            raise MappingError("no text")
        begun = self.begun.get(cells.get("thread", ""))
        is_reply = "parent" in cells or bool(_REPLY.search(plain(cells.get("type", ""))))
        message = self._message(cells, begun if is_reply else None, is_reply=is_reply)
        message = replace(message, id=cells.get("id") or table_id(message, self.ordinals))
        post = to_post(_SOURCE, message, self.ordinals, arm=self.context.arm or "remote")
        if begun is None and not is_reply and "thread" in cells and len(self.begun) < _REMEMBERED:
            self.begun[cells["thread"]] = post
        return with_likes(post, cells)

    def _message(self, cells: Cells, begun: Post | None, *, is_reply: bool) -> Message:
        name = person(cells.get("name"))
        if not name and is_reply:
            raise MappingError("an answer, and nobody is named who gave it")
        written = written_time(cells, self.columns)
        if written is None:
            raise MappingError("no time")
        at, flags = self.clock.read(written)
        parent = f"{_SOURCE}:{cells['parent']}" if "parent" in cells else begun.key if begun else None
        return Message(
            name=name or ANONYMOUS,
            text=cells["text"].strip(),
            at=at,
            kind="reply" if is_reply else "original",
            reply_to=parent,
            reply_to_account=begun.author.name if begun and parent == begun.key else None,
            flags=flags if is_reply else (*flags, ASKED),
        )
