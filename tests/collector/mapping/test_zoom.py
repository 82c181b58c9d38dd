"""Lines of a saved chat: to whom they went, and what of their text was said."""

from __future__ import annotations

from datetime import date, time

import pytest

from collector.mapping.zoom import Audience, body_of, header_of


@pytest.mark.parametrize(
    ("rest", "audience", "name", "text"),
    [
        ("Ana Perez : Hello : there", "public", "Ana Perez", "Hello : there"),
        ("Ana Perez :", "public", "Ana Perez", ""),
        ("Ana to Everyone : Hello", "public", "Ana", "Hello"),
        ("Ana to Everyone:", "public", "Ana", ""),
        ("Ana  to  Everyone in Meeting:", "public", "Ana", ""),
        ("Way to Go to Everyone:", "public", "Way to Go", ""),
        ("Ana a : PhD (she/her) : Hello", "public", "Ana a", "PhD (she/her) : Hello"),
        ("Ana to All Panelists and Attendees:", "public", "Ana", ""),
        ("Ana to All panelists:", "panelists", "Ana", ""),
        ("Ana to Luis:", "private", "", ""),
        ("Ana to Luis : Hello", "private", "", ""),
        ("Ana to Luis : Hello to Everyone : and all", "private", "", ""),
        ("Ana: PhD to Luis : Hello", "private", "", ""),
        ("Ana (Privately) : Hello", "private", "", ""),
        ("Ana to Everyone(Direct Message):", "private", "", ""),
        ("Ana To Luis : Hello", "private", "", ""),
        ("Ana (to Luis) : Hello", "private", "", ""),
        ("Ana\u00a0to\u00a0Luis : Hello", "private", "", ""),
        ("Ana to Luis(Privately)： say to everyone: Hello", "private", "", ""),
        ("Ana to Luis(Privately) say to everyone : Hello", "private", "", ""),
        ("Ana an Luis (Direktnachricht) : Hello", "private", "", ""),
        ("Ana à Luis (message direct)\u00a0: Hello", "private", "", ""),
        ("Ana 发送给 Luis（私聊）： Hello", "private", "", ""),
        ("Ana (Private Sector) : Hello", "public", "Ana (Private Sector)", "Hello"),
        ("Ana : MD to Luis:", "unknown", "", ""),
        ("Ana : MD to Luis: MD : Hello", "unknown", "", ""),
        ("Ana", "unknown", "", ""),
        ("Ana to Luis", "unknown", "", ""),
    ],
)
def test_to_whom(rest: str, audience: Audience, name: str, text: str) -> None:
    header = header_of(f"14:03:10 From {rest}")
    assert header is not None
    assert (header.audience, header.name, header.text) == (audience, name, text)


def test_a_text_that_ends_in_a_colon_is_one_in_the_form_of_2020_only() -> None:
    for gap, audience in (("\t ", "public"), (" ", "unknown")):
        header = header_of(f"14:03:10{gap}From Ana : links to the slides:")
        assert header is not None and header.audience == audience


def test_times() -> None:
    header = header_of("2026-03-16 9:03:10 From Ana to Everyone:")
    assert header is not None
    assert (header.day, header.at, header.dated) == (date(2026, 3, 16), time(9, 3, 10), True)
    for damaged in ("2026-13-16 09:03:10", "29:03:10"):
        header = header_of(f"{damaged} From Ana to Everyone:")
        assert header is not None and header.at is None


@pytest.mark.parametrize("line", ["", "\tHello", "Hello", "at 14:03 we met", "\t14:03:10 From Ana to Luis:"])
def test_lines_that_go_on(line: str) -> None:
    assert header_of(line) is None


def test_damaged_headers_end_the_message_before() -> None:
    for line, audience in (
        ("14:0x:10 Ana to Luis(Direct Message):", "private"),
        ("14.03.10 From Ana", "unknown"),
        ("14:03:10 from Ana to Luis : Hello", "unknown"),
        ("14:03:10\t De Ana a Luis : Hello", "unknown"),
        ("14：03：10 From Ana to Luis：", "unknown"),
        ("26/03/2026 14:03:10 From Ana to Luis:", "unknown"),
        ("2:03:10 PM Von Ana an Luis:", "unknown"),
    ):
        header = header_of(line)
        assert header is not None and header.audience == audience


def test_bodies() -> None:
    assert body_of("\n\nHello\n\nthere\n\n").text == "Hello\n\nthere"
    assert body_of('Reacted to "Hello" with 👍').is_reaction
    assert body_of("Removed a 👍 reaction from “Hello”").is_reaction
    assert not body_of("Reacted to what he said").is_reaction
    reply = body_of('Replying to ""Head First" (Ga..."\n\nYes')
    assert (reply.quoted, reply.text) == ('"Head First" (Ga...', "Yes")
    assert body_of('Replying to "Hello"').text == ""


def test_reactions_among_the_lines_are_dropped_in_the_dated_form_only() -> None:
    text = "Hello\nNote: ok\nLuis Gil, Eva Roth:👍🏽\nAna:❤️"
    assert body_of(text, dated=True).text == "Hello\nNote: ok"
    assert body_of(text).text == text
    assert body_of("Ana:👍", dated=True).text == "Ana:👍"
