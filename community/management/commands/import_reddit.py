"""Bring subreddits' talk in."""

from __future__ import annotations

from community.importing.command import ImportCommand
from community.importing.reddit import Reddit


class Command(ImportCommand):
    help = (
        "Bring Reddit submissions and comments (NDJSON of Pushshift or Arctic Shift) into a group "
        "or a group a subreddit. A second run writes only what is new."
    )
    source = Reddit
    dump_help = "a folder of files with a record a line, or one file"
