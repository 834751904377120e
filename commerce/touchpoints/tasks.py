from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from commerce.touchpoints.services import forget_old_ties


@shared_task(name="default.forget_old_ties")
def forget_old_touchpoint_ties() -> None:
    """Keep the privacy page's promise: after 13 months a click is tied to nobody."""
    forget_old_ties(timezone.now())
