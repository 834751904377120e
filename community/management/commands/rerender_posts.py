"""Render posts anew whose HTML an older renderer wrote."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from community.threads.editing import rerender_post
from community.threads.markup import MARKUP_VERSION, SourceTooLong
from community.threads.models import Post


class Command(BaseCommand):
    help = "Render posts anew whose HTML was written by an older version of the renderer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="every post, whatever its version")

    def handle(self, *args: Any, **options: Any) -> None:
        stale = Post.objects.all()
        if not options["all"]:
            stale = stale.exclude(markup_version=MARKUP_VERSION)
        ids = stale.order_by("pk").values_list("pk", flat=True)
        changed = 0
        with tqdm(total=ids.count(), unit=" posts", file=sys.stderr) as bar:
            for post_id in ids.iterator(chunk_size=2_000):
                try:
                    changed += rerender_post(post_id)
                except SourceTooLong:
                    # Longer than a post may be today: it keeps what it shows.
                    self.stderr.write(f"Post {post_id} is too long to render anew.")
                bar.update(1)
        self.stdout.write(f"{changed} posts look different now.")
