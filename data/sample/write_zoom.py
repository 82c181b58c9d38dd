"""The sample as Zoom saves its chat: the form of 2025-26, and that of 2020 for the breakout room."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from data.sample.schedule import ZONE
from data.sample.story import Draft

_DIRECT = (
    "Are you also at the hotel by the park? Dinner at eight?",
    "Between us: this panel bores me",
    "¿Me pasas tu número?",
)


def dated(rng: Random, messages: list[Draft]) -> str:
    """A chat with dates, reactions, answers, and three direct messages that nobody may keep."""
    pieces = list(_dated_messages(rng, messages))
    for position, text in zip((7, 40, 75), _DIRECT, strict=True):
        draft, other = messages[position], messages[position + 2]
        local = (draft.at + timedelta(seconds=2)).astimezone(ZONE)
        pieces.insert(
            position + 1,
            f"{local:%Y-%m-%d %H:%M:%S} From {draft.author.name} to {other.author.name} (direct message):\n"
            f"\t{text}\n",
        )
    return "".join(pieces)


def _dated_messages(rng: Random, messages: list[Draft]) -> Iterator[str]:
    for draft in messages:
        local = draft.at.astimezone(ZONE)
        answer = f'\tReplying to "{_beginning(draft.parent.text)}":\n' if draft.parent else ""
        reaction = f"\t{rng.choice(messages).author.name}:👍\n" if rng.random() < 0.06 else ""
        head = f"{local:%Y-%m-%d %H:%M:%S} From {draft.author.name} to Everyone:\n"
        yield f"{head}{answer}\t{draft.text}\n{reaction}"


def undated(messages: list[Draft]) -> str:
    """A chat without dates, a message a line."""
    return "".join(
        f"{draft.at.astimezone(ZONE):%H:%M:%S}\t From {draft.author.name} : {draft.text}\n"
        for draft in messages
    )


def _beginning(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}..."
