"""Drafts to write, with identifiers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest

from data.sample import ids, people
from data.sample.schedule import FIRST_DAY
from data.sample.story import Draft

EVERYBODY = people.make(Random(5), regulars=6, once=0)


@pytest.fixture
def draft() -> Callable[..., Draft]:
    """``draft(3, "x", "text")`` is what the third person writes in minute 3."""

    def make(number: int = 0, network: str = "x", text: str = "Hello #eleaders2012", **more: object) -> Draft:
        person = EVERYBODY[number % 6]
        made = Draft(network, person, FIRST_DAY + timedelta(minutes=number), text, "en")
        for name, value in more.items():
            setattr(made, name, value)
        ids.assign(Random(number), [made])
        return made

    return make
