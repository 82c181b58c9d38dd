"""The pieces of a page that Streamlit does not have: the pushed parts, cards, rankings.

Everything that comes from a post, an author or a meeting file is escaped, or reaches the browser as data
of a component that writes it with ``textContent``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from html import escape
from typing import Any, Literal

import streamlit as st

from views.style import asset

_CSS = asset("live.css")
_JS = asset("live.js")
_PARTS = {
    part: st.components.v2.component(
        f"backchannel_{part}", html=asset(f"{part}.html"), css=_CSS, js=_JS, isolate_styles=True
    )
    for part in ("pulse", "heard", "posts")
}
_FEED = st.components.v2.component(
    "backchannel_feed",
    html="<i hidden></i>\n<i hidden></i>",
    js="""
export default ({ data }) => {
  globalThis[Symbol.for("backchannel.live")]?.receive(data.live)
}
""",
)


def pulse(
    live: dict[str, Any],
    url: str,
    *,
    on_control: Callable[[], None],
    on_polling: Callable[[], None],
    on_go: Callable[[], None],
    fixed: bool = False,
) -> Any:
    """Header, sources, complaints and key figures. The result has ``control`` (of the replay), ``polling``
    and ``go`` (what to look for in the archive).

    ``fixed`` leaves out what would change the replay.
    """
    return _PARTS["pulse"](
        key="pulse",
        data={"part": "pulse", "url": url, "name": _channel(live), "live": live, "fixed": fixed},
        on_control_change=on_control,
        on_polling_change=on_polling,
        on_go_change=on_go,
    )


def pushed(
    part: Literal["heard", "posts"], live: dict[str, Any], url: str, on_go: Callable[[], None]
) -> None:
    """Rising topics, names and the most active, or the newest posts; both share the connection and the
    state of ``pulse``, and have ``go`` as it has."""
    _PARTS[part](key=part, data={"part": part, "url": url, "name": _channel(live)}, on_go_change=on_go)


def feed(live: dict[str, Any]) -> None:
    """Hand the whole state to the parts above: what a viewer gets whose push is blocked."""
    _FEED(key="feed", data={"live": live})


def _channel(live: dict[str, Any]) -> str:
    return f"backchannel-live-{live['epoch']}"


def card(name: str) -> AbstractContextManager[Any]:
    """A framed part of the page; ``name`` is unique on it."""
    return st.container(key=f"card-{name}")


def heading(text: str, legend: Iterable[tuple[str, str]] = (), note: str = "", *, aside: str = "") -> None:
    """A card's heading, a legend of ``(colour, label)`` in the order of stacking, how to read the picture.

    ``aside`` stands right beside the heading, ``note`` after the legend.
    """
    items = "".join(
        f'<li><i style="background:{escape(colour)}"></i><bdi>{escape(label)}</bdi></li>'
        for colour, label in legend
    )
    st.html(
        f'<div class="card-head"><h2>{escape(text)}</h2>'
        + (f"<p>{escape(aside)}</p>" if aside else "")
        + (f"<ul>{items}</ul>" if items else "")
        + (f"<p>{escape(note)}</p>" if note else "")
        + "</div>"
    )


def agenda(rows: Sequence[tuple[str, str, str]]) -> None:
    """The agenda as ``(times, title, kind)``; kind is ``session``, ``break``, or ``now`` where under way."""
    body = "".join(
        f'<tr class="{escape(kind)}"><td>{escape(times)}</td><td><bdi>{escape(name)}</bdi></td></tr>'
        for times, name, kind in rows
    )
    st.html(f'<table class="agenda"><tbody>{body}</tbody></table>')


def message(heading_text: str, lines: Sequence[str]) -> None:
    """Something that must be said instead of a page: what is the matter, and what to do."""
    with card("message"):
        heading(heading_text)
        st.html("".join(f'<p class="card-note">{escape(line)}</p>' for line in lines if line))


def swatch(colour: str, name: str, said: str) -> None:
    """The heading of a small picture: its theme in colour and words."""
    st.html(
        f'<p class="swatch"><i style="background:{escape(colour)}"></i><bdi>{escape(name)}</bdi>'
        f"<span>{escape(said)}</span></p>"
    )
