"""The pieces of a page escape what they are given."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

HOSTILE = "<img src=x onerror=1> ![x](http://canary.example.org/a.png)"


def drawn(body: str) -> AppTest:
    page = AppTest.from_string(f"from views import components\nH = {HOSTILE!r}\n{body}").run()
    assert not page.exception
    return page


def html(page: AppTest) -> str:
    return "".join(one.proto.body for one in page.get("html"))


def test_names_from_outside_are_escaped() -> None:
    page = drawn(
        "components.heading(H, [(H, H)], H)\n"
        "components.ranking(H, [(H, H, H)], note=H)\n"
        "components.naming(H, [(H, H)])\n"
        "components.agenda([(H, H, 'now')])\n"
        "components.message(H, [H, ''])\n"
        "components.swatch(H, H, H)"
    )
    assert "<img" not in html(page)
    assert html(page).count("&lt;img src=x onerror=1&gt;") == 19
    assert not page.markdown


def test_an_empty_ranking_says_so() -> None:
    page = html(drawn("components.ranking('Rising', [], note='how', empty='None yet.')"))
    assert "None yet." in page and "how" not in page and "<ol" not in page
    assert "Nothing." in html(drawn("components.naming('Rising', [], empty='Nothing.')"))


def test_a_card_holds_what_is_drawn_in_it() -> None:
    assert "inside" in html(drawn("with components.card('one'):\n    components.heading('inside')"))


def test_the_pushed_parts_share_one_channel() -> None:
    page = drawn(
        "live = {'epoch': 'e1', 'seq': 1}\n"
        "components.pulse(live, '/api/live', on_control=lambda: None, on_polling=lambda: None)\n"
        "components.posts(live, '/api/live')\n"
        "components.feed(live)"
    )
    parts = page.get("bidi_component")
    assert len(parts) == 3
