"""Vectors of posts in the pipeline: made once, with the precision that is stored."""

from __future__ import annotations

import numpy as np
import pytest
import spacy
from spacy.language import Language

from analysis.components import vector
from analysis.components.normalise import Normaliser, vocabulary
from analysis.components.vector import NAME
from analysis.encoder import EncoderMissing, pack, unpack


@pytest.fixture
def nlp() -> Language:
    nlp = spacy.blank("xx", vocab=vocabulary())
    nlp.tokenizer = Normaliser(nlp.vocab)
    nlp.add_pipe(NAME)
    return nlp


def test_a_post_gets_the_vector_that_is_stored(nlp: Language) -> None:
    found = nlp("open data for all")._.vector
    assert found.dtype == np.float32
    assert np.array_equal(unpack(pack(found)), found)


def test_links_mentions_and_case_change_nothing(nlp: Language) -> None:
    plain, dressed = nlp.pipe(["open data", "RT @someone: OPEN  DATA https://example.org/x @other"])
    assert np.array_equal(plain._.vector, dressed._.vector)


def test_a_vector_given_beforehand_is_kept(nlp: Language) -> None:
    docs = [nlp.make_doc(text) for text in ("open data", "open data")]
    docs[0]._.vector = given = np.ones(512, dtype=np.float32)
    first, second = nlp.pipe(docs)
    assert first._.vector is given
    assert not np.array_equal(second._.vector, given)


def test_neighbours_change_nothing(nlp: Language) -> None:
    texts = [f"budget number {n} of the town" for n in range(40)]
    together = np.stack([doc._.vector for doc in nlp.pipe(texts, batch_size=32)])
    alone = np.stack([nlp(text)._.vector for text in texts])
    assert np.abs(together - alone).max() < 5e-4  # a step of float16
    assert np.abs(together - alone).mean() < 1e-6


def test_it_is_no_finding(nlp: Language) -> None:
    assert nlp.get_pipe(NAME).tags(nlp("open data")) == []


def test_without_the_encoder_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise EncoderMissing("not installed")

    monkeypatch.setattr(vector, "load", missing)
    nlp = spacy.blank("xx", vocab=vocabulary())
    nlp.tokenizer = Normaliser(nlp.vocab)
    component = nlp.add_pipe(NAME)
    assert component.version == "vector none"
    assert nlp("open data")._.vector is None
