"""Bring a Discourse site's talk in."""

from __future__ import annotations

from community.importing.command import ImportCommand
from community.importing.discourse import Discourse


class Command(ImportCommand):
    help = (
        "Bring Discourse's topics, as its API gives them, into a group or a group a category. "
        "A second run writes only what is new."
    )
    source = Discourse
    dump_help = "a folder of JSON files (topics, pages of posts, site.json, users), or one file"
