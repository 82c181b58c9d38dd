"""The roster: people who agreed that their accounts are matched to them.

A CSV file in UTF-8 with the columns ``name,country,group,attendance,accounts``; accounts are written
``source:account`` and separated by ``;``. Nothing here is ever inferred from what somebody posts.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from archive.errors import Problem
from archive.vocabulary import SOURCE_LABELS, Participant

COLUMNS = ("name", "country", "group", "attendance", "accounts")
MAX_BYTES = 10_000_000

_COUNTRY = re.compile(r"[A-Z]{2}")
_LABELS = "|".join(SOURCE_LABELS)
# Display names of the chats hold spaces: a space separates only before the next source's label.
_BETWEEN = re.compile(rf"\s*;\s*|\s+(?=(?:{_LABELS}):)")
_ACCOUNT = re.compile(rf"(?:{_LABELS}):\S.*")


def read(path: Path, groups: Collection[str]) -> tuple[tuple[Participant, ...], list[Problem]]:
    """The people of a roster file, and every mistake in it, row by row. Never raises for the file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return (), [Problem(path.name, "more than 10 MB", "a roster is a small CSV file")]
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return (), [Problem("participants.roster", f"no file {path}", "the path of a CSV file")]
    except UnicodeDecodeError:
        return (), [Problem(path.name, "text that is not UTF-8", "save the file as CSV in UTF-8")]
    except OSError as error:
        return (), [Problem("participants.roster", f"{path}: {error.strerror}", "a file that can be read")]
    return _people(path.name, text, groups)


def _people(name: str, text: str, groups: Collection[str]) -> tuple[tuple[Participant, ...], list[Problem]]:
    rows = csv.reader(text.splitlines(keepends=True))
    people: list[Participant] = []
    problems: list[Problem] = []
    owners: dict[str, str] = {}
    try:
        header = [cell.strip().casefold() for cell in next(rows, [])]
        if problem := _header_problem(name, header):
            return (), [problem]
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{name} line {rows.line_num}"
            found = list(_row_problems(where, header, cells, groups, owners))
            problems += found
            if not found:
                people.append(_participant(_row(header, cells)))
    except csv.Error as error:
        problems.append(Problem(f"{name} line {rows.line_num}", str(error), "a row of a CSV file"))
    return tuple(people), problems


def _header_problem(name: str, header: list[str]) -> Problem | None:
    if sorted(header) == sorted(COLUMNS):
        return None
    found = ",".join(header) or "an empty file"
    return Problem(f"{name} line 1", found[:200], "the columns " + ",".join(COLUMNS))


def _row(header: list[str], cells: list[str]) -> dict[str, str]:
    return dict(zip(header, (cell.strip() for cell in cells), strict=True))


def _row_problems(
    where: str, header: list[str], cells: list[str], groups: Collection[str], owners: dict[str, str]
) -> Iterator[Problem]:
    if len(cells) != len(header):
        yield Problem(where, f"{len(cells)} cells", f"{len(header)}: {','.join(header)}")
        return
    row = _row(header, cells)
    if not row["name"]:
        yield Problem(f"{where}, name", "nothing", "a name")
    if row["country"] and not _COUNTRY.fullmatch(row["country"].upper()):
        yield Problem(
            f"{where}, country", row["country"][:60], "a code of two letters such as MX, or nothing"
        )
    if row["group"] and row["group"].casefold() not in groups:
        yield Problem(f"{where}, group", row["group"][:60], "one of " + ", ".join(sorted(groups)))
    if row["attendance"].casefold() not in ("", "room", "remote"):
        yield Problem(f"{where}, attendance", row["attendance"][:60], "room, remote or nothing")
    for account in _accounts(row["accounts"]):
        if not _ACCOUNT.fullmatch(account):
            expected = f"source:account, such as x:@ana; sources are {', '.join(SOURCE_LABELS)}"
            yield Problem(f"{where}, accounts", account[:60], expected)
        elif (owner := owners.setdefault(account.casefold(), where)) != where:
            yield Problem(f"{where}, accounts", account[:60], f"each account once; it is in {owner} already")


def _accounts(cell: str) -> tuple[str, ...]:
    return tuple(part for part in _BETWEEN.split(cell) if part)


def _participant(row: dict[str, str]) -> Participant:
    attendance: Any = row["attendance"].casefold() or None
    return Participant(
        name=row["name"],
        country=row["country"].upper() or None,
        group=row["group"].casefold() or None,
        attendance=attendance,
        accounts=_accounts(row["accounts"]),
    )
