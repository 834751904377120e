"""`manage.py demo`: the whole of Shoal as children of one supervisor.

The supervisor never loads Django: it starts before there is a database to talk to, and what it
knows of the site it asks the command `prepare_demo`. Children have their own sessions and die with
it, however it dies (config.embedded).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import errno
import fcntl
import http.client
import io
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TextIO

from config.embedded import Child, EmbeddedError, spawn, start_postgres, start_valkey
from config.embedded.processes import disk_full, failure
from config.sockets import UVICORN

PROJECT = Path(__file__).resolve().parent.parent
FREE_BYTES_MIN = 300 * 1024 * 1024
# What --fresh throws away; logs and the lock stay.
CONTENT = ("postgres", "postgres.half", "media", "mail", "static", "secrets.json", "seeding")
PREPARED_BUT_REFUSED = 3  # prepare_demo has said why on the terminal


class StopAsked(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal."""


def main(argv: list[str]) -> int:
    """Run the demo until it is asked to stop; return the exit code."""
    options = _parser().parse_args(argv)
    demo = Demo(folder=options.folder.resolve(), port=options.port, content=not options.empty)
    _listen_for_signals()
    for stream in (sys.stdout, sys.stderr):
        # Not every terminal knows every letter.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        with _lock(demo.folder):
            try:
                demo.start(fresh=options.fresh)
                if not options.check:
                    demo.watch()
            finally:
                _ignore_signals()
                demo.stop()
    except StopAsked:
        say("Stopped.")
        return 0
    except EmbeddedError as sentence:
        if str(sentence):
            say(f"\n{sentence}", to=sys.stderr)
        return 1
    except OSError as error:
        say(f"\n{_in_words(error, demo.folder)}", to=sys.stderr)
        return 1
    return 0


@dataclass
class Demo:
    """The children, in the order they were started."""

    folder: Path
    port: int
    content: bool = True
    children: list[Child] = field(default_factory=list)
    started_at: float = field(default_factory=time.monotonic)

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self, *, fresh: bool) -> None:
        self.logs.mkdir(exist_ok=True)
        ensure_port_free(self.port)
        ensure_space(self.folder)
        cut_short = (self.folder / "seeding").exists() and "DATABASE_URL" not in os.environ
        if cut_short:
            say("  The first start was cut short while it wrote its content; starting over.")
        if fresh or cut_short:
            self.throw_away_content()
        environment = self.environment()
        with step("PostgreSQL and Valkey"):
            environment |= self.start_services()
        self.prepare(environment)
        with step("Pages and sockets"):
            self.start_web(environment)
        self.start_work(environment)
        self.welcome()

    def environment(self) -> dict[str, str]:
        """Return the children's environment: the caller's, then what makes it a demo."""
        return {
            "SITE_URL": self.address,
            "MEDIA_ROOT": str(self.folder / "media"),
            "STATIC_ROOT": str(self.folder / "static"),
            "EMAIL_FILE_PATH": str(self.folder / "mail"),
            **_secrets(self.folder / "secrets.json"),
            **os.environ,
            "SHOAL_MODE": "demo",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONUNBUFFERED": "1",
        }

    def start_services(self) -> dict[str, str]:
        """Start what DATABASE_URL and REDIS_URL do not name; return the addresses."""
        addresses = {}
        if "DATABASE_URL" not in os.environ:
            postgres = start_postgres(self.folder, logs=self.logs)
            self.children.append(postgres.child)
            addresses["DATABASE_URL"] = postgres.url
        if "REDIS_URL" not in os.environ:
            valkey = start_valkey(self.folder / "valkey", logs=self.logs)
            self.children.append(valkey.child)
            addresses["REDIS_URL"] = valkey.url
        return addresses

    def prepare(self, environment: dict[str, str]) -> None:
        """Bring tables, content and static files up to date, in a process of its own."""
        child = spawn(
            "prepare_demo",
            [
                *(sys.executable, "manage.py", "prepare_demo", "--folder", str(self.folder)),
                *(() if self.content else ("--empty",)),
            ],
            log=self.logs / "prepare.log",
            env=environment | {"DATABASE_STATEMENT_TIMEOUT": "0"},
            cwd=PROJECT,
            death_signal=signal.SIGKILL,
            on_terminal=True,
        )
        self.children.append(child)
        while child.running():
            self.ensure_all_run(but=child)
            time.sleep(0.05)
        self.children.remove(child)
        if child.process.returncode == PREPARED_BUT_REFUSED:
            raise EmbeddedError
        if child.process.returncode != 0:
            raise EmbeddedError("Shoal's own commands do not run in this copy; see above why.")

    def start_web(self, environment: dict[str, str]) -> None:
        """Start the pages and sockets, and wait until they answer."""
        uvicorn = (
            *("uvicorn", "config.one_port:application", "--host", "127.0.0.1"),
            *("--port", str(self.port), *UVICORN),
            *("--timeout-graceful-shutdown", "3", "--log-level", "warning"),
        )
        self.run_module("The web process", "web.log", uvicorn, environment)
        while not answers(self.port):
            self.ensure_all_run()
            time.sleep(0.05)

    def start_work(self, environment: dict[str, str]) -> None:
        """Start the worker and the clock; nobody waits for them to open a page."""
        celery = ("celery", "-A", "config.celery")
        worker = (
            *("worker", "--queues", "default,links,insights,mail", "--concurrency", "1"),
            *("--without-gossip", "--without-mingle", "--loglevel", "info"),
        )
        beat = (
            *("beat", "--pidfile=", "--schedule", str(self.folder / "beat-schedule")),
            *("--loglevel", "info"),
        )
        self.run_module("The worker", "worker.log", (*celery, *worker), environment)
        self.run_module("The clock (beat)", "beat.log", (*celery, *beat), environment)

    def run_module(
        self, name: str, log: str, arguments: tuple[str, ...], environment: dict[str, str]
    ) -> None:
        child = spawn(
            name,
            [sys.executable, "-m", *arguments],
            log=self.logs / log,
            env=environment,
            cwd=PROJECT,
            death_signal=signal.SIGKILL,
        )
        self.children.append(child)

    def watch(self) -> None:
        while True:
            self.ensure_all_run()
            time.sleep(0.3)

    def ensure_all_run(self, *, but: Child | None = None) -> None:
        for child in self.children:
            if child is not but and not child.running():
                raise EmbeddedError(f"{failure(child)}\n\nEverything else is stopped too.")

    def stop(self) -> None:
        """End the children, newest first; those of the site all at once."""
        services = [child for child in self.children if child.name in ("PostgreSQL", "Valkey")]
        site = [child for child in self.children if child not in services]
        for child in site:
            child.ask_to_stop()
        for child in [*reversed(site), *reversed(services)]:
            child.stop(within_seconds=6)

    def throw_away_content(self) -> None:
        if "DATABASE_URL" in os.environ:
            raise EmbeddedError(
                "A fresh start empties the embedded database only, and DATABASE_URL names another. "
                "Empty that one yourself, then start without FRESH."
            )
        for name in CONTENT:
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def welcome(self) -> None:
        seconds = time.monotonic() - self.started_at
        say(f"\nShoal is at {self.address}   (ready in {seconds:.1f} s)\n")
        if how_to_sign_in := (self.folder / "welcome.txt").read_text(encoding="utf-8"):
            say(how_to_sign_in)
        say(f"What the site sends by e-mail is read at {self.address}/_mail/")
        say(f"Logs are in {self.logs}. Ctrl-C stops everything; your content stays.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="manage.py demo",
        description="Run Shoal with its own PostgreSQL and Valkey. DATABASE_URL and REDIS_URL, "
        "when set, replace them.",
    )
    parser.add_argument("--port", type=_port, default=8000, help="where to listen (8000)")
    parser.add_argument("--fresh", action="store_true", help="throw the demo's content away first")
    parser.add_argument("--empty", action="store_true", help="no members, threads and listings")
    parser.add_argument("--check", action="store_true", help="start, then stop at once")
    parser.add_argument(
        "--folder", type=Path, default=PROJECT / ".demo", help="where its content is kept (.demo)"
    )
    return parser


