"""Our own export comes back: whole from a full one, as far as the columns tell from a plain one."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.canonical import canonical, fingerprint
from archive.export import export
from archive.integrity import verify
from archive.store import Archive
from archive.vocabulary import (
    Author,
    Correction,
    Deleted,
    Engagement,
    Item,
    Meeting,
    Received,
    Span,
    Tagging,
    Unmapped,
)
from collector.importers import native
from collector.importers.base import Context, head_of
from collector.importing import files_of, import_file
from tests.conftest import START

Receive = Callable[..., Received]


def read(path: Path, meeting: Meeting) -> list[Item]:
    with path.open("rb") as stream:
        return list(native.read(stream, Context(meeting, path.name)))


def fill(archive: Archive, receive: Receive) -> None:
    """Posts with everything that can happen to them."""
    later = START + timedelta(hours=1)
    ana = Author(key="x:ana", source="x", handle="bc_ana", followers=50, description="new")
    famous = Author(key="x:ana", source="x", handle="bc_ana", followers=900, description="old")
    archive.write(
        [
            receive(1, author=famous, engagement=Engagement(likes=1)),
            receive(1, author=famous, engagement=Engagement(likes=5, quotes=2), observed_at=later),
            receive(1, author=famous, engagement=Engagement(likes=3), observed_at=START),
            receive(2, text="first wording #one"),
            receive(
                2,
                text="second wording #two",
                edited_at=later,
                mentions=("Luis",),
                links=("https://example.org",),
            ),
            receive(3, kind="reply", reply_to="x:9000000000000000001", reply_to_account="bc_ana"),
            receive(4, author=ana, kind=None, kind_among=("reply", "original"), flags=("damaged_id",)),
            receive(5, kind="repost", repost_of="x:9000000000000000001", received_at=later),
            receive(6, aliases=("x:9000000000000000066",)),
            receive(7, text="to be deleted"),
            Deleted("x:9000000000000000007", "x", later),
            Deleted("x:9000000000000000099", "x"),
            Unmapped("no text", '{"id": 1}', "line 3"),
            Unmapped("may be private", None, "line 4"),
            Span(name="x", source="x", state="listening", started_at=START, ended_at=later),
            Span(name="x", source="x", state="deaf", started_at=later, cause="401", missing_estimate=3),
        ]
    )


@pytest.fixture
def exported(archive: Archive, receive: Receive, tmp_path: Path) -> Path:
    fill(archive, receive)
    export(archive.path, tmp_path / "plain", ["ndjson"])
    export(archive.path, tmp_path / "full", ["ndjson"], full=True)
    return tmp_path


@pytest.mark.parametrize("backwards", [False, True])
def test_a_full_export_gives_the_same_archive(
    archive: Archive, exported: Path, meeting: Meeting, backwards: bool
) -> None:
    items = [item for path in sorted((exported / "full").iterdir()) for item in read(path, meeting)]
    if backwards:
        items.reverse()
    with Archive.open(exported / "again.db", meeting) as again:
        for start in range(0, len(items), 4):
            again.write(items[start : start + 4])
        assert list(canonical(again.path)) == list(canonical(archive.path))
        assert verify(again.path) == []


def test_a_plain_export_gives_the_posts(archive: Archive, exported: Path, meeting: Meeting) -> None:
    items = read(exported / "plain" / "posts.ndjson", meeting)
    found = {item.post.key: item.post for item in items if isinstance(item, Received)}
    assert len(found) == 6
    edited = found["x:9000000000000000002"]
    assert (edited.text, edited.hashtags, edited.author.handle) == ("second wording #two", ("two",), "bc_ana")
    assert edited.edited_at == START + timedelta(hours=1)
    counted = found["x:9000000000000000001"].engagement
    assert counted is not None and counted.likes == 5


def test_every_table_is_known_by_its_first_line(exported: Path) -> None:
    for path in (exported / "full").iterdir():
        assert not path.read_bytes() or native.sniff(head_of(path.read_bytes())), path.name
    posts = (exported / "full" / "posts.ndjson").read_text("utf-8")
    assert native.sniff(head_of((posts.partition("\n")[0][:-200] + "x" * 70_000).encode()))
    for other in (b'{"id": 1}', b"[]", b"{", b'{"key": "a"'):
        assert not native.sniff(head_of(other))


def test_damaged_rows_name_what_is_wrong(exported: Path, meeting: Meeting) -> None:
    plain = json.loads((exported / "plain" / "posts.ndjson").read_text("utf-8").partition("\n")[0])
    deletion = {"key": None, "source": "x", "seen_at": None, "post_seen": 0}
    span = dict.fromkeys(
        (
            "name",
            "source",
            "state",
            "started_at",
            "ended_at",
            "cause",
            "backfilled",
            "missing_estimate",
            "posts",
        )
    )
    rows = [
        {**plain, "created_at": "soon"},
        {**plain, "text": None},
        {**plain, "observations": []},
        {**plain, "observations": [7]},
        {**plain, "observations": [{"post": {}}]},
        deletion,
        {**span, "state": "deaf", "started_at": "soon"},
        {**span, "name": "x", "source": "x", "state": "asleep", "started_at": "2012-03-26T15:00:00Z"},
        {"id": 1},
        [],
    ]
    lines = "{cut off\n" + "\n".join(json.dumps(row) for row in rows)
    items = list(native.read(io.BytesIO(lines.encode()), Context(meeting, "posts.ndjson")))
    assert all(isinstance(item, Unmapped) for item in items)
    reasons = [item.reason for item in items if isinstance(item, Unmapped)]
    assert len(reasons) == len(rows) + 1
    assert "created_at is no time" in reasons[1]


def test_a_zip_of_a_full_export_is_imported_as_one_file(
    archive: Archive, exported: Path, meeting: Meeting
) -> None:
    zipped = exported / "full.zip"
    with zipfile.ZipFile(zipped, "w") as file:
        for path in sorted((exported / "full").iterdir()):
            file.write(path, path.name)
    with Archive.open(exported / "zipped.db", meeting) as again:
        result = import_file(again, meeting, zipped)
        assert result.format == "backchannel"
        assert fingerprint(again.path) == fingerprint(archive.path)


# -- what people said ----------------------------------------------------------------------------------

FIRST, SECOND, THIRD = (f"x:9{number:018d}" for number in (1, 2, 3))
MACHINE = Tagging(
    language="en",
    themes=(("open-data", 0.9), ("defragment", 0.6)),
    sentiment="positive",
    sentiment_score=0.8,
    sure=True,
    question=True,
    tags=(),
)


def teach(archive: Archive) -> None:
    """Corrections and decisions of several people, some of them taken back."""
    eva = Correction(
        by="Eva",
        note="read it «twice»",
        themes=("agility",),
        sentiment="negative",
        question=False,
        language="es",
    )
    archive.correct(FIRST, eva)
    archive.correct(FIRST, Correction(by="Ana", themes=("open-data", "defragment")))
    archive.correct(FIRST, Correction(by="Eva", themes=(), note="none after all"))
    archive.correct(SECOND, Correction(by="Ana", language="unknown", question=True))
    archive.decide("agility", "es", "ágil", accepted=True, by="Eva")
    archive.decide("open-data", "en", "lunch", accepted=False, by="Ana")


def tag(archive: Archive) -> None:
    archive.save_tags([(post, MACHINE) for post in archive.untagged(100)], version="1")


def people(archive: Archive) -> list[tuple[Any, ...]]:
    """All that people said, exactly and in its order."""
    said = archive.conn.execute(
        "SELECT p.key, t.component, t.label, t.score, t.evidence, t.version, t.set_by, t.seen_at, "
        "t.superseded_at FROM tags t JOIN posts p ON p.id = t.post_id WHERE t.set_by IS NOT NULL "
        "ORDER BY p.key, t.id"
    )
    return [*said, *archive.conn.execute("SELECT * FROM keywords ORDER BY 1, 2, 3")]


def shown(archive: Archive) -> list[tuple[Any, ...]]:
    """What their words make of the posts."""
    return archive.conn.execute(
        "SELECT key, language_detected, sentiment, sentiment_score, sure, question, "
        "(SELECT group_concat(theme) FROM (SELECT theme FROM post_themes t WHERE t.post_id = p.id "
        "ORDER BY 1)) FROM posts p ORDER BY key"
    ).fetchall()


@pytest.fixture
def taught(archive: Archive, receive: Receive, tmp_path: Path) -> Path:
    """A full export of an archive in which people corrected and decided."""
    fill(archive, receive)
    tag(archive)
    teach(archive)
    export(archive.path, tmp_path / "taught", ["ndjson"], full=True)
    return tmp_path / "taught"


def bring(archive: Archive, meeting: Meeting, paths: Sequence[Path]) -> None:
    for path in paths:
        assert import_file(archive, meeting, path).counts.quarantined in (0, 2), path.name


@pytest.mark.parametrize("backwards", [False, True])
def test_corrections_and_decisions_come_back_and_are_in_force_at_once(
    archive: Archive, taught: Path, meeting: Meeting, backwards: bool, tmp_path: Path
) -> None:
    files = files_of(taught)[:: -1 if backwards else 1]
    with Archive.open(tmp_path / "again.db", meeting) as again:
        for _ in range(2):
            bring(again, meeting, files)
            assert people(again) == people(archive)
            assert shown(again)[0] == (FIRST, "es", "negative", None, 1, 0, None)
            assert shown(again)[1] == (SECOND, None, None, None, None, 1, None)
            assert verify(again.path) == []
        tag(again)
        assert shown(again) == shown(archive)
        assert list(canonical(again.path)) == list(canonical(archive.path))
        again.retag()
        tag(again)
        assert (people(again), shown(again)) == (people(archive), shown(archive))
        assert verify(again.path) == []
        assert again.learned("none").keywords == archive.learned("none").keywords


def test_halves_end_in_the_same_whichever_comes_first(
    archive: Archive, taught: Path, meeting: Meeting, tmp_path: Path
) -> None:
    items = [item for path in files_of(taught) for item in read(path, meeting)]
    found = []
    for name, order in (("one.db", items), ("two.db", items[::-1])):
        with Archive.open(tmp_path / name, meeting) as again:
            for start in range(0, len(items), 4):
                again.write(order[start : start + 4])
            found.append((people(again), shown(again), fingerprint(again.path)))
            assert verify(again.path) == []
    assert found[0] == found[1]
    assert found[0][0] == people(archive)


def test_what_was_said_here_later_stays(
    archive: Archive, taught: Path, meeting: Meeting, tmp_path: Path
) -> None:
    with Archive.open(tmp_path / "again.db", meeting) as again:
        bring(again, meeting, files_of(taught))
        again.correct(FIRST, Correction(by="Zoe", sentiment="neutral"))
        again.decide("agility", "es", "agil", accepted=False, by="Zoe")
        kept = people(again), shown(again)
        bring(again, meeting, files_of(taught))
        assert (people(again), shown(again)) == kept
        assert shown(again)[0][1:5] == ("es", "neutral", None, 1)


def test_an_older_word_that_was_here_makes_room(
    archive: Archive, taught: Path, meeting: Meeting, receive: Receive, tmp_path: Path
) -> None:
    with Archive.open(tmp_path / "again.db", meeting, clock=lambda: START) as again:
        again.write([receive(1)])
        tag(again)
        again.correct(FIRST, Correction(by="Zoe", sentiment="neutral", themes=("agility",)))
        bring(again, meeting, files_of(taught))
        assert shown(again)[0] == (FIRST, "es", "negative", None, 1, 0, None)
        assert [row[2] for row in people(again) if row[:2] == (FIRST, "sentiment")] == ["neutral", "negative"]
        assert verify(again.path) == []


@pytest.mark.parametrize("tombstone_first", [False, True])
def test_nothing_said_of_a_deleted_post_comes_back(
    taught: Path, meeting: Meeting, tmp_path: Path, tombstone_first: bool
) -> None:
    with Archive.open(tmp_path / "again.db", meeting) as again:
        if tombstone_first:
            again.write([Deleted(FIRST, "x")])
        bring(again, meeting, files_of(taught))
        again.write([Deleted(FIRST, "x")])
        assert {row[0] for row in people(again)} == {SECOND, "agility", "open-data"}
        assert "twice" not in "".join(again.conn.iterdump())


def test_nothing_said_of_somebody_who_opted_out_comes_back(
    taught: Path, meeting: Meeting, tmp_path: Path
) -> None:
    text = (taught / "posts.ndjson").read_text("utf-8").replace('"label": "negative"', '"label": "angry"')
    (taught / "posts.ndjson").write_text(text, "utf-8")
    with Archive.open(tmp_path / "again.db", meeting) as again:
        again.opt_out("x:ana")
        bring(again, meeting, files_of(taught))
        assert {row[0] for row in people(again)} == {"agility", "open-data"}
        assert not again.conn.execute("SELECT 1 FROM posts").fetchall()
        assert "twice" not in "".join(again.conn.iterdump())


def test_it_follows_a_post_to_the_key_by_which_it_is_known(
    taught: Path, meeting: Meeting, receive: Receive, tmp_path: Path
) -> None:
    with Archive.open(tmp_path / "again.db", meeting) as again:
        again.write([receive(0, aliases=(FIRST,))])
        bring(again, meeting, [taught / "posts.ndjson"])
        assert shown(again)[0] == ("x:9000000000000000000", "es", "negative", None, 1, 0, None)
        assert verify(again.path) == []


def test_a_damaged_correction_is_set_aside_and_the_rest_comes_in(
    archive: Archive, taught: Path, meeting: Meeting, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in (taught / "posts.ndjson").read_text("utf-8").splitlines()]
    first = next(row for row in rows if row["key"] == FIRST)
    second = next(row for row in rows if row["key"] == SECOND)
    wrong = {**first["corrections"][0], "set_by": ""}
    first["corrections"] += [wrong, "nonsense"]
    second["corrections"] = {"component": "theme"}
    (taught / "posts.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    decided = {"theme": "agility", "language": "es", "keyword": "k", "decision": "so so", "set_by": "E"}
    with (taught / "keywords.ndjson").open("a", encoding="utf-8") as file:
        file.write(json.dumps({**decided, "seen_at": "2012-03-26T15:00:00Z"}) + "\n")
    with Archive.open(tmp_path / "again.db", meeting) as again:
        assert import_file(again, meeting, taught / "posts.ndjson").counts.quarantined == 3
        assert import_file(again, meeting, taught / "keywords.ndjson").counts.quarantined == 1
        assert again.conn.execute("SELECT count(*) FROM posts").fetchone() == (6,)
        assert people(again) == [row for row in people(archive) if row[0] != SECOND]
        aside = again.conn.execute("SELECT reason, payload FROM quarantine ORDER BY id").fetchall()
    assert [reason for reason, _ in aside] == [
        "a correction: set_by is empty",
        "a correction: it is no object",
        "a correction: label must be a text, not absent",
        "decision must be one of accepted, rejected, not 'so so'",
    ]
    assert json.loads(aside[0][1]) == {"key": FIRST, "corrections": [wrong]}


def test_a_row_that_is_nested_too_deeply_is_set_aside(
    taught: Path, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_deep(value: object) -> str:
        raise RecursionError

    monkeypatch.setattr(native, "dump", too_deep)
    posts = taught / "posts.ndjson"
    posts.write_text(posts.read_text("utf-8").replace('"label": "negative"', '"label": [[]]'), "utf-8")
    assert [item.reason for item in read(posts, meeting) if isinstance(item, Unmapped)] == [
        "nested too deeply"
    ]


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from([FIRST, SECOND, THIRD]),
        st.builds(
            Correction,
            by=st.sampled_from(["Ana", "Eva"]),
            note=st.sampled_from(["", "“so” é"]),
            themes=st.none() | st.sets(st.sampled_from(["agility", "open-data"])).map(tuple),
            sentiment=st.none() | st.sampled_from(["positive", "neutral", "negative"]),
            question=st.none() | st.booleans(),
            language=st.sampled_from(["en", "es", "unknown"]),
        ),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTIONS, ACTIONS, st.randoms(use_true_random=False))
def test_whatever_people_said_comes_back(
    meeting: Meeting,
    receive: Receive,
    ours: list[tuple[str, Correction, bool]],
    theirs: list[tuple[str, Correction, bool]],
    random: Any,
) -> None:
    """One archive goes on as two; both come together in a new one, in any order and more than once."""
    ticks = iter(range(10_000))
    clock = lambda: datetime(2012, 11, 10, tzinfo=UTC) + timedelta(seconds=next(ticks) // 3)  # noqa: E731
    with (
        TemporaryDirectory() as name,
        Archive.open(Path(name) / "one.db", meeting, clock=clock) as one,
        Archive.open(Path(name) / "two.db", meeting, clock=clock) as two,
        Archive.open(Path(name) / "both.db", meeting, clock=clock) as both,
        Archive.open(Path(name) / "also.db", meeting, clock=clock) as also,
    ):
        folder = Path(name)
        one.write([receive(1), receive(2), receive(3, kind="repost", repost_of=FIRST)])
        act(one, ours)
        export(one.path, folder / "one", ["ndjson"], full=True)
        bring(two, meeting, files_of(folder / "one"))
        assert people(two) == people(one)
        act(two, theirs)
        export(two.path, folder / "two", ["ndjson"], full=True)
        items = [
            item
            for part in ("one", "two")
            for path in files_of(folder / part)
            for item in read(path, meeting)
        ]
        both.write(items)
        assert people(both) == people(two)
        items *= 2
        random.shuffle(items)
        for start in range(0, len(items), 3):
            also.write(items[start : start + 3])
            if random.random() < 0.2:
                tag(also)
        assert people(also) == people(two)
        for archive in (both, also, two):
            tag(archive)
            assert verify(archive.path) == []
        assert shown(both) == shown(also) == shown(two)
        assert list(canonical(both.path)) == list(canonical(two.path))


def act(archive: Archive, actions: list[tuple[str, Correction, bool]]) -> None:
    for key, correction, tagged in actions:
        archive.correct(key, correction)
        archive.decide("agility", "es", "ágil", accepted=tagged, by=correction.by)
        if tagged:
            tag(archive)
