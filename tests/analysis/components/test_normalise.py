"""The tokenizer makes Docs whose words match whatever their case and accents."""

from __future__ import annotations

from analysis.components.normalise import Normaliser, vocabulary


def test_a_doc_has_words_norms_and_the_post() -> None:
    post = "RT @bc_ana: POLÍTICA y #DatosAbiertos #sample2012"
    doc = Normaliser(vocabulary(), ["Sample2012"])(post)
    assert [word.text for word in doc] == ["POLÍTICA", "y", "Datos", "Abiertos"]
    assert [word.norm_ for word in doc] == ["politica", "y", "datos", "abiertos"]
    assert doc._.post_text == post
    assert doc._.reading.text.strip().startswith("POLÍTICA")


def test_an_empty_post_is_an_empty_doc() -> None:
    assert len(Normaliser(vocabulary())("")) == 0
