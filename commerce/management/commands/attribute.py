"""`manage.py attribute --merchant SLUG`: reckon a merchant's credits anew, or weigh them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from commerce.attribution.balance import Totals, weigh
from commerce.attribution.errors import AttributionFault
from commerce.attribution.services import attribute_all, current_run
from commerce.merchants.models import Merchant
from config.money import in_words


class Command(BaseCommand):
    help = (
        "Reckon all orders of a merchant into a new run of credits and make it the current one, if"
        " it adds up to the net value of the orders. Orders may keep coming in meanwhile. With"
        " --check the current run is weighed and nothing is written."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--merchant", metavar="SLUG")
        whose.add_argument("--all", action="store_true", help="every merchant with orders")
        parser.add_argument("--check", action="store_true", help="weigh, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        merchants = Merchant.objects.order_by("slug")
        if options["all"]:
            merchants = merchants.filter(orders__isnull=False).distinct()
        else:
            merchants = merchants.filter(slug=options["merchant"])
            if not merchants:
                raise CommandError(f"There is no merchant {options['merchant']!r}.")
        for merchant in merchants:
            if options["check"]:
                self._check(merchant)
            else:
                self._reckon(merchant, quiet=options["verbosity"] == 0)

    def _reckon(self, merchant: Merchant, *, quiet: bool) -> None:
        with tqdm(desc=merchant.slug, unit=" orders", disable=quiet) as bar:

            def progress(done: int, orders: int) -> None:
                bar.total = orders
                bar.update(done - bar.n)

            try:
                run = attribute_all(merchant, on_progress=progress)
            except AttributionFault as fault:
                raise CommandError(f"{merchant}: {fault} The run before stays current.") from fault
        self._say(merchant, weigh(run).totals)
        self.stdout.write(f"Run {run.pk} is current.")

    def _check(self, merchant: Merchant) -> None:
        run = current_run(merchant)
        if run is None:
            self.stdout.write(f"{merchant}: no run yet.")
            return
        balance = weigh(run)
        self._say(merchant, balance.totals)
        if balance.off:
            shown = ", ".join(str(order_id) for order_id in balance.off[:10])
            raise CommandError(
                f"{merchant}: {len(balance.off)} orders do not add up in run {run.pk}: {shown}."
            )
        self.stdout.write(f"Run {run.pk} adds up.")

    def _say(self, merchant: Merchant, totals: list[Totals]) -> None:
        for each in totals:
            net, direct, halo, rest = (
                in_words(minor, each.currency)
                for minor in (
                    *(each.net_gmv_minor, each.direct_minor),
                    *(each.halo_minor, each.unattributed_minor),
                )
            )
            self.stdout.write(
                f"{merchant}: {each.order_count:,} orders,"
                f" {net} net = {direct} direct + {halo} halo + {rest} unattributed"
            )
