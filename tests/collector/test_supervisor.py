"""Real processes: started together, ended together, none left."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from collector.supervisor import Child, ChildFailed, supervise

ROOT = Path(__file__).parents[2]
WAIT = "import threading; threading.Event().wait()"
PATIENCE = 20.0  # seconds
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {WAIT}"
PARENT = (
    f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {WAIT!r}]);"
    "print(child.pid, flush=True); child.wait()"
)


@pytest.fixture
def child(tmp_path):
    def make(code, name="child", **more):
        return Child(name, [sys.executable, "-c", code], tmp_path / f"{name}.log", **more)

    return make


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def gone(pid):
    """Does the process end? A killed one takes a moment, on a busy machine some more."""
    pause, limit = threading.Event(), time.monotonic() + PATIENCE
    while alive(pid):
        if time.monotonic() > limit:
            return False
        pause.wait(0.02)
    return True


class StopWhen:
    """Sets ``stop`` as soon as something has been said, by way of tick."""

    def __init__(self, *logs):
        self.logs, self.stop = logs, threading.Event()

    def tick(self):
        if all(log.exists() and log.read_text() for log in self.logs):
            self.stop.set()


def test_all_end_when_stopped(child):
    children = [child(PARENT, "one"), child(PARENT, "two")]
    when = StopWhen(*(each.log for each in children))
    supervise(children, when.stop, tick=when.tick)
    for each in children:
        assert gone(int(each.log.read_text()))


def test_one_that_does_not_listen_is_killed(child):
    stubborn = child(STUBBORN)
    when = StopWhen(stubborn.log)
    supervise([stubborn], when.stop, tick=when.tick, grace=0.3)


def test_a_dead_child_is_reported_and_ends_the_rest(child):
    lasting = child(PARENT, "lasting")
    dying = child("import sys; sys.exit('the reason')", "tagger")
    with pytest.raises(ChildFailed, match=r"the tagger ended with exit code 1[\s\S]*the reason"):
        supervise([lasting, dying], threading.Event())
    said = lasting.log.read_text()
    assert not said or gone(int(said))


def test_one_that_was_killed_is_reported(child):
    with pytest.raises(ChildFailed, match=r"signal 9[\s\S]*\(none\)"):
        supervise([child("import os; os.kill(os.getpid(), 9)")], threading.Event())


def test_one_that_may_end_may_end(child, tmp_path):
    done = tmp_path / "done"
    stop = threading.Event()
    ends = child(f"import pathlib; pathlib.Path({str(done)!r}).touch()", may_end=True)

    def tick():
        if done.exists():
            stop.set()

    supervise([ends], stop, tick=tick)
    failing = child("raise SystemExit(3)", may_end=True)
    with pytest.raises(ChildFailed, match="exit code 3"):
        supervise([failing], threading.Event())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_none_outlives_a_supervisor_that_is_killed(tmp_path):
    log = tmp_path / "child.log"
    child = f"import os; print(os.getpid(), flush=True); {WAIT}"
    code = (
        "import sys, threading; from pathlib import Path; from collector.supervisor import *;"
        f"child = Child('child', [sys.executable, '-c', {child!r}], Path({str(log)!r}));"
        "supervise([child], threading.Event())"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    pause = threading.Event()
    while not (log.exists() and log.read_text().endswith("\n")):
        pause.wait(0.05)
    pid = int(log.read_text())
    os.kill(supervisor.pid, signal.SIGKILL)
    supervisor.wait()
    assert gone(pid), "the child outlived its supervisor"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_one_whose_supervisor_is_gone_before_it_begins_does_not_begin(child, tmp_path, monkeypatch):
    monkeypatch.setattr("collector.supervisor.os.getpid", lambda: 0)  # nobody's
    begun = tmp_path / "begun"
    with pytest.raises(ChildFailed, match="exit code 1"):
        supervise([child(f"open({str(begun)!r}, 'w')")], threading.Event())
    assert not begun.exists()


def test_what_dies_is_started_again_and_says_so(child, tmp_path):
    mark = tmp_path / "times"
    code = f"open({str(mark)!r}, 'a').write('x'); import os; os.kill(os.getpid(), 9)"
    told = []
    stop = threading.Event()

    def tick():
        if len(told) == 3:
            stop.set()

    dying, steady = child(code, "dying", restarts=True), child(WAIT, "steady")
    supervise([dying, steady], stop, tick=tick, told=told.append, pauses=(0.01, 0.02))
    assert len(mark.read_text()) == 3
    assert [text.split(";")[0] for text in told] == ["the dying was ended by signal 9"] * 3
    assert ["0.01 s" in told[0], "0.02 s" in told[1], "0.02 s" in told[2]] == [True, True, True]


def test_what_no_repetition_mends_is_not_started_again(child):
    hopeless = child("import sys; print('no such file'); sys.exit(2)", "hopeless", restarts=True)
    with pytest.raises(ChildFailed, match=r"exit code 2.*\n.*no such file"):
        supervise([hopeless], threading.Event())


def test_one_that_cannot_be_started_again_now_is_tried_later(child, monkeypatch):
    from collector import supervisor

    begin, failures = supervisor._spawn, [OSError(12, "Cannot allocate memory")]

    def spawn(*arguments):
        if told and failures:
            raise failures.pop()
        return begin(*arguments)

    told = []
    stop = threading.Event()
    monkeypatch.setattr(supervisor, "_spawn", spawn)

    def tick():
        if len(told) == 3:
            stop.set()

    dying = child("import os; os.kill(os.getpid(), 9)", "dying", restarts=True)
    supervise([dying], stop, tick=tick, told=told.append, pauses=(0.01, 0.02))
    assert "could not be started (Cannot allocate memory)" in told[1]
    assert "was ended by signal 9" in told[2]
