"""Make what the site reads of its catalogues: .mo files, and modules for scripts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.words import ROOT, catalogues, made_of


class Command(BaseCommand):
    help = "Write the .mo files and static/js/words/*.js from locale/**/*.po."

    def handle(self, **options: Any) -> None:
        for path in catalogues():
            for made, content in made_of(path).items():
                made.write_bytes(content)
                self.stdout.write(str(made.relative_to(ROOT)))
