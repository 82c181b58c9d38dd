"""Working through untagged posts: resumed, halved, never twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from spacy.language import Language

from analysis import tagging
from analysis.components import refinement
from analysis.encoder import VERSION as ENCODER
from analysis.pipeline import PIPELINE, build, themes_by, version
from analysis.question_groups import group
from analysis.sentiment_model import ModelError, Opinion
from analysis.tagging import FIRST, GROUPING, LEARNING, REFINED, REFINING, SUGGESTING, TAGGING, THEMES, tag
from archive.integrity import verify
from archive.store import Archive
from archive.suggestions import Suggestion, suggestions
from archive.vocabulary import ATTEMPTS, Correction, Deleted, Learned, Meeting, Received, Tagging, Untagged

Receive = Callable[..., Received]
FINDINGS = len(PIPELINE) - 1  # of a post without several themes or names; a vector is no finding


@pytest.fixture
def nlp(meeting: Meeting) -> Language:
    return build(meeting)


def fill(archive: Archive, receive: Receive, texts: Sequence[str]) -> None:
    archive.write([receive(number, text=text) for number, text in enumerate(texts)])


def at(minute: int) -> datetime:
    return datetime(2012, 3, 26, 15, 0, tzinfo=UTC) + timedelta(minutes=minute)


def tagged(archive: Archive) -> list[tuple[str, str, str]]:
    rows = archive.conn.execute(
        "SELECT text, sentiment, tagged_by FROM posts WHERE tagged_at IS NOT NULL ORDER BY id"
    )
    return [tuple(row) for row in rows]


def test_everything_untagged_is_tagged_once(archive: Archive, receive: Receive, nlp: Language) -> None:
    fill(archive, receive, [f"I love open data {n}" for n in range(7)])
    heard: list[tuple[str, int]] = []
    assert tag(archive, nlp, batch=3, progress=lambda *said: heard.append(said))[TAGGING] == 7
    assert heard[:3] == [(TAGGING, 3), (TAGGING, 6), (TAGGING, 7)]
    assert tag(archive, nlp)["tagging"] == 0
    assert [row[1:] for row in tagged(archive)] == [("positive", version(nlp))] * 7
    assert archive.conn.execute("SELECT count(*) FROM tags").fetchone()[0] == 7 * FINDINGS


def test_the_newest_come_first_and_a_stop_is_heeded(
    archive: Archive, receive: Receive, nlp: Language
) -> None:
    fill(archive, receive, ["old", "middle", "new"])
    answers = iter([False, True])
    assert tag(archive, nlp, batch=1, stop=lambda: next(answers))["tagging"] == 1
    assert [row[0] for row in tagged(archive)] == ["new"]
    assert tag(archive, nlp, batch=1)["tagging"] == 2


def test_posts_that_come_meanwhile_are_tagged_too(archive: Archive, receive: Receive, nlp: Language) -> None:
    fill(archive, receive, ["first"])
    waits = iter([["second", "third"], []])
    over = False

    def wait() -> None:
        nonlocal over
        texts = next(waits)
        archive.write([receive(10 + n, text=text) for n, text in enumerate(texts)])
        over = not texts

    assert tag(archive, nlp, forever=True, wait=wait, stop=lambda: over)["tagging"] == 3


def test_one_poison_post_is_set_aside_and_its_neighbours_are_tagged(
    archive: Archive, receive: Receive, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tagging.tag_texts

    def fragile(nlp: Language, posts: Sequence[Untagged], **how: object) -> list[Tagging]:
        if any("poison" in post.text for post in posts):
            raise RuntimeError("bad taste")
        return real(nlp, posts)

    monkeypatch.setattr(tagging, "tag_texts", fragile)
    fill(archive, receive, ["one", "two", "poison", "four", "five"])
    assert tag(archive, nlp)["tagging"] == 4
    assert [row[0] for row in tagged(archive)] == ["one", "two", "four", "five"]
    failure = archive.conn.execute("SELECT attempts, reason FROM tag_failures").fetchone()
    assert tuple(failure) == (3, "RuntimeError: bad taste")


@pytest.mark.parametrize(
    "error", [MemoryError(), FileNotFoundError(2, "No such file"), ModelError("logistics.toml: missing")]
)
def test_what_the_machine_lacks_is_no_posts_fault(
    archive: Archive,
    receive: Receive,
    nlp: Language,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    def starved(nlp: Language, posts: Sequence[Untagged], **how: object) -> list[Tagging]:
        raise error

    monkeypatch.setattr(tagging, "tag_texts", starved)
    fill(archive, receive, ["one"])
    with pytest.raises(type(error)):
        tag(archive, nlp)
    assert archive.conn.execute("SELECT count(*) FROM tag_failures").fetchone()[0] == 0


def test_a_retag_keeps_the_old_tags_as_history(archive: Archive, receive: Receive, nlp: Language) -> None:
    fill(archive, receive, ["open data"])
    tag(archive, nlp)
    archive.retag()
    assert tag(archive, nlp)["tagging"] == 1
    rows = archive.conn.execute("SELECT count(*), count(superseded_at) FROM tags").fetchone()
    assert tuple(rows) == (2 * FINDINGS, FINDINGS)


# -- what comes after the tagging ----------------------------------------------------------------------


class Grumbler:
    """An accurate tier that thinks ill of everything, and cannot bear poison."""

    version = "1"

    def judge(
        self, texts: Sequence[str], fast: Sequence[Opinion], languages: Sequence[str | None]
    ) -> list[Opinion]:
        if any("poison" in text for text in texts):
            raise RuntimeError("bad taste")
        return [Opinion("negative", (0.8, 0.1, 0.1), True, ()) for _ in texts]


@pytest.fixture
def both(meeting: Meeting, monkeypatch: pytest.MonkeyPatch) -> Language:
    monkeypatch.setattr(refinement, "load", Grumbler)
    return build(meeting, tier="accurate")


def test_sentiment_is_refined_when_all_is_tagged(archive: Archive, receive: Receive, both: Language) -> None:
    fill(archive, receive, [f"I love open data {n}" for n in range(2 * REFINED)])
    heard: list[tuple[str, int]] = []
    done = tag(archive, both, batch=5, progress=lambda *said: heard.append(said))
    assert (done[TAGGING], done[REFINING]) == (2 * REFINED, 2 * REFINED)
    doing = [what for what, _ in heard]
    assert doing.index(REFINING) > max(n for n, what in enumerate(doing) if what == TAGGING)
    assert {row[1] for row in tagged(archive)} == {"negative"}
    assert tag(archive, both)[REFINING] == 0
    assert verify(archive.path) == []


def test_an_accurate_tier_that_comes_later_refines_what_is_there(
    archive: Archive, receive: Receive, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Grumbler:
        raise ModelError("b.npz: missing")

    monkeypatch.setattr(refinement, "load", missing)
    monkeypatch.setattr(tagging, "MODEL_EVERY", 0.0)
    fill(archive, receive, ["one", "two"])
    nlp = build(meeting)
    told: list[str] = []

    def arrives(doing: str, done: int) -> None:
        if told:
            monkeypatch.setattr(refinement, "load", Grumbler)

    assert tag(archive, nlp, told=told.append, accurate=True)[REFINING] == 0
    assert told == ["b.npz: missing; sentiment stays as the fast tier has it"]
    archive.write([receive(900, text="new")])
    assert tag(archive, nlp, told=told.append, progress=arrives, accurate=True)[REFINING] == 3
    assert len(told) == 1
    assert {row[1] for row in tagged(archive)} == {"negative"}


def test_a_new_post_goes_before_the_refinement_of_old_ones(
    archive: Archive, receive: Receive, both: Language
) -> None:
    fill(archive, receive, [f"old {n}" for n in range(3 * REFINED)])
    order: list[str] = []

    def progress(doing: str, done: int) -> None:
        order.append(doing)
        if order.count(REFINING) == 1 and doing == REFINING:
            archive.write([receive(900, text="new")])

    tag(archive, both, progress=progress)
    first = order.index(REFINING)
    assert order[first + 1] == TAGGING
    row = archive.conn.execute("SELECT sentiment_tier FROM posts WHERE text = 'new'").fetchone()
    assert row == ("accurate",)


def test_what_cannot_be_refined_is_set_aside_and_its_neighbours_are_refined(
    archive: Archive, receive: Receive, both: Language
) -> None:
    fill(archive, receive, ["one", "poison", "three"])
    assert tag(archive, both)[REFINING] == 2
    rows = archive.conn.execute("SELECT text, sentiment_tier FROM posts ORDER BY id").fetchall()
    assert rows == [("one", "accurate"), ("poison", "fast"), ("three", "accurate")]
    failure = archive.conn.execute("SELECT attempts, refinements, reason FROM tag_failures").fetchone()
    assert failure == (0, ATTEMPTS, "RuntimeError: bad taste")


def test_a_stop_is_heeded_between_refinements(archive: Archive, receive: Receive, both: Language) -> None:
    fill(archive, receive, [f"old {n}" for n in range(2 * REFINED)])
    heard: list[str] = []
    tag(archive, both, progress=lambda doing, done: heard.append(doing), stop=lambda: REFINING in heard)
    assert heard.count(REFINING) == 1
    assert len(archive.to_refine(1000)) == REFINED


def test_after_a_rest_the_first_of_a_burst_need_not_wait_for_the_last(
    archive: Archive, receive: Receive, nlp: Language
) -> None:
    heard: list[int] = []
    bursts = iter([[f"post {n}" for n in range(5 * FIRST)], []])
    over = False

    def wait() -> None:
        nonlocal over
        texts = next(bursts)
        fill(archive, receive, texts)
        over = not texts

    def progress(doing: str, done: int) -> None:
        if doing == TAGGING:
            heard.append(done)

    tag(archive, nlp, forever=True, wait=wait, stop=lambda: over, progress=progress)
    assert heard == [FIRST, 5 * FIRST]


def test_nothing_is_read_while_nobody_writes(archive: Archive, receive: Receive, nlp: Language) -> None:
    statements: list[str] = []
    rests = 0

    def wait() -> None:
        nonlocal rests
        rests += 1
        archive.conn.set_trace_callback(statements.append)

    tag(archive, nlp, forever=True, wait=wait, stop=lambda: rests > 5)
    assert {statement.split()[0] for statement in statements} == {"PRAGMA"}


class Forbidden:
    """An encoder that must not be asked."""

    def encode(self, texts: Sequence[str]) -> object:
        raise AssertionError(f"encoded anew: {texts}")


def forbid_encoding(nlp: Language) -> None:
    nlp.get_pipe("vector").encoder = Forbidden()  # type: ignore[attr-defined]


def themes(archive: Archive) -> dict[str, list[str]]:
    rows = archive.conn.execute(
        "SELECT p.text, t.theme FROM posts p LEFT JOIN post_themes t ON t.post_id = p.id ORDER BY 1, 2"
    )
    found: dict[str, list[str]] = {}
    for text, theme in rows:
        found.setdefault(text, []).extend([theme] if theme else [])
    return found


def test_a_retag_encodes_nothing_anew(archive: Archive, receive: Receive, nlp: Language) -> None:
    fill(archive, receive, ["I love open data", "lunch", "¿Dónde está la sala?"])
    tag(archive, nlp)
    before = themes(archive)
    forbid_encoding(nlp)
    archive.retag()
    assert tag(archive, nlp)[TAGGING] == 3
    assert themes(archive) == before
    assert archive.conn.execute("SELECT count(*) FROM tag_failures").fetchone() == (0,)


def test_an_accepted_keyword_finds_posts_that_were_tagged_before(
    archive: Archive, receive: Receive, nlp: Language
) -> None:
    fill(archive, receive, ["Manchego cheese for lunch", "Open data for all", "Good morning"])
    tag(archive, nlp)
    assert themes(archive)["Manchego cheese for lunch"] == []
    forbid_encoding(nlp)
    archive.decide("agility", "en", "manchego cheese", accepted=True, by="Eva")
    done = tag(archive, nlp)
    assert (done[TAGGING], done[LEARNING], done[THEMES]) == (0, 1, 3)
    assert themes(archive) == {
        "Manchego cheese for lunch": ["agility"],
        "Open data for all": ["open-data"],
        "Good morning": [],
    }
    versions = archive.conn.execute("SELECT DISTINCT themes_by FROM posts").fetchall()
    assert versions == archive.conn.execute("SELECT themes_by FROM learning").fetchall()
    assert tag(archive, nlp) == {}
    archive.decide("agility", "en", "manchego cheese", accepted=False, by="Eva")
    tag(archive, nlp)
    assert themes(archive)["Manchego cheese for lunch"] == []
    assert verify(archive.path) == []


def test_what_people_corrected_is_learned_and_stays_as_they_said(
    archive: Archive, receive: Receive, nlp: Language, meeting: Meeting
) -> None:
    fill(archive, receive, [f"The coffee in hall {n} is cold" for n in range(12)])
    tag(archive, nlp)
    for number in range(10):
        archive.correct(f"x:9{number:018d}", Correction(by="Eva", themes=("defragment",)))
    done = tag(archive, nlp)
    assert (done[LEARNING], done[THEMES]) == (1, 12)
    row = archive.conn.execute("SELECT corrections, seconds < 5, fitted_at IS NOT NULL FROM learning")
    assert row.fetchone() == (10, 1, 1)
    found = themes(archive)
    assert all(found[f"The coffee in hall {n} is cold"] == ["defragment"] for n in range(10))
    again = build(meeting)
    assert tag(archive, again)[THEMES] == 0  # another tagger learns the same
    assert verify(archive.path) == []


def test_what_fails_as_a_whole_is_left_out_and_said(
    archive: Archive, receive: Receive, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    def teach(nlp: Language, learned: Learned) -> None:
        raise ValueError("no lesson")

    monkeypatch.setattr(tagging, "teach", teach)
    fill(archive, receive, ["one"])
    archive.decide("agility", "en", "manchego", accepted=True, by="Eva")
    said: list[str] = []
    assert tag(archive, nlp, told=said.append)[TAGGING] == 1
    assert said == ["learning failed and is left out: ValueError: no lesson"]


def test_what_could_not_be_learned_is_tried_again_once_people_teach_more(
    archive: Archive, receive: Receive, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, waits = tagging.teach, 0
    said: list[str] = []

    def teach(nlp: Language, learned: Learned) -> None:
        if len(learned.keywords) < 3:
            raise ValueError("no lesson")
        real(nlp, learned)

    def wait() -> None:
        nonlocal waits
        waits += 1
        if waits == 2:
            archive.write([receive(50)])  # nothing was taught: it is not tried again
        elif waits < 5:
            archive.decide("agility", "en", f"manchego {waits}", accepted=True, by="Eva")

    monkeypatch.setattr(tagging, "teach", teach)
    done = tag(archive, nlp, forever=True, wait=wait, stop=lambda: waits > 4, told=said.append)
    assert said == ["learning failed and is left out: ValueError: no lesson"] * 2
    assert done[LEARNING] == 1


def test_of_two_taggers_the_one_that_began_later_chooses_the_themes(
    archive: Archive, receive: Receive, nlp: Language, meeting: Meeting
) -> None:
    changed = build(replace(meeting, themes=meeting.themes[:1]))
    fill(archive, receive, ["one"])
    waits = 0

    def wait() -> None:
        nonlocal waits
        waits += 1
        if waits == 1:
            tag(archive, changed)
        else:
            fill(archive, receive, ["one", "two"])

    tag(archive, nlp, forever=True, wait=wait, stop=lambda: waits > 2)
    rows = archive.conn.execute("SELECT text, themes_by FROM posts ORDER BY id").fetchall()
    assert rows == [("one", themes_by(changed)), ("two", themes_by(nlp))]


def test_keywords_are_looked_for_now_and_then(
    archive: Archive, receive: Receive, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    one = Suggestion(
        theme="agility", language="en", keyword="sprint", score=0.5, posts=3, authors=3, new_posts=1
    )

    def suggesting(conn: object, meeting: Meeting) -> Iterator[list[Suggestion] | None]:
        asked.append(1)
        yield None
        yield [one]

    monkeypatch.setattr(tagging, "suggesting", suggesting)
    fill(archive, receive, ["one"])
    number = 0

    def wait() -> None:
        nonlocal number
        number += 1
        archive.write([receive(100 + number)])

    tag(archive, nlp, forever=True, wait=wait, stop=lambda: number > 3)
    assert len(asked) == 1
    assert suggestions(archive.conn) == [one]


def test_new_posts_come_between_the_steps_of_looking_for_keywords(
    archive: Archive, receive: Receive, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    told: list[str] = []

    def suggesting(conn: object, meeting: Meeting) -> Iterator[list[Suggestion] | None]:
        for number in range(3):
            order.append("step")
            archive.write([receive(100 + number)])
            yield None
        yield []

    monkeypatch.setattr(tagging, "MOMENT", 0.0)
    monkeypatch.setattr(tagging, "suggesting", suggesting)
    fill(archive, receive, ["one"])
    done = tag(archive, nlp, progress=lambda doing, done: order.append(doing), told=told.append)
    assert order == [TAGGING, "step", TAGGING, "step", TAGGING, "step", TAGGING, SUGGESTING]
    assert (done[TAGGING], done[SUGGESTING], told) == (4, 1, [])


def test_looking_for_keywords_is_left_out_where_it_fails_half_way(
    archive: Archive, receive: Receive, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    def suggesting(conn: object, meeting: Meeting) -> Iterator[list[Suggestion] | None]:
        yield None
        raise ValueError("no word")

    monkeypatch.setattr(tagging, "suggesting", suggesting)
    fill(archive, receive, ["one"])
    told: list[str] = []
    assert tag(archive, nlp, told=told.append)[SUGGESTING] == 0
    assert told == ["suggesting keywords failed and is left out: ValueError: no word"]


def test_questions_that_say_the_same_are_grouped(archive: Archive, receive: Receive, nlp: Language) -> None:
    texts = [
        "When will the open data be published?",
        "¿Cuándo se publicarán los datos abiertos?",
        "Good morning",
    ]
    fill(archive, receive, [*texts, "Who pays for agility?"])
    assert tag(archive, nlp)[GROUPING] == 1
    groups = {asked.id: asked.representative for asked in archive.questions(ENCODER)}
    assert groups == {1: 1, 2: 1, 4: 4}
    archive.write([Deleted("x:9000000000000000000", "x")])
    tag(archive, nlp)
    assert {asked.id: asked.representative for asked in archive.questions(ENCODER)} == {2: 2, 4: 4}
    assert tag(archive, nlp) == {}


def chiefs(archive: Archive) -> dict[int, int | None]:
    return {asked.id: asked.representative for asked in archive.questions(ENCODER)}


def regrouped(archive: Archive) -> dict[int, int]:
    return group([tagging._question(asked) for asked in archive.questions(ENCODER)])


def test_groups_follow_what_comes_goes_is_edited_or_corrected(
    archive: Archive, receive: Receive, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tagging, "GROUPED", 2)
    said = [
        "Who pays for it?",
        "Where is room two?",
        "WHO PAYS FOR IT?",
        "WHERE is room two?",
        "When is lunch?",
    ]
    fill(archive, receive, said)
    again = receive(0, text="When is lunch?", edited_at=at(900))
    late = receive(70, text="Who pays for it?", created_at=at(-60))
    steps: list[Callable[[], object]] = [
        lambda: archive.write([receive(50, text="WHEN is lunch?"), receive(51, text="Why not?")]),
        lambda: archive.write([again]),
        lambda: archive.write([Deleted("x:9000000000000000001", "x"), receive(52, text="WHY not?")]),
        lambda: archive.write([late]),
        lambda: archive.correct(late.post.key, Correction(by="Eva", question=False)),
        lambda: archive.correct(late.post.key, Correction(by="Eva", question=True)),
        lambda: archive.write(
            [Deleted("x:9000000000000000003", "x"), receive(53, text="Where is room two?")]
        ),
        archive.retag,
    ]
    found: list[dict[int, int | None]] = []
    over = False

    def wait() -> None:
        nonlocal over
        assert chiefs(archive) == regrouped(archive)
        found.append(chiefs(archive))
        over = len(found) > len(steps)
        if not over:
            steps[len(found) - 1]()

    done = tag(archive, nlp, forever=True, wait=wait, stop=lambda: over)
    assert done[GROUPING] > 4
    assert found[0] == {1: 1, 2: 2, 3: 1, 4: 2, 5: 5}


def test_one_new_question_is_compared_without_reading_the_others(
    archive: Archive, receive: Receive, nlp: Language
) -> None:
    fill(archive, receive, ["Who pays for it?", "Where is room two?"])
    statements: list[str] = []
    rests = 0

    def wait() -> None:
        nonlocal rests
        rests += 1
        if rests == 1:
            archive.conn.set_trace_callback(statements.append)
            archive.write([receive(50, text="WHO PAYS FOR IT?")])

    tag(archive, nlp, forever=True, wait=wait, stop=lambda: rests > 1)
    read = [sql for sql in statements if "FROM question_groups g JOIN posts" in sql and "p.text" in sql]
    assert len(read) == 1
    assert "json_each('[3]')" in read[0]
    assert chiefs(archive) == {1: 1, 2: 2, 3: 1}


def test_two_taggers_agree_on_what_was_edited(archive: Archive, receive: Receive, nlp: Language) -> None:
    fill(archive, receive, ["Who pays for it?", "Where is room two?"])
    rests = 0

    def wait() -> None:
        nonlocal rests
        rests += 1
        if rests == 1:
            archive.write([receive(0, text="When is lunch?", edited_at=at(900))])
            tag(archive, nlp)
        elif rests == 2:
            archive.write([receive(50, text="WHO PAYS FOR IT?"), receive(51, text="WHEN is lunch?")])

    tag(archive, nlp, forever=True, wait=wait, stop=lambda: rests > 2)
    assert chiefs(archive) == {1: 1, 2: 2, 3: 3, 4: 1}


def test_new_posts_come_before_the_rest_of_many_questions(
    archive: Archive, receive: Receive, nlp: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tagging, "GROUPED", 2)
    fill(archive, receive, [f"Who pays for item {n}?" for n in range(9)])
    heard: list[tuple[str, int]] = []
    steps = 0

    def stop() -> bool:
        nonlocal steps
        steps += 1
        if steps == 3:
            archive.write([receive(60, text="new")])
        return False

    tag(archive, nlp, progress=lambda *said: heard.append(said), stop=stop)
    assert heard[:3] == [(TAGGING, 9), (TAGGING, 10), (GROUPING, 9)]
    assert chiefs(archive) == regrouped(archive)
