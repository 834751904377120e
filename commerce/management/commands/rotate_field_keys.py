"""Bring every stored secret to the newest of FIELD_KEYS, after which the older keys can go."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commerce.connectors.errors import SecretUnreadable
from commerce.connectors.models import Endpoint
from commerce.connectors.services import rotate_field_key


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        changed, unreadable = 0, []
        for pk in Endpoint.objects.order_by("pk").values_list("pk", flat=True).iterator():
            try:
                changed += rotate_field_key(pk)
            except SecretUnreadable:
                unreadable.append(pk)
        self.stdout.write(f"{changed} endpoints brought to the newest key.")
        if unreadable:
            raise CommandError(
                f"{len(unreadable)} endpoints have secrets that none of FIELD_KEYS reads:"
                f" {', '.join(map(str, unreadable))}. Add the key they were written with."
            )
