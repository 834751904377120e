"""Run the outbox by hand, or as the child of a Celery worker."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config import outbox
from config.drainer import Drainer


class Command(BaseCommand):
    help = "Run the events that are due in the outbox."
    # The worker that starts us has made them.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--queue", action="append", choices=settings.OUTBOX_QUEUES, help="all queues if missing"
        )
        parser.add_argument("--follow", action="store_true", help="go on until stopped")
        parser.add_argument("--parent", type=int, help="end when this process is gone")

    def handle(self, *args: Any, **options: Any) -> None:
        queues = options["queue"] or list(settings.OUTBOX_QUEUES)
        if options["follow"]:
            Drainer(queues, parent=options["parent"]).run()
            return
        taken = 0
        for queue in queues:
            while count := outbox.drain(queue=queue):
                taken += count
        self.stdout.write(f"{taken} events taken.")
