"""Zoom chats: the dated form with answers, reactions and direct messages, and the form of 2020."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from data.sample import write_zoom
from data.sample.story import Draft


def test_the_dated_form(draft: Callable[..., Draft]) -> None:
    messages = [draft(number, "zoom", f"Message {number} is long enough") for number in range(90)]
    messages[5].parent = messages[4]
    text = write_zoom.dated(Random(1), messages)
    assert text.startswith(f"2012-03-26 00:00:00 From {messages[0].author.name} to Everyone:\n\tMessage 0 ")
    assert '\tReplying to "Message 4 is long en...":\n\tMessage 5 ' in text
    assert text.count("(direct message):\n") == 3 and ":👍\n" in text


def test_the_form_of_2020(draft: Callable[..., Draft]) -> None:
    message = draft(61, "zoom", "Hello")
    assert write_zoom.undated([message]) == f"01:01:00\t From {message.author.name} : Hello\n"
