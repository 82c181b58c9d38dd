from __future__ import annotations

from datetime import UTC, datetime

import pytest

from collector.mapping import MappingError, x_ids
from tests.collector.x_times import id_of

NOON = datetime(2012, 3, 26, 12, tzinfo=UTC)
ID = "9000000000000000001"


def test_an_id_is_text_always() -> None:
    assert x_ids.checked_id(ID) == x_ids.checked_id(int(ID)) == x_ids.checked_id(f" {ID} ") == (ID, ())


@pytest.mark.parametrize("value", ["4.6e+17", "9.00000000000000E18", 4.6e17, "9e17"])
def test_a_damaged_id_is_kept_as_it_stands_and_marked(value: object) -> None:
    assert x_ids.checked_id(value) == (str(value), ("damaged_id",))


@pytest.mark.parametrize("value", [None, "", "x1", "-1", "1.5", "٣", True, [], {}, "9" * 30])
def test_what_is_no_id(value: object) -> None:
    with pytest.raises(MappingError, match="no post id"):
        x_ids.checked_id(value)
    assert x_ids.optional_id(value) is None


def test_the_time_inside_an_id() -> None:
    assert x_ids.time_of_id(id_of(NOON)) == NOON
    for nothing in ("20", "29700859247", "4.6e+17", "", "9" * 20, "9" * 30):
        assert x_ids.time_of_id(nothing) is None


def test_keys() -> None:
    assert x_ids.post_key(ID) == f"x:{ID}"
    assert x_ids.post_key(None) is None
    assert x_ids.account("101", "bc_Ana").key == "x:101"
    assert x_ids.account(None, "bc_Ana").key == "x:@bc_ana"
    assert x_ids.account("101", None).url is None
    with pytest.raises(MappingError, match="no author"):
        x_ids.account(None, None)


def test_addresses() -> None:
    assert x_ids.post_url("bc_ana", ID) == f"https://x.com/bc_ana/status/{ID}"
    assert x_ids.post_url(None, ID) == f"https://x.com/i/status/{ID}"


def test_the_first_kind_that_fits() -> None:
    assert x_ids.kind_of(repost=True, reply=True, quote=True) == "repost"
    assert x_ids.kind_of(repost=False, reply=True, quote=True) == "reply"
    assert x_ids.kind_of(repost=False, reply=False, quote=True) == "quote"
    assert x_ids.kind_of(repost=False, reply=False, quote=False) == "original"
    assert x_ids.is_old_repost("RT @bc_ana: hola")
    assert not x_ids.is_old_repost("rt @bc_ana: hola")


def test_a_text_is_shown_as_people_saw_it_and_no_further() -> None:
    assert x_ids.shown("a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#39; &amp;lt;") == "a & b <c> \"d\" 'e' &lt;"
    assert x_ids.shown("R&D&notes &copy; nul\0") == "R&D&notes &copy; nul"
    assert x_ids.shown("plain") == "plain"


def test_lists_from_a_text() -> None:
    assert x_ids.mentions_in("@bc_Ana and .@bc_luis, @bc_Ana; mail a@example.org") == ("bc_Ana", "bc_luis")
    assert x_ids.mentions_in("nobody") == x_ids.links_in("nothing") == ()
    assert x_ids.links_in("see https://example.org/a, http://example.org") == (
        "https://example.org/a,",
        "http://example.org",
    )


def test_the_photo_and_video_pages_of_the_post_itself_are_no_links() -> None:
    own = f"https://twitter.com/bc_ana/status/{ID}/photo/1"
    urls = [own, "https://example.org/a", own.replace(ID, "12"), own.replace("photo", "analytics")]
    assert x_ids.links([*urls, urls[1]], None, ID) == tuple(urls[1:])


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("Mon Mar 26 12:00:00 +0000 2012", 12),
        ("Mon Mar 26 12:00:00 -0430 2012", 16.5),
        ("Mon Mar 26 12:00:60 +0000 2012", 12),
    ],
)
def test_classic_times(text: str, hour: float) -> None:
    moment = x_ids.classic_time(text)
    assert moment.tzinfo is UTC
    assert moment.hour + moment.minute / 60 == hour


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "Mon Mar 26 12:00 +0000 2012",
        "Mon Mär 26 12:00:00 +0000 2012",
        "Mon Feb 30 12:00:00 +0000 2012",
        None,
        5,
        "Mon Jan 01 00:00:00 +0100 0001",
    ],
)
def test_times_that_cannot_be_read(text: object) -> None:
    for read in (x_ids.classic_time, x_ids.iso_time):
        with pytest.raises(MappingError, match="no time"):
            read(text)


def test_iso_times() -> None:
    for text in ("2012-03-26T12:00:00.000Z", "2012-03-26 12:00:00", "2012-03-26T06:00:00-06:00"):
        assert x_ids.iso_time(text) == NOON
    with pytest.raises(MappingError):
        x_ids.iso_time("0001-01-01T00:00:00+01:00")


def test_what_is_no_handle_gets_into_no_address() -> None:
    assert x_ids.post_url("Ana Perez", "1") == "https://x.com/i/status/1"
    assert x_ids.account(None, "a/../<b>").url is None
    assert x_ids.account(None, "ana_1").url == "https://x.com/ana_1"


def test_the_kind_where_a_format_has_no_mark_of_quotes() -> None:
    assert x_ids.kind_without_quotes(repost=True, reply=True) == ("repost", ())
    assert x_ids.kind_without_quotes(repost=False, reply=True) == ("reply", ())
    assert x_ids.kind_without_quotes(repost=False, reply=False) == (None, ("quote", "original"))
