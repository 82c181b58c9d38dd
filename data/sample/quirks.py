"""What real archives have and a generator would not: put in on purpose, each once or a few times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

from data.sample.people import Person
from data.sample.schedule import GAP, ZONE
from data.sample.story import Draft

_QUESTION = {
    "x": ("en", "Will the data sets shown today be published under an open licence? #eleaders2012"),
    "mastodon": ("en", "Will the data sets of today be published under an open licence? #eleaders2012"),
    "zoom": ("en", "Will the data sets shown today be published under an open licence?"),
}


def drop_gap(drafts: Iterable[Draft]) -> tuple[list[Draft], int]:
    """The drafts without what X carried while nobody listened, and how many posts that were."""
    kept: list[Draft] = []
    dropped: set[int] = set()
    lost = 0
    for draft in sorted(drafts, key=lambda draft: draft.at):
        source = draft.parent or draft.repost_of
        in_gap = draft.network == "x" and GAP[0] <= draft.at < GAP[1]
        lost += in_gap
        if in_gap or (source is not None and id(source) in dropped):
            dropped.add(id(draft))
        else:
            kept.append(draft)
    return kept, lost


def stage(rng: Random, people: list[Person]) -> list[Draft]:
    """Posts written for one quirk each: edits, deletions, a late arrival, a cross-post, a question."""
    return [
        *_edits(rng, people),
        *_deletions(rng, people),
        *_cross_post(rng, people),
        *_asked_three_times(rng, people),
        _late_arrival(rng, people),
    ]


def _edits(rng: Random, people: list[Person]) -> list[Draft]:
    first = Draft(
        "x",
        _on(rng, people, "x"),
        _at(26, 10, 2),
        "Opening a firm in numbers: 11 counters before, 2 with the single window #eleaders2012",
        "en",
        "defragment",
        edited_at=_at(26, 10, 6),
        edited_text="Opening a firm in numbers: 11 counters before, 1 with the single window #eleaders2012",
    )
    second = Draft(
        "mastodon",
        _on(rng, people, "mastodon"),
        _at(27, 9, 41),
        "El dato más pedido son los horarios del tren #eleaders2012",
        "es",
        "open-data",
        edited_at=_at(27, 9, 49),
        edited_text="El dato más pedido son los horarios del camión, no del tren. Corrijo #eleaders2012",
    )
    return [first, second]


def _deletions(rng: Random, people: list[Person]) -> list[Draft]:
    after = Draft(
        "bluesky",
        _on(rng, people, "bluesky"),
        _at(26, 12, 10),
        "The wifi password of the main hall is on my badge, come and read it #eleaders2012",
        "en",
    )
    after.deleted_at = after.at + timedelta(minutes=21)
    before = Draft(
        "bluesky",
        _on(rng, people, "bluesky"),
        _at(27, 11, 31),
        "Posted this to the wrong account, sorry #eleaders2012",
        "en",
        sentiment="negative",
    )
    before.deleted_at = before.at - timedelta(seconds=1)
    return [after, before]


def _cross_post(rng: Random, people: list[Person]) -> list[Draft]:
    person = _on(rng, people, "mastodon")
    text = "Tres cosas que me llevo: pedir una sola vez, pilotos chicos, abierto por defecto #eleaders2012"
    return [
        Draft("x", person, _at(27, 17, 12), text, "es", "defragment"),
        Draft("mastodon", person, _at(27, 17, 12) + timedelta(seconds=6), text, "es", "defragment"),
    ]


def _asked_three_times(rng: Random, people: list[Person]) -> list[Draft]:
    return [
        Draft(
            network,
            _on(rng, people, network),
            _at(27, 9, 20 + 3 * position),
            text,
            language,
            "open-data",
            question=True,
        )
        for position, (network, (language, text)) in enumerate(_QUESTION.items())
    ]


def _late_arrival(rng: Random, people: list[Person]) -> Draft:
    return Draft(
        "bluesky",
        _on(rng, people, "bluesky"),
        _at(26, 17, 5),
        "En el metro sin señal, esto llegará tarde: muy buen panel de compras públicas #eleaders2012",
        "es",
        "agility",
        "positive",
        seen_at=_at(26, 17, 32),
    )


def _on(rng: Random, people: list[Person], network: str) -> Person:
    return rng.choice([person for person in people if network in person.networks and person.weight])


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2012, 3, day, hour, minute, 17, tzinfo=ZONE).astimezone(UTC)
