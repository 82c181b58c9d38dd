from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from archive import rollups
from archive.rollups import State
from archive.store import Archive
from archive.vocabulary import Received

Receive = Callable[..., Received]
FRESH = State("2012-03-26T15:00", "s1", "x", "original", "en", "public")
TAGGED = FRESH._replace(
    tagged=1,
    language_detected="en",
    sentiment="negative",
    sure=1,
    question=1,
    themes=("agility", "open-data"),
)


def minutes(archive: Archive) -> list[tuple[str, str, int, int]]:
    return archive.conn.execute(
        "SELECT theme, sentiment, posts, authored FROM rollup_minutes ORDER BY 1, 2"
    ).fetchall()


def test_a_post_counts_once_in_all_and_once_under_each_theme(archive: Archive) -> None:
    rollups.apply(archive.conn, Counter({TAGGED: 2}))
    assert minutes(archive) == [
        ("*", "negative", 2, 2),
        ("agility", "negative", 2, 2),
        ("open-data", "negative", 2, 2),
    ]


def test_what_goes_out_leaves_no_empty_row(archive: Archive) -> None:
    rollups.apply(archive.conn, Counter({FRESH: 3}))
    rollups.apply(archive.conn, Counter({FRESH: -3, TAGGED: 3}))
    rollups.apply(archive.conn, Counter({TAGGED: -3}))
    assert minutes(archive) == []
    assert archive.conn.execute("SELECT * FROM rollup_totals").fetchall() == []


def test_a_repost_is_no_authored_post(archive: Archive) -> None:
    rollups.apply(archive.conn, Counter({FRESH._replace(kind="repost"): 1, FRESH._replace(kind=None): 1}))
    kinds = archive.conn.execute(
        "SELECT value, posts, authored FROM rollup_totals WHERE dimension = 'kind' ORDER BY value"
    ).fetchall()
    assert kinds == [("repost", 1, 0), ("unknown", 1, 1)]


def test_labels_say_what_is_not_known() -> None:
    assert (FRESH.sentiment_label, FRESH.theme_labels) == ("untagged", ("untagged",))
    unsure = TAGGED._replace(sure=0, themes=())
    assert (unsure.sentiment_label, unsure.theme_labels) == ("not_sure", ("none",))


def test_a_rebuild_equals_what_was_kept_up_to_date(archive: Archive, receive: Receive) -> None:
    archive.write([receive(n, kind="repost" if n % 3 else "original") for n in range(30)])
    kept = [
        archive.conn.execute(f"SELECT * FROM {t} ORDER BY 1, 2, 3, 4, 5").fetchall()
        for t in ("rollup_minutes",)
    ]
    with archive.transaction() as conn:
        rollups.rebuild(conn)
    assert kept == [archive.conn.execute("SELECT * FROM rollup_minutes ORDER BY 1, 2, 3, 4, 5").fetchall()]


def test_what_is_done_to_posts_is_counted(archive: Archive, receive: Receive) -> None:
    archive.write([receive(1), receive(2)])
    with archive.transaction() as conn, rollups.recounted(conn, [1, 2]):
        conn.execute(
            "UPDATE posts SET tagged_at = 'now', sure = 1, sentiment = 'negative', to_chair = 1 WHERE id = 1"
        )
    totals = dict(
        archive.conn.execute(
            "SELECT dimension || value, posts FROM rollup_totals WHERE dimension IN "
            "('sentiment', 'to_chair', 'logistics')"
        ).fetchall()
    )
    assert totals == {"sentimentnegative": 1, "sentimentuntagged": 1, "to_chair1": 1, "logistics0": 1}
