"""Bring a Stack Exchange site's talk into a group."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from community.importing.command import ImportCommand
from community.importing.engine import Source
from community.importing.stackexchange import StackExchange


class Command(ImportCommand):
    help = (
        "Bring a Stack Exchange dump (a folder with Posts.xml and, if there, Users, Comments and "
        "PostLinks) into a group. A second run writes only what is new."
    )
    source = StackExchange
    dump_help = "the folder"
    rooms = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--no-comments", action="store_true", help="leave comments out")

    def made(self, path: Path, options: dict[str, Any]) -> Source:
        source = StackExchange(path, name=options["source"] or "", hosts=options["host"])
        source.comments = not options["no_comments"]
        return source
