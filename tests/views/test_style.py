"""Theme and style sheet."""

from __future__ import annotations

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from analysis.charts import DARK, LIGHT
from views import style


def test_every_theme_option_is_one_of_streamlit() -> None:
    assert set(style.THEME) <= set(config.get_config_options())


@pytest.mark.parametrize("name", ["live.js", "live.css", "page.css", "pulse.html", "posts.html"])
def test_assets_are_there(name: str) -> None:
    assert style.asset(name).strip()


def test_the_script_writes_text_as_text() -> None:
    script = style.asset("live.js")
    assert "innerHTML" not in script and "insertAdjacentHTML" not in script


def test_the_sheet_takes_the_colours_of_the_ground() -> None:
    page = AppTest.from_string("from views import style\nstyle.apply()").run()
    assert not page.exception
    assert LIGHT.card in page.get("html")[0].proto.body
    assert DARK.card not in page.get("html")[0].proto.body


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_every_colour_stands_out_from_its_ground(palette: object) -> None:
    assert isinstance(palette, type(LIGHT))
    ground = luminance(palette.card)

    def contrast(colour: str) -> float:
        high, low = sorted((luminance(colour), ground), reverse=True)
        return (high + 0.05) / (low + 0.05)

    moods = (palette.positive, palette.neutral, palette.negative, palette.none)
    assert all(contrast(colour) >= 3 for colour in (*palette.themes, *moods))
    assert all(contrast(colour) >= 4.5 for colour in (palette.text, palette.muted))
