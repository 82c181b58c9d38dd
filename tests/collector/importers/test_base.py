from __future__ import annotations

from archive.vocabulary import Item, Meeting, Skipped, Unmapped
from collector.importers.base import HEAD_BYTES, Context, Record, head_of, mapped
from collector.mapping import MappingError


def test_a_head_is_the_beginning_in_both_forms() -> None:
    head = head_of("ñ".encode() * HEAD_BYTES)
    assert len(head.data) == HEAD_BYTES
    assert head.text == "ñ" * (HEAD_BYTES // 2)


def test_a_context_knows_nothing_more_than_it_is_told(meeting: Meeting) -> None:
    context = Context(meeting, "file.csv")
    assert (context.date, context.zone, context.arm) == (None, None, None)


def test_what_cannot_be_mapped_says_why_and_the_rest_goes_on() -> None:
    def to_item(record: Record) -> Item:
        if record.value == "bad":
            raise MappingError("no post")
        if record.value == "deep":
            raise RecursionError
        return Skipped("fine")

    earlier = Unmapped("damaged", "x", "line 1")
    records = [earlier, Record("bad", "line 2"), Record("deep", "line 3"), Record("good", "line 4")]
    assert list(mapped(records, to_item)) == [
        earlier,
        Unmapped("no post", '"bad"', "line 2"),
        Unmapped("nested too deeply", None, "line 3"),
        Skipped("fine"),
    ]
