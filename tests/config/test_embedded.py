"""PostgreSQL and Valkey as our children: they start anywhere, as anybody, and end with us."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from config.embedded import EmbeddedError, postgres, processes, start_postgres, start_valkey
from tests.config.processes import alive, living, wait_for

pytestmark = pytest.mark.flaky(reruns=1)  # docs/decisions/tests-run-again.md
PROJECT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.fixture
def database(folder: Path) -> Iterator[str]:
    service = start_postgres(folder, throwaway=True)
    yield service.url
    service.stop()


def test_the_database_has_what_shoal_needs_and_nobody_else_gets_in(folder, database):
    with psycopg.connect(database) as connection:
        for extension in ("vector", "pg_trgm", "unaccent"):
            connection.execute(f"CREATE EXTENSION {extension}")
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        # In /dev/shm a killed server's segments would stay.
        assert connection.execute("SHOW dynamic_shared_memory_type").fetchone() == ("mmap",)
    assert (folder / "run").stat().st_mode & 0o777 == 0o700


def test_what_is_written_is_there_after_a_stop_and_a_start(folder):
    for expected in ([], [(1,)], [(1,), (1,)]):
        service = start_postgres(folder)
        with psycopg.connect(service.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS shells (number integer)")
            assert connection.execute("SELECT number FROM shells").fetchall() == expected
            connection.execute("INSERT INTO shells VALUES (1)")
        service.stop()
        assert not alive(service.child.pid)


def test_a_folder_too_deep_for_a_socket_and_with_strange_letters_works(tmp_path):
    folder = tmp_path / ("Deep Ünd %20 'Quoted' " * 4) / "x"
    folder.mkdir(parents=True)
    service = start_postgres(folder, throwaway=True)
    valkey = start_valkey(folder / "valkey")
    try:
        with psycopg.connect(service.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            host = connection.info.host
        assert len(os.fsencode(f"{host}/.s.PGSQL.5432.lock")) <= 107
        assert Path(host).stat().st_mode & 0o777 == 0o700
        assert Redis.from_url(valkey.url).ping()
    finally:
        service.stop()
        valkey.stop()
    shutil.rmtree(host)


def test_settings_of_the_caller_do_not_reach_the_server(folder, monkeypatch):
    monkeypatch.setenv("PGPORT", "6000")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("LC_ALL", "xx_XX.NOT-A-LOCALE")
    service = start_postgres(folder, throwaway=True)
    with psycopg.connect(service.url) as connection:
        assert connection.execute("SHOW lc_messages").fetchone() == ("C",)
    service.stop()


def test_valkey_asks_for_its_password_and_listens_on_loopback_only(folder):
    service = start_valkey(folder)
    try:
        assert Redis.from_url(service.url).ping()
        with socket.create_connection(("127.0.0.1", port_of(service.url))) as connection:
            connection.sendall(b"PING\r\n")
            assert connection.recv(64).startswith(b"-NOAUTH")
        arguments = Path(f"/proc/{service.child.pid}/cmdline").read_bytes()
        assert service.url.split("@")[0].split(":")[-1].encode() not in arguments
        assert Redis.from_url(service.url).config_get("bind") == {"bind": "127.0.0.1"}
    finally:
        service.stop()
    assert not alive(service.child.pid)


def test_valkey_takes_another_port_when_its_first_choice_was_taken(folder, monkeypatch):
    from config.embedded import valkey

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        choices = iter([taken.getsockname()[1], valkey._free_port()])
        monkeypatch.setattr(valkey, "_free_port", lambda: next(choices))
        service = start_valkey(folder)
    assert Redis.from_url(service.url).ping()
    service.stop()


# -- how it ends ------------------------------------------------------------------------------

OWNER = """
import sys, time
from pathlib import Path
from config.embedded import start_postgres, start_valkey
folder = Path(sys.argv[1])
services = [start_postgres(folder), start_valkey(folder / "valkey")]
print(*(service.child.pid for service in services), flush=True)
time.sleep(60)
"""


def test_both_end_when_their_owner_is_killed_and_start_again(folder):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    assert len(pids) == 2
    wait_for(lambda: len(children_of(pids[0])) >= 3)
    backends = children_of(pids[0])
    owner.kill()
    owner.wait()
    service = start_postgres(folder)
    try:
        wait_for(lambda: not any(alive(pid) for pid in pids + backends))
        with psycopg.connect(service.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        service.stop()


def test_a_plain_child_outlives_a_killed_owner(tmp_path):
    """The bad twin: without the death signal the same kill leaves the child behind."""
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, time\n"
            "print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid, flush=True)\n"
            "time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    child = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    time.sleep(0.3)
    assert alive(child)
    os.kill(child, signal.SIGKILL)


def test_a_killed_server_s_leftovers_do_not_stop_the_next_one(folder):
    first = start_postgres(folder)
    first.child.process.kill()
    first.child.process.wait()
    pid_file = folder / "postgres" / "postmaster.pid"
    assert pid_file.exists()
    # The pid of a process of PostgreSQL's own user that is not PostgreSQL: at that it would refuse.
    owner = pid_file.stat()
    other = processes.spawn(
        "other",
        ["sleep", "60"],
        log=folder / "other.log",
        user=(owner.st_uid, owner.st_gid) if os.geteuid() == 0 else None,
    )
    lines = pid_file.read_text().split("\n")
    pid_file.write_text("\n".join([str(other.pid), *lines[1:]]))
    second = start_postgres(folder)
    second.stop()
    other.stop()


def test_a_server_already_at_work_in_the_folder_is_not_disturbed(folder, monkeypatch):
    wait = postgres._wait_for_an_earlier_server
    monkeypatch.setattr(
        postgres, "_wait_for_an_earlier_server", lambda data: wait(data, within_seconds=0.2)
    )
    first = start_postgres(folder)
    with pytest.raises(EmbeddedError, match=f"process {first.child.pid}.*kill -INT"):
        start_postgres(folder)
    with psycopg.connect(first.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    first.stop()


# -- what it says -----------------------------------------------------------------------------


def test_a_folder_of_another_version_says_so_and_stays_as_it_is(folder):
    start_postgres(folder).stop()
    (folder / "postgres" / "PG_VERSION").write_text("19\n")
    with pytest.raises(EmbeddedError, match=r"made by PostgreSQL 19 and this is PostgreSQL 18\."):
        start_postgres(folder)
    assert (folder / "postgres" / "PG_VERSION").read_text() == "19\n"


def test_a_first_start_cut_short_leaves_no_half_a_folder(folder, monkeypatch):
    def full(*args: object, **kwargs: object) -> None:
        raise EmbeddedError("full")

    monkeypatch.setattr(postgres, "run_to_end", full)
    with pytest.raises(EmbeddedError, match="full"):
        start_postgres(folder)
    assert not (folder / "postgres").exists()
    monkeypatch.undo()
    start_postgres(folder, throwaway=True).stop()
    assert not (folder / "postgres.half").exists()


def test_a_machine_without_the_wheels_is_told_what_to_set(folder, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbeddedError, match="set DATABASE_URL="):
        start_postgres(folder)
    with pytest.raises(EmbeddedError, match="set REDIS_URL="):
        start_valkey(folder)


@as_root
def test_root_without_setpriv_is_told_what_to_install(folder, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(EmbeddedError, match="Install util-linux"):
        start_postgres(folder)


def test_a_user_without_a_name_is_told_what_postgresql_wants(folder, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 4_000_000_000)
    with pytest.raises(EmbeddedError, match=r"a number \(4000000000\) and no name"):
        start_postgres(folder)


@as_root
def test_a_full_disk_is_said_and_leaves_no_server(tiny_disk):
    with pytest.raises(EmbeddedError, match=r"The disk that holds .* is full"):
        start_postgres(tiny_disk(8) / "kept")
    assert not [process for process in living().values() if str(tiny_disk(8)) in process.command]


@as_root
def test_root_s_database_runs_as_nobody_with_one_right_more(folder):
    service = start_postgres(folder)
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{service.child.pid}/status").read_text().splitlines()
        if ":\t" in line
    )
    service.stop()
    assert status["Uid"].split() == ["65534"] * 4
    assert int(status["CapEff"], 16) == 1 << 1  # CAP_DAC_OVERRIDE


@as_root
def test_an_ordinary_user_s_folder_stays_theirs_when_root_starts_it(folder):
    start_postgres(folder).stop()
    for path in [folder / "postgres", *(folder / "postgres").rglob("*")]:
        os.chown(path, 1234, 1234)
    service = start_postgres(folder)
    status = Path(f"/proc/{service.child.pid}").stat()
    service.stop()
    assert (status.st_uid, status.st_gid) == (1234, 1234)
    assert {path.stat().st_uid for path in (folder / "postgres").rglob("*")} == {1234}


def children_of(pid: int) -> list[int]:
    return [process.pid for process in living().values() if process.parent == pid]


def port_of(url: str) -> int:
    return int(url.split(":")[-1].split("/")[0])


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Return a function that mounts a disk of so many MB, once."""
    place = tmp_path / "disk"

    def mount(megabytes: int) -> Path:
        if not place.exists():
            place.mkdir()
            size = f"size={megabytes}m"
            made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)])
            if made.returncode != 0:
                pytest.skip("this machine does not let root mount a small disk")
        return place

    yield mount
    subprocess.run(["umount", str(place)], check=False)
