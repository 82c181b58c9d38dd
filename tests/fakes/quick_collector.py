"""``backchannel collect`` in a process of its own, with waits short enough for a test.

The very command, but for its patience: python -m tests.fakes.quick_collector MEETING [options of collect]
"""

from __future__ import annotations

import sys
from dataclasses import replace

import backchannel
from collector import loop
from collector.pace import Pace

QUICK = Pace(broken=(0.05, 0.5), unusable=(0.1, 1.0), limited=(0.5, 2.0), probe=1.0, healthy=1.0)


def main() -> None:
    """Run the command with ``QUICK``."""
    settings = loop.Settings
    loop.Settings = lambda **fields: replace(settings(**fields), pace=QUICK)  # type: ignore[assignment,misc]
    backchannel.main(["collect", *sys.argv[1:]])


if __name__ == "__main__":
    main()
