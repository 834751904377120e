"""Fill an empty database with the demo's own content."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from community.members.models import Member
from config.seeds.script import read_script
from config.seeds.seeding import SeedFailed, seed


class Command(BaseCommand):
    help = (
        "Write Shoal's own content into an empty database: members, groups, threads, listings, "
        "clicks and orders of 90 days. The same every time; only its dates follow the clock."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--quiet", action="store_true", help="show no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        if Member.objects.exists():
            raise CommandError(
                "This database has members already, and the demo's content goes into an empty one "
                "only. `make demo FRESH=1` throws the demo's content away and writes it anew."
            )
        progress = Bars(None if options["quiet"] else sys.stderr)
        try:
            seed(
                read_script(),
                anchor=timezone.now().replace(second=0, microsecond=0),
                progress=progress.tell,
            )
        except SeedFailed as failure:
            raise CommandError(str(failure)) from failure
        finally:
            progress.close()


class Bars:
    """A bar for each step, one under the other; a line for each where there is no terminal."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out
        self._bar: Any = None
        self._what = ""
        self._done = 0

    def tell(self, what: str, done: int, of: int) -> None:
        """Show how far the step `what` is; another name ends the step before."""
        if self._out is None:
            return
        if what != self._what:
            self.close()
            self._what = what
            if self._out.isatty():
                # A terminal may say it has no columns and no rows.
                self._bar = tqdm(
                    desc=f"    {what:<20}",
                    file=self._out,
                    bar_format="{desc}{bar:24} {n_fmt:>5} {elapsed}",
                    ncols=60,
                    nrows=20,
                    ascii=" ━",
                )
        self._done = done
        if self._bar is not None:
            self._bar.total = max(of, 1)
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()
        elif self._out is not None and self._what:
            print(f"    {self._what:<20} {self._done:>5}", file=self._out, flush=True)
        self._bar, self._what = None, ""
