"""Bring a Stack Exchange site's talk into a group."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from community.groups.models import Group
from community.importing.dumps import BrokenDump
from community.importing.stackexchange import import_stackexchange


class Command(BaseCommand):
    help = (
        "Bring a Stack Exchange dump (a folder with Posts.xml and, if there, Users, Comments and "
        "PostLinks) into a group. A second run writes only what is new."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--group", required=True, help="the slug of the group")
        parser.add_argument("--source", help="the name of the site; the folder's name otherwise")
        parser.add_argument(
            "--host",
            action="append",
            default=[],
            help="a host the site answered on, whose addresses become ours; may be repeated",
        )
        parser.add_argument("--no-comments", action="store_true", help="leave comments out")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        group = Group.objects.filter(slug=options["group"]).first()
        if group is None:
            raise CommandError(f"There is no group {options['group']!r}. Open it first.")
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        bar = tqdm(desc="Reading", unit=" rows", file=sys.stderr, mininterval=0.2)

        def progress(stage: str, done: int) -> None:
            if bar.desc != f"{stage}: ":
                bar.reset()
                bar.set_description(stage)
            bar.update(1)

        try:
            counts = import_stackexchange(
                folder=folder,
                group=group,
                source=options["source"] or folder.resolve().name,
                hosts=set(options["host"]),
                comments=not options["no_comments"],
                progress=progress,
            )
        except BrokenDump as broken:
            raise CommandError(
                f"{broken} What came before it is here; mend it and run again."
            ) from broken
        finally:
            bar.close()
        for name, count in asdict(counts).items():
            self.stdout.write(f"{name.replace('_', ' '):>12}  {count}")
