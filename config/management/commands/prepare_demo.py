"""Bring a demo's tables, content and static files up to date; `manage.py demo` runs it."""

from __future__ import annotations

import argparse
import hashlib
import sys
import traceback
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from psycopg import errors

from config.demo import PREPARED_BUT_REFUSED, say, step
from config.embedded.processes import disk_full
from config.seeds import ACCOUNTS, welcome


class Command(BaseCommand):
    help = "Bring a demo's tables, content and static files up to date (part of `demo`)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, required=True)
        parser.add_argument("--empty", action="store_true")

    def handle(self, *, folder: Path, empty: bool, **options: Any) -> None:
        try:
            migrate()
            if not empty:
                seed(folder)
            collect_static(folder)
            (folder / "welcome.txt").write_text(how_to_sign_in(), encoding="utf-8")
        except Exception as error:
            (folder / "logs" / "prepare.log").write_text(traceback.format_exc())
            self.stderr.write(f"\n{in_words(error, folder)}")
            sys.exit(PREPARED_BUT_REFUSED)


def migrate() -> None:
    """Apply what is missing; refuse a database that knows migrations we do not."""
    executor = MigrationExecutor(connection)
    ours = {config.label for config in apps.get_app_configs()}
    newer = sorted(
        f"{app}.{name}"
        for app, name in executor.loader.applied_migrations.keys()
        - (executor.loader.disk_migrations or {}).keys()
        if app in ours
    )
    if newer:
        raise CommandError(
            f"The demo's content was made by a newer Shoal (it knows {', '.join(newer[:3])}). "
            "Update this copy, or start over with `make demo FRESH=1` "
            "(this throws its content away)."
        )
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        with step("Tables"):
            call_command("migrate", verbosity=0, interactive=False)


def seed(folder: Path) -> None:
    """Write Shoal's own content into a database without members."""
    unfinished = folder / "seeding"
    if unfinished.exists():
        raise CommandError(
            "Writing the demo's content was cut short the last time. Empty the database that "
            f"DATABASE_URL names, remove {unfinished}, and start again."
        )
    if get_user_model().objects.exists():
        return
    say("  Members, threads, listings and orders")  # the command shows how far each of them is
    unfinished.touch()
    call_command("seed")
    unfinished.unlink()


def how_to_sign_in() -> str:
    """Return what the terminal says of the ready accounts; nothing if they are not there."""
    handles = {account.handle for account in ACCOUNTS}
    known = get_user_model().objects.filter(handle__in=handles).count()
    return welcome() if known == len(handles) else ""


def collect_static(folder: Path) -> None:
    """Gather and compress the static files when one of them changed since the last time."""
    stamp = folder / "static" / ".collected"
    now = fingerprint()
    if stamp.exists() and stamp.read_text() == now:
        return
    with step("Style sheets, scripts and icons"):
        call_command("collectstatic", verbosity=0, interactive=False, clear=True)
        stamp.write_text(now)


def fingerprint() -> str:
    """Return a digest of the name, size and time of every static file."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def in_words(error: Exception, folder: Path) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, errors.DiskFull) or "No space left on device" in str(cause):
            return disk_full(folder)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, CommandError):
        return str(error)
    if isinstance(error, OperationalError):
        return (
            f"The database does not answer as it should: {str(error).strip()}\n"
            "When DATABASE_URL is set, see that it names a PostgreSQL that runs."
        )
    log = folder / "logs" / "prepare.log"
    return (
        f"Preparing the demo failed ({type(error).__name__}: {error}). The whole story is in {log}."
    )
