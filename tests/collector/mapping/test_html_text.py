"""HTML to text: nothing that was said is lost, nothing that was not said is added."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.mapping.html_text import text_of

LONG = (
    '<a href="https://www.example.org/long/address"><span class="invisible">https://www.</span>'
    '<span class="ellipsis">example.org/lo</span><span class="invisible">ng/address</span></a>'
)


@pytest.mark.parametrize(
    ("html", "text", "links"),
    [
        ("<p>One<br>two<br/>three</p><p>four</p>", "One\ntwo\nthree\n\nfour", ()),
        ("<p>a &amp; b &lt;c&gt; &#127881;</p>", "a & b <c> 🎉", ()),
        (LONG, "https://www.example.org/long/address", ("https://www.example.org/long/address",)),
        (
            '<a href="https://example.org/x">example.org/…</a>',
            "https://example.org/x",
            ("https://example.org/x",),
        ),
        ('<a href="https://example.org">here</a>', "here (https://example.org)", ("https://example.org",)),
        ('<a href="https://example.org/t" class="mention hashtag">#<span>One</span></a>', "#One", ()),
        ('<a href="https://example.org/@a" class="u-url mention">@a</a>', "@a", ()),
        ('<a href="https://example.org/known">#known</a>', "#known", ()),
        ('<a href="mailto:a@example.org">write</a>', "write", ()),
        (
            '<a href="https://example.org/1">1</a><a href="https://example.org/1">1',
            None,
            ("https://example.org/1",),
        ),
        ("<ul><li>one</li><li>two</li></ul>after", "one\ntwo\n\nafter", ()),
        ("<pre>a\n  b</pre>", "a\n  b", ()),
        ("one\n  <b>two</b>", "one two", ()),
        ("<script>a(1)</script><template>x<template></template>y</template>said", "said", ()),
        ('<p class="quote-inline">RE: <a href="https://example.org/q">q</a></p><p>said</p>', "said", ()),
        ("", "", ()),
        ("<p>cut &am", "cut &am", ()),
    ],
)
def test_text_and_links(html: str, text: str | None, links: tuple[str, ...]) -> None:
    found = text_of(html, not_links={"https://example.org/known"})
    assert found[1] == links
    assert text is None or found[0] == text


@given(st.text(alphabet="<>/abp&;#\"'= \nstyle!-[]", max_size=80))
def test_hostile_html_does_no_harm(html: str) -> None:
    text, links = text_of(html)
    assert text == text.strip()
    assert links == ()
