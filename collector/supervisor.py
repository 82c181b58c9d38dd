"""Several processes under one roof: started together, ended together, none left behind.

Each runs in a session of its own, so that Ctrl-C reaches the supervisor alone, which then ends them in
order. On Linux the kernel ends them too if the supervisor itself is killed. One that dies is started again
where that can help, after a pause that grows.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from archive.errors import BackchannelError

GRACE = 8.0  # seconds between asking a process to end and making it
TICK = 0.2
PAUSES = (0.5, 30.0)  # seconds before a process is started again: the first time, and at most
HEALTHY = 60.0  # seconds that a process ran after which its next end is the first again
_HOPELESS = 2  # the exit code of what no repetition mends: usage, the meeting file
_LOG_TAIL = 2_000
_PR_SET_PDEATHSIG = 1


class ChildFailed(BackchannelError):
    """A process ended although the others need it."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process to run; what it says goes to ``log``.

    ``may_end`` where ending with success is no failure; ``restarts`` where it is started again if it dies.
    """

    name: str
    command: Sequence[str]
    log: Path
    may_end: bool = False
    restarts: bool = False


def supervise(
    children: Sequence[Child],
    stop: threading.Event,
    *,
    tick: Callable[[], None] = lambda: None,
    grace: float = GRACE,
    told: Callable[[str], None] = lambda text: None,
    pauses: tuple[float, float] = PAUSES,
) -> None:
    """Run the children until ``stop`` is set, then end them all; also when one of them fails for good.

    ``tick`` is called a few times a second; ``told`` gets a sentence whenever one dies and is started again.
    Raises ``ChildFailed`` with the last words of the one that ended by itself.
    """
    running: list[_Running] = []
    try:
        for child in children:
            running.append(_Running(child, _start(child, fresh=True)))
        while not stop.wait(TICK):
            for each in running:
                each.look(pauses, told)
            tick()
    finally:
        end([each.process for each in running], grace)


@dataclass(slots=True)
class _Running:
    """A child's present process, and how often it died lately."""

    child: Child
    process: subprocess.Popen[bytes]
    deaths: int = 0
    began: float = field(default_factory=time.monotonic)
    again_at: float | None = None

    def look(self, pauses: tuple[float, float], told: Callable[[str], None]) -> None:
        """See whether it still runs; start it again when its pause is over. Raises ChildFailed."""
        now = time.monotonic()
        if self.again_at is not None:
            if now >= self.again_at:
                self._start_again(now, pauses, told)
            return
        code = self.process.poll()
        if code is None or (code == 0 and self.child.may_end):
            return
        if not self.child.restarts or code == _HOPELESS:
            raise ChildFailed(_last_words(self.child, code))
        _signal(self.process, signal.SIGKILL)  # what it started must not go on beside its successor
        if now - self.began > HEALTHY:
            self.deaths = 0
        self._wait(_how(code), now, pauses, told)

    def _start_again(self, now: float, pauses: tuple[float, float], told: Callable[[str], None]) -> None:
        try:
            self.process = _start(self.child, fresh=False)
        except OSError as error:  # no memory, no process, no file to be had now: later perhaps
            self._wait(f"could not be started ({error.strerror or error})", now, pauses, told)
        else:
            self.again_at, self.began = None, now

    def _wait(self, how: str, now: float, pauses: tuple[float, float], told: Callable[[str], None]) -> None:
        """Let a pause pass that is longer after each death."""
        self.deaths += 1
        first, longest = pauses
        pause = min(longest, first * 2 ** min(self.deaths - 1, 30))
        self.again_at = now + pause
        told(f"the {self.child.name} {how}; it is started again in {pause:g} s (see {self.child.log})")


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


def _start(child: Child, *, fresh: bool) -> subprocess.Popen[bytes]:
    with child.log.open("wb" if fresh else "ab") as log:
        return _spawn(child, log)


def _spawn(child: Child, log: BinaryIO) -> subprocess.Popen[bytes]:
    # The library is looked up before the fork: after it only the plainest calls are safe.
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    parent = os.getpid()

    def tie() -> None:
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # which was killed before the kernel knew of the wish
                os._exit(1)

    return subprocess.Popen(
        child.command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=tie if prctl else None,
    )


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    # The group outlives its leader while anything of it runs.
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _last_words(child: Child, code: int) -> str:
    said = child.log.read_bytes()[-_LOG_TAIL:].decode("utf-8", "replace").strip()
    return f"the {child.name} {_how(code)}, so everything was stopped. Its last words:\n{said or '(none)'}"


def _how(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
