"""The names that are known beforehand, with canonical spelling: the meeting file's own and the world's.

Speakers, delegations and titles stand in the meeting file; countries and international organisations in
``data/names.json``, beside the words by which names are told. No spaCy here: the dashboard counts by it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from analysis import word_lists
from analysis.texts import fold
from archive.vocabulary import Meeting, NameKind

LISTS = Path(__file__).parent.parent / "data" / "names.json"
TITLE_WORDS = 3  # of a title that is looked for
SHORTEST_SURNAME = 5


@dataclass(frozen=True, slots=True)
class Known:
    """A name of a list, and the phrases by which it goes."""

    kind: NameKind
    name: str
    phrases: tuple[str, ...]


class Heads(BaseModel):
    """Words, between blanks, that say what the name is in which they stand."""

    organisation: str
    document: str
    place: str


class Never(BaseModel):
    """Words, between blanks, that are no names, or not of what is looked for."""

    days: str
    months: str
    peoples: str
    people: str
    posts: str
    things: str
    openers: str


class Lists(BaseModel):
    """The file of names as it stands."""

    countries: dict[str, Annotated[list[str], Field(min_length=1)]]
    organisations: dict[str, list[str]]
    heads: Heads
    never: Never


@lru_cache(maxsize=20_000)
def key(name: str) -> str:
    """What two spellings of one name have in common: ``Open Science``, ``#OpenScience``, ``open-science``."""
    return "".join(c for c in fold(name) if c.isalnum()) or name


def lists() -> Lists:
    """The file of names, read once. Raises ModelError."""
    return _lists(LISTS)


@cache
def _lists(path: Path) -> Lists:
    return word_lists.load(path, "names", lambda text: Lists.model_validate(json.loads(text)))


@cache
def everywhere() -> tuple[Known, ...]:
    """Countries and international organisations."""
    countries = (Known("place", names[0], tuple(names)) for names in lists().countries.values())
    organisations = lists().organisations.items()
    return (*countries, *(Known("organisation", name, (name, *others)) for name, others in organisations))


@cache
def folded(group: Literal["heads", "never"], name: str = "") -> frozenset[str]:
    """The words of ``heads`` or ``never``, of one list of it or of all."""
    found: dict[str, str] = getattr(lists(), group).model_dump()
    words = found[name] if name else " ".join(found.values())
    return frozenset(fold(word) for word in words.split())


def of_meeting(meeting: Meeting) -> tuple[Known, ...]:
    """The meeting file's own: speakers, delegations, and titles that are longer than a phrase."""
    speakers = (name for session in meeting.sessions for name in session.speakers)
    bare = dict.fromkeys(map(_bare_name, speakers))
    people = _people(name for name in bare if name and fold(name) not in folded("never"))
    codes = {*meeting.attendance.by_country, *(p.country for p in meeting.participants if p.country)}
    countries = lists().countries
    delegations = [
        Known("place", countries[code][0], tuple(countries[code]))
        for code in sorted(codes)
        if code in countries
    ]
    titles = [session.title for session in meeting.sessions if session.kind == "session"]
    titles += [theme.title for theme in meeting.themes]
    documents = [
        Known("document", title, (title,))
        for title in dict.fromkeys(titles)
        if len(title.split()) >= TITLE_WORDS
    ]
    return (*people, *delegations, *documents)


def _bare_name(speaker: str) -> str:
    """``Ana Pérez (OECD)`` and ``Ana Pérez, OECD`` are Ana Pérez."""
    return re.split(r"\s*[(,]", speaker)[0].strip() or speaker.strip()


def _people(names: Iterable[str]) -> list[Known]:
    """Each goes by the whole name, and by each of the long surnames that no other one has."""
    surnames = {name: [word for word in name.split()[1:] if len(word) >= SHORTEST_SURNAME] for name in names}
    taken = Counter(chain.from_iterable(surnames.values()))
    return [
        Known("person", name, (name, *(word for word in words if taken[word] == 1)))
        for name, words in surnames.items()
    ]