def _port(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return number


def say(text: str, *, to: TextIO | None = None, end: str = "\n") -> None:
    """Print; a terminal that is gone must not keep us from tidying up."""
    with contextlib.suppress(OSError, ValueError):
        print(text, file=to or sys.stdout, end=end, flush=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Say what is done now, and behind it how long it took."""
    began = time.monotonic()
    say(f"  {name:<40} ", end="")
    yield
    say(f"{time.monotonic() - began:5.1f} s")


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    """Keep the folder for ourselves; the kernel gives it back when we end, however we end."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise EmbeddedError(
                f"Another demo (process {lock.read().strip() or 'unknown'}) uses {folder}. "
                "Stop it, or start this one with its own folder and port: "
                "`manage.py demo --folder OTHER --port 8001`."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def ensure_port_free(port: int, *, within_seconds: float = 2.0) -> None:
    """Raise EmbeddedError if somebody listens on `port`; a demo just killed may need a moment."""
    until = time.monotonic() + within_seconds
    while (problem := _port_problem(port)) is not None:
        if time.monotonic() > until or problem.errno != errno.EADDRINUSE:
            raise EmbeddedError(
                f"Port {port} is in use. Stop the program that uses it, or choose another port: "
                f"`make demo PORT={port + 1 if port < 65535 else 8000}`."
                if problem.errno == errno.EADDRINUSE
                else f"Port {port} cannot be used ({problem.strerror}). "
                "Choose another: `make demo PORT=8001`."
            )
        time.sleep(0.1)


def _port_problem(port: int) -> OSError | None:
    """Try both addresses `localhost` may mean; a machine without IPv6 has only one."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            if family == socket.AF_INET or error.errno == errno.EADDRINUSE:
                return error
    return None


def ensure_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES_MIN:
        raise EmbeddedError(
            f"{disk_full(folder)} The demo needs {FREE_BYTES_MIN // 2**20} MB; "
            f"{free // 2**20} MB are free."
        )


def answers(port: int) -> bool:
    """Say whether the site is alive on `port`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _secrets(path: Path) -> dict[str, str]:
    """Return this demo's own keys, made on the first start, so that sign-ins outlive a restart."""
    made = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "INBOUND_SECRET": secrets.token_urlsafe(24),
        # A number below the order of the curve that web push signs with.
        "VAPID_PRIVATE_KEY": base64.urlsafe_b64encode(
            (1 + secrets.randbelow(2**255)).to_bytes(32, "big")
        ).decode(),
    }
    try:
        kept: dict[str, str] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        kept = {}
    whole = {**made, **kept}  # one made by an older version lacks the newer keys
    if whole != kept:
        half = path.with_suffix(".half")
        with open(half, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            json.dump(whole, file)
        half.replace(path)
    return whole


def _listen_for_signals() -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        _ignore_signals()
        raise StopAsked

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # `nohup make demo &` asked for a hang-up to be ignored.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, stop)


def _ignore_signals() -> None:
    """A second Ctrl-C must not cut the tidying up short."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _in_words(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(folder)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{error.filename or folder} cannot be written ({error.strerror}). Was the demo "
            "started by another user before? Start as that user, or with another folder: "
            "`manage.py demo --folder OTHER`."
        )
    return f"The demo cannot go on: {error}."
