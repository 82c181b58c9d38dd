"""What counts as a name, in which spelling, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.name_lists import Known, everywhere
from analysis.names import Finder, is_acronym

KNOWN = (
    Known("person", "Elena Villaverde", ("Elena Villaverde", "Villaverde")),
    Known("person", "Neil Right", ("Neil Right", "Right")),
    Known("document", "From portals to use", ("From portals to use",)),
)
FINDER = Finder(KNOWN, own_hashtags=["sample2012"], agenda=["sample2012", "Open Data", "datos abiertos"])


def names(text: str, language: str | None = "en") -> list[tuple[str, str]]:
    return [(found.kind, found.name) for found in FINDER.find(text, language)]


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        # the meeting's own lists
        ("Thanks to Elena Villaverde for this", [("person", "Elena Villaverde")]),
        ("elena villaverde said so", [("person", "Elena Villaverde")]),
        ("as Villaverde said, villaverde!", [("person", "Elena Villaverde")]),
        ("as Maria Villaverde said", [("other", "Maria Villaverde")]),
        ("Villaverde is a town. The Right One", []),
        ("#ElenaVillaverde is on", [("person", "Elena Villaverde")]),
        ("After from portals to use we go", [("document", "From portals to use")]),
        # the world's
        ("in México, in Mexico, in #mexico", [("place", "Mexico")]),
        ("chile con carne", []),
        ("Chile leads", [("place", "Chile")]),
        ("People in the Reino Unido say", [("place", "United Kingdom")]),
        ("he told us", []),
        ("made in the US", [("place", "United States")]),
        ("follow #us", []),
        ("what the OCDE and the OECD say, #oecd", [("organisation", "OECD")]),
        ("l’OCDE", [("organisation", "OECD")]),
        ("the Nations Unies", [("organisation", "United Nations")]),
        # the stream
        ("we met Rosa Luz today", [("other", "Rosa Luz")]),
        ("Rosa Luz was here", [("other", "Rosa Luz")]),
        ("Great Brisbane morning", [("other", "Brisbane")]),
        (
            "Hadley Luz and Rosa Paz from RStudio",
            [("other", "Hadley Luz"), ("other", "Rosa Paz"), ("other", "RStudio")],
        ),
        ("the Ministry of the Interior replied", [("organisation", "Ministry of the Interior")]),
        ("el Banco de Chile", [("organisation", "Banco de Chile")]),
        ("the Data Protection Act", [("document", "Data Protection Act")]),
        ("in Mexico City", [("place", "Mexico City")]),
        ("with Hyun-ki van der Berg", [("other", "Hyun-ki van der Berg")]),
        ("use GitHub and #RLadies", [("other", "GitHub"), ("other", "RLadies")]),
        ("GitHub's down", [("other", "GitHub")]),
        ("see the CRAN page", [("other", "CRAN")]),
        ("President Rosa Luz and Dr Paz", [("other", "Rosa Luz"), ("other", "Paz")]),
        # none
        ("Monday in July with the French", []),
        ("Thank you. Next question. OK", []),
        ("@OECD @ElenaVillaverde: hello", []),
        ("RT @OECD: hello", []),
        ("#sample2012 #opendata #OpenData", []),
        ("we want Open Data", []),
        ("WE WANT MORE FROM MEXICO CITY HALL", [("place", "Mexico")]),
        ("YES! GO NATO GO", []),
        ("Ten Things You Should Know About Great Small Cities", []),
        ("see https://example.org/Rosa/Luz", []),
        ("I think I'm right, IMHO", []),
        ("P10 and a 3D film at 10AM", []),
        ("Rosa.\nLuz", []),
        ("", []),
    ],
)
def test_names_of_a_post(post: str, expected: list[tuple[str, str]]) -> None:
    assert names(post) == expected


@pytest.mark.parametrize(
    ("post", "language", "expected"),
    [
        ("Wir brauchen mehr Transparenz im Haushalt", "de", []),
        ("Die CDU und Miley Cyrus reden", "de", [("other", "CDU"), ("other", "Miley Cyrus")]),
        ("Danke an Deutschland", "de", [("place", "Germany")]),
        (
            "die Technische Universität von Berlin",
            "de",
            [("organisation", "Technische Universität von Berlin")],
        ),
        ("es UN problema", "es", []),
        ("the UN said", "en", [("organisation", "United Nations")]),
        ("EU acho que sim", "pt", []),
        ("شكرا مصر", "ar", [("place", "Egypt")]),
    ],
)
def test_what_languages_write_differently(post: str, language: str, expected: list[tuple[str, str]]) -> None:
    assert names(post, language) == expected


@pytest.mark.parametrize(
    "post", ["RT @x: L’OCDE &amp; the Banco de Chile, #RLadies", "😀 Grüße an Österreich &lt;3 and GitHub’s"]
)
def test_names_stand_where_the_evidence_says(post: str) -> None:
    for found in FINDER.find(post, None):
        assert not found.known or found.name in {known.name for known in everywhere()}
        if not found.known:
            assert post[found.start : found.end] == found.name
        assert post[found.start : found.end].strip() != ""


@pytest.mark.parametrize(
    ("word", "yes"),
    [
        *((word, True) for word in ("OECD", "U.S.", "COP26", "EU")),
        *((word, False) for word in ("P10", "A", "Oecd", "ABCDEFG", "10", "")),
    ],
)
def test_acronyms(word: str, yes: bool) -> None:
    assert is_acronym(word) is yes


@given(st.text(alphabet="Aa .#@'’-\nÉß1", max_size=80) | st.text(max_size=80))
def test_any_text_gives_names_within_it(text: str) -> None:
    for found in FINDER.find(text):
        assert 0 <= found.start < found.end <= len(text)
        assert found.name.strip()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "A" * 1_200_000,
            "Rosa Luz " * 100_000,
            "#RosaLuz" * 10_000,
            "#Aa " * 10_000,
            "\ud800 Rosa \x00 Luz",
        ),
        *("R\u0300o\u0301sa " * 2000, "‏Rosa ‮Luz", "A' " * 4000, "de " * 4000, "A de " * 3000, "A.B." * 3000),
    ],
)
def test_hostile_texts(text: str) -> None:
    assert len(FINDER.find(text)) <= 2000
