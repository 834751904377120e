"""`manage.py rehearse` without DATABASE_URL: a PostgreSQL and a Valkey that live as long as it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from config.embedded import EmbeddedError, start_postgres, start_valkey

MANAGE = Path(__file__).resolve().parent.parent.parent / "manage.py"


def main(arguments: Sequence[str]) -> int:
    """Run the command with `arguments` on a database of its own; return its exit code."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shoal-rehearsal-")))
        (folder / "static").mkdir()
        environment = {
            "LOG_LEVEL": "ERROR",
            **os.environ,
            "SHOAL_MODE": "test",
            "STATIC_ROOT": str(folder / "static"),
            "MEDIA_ROOT": str(folder / "media"),
            "PYTHONUNBUFFERED": "1",
        }
        try:
            postgres = start_postgres(folder, throwaway=True)
            stack.callback(postgres.stop)
            environment["DATABASE_URL"] = postgres.url
            if "REDIS_URL" not in os.environ:
                valkey = start_valkey(folder / "valkey")
                stack.callback(valkey.stop)
                environment["REDIS_URL"] = valkey.url
        except EmbeddedError as sentence:
            sys.stderr.write(f"{sentence}\n")
            return 1
        command = [sys.executable, str(MANAGE)]
        made = subprocess.run([*command, "migrate", "--verbosity", "0"], env=environment)
        if made.returncode:
            return made.returncode
        return subprocess.run([*command, "rehearse", *arguments], env=environment).returncode
