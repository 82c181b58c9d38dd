"""Several processes under one roof: started together, ended together, none left behind.

Each runs in a session of its own, so that Ctrl-C reaches the supervisor alone, which then ends them in
order. On Linux the kernel ends them too if the supervisor itself is killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from archive.errors import BackchannelError

GRACE = 8.0  # seconds between asking a process to end and making it
TICK = 0.2
_LOG_TAIL = 2_000
_PR_SET_PDEATHSIG = 1


class ChildFailed(BackchannelError):
    """A process ended although the others need it."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process to run. ``may_end`` where ending with success is no failure; what it says goes to ``log``."""

    name: str
    command: Sequence[str]
    log: Path
    may_end: bool = False


def supervise(
    children: Sequence[Child],
    stop: threading.Event,
    *,
    tick: Callable[[], None] = lambda: None,
    grace: float = GRACE,
) -> None:
    """Run the children until ``stop`` is set, then end them all; also when one of them fails.

    ``tick`` is called a few times a second. Raises ``ChildFailed`` with the last words of the one that
    ended by itself.
    """
    running: list[tuple[Child, subprocess.Popen[bytes]]] = []
    try:
        for child in children:
            with child.log.open("wb") as log:
                running.append((child, _start(child, log)))
        while not stop.wait(TICK):
            for child, process in running:
                code = process.poll()
                if code is not None and not (code == 0 and child.may_end):
                    raise ChildFailed(_last_words(child, code))
            tick()
    finally:
        end([process for _, process in running], grace)


def end(processes: Sequence[subprocess.Popen[bytes]], grace: float) -> None:
    """Ask every process and its offspring to end, wait ``grace`` seconds in all, then kill."""
    for process in processes:
        _signal(process, signal.SIGTERM)
    deadline = threading.Event()
    timer = threading.Timer(grace, deadline.set)
    timer.start()
    try:
        while any(process.poll() is None for process in processes) and not deadline.wait(0.05):
            pass
    finally:
        timer.cancel()
        for process in processes:
            _signal(process, signal.SIGKILL)
            process.wait()


def _start(child: Child, log: BinaryIO) -> subprocess.Popen[bytes]:
    # The library is looked up before the fork: after it only the plainest calls are safe.
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    return subprocess.Popen(
        child.command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=(lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)) if prctl else None,
    )


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The group outlives its leader while anything of it runs.
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _last_words(child: Child, code: int) -> str:
    said = child.log.read_bytes()[-_LOG_TAIL:].decode("utf-8", "replace").strip()
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return f"the {child.name} {how}, so everything was stopped. Its last words:\n{said or '(none)'}"
