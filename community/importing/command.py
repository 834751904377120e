"""What the commands that import have in common: options, a bar, what was passed over, the sum."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from community.groups.models import Group, Template
from community.importing.dumps import BrokenDump
from community.importing.engine import Into, Source, bring
from community.importing.spool import Bad
from community.members.models import Member

SOURCE_MAX_CHARS = 60
LISTED_MAX = 200  # bad records printed; the sum counts them all, --bad keeps them all


class ImportCommand(BaseCommand):
    """A source's command names its class and its folder or file."""

    source: ClassVar[type[Source]]
    dump_help: ClassVar[str]
    rooms = True  # the source has categories, which can become groups

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dump", type=Path, help=self.dump_help)
        parser.add_argument("--group", required=not self.rooms, help="the slug of the group")
        if self.rooms:
            parser.add_argument(
                "--owner", help="without --group: the handle of who owns the groups that are opened"
            )
            parser.add_argument(
                "--template",
                choices=Template.values,
                default=Template.COLLECTIBLES.value,
                help="the kind of groups that are opened",
            )
            parser.add_argument(
                "--hidden", action="store_true", help="open them hidden, to look before others do"
            )
        parser.add_argument("--source", help="the name of the site; the dump's name otherwise")
        parser.add_argument(
            "--host",
            action="append",
            default=[],
            help="a host the site answered on, whose addresses become ours; may be repeated",
        )
        parser.add_argument("--bad", type=Path, help="a file for the records that cannot come in")

    def made(self, path: Path, options: dict[str, Any]) -> Source:
        """The source with its own options."""
        return self.source(path, name=options["source"] or "", hosts=options["host"])

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["dump"]
        if not path.exists():
            raise CommandError(f"{path} is no folder or file.")
        into = self._into(options)
        source = self.made(path, options)
        if len(source.name) > SOURCE_MAX_CHARS:
            raise CommandError(f"A source's name has at most {SOURCE_MAX_CHARS} characters.")
        bar = tqdm(desc="Reading", unit=" rows", file=sys.stderr, mininterval=0.2)
        listed = options["bad"].open("w", encoding="utf-8") if options["bad"] else None
        told = 0

        def progress(stage: str) -> None:
            if bar.desc != f"{stage}: ":
                bar.reset()
                bar.set_description(stage)
            bar.update(1)

        def skipped(bad: Bad) -> None:
            nonlocal told
            told += 1
            if listed is not None:
                listed.write(f"{bad}\n")
            if told <= LISTED_MAX:
                bar.clear()
                self.stdout.write(f"passed over: {bad}")

        try:
            counts = bring(source, into, progress=progress, skipped=skipped)
        except BrokenDump as broken:
            raise CommandError(
                f"{broken} What came before it is here; mend it and run again."
            ) from broken
        finally:
            bar.close()
            if listed is not None:
                listed.close()
        if told > LISTED_MAX:
            self.stdout.write(f"and {told - LISTED_MAX} more")
        for name, count in asdict(counts).items():
            self.stdout.write(f"{name.replace('_', ' '):>12}  {count}")

    def _into(self, options: dict[str, Any]) -> Into:
        if slug := options["group"]:
            group = Group.objects.filter(slug=slug).first()
            if group is None:
                raise CommandError(f"There is no group {slug!r}. Open it first.")
            return Into(group=group)
        owner = Member.objects.filter(handle=options["owner"] or "", is_active=True).first()
        if owner is None:
            raise CommandError(
                "Name a --group for all of it, or the --owner (a handle) of a group a category."
            )
        return Into(owner=owner, template=options["template"], hidden=options["hidden"])
