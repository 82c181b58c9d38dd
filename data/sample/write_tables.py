"""The sample's meeting file, roster, coverage ledger and gold labels."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from data.sample.people import Person
from data.sample.schedule import GAP, LISTENING_FROM, LISTENING_TO, Slot
from data.sample.story import Draft

_HEAD = Path(__file__).parent / "phrases" / "meeting.toml"
BREAKOUT = "round-table"


def meeting_file(slots: Iterable[Slot]) -> str:
    """The meeting file: the part written by hand, with the agenda put in."""
    head, marker, tail = _HEAD.read_text(encoding="utf-8").partition("# sessions\n")
    assert marker
    return head + "\n".join(_session(slot) for slot in slots) + tail


def _session(slot: Slot) -> str:
    lines = [
        "[[sessions]]",
        f"slug = {_text(slot.slug)}",
        f"title = {_text(slot.title)}",
        f"starts = {slot.starts:%Y-%m-%dT%H:%M:%S}",
        f"ends = {slot.ends:%Y-%m-%dT%H:%M:%S}",
    ]
    if slot.is_break:
        lines.append('kind = "break"')
    if slot.themes:
        lines.append(f"themes = [{', '.join(map(_text, slot.themes))}]")
    if slot.speakers:
        lines.append(f"speakers = [{', '.join(map(_text, slot.speakers))}]")
    return "\n".join(lines) + "\n"


def roster(rng: Random, people: list[Person]) -> str:
    """The people who agreed to be matched: two thirds of those registered."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(("name", "country", "group", "attendance", "accounts"))
    names: set[str] = set()
    for person in people:
        if person.attendance and person.name not in names and rng.random() < 0.67:
            names.add(person.name)
            accounts = ";".join(_accounts(person))
            rows.writerow((person.name, person.country, person.group, person.attendance, accounts))
    return file.getvalue()


def _accounts(person: Person) -> Iterator[str]:
    yield f"x:@{person.handle}"
    if "mastodon" in person.networks:
        yield f"mastodon:{person.handle}@{person.host}"
    if "bluesky" in person.networks:
        yield f"bluesky:{person.did}"
    if "zoom" in person.networks:
        yield f"zoom:{person.name}"


def coverage(slots: tuple[Slot, ...], lost: int) -> Iterator[str]:
    """Lines of JSON: when which source was listened to, with the gap in X and its cause."""
    gap_from, gap_to = GAP
    yield _span("x", "x", "listening", LISTENING_FROM, gap_from)
    yield _span("x", "x", "deaf", gap_from, gap_to, cause="the connection was lost", missing_estimate=lost)
    yield _span("x", "x", "listening", gap_to, LISTENING_TO)
    for name, source in (("mastodon", "mastodon"), ("mastodon-2", "mastodon"), ("bluesky", "bluesky")):
        yield _span(name, source, "listening", LISTENING_FROM, LISTENING_TO)
    for day in sorted({slot.starts.date() for slot in slots}):
        today = [slot for slot in slots if slot.starts.date() == day and slot.speakers]
        room = [slot for slot in today if slot.slug == BREAKOUT]
        early = timedelta(minutes=15)
        yield _span("zoom", "zoom", "listening", today[0].starts - early, today[-1].really_ends + early)
        for slot in room:
            yield _span("zoom-breakout", "zoom", "listening", slot.starts, slot.really_ends + early)


def _span(name: str, source: str, state: str, starts: datetime, ends: datetime, **more: Any) -> str:
    span = {
        "name": name,
        "source": source,
        "state": state,
        "started_at": _time(starts),
        "ended_at": _time(ends),
    }
    return json.dumps(span | more, ensure_ascii=False)


def gold(drafts: Iterable[Draft], keys: dict[int, str]) -> Iterator[str]:
    """Lines of JSON: what each authored post was written to express. Easy gold: see data/README.md."""
    for draft in drafts:
        if draft.repost_of is None and draft.deleted_at is None:
            label = {
                "key": keys[id(draft)],
                "language": draft.language,
                "themes": [draft.theme] if draft.theme else [],
                "sentiment": draft.sentiment,
                "question": draft.question,
            }
            yield json.dumps(label, ensure_ascii=False)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
