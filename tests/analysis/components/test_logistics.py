from __future__ import annotations

import pytest
import spacy
from spacy.language import Language

from analysis import encoder
from analysis.components import vector
from analysis.components.logistics import NAME, settings
from analysis.components.normalise import Normaliser, vocabulary
from archive.vocabulary import Meeting


@pytest.fixture(scope="module")
def nlp() -> Language:
    found = spacy.blank("xx", vocab=vocabulary())
    found.tokenizer = Normaliser(found.vocab)
    found.add_pipe(vector.NAME)
    found.add_pipe(NAME)
    return found


@pytest.mark.parametrize(
    "post",
    [
        "The stream keeps dropping again",
        "Is there a recording of this session?",
        "Otra vez se cae la transmisión",
        "On n'entend rien dans la salle",
        "Der Ton ist weg",
        "Non si sente il microfono",
        "O wifi da sala não funciona",
        "لا نسمع شيئا، الصوت مقطوع",
        "Sound is great today, thanks to the technicians",
    ],
)
def test_the_running_of_the_meeting_is_marked_with_its_cues(nlp: Language, post: str) -> None:
    doc = nlp(post)
    (tag,) = nlp.get_pipe(NAME).tags(doc)
    assert (tag.label, doc._.logistics) == ("yes", True)
    assert tag.score == tag.evidence["probability"] >= 0.4
    assert any(
        post[one["start"] : one["end"]] == one["text"] for one in tag.evidence["fired"] if "text" in one
    )


@pytest.mark.parametrize(
    "post",
    [
        "Who pays for broadband in the mountains?",
        "Our data stream carries ten thousand readings a minute",
        "There is room for improvement in public procurement",
        "We need a sound policy on privacy",
        "El registro civil tarda dos días",
        "Great talk on open budgets!",
        "",
        "😀😀",
    ],
)
def test_the_matter_is_not_marked(nlp: Language, post: str) -> None:
    doc = nlp(post)
    (tag,) = nlp.get_pipe(NAME).tags(doc)
    assert (tag.label, doc._.logistics) == ("no", False)


def test_without_a_cue_there_is_nothing_to_tell(nlp: Language) -> None:
    (tag,) = nlp.get_pipe(NAME).tags(nlp("We pay."))
    assert (tag.score, tag.evidence) == (1.0, None)


def test_neighbours_change_nothing(nlp: Language) -> None:
    posts = ["The stream keeps dropping", "We pay.", "Is the wifi down?", "x" * 12_000]
    together = [nlp.get_pipe(NAME).tags(doc)[0] for doc in nlp.pipe(posts)]
    alone = [nlp.get_pipe(NAME).tags(nlp(post))[0] for post in posts]
    assert [tag.label for tag in together] == [tag.label for tag in alone]
    assert [tag.score for tag in together] == pytest.approx([tag.score for tag in alone], abs=0.01)


def test_it_works_without_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise encoder.EncoderMissing("none")

    monkeypatch.setattr(vector, "load", missing)
    nlp = spacy.blank("xx", vocab=vocabulary())
    nlp.tokenizer = Normaliser(nlp.vocab)
    nlp.add_pipe(vector.NAME)
    nlp.add_pipe(NAME)
    assert nlp("No sound, the stream is down and the microphone too")._.logistics
    assert not nlp("We pay.")._.logistics


def test_nothing_depends_on_the_meeting(meeting: Meeting) -> None:
    assert settings(meeting) == {}
