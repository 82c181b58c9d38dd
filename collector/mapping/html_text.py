"""The text and the links of a post that comes as HTML."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from html.parser import HTMLParser

MAX_HTML = 200_000  # characters; no server lets people write more
_PARAGRAPHS = {"p", "div", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"}
_LINES = {"br", "li", "tr"}
_SILENT = {"script", "style", "template"}
_SPACE = re.compile(r"[ \t\r\n\f]+")
# No server sends comments or tags that never end, and the parser needs quadratic time for them.
_UNFINISHED = re.compile(r"<(?=[!?]|[^<>]*(?:<|\Z))")


def text_of(html: str, *, not_links: Collection[str] = ()) -> tuple[str, tuple[str, ...]]:
    """The text of an HTML fragment, and the addresses it links to, each once, in order.

    Paragraphs and line breaks become line breaks. A link whose text is part of its address becomes the
    whole address; one with words of its own gets the address behind it in brackets. Mentions and
    hashtags (by their class, or their address in ``not_links``) stay words and are no links.
    """
    parser = _Fragment(frozenset(not_links))
    parser.feed(_UNFINISHED.sub("&lt;", html[:MAX_HTML]))
    parser.close()
    return parser.text(), tuple(dict.fromkeys(parser.links))


@dataclass
class _Anchor:
    href: str
    start: int
    is_link: bool


@dataclass
class _Skip:
    """An element whose content is left out, and how many of the same name are open inside."""

    tag: str
    depth: int = 1


@dataclass
class _Open:
    anchor: _Anchor | None = None
    skip: _Skip | None = None
    preformatted: int = 0
    pieces: list[str] = field(default_factory=list)


class _Fragment(HTMLParser):
    def __init__(self, not_links: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.not_links = not_links
        self.links: list[str] = []
        self.open = _Open()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        classes = attributes.get("class", "").split()
        if self._skips(tag, classes):
            return
        if tag in _PARAGRAPHS:
            self.open.pieces.append("\n\n")
        elif tag in _LINES:
            self.open.pieces.append("\n")
        if tag == "pre":
            self.open.preformatted += 1
        if tag == "a":
            self._close_anchor()
            self._open_anchor(attributes.get("href", "").strip(), classes)

    def _skips(self, tag: str, classes: list[str]) -> bool:
        skip = self.open.skip
        if skip is not None:
            skip.depth += tag == skip.tag
        # The line "RE: address" that servers add for those who cannot show a quoted post.
        elif tag in _SILENT or "quote-inline" in classes:
            self.open.skip = _Skip(tag)
        return self.open.skip is not None

    def handle_endtag(self, tag: str) -> None:
        skip = self.open.skip
        if skip is not None:
            skip.depth -= tag == skip.tag
            if not skip.depth:
                self.open.skip = None
            return
        if tag == "a":
            self._close_anchor()
        if tag in _PARAGRAPHS:
            self.open.pieces.append("\n\n")
        if tag == "pre":
            self.open.preformatted = max(0, self.open.preformatted - 1)

    def handle_data(self, data: str) -> None:
        if self.open.skip is None:
            self.open.pieces.append(data if self.open.preformatted else _SPACE.sub(" ", data))

    def _open_anchor(self, href: str, classes: list[str]) -> None:
        named = "mention" in classes or "hashtag" in classes or href in self.not_links
        is_link = href.startswith(("https://", "http://")) and not named
        self.open.anchor = _Anchor(href, len(self.open.pieces), is_link)

    def _close_anchor(self) -> None:
        anchor, self.open.anchor = self.open.anchor, None
        if anchor is None or not anchor.is_link:
            return
        self.links.append(anchor.href)
        words = "".join(self.open.pieces[anchor.start :]).strip()
        if words.rstrip("…").removesuffix("...") in anchor.href:
            shown = anchor.href
        else:
            shown = f"{words} ({anchor.href})"
        self.open.pieces[anchor.start :] = [shown]

    def text(self) -> str:
        self._close_anchor()
        lines = "".join(self.open.pieces).split("\n")
        tidy = "\n".join(line.rstrip() for line in lines)
        return re.sub(r"\n{3,}", "\n\n", tidy).strip()
