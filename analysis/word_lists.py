"""Files of words that are shipped in ``data/``: a missing or damaged one is told as that, with what to do.

Nothing is tagged without them, as without a model: the error is the same, and never a post's fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from analysis.sentiment_model import ModelError

Parsed = TypeVar("Parsed")


def load(path: Path, what: str, parse: Callable[[str], Parsed]) -> Parsed:
    """What ``parse`` makes of a file's text; ``what`` names it in messages. Raises ModelError."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path.name}: the {what} are missing; install Backchannel again") from error
    except (OSError, ValueError, re.error) as error:
        why = f"{path.name}: the {what} are damaged ({_in_a_line(error)})"
        raise ModelError(f"{why}; install Backchannel again") from error


def _in_a_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return ": ".join((*map(str, first["loc"]), first["msg"]))
    return str(error)
