"""The write path: any order, any repetition, same end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.canonical import canonical
from archive.integrity import verify
from archive.store import Archive
from archive.vocabulary import (
    Author,
    Corrected,
    Counts,
    Decision,
    Deleted,
    Engagement,
    Item,
    Meeting,
    Post,
    Private,
    Received,
    Skipped,
    Span,
    Unmapped,
    hashtags_in,
)
from tests.conftest import START

Receive = Callable[..., Received]


def rows(archive: Archive, sql: str) -> list[Any]:
    return archive.conn.execute(sql).fetchall()


def test_a_new_post_is_there_with_its_sides(archive: Archive, receive: Receive) -> None:
    item = receive(
        1,
        text="Open data now #Sample2012 #Datos http://example.org/a",
        mentions=("BC_Luis",),
        links=("http://example.org/a",),
        engagement=Engagement(likes=3),
    )
    counts = archive.write([item])
    assert counts == Counts(new=1)
    assert rows(archive, "SELECT key, session, has_link FROM posts") == [(item.post.key, "s1", 1)]
    assert rows(archive, "SELECT hashtag FROM post_hashtags") == [("datos",), ("sample2012",)]
    assert rows(archive, "SELECT account FROM post_mentions") == [("bc_luis",)]
    assert rows(archive, "SELECT url FROM post_links") == [("http://example.org/a",)]
    assert rows(archive, "SELECT likes, reposts, observed_at FROM engagement") == [(3, None, None)]
    assert rows(archive, "SELECT payload FROM raw") == [(item.raw,)]
    assert rows(archive, "SELECT rowid FROM posts_fts WHERE posts_fts MATCH 'datos'") == [(1,)]
    assert rows(archive, "SELECT handle, posts, authored FROM authors") == [("bc_ana", 1, 1)]


def test_what_people_said_comes_with_its_post_or_not_at_all(archive: Archive, receive: Receive) -> None:
    word = Corrected(
        component="sentiment", label="negative", version="correction", set_by="Eva", seen_at=START
    )
    archive.opt_out("x:luis")
    archive.write([Deleted("x:9000000000000000002", "x")])
    posts = (receive(1), receive(2), receive(3, author="luis"))
    decision = Decision(
        theme="agility", language="es", keyword="ágil", decision="accepted", set_by="Eva", seen_at=START
    )
    counts = archive.write([*(replace(item, corrections=(word,)) for item in posts), decision])
    assert counts == Counts(new=1, private=1, skipped=1)
    said = "SELECT p.key, t.set_by, p.sentiment FROM tags t LEFT JOIN posts p ON p.id = t.post_id"
    assert rows(archive, said) == [("x:9000000000000000001", "Eva", "negative")]
    assert rows(archive, "SELECT keyword, decision FROM keywords") == [("ágil", "accepted")]
    assert verify(archive.path) == []


def test_the_same_post_again_changes_nothing(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1)])
    before = list(canonical(archive.path))
    assert archive.write([receive(1), receive(1)]) == Counts(duplicate=2)
    assert list(canonical(archive.path)) == before
    assert rows(archive, "SELECT duplicates FROM intake") == [(2,)]


def test_an_edit_becomes_current_and_the_old_words_a_version(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1, text="Frist draft #sample2012")])
    edit = receive(1, text="First draft #fixed", edited_at=START + timedelta(minutes=5))
    assert archive.write([edit]) == Counts(updated=1)
    assert rows(archive, "SELECT text FROM posts") == [("First draft #fixed",)]
    assert rows(archive, "SELECT content ->> 'text' FROM versions") == [("Frist draft #sample2012",)]
    assert rows(archive, "SELECT hashtag FROM post_hashtags") == [("fixed",)]
    assert rows(archive, "SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'frist'") == [(0,)]
    assert rows(archive, "SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'fixed'") == [(1,)]
    assert rows(archive, "SELECT count(*) FROM raw") == [(2,)]


def test_a_post_its_edit_and_a_repeat_in_one_batch(archive: Archive, receive: Receive) -> None:
    edit = receive(1, text="edited", edited_at=START + timedelta(minutes=5))
    assert archive.write([receive(1), edit, receive(1)]) == Counts(new=1, updated=1, duplicate=1)


def test_an_older_version_that_comes_late_does_not_replace(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1, text="new", edited_at=START + timedelta(minutes=5))])
    assert archive.write([receive(1, text="old")]) == Counts(updated=1)
    assert rows(archive, "SELECT text FROM posts") == [("new",)]
    assert rows(archive, "SELECT content ->> 'text' FROM versions") == [("old",)]


def test_what_was_deleted_never_comes_back(archive: Archive, receive: Receive) -> None:
    post = receive(1)
    passed_on = receive(2, kind="repost", repost_of=post.post.key, author="luis")
    archive.write([post, passed_on])
    assert archive.write([Deleted(post.post.key, "x", START)]) == Counts(updated=1)
    assert rows(archive, "SELECT count(*) FROM posts") == [(0,)]
    assert rows(archive, "SELECT count(*) FROM authors") == [(0,)]
    assert rows(archive, "SELECT count(*) FROM posts_fts WHERE posts_fts MATCH 'post'") == [(0,)]
    assert archive.write([post, passed_on]) == Counts(skipped=2)
    assert rows(archive, "SELECT count(*) FROM posts") == [(0,)]
    assert archive.write([Deleted(post.post.key, "x", START)]) == Counts(duplicate=1)


def test_a_deletion_may_come_first_and_by_any_version(
    tmp_path: Path, meeting: Meeting, receive: Receive
) -> None:
    post = receive(1, aliases=("x:9999",))
    ends = []
    for name, order in (("a", 1), ("b", -1)):
        with Archive.open(tmp_path / f"{name}.db", meeting) as archive:
            for item in [post, Deleted("x:9999", "x", START)][::order]:
                archive.write([item])
        ends.append(list(canonical(tmp_path / f"{name}.db")))
    assert ends[0] == ends[1]
    assert any("tombstones" in line for line in ends[0])


def test_a_post_stored_under_an_alias_moves_to_its_key(archive: Archive, receive: Receive) -> None:
    lone = receive(2, text="second version", engagement=Engagement(likes=1))
    chain = receive(1, text="first version", aliases=(lone.post.key,))
    archive.write([lone])
    archive.write([chain])
    assert rows(archive, "SELECT key FROM posts") == [(chain.post.key,)]
    assert len(rows(archive, "SELECT 1 FROM versions")) == 1
    assert rows(archive, "SELECT likes FROM engagement") == [(1,)]
    assert archive.write([lone]) == Counts(duplicate=1)
    assert verify(archive.path) == []


def test_what_cannot_be_carried_goes_to_quarantine(archive: Archive, receive: Receive) -> None:
    counts = archive.write(
        [
            receive(1, text="half \ud83d pair"),
            receive(2, text="nul \x00 inside"),
            receive(3),
            Unmapped("no id", '{"text": 1}', "line 4"),
            Unmapped("may be private", None, "line 5"),
            Unmapped("too long", "x" * 1_000_001, "line 6"),
        ]
    )
    assert counts == Counts(new=1, quarantined=5)
    reasons = [row[0] for row in rows(archive, "SELECT reason FROM quarantine ORDER BY id")]
    assert "surrogate" in reasons[0] and "NUL" in reasons[1] and "1,000,001" in reasons[4]
    assert rows(archive, "SELECT payload FROM quarantine WHERE reason = 'may be private'") == [(None,)]


def test_what_is_private_or_no_post_is_counted_and_not_stored(archive: Archive) -> None:
    assert archive.write([Private("line 1"), Skipped("like")]) == Counts(private=1, skipped=1)
    assert not any("line 1" in line for line in canonical(archive.path))


def test_who_opted_out_is_taken_out_and_kept_out(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2, author="luis")])
    assert archive.opt_out("x:@BC_Ana") == 1
    assert archive.write([receive(1), receive(3)]) == Counts(private=2)
    assert rows(archive, "SELECT handle FROM authors") == [("bc_luis",)]
    assert "bc_ana" not in "".join(canonical(archive.path))


def test_nothing_is_kept_of_who_opted_out_not_even_what_cannot_be_stored(
    archive: Archive, receive: Receive
) -> None:
    archive.opt_out("x:@BC_Ana")
    hers, his = receive(1, text="a \0 in it"), receive(2, text="a \0 in it", author="luis")
    assert archive.write([hers, his]) == Counts(private=1, quarantined=1)


def test_a_span_goes_to_the_ledger(archive: Archive) -> None:
    archive.write([Span(name="x", source="x", state="listening", started_at=START)])
    assert rows(archive, "SELECT name, state, ended_at FROM coverage") == [("x", "listening", None)]


def test_row_numbers_are_never_given_twice(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    archive.write([Deleted(receive(2).post.key, "x")])
    archive.write([receive(3)])
    assert rows(archive, "SELECT id FROM posts") == [(1,), (3,)]


@st.composite
def observations(draw: st.DrawFn) -> list[Item]:
    """A small world of posts, edits, repeats, reposts, aliases and deletions."""
    items: list[Item] = []
    for _ in range(draw(st.integers(1, 12))):
        number = draw(st.integers(0, 4))
        key = f"x:9{number:018d}"
        if draw(st.integers(0, 5)) == 0:
            items.append(Deleted(key, "x", START + timedelta(minutes=draw(st.integers(0, 3)))))
            continue
        text = draw(st.sampled_from(["one #a", "two #b @bc_eva", "tres #c"]))
        author = draw(st.sampled_from(["ana", "luis"])) if number > 2 else "ana"
        repost_of = "x:9" + "0" * 18 if number == 4 else None
        post = Post(
            key=key,
            source="x",
            platform_id=key[2:],
            author=Author(key=f"x:{author}", source="x", handle=author, followers=len(author)),
            text=text,
            created_at=START + timedelta(minutes=number),
            edited_at=draw(st.sampled_from([None, START + timedelta(hours=1), START + timedelta(hours=2)])),
            kind="repost" if repost_of else "original",
            repost_of=repost_of,
            hashtags=hashtags_in(text),
            aliases=draw(st.sampled_from([(), (f"x:8{number:018d}",)])),
            engagement=draw(st.sampled_from([None, Engagement(likes=1), Engagement(likes=2)])),
        )
        if draw(st.booleans()) and number != 4:
            post = replace(post, key=f"x:8{number:018d}", aliases=())
        observed_at = draw(st.sampled_from([None, START, START + timedelta(minutes=9)]))
        # The payload says all that the post says: equal payloads are equal observations.
        payload = f"{draw(st.integers(0, 2))} {post!r}"
        items.append(Received(post, payload, observed_at))
    return items


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=observations(), data=st.data())
def test_any_order_and_any_repetition_end_in_the_same_archive(
    tmp_path_factory: pytest.TempPathFactory, meeting: Meeting, items: list[Item], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("order")
    again = data.draw(st.permutations(items + items[: len(items) // 2]))
    cut = data.draw(st.integers(0, len(again)))
    # An alias is only ever learnt from its chain: say it once in both worlds.
    chains = [item for item in items if isinstance(item, Received) and item.post.aliases]
    ends = []
    for name, batches in (("a", [items, chains]), ("b", [again[:cut], again[cut:], chains])):
        with Archive.open(folder / f"{name}.db", meeting) as archive:
            for batch in batches:
                archive.write(batch)
        assert verify(folder / f"{name}.db") == []
        ends.append(set(canonical(folder / f"{name}.db")))
    assert ends[0] ^ ends[1] == set()


def ends_in_any_order(tmp_path: Path, meeting: Meeting, items: list[Item]) -> list[list[str]]:
    """The archives that the items make, one after another, in every order."""
    ends = []
    for number, order in enumerate(permutations(items)):
        path = tmp_path / f"order{number}.db"
        with Archive.open(path, meeting) as archive:
            for item in order:
                archive.write([item])
            assert verify(path) == []
        ends.append(list(canonical(path)))
    return ends


def test_a_deletion_by_an_alias_takes_out_what_came_under_another_name(
    tmp_path: Path, meeting: Meeting, receive: Receive
) -> None:
    key = receive(1).post.key
    items = [Deleted("x:9999", "x", START), receive(1), receive(1, aliases=("x:9999",))]
    ends = ends_in_any_order(tmp_path, meeting, items)
    assert all(end == ends[0] for end in ends)
    assert not any('"table": "posts"' in line for line in ends[0])
    assert any(key in line and "tombstones" in line for line in ends[0])


def test_reposts_go_with_a_post_by_whichever_name_and_over_however_many(
    tmp_path: Path, meeting: Meeting, receive: Receive
) -> None:
    passed_on = receive(2, kind="repost", repost_of="x:9999")
    items = [
        Deleted(receive(1).post.key, "x", START),
        receive(1, aliases=("x:9999",)),
        passed_on,
        receive(3, kind="repost", repost_of=passed_on.post.key),
    ]
    ends = ends_in_any_order(tmp_path, meeting, items)
    assert all(end == ends[0] for end in ends)
    assert not any('"table": "posts"' in line for line in ends[0])


def test_all_in_one_batch_reposts_of_reposts_go_too(archive: Archive, receive: Receive) -> None:
    archive.write([Deleted("x:1", "x", START)])
    passed_on = receive(2, kind="repost", repost_of="x:1")
    archive.write([receive(3, kind="repost", repost_of=passed_on.post.key), passed_on])
    assert rows(archive, "SELECT count(*) FROM posts") == [(0,)]
    assert verify(archive.path) == []


def test_the_most_followers_outlive_a_new_key(tmp_path: Path, meeting: Meeting, receive: Receive) -> None:
    def author(followers: int) -> Author:
        return Author(key="x:ana", source="x", handle="bc_ana", followers=followers)

    items: list[Item] = [
        receive(1, key="x:9999", author=author(100), observed_at=START),
        receive(1, key="x:9999", author=author(50), observed_at=START + timedelta(hours=1)),
        receive(1, author=author(50), aliases=("x:9999",), observed_at=START + timedelta(hours=1)),
    ]
    ends = ends_in_any_order(tmp_path, meeting, items)
    assert all(any('"followers_max": 100' in line for line in end) for end in ends)


@pytest.mark.parametrize(
    "item",
    [
        Deleted("x:\ud800", "x"),
        Span(name="\ud800", source="x", state="listening", started_at=START),
        Span(name="x", source="x", state="deaf", started_at=START, cause="\ud800"),
        Unmapped("no post: \ud800", "p", "a.csv"),
        Unmapped("no post", None, "a\udcff.csv, line 1"),
    ],
)
def test_half_a_character_anywhere_ends_in_quarantine(archive: Archive, item: Item) -> None:
    assert archive.write([item]) == Counts(quarantined=1)
    assert rows(archive, "SELECT count(*) FROM quarantine") == [(1,)]
    assert rows(archive, "SELECT count(*) FROM coverage") == [(0,)]
    assert rows(archive, "SELECT count(*) FROM tombstones") == [(0,)]


def test_every_payload_and_counter_moves_to_a_new_key(
    tmp_path: Path, meeting: Meeting, receive: Receive
) -> None:
    items: list[Item] = [
        replace(receive(1, key="x:9999", engagement=Engagement(likes=1)), raw="{}"),
        replace(receive(1, key="x:9999", engagement=Engagement(likes=2)), raw='{"again": 1}'),
        receive(1, aliases=("x:9999",)),
    ]
    ends = ends_in_any_order(tmp_path, meeting, items)
    assert all(end == ends[0] for end in ends)
    assert sum('"payload"' in line for line in ends[0]) == 3


def test_one_payload_read_in_two_ways_ends_the_same(
    tmp_path: Path, meeting: Meeting, receive: Receive
) -> None:
    items: list[Item] = [replace(receive(1, text=text), raw="{}") for text in ("one", "two", "three")]
    ends = ends_in_any_order(tmp_path, meeting, items)
    assert all(end == ends[0] for end in ends)
