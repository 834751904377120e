"""Write search's documents anew."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from community.search.embedders import embedder
from community.search.messages import write_missing_messages
from community.search.models import SearchDocument
from community.search.services import embed_documents, how_many, index_embeddings, rebuild


class Command(BaseCommand):
    help = (
        "Write the documents of all posts, members and groups that say something else than they "
        "do, count all words, and write the chat messages that have no document. Interrupted, it "
        "goes on where it was when run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--afresh", action="store_true", help="also those that are right")
        parser.add_argument(
            "--embed", action="store_true", help="also embed what is not, by the site's embedder"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        total = sum(how_many(kind) for kind in SearchDocument.Kind.values)
        with tqdm(total=total, unit=" things", file=sys.stderr) as bar:

            def progress(what: str, done: int) -> None:
                if what == "words" and bar.desc != "words: ":
                    bar.reset()
                bar.set_description(what)
                bar.update(done)

            changed = rebuild(afresh=options["afresh"], progress=progress)
        changed += write_missing_messages()
        self.stdout.write(f"{changed} documents written anew.")
        if options["embed"] and embedder().is_on:
            index_embeddings()
            done = 0
            with tqdm(desc="embedding", unit=" documents", file=sys.stderr) as bar:
                while count := embed_documents():
                    done += count
                    bar.update(count)
            self.stdout.write(f"{done} documents embedded.")
