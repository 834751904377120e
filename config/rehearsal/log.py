"""What was sent, a JSON object a line, as whoever sent it knows it.

A `team` entry names a merchant and its members; a `click` says who clicked which listing where,
when its answer was back, what it should count as and the click id the shop was given; a
`delivery` has what a shop posted and which listing each of its lines means.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


class Log:
    """Appends entries to a file, so that what was sent is known even if the next step fails."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_text("", encoding="utf-8")

    def write(self, what: str, **said: Any) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"what": what, **said}) + "\n")


def read_log(path: Path) -> Iterator[Entry]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
