"""What users can see is described in docs/; each failure names what is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer
from sqlite_utils import Database

import backchannel
from analysis.measures import measures
from archive.export_tables import POST_COLUMNS
from archive.filters import Filters
from archive.meeting_tables import REPEATED, SINGLE
from archive.reading import open_readonly
from archive.schema import migrations
from archive.store import Archive
from collector.importers import IMPORTERS

DOCS = Path(__file__).parent.parent / "docs"
COMMANDS = typer.main.get_command(backchannel.app).commands  # type: ignore[attr-defined]
#: Kept by SQLite and sqlite-utils themselves.
INTERNAL = re.compile(r"sqlite_|_sqlite_|posts_fts_")


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """The part of a document below a heading, up to the next of the same level."""
    level = heading.split()[0]
    _, _, rest = text(name).partition(f"\n{heading}\n")
    return rest.partition(f"\n{level} ")[0]


@pytest.fixture(scope="module")
def tables() -> dict[str, list[str]]:
    db = Database(memory=True)
    migrations.apply(db)
    names = [name for name in [*db.table_names(), *db.view_names()] if not INTERNAL.match(name)]
    found = {
        name: [row[1] for row in db.execute(f"SELECT * FROM pragma_table_info('{name}')")] for name in names
    }
    db.close()
    return found


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_and_option_is_documented(name: str) -> None:
    described = section("command-line.md", f"## {name}")
    assert described, f"docs/command-line.md has no section: ## {name}"
    if "| filters |" in described:
        described += section("command-line.md", "## Filters")
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "argument":
            continue
        for option in (*parameter.opts, *parameter.secondary_opts):
            known = option == "--help" or re.search(rf"`{option}[ `]", described)
            assert known, f"docs/command-line.md, ## {name}: {option} is missing"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_and_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert f"backchannel {name}" in command.help, f"{name}: --help shows no example"
    for parameter in command.params:
        assert parameter.help, f"{name} {parameter.name}: --help says nothing of it"


def test_every_table_and_column_is_documented(tables: dict[str, list[str]]) -> None:
    for table, columns in tables.items():
        described = section("archive.md", f"### {table}")
        assert described, f"docs/archive.md has no section: ### {table}"
        for column in columns:
            assert f"| `{column}` |" in described, f"docs/archive.md, ### {table}: {column} is missing"


def test_datasette_knows_every_table_and_column(tables: dict[str, list[str]]) -> None:
    described = json.loads(text("datasette.json"))["databases"]["MEETING"]["tables"]
    assert {name: sorted(table["columns"]) for name, table in described.items()} == {
        name: sorted(columns) for name, columns in tables.items()
    }


def test_every_measure_is_documented(archive: Archive) -> None:
    described = text("measures.md")
    with_path = archive.path
    conn = open_readonly(with_path)
    try:
        for key in measures(conn, Filters()):
            assert f"`{key}`" in described, f"docs/measures.md: {key} is missing"
    finally:
        conn.close()


def test_every_column_of_an_export_is_documented() -> None:
    described = section("command-line.md", "## export")
    for column in POST_COLUMNS:
        assert f"`{column}`" in described, f"docs/command-line.md, ## export: {column} is missing"


def test_every_format_is_documented() -> None:
    described = text("importing.md")
    for importer in IMPORTERS:
        line = re.search(rf"^\| `{importer.NAME}` \|.*$", described, re.MULTILINE)
        assert line, f"docs/importing.md: the format {importer.NAME} is missing"
        assert ("**no**" in line[0]) is not importer.TRIED, f"docs/importing.md: is {importer.NAME} tried?"


@pytest.mark.parametrize("name", [*SINGLE, *REPEATED])
def test_every_key_of_the_meeting_file_is_documented(name: str) -> None:
    header = f"[{name}]" if name in SINGLE else f"[[{name}]]"
    line = next(line for line in text("first-meeting.md").splitlines() if line.startswith(f"| `{header}`"))
    for key in {**SINGLE, **REPEATED}[name].model_fields:
        assert f"`{key}`" in line or f"`{key} =" in line, f"docs/first-meeting.md, {header}: {key} is missing"


def test_links_between_documents_lead_somewhere() -> None:
    for path in (*DOCS.glob("*.md"), DOCS.parent / "README.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            if target != "docs/screenshot.png":  # made by the running demo
                assert (path.parent / target).exists(), f"{path.name}: {target} is not there"
