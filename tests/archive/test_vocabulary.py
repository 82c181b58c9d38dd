from __future__ import annotations

from archive.vocabulary import Counts, Meeting, hashtags_in


def test_hashtags_are_folded_and_counted_once() -> None:
    assert hashtags_in("#Datos #datos a#b &#39; #México #") == ("datos", "méxico")
    assert hashtags_in("none") == ()


def test_read_is_the_sum_of_the_rest() -> None:
    counts = Counts(new=1, updated=2, duplicate=3, private=4, skipped=5, quarantined=6)
    counts.add(Counts(new=1))
    assert counts.as_json() == {
        "read": 22,
        "new": 2,
        "updated": 2,
        "duplicate": 3,
        "private": 4,
        "skipped": 5,
        "quarantined": 6,
    }


def test_a_meeting_knows_its_zone(meeting: Meeting) -> None:
    assert meeting.zone.key == "America/Mexico_City"
