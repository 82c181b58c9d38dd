"""The sentiment component: evidence, and what must change nothing."""

from __future__ import annotations

import pytest
import spacy
from spacy.language import Language

from analysis.components import sentiment, vector
from analysis.components.normalise import Normaliser, vocabulary
from analysis.sentiment_model import Opinion
from archive.vocabulary import Meeting


@pytest.fixture(scope="module")
def nlp() -> Language:
    """The component with what it builds on, in a meeting with a hashtag of its own."""
    blank = spacy.blank("xx", vocab=vocabulary())
    blank.tokenizer = Normaliser(blank.vocab, ["eleaders2012"])
    blank.add_pipe(vector.NAME)
    blank.add_pipe(sentiment.NAME)
    return blank


def opinion(nlp: Language, text: str) -> Opinion:
    found = nlp(text)._.sentiment
    assert isinstance(found, Opinion)
    return found


def test_the_tag_has_probabilities_and_words(nlp: Language) -> None:
    doc = nlp("What a wonderful panel, I love it")
    (tag,) = nlp.get_pipe("sentiment").tags(doc)
    assert tag.label == "positive"
    assert tag.score == tag.evidence["probabilities"]["positive"]
    assert sum(tag.evidence["probabilities"].values()) == pytest.approx(1, abs=0.001)
    assert tag.evidence["sure"] is True
    assert {"love", "wonderful"} & {word for word, _ in tag.evidence["words"]}
    assert tag.evidence["by"] == "words and meaning"


def test_without_a_vector_the_words_answer_alone_and_it_is_said(nlp: Language) -> None:
    doc = nlp("What a wonderful panel, I love it")
    doc._.vector = None
    doc = nlp.get_pipe("sentiment")(doc)
    (tag,) = nlp.get_pipe("sentiment").tags(doc)
    assert (tag.label, tag.evidence["by"]) == ("positive", "words")


def test_one_by_one_or_in_batches_of_any_size(nlp: Language) -> None:
    texts = ["good", "bad", "", "so so", "great 🎉", "https://example.org"] * 3
    alone = [opinion(nlp, text) for text in texts]
    for size in (1, 4, 100):
        for doc, one in zip(nlp.pipe(texts, batch_size=size), alone, strict=True):
            found = doc._.sentiment
            assert (found.label, found.sure, found.words) == (one.label, one.sure, one.words)
            assert found.probabilities == pytest.approx(one.probabilities, abs=0.001)


@pytest.mark.parametrize(
    "changed",
    [
        "RT @bc_ana: The budget is a disgrace",
        "@bc_ana @bc_luis The budget is a disgrace https://example.org/a?b=c",
        "the budget is a disgrace #eleaders2012",
        "  THE BUDGET\n IS A DISGRACE ",
    ],
)
def test_what_is_not_said_by_the_author_changes_nothing(nlp: Language, changed: str) -> None:
    plain, other = opinion(nlp, "The budget is a disgrace"), opinion(nlp, changed)
    assert other.probabilities == pytest.approx(plain.probabilities, abs=0.01)


@pytest.mark.parametrize(
    ("text", "is_not"),
    [
        ("This is not good", "positive"),
        ("I do not like it", "positive"),
        ("Lovely slides, but the plan is a disaster", "positive"),
        ("sooooo gooood 😍", "negative"),
        ("#fail", "positive"),
        ("The session on open data starts at 10 in room 4", "negative"),
        ("La sesión sobre datos abiertos empieza a las 10 en la sala 4", "negative"),
        ("La séance sur les données ouvertes commence à 10 h en salle 4", "negative"),
    ],
)
def test_known_traps(nlp: Language, text: str, is_not: str) -> None:
    assert opinion(nlp, text).label != is_not


@pytest.mark.parametrize(
    "text",
    ["Open data is not a bad idea at all", "no es mala idea", "Ce n'est pas une mauvaise idée"],
)
def test_what_rests_on_a_denied_word_is_never_sure(nlp: Language, text: str) -> None:
    assert not opinion(nlp, text).sure


@pytest.mark.parametrize(
    "text",
    [
        "#asambleaRibera #flood2026 #t1 #t2",
        "#abc #def #ghi",
        "RT @bc_ana: #ILoveThisSoMuch https://example.org/a",
        " ".join(f"#tag{n}" for n in range(10_000)),
    ],
)
def test_a_post_without_words_is_never_sure_and_says_why(nlp: Language, text: str) -> None:
    doc = nlp(text)
    (tag,) = nlp.get_pipe("sentiment").tags(doc)
    assert not doc._.sentiment.sure
    assert (tag.evidence["sure"], tag.evidence["no_words"]) == (False, True)
    assert sum(tag.evidence["probabilities"].values()) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("text", ["I love this so much #abc #def", "I love it 😍😍😍 #abc"])
def test_a_post_with_words_beside_its_hashtags_may_be_sure(nlp: Language, text: str) -> None:
    doc = nlp(text)
    (tag,) = nlp.get_pipe("sentiment").tags(doc)
    assert doc._.sentiment.sure
    assert "no_words" not in tag.evidence


NAMES = (
    "Emily Carter",
    "Lakisha Brown",
    "José Hernández",
    "Fatima Zahra",
    "Wei Zhang",
    "Chidi Okafor",
    "王伟",
)


@pytest.mark.parametrize(
    "sentence", ["{} speaks at ten", "I disagree with {}", "gracias {}, qué buena charla"]
)
def test_a_name_swapped_changes_no_label(nlp: Language, sentence: str) -> None:
    assert len({opinion(nlp, sentence.format(name)).label for name in NAMES}) == 1


def test_the_meeting_changes_nothing(meeting: Meeting) -> None:
    assert sentiment.settings(meeting) == {}
