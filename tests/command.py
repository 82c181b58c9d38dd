"""What a command said: for the tests of the command line."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)
