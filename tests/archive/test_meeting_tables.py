"""The tables themselves: each key says what is allowed, and no kind of source names an unknown key."""

import pytest
from pydantic import ValidationError

from archive.meeting_tables import (
    COMMON_KEYS,
    REPEATED,
    SINGLE,
    SOURCE_DEFAULTS,
    SOURCE_KEYS,
    SOURCE_REQUIRED,
    AlertTable,
    MeetingTable,
    SourceTable,
    Table,
)


@pytest.mark.parametrize("table", [*SINGLE.values(), *REPEATED.values()])
def test_every_key_says_what_is_allowed(table):
    for name, field in table.model_fields.items():
        assert field.description, f"{table.__name__}.{name}"
    assert set(table.required) <= set(table.model_fields)


def test_the_keys_of_sources_are_keys_of_the_table():
    keys = {key for keys in SOURCE_KEYS.values() for key in keys} | set(COMMON_KEYS)
    assert keys == set(SourceTable.model_fields)
    for kind, defaults in SOURCE_DEFAULTS.items():
        assert set(defaults) <= set(SOURCE_KEYS[kind])
    for kind, required in SOURCE_REQUIRED.items():
        assert set(required) <= {*SOURCE_KEYS[kind], *COMMON_KEYS}


@pytest.mark.parametrize("zone", ["UTC", "America/Mexico_City", "Europe/Paris"])
def test_zones(zone):
    assert MeetingTable(timezone=zone).timezone == zone


@pytest.mark.parametrize("zone", ["", "Mexico", "../etc", "/etc/localtime", "America", "UTC+1", "\0"])
def test_no_zones(zone):
    with pytest.raises(ValidationError):
        MeetingTable(timezone=zone)


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        (MeetingTable, "slug", "a" * 65),
        (MeetingTable, "slug", "a\n"),
        (MeetingTable, "hashtags", []),
        (MeetingTable, "hashtags", "m"),
        (MeetingTable, "languages", ["english"]),
        (MeetingTable, "languages", ["EN"]),
        (MeetingTable, "interface", "de"),
        (SourceTable, "name", "a b"),
        (SourceTable, "stall_after", 0),
        (SourceTable, "stall_after", 1.5),
        (SourceTable, "max_posts", True),
        (SourceTable, "date", "2012-03-26"),
        (AlertTable, "words", []),
        (AlertTable, "when", "always"),
    ],
)
def test_what_is_not_allowed(table: type[Table], key, value):
    with pytest.raises(ValidationError):
        table.model_validate({key: value})
