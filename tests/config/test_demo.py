"""The demo as a person at a terminal meets it: it starts, it says what is wrong, it ends."""

from __future__ import annotations

import errno
import fcntl
import http.client
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from config import demo
from config.embedded import EmbeddedError, start_postgres
from config.seeds import ACCOUNTS, DEMO_PASSWORD
from tests.config.processes import Process, alive, living, wait_for
from tests.services import in_database

PROJECT = Path(__file__).parents[2]
# A first start writes all its content, on a machine that may be busy.
READY_SECONDS = 300
pytestmark = [
    pytest.mark.flaky(reruns=1),  # docs/decisions/tests-run-again.md
    pytest.mark.xdist_group("demo"),  # each process would prepare a folder of its own
]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@dataclass
class Run:
    """A demo that runs in a terminal of its own."""

    process: subprocess.Popen[bytes]
    terminal: int
    port: int
    said: str = ""
    seen: dict[int, Process] = field(default_factory=dict)

    def read(self, *, until: str) -> str:
        """Read what it says until `until` or its end."""
        give_up = time.monotonic() + READY_SECONDS
        while until not in self.said:
            assert time.monotonic() < give_up, self.said
            try:
                more = os.read(self.terminal, 65536)
            except OSError:  # the other side is closed
                break
            if not more:
                break
            self.said += more.decode(errors="replace").replace("\r\n", "\n")
        return self.said

    def family(self) -> dict[int, Process]:
        """Return the supervisor and all its descendants that live now."""
        everyone = living()
        found = {self.process.pid: everyone[self.process.pid]}
        while True:
            born = {
                pid: one
                for pid, one in everyone.items()
                if one.parent in found and pid not in found
            }
            if not born:
                return found
            found |= born

    def seconds(self) -> float:
        took = re.search(r"ready in ([0-9.]+) s", self.said)
        assert took, self.said
        return float(took.group(1))

    def end(self) -> int:
        return self.process.wait(timeout=90)


