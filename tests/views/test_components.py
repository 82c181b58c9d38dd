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
        "components.agenda([(H, H, 'now')])\n"
        "components.message(H, [H, ''])\n"
        "components.swatch(H, H, H)"
    )
    assert "<img" not in html(page)
    assert html(page).count("&lt;img src=x onerror=1&gt;") == 11
    assert not page.markdown


def test_a_card_holds_what_is_drawn_in_it() -> None:
    assert "inside" in html(drawn("with components.card('one'):\n    components.heading('inside')"))


def test_the_pushed_parts_share_one_channel() -> None:
    page = drawn(
        "live = {'epoch': 'e1', 'seq': 1}\n"
        "none = lambda: None\n"
        "components.pulse(live, '/api/live', on_control=none, on_polling=none, on_go=none)\n"
        "components.pushed('heard', live, '/api/live', none)\n"
        "components.pushed('posts', live, '/api/live', none)\n"
        "components.feed(live)"
    )
    parts = page.get("bidi_component")
    assert len(parts) == 4
