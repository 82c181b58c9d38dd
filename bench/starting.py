"""How long a command takes to answer ``--help``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from bench.figures import Figure
from bench.importing import CHILD


def run(*, rounds: int = 7) -> list[Figure]:
    """Median wall seconds, beside a bare interpreter in turn with it."""
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(_wall([sys.executable, "-c", CHILD, "--help"]))
        bare.append(_wall([sys.executable, "-c", "import typer, rich"]))
    return [
        Figure(
            "`backchannel --help`",
            statistics.median(ours),
            "s",
            0.4,
            0.2,
            False,
            statistics.median(bare),
            "an interpreter that imports Typer and rich",
            0.3,
        )
    ]


def _wall(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
