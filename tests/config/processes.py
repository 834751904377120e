"""What runs on this machine, from /proc; a zombie nobody collects counts as gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    session: int
    command: str


def living() -> dict[int, Process]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (process := _read(folder)) is not None:
            found[process.pid] = process
    return found


def alive(pid: int) -> bool:
    return _read(Path(f"/proc/{pid}")) is not None


def wait_for(true: Callable[[], bool], *, within_seconds: float = 60.0) -> None:
    """Wait until it is true; the time only ends a test that fails, on a machine that is busy."""
    until = time.monotonic() + within_seconds
    while not true():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.02)


def _read(folder: Path) -> Process | None:
    try:
        # The command in brackets may itself hold brackets and spaces.
        state, parent, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (OSError, ValueError):
        return None
    if state in "ZX":
        return None
    return Process(int(folder.name), int(parent), int(session), command.strip())
