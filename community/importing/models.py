from __future__ import annotations

from typing import Self

from django.db import models
from django.utils import timezone

SITE = "site"


class ImportedRecordQuerySet(models.QuerySet["ImportedRecord"]):
    def of_site(self, site: str) -> Self:
        """The imports whose addresses stood under `site`, a host or an import's own name.

        `external_id` is the source of each, `kind` its style of addresses.
        """
        return self.filter(source=site_key(site))


class ImportedRecord(models.Model):
    """What an outside row became here, so that a second run knows it.

    Kinds: user, username, room, post, comment, and by which further name an address may know a
    post (place: Discourse's `topic/number`; thread: phpBB's topic). Rows of the source
    `site <host>` say which imports answer for a host's addresses.
    """

    source = models.CharField(max_length=80)
    kind = models.CharField(max_length=20)
    external_id = models.CharField(max_length=80)
    object_id = models.BigIntegerField()
    imported_at = models.DateTimeField(default=timezone.now)

    objects = ImportedRecordQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "kind", "external_id"], name="imported_once")
        ]


def site_key(site: str) -> str:
    return f"{SITE} {site.lower()}"[:80]
