"""Tables of questions: what is a post, who answered, what stays private, and which rows are the same."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.canonical import canonical
from archive.errors import InputError
from archive.store import Archive
from archive.vocabulary import ASKED, Item, Meeting, Post, Private, Received, Unmapped
from collector.importers import zoom, zoom_qa
from collector.importing import import_file
from tests.collector.golden import posts
from tests.collector.meeting_tools import MEETING, STARTS, read

HEADER = "Question,Asker Name,Asker Email,Question Time,Answer,Answer Name,Answer Time,Upvotes\n"
AT = "2026-03-16 09:05:00"


def table(*rows: str) -> list[Item]:
    return read(zoom_qa, HEADER + "".join(f"{row}\n" for row in rows))


def both(*rows: str) -> tuple[Post, Post]:
    question, answer = posts(table(*rows))
    return question, answer


def test_an_answer_is_a_reply_to_its_question() -> None:
    question, answer = both(f"Why?,Bc Ana,bc_ana@example.org,{AT},Because,Bc Luis,2026-03-16 09:06:00,3")
    assert (question.kind, question.reply_to, question.source) == ("original", None, "zoom")
    assert question.engagement is not None and question.engagement.likes == 3
    assert (answer.kind, answer.reply_to, answer.reply_to_account) == ("reply", question.key, "Bc Ana")
    assert answer.created_at - question.created_at == timedelta(minutes=1)
    assert answer.engagement is None and not answer.flags


def test_an_answer_without_a_time_has_that_of_its_question_and_a_flag() -> None:
    question, answer = both(f"Why?,Bc Ana,,{AT},Because,Bc Luis,,")
    assert (answer.created_at, answer.flags) == (question.created_at, ("clock",))


def test_an_answer_that_nobody_is_named_for_goes_to_quarantine() -> None:
    question, answer = table(f"Why?,Bc Ana,,{AT},Because,,,")
    assert isinstance(question, Received)
    assert answer == Unmapped("an answer, and nobody is named who gave it", '{"answer":"Because"}', "line 2")


def test_the_host_answers_where_the_file_names_one() -> None:
    *_, answer = posts(read(zoom_qa, f"Host,Bc Eva\n{HEADER}Why?,Bc Ana,,{AT},Because,,,\n"))
    assert answer.author.name is None or answer.author.name != "Bc Eva"  # these cells are no name and value
    *_, answer = posts(read(zoom_qa, f"Host:,Bc Eva\n{HEADER}Why?,Bc Ana,,{AT},Because,,,\n"))
    assert answer.author.name == "Bc Eva"


def test_rows_without_a_question_answer_the_one_above() -> None:
    items = table(
        f"Why?,Bc Ana,,{AT},Because,Bc Luis,,",
        f",,,,And also,Bc Eva,{AT},",
        "too,few",
        f",,,,To what is not known,Bc Eva,{AT},",
        ",,,,Never,Bc Eva,,",
        "  ,Bc Ana,,,,,,",
    )
    question, _, further, damaged, orphan, timeless, nothing = items
    assert isinstance(question, Received) and isinstance(further, Received) and isinstance(orphan, Received)
    assert further.post.reply_to == question.post.key
    assert orphan.post.reply_to is None and orphan.post.kind == "reply"
    assert [
        (item.reason, item.where) for item in (damaged, timeless, nothing) if isinstance(item, Unmapped)
    ] == [
        ("2 cells where the header has 8", "line 4"),
        ("an answer without a time or a question", "line 6"),
        ("neither a question nor an answer", "line 7"),
    ]


@pytest.mark.parametrize("said", ["live answered", "Live Answered.", "-", " ", "no answer"])
def test_what_was_answered_aloud_is_no_post(said: str) -> None:
    (item,) = table(f"Why?,Bc Ana,,{AT},{said},Bc Luis,,")
    assert isinstance(item, Received)
    assert said.strip() in (item.raw or "")


def test_an_answer_of_a_sign_alone_is_one() -> None:
    assert both(f"Why?,Bc Ana,,{AT},👍,Bc Luis,,")[1].text == "👍"
    long = "word " * 100
    assert both(f"Why?,Bc Ana,,{AT},{long},Bc Luis,,")[1].text == long.strip()


def test_the_anonymous_share_a_name() -> None:
    one, other = both(f"Why?,,,{AT},,,,", f"How?,,,{AT},,,,")
    assert one.author.key == other.author.key == "zoom:Anonymous"
    assert one.key != other.key


def test_addresses_are_kept_nowhere_but_in_what_was_said() -> None:
    items = table(
        f"Why?,bc_ana@example.org,bc_ana@example.org,{AT},Because,Bc Luis <bc_luis@example.org>,,",
        f"Write to bc_desk@example.org?,,bc_ana@example.org,{AT},,,,",
        "damaged,bc_ana@example.org",
        "When?,Bc Ana,bc_ana@example.org,never,,,,",
    )
    said = [item for item in items if isinstance(item, Received) and "bc_desk" in item.post.text]
    assert len(said) == 1
    assert all("@example.org" not in repr(item) for item in items if item not in said)
    assert "bc_ana" not in repr(said)
    assert [post.author.name for post in posts(items)] == ["bc_ana", "Bc Luis", "Anonymous"]


def test_who_is_forgotten_leaves_nothing_in_the_payload_of_the_question() -> None:
    question, answer = table(f"Why?,Bc Ana,,{AT},Because,Bc Luis,,")
    assert isinstance(question, Received) and isinstance(answer, Received)
    assert question.raw is not None and "Because" not in question.raw and "Luis" not in question.raw
    assert json.loads(answer.raw or "") == {"answer": "Because", "answerer": "Bc Luis"}


PRIVATE = "Question,Asker Name,Question Time,Answer,Answer Name,{name}\n{row}\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Answer Type", "Private"),
        ("Visibility", "Privado"),
        ("Visibility", "Réponse privée"),
        ("Privacy", "answered privately"),
        ("Private", "yes"),
        ("Private", "TRUE"),
    ],
)
def test_private_answers_are_only_counted(name: str, said: str) -> None:
    row = f"Why?,Bc Ana,{AT},A secret,Bc Luis,{said}\nAlso a secret,cut off"
    question, answer, damaged = read(zoom_qa, PRIVATE.format(name=name, row=row))
    assert isinstance(question, Received) and isinstance(answer, Private)
    assert isinstance(damaged, Unmapped) and damaged.payload is None
    assert "secret" not in repr([question, answer, damaged])


@pytest.mark.parametrize(("name", "said"), [("Answer Type", "Public"), ("Private", "no"), ("Private", "")])
def test_what_is_public_is_kept(name: str, said: str) -> None:
    row = f"Why?,Bc Ana,{AT},Private companies may,Bc Luis,{said}"
    assert [post.text for post in posts(read(zoom_qa, PRIVATE.format(name=name, row=row)))] == [
        "Why?",
        "Private companies may",
    ]


@pytest.mark.parametrize("mark", ["(Privately answered) ", "[private] ", "Private answer: "])
def test_an_answer_may_say_itself_that_it_is_private(mark: str) -> None:
    _, answer = table(f"Why?,Bc Ana,,{AT},{mark}A secret,Bc Luis,,")
    assert isinstance(answer, Private)


def test_a_private_question_takes_its_further_answers_with_it() -> None:
    row = f"A secret,Bc Ana,{AT},,,Private\n,,,Also a secret,Bc Luis,Public\nWhy?,Bc Ana,{AT},,,Public"
    items = read(zoom_qa, PRIVATE.format(name="Visibility", row=row))
    assert [type(item) for item in items] == [Private, Private, Received]


def test_without_times_all_was_asked_when_it_began() -> None:
    plain = "Question,Asker Name\nWhy?,Bc Ana\n"
    preamble = "Topic,Actual Start Time\nx,{}\n"
    for head, at in (
        ("", STARTS),
        (preamble.format('"Mar 16, 2026 09:30 AM"'), STARTS + timedelta(minutes=30)),
        (preamble.format("soon"), STARTS),
    ):
        (post,) = posts(read(zoom_qa, head + plain))
        assert (post.created_at, post.flags) == (at, ("clock", ASKED))
    with pytest.raises(InputError, match="--date"):
        read(zoom_qa, plain, date=date(2020, 1, 1))


def test_a_row_without_the_time_that_others_have_goes_to_quarantine() -> None:
    item, fine = table("Why?,Bc Ana,,,,,,", f"How?,Bc Ana,,{AT},,,,")
    assert isinstance(item, Unmapped) and (item.reason, item.where) == ("no time", "line 2")
    assert isinstance(fine, Received)


def test_who_wrote_what_could_not_be_read_is_told() -> None:
    asked, answered = table("Why?,Bc Ana,,never,Because,Bc Luis,never,")
    assert isinstance(asked, Unmapped) and asked.accounts == ("zoom:Bc Ana",)
    assert isinstance(answered, Unmapped) and answered.accounts == ("zoom:Bc Luis",)


def test_the_zone_may_stand_in_the_name_of_the_column() -> None:
    for name, hour in (("Question Time", 15), ("Question Time (UTC)", 9)):
        (post,) = posts(read(zoom_qa, f"Question,Asker Name,{name}\nWhy?,Bc Ana,2026-03-16 09:05\n"))
        assert post.created_at == datetime(2026, 3, 16, hour, 5, tzinfo=UTC)


def test_ids_of_the_tool_are_taken() -> None:
    (post,) = posts(read(zoom_qa, f"Question ID,Question,Asker Name,Question Time\nq7,Why?,Bc Ana,{AT}\n"))
    assert (post.key, post.platform_id) == ("zoom:q7", "q7")


def test_a_question_is_not_taken_for_what_its_author_wrote_into_the_chat() -> None:
    (asked,) = posts(table(f"Why?,Bc Ana,,{AT},,,,"))
    (said,) = posts(read(zoom, "09:05:00\t From Bc Ana : Hello\n"))
    assert asked.author.key == said.author.key and asked.created_at == said.created_at
    assert asked.key != said.key


def test_hostile_cells_are_words_like_others() -> None:
    text = '=HYPERLINK(""http://bc.example"")\u202e\x00<script>' + "x" * 300_000
    (post,) = posts(table(f'"{text}",Bc Ana,,{AT},,,,'))
    assert post.text == text.replace('""', '"')


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).filter(
    lambda text: text.strip() == text and text.strip("-–—") != ""
)


@given(
    rows=st.lists(
        st.tuples(words, st.sampled_from(["Bc Ana", "Bc Luis", ""]), st.integers(0, 120)),
        min_size=1,
        max_size=12,
    ),
    order=st.randoms(use_true_random=False),
)
def test_sorted_otherwise_an_export_gives_the_same_posts(
    rows: list[tuple[str, str, int]], order: object
) -> None:
    def found(rows: list[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
        sheet = io.StringIO()
        writer = csv.writer(sheet)
        writer.writerow(["Question", "Asker Name", "Question Time"])
        for text, name, minute in rows:
            writer.writerow([text, name, f"2026-03-16 {9 + minute // 60:02}:{minute % 60:02}"])
        return Counter((post.key, post.text) for post in posts(read(zoom_qa, sheet.getvalue())))

    shuffled = list(rows)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    before = found(rows)
    assert before == found(shuffled)
    assert set(before.values()) == {1} and before.total() == len(rows)
    assert sorted(text for _, text in before) == sorted(text for text, _, _ in rows)


def test_twice_in_is_once_in(tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    file.write_text(f"{HEADER}Why?,Bc Ana,,{AT},Because,Bc Luis,,3\nWhy?,,,{AT},,,,0\nWhy?,,,{AT},,,,0\n")
    with Archive.open(tmp_path / "tools.db", MEETING) as archive:
        first = import_file(archive, MEETING, file)
        once = list(canonical(tmp_path / "tools.db"))
        again = import_file(archive, MEETING, file)
    assert (first.counts.new, again.counts.new, again.counts.duplicate) == (4, 0, 4)
    assert list(canonical(tmp_path / "tools.db")) == once
    assert "never tried on a real file" in first.notes[0]


def test_a_forced_format_without_its_header_is_refused(meeting: Meeting) -> None:
    with pytest.raises(InputError, match="names the columns"):
        read(zoom_qa, "nothing\n", meeting=meeting)
