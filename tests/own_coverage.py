"""How much of each module its own test file covers, found out in the one run of all tests.

Switched on by ``pytest -p tests.own_coverage``, as ``make test`` does. Every line remembers the test
files that ran it; what runs while modules are imported counts for all. The last test of the run, in
``tests/test_house.py``, asks for the shares.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("archive", "collector", "analysis", "views", "data")
LAST = "test_every_module_is_covered_by_its_own_test_file"
MEASURING = pytest.StashKey[coverage.Coverage]()
IMPORTING = ""  # the context of everything before the first test


def modules() -> Iterator[Path]:
    """The modules that need a test file: all but packages that only list."""
    found = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    for path in (*found, ROOT / "backchannel.py", ROOT / "dashboard.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "__init__.py" or "\ndef " in text:
            yield path.relative_to(ROOT)


def home(module: Path) -> Path:
    """Where the tests of a module belong; those of a package in its folder or beside it."""
    if module.name != "__init__.py":
        return Path("tests", module.parent, f"test_{module.stem}.py")
    beside = Path("tests", module.parent.parent, f"test_{module.parent.name}.py")
    return beside if (ROOT / beside).is_file() else Path("tests", module.parent, "test_init.py")


def shares(measuring: coverage.Coverage) -> dict[Path, float]:
    """For each module the share of its statements that its own test file runs."""
    data = measuring.get_data()
    found = {}
    for module in modules():
        _, statements, _, _, _ = measuring.analysis2(str(ROOT / module))
        contexts = data.contexts_by_lineno(str(ROOT / module))
        own = {IMPORTING, str(home(module))}
        covered = sum(not own.isdisjoint(contexts.get(line, ())) for line in statements)
        found[module] = covered / len(statements) if statements else 1.0
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before the first module of ours is imported."""
    measuring = coverage.Coverage(
        data_file=None,
        config_file=False,
        source=[str(ROOT / room) for room in ROOMS] + [str(ROOT)],
        omit=[str(ROOT / name / "*") for name in ("tests", "bench", "training", ".venv")],
    )
    measuring.exclude(r"if TYPE_CHECKING:")
    measuring.exclude(r'if __name__ == "__main__":')
    measuring.start()
    early_config.stash[MEASURING] = measuring


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The test that asks for the shares comes last."""
    items.sort(key=lambda item: item.name == LAST)


def pytest_collection_finish() -> None:
    """Import every module now, so that its definitions count whoever needs it first."""
    for module in modules():
        if module.name != "dashboard.py" and module.stem != "__main__":
            parts = module.parent.parts if module.name == "__init__.py" else module.with_suffix("").parts
            importlib.import_module(".".join(parts))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What runs from here on is this test file's."""
    measuring = item.config.stash[MEASURING]
    measuring.switch_context(str(item.path.relative_to(ROOT)))
