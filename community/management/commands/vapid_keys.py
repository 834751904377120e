"""`manage.py vapid_keys`: a new key for web push, as lines of the environment."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from community.notifications.push import new_private_key, public_key


class Command(BaseCommand):
    help = "Make a key for web push. Browsers that subscribed under another key are lost with it."

    def handle(self, *args: Any, **options: Any) -> None:
        private = new_private_key()
        self.stdout.write(f"VAPID_PRIVATE_KEY={private}")
        self.stdout.write(f"# What browsers are told: {public_key(private)}")
        self.stdout.write("# Also set VAPID_CONTACT=mailto:you@your.example")
