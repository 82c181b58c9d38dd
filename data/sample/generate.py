"""Write the sample meeting: ``python -m data.sample.generate [OUT] [--seed N]``. Same seed, same bytes."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from data.sample import MEETING, ids, people, quirks, write_bluesky, write_mastodon, write_tables, write_x
from data.sample import write_zoom as zoom
from data.sample.people import PREFIX, Person
from data.sample.schedule import ZONE, agenda
from data.sample.story import Draft, Story

SEED = 2012
#: What somebody passed on before the listening began, from a table of her own. A plain table cannot mark a
#: reply or a quote: only reposts leave every kind known. A spreadsheet spoilt one of the ids.
_EARLY = (
    ("24", "10:12", "tere", "RT @el12_nora: Anybody else travelling to Mexico City? #eleaders2012"),
    (
        "24",
        "13:40",
        "gabo",
        "RT @el12_lupe: El lunes empieza #eleaders2012, ya está la agenda http://example.org/agenda",
    ),
    ("24", "17:05", "remi", "RT @el12_ulla: Three themes for #eleaders2012: defragment, agility, open data"),
    ("25", "09:31", "gabo", "RT @el12_ulla: Three themes for #eleaders2012: defragment, agility, open data"),
    ("25", "11:02", "nora", "RT @el12_remi: En route pour Mexico, escale à Madrid #eleaders2012"),
    (
        "25",
        "12:47",
        "tere",
        "RT @el12_nora: Packing done, adapter forgotten. Typical, I hate that #eleaders2012",
    ),
    ("25", "15:20", "ulla", "RT @el12_lupe: ¡Ya huele a tacos y a datos abiertos! #eleaders2012"),
    ("25", "16:58", "tere", "RT @el12_ulla: Landed in Mexico City, slides not finished #eleaders2012"),
)
_DAMAGED = 5  # the row whose id went through a spreadsheet


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(description="Write the synthetic sample meeting.")
    parser.add_argument("out", nargs="?", type=Path, default=MEETING, help="folder to write into")
    parser.add_argument("--seed", type=int, default=SEED, help="another number makes another meeting")
    arguments = parser.parse_args()
    write(arguments.out, arguments.seed)


def write(out: Path, seed: int = SEED) -> None:
    """Write all files of the sample into a folder."""
    rng = Random(seed)
    everybody = people.make(rng)
    told = Story(rng, everybody).tell() + quirks.stage(rng, everybody)
    drafts, lost = quirks.drop_gap(told)
    ids.assign(rng, drafts)
    by_network = {
        name: [draft for draft in drafts if draft.network == name]
        for name in ("x", "mastodon", "bluesky", "zoom")
    }
    _save(out / "meeting.toml", write_tables.meeting_file(agenda()))
    _save(out / "roster.csv", write_tables.roster(rng, everybody))
    _save(out / "coverage.ndjson", _lines(write_tables.coverage(agenda(), lost)))
    _save(out / "x" / "search.jsonl", _lines(write_x.pages(by_network["x"])))
    _save(out / "x" / "early.csv", _lines(write_x.early_rows(_early(rng))))
    for stale in (*out.glob("mastodon/*.json"), *out.glob("zoom/*.txt")):
        stale.unlink()
    for name, text in write_mastodon.pages(rng, by_network["mastodon"]):
        _save(out / "mastodon" / name, text)
    _save(out / "bluesky" / "jetstream.jsonl", _lines(write_bluesky.events(rng, by_network["bluesky"])))
    main_room, breakout = _rooms(by_network["zoom"])
    for day in sorted({_day(draft) for draft in main_room}):
        messages = [draft for draft in main_room if _day(draft) == day]
        _save(out / "zoom" / f"{day}.txt", zoom.dated(rng, messages))
    _save(out / "zoom-breakout" / "meeting_saved_chat.txt", zoom.undated(breakout))
    _save(out / "gold.ndjson", _lines(write_tables.gold(drafts, keys(drafts))))


def keys(drafts: Iterable[Draft]) -> dict[int, str]:
    """The key in an archive of every draft, by the draft's ``id()``."""
    ordinals: dict[tuple[str, str], int] = {}
    found: dict[int, str] = {}
    for draft in drafts:
        if draft.network == "zoom":
            found[id(draft)] = _chat_key(draft, ordinals)
        else:
            found[id(draft)] = f"{draft.network}:{_address(draft)}"
    return found


def _address(draft: Draft) -> str:
    author: Person = draft.author
    if draft.network == "mastodon":
        return f"https://{author.host}/users/{author.handle}/statuses/{draft.id}"
    return f"{author.did}/{draft.id}" if draft.network == "bluesky" else draft.id


def _chat_key(draft: Draft, ordinals: dict[tuple[str, str], int]) -> str:
    """A chat has no ids: design.md says what a key is made of instead (and a test compares)."""
    at = f"{draft.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000000Z"
    ordinal = ordinals[at, draft.author.name] = ordinals.get((at, draft.author.name), -1) + 1
    words = f"{at}\x1f{draft.author.name}\x1f{ordinal}"
    return f"zoom:{hashlib.blake2b(words.encode(), digest_size=12).hexdigest()}"


def _rooms(messages: list[Draft]) -> tuple[list[Draft], list[Draft]]:
    """The chat of the main room, and that of the breakout room."""
    slot = next(slot for slot in agenda() if slot.slug == write_tables.BREAKOUT)
    breakout = [draft for draft in messages if slot.starts <= draft.at < slot.really_ends]
    return [draft for draft in messages if draft not in breakout], breakout


def _day(draft: Draft) -> str:
    return f"{draft.at.astimezone(ZONE):%Y-%m-%d}"


def _early(rng: Random) -> Iterable[tuple[str, str, str, str]]:
    for number, (day, clock, name, text) in enumerate(_EARLY):
        local = datetime.fromisoformat(f"2012-03-{day}T{clock}:00").replace(tzinfo=ZONE)
        post_id = "9.0E+18" if number == _DAMAGED else ids.numeric(rng, local)
        yield post_id, f"{local.astimezone(UTC):%Y-%m-%d %H:%M:%S}", PREFIX + name, text


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


if __name__ == "__main__":
    main()
