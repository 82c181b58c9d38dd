"""Names as a component: what it leaves in the Doc, and the tags with their evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
import spacy
from spacy.language import Language

from analysis.components.names import MOST, NAME, settings
from analysis.components.normalise import Normaliser, vocabulary
from archive.vocabulary import Attendance, Meeting, Name, Session, Theme


def pipeline(meeting: Meeting) -> Language:
    nlp = spacy.blank("xx", vocab=vocabulary())
    nlp.tokenizer = Normaliser(nlp.vocab, meeting.hashtags)
    nlp.add_pipe(NAME, config=settings(meeting))
    return nlp


@pytest.fixture
def own(meeting: Meeting) -> Meeting:
    speakers = ("Elena Villaverde", 'Ana ${x.y} "Quote"')
    session = Session(
        slug="s",
        title="Opening",
        starts=meeting.starts,
        ends=meeting.ends,
        hashtags=("OpenRoom",),
        speakers=speakers,
    )
    theme = Theme(slug="t", title="Single Window", keywords={"en": ("AskOnce",)})
    return replace(meeting, sessions=(session,), themes=(theme,), attendance=Attendance(by_country={"MX": 2}))


@pytest.fixture
def nlp(own: Meeting) -> Language:
    return pipeline(own)


def test_names_are_left_once_each(nlp: Language) -> None:
    doc = nlp("Elena Villaverde and #ElenaVillaverde of México met Rosa Luz")
    assert doc._.names == (
        Name("person", "Elena Villaverde"),
        Name("place", "Mexico"),
        Name("other", "Rosa Luz"),
    )


def test_the_evidence_stands_in_the_posts_own_text(nlp: Language) -> None:
    post = "RT @x: We &amp; Elena Villaverde use GitHub #sample2012"
    listed, seen = nlp.get_pipe(NAME).tags(nlp(post))
    assert (listed.label, listed.evidence["kind"], listed.evidence["from"]) == (
        "Elena Villaverde",
        "person",
        "list",
    )
    assert (seen.label, seen.evidence["kind"], seen.evidence["from"]) == ("GitHub", "other", "stream")
    for tag in (listed, seen):
        (span,) = tag.evidence["spans"]
        assert post[span["start"] : span["end"]] == span["text"] == tag.label


@pytest.mark.parametrize(
    "post",
    [
        "",
        "🐙",
        "nothing here",
        "#sample2012 #OpenRoom, at Sample",
        "the Single Window, AskOnce",
        "@ElenaVillaverde",
    ],
)
def test_none_is_a_tag_too(nlp: Language, post: str) -> None:
    doc = nlp(post)
    assert doc._.names == ()
    (tag,) = nlp.get_pipe(NAME).tags(doc)
    assert (tag.component, tag.label, tag.evidence) == ("name", "none", None)


def test_the_language_counts(nlp: Language) -> None:
    doc = nlp.make_doc("Wir brauchen mehr Transparenz")
    doc._.language = "de"
    assert nlp.get_pipe(NAME)(doc)._.names == ()
    assert nlp("We need more Transparenz")._.names == (Name("other", "Transparenz"),)


def test_another_list_is_another_version(own: Meeting, nlp: Language) -> None:
    other = pipeline(replace(own, themes=()))
    assert nlp.get_pipe(NAME).version != other.get_pipe(NAME).version
    assert nlp.get_pipe(NAME).version == pipeline(own).get_pipe(NAME).version
    assert len(other.get_pipe(NAME).version) < 40


def test_a_post_of_names_only_has_so_many(nlp: Language) -> None:
    doc = nlp(" and ".join(f"then A{chr(97 + n % 26)}{chr(97 + n // 26)}B" for n in range(400)))
    assert len(doc._.names) == MOST
