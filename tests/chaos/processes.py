"""The processes of a site as docker-compose.yml starts them, to be killed and started again."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import Child, spawn
from config.embedded.valkey import find_binary
from tests.config.child_processes import environment_of_a_child
from tests.config.processes import wait_for

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90.0  # only ends a test that fails


@dataclass
class Killable:
    """A process of the site on a port of its own."""

    name: str
    argv: list[str]
    port: int
    folder: Path
    env: dict[str, str]
    child: Child | None = None
    kills: int = 0

    def start(self) -> None:
        """Start it and come back at once; `wait` waits until it takes connections."""
        self.child = spawn(
            self.name,
            self.argv,
            log=self.folder / f"{self.name}-{self.kills}.log",
            env=self.env,
            cwd=ROOT,
        )

    def wait(self) -> None:
        wait_for(self.answers, within_seconds=START_SECONDS)

    def answers(self) -> bool:
        assert self.child is not None
        assert self.child.running(), f"{self.name} ended: {self.child.last_words()}"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """With -9, and whatever it started itself."""
        assert self.child is not None
        self.kills += 1
        os.killpg(self.child.pid, signal.SIGKILL)
        self.child.process.wait()

    def end(self) -> None:
        if self.child is not None and self.child.running():
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.process.wait()


@dataclass
class Site:
    valkey: Killable
    web: list[Killable] = field(default_factory=list)
    sockets: list[Killable] = field(default_factory=list)

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.valkey.port}/0"

    @property
    def all(self) -> list[Killable]:
        return [self.valkey, *self.web, *self.sockets]


@contextmanager
def site_of_two(folder: Path, **more: str) -> Iterator[Site]:
    """Two web and two socket processes on the test's database and a Valkey of their own."""
    ports = free_ports(5)
    valkey = Killable(
        "valkey",
        [str(find_binary()), "--port", str(ports[0]), "--bind", "127.0.0.1", "--save", ""],
        ports[0],
        folder,
        {**os.environ},
    )
    site = Site(valkey)
    # Addresses come from the proxy, and are limited as in production.
    limits = {"SOCKETS_PER_ADDRESS": "20", "SOCKET_CONNECTS_PER_SECOND": "10"}
    limits["SOCKET_CONNECTS_BURST"] = "40"
    env = environment_of_a_child(
        REDIS_URL=site.redis_url, TRUSTED_PROXIES="1", **{**limits, **more}
    )
    for number in (1, 2):
        web = Killable(
            f"web-{number}", command_of("web", ports[number]), ports[number], folder, env
        )
        port = ports[number + 2]
        sockets = Killable(f"sockets-{number}", command_of("sockets", port), port, folder, env)
        site.web.append(web)
        site.sockets.append(sockets)
    try:
        for one in site.all:
            one.start()
        for one in site.all:
            one.wait()
        yield site
    finally:
        for one in site.all:
            one.end()


def command_of(service: str, port: int) -> list[str]:
    """What docker-compose.yml starts a service with, here and on this port; one web worker."""
    compose = (ROOT / "docker-compose.yml").read_text()
    found = re.search(rf"^  {service}:\n(?:    .*\n)*?    command: (.+)$", compose, re.MULTILINE)
    assert found is not None, service
    program, *rest = shlex.split(found[1])
    said = " ".join(rest)
    said = re.sub(r"--host \S+", "--host 127.0.0.1", said)
    said = re.sub(r"--port \S+", f"--port {port}", said)
    said = re.sub(r"--workers \S+", "--workers 1", said)
    return [str(Path(sys.executable).with_name(program)), *said.split()]


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
