"""Sending what is due, by the clock."""

from __future__ import annotations

from celery import shared_task

from community.notifications.delivery import send_due
from community.notifications.digest import plan_due
from community.notifications.models import Channel
from community.notifications.services import forget_old as forget


@shared_task(name="mail.send_emails")
def send_emails() -> None:
    """Send the letters that are due, for about 40 seconds at most."""
    send_due(Channel.EMAIL)


@shared_task(name="mail.send_pushes")
def send_pushes() -> None:
    """Push what is due, for about 40 seconds at most."""
    send_due(Channel.PUSH)


@shared_task(name="mail.plan_digests")
def plan_digests() -> None:
    """Plan the digests of members for whom it is eight in the morning."""
    plan_due()


@shared_task(name="mail.forget_old")
def forget_old() -> None:
    """Delete what was read, sent or came in half a year ago."""
    forget()
