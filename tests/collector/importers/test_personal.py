from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.importers.personal import person, raw_cells, without_addresses


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (None, ""),
        ("", ""),
        ("  Bc Ana  ", "Bc Ana"),
        ("bc_ana@example.org", "bc_ana"),
        ("<bc_ana@example.org>", "bc_ana"),
        ("Bc Ana <bc_ana@example.org>", "Bc Ana"),
        ("Bc Ana (bc_ana@example.org)", "Bc Ana"),
        ("@bc_ana", "@bc_ana"),
        ("Bc Ana @ the office", "Bc Ana @ the office"),
        ("…", "…"),
        ("🙂", "🙂"),
    ],
)
def test_names_are_shown_without_addresses(cell: str | None, name: str) -> None:
    assert person(cell) == name


def test_addresses_are_taken_out_of_a_text() -> None:
    text = "1,bc@example.org,mailto:bc.a@mail.example.co? and <bc@xn--p1ai.xn--p1ai>; 19:x@thread.v2 @bc a@b"
    assert without_addresses(text, "…") == "1,…,mailto:… and <…>; 19:x@thread.v2 @bc a@b"


def test_a_row_is_kept_without_addresses_but_in_the_words_of_people() -> None:
    cells = {
        "Question": "Write to bc@example.org?",
        "Asker Email": "x",
        "Correo": "y",
        "Identity": "bc@example.org",
    }
    assert json.loads(raw_cells({**cells, "State": "open"}, "Question")) == {
        "Question": "Write to bc@example.org?",
        "State": "open",
    }


@given(
    name=st.from_regex(r"[a-z0-9_]{1,9}", fullmatch=True),
    host=st.from_regex(r"[a-z]{1,9}\.(?:org|example\.net)", fullmatch=True),
    around=st.sampled_from(["{}", "Bc Ana {}", "<{}>", "({}), Bc", "{};{}", "\u202e{}"]),
)
def test_no_address_is_left(name: str, host: str, around: str) -> None:
    address = f"{name}@{host}"
    assert host not in person(around.format(address, address))
    assert host not in without_addresses(around.format(address, address))
