"""``make train``: ``python -m training [NAME…]`` trains the models named, all of them when none is.

Offline and with fixed seeds, from the labelled posts of BACKCHANNEL_TEST_DATA (default
``../shared/data``) alone. Each module of MODELS has ``train()``, which writes a model and its card.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from archive.errors import BackchannelError

#: In the order in which they are trained: later ones may lean on earlier ones.
MODELS = {
    "language": "training.language",
    "themes": "training.themes",
    "sentiment": "training.sentiment",
    "accurate": "training.accurate",
    "questions": "training.questions",
    "logistics": "training.logistics",
}


def main(arguments: Sequence[str]) -> int:
    """Train; returns the exit code. Progress goes to stderr."""
    unknown = [name for name in arguments if name not in MODELS]
    if unknown:
        sys.stderr.write(f"{', '.join(unknown)}: there are {', '.join(MODELS)}\n")
        return 2
    for name, module in MODELS.items():
        if not arguments or name in arguments:
            sys.stderr.write(f"{name} …\n")
            try:
                import_module(module).train()
            except BackchannelError as error:
                sys.stderr.write(f"{error}\n")
                return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
