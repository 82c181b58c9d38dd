"""The Q&A of Teams: the golden pair, threads of questions and answers, and what is private."""

from __future__ import annotations

import pytest

from archive.vocabulary import Item, Private, Received, Unmapped
from collector.importers import IMPORTERS, teams_qa
from collector.importers.base import Context, head_of
from tests.collector.golden import TESTDATA, cases, expected, made, posts
from tests.collector.meeting_tools import MEETING, read

HEADER = "Conversation Id,Name,Timestamp,Type,Content"
AT = "2026-03-16T15:05:00Z"


def table(*rows: str, header: str = HEADER) -> list[Item]:
    return read(teams_qa, "\n".join((header, *rows)))


@pytest.mark.parametrize("case", cases("teams-qa"))
def test_golden(case: str) -> None:
    assert made(teams_qa, case, Context(MEETING, case)) == expected("teams-qa", case)


@pytest.mark.parametrize("case", cases("teams-qa"))
def test_its_files_are_taken_by_no_other_importer(case: str) -> None:
    head = head_of((TESTDATA / "teams-qa" / case).read_bytes())
    assert [importer.NAME for importer in IMPORTERS if importer.sniff(head)] == ["teams-qa"]


@pytest.mark.parametrize(
    "header",
    [
        "Source Id,Question/Discussion,Name,Conversation Id,Timestamp,Type,Status,Content,Upvotes",
        "Conversation Id;Posted by;Posted at;Post type;Message",
        "THREAD ID,Author,Created Date Time (UTC),Type,Content",
    ],
)
def test_its_header_has_variants(header: str) -> None:
    assert teams_qa.sniff(head_of(header.encode()))


@pytest.mark.parametrize(
    "text",
    [
        "id,conversation_id,created_at,text,author_id\n",
        "Question,Asker Name\n",
        "Name,Timestamp,Type,Content\n",
    ],
)
def test_other_tables_are_none(text: str) -> None:
    assert not teams_qa.sniff(head_of(text.encode()))


@pytest.mark.parametrize(
    "said", ["Reply", "Answer", "Best answer", "Response", "Respuesta", "Réponse", "Comment"]
)
def test_answers_belong_to_the_beginning_of_their_conversation(said: str) -> None:
    question, answer, other = posts(
        table(
            f"c1,Bc Ana,{AT},Question,Why?",
            f"c1,Bc Luis,{AT},{said},Because",
            f"c2,Bc Luis,{AT},{said},Because",
        )
    )
    assert (question.kind, answer.kind, answer.reply_to) == ("original", "reply", question.key)
    assert answer.reply_to_account == "Bc Ana"
    assert (other.kind, other.reply_to) == ("reply", None)


def test_a_second_discussion_in_a_conversation_is_no_answer() -> None:
    found = posts(table(f"c1,Bc Ana,{AT},Question,Why?", f"c1,Bc Ana,{AT},Discussion,Also"))
    assert [post.kind for post in found] == ["original", "original"]


def test_ids_and_parents_of_messages_are_taken() -> None:
    question, answer = posts(
        table(
            f"c1,Bc Ana,{AT},Question,Why?,m1,",
            f"c1,Bc Luis,{AT},,Because,m2,m1",
            header=f"{HEADER},Message Id,Parent Id",
        )
    )
    assert (question.key, answer.key, answer.reply_to) == ("teams:m1", "teams:m2", "teams:m1")
    assert answer.kind == "reply" and answer.reply_to_account == "Bc Ana"


def test_the_source_id_is_none_of_a_message() -> None:
    rows = [f"c{number},Bc Ana,{AT},Question,Why {number}?,s1" for number in range(3)]
    assert len({post.key for post in posts(table(*rows, header=f"{HEADER},Source Id"))}) == 3


@pytest.mark.parametrize("said", ["Private reply", "Réponse privée", "private"])
def test_private_answers_are_only_counted(said: str) -> None:
    items = table(f"c1,Bc Ana,{AT},Question,Why?", f"c1,Bc Luis,{AT},{said},A secret", '"A secret,too')
    assert [type(item) for item in items] == [Received, Private, Unmapped]
    assert "secret" not in repr(items)


def test_what_is_missing_is_said_and_the_next_row_is_unharmed() -> None:
    items = table(
        "c1,Bc Ana,,Question,Why?",
        f"c1,Bc Ana,{AT},Question, ",
        f"c1,,{AT},Answer,Because",
        f"c1,,{AT},Question,bc_ana@example.org?",
    )
    reasons = [item.reason for item in items if isinstance(item, Unmapped)]
    assert reasons == ["no time", "no text", "an answer, and nobody is named who gave it"]
    (post,) = posts(items)
    assert post.author.name == "Anonymous"