def as_from_a_terminal() -> None:
    """Take the terminal; and hear it close, even where this run itself was told not to."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who set nothing for Shoal."""
    ours = ("DATABASE_URL", "REDIS_URL", "SHOAL_MODE", "DJANGO_SETTINGS_MODULE", "SECRET_KEY")
    return {key: value for key, value in os.environ.items() if key not in ours}


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def run(*arguments: str, folder: Path, code: str = "", **extra: str) -> Run:
        port = free_port()
        command = [sys.executable, "manage.py", "demo"]
        if code:
            command = [sys.executable, "-c", code]
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [*command, "--folder", str(folder), "--port", str(port), *arguments],
            cwd=PROJECT,
            env=environment | extra,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=as_from_a_terminal,
        )
        os.close(theirs)
        runs.append(Run(process, ours, port))
        return runs[-1]

    yield run
    for one in runs:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()
        if one.terminal >= 0:
            os.close(one.terminal)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has been started once, without content."""
    folder = tmp_path_factory.mktemp("demo") / "kept"
    ours = ("DATABASE_URL", "REDIS_URL", "SHOAL_MODE")
    subprocess.run(
        [
            *(sys.executable, "manage.py", "demo", "--empty", "--check"),
            *("--folder", str(folder), "--port", str(free_port())),
        ],
        cwd=PROJECT,
        env={key: value for key, value in os.environ.items() if key not in ours},
        check=True,
        timeout=READY_SECONDS,
    )
    return folder


# -- it runs ----------------------------------------------------------------------------------


def test_a_second_start_serves_pages_files_and_sockets(start, prepared):
    run = start("--empty", folder=prepared)
    assert f"Shoal is at http://localhost:{run.port} " in run.read(until="Ctrl-C")
    # Under 10 s on a machine with nothing else to do (docs/decisions/embedded-services.md says how
    # it was measured); beside the rest of the suite a clock would only test the suite.
    print(f"second start: {run.seconds():.1f} s")

    home, body = get(run.port, "/")
    assert home.status == 200
    assert "script-src 'nonce-" in home.headers["Content-Security-Policy"]
    sheet = re.search(r'href="(/static/css/[^"]+\.css)"', body)
    assert sheet
    assert get(run.port, sheet.group(1))[0].headers["Cache-Control"].endswith("immutable")
    assert get(run.port, "/nothing-here")[0].status == 404
    # A guest's socket is refused by the consumer; Django's pages would have said 404.
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://localhost:{run.port}/ws/")

    names = " ".join(process.command for process in run.family().values())
    for part in ("postgres", "valkey-server", "uvicorn", "celery -A config.celery worker", "beat"):
        assert part in names


def test_a_first_start_ends_with_three_accounts_that_can_sign_in_and_hear_the_socket(
    start, tmp_path
):
    run = start(folder=tmp_path / "kept")
    said = run.read(until="Ctrl-C")
    assert DEMO_PASSWORD in said
    for account in ACCOUNTS:
        assert re.search(rf"^ +{account.handle} +{account.who}:$", said, re.MULTILINE)
        cookies = sign_in(run.port, account.handle)
        origin = Origin(f"http://localhost:{run.port}")
        headers = {"Cookie": cookies}
        with connect(
            f"ws://localhost:{run.port}/ws/", origin=origin, additional_headers=headers
        ) as live:
            live.send('{"type": "subscribe", "room": "no-such-room"}')
            heard = json.loads(live.recv(timeout=10))["type"]
            if heard == "live":  # the hub found Valkey just now
                heard = json.loads(live.recv(timeout=10))["type"]
            assert heard == "refused"


def test_what_was_given_in_the_environment_is_used_instead(start, tmp_path):
    given = os.environ["DATABASE_URL"]
    with own_database(given) as database_url:
        redis_url = in_database(os.environ["REDIS_URL"], 40)
        run = start(
            "--empty", folder=tmp_path / "kept", DATABASE_URL=database_url, REDIS_URL=redis_url
        )
        assert "Shoal is at" in run.read(until="Ctrl-C")
        names = " ".join(process.command for process in run.family().values())
        assert "bin/postgres" not in names and "valkey-server" not in names
        assert not (tmp_path / "kept" / "postgres").exists()
        with psycopg.connect(database_url) as connection:
            found = connection.execute("SELECT count(*) FROM django_migrations").fetchone()
            assert found and found[0] > 0
        run.process.send_signal(signal.SIGINT)
        assert run.end() == 0


def test_its_secrets_and_content_outlive_a_restart(prepared):
    before = (prepared / "secrets.json").read_text()
    assert (prepared / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert demo._secrets(prepared / "secrets.json")["SECRET_KEY"] in before


# -- it ends ----------------------------------------------------------------------------------


def press_ctrl_c(run: Run) -> None:
    os.write(run.terminal, b"\x03")


def terminate(run: Run) -> None:
    run.process.terminate()


def close_the_terminal(run: Run) -> None:
    os.close(run.terminal)
    run.terminal = -1


def kill(run: Run) -> None:
    run.process.kill()


@pytest.mark.parametrize(
    ("how", "code"),
    [(press_ctrl_c, 0), (terminate, 0), (close_the_terminal, 0), (kill, -signal.SIGKILL)],
)
def test_however_it_ends_nothing_stays_behind_and_it_starts_again(start, prepared, how, code):
    run = start("--empty", folder=prepared)
    run.read(until="Ctrl-C")
    # The worker's own child too: it starts a little after the address is printed.
    wait_for(lambda: len(celery_children(run)) == 1)
    family = run.family()
    assert len(family) >= 10
    assert len(shared_memory_of(family)) == 1

    how(run)
    assert run.end() == code

    wait_for(lambda: not [one.command for pid, one in family.items() if alive(pid)])
    sessions = {one.session for one in family.values()}
    assert not [one for one in living().values() if one.session in sessions]
    assert not shared_memory_of(family)
    assert not (prepared / "postgres" / "postmaster.pid").exists()
    assert demo._port_problem(run.port) is None


def test_a_worker_s_child_that_no_longer_listens_dies_with_a_killed_supervisor(start, prepared):
    run = start("--empty", folder=prepared)
    run.read(until="Ctrl-C")
    # The worker says that it is ready before its child has asked the kernel for anything.
    log = prepared / "logs" / "worker.log"
    wait_for(lambda: "this child of the worker ends with it" in log.read_text())
    wait_for(lambda: len(celery_children(run)) == 1)
    family = run.family()
    # A stopped process notices no closed pipe, only what the kernel does to it.
    os.kill(celery_children(run)[0], signal.SIGSTOP)
    run.process.kill()
    run.end()
    wait_for(lambda: not any(alive(pid) for pid in family))


@pytest.mark.parametrize(("how", "code"), [(press_ctrl_c, 0), (kill, -signal.SIGKILL)])
def test_when_it_ends_while_it_writes_its_content_nothing_stays_behind(
    start, prepared, tmp_path, how, code
):
    # Its tables are there already; as root they belong to another user.
    subprocess.run(["cp", "-a", prepared, tmp_path / "kept"], check=True)
    run = start(folder=tmp_path / "kept")
    run.read(until="Members, threads")

    def painters() -> list[Process]:
        return [one for one in run.family().values() if "multiprocessing.spawn" in one.command]

    wait_for(lambda: len(painters()) == 2, within_seconds=60)
    family = run.family()
    how(run)
    assert run.end() == code
    said = run.read(until="Stopped.")
    # A child just born to a supervisor that is killed says that its first words never came.
    assert how is kill or "Traceback" not in said
    wait_for(lambda: not any(alive(pid) for pid in family))
    assert (tmp_path / "kept" / "seeding").exists()


def test_when_a_part_dies_it_says_which_and_stops_the_rest(start, prepared):
    run = start("--empty", folder=prepared)
    run.read(until="Ctrl-C")
    family = run.family()
    uvicorn = next(pid for pid, one in family.items() if "uvicorn" in one.command)
    (prepared / "logs" / "web.log").write_text("something went wrong\n")
    os.kill(uvicorn, signal.SIGKILL)
    assert run.end() == 1
    said = run.read(until="never said")
    assert "The web process ended by itself." in said
    assert "something went wrong" in said
    assert "Traceback" not in said
    wait_for(lambda: not any(alive(pid) for pid in family))


# -- it says what is wrong --------------------------------------------------------------------


def refused(run: Run) -> str:
    """Return what it says, having ended with code 1, no traceback and no process left."""
    said = run.read(until="never said")
    assert run.end() == 1, said
    assert "Traceback" not in said
    return said


def test_a_port_in_use(start, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = start("--port", str(port), folder=tmp_path / "kept")
        said = refused(run)
    assert f"Port {port} is in use." in said
    assert f"make demo PORT={port + 1}" in said
    assert not (tmp_path / "kept" / "postgres").exists()


def test_a_port_for_root_only_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(demo, "_port_problem", lambda port: PermissionError(errno.EACCES, "denied"))
    with pytest.raises(EmbeddedError, match=r"Port 80 cannot be used \(denied\)"):
        demo.ensure_port_free(80)


def test_two_demos_in_one_folder(start, prepared):
    first = start("--empty", folder=prepared)
    first.read(until="Ctrl-C")
    second = refused(start("--empty", folder=prepared))
    assert f"Another demo (process {first.process.pid}) uses {prepared}." in " ".join(
        second.split("\n")
    )
    assert get(first.port, "/healthz")[0].status == 200


def test_content_of_a_newer_shoal(start, prepared):
    future = ("community", "9999_from_the_future")
    write(
        prepared,
        "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, now())",
        future,
    )
    try:
        said = refused(start("--empty", folder=prepared))
    finally:
        write(prepared, "DELETE FROM django_migrations WHERE app = %s AND name = %s", future)
    assert "made by a newer Shoal (it knows community.9999_from_the_future)" in said
    assert "make demo FRESH=1" in said


def test_a_folder_of_a_newer_postgresql(start, prepared):
    version = prepared / "postgres" / "PG_VERSION"
    kept = version.read_text()
    version.write_text("19\n")
    try:
        said = refused(start("--empty", folder=prepared))
    finally:
        version.write_text(kept)
    assert "was made by PostgreSQL 19 and this is PostgreSQL 18." in said


def test_a_database_that_does_not_answer(start, tmp_path):
    nobody = f"postgresql://shoal@127.0.0.1:{free_port()}/shoal"
    said = refused(start(folder=tmp_path / "kept", DATABASE_URL=nobody))
    assert "The database does not answer as it should" in said


def test_a_fresh_start_does_not_touch_a_database_that_was_given(start, tmp_path):
    said = refused(
        start("--fresh", folder=tmp_path / "kept", DATABASE_URL=os.environ["DATABASE_URL"])
    )
    assert "Empty that one yourself" in said


def test_too_little_space_is_said_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "FREE_BYTES_MIN", 2**60)
    with pytest.raises(EmbeddedError, match=r"is full. Free some space .* are free"):
        demo.ensure_space(tmp_path)


@as_root
@pytest.mark.parametrize("megabytes", [8, 46])
def test_a_disk_that_fills_up_on_the_way(start, tmp_path, megabytes):
    """At 8 MB the database cannot be made; at 46 MB its tables cannot."""
    disk = tmp_path / "disk"
    disk.mkdir()
    tmpfs = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    subprocess.run(tmpfs, check=True)
    code = "import sys; from config import demo; demo.FREE_BYTES_MIN = 0; "
    code += "sys.exit(demo.main(sys.argv[1:]))"
    try:
        run = start("--empty", folder=disk / "kept", code=code)
        said = refused(run)
        assert re.search(r"The disk that holds \S+ is full\. Free some space there", said), said
        assert not [one for one in living().values() if str(disk) in one.command]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_what_the_system_refuses_is_said_in_words(tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    assert demo._in_words(full, tmp_path).startswith(f"The disk that holds {tmp_path} is full.")
    closed = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "lock"))
    assert "started by another user before?" in demo._in_words(closed, tmp_path)


def test_a_first_start_cut_short_while_writing_starts_over(start, prepared):
    (prepared / "seeding").touch()
    (prepared / "media").mkdir(exist_ok=True)
    (prepared / "media" / "half.webp").touch()
    run = start("--empty", "--check", folder=prepared)
    said = run.read(until="never said")
    assert run.end() == 0
    assert "starting over" in said
    assert not (prepared / "seeding").exists()
    assert not (prepared / "media" / "half.webp").exists()


# -- helpers ----------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(port: int, path: str) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": f"localhost:{port}"})
    response = connection.getresponse()
    return response, response.read().decode()


def sign_in(port: int, handle: str) -> str:
    """Sign in by the form, as a browser does; return the cookies that came of it."""
    with requests.Session() as browser:
        address = f"http://localhost:{port}/accounts/login/"
        form = browser.get(address, timeout=20).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        assert token
        answer = browser.post(
            address,
            {
                "csrfmiddlewaretoken": token.group(1),
                "login": handle,
                "password": DEMO_PASSWORD,
            },
            headers={"Referer": address},
            timeout=20,
            allow_redirects=False,
        )
        assert answer.status_code == 302, answer.text
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies)


def celery_children(run: Run) -> list[int]:
    family = run.family()
    workers = [pid for pid, one in family.items() if "config.celery worker" in one.command]
    return [pid for pid in workers if family[pid].parent in workers]


def shared_memory_of(pids: Collection[int]) -> list[str]:
    """Return the System V segments that these processes made."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return [line for line in lines if int(line.split()[4]) in pids]


def write(folder: Path, statement: str, values: tuple[str, ...]) -> None:
    service = start_postgres(folder)
    try:
        with psycopg.connect(service.url) as connection:
            connection.execute(statement, values)
    finally:
        service.stop()


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """Make a database beside the one of `url`, and drop it afterwards."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE demo_of_a_test")
        try:
            yield urlsplit(url)._replace(path="/demo_of_a_test").geturl()
        finally:
            connection.execute("DROP DATABASE demo_of_a_test WITH (FORCE)")
