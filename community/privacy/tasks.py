"""Copies and erasures, a stretch at a time."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from community.privacy import erasing, exporting


@shared_task(name="default.make_export")
def make_export(export_id: str) -> None:
    """Work on one copy; when more is left, hand it on."""
    if not exporting.make(UUID(export_id)):
        make_export.delay(export_id)


@shared_task(name="default.erase_member")
def erase_member(erasure_id: int) -> None:
    """Work on one erasure; when more is left, hand it on."""
    if not erasing.erase(erasure_id):
        erase_member.delay(erasure_id)


@shared_task(name="default.tend_privacy")
def tend_privacy() -> None:
    """Hand out what waits for a worker: what is new, what is due, and what a crash left behind."""
    for export_id in exporting.due():
        make_export.apply_async((str(export_id),), expires=60)
    for erasure_id in erasing.due():
        erase_member.apply_async((erasure_id,), expires=60)


@shared_task(name="default.forget_exports")
def forget_exports() -> None:
    """Delete copies whose week is over."""
    exporting.forget_expired()
