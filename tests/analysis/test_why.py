"""Why a post is tagged as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from analysis import accurate, encoder
from analysis.accurate import Accurate
from analysis.components import vector
from analysis.encoder import Encoder, EncoderMissing
from analysis.pipeline import PIPELINE, build
from analysis.sentiment_model import ModelError
from analysis.tagging import tag
from analysis.why import why
from archive.errors import UsageError
from archive.store import Archive
from archive.vocabulary import Correction, Received


def test_every_tag_comes_with_its_evidence(archive: Archive, receive: Callable[..., Received]) -> None:
    text = "I love #OpenData, who pays?"
    archive.write([receive(1, text=text, language="en")])
    nlp = build(archive.meeting)
    tag(archive, nlp)
    archive.retag()
    tag(archive, nlp)
    answer = why(archive.path, "x:9000000000000000001")
    assert answer == why(archive.conn, "x:9000000000000000001")
    json.dumps(answer)
    tags = {shown["component"]: shown for shown in answer["tags"]}
    assert set(tags) == {step.name for step in PIPELINE} - {"vector"}
    (span,) = tags["theme"]["spans"]
    assert text[span["start"] : span["end"]] == "OpenData"
    assert tags["sentiment"]["words"][0][0] == "love"
    assert tags["question"]["fired"][0]["text"] == "?"
    assert answer["tagged_at"].endswith("Z")
    assert len(answer["history"]) == len(answer["tags"])
    assert all(shown["superseded_at"] for shown in answer["history"])


def test_a_correction_stands_beside_what_it_overrules(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    archive.write([receive(1, text="I love #OpenData")])
    tag(archive, build(archive.meeting))
    key = "x:9000000000000000001"
    archive.correct(key, Correction(by="Ana", sentiment="neutral"))
    archive.correct(key, Correction(by="Eva", sentiment="negative", note="irony"))
    answer = why(archive.conn, key)
    machine, person = (shown for shown in answer["tags"] if shown["component"] == "sentiment")
    assert (machine["label"], machine["set_by"], machine["overruled_by"]) == ("positive", None, "Eva")
    assert (person["label"], person["set_by"], person["overruled_by"]) == ("negative", "Eva", None)
    assert (person["version"], person["note"]) == ("correction", "irony")
    assert all(shown["overruled_by"] is None for shown in answer["tags"] if shown["component"] == "theme")
    assert [shown["set_by"] for shown in answer["history"]] == ["Ana"]


def judged_closely(archive: Archive, received: Received) -> dict[str, Any]:
    """The sentiment in what is said of a post that both tiers have judged."""
    archive.write([received])
    tag(archive, build(archive.meeting, tier="accurate"))
    return sentiment_of(archive, received)


def sentiment_of(archive: Archive, received: Received) -> dict[str, Any]:
    tags = why(archive.conn, received.post.key)["tags"]
    return next(shown for shown in tags if shown["component"] == "sentiment" and shown["set_by"] is None)


def test_what_the_close_reading_went_by_is_told_when_it_is_asked_for(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    shown = judged_closely(archive, receive(1, text="The #WaterPanel was wonderful today #sample2012"))
    assert (shown["tier"], shown["label"]) == ("accurate", "positive")
    (word, lost), *_ = shown["words"]
    assert word == "wonderful"
    assert 0.05 < lost <= 1, "what the label loses without it"
    assert "wonderful" in [word for word, _ in shown["fast_words"]]
    assert [word for word, _ in shown["fast_words"]] != [word for word, _ in shown["words"]]
    assert "words_missing" not in shown
    json.dumps(shown)


def test_words_of_a_tag_of_before_are_told_anew(archive: Archive, receive: Callable[..., Received]) -> None:
    received = receive(1, text="What a wonderful panel on water")
    now = judged_closely(archive, received)
    stored = "json_set(json_remove(evidence, '$.fast_words'), '$.words', json('[[\"water\", 9]]'))"
    archive.conn.execute(f"UPDATE tags SET evidence = {stored} WHERE component = 'sentiment'")
    shown = sentiment_of(archive, received)
    assert (shown["words"], shown["fast_words"]) == (now["words"], [["water", 9]])


def test_without_the_model_or_with_another_answer_no_words_are_told(
    archive: Archive, receive: Callable[..., Received], monkeypatch: pytest.MonkeyPatch
) -> None:
    received = receive(1, text="What a wonderful panel on water")
    told = judged_closely(archive, received)
    archive.conn.execute("UPDATE posts SET text = 'What a terrible panel on water'")
    changed = sentiment_of(archive, received)

    def missing() -> Accurate:
        raise ModelError("accurate.json: missing")

    monkeypatch.setattr(accurate, "load", missing)
    for shown, reason in ((changed, "asked again"), (sentiment_of(archive, received), "accurate.json")):
        assert "words" not in shown
        assert reason in shown["words_missing"]
        assert shown["fast_words"] == told["fast_words"] != []


def test_without_the_encoder_the_words_are_told_of_what_was_judged_without_it(
    archive: Archive, receive: Callable[..., Received], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Encoder:
        raise EncoderMissing("not installed")

    for module in (encoder, vector):
        monkeypatch.setattr(module, "load", missing)
    shown = judged_closely(archive, receive(1, text="What a wonderful panel on water"))
    assert shown["words"][0][0] == "wonderful"


def test_past_tags_of_the_close_reading_show_what_is_stored(
    archive: Archive, receive: Callable[..., Received]
) -> None:
    received = receive(1, text="What a wonderful panel on water")
    judged_closely(archive, received)
    archive.retag()
    past = why(archive.conn, received.post.key)["history"]
    shown = [one for one in past if one["component"] == "sentiment" and one.get("tier") == "accurate"]
    assert [set(one) & {"words", "fast_words", "words_missing"} for one in shown] == [{"fast_words"}]


def test_a_post_that_waits_has_no_tags(archive: Archive, receive: Callable[..., Received]) -> None:
    archive.write([receive(1)])
    answer = why(archive.conn, "x:9000000000000000001")
    assert (answer["tagged_at"], answer["tags"]) == (None, [])


def test_an_unknown_key_is_said(archive: Archive) -> None:
    with pytest.raises(UsageError, match="no such post"):
        why(archive.conn, "x:9")
