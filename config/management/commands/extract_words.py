"""Bring the catalogues up to what the code says."""

from __future__ import annotations

from typing import Any

import polib
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import to_locale

from config.words import DOMAINS, LOCALE, catalogues, faults, take_up

# GNU gettext's own, for the languages whose texts have one form whatever the count.
_ONE_FORM = "nplurals=1; plural=0;"
_TWO_FORMS = "nplurals=2; plural=(n != 1);"


class Command(BaseCommand):
    help = "Add the texts of templates, Python and scripts to locale/, and take out those gone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--language", help="begin the catalogues of a language, like zh-hans")

    def handle(self, *, language: str | None = None, **options: Any) -> None:
        if language:
            self.begin(language)
        for path in catalogues():
            catalogue = polib.pofile(str(path), wrapwidth=100)
            take_up(catalogue, path.stem)
            catalogue.save()
            left = [fault for fault in faults(catalogue, path.stem) if fault.startswith("not ")]
            self.stdout.write(f"{path.relative_to(LOCALE)}: {len(catalogue)}, {len(left)} to do")

    def begin(self, language: str) -> None:
        one = language.partition("-")[0] in ("id", "ja", "ko", "ms", "th", "vi", "zh")
        for domain in DOMAINS:
            path = LOCALE / to_locale(language) / "LC_MESSAGES" / f"{domain}.po"
            if path.exists():
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            catalogue = polib.POFile(wrapwidth=100)
            catalogue.metadata = {
                "Project-Id-Version": "Shoal",
                "Language": to_locale(language),
                "MIME-Version": "1.0",
                "Content-Type": "text/plain; charset=UTF-8",
                "Content-Transfer-Encoding": "8bit",
                "Plural-Forms": _ONE_FORM if one else _TWO_FORMS,
            }
            catalogue.save(str(path))
