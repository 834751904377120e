"""Child processes that end with their parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
LAST_LINES = 12


class EmbeddedError(Exception):
    """Something the person at the terminal can put right; the message says what and how."""


@dataclass
class Child:
    """A running child: its name for people, its process, its log and the signal that ends it."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    asked_to_stop: bool = False

    @property
    def pid(self) -> int:
        return self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def ask_to_stop(self) -> None:
        # Once: some take the second signal for impatience.
        if self.running() and not self.asked_to_stop:
            self.asked_to_stop = True
            self.process.send_signal(self.stop_signal)

    def stop(self, *, within_seconds: float = 10.0) -> None:
        """Ask the child to end, wait, then end it and all that is left of its session."""
        self.ask_to_stop()
        try:
            self.process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
        # The child leads its own process group: what it started and did not end goes now.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def last_words(self, lines: int = LAST_LINES) -> str:
        """Return the last lines of the log, at most 16 kB."""
        try:
            with self.log.open("rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - 16 * 1024))
                text = log.read().decode(errors="replace")
        except OSError:
            return ""
        return "\n".join(text.rstrip().splitlines()[-lines:])


@dataclass
class Service:
    """A child others reach under `url`."""

    child: Child
    url: str

    def stop(self) -> None:
        self.child.stop()


def spawn(
    name: str,
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    death_signal: signal.Signals = signal.SIGTERM,
    user: tuple[int, int] | None = None,
    stdin: bytes = b"",
    on_terminal: bool = False,
) -> Child:
    """Start `argv` in its own session, output into `log`; `death_signal` comes if we die.

    Call it from the main thread: the kernel's death signal follows the thread that forked. `user`
    is (uid, gid) to run as when we are root; the child keeps root's right to pass closed folders.
    With `on_terminal` the output goes where ours goes, and `log` is the child's to write.
    """
    command = list(argv) if user is None else [*_as_user(user, death_signal), *argv]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=None if on_terminal else output,
            stderr=None if on_terminal else subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_dies_with_parent(death_signal),
        )
    if stdin and process.stdin is not None:
        # A child that ended at once is found by whoever waits for it to be ready.
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(stdin)
    return Child(name=name, process=process, log=log, stop_signal=stop_signal)


def run_to_end(
    name: str, argv: Sequence[str], *, log: Path, user: tuple[int, int] | None = None
) -> None:
    """Run `argv` to its end; raise EmbeddedError with its last words if it fails."""
    child = spawn(name, argv, log=log, env=plain_env(), user=user)
    if child.process.wait() != 0:
        raise EmbeddedError(failure(child))


def wait_until(ready: Callable[[], bool], child: Child, *, within_seconds: float) -> None:
    """Wait for `ready()`; raise EmbeddedError when the child ends or the time is up."""
    until = time.monotonic() + within_seconds
    while not ready():
        if not child.running():
            raise EmbeddedError(failure(child))
        if time.monotonic() > until:
            child.stop()
            raise EmbeddedError(
                f"{child.name} did not answer within {within_seconds:.0f} seconds. "
                f"Its log is {child.log}:\n{child.last_words()}"
            )
        time.sleep(0.02)


def failure(child: Child) -> str:
    """Say in a sentence why the child ended."""
    words = child.last_words()
    if "No space left on device" in words or ("could not write" in words and "space" in words):
        return disk_full(child.log.parent)
    if not words:
        return f"{child.name} ended by itself and wrote nothing into its log, {child.log}."
    return f"{child.name} ended by itself. Its log is {child.log} and ends with:\n{words}"


def disk_full(folder: Path) -> str:
    return f"The disk that holds {folder} is full. Free some space there and start again."


def plain_env() -> dict[str, str]:
    """Return an environment in which no PG* variable or locale of the caller changes a server."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR", "TZ") if key in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C"}


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent`, which forked it, ends; Linux only."""
    if ask := _dies_with_parent(signal.SIGKILL, parent=parent):
        ask()


def _dies_with_parent(
    death_signal: signal.Signals, *, parent: int | None = None
) -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    # Loaded before the fork: between fork and exec as little as possible may happen.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent, number = parent or os.getpid(), int(death_signal)

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # The parent died before the request; nobody would tell us.

    return ask_the_kernel


def _as_user(user: tuple[int, int], death_signal: signal.Signals) -> list[str]:
    """Return the command in front of one that root starts as another user.

    Changing the user clears the death signal, so setpriv asks for it again and a shell looks once
    more whether the parent is still there. dac_override lets the child pass folders that only root
    may enter (a project under /root); no_setuid_fixup keeps it across the change of user.
    """
    uid, gid = user
    return [
        "setpriv",
        f"--reuid={uid}",
        f"--regid={gid}",
        "--clear-groups",
        "--inh-caps=+dac_override",
        "--ambient-caps=+dac_override",
        "--securebits=+no_setuid_fixup",
        "--pdeathsig",
        death_signal.name,
        "--",
        "sh",
        "-c",
        f'[ "$PPID" = {os.getpid()} ] || exit 1; exec "$@"',
        "sh",
    ]
