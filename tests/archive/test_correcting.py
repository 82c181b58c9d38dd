"""The word of a person: in force at once, whatever the machine says, until another person says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import correcting
from archive.correcting import in_force
from archive.errors import UsageError
from archive.evidence import tags_of
from archive.integrity import verify
from archive.store import Archive
from archive.vocabulary import (
    ATTEMPTS,
    Corrected,
    Correction,
    Decision,
    Deleted,
    Learned,
    Meeting,
    Mood,
    Received,
    Tag,
    Tagging,
    Taught,
    Themes,
)
from tests.conftest import START

Receive = Callable[..., Received]
KEY = "x:9000000000000000001"
ENCODER = "encoder 1"
VECTOR = b"\x00\x3c" * 512
MACHINE = Tagging(
    language="en",
    themes=(("open-data", 0.9),),
    themes_by="theme 1",
    sentiment="positive",
    sentiment_score=0.8,
    sure=True,
    question=True,
    vector=VECTOR,
    encoder=ENCODER,
    tags=(
        Tag(component="language", label="en", version="1"),
        Tag(component="theme", label="open-data", score=0.9, version="1"),
        Tag(component="sentiment", label="positive", score=0.8, version="1"),
        Tag(component="question", label="yes", version="1"),
    ),
)
PERSON = Correction(
    by="Eva", note="read it twice", themes=("agility",), sentiment="negative", question=False, language="es"
)


def tag_all(archive: Archive, tagging: Tagging = MACHINE) -> None:
    archive.save_tags([(post, tagging) for post in archive.untagged(100)], version="v1")


def shown(archive: Archive) -> dict[str, Any]:
    """What figures are made of."""
    names = ("language_detected", "sentiment", "sentiment_score", "sure", "question", "to_chair")
    row = archive.conn.execute(f"SELECT {', '.join(names)} FROM posts WHERE id = 1").fetchone()
    rows = archive.conn.execute("SELECT theme FROM post_themes WHERE post_id = 1 ORDER BY 1")
    themes = [theme for (theme,) in rows]
    return {**dict(zip(names, row, strict=True)), "themes": themes}


def counted(archive: Archive) -> dict[str, int]:
    """Posts by theme, as figures have it."""
    return dict(archive.conn.execute("SELECT value, posts FROM rollup_totals WHERE dimension = 'theme'"))


CORRECTED = {
    "language_detected": "es",
    "sentiment": "negative",
    "sentiment_score": None,
    "sure": 1,
    "question": 0,
    "to_chair": 0,
    "themes": ["agility"],
}


def test_a_correction_is_in_force_at_once_beside_the_machines_tags(
    archive: Archive, receive: Receive
) -> None:
    archive.write([receive(1)])
    tag_all(archive)
    archive.correct(KEY, PERSON)
    assert shown(archive) == CORRECTED
    assert verify(archive.path) == []
    post = tags_of(archive.conn, KEY)
    assert post is not None
    rows = [(tag.component, tag.label, tag.set_by, tag.superseded_at) for tag in post.tags]
    assert rows[4:] == [
        ("language", "es", "Eva", None),
        ("theme", "agility", "Eva", None),
        ("sentiment", "negative", "Eva", None),
        ("question", "no", "Eva", None),
    ]
    assert all(tag.superseded_at is None for tag in post.tags[:4])
    assert (post.tags[-1].version, post.tags[-1].evidence) == ("correction", {"note": "read it twice"})


def test_what_is_not_said_stays_as_the_machine_has_it(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    tag_all(archive)
    archive.correct(KEY, Correction(by="Eva", sentiment="neutral"))
    assert shown(archive) == {
        "language_detected": "en",
        "sentiment": "neutral",
        "sentiment_score": None,
        "sure": 1,
        "question": 1,
        "to_chair": 1,
        "themes": ["open-data"],
    }


def test_the_next_word_of_a_person_supersedes_the_former(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    tag_all(archive)
    archive.correct(KEY, PERSON)
    archive.correct(KEY, Correction(by="Ana", themes=("open-data", "defragment"), question=True))
    archive.correct(KEY, Correction(by="Ana", themes=()))
    assert shown(archive)["themes"] == []
    assert shown(archive)["sentiment"] == "negative"
    assert (shown(archive)["question"], shown(archive)["to_chair"]) == (1, 0)
    rows = archive.conn.execute(
        "SELECT label, superseded_at IS NULL FROM tags WHERE set_by IS NOT NULL AND component = 'theme' "
        "ORDER BY id"
    ).fetchall()
    assert rows == [("agility", 0), ("defragment", 0), ("open-data", 0), ("none", 1)]
    assert verify(archive.path) == []


def test_a_correction_of_a_waiting_post_is_in_force_and_counts_as_soon_as_it_is_tagged(
    archive: Archive, receive: Receive
) -> None:
    archive.write([receive(1)])
    archive.correct(KEY, PERSON)
    assert verify(archive.path) == []
    assert shown(archive) == {**CORRECTED, "to_chair": None}
    assert counted(archive) == {"untagged": 1}
    archive.correct(KEY, Correction(by="Ana", themes=("open-data",), question=True))
    assert shown(archive) == {**CORRECTED, "to_chair": None, "themes": ["open-data"], "question": 1}
    archive.correct(KEY, PERSON)
    tag_all(archive)
    assert counted(archive) == {"agility": 1}
    assert shown(archive) == CORRECTED
    assert verify(archive.path) == []


def test_a_post_that_the_machine_gave_up_is_tagged_by_the_person(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    for _ in range(ATTEMPTS):
        archive.tag_failed(archive.untagged(1)[0], "too strange")
    archive.correct(KEY, PERSON)
    assert shown(archive) == CORRECTED
    assert (archive.untagged(5), archive.stale_themes(5, "theme 2"), archive.to_refine(5)) == ([], [], [])
    assert verify(archive.path) == []
    archive.retag()
    tag_all(archive)
    assert shown(archive) == CORRECTED


@pytest.mark.parametrize("tagged", [False, True])
def test_it_stays_in_force_while_a_post_waits_again(archive: Archive, receive: Receive, tagged: bool) -> None:
    archive.write([receive(1)])
    if tagged:
        tag_all(archive)
    archive.correct(KEY, PERSON)
    for again in (
        archive.retag,
        lambda: archive.write([receive(1, text="edited", edited_at=START + timedelta(hours=1))]),
    ):
        again()
        assert shown(archive) == {**CORRECTED, "to_chair": None}
        assert verify(archive.path) == []
    tag_all(archive)
    assert shown(archive) == CORRECTED


def give_up(archive: Archive) -> None:
    for _ in range(ATTEMPTS):
        archive.tag_failed(archive.untagged(1)[0], "too strange")
    assert archive.untagged(1) == []


def test_a_correction_that_waited_is_in_force_once_the_machine_gives_up(
    archive: Archive, receive: Receive
) -> None:
    archive.write([receive(1)])
    archive.correct(KEY, PERSON)
    give_up(archive)
    assert shown(archive) == CORRECTED
    assert verify(archive.path) == []
    archive.retag()
    give_up(archive)
    assert shown(archive) == CORRECTED
    assert verify(archive.path) == []
    archive.write([receive(1, text="edited", edited_at=START + timedelta(hours=1))])
    give_up(archive)
    assert shown(archive) == CORRECTED
    assert verify(archive.path) == []


def test_a_post_that_nobody_speaks_of_stays_untagged_when_it_is_given_up(
    archive: Archive, receive: Receive
) -> None:
    archive.write([receive(1)])
    give_up(archive)
    assert archive.conn.execute("SELECT tagged_at, sentiment FROM posts").fetchone() == (None, None)
    assert verify(archive.path) == []


def test_it_is_passed_on_to_a_post_that_the_machine_gave_up(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    give_up(archive)
    word = Corrected(
        component="sentiment", label="negative", version="correction", set_by="Eva", seen_at=START
    )
    with archive.transaction() as conn:
        correcting.pass_on(conn, KEY, [word], "2012-11-10T01:00:00.000000Z")
    assert shown(archive)["sentiment"] == "negative"
    assert verify(archive.path) == []


def test_it_survives_whatever_is_tagged_anew_and_an_edit(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    tag_all(archive)
    archive.correct(KEY, PERSON)
    (post,) = archive.to_refine(1)
    tag = Tag(component="sentiment", label="neutral", score=0.9, version="2")
    assert archive.refine([(post, Mood(sentiment="neutral", score=0.9, sure=True, tag=tag))]) == 1
    assert shown(archive) == CORRECTED
    tags = (Tag(component="theme", label="none", version="2"),)
    assert archive.save_themes([(post, Themes(themes=(), tags=tags))], themes_by="theme 2") == 1
    assert shown(archive) == CORRECTED
    archive.retag()
    tag_all(archive)
    assert shown(archive) == CORRECTED
    archive.write([receive(1, text="edited", edited_at=START + timedelta(hours=1))])
    tag_all(archive)
    assert shown(archive) == CORRECTED
    assert verify(archive.path) == []


BAD = [
    (KEY, Correction(by="Eva"), "nothing to correct"),
    (KEY, Correction(by=" ", sentiment="neutral"), "say who"),
    (KEY, Correction(by="Eva", themes=("cheese",)), "theme cheese: .* open-data, agility, defragment, none"),
    (KEY, Correction(by="Eva", themes=("none", "agility")), "stands alone"),
    (KEY, Correction(by="Eva", sentiment="angry"), "angry: .* positive, neutral, negative"),  # type: ignore[arg-type]
    (KEY, Correction(by="Eva", language="xx"), "xx: .* en, es, fr, unknown"),
    (KEY, Correction(by="E\x00", question=True), "NUL"),
    (KEY, Correction(by="E" * 101, question=True), "at most 100"),
    (KEY, Correction(by="Eva", note="n" * 2_001, question=True), "at most .* 2,000"),
    (KEY, Correction(by="Eva", question=True, note="\ud800"), "surrogate"),
    ("x:1", Correction(by="Eva", question=True), "no such post"),
]


@pytest.mark.parametrize(("key", "correction", "said"), BAD)
def test_what_cannot_be_is_said_in_a_line(
    archive: Archive, receive: Receive, key: str, correction: Correction, said: str
) -> None:
    archive.write([receive(1)])
    tag_all(archive)
    with pytest.raises(UsageError, match=said) as caught:
        archive.correct(key, correction)
    assert "\n" not in str(caught.value)
    assert archive.conn.execute("SELECT count(*) FROM tags WHERE set_by IS NOT NULL").fetchone() == (0,)


def test_a_deleted_post_cannot_be_corrected(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    archive.write([Deleted(KEY, "x")])
    with pytest.raises(UsageError, match="no such post"):
        archive.correct(KEY, PERSON)


def test_any_of_its_names_will_do(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1, aliases=("x:9000000000000000777",))])
    tag_all(archive)
    archive.correct("9000000000000000777", PERSON)
    assert shown(archive) == CORRECTED


def test_it_is_passed_on_to_the_post_that_this_one_turns_out_to_be(
    archive: Archive, receive: Receive
) -> None:
    archive.write([receive(2), receive(3)])
    tag_all(archive)
    archive.correct("x:9000000000000000002", PERSON)
    archive.correct("x:9000000000000000002", Correction(by="Ana", question=True))
    archive.correct("x:9000000000000000003", Correction(by="Zoe", sentiment="positive"))
    aliases = ("x:9000000000000000002", "x:9000000000000000003")
    archive.write([receive(1, aliases=aliases, edited_at=START + timedelta(hours=2))])
    tag_all(archive)
    post = tags_of(archive.conn, KEY)
    assert post is not None
    said = {
        tag.component: (tag.label, tag.set_by) for tag in post.tags if tag.set_by and not tag.superseded_at
    }
    assert said == {
        "language": ("es", "Eva"),
        "theme": ("agility", "Eva"),
        "sentiment": ("positive", "Zoe"),
        "question": ("yes", "Ana"),
    }
    row = archive.conn.execute(
        "SELECT count(*), min(sentiment), min(language_detected) FROM posts"
    ).fetchone()
    assert row == (1, "positive", "es")
    assert verify(archive.path) == []


def test_the_newest_word_has_the_latest_time_whatever_the_clock_says(
    meeting: Meeting, receive: Receive, tmp_path: Path
) -> None:
    hours = iter([5, 3, 3, 9, 5, 3])
    with Archive.open(
        tmp_path / "back.db", meeting, clock=lambda: START + timedelta(hours=next(hours))
    ) as back:
        back.write([receive(1)])
        for sentiment in ("positive", "neutral", "negative"):
            back.correct(KEY, Correction(by="Eva", sentiment=sentiment))
        rows = back.conn.execute("SELECT label, seen_at, superseded_at FROM tags ORDER BY id").fetchall()
        assert rows == [
            ("positive", "2012-03-26T18:00:00.000000Z", "2012-03-26T18:00:00.000001Z"),
            ("neutral", "2012-03-26T18:00:00.000001Z", "2012-03-27T00:00:00.000000Z"),
            ("negative", "2012-03-27T00:00:00.000000Z", None),
        ]
        back.decide("agility", "es", "ágil", accepted=True, by="Eva")
        back.decide("agility", "es", "agil", accepted=False, by="Ana")
        assert back.conn.execute("SELECT * FROM keywords").fetchall() == [
            ("agility", "es", "agil", "rejected", "Ana", "2012-03-26T20:00:00.000001Z")
        ]


def said(component: str, label: str, by: str, hours: int) -> Corrected:
    return Corrected(
        component=component,
        label=label,
        version="correction",
        set_by=by,
        seen_at=START + timedelta(hours=hours),
    )


def test_what_another_archive_tells_is_in_force_where_it_is_newer(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    tag_all(archive)
    before = archive.changes()
    brought = [said("theme", "agility", "Eva", 1), said("sentiment", "negative", "Eva", 2)]
    for _ in range(2):
        with archive.transaction() as conn:
            correcting.pass_on(conn, KEY, brought, "2012-11-10T01:00:00.000000Z")
        assert (shown(archive)["themes"], shown(archive)["sentiment"]) == (["agility"], "negative")
        assert archive.changes() == before + 1
    archive.correct(KEY, Correction(by="Ana", themes=("defragment",)))
    late = [said("theme", "open-data", "Zoe", 3), said("sentiment", "neutral", "Zoe", 3)]
    with archive.transaction() as conn:
        correcting.pass_on(conn, KEY, late, "2012-11-10T01:00:00.000000Z")
        correcting.pass_on(conn, "x:1", late, "2012-11-10T01:00:00.000000Z")
    assert (shown(archive)["themes"], shown(archive)["sentiment"]) == (["defragment"], "neutral")
    assert verify(archive.path) == []


def test_unknown_is_a_language_too(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    tag_all(archive)
    archive.correct(KEY, Correction(by="Eva", language="unknown"))
    assert shown(archive)["language_detected"] is None


def test_a_theme_that_the_meeting_no_longer_has_is_nobodys_word(
    archive: Archive, receive: Receive, meeting: Meeting
) -> None:
    archive.write([receive(1)])
    tag_all(archive)
    archive.correct(KEY, Correction(by="Eva", themes=("agility",)))
    archive.decide("agility", "es", "ágil", accepted=True, by="Eva")
    less = replace(meeting, themes=meeting.themes[:1])
    with Archive.open(archive.path, less) as again:
        again.retag()
        tag_all(again)
        assert shown(again)["themes"] == ["open-data"]
        assert again.learned(ENCODER) == Learned()


# -- what is learned -----------------------------------------------------------------------------------


def test_what_people_taught_comes_in_the_order_of_keys(archive: Archive, receive: Receive) -> None:
    archive.write([receive(number) for number in (3, 1, 2)])
    tag_all(archive)
    assert archive.learned(ENCODER) == Learned()
    before = archive.changes()
    archive.correct("x:9000000000000000003", Correction(by="Eva", themes=()))
    archive.correct(KEY, Correction(by="Eva", themes=("open-data", "agility")))
    archive.correct("x:9000000000000000002", Correction(by="Eva", sentiment="neutral"))
    archive.decide("open-data", "es", "  datos   libres ", accepted=True, by="Eva")
    archive.decide("agility", "en", "lunch", accepted=False, by="Eva")
    assert archive.changes() == before + 4
    learned = archive.learned(ENCODER)
    assert learned.keywords == (("open-data", "es", "datos libres"),)
    assert learned.corrections == (
        Taught(VECTOR, "Post number 1 #sample2012", ("agility", "open-data")),
        Taught(VECTOR, "Post number 3 #sample2012", ()),
    )
    assert learned.version
    assert archive.learned("another encoder").corrections == archive.learned("another encoder").around == ()


def test_what_is_usual_is_told_by_posts_up_to_the_newest_corrected_one(
    archive: Archive, receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.write([receive(number) for number in (1, 2, 3)])
    tag_all(archive)
    assert archive.learned(ENCODER).around == ()
    archive.correct("x:9000000000000000002", Correction(by="Eva", themes=()))
    assert archive.learned(ENCODER).around == (VECTOR, VECTOR)
    version = archive.learned(ENCODER).version
    archive.write([receive(4)])
    tag_all(archive)
    assert archive.learned(ENCODER).version == version
    monkeypatch.setattr(correcting, "AROUND", 1)
    assert archive.learned(ENCODER).around == (VECTOR,)
    assert archive.learned(ENCODER).version != version


def test_the_last_decision_on_a_keyword_counts(archive: Archive) -> None:
    for accepted in (True, False, True):
        archive.decide("agility", "es", "ágil", accepted=accepted, by="Eva")
    assert correcting.decided(archive.conn) == {("agility", "es", "ágil"): True}
    with archive.transaction():
        assert archive.learned(ENCODER).keywords == (("agility", "es", "ágil"),)


TOO_SHORT = ["", " ", "!!!", "a", "#a", "# #", "C++", "\N{SLIGHTLY SMILING FACE}", "a\u0301"]


@pytest.mark.parametrize(
    ("first", "then"),
    [("Open Data", "open data"), ("ágil", "#AGIL"), ("Straße", "STRASSE"), ("a\u0301gil", "Ágil")],
)
def test_a_decision_on_the_same_keyword_takes_the_place_of_the_former(
    archive: Archive, first: str, then: str
) -> None:
    archive.decide("agility", "es", first, accepted=True, by="Eva")
    archive.decide("agility", "en", first, accepted=True, by="Eva")
    archive.decide("open-data", "es", first, accepted=True, by="Eva")
    archive.decide("agility", "es", then, accepted=False, by="Ana")
    decided = correcting.decided(archive.conn)
    assert len(decided) == 3
    assert decided["agility", "es", then.removeprefix("#")] is False


def test_of_decisions_from_other_archives_the_newest_counts_in_any_order(
    archive: Archive, meeting: Meeting, tmp_path: Path
) -> None:
    def decision(keyword: str, decision: str, by: str, hours: int, theme: str = "agility") -> Decision:
        seen_at = START + timedelta(hours=hours)
        return Decision(
            theme=theme, language="es", keyword=keyword, decision=decision, set_by=by, seen_at=seen_at
        )

    decisions = [
        decision("ágil", "accepted", "Eva", 1),
        decision("AGIL", "rejected", "Ana", 2),
        decision("agil", "accepted", "Zoe", 2),
        decision("agil", "accepted", "Zoe", 0, theme="no-longer"),
    ]
    with Archive.open(tmp_path / "other.db", meeting) as other:
        archive.write(decisions)
        for one in reversed(decisions):
            other.write([one])
        found = [sorted(one.conn.execute("SELECT * FROM keywords").fetchall()) for one in (archive, other)]
    assert (
        found[0]
        == found[1]
        == [
            ("agility", "es", "agil", "accepted", "Zoe", "2012-03-26T17:00:00.000000Z"),
            ("no-longer", "es", "agil", "accepted", "Zoe", "2012-03-26T15:00:00.000000Z"),
        ]
    )
    assert archive.learned(ENCODER).keywords == (("agility", "es", "agil"),)
    changes = archive.changes()
    assert archive.write(decisions).read == 0
    assert archive.changes() == changes
    archive.decide("agility", "es", "ágil", accepted=False, by="Eva")
    archive.write(decisions)
    assert correcting.decided(archive.conn)["agility", "es", "ágil"] is False


def test_a_keyword_is_kept_without_its_mark(archive: Archive) -> None:
    for keyword in ("#opendata", " # opendata ", "##opendata"):
        archive.decide("open-data", "es", keyword, accepted=True, by="Eva")
    assert correcting.decided(archive.conn) == {("open-data", "es", "opendata"): True}


@pytest.mark.parametrize(
    ("theme", "language", "keyword", "by", "said"),
    [
        ("cheese", "es", "queso", "Eva", "there are open-data, agility, defragment"),
        ("agility", "xx", "agil", "Eva", "there are en, es, fr"),
        *(("agility", "es", word, "Eva", "at least two letters or digits") for word in TOO_SHORT),
        ("agility", "es", "a" * 101, "Eva", "at most 100 characters"),
        ("agility", "es", "agil\x00", "Eva", "NUL"),
        ("agility", "es", "ágil", "", "say who"),
    ],
)
def test_decisions_that_cannot_be(
    archive: Archive, theme: str, language: str, keyword: str, by: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        archive.decide(theme, language, keyword, accepted=True, by=by)


def test_decisions_are_taken_together_or_not_at_all(archive: Archive) -> None:
    good, bad = ("agility", "es", "ágil"), ("cheese", "es", "queso")
    with pytest.raises(UsageError, match="theme cheese"):
        archive.decide_all([(good, True), (bad, True)], by="Eva")
    assert correcting.decided(archive.conn) == {}
    archive.decide_all([(good, True), (("agility", "es", "lunch"), False), (good, True)], by="Eva")
    assert correcting.decided(archive.conn) == {good: True, ("agility", "es", "lunch"): False}


def test_a_keyword_is_not_accepted_and_rejected_at_once(archive: Archive) -> None:
    said = [(("agility", "es", "ágil"), True), (("agility", "es", " #AGIL"), False)]
    with pytest.raises(UsageError, match="agility:es:AGIL: both accepted and rejected"):
        archive.decide_all(said, by="Eva")
    assert correcting.decided(archive.conn) == {}
    archive.decide_all([said[0], (("agility", "en", "agil"), False)], by="Eva")  # another keyword
    assert len(correcting.decided(archive.conn)) == 2


def test_an_edit_or_a_deletion_of_a_corrected_post_changes_what_is_learned(
    archive: Archive, receive: Receive
) -> None:
    archive.write([receive(1), receive(2)])
    tag_all(archive)
    archive.correct(KEY, Correction(by="Eva", themes=("agility",)))
    seen = [(archive.changes(), archive.learned(ENCODER).version)]
    archive.write([receive(1, text="edited", edited_at=START + timedelta(hours=1))])
    seen.append((archive.changes(), archive.learned(ENCODER).version))
    tag_all(archive)
    seen.append((archive.changes(), archive.learned(ENCODER).version))
    archive.write([Deleted("x:9000000000000000002", "x")])
    assert archive.changes() == seen[-1][0]
    archive.write([Deleted(KEY, "x")])
    seen.append((archive.changes(), archive.learned(ENCODER).version))
    assert len({changes for changes, _ in seen}) == 4
    assert [bool(version) for _, version in seen] == [True, False, True, False]
    assert seen[0][1] != seen[2][1]


def test_the_tagger_says_what_it_works_with(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    tag_all(archive)
    archive.correct(KEY, Correction(by="Eva", themes=("agility",)))
    learned = archive.learned(ENCODER)
    archive.fitted(learned, 0.25)
    archive.chosen_by("theme 2")
    row = archive.conn.execute(
        "SELECT version, corrections, keywords, seconds, themes_by FROM learning"
    ).fetchone()
    assert row == (learned.version, 1, 0, 0.25, "theme 2")
    assert archive.chooser() == "theme 2"


def test_in_force_of_many(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    tag_all(archive)
    archive.correct(KEY, PERSON)
    said = in_force(archive.conn, range(1, 5))
    assert list(said) == [1]
    assert (said[1].themes, said[1].question) == (("agility",), False)


# -- any order -----------------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.sampled_from(["tag", "correct", "unrelated", "edit", "delete", "retag", "theme", "refine", "fail"]),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTIONS)
def test_any_order_ends_in_the_same_values(meeting: Meeting, receive: Receive, actions: list[str]) -> None:
    with TemporaryDirectory() as folder, Archive.open(Path(folder) / "a.db", meeting) as archive:
        archive.write([receive(1), receive(2)])
        for number, action in enumerate(actions):
            _do(archive, receive, action, number)
        tag_all(archive)
        assert verify(archive.path) == []
        if "delete" in actions:
            for table in ("tags", "vectors", "question_groups", "post_themes"):
                assert not archive.conn.execute(f"SELECT 1 FROM {table} WHERE post_id = 1").fetchall(), table
        elif "correct" in actions:
            assert shown(archive) == CORRECTED
        elif "fail" not in actions:
            assert shown(archive)["language_detected"] == "en"


def _do(archive: Archive, receive: Receive, action: str, number: int) -> None:
    there = archive.conn.execute("SELECT 1 FROM posts WHERE key = ?", (KEY,)).fetchone()
    if action == "tag":
        tag_all(archive)
    elif action == "correct" and there:
        archive.correct(KEY, PERSON)
    elif action == "unrelated":
        archive.correct("x:9000000000000000002", Correction(by="Ana", themes=("defragment",)))
    elif action == "edit" and there:
        archive.write([receive(1, text=f"edit {number}", edited_at=START + timedelta(hours=number + 1))])
    elif action == "delete":
        archive.write([Deleted(KEY, "x")])
    elif action == "retag":
        archive.retag()
    elif action == "fail":
        for post in archive.untagged(10) * ATTEMPTS:
            archive.tag_failed(post, "too strange")
    elif action == "theme":
        tags = (Tag(component="theme", label="none", version=str(number)),)
        posts = archive.stale_themes(10, f"theme {number}")
        results = [(post, Themes(themes=(), tags=tags)) for post in posts]
        archive.save_themes(results, themes_by=f"theme {number}")
    elif action == "refine":
        tag = Tag(component="sentiment", label="neutral", score=0.9, version="2")
        mood = Mood(sentiment="neutral", score=0.9, sure=True, tag=tag)
        archive.refine([(post, mood) for post in archive.to_refine(10)])
