"""A throw-away PostgreSQL and Valkey for one test run, up before Django reads its settings.

Loaded by `-p tests.services` (pyproject.toml): pytest-django reads the settings before any
conftest. DATABASE_URL and REDIS_URL, when given, replace the pair. Under xdist the controller
starts it and the workers inherit the addresses; each has a Valkey database of its own.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from config.embedded import Service, start_postgres, start_valkey

PREFIX = "shoal-tests-"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    known = early_config.known_args_namespace
    os.environ["SHOAL_MODE"] = "test"
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        number = 1 + int(worker.removeprefix("gw"))
        os.environ["REDIS_URL"] = in_database(os.environ["REDIS_URL"], number)
    elif not (known.help or known.version):
        _give_pictures_a_folder(early_config)
        _start_what_is_missing(early_config)


def _give_pictures_a_folder(config: pytest.Config) -> None:
    folder = tempfile.mkdtemp(prefix="shoal-media-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    os.environ["MEDIA_ROOT"] = folder


def in_database(redis_url: str, number: int) -> str:
    """Return `redis_url` with its database replaced by `number`."""
    return urlunsplit(urlsplit(redis_url)._replace(path=f"/{number}"))


def _start_what_is_missing(config: pytest.Config) -> None:
    missing = {"DATABASE_URL", "REDIS_URL"} - os.environ.keys()
    if not missing:
        return
    _forget_killed_runs()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    # Run last to first, also when the second of the pair does not start.
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))

    def serve(name: str, service: Service) -> None:
        config.add_cleanup(lambda: _stop(name, service))
        os.environ[name] = service.url

    if "DATABASE_URL" in missing:
        serve("DATABASE_URL", start_postgres(folder, throwaway=True))
    if "REDIS_URL" in missing:
        serve("REDIS_URL", start_valkey(folder))


def _forget_killed_runs() -> None:
    """Remove the folders of runs that were killed; a running one's process is in its name."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}[0-9]*-*"):
        pid = int(folder.name.removeprefix(PREFIX).split("-")[0])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except PermissionError:
            continue  # alive, and somebody else's


def _stop(name: str, service: Service) -> None:
    os.environ.pop(name, None)
    service.stop()
