"""Whom and what a post names: people, organisations, places, documents; by lists and by its capitals."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from itertools import chain
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from analysis.name_lists import Known, of_meeting
from analysis.names import Finder, Found
from archive.vocabulary import NONE, Meeting, Name, Tag

NAME = "name"
MOST = 50  # names of one post


def settings(meeting: Meeting) -> dict[str, Any]:
    """The meeting's own names and what is none in it, as JSON: spaCy would read ``${…}`` as a reference."""
    themes = meeting.themes
    keywords = chain.from_iterable(words for theme in themes for words in theme.keywords.values())
    itself = dict.fromkeys(form for tag in meeting.hashtags for form in (tag, tag.rstrip("0123456789")))
    lists = {
        "known": [asdict(one) for one in of_meeting(meeting)],
        "own": [*meeting.hashtags, *chain.from_iterable(session.hashtags for session in meeting.sessions)],
        "agenda": [meeting.title, *itself, *(theme.title for theme in themes), *keywords],
    }
    return {"lists": json.dumps(lists, ensure_ascii=True).replace("$", "\\u0024")}


@Language.factory(NAME, default_config={"lists": '{"known": [], "own": [], "agenda": []}'})
class NameFinder:
    """``doc._.names`` is a tuple of Name, each once, in order of appearance."""

    def __init__(self, nlp: Language, name: str, lists: str) -> None:
        given = json.loads(lists)
        known = [Known(one["kind"], one["name"], tuple(one["phrases"])) for one in given["known"]]
        self.finder = Finder(known, given["own"], given["agenda"])
        self.version = f"name 1 {hashlib.sha256(lists.encode()).hexdigest()[:8]}"

    def __call__(self, doc: Doc) -> Doc:
        found = doc.user_data[NAME] = self.finder.find(doc._.post_text, doc._.language)[:MOST]
        doc._.names = tuple(Name(one.kind, one.name) for one in found)
        return doc

    def tags(self, doc: Doc) -> list[Tag]:
        """A tag for each name, with its place; else one that says none."""
        if not doc._.names:
            return [Tag(component=NAME, label=NONE, version=self.version)]
        return [self._tag(doc, found) for found in doc.user_data[NAME]]

    def _tag(self, doc: Doc, found: Found) -> Tag:
        text = doc._.post_text[found.start : found.end]
        evidence = {
            "kind": found.kind,
            "from": "list" if found.known else "stream",
            "spans": [{"start": found.start, "end": found.end, "text": text}],
        }
        return Tag(component=NAME, label=found.name, evidence=evidence, version=self.version)
