"""The meeting file: ``meeting.toml`` read, checked and turned into a ``Meeting``.

Whatever is wrong with it is said at once, each mistake with its line, the field, what was found and
what is allowed. Local times become UTC here and nowhere else.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from archive import roster
from archive.errors import MeetingFileError, Problem
from archive.meeting_checks import cross_check
from archive.meeting_tables import REPEATED, SINGLE, SOURCE_DEFAULTS, Table
from archive.toml_lines import Place, line_numbers, nearest
from archive.vocabulary import GROUPS, Attendance, Meeting, Participant, Session, SourceSpec, Theme

FILE_NAME = "meeting.toml"
MAX_BYTES = 1_000_000
#: Arm of a source that does not name one.
ARMS_BY_KIND = {"folder": "remote", "webhook": "remote"}

_TOO_DOTTED = re.compile(r"^[ \t\[]*[\w\"'-]+(?:[ \t]*\.[ \t]*[\w\"'-]+){50}", re.MULTILINE)

Tables = dict[str, list[Table]]
Found = tuple[Place, Problem]


def load(path: Path) -> Meeting:
    """The meeting of a meeting file or of the folder that holds it.

    Raises ``MeetingFileError`` with every mistake in it, those of its roster included.
    """
    path = Path(path)
    if path.is_dir():
        path = path / FILE_NAME
    source = _read(path)
    data = _parse(path, source)
    places = line_numbers(source)
    tables, found = _check_tables(data)
    found += cross_check(tables)
    people, roster_problems = _roster(path, tables)
    found += [(("participants", "roster"), problem) for problem in roster_problems]
    if found:
        problems = [replace(problem, line=nearest(places, place)) for place, problem in found]
        raise MeetingFileError(path, sorted(problems, key=lambda problem: problem.line or 0))
    return _build(tables, people)


def to_definition(meeting: Meeting) -> dict[str, Any]:
    """The meeting as JSON-able values, as the archive keeps it."""
    definition: dict[str, Any] = _adapter().dump_python(meeting, mode="json")
    return definition


def from_definition(definition: Mapping[str, Any]) -> Meeting:
    """The meeting behind ``to_definition``. Raises ``ValueError`` where it is none."""
    meeting = _adapter().validate_json(json.dumps(definition))
    return replace(
        meeting,
        starts=meeting.starts.astimezone(UTC),
        ends=meeting.ends.astimezone(UTC),
        sessions=tuple(
            replace(session, starts=session.starts.astimezone(UTC), ends=session.ends.astimezone(UTC))
            for session in meeting.sessions
        ),
        alerts=tuple(meeting.alerts),
    )


def warnings(meeting: Meeting) -> list[str]:
    """What is allowed and yet probably not meant: one sentence each."""
    said = [
        f"session {session.slug} lies outside the meeting ({meeting.starts:%Y-%m-%d %H:%M} to"
        f" {meeting.ends:%Y-%m-%d %H:%M} UTC): set starts and ends of [meeting] around it"
        for session in meeting.sessions
        if session.starts < meeting.starts or session.ends > meeting.ends
    ]
    if not meeting.themes:
        said.append("there are no [[themes]]: posts will be tagged by language, sentiment and question only")
    said += [
        f"theme {theme.slug} has neither keywords nor a description: only its title tells what it is about"
        for theme in meeting.themes
        if not theme.keywords and not theme.description
    ]
    return said


@functools.cache
def _adapter() -> TypeAdapter[Meeting]:
    return TypeAdapter(Meeting)


def _read(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            _fail(path, "no ordinary file", "a meeting file or its folder")
        if path.stat().st_size > MAX_BYTES:
            _fail(path, "more than 1 MB", "a meeting file is a short text; is this an archive?")
        source = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        _fail(path, f"nothing at {path}", "write one with: backchannel init FOLDER")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        _fail(path, "bytes that are no text in UTF-8", "save the file as UTF-8", line)
    except OSError as error:
        _fail(path, error.strerror or "an error", "a file that can be read")
    if not source.strip():
        _fail(path, "an empty file", "write one with: backchannel init FOLDER")
    return source.replace("\r\n", "\n")


def _parse(path: Path, source: str) -> dict[str, Any]:
    try:
        if _TOO_DOTTED.search(source):  # tomllib would need the square of its length
            raise RecursionError
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        what, _, where = str(error).rpartition(" (at ")
        words = where.replace(",", "").split()
        at_end = source.rstrip().count("\n") + 1
        line = int(words[1]) if len(words) > 1 and words[1].isdigit() else at_end
        _fail(path, what or str(error), "the file must be TOML: key = value, text in quotes", line)
    except RecursionError:
        _fail(path, "tables within tables, too deep", "the file must be TOML")
    except ValueError:  # Python's limit
        _fail(path, "a number with thousands of digits", "a smaller number")


def _fail(path: Path, found: str, expected: str, line: int | None = None) -> NoReturn:
    raise MeetingFileError(path, [Problem("the file", found, expected, line)])


def _check_tables(data: Mapping[str, Any]) -> tuple[Tables, list[Found]]:
    tables: Tables = {}
    found: list[Found] = []
    for name, value in data.items():
        if name not in SINGLE and name not in REPEATED:
            found.append(_unknown((name,), name, name, [*SINGLE, *REPEATED]))
        elif name in SINGLE and isinstance(value, dict):
            tables[name] = [_check(SINGLE[name], value, (name,), name, found)]
        elif name in REPEATED and _is_array_of_tables(value):
            tables[name] = [
                _check(REPEATED[name], item, (name, index), f"{name} {index + 1}", found)
                for index, item in enumerate(value)
            ]
        else:
            header = f"[{name}]" if name in SINGLE else f"[[{name}]]"
            found.append(((name,), Problem(name, _show(value), f"a table that begins with {header}")))
    if "meeting" not in data:
        expected = "a table [meeting] with " + ", ".join(SINGLE["meeting"].required)
        found.append((("meeting",), Problem("meeting", "nothing", expected)))
    return tables, found


def _is_array_of_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _check(model: type[Table], value: dict[str, Any], place: Place, label: str, found: list[Found]) -> Table:
    """The table with its good fields; what is wrong with the others is added to ``found``."""
    try:
        table = model.model_validate(value)
    except ValidationError as error:
        bad: set[str] = set()
        for detail in error.errors(include_url=False, include_context=False):
            key = str(detail["loc"][0])
            bad.add(key)
            found.append(_mistake(model, value, place, label, key, detail["loc"]))
        table = model.model_validate({key: item for key, item in value.items() if key not in bad})
    for key in model.required:
        if key not in value:
            problem = Problem(f"{label}.{key}", "nothing", _allowed(model, key))
            found.append((place, problem))
    return table


def _mistake(
    model: type[Table], value: dict[str, Any], place: Place, label: str, key: str, loc: Sequence[int | str]
) -> Found:
    if key not in model.model_fields:
        return _unknown((*place, key), f"{label}.{key}", key, list(model.model_fields))
    shown: Any = value
    for step in loc:
        if step == "[key]":
            shown = loc[loc.index("[key]") - 1]
            break
        shown = shown[step]
    # What stands in place of a variable's name may be the secret itself.
    text = "something that is no such name" if key.endswith("_env") else _show(shown)
    return (*place, key), Problem(f"{label}.{key}", text, _allowed(model, key))


def _allowed(model: type[Table], key: str) -> str:
    return f"allowed is {model.model_fields[key].description}"


def _unknown(place: Place, label: str, key: str, known: Sequence[str]) -> Found:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return place, Problem(label, "an unknown key", f"{hint}allowed are {', '.join(known)}")


def _show(value: object) -> str:
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, dict):
        text = f"a table with {', '.join(value) or 'nothing in it'}"
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, list):
        text = f"[{', '.join(_show(item) for item in value)}]"
    else:
        text = str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def _roster(path: Path, tables: Tables) -> tuple[tuple[Participant, ...], list[Problem]]:
    file = _fields(tables, "participants").get("roster")
    if file is None:
        return (), []
    groups = {group.casefold() for group in _fields(tables, "attendance").get("by_group", {})}
    return roster.read(path.parent / file, groups.union(GROUPS))


def _fields(tables: Tables, name: str) -> dict[str, Any]:
    return _values(tables[name][0]) if name in tables else {}


def _values(table: Table) -> dict[str, Any]:
    values: dict[str, Any] = _frozen(table.model_dump(exclude_none=True))
    return values


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value


def _build(tables: Tables, people: tuple[Participant, ...]) -> Meeting:
    fields = _fields(tables, "meeting")
    zone = ZoneInfo(fields["timezone"])
    moderation = {"show": "approved", "block": (), "allow": (), **_fields(tables, "moderation")}
    return Meeting(
        **_in_utc(fields, zone),
        attendance=Attendance(**_fields(tables, "attendance")),
        themes=tuple(Theme(**_values(table)) for table in tables.get("themes", [])),
        sessions=tuple(Session(**_in_utc(_values(table), zone)) for table in tables.get("sessions", [])),
        sources=tuple(_sources(tables)),
        participants=people,
        moderation=_plain(moderation),
        alerts=tuple(_plain(_values(table)) for table in tables.get("alerts", [])),
        **_fields(tables, "privacy"),
    )


def _in_utc(fields: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    return {**fields, "starts": _utc(fields["starts"], zone), "ends": _utc(fields["ends"], zone)}


def _utc(moment: datetime, zone: ZoneInfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _sources(tables: Tables) -> Iterator[SourceSpec]:
    values = [_values(table) for table in tables.get("sources", [])]
    taken = {fields["name"] for fields in values if "name" in fields}
    for fields in values:
        kind = fields.pop("kind")
        name = fields.pop("name", None) or _free_name(kind, taken)
        taken.add(name)
        arm = fields.pop("arm", ARMS_BY_KIND.get(kind, "public"))
        settings = _plain({**SOURCE_DEFAULTS[kind], **fields})
        yield SourceSpec(kind=kind, name=name, arm=arm, settings=settings)


def _free_name(kind: str, taken: set[str]) -> str:
    name, number = kind, 1
    while name in taken:
        number += 1
        name = f"{kind}-{number}"
    return name


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """JSON-able values, so that a meeting comes out of its archive as it went in."""
    plain: dict[str, Any] = json.loads(json.dumps(fields, default=str))
    return plain
