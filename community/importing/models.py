from __future__ import annotations

from django.db import models
from django.utils import timezone


class ImportedRecord(models.Model):
    """What an outside row became here, so that a second run knows it."""

    source = models.CharField(max_length=80)
    kind = models.CharField(max_length=20)
    external_id = models.CharField(max_length=80)
    object_id = models.BigIntegerField()
    imported_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "kind", "external_id"], name="imported_once")
        ]
