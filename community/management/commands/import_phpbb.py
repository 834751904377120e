"""Bring a phpBB board's talk in."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from community.importing.command import ImportCommand
from community.importing.engine import Source
from community.importing.phpbb import PhpBB


class Command(ImportCommand):
    help = (
        "Bring a phpBB board (a MySQL dump) into a group or a group a forum. A second run writes "
        "only what is new."
    )
    source = PhpBB
    dump_help = "the dump, one .sql file"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--prefix", default="phpbb_", help="what the board's tables begin with")

    def made(self, path: Path, options: dict[str, Any]) -> Source:
        source = PhpBB(path, name=options["source"] or "", hosts=options["host"])
        source.prefix = options["prefix"]
        return source
