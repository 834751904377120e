"""`manage.py rehearse FOLDER`: the main job on real input, and whether the figures are right."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from tqdm import tqdm

from commerce.connectors.models import Delivery, DeliveryState
from commerce.connectors.services import open_endpoint
from commerce.merchants.models import Merchant
from commerce.orders.models import Order, Refund
from commerce.placements.models import Placement
from commerce.touchpoints.models import NotCounted, Touchpoint
from community.members.models import Member
from community.threads.models import Post, Thread
from config.models import OutboxEvent, State
from config.outbox import drain
from config.rehearsal import readers, shops, stage
from config.rehearsal.dashboard import UnreadablePage, read_dashboard
from config.rehearsal.log import Log, read_log
from config.rehearsal.sums import KINDS, Sold, Sums, count_sent, reckon

T = TypeVar("T")
Rows = list[tuple[str, str, str]]

POSTS = 40
# As many readers to a click as 120 are to 500.
CLICKS_A_READER = 500 / 120
STORED = {
    "counted": NotCounted.NO,
    "bot": NotCounted.BOT,
    "prefetch": NotCounted.PREFETCH,
    "repeat": NotCounted.REPEAT,
}


class Command(BaseCommand):
    help = (
        "Rehearse the main job on real input: bring in the Stack Exchange folders FOLDER/threads/*"
        " and the feeds FOLDER/listings/*.ndjson (each twice: the second run must change nothing),"
        " link, let members publish posts that name listings, send clicks through the redirect and"
        " signed orders to the endpoint, and compare what the merchants' pages show with a sum"
        " over the log of what was sent. Exits 1 on any difference. Without DATABASE_URL it runs"
        " on a database of its own that is gone afterwards; with it, on an empty one,"
        " with SHOAL_MODE=test: never on one that has members, never in production."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, nargs="?", help="has threads/ and listings/")
        parser.add_argument("--clicks", type=int, default=500, metavar="N")
        parser.add_argument("--orders", type=int, default=200, metavar="N")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="of all choices")
        parser.add_argument(
            "--log", type=Path, help="where to log what is sent (a new file in /tmp)"
        )
        parser.add_argument(
            "--compare",
            type=Path,
            metavar="LOG",
            help="only compare this log with what the database and its pages say now",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Bars are for people at a terminal.
        self.quiet: bool = options["verbosity"] == 0 or not sys.stderr.isatty()
        if settings.MODE != "test":
            raise CommandError(
                "A rehearsal writes members, clicks and orders that nobody made: it runs with"
                " SHOAL_MODE=test and an empty database, never in production."
            )
        if options["compare"]:
            self._compare(options["compare"])
            return
        if Member.objects.exists():
            raise CommandError(
                "This database has members; a rehearsal wants an empty one that can be thrown away."
            )
        folder: Path | None = options["folder"]
        if (
            folder is None
            or not (folder / "threads").is_dir()
            or not (folder / "listings").is_dir()
        ):
            raise CommandError("Name a FOLDER with threads/ and listings/ in it.")
        began = time.monotonic()
        try:
            log = self._rehearse(
                folder, options["clicks"], options["orders"], options["seed"], options["log"]
            )
        except (readers.Surprise, stage.TooFewListings) as surprise:
            raise CommandError(str(surprise)) from surprise
        self._compare(log)
        self.stdout.write(f"All of it took {time.monotonic() - began:.1f} s.")

    # -- the stages ---------------------------------------------------------------------------

    def _rehearse(
        self, folder: Path, clicks: int, orders: int, seed: int, log_file: Path | None
    ) -> Path:
        # Choices that anybody can repeat, and nothing secret.
        rng = random.Random(seed)  # noqa: S311
        dumps, feeds = stage.open_doors(folder)
        with self._stage("Importing"):
            self._import(dumps, feeds)
        with self._stage("Importing the same again"):
            before = stage.take_picture()
            self._import(dumps, feeds)
            after = stage.take_picture()
            self._say(
                f"{before.rows:,} rows in {before.tables} tables before, {after.rows:,} after;"
                f" SHA-256 {before.digest[:16]}… before, {after.digest[:16]}… after"
            )
            if before != after:
                raise CommandError("The second import changed something.")
        with self._stage("Linking all imported posts"):
            self._call("link_threads")
            placements = Placement.objects.count()
            handled = self._drain()
            self._say(f"{handled:,} events handled afterwards")
            if Placement.objects.count() != placements:
                raise CommandError("The posts' own events linked otherwise than the job did.")
        merchants = [Merchant.objects.get(slug=feed.merchant) for feed in feeds]
        with self._stage(f"{POSTS} posts that name listings"):
            self._publish(rng, merchants)
        log = Log(log_file or _new_file())
        with self._stage(f"{clicks} clicks"):
            self._click(rng, clicks, log)
        with self._stage(f"{orders} orders"):
            self._order(rng, merchants, orders, log)
        return log.path

    def _import(self, dumps: list[stage.Dump], feeds: list[stage.Feed]) -> None:
        for dump in dumps:
            self._say(f"{dump.folder.name}:")
            self._call("import_stackexchange", dump.folder, group=dump.group, host=[dump.host])
        for feed in feeds:
            self._say(f"{feed.file.name}:")
            self._call("import_listings", feed.file, merchant=feed.merchant)

    def _publish(self, rng: random.Random, merchants: list[Merchant]) -> None:
        named = stage.publish_posts(rng, merchants, POSTS)
        self._drain()
        for way, became in stage.what_became_of(named).items():
            self._say(
                f"{way:<22} {became.total():>3} named: {became['linked']} linked,"
                f" {became['suggested']} suggested, {became['nothing']} nothing"
            )
        posts = Post.objects.filter(pk__in=[each.post_id for each in named])
        threads = Thread.objects.filter(posts__in=posts).distinct().count()
        shown = Placement.objects.shown().filter(post__in=posts)
        self._say(f"{len(named)} posts in {threads} threads; {shown.count()} cards beside them")

    def _click(self, rng: random.Random, count: int, log: Log) -> None:
        cards, placed = readers.find_cards()
        in_threads = [card for card in cards if card.thread]
        self._say(
            f"{len(in_threads)} of {placed} cards found on their threads' pages, and"
            f" {len(cards) - len(in_threads)} links on listings' own pages"
        )
        if len(in_threads) != placed or not cards:
            raise CommandError("A card that should stand on its thread's page does not.")
        rng.shuffle(cards)
        people = readers.make_readers(max(20, round(count / CLICKS_A_READER)))
        kinds = readers.click(rng, people, cards, count, log, self._bar(count, "click"))
        remembered = sum(reader.consent == "yes" for reader in people)
        bots = sum(reader.bot for reader in people)
        self._say(
            f"{len(people)} readers: {remembered} with consent,"
            f" {sum(bool(reader.member) for reader in people)} of them signed in,"
            f" {len(people) - remembered - bots} without, {bots} bots"
        )
        self._say(", ".join(f"{kinds[kind]} {kind}" for kind in KINDS))

    def _order(self, rng: random.Random, merchants: list[Merchant], count: int, log: Log) -> None:
        selling = []
        for merchant in merchants:
            keeper = merchant.team.select_related("member").order_by("pk")[0].member
            endpoint, secret = open_endpoint(merchant=merchant, by=keeper)
            listings = readers.listings_of(merchant.slug)
            selling.append(shops.Shop(merchant, endpoint, secret, listings, keeper.handle))
            log.write("team", merchant=merchant.slug, members=[keeper.handle])
        clicks = [entry for entry in read_log(log.path) if entry["what"] == "click"]
        plan = shops.plan_orders(rng, selling, clicks, count)
        half = len(plan.posts) // 2
        handled = 0
        known: set[tuple[str, str]] = set()
        # In two halves, so that some of what comes finds credits already written.
        for part in (plan.posts[:half], plan.posts[half:]):
            shops.send(part, log, known, self._bar(len(part), "delivery"))
            handled += self._drain()
        self._say(
            f"{len(plan.posts)} deliveries: {plan.orders} orders, {plan.refunds} refunds"
            f" ({plan.refunds_before_their_order} before their order), {plan.cancelled}"
            f" cancellations, {plan.updated} changes, {plan.again} sent again;"
            f" {handled:,} events handled"
        )

    # -- comparing ----------------------------------------------------------------------------

    def _compare(self, log: Path) -> None:
        with self._stage("Comparing"):
            stored = _stored(log)
            shown: Rows = []
            try:
                for slug, sent in sorted(reckon(read_log(log)).items()):
                    page = read_dashboard(Merchant.objects.get(slug=slug))
                    shown += _figures(slug, sent, page)
            except (UnreadablePage, Merchant.DoesNotExist) as error:
                raise CommandError(str(error)) from error
            self._say(f"the log is {log}")
        differ = self._table("stored", stored) + self._table("dashboard", shown)
        total = len(stored) + len(shown)
        if differ:
            raise CommandError(f"{differ} of {total} figures differ.")
        self.stdout.write(self.style.SUCCESS(f"All {total} figures are equal."))

    def _table(self, against: str, rows: Rows) -> int:
        """Write `figure | sent | … | equal` and return how many differ."""
        head = ("figure", "sent", against, "equal")
        lines = [(*row, "yes" if row[1] == row[2] else "NO") for row in rows]
        widths = [max(len(line[column]) for line in [head, *lines]) for column in range(4)]
        self.stdout.write("")
        for line in (head, tuple("-" * width for width in widths), *lines):
            name, sent, found, equal = line
            self.stdout.write(
                f"{name:<{widths[0]}} | {sent:>{widths[1]}} | {found:>{widths[2]}} | {equal}"
            )
        self.stdout.write("")
        return sum(row[1] != row[2] for row in rows)

    # -- saying and doing ---------------------------------------------------------------------

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.stdout.write(self.style.MIGRATE_HEADING(name))
        began = time.monotonic()
        yield
        self._say(f"{time.monotonic() - began:.1f} s")

    def _say(self, words: str) -> None:
        self.stdout.write(f"  {words}")

    def _call(self, command: str, *args: Any, **options: Any) -> None:
        """Run one of our commands as it is, with its own progress; what it prints goes below."""
        said = StringIO()
        options["verbosity"] = 0 if self.quiet else 1
        call_command(command, *args, stdout=said, **options)
        for line in said.getvalue().splitlines():
            self._say(f"  {line}")

    def _bar(self, total: int, unit: str) -> Callable[[Iterable[T]], Iterable[T]]:
        return lambda rows: tqdm(rows, total=total, unit=f" {unit}", disable=self.quiet)

    def _drain(self) -> int:
        """Run what the outbox holds until nothing is due; return how many events were handled."""
        handled = 0
        with tqdm(desc="Outbox", unit=" events", disable=self.quiet) as bar:
            while taken := drain(limit=50):
                handled += taken
                bar.update(taken)
        return handled


def _new_file() -> Path:
    with tempfile.NamedTemporaryFile(
        prefix="shoal-rehearsal-", suffix=".ndjson", delete=False
    ) as file:
        return Path(file.name)


def _stored(log: Path) -> Rows:
    """What of the log is in the database, and that nothing waits or was given up."""
    sent = count_sent(read_log(log))
    touches = dict(
        Touchpoint.objects.order_by().values_list("not_counted").annotate(count=Count("pk"))
    )
    unfinished = Delivery.objects.exclude(state=DeliveryState.PROCESSED).count()
    rows = [
        *((f"clicks: {kind}", sent.clicks[kind], touches.get(STORED[kind], 0)) for kind in KINDS),
        ("deliveries", sent.deliveries, Delivery.objects.count()),
        ("deliveries not processed", 0, unfinished),
        ("orders", sent.orders, Order.objects.count()),
        ("refunds", sent.refunds, Refund.objects.count()),
        ("events not handled", 0, OutboxEvent.objects.exclude(state=State.DONE).count()),
    ]
    return [(name, f"{due:,}", f"{found:,}") for name, due, found in rows]


def _figures(slug: str, sent: Sums, page: Sums) -> Rows:
    """Pair the figures of a merchant: from the log, and as its pages show them."""

    def attributed(sums: Sums) -> int:
        return sums.direct + sums.halo

    rows = [
        ("GMV", _dollars(sent.gmv), _dollars(page.gmv)),
        ("net GMV", _dollars(sent.net_gmv), _dollars(page.net_gmv)),
        ("attributed GMV", _dollars(attributed(sent)), _dollars(attributed(page))),
        ("direct", _dollars(sent.direct), _dollars(page.direct)),
        ("halo", _dollars(sent.halo), _dollars(page.halo)),
        ("unattributed", _dollars(sent.unattributed), _dollars(page.unattributed)),
        ("orders", f"{sent.orders:,}", f"{page.orders:,}"),
        ("orders after a click", f"{sent.credited_orders:,}", f"{page.credited_orders:,}"),
        ("clicks", f"{sent.clicks:,}", f"{page.clicks:,}"),
        ("places that sold", f"{len(sent.places):,}", f"{len(page.places):,}"),
    ]
    for thread in sorted({*sent.places, *page.places}, key=lambda each: each or 0):
        name = f"thread {thread}" if thread else "listings' own pages"
        rows.append((name, _sold(sent.places.get(thread)), _sold(page.places.get(thread))))
    return [(f"{slug}: {name}", due, found) for name, due, found in rows]


def _sold(sold: Sold | None) -> str:
    if sold is None:
        return "nothing"
    return (
        f"{sold.clicks} clicks, {sold.orders} orders,"
        f" {_dollars(sold.gross)}, {_dollars(sold.net)} net"
    )


def _dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"
