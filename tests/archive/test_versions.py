from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

from archive import versions
from archive.store import Archive
from archive.vocabulary import Received
from tests.conftest import START

Receive = Callable[..., Received]


def test_every_observation_can_be_received_again(archive: Archive, receive: Receive) -> None:
    first = receive(1, text="one", received_at=START)
    second = receive(1, text="two", edited_at=START + timedelta(hours=1), observed_at=START)
    archive.write([first, second])
    again = list(versions.observations(archive.conn, 1))
    assert [item.post.text for item in again] == ["two", "one"]
    assert [item.raw for item in again] == [second.raw, first.raw]
    assert again[0].observed_at == START and again[1].observed_at is None


def test_of_two_observations_of_a_version_the_better_is_kept(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    content = versions.current(archive.conn, 1)
    for seen, payload in (("", "b"), ("2012", "c"), ("", "a"), ("2012", "d")):
        versions.keep(archive.conn, 1, ("2012", seen), "hash", payload, content)
    kept = archive.conn.execute("SELECT observed_at, payload_hash FROM versions").fetchall()
    assert kept == [("2012", "c")]


def test_the_current_version_is_written_like_the_others(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1, text="Hola #Uno", mentions=("BC_Eva",), links=("http://example.org",))])
    fields = json.loads(versions.current(archive.conn, 1))
    assert (fields["hashtags"], fields["mentions"], fields["links"]) == (
        ["uno"],
        ["bc_eva"],
        ["http://example.org"],
    )
