"""`manage.py import_listings FILE.ndjson --merchant SLUG`: a merchant's feed into listings."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from commerce.listings.errors import FeedRefused
from commerce.listings.feed import BadLine, brands_in, lines, listing_fields, read_row
from commerce.listings.services import ListingFields, take_in
from commerce.merchants.models import Merchant
from community.groups.models import Group

BATCH = 200


class Command(BaseCommand):
    help = (
        "Take a merchant's feed in, one JSON object a line (commerce/listings/feed.py says which"
        " names). Listings go live; those here already, by their id, stay as they are, so a"
        " second run changes nothing. A broken line stops it and is named; what came before it"
        " stays, and the next run goes on from there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="newline-delimited JSON")
        parser.add_argument("--merchant", required=True, metavar="SLUG")
        parser.add_argument("--group", metavar="SLUG", help="list them in this group")
        parser.add_argument(
            "--currency", metavar="CODE", help="of prices without one (the merchant's)"
        )
        parser.add_argument("--limit", type=int, metavar="N", help="read the first N rows")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        merchant = Merchant.objects.filter(slug=options["merchant"]).first()
        if merchant is None:
            raise CommandError(f"There is no merchant {options['merchant']!r}.")
        group = None
        if options["group"]:
            group = Group.objects.filter(slug=options["group"]).first()
            if group is None:
                raise CommandError(f"There is no group {options['group']!r}.")
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        currency = options["currency"] or merchant.currency
        self.written = self.known = 0
        try:
            self._read(file, merchant, group, currency, options["limit"], options["verbosity"])
        except BadLine as error:
            raise CommandError(
                f"{file}:{error.number}: the line {error}. Before it: {self.written:,} written,"
                f" {self.known:,} here already. Mend it and run again."
            ) from error
        self.stdout.write(f"{self.written:,} listings written, {self.known:,} here already.")

    def _read(
        self,
        file: Path,
        merchant: Merchant,
        group: Group | None,
        currency: str,
        limit: int | None,
        verbosity: int,
    ) -> None:
        brands = brands_in(file)
        batch: list[tuple[int, ListingFields]] = []
        bar = tqdm(
            total=file.stat().st_size, unit="B", unit_scale=True, disable=verbosity == 0, leave=True
        )
        with bar:
            try:
                for rows, (number, line) in enumerate(lines(file)):
                    if limit is not None and rows >= limit:
                        break
                    row = read_row(number, line)
                    batch.append(
                        (number, listing_fields(number, row, currency=currency, brands=brands))
                    )
                    if len(batch) == BATCH:
                        self._take(merchant, group, batch)
                        batch = []
                    bar.update(len(line))
            except BadLine:
                # The good lines before the broken one count.
                self._take(merchant, group, batch)
                raise
            self._take(merchant, group, batch)

    def _take(
        self, merchant: Merchant, group: Group | None, batch: list[tuple[int, ListingFields]]
    ) -> None:
        try:
            written, known = take_in(
                merchant=merchant, group=group, rows=[fields for _, fields in batch]
            )
        except FeedRefused as refusal:
            before, (number, _) = batch[: refusal.row], batch[refusal.row]
            self._take(merchant, group, before)
            raise BadLine(number, f"is refused: {refusal}") from refusal
        self.written += written
        self.known += known
