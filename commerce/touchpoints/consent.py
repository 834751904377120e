"""What a reader chose about being remembered, kept in one cookie of their own browser.

Nobody is remembered before they agreed. The choice is asked again after CHOICE_AGE_SECONDS; the
visitor cookie lives settings.VISITOR_COOKIE_AGE from the day it was first set and is not renewed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

CHOICE_AGE_SECONDS: Final = 182 * 24 * 3600


class Choice(StrEnum):
    YES = "yes"
    NO = "no"


def choice_of(request: HttpRequest) -> Choice | None:
    """Return what this browser chose, None if it was not asked yet."""
    return read_choice(request.COOKIES.get(settings.CONSENT_COOKIE_NAME, ""))


def read_choice(said: str) -> Choice | None:
    try:
        return Choice(said)
    except ValueError:
        return None


def should_ask(request: HttpRequest) -> bool:
    """Whether to show the bar: not to those who chose, nor to those whose browser says no
    to everybody (Global Privacy Control). They may still agree on the privacy page."""
    return choice_of(request) is None and request.headers.get("Sec-GPC") != "1"


def visitor_id_of(request: HttpRequest) -> UUID | None:
    """Return the visitor id this browser brings, only if it agreed to having one."""
    if choice_of(request) is not Choice.YES:
        return None
    return cookie_visitor_id(request)


def cookie_visitor_id(request: HttpRequest) -> UUID | None:
    """Return the visitor id in the cookie, consent or not: for forgetting it."""
    try:
        return UUID(request.COOKIES.get(settings.VISITOR_COOKIE_NAME, ""))
    except ValueError:
        return None


def remember_choice(response: HttpResponseBase, choice: Choice) -> None:
    _set(response, settings.CONSENT_COOKIE_NAME, choice.value, CHOICE_AGE_SECONDS)


def remember_visitor(response: HttpResponseBase, visitor_id: UUID) -> None:
    _set(response, settings.VISITOR_COOKIE_NAME, str(visitor_id), settings.VISITOR_COOKIE_AGE)


def forget_visitor_cookie(response: HttpResponseBase) -> None:
    _set(response, settings.VISITOR_COOKIE_NAME, "", 0)


def _set(response: HttpResponseBase, name: str, value: str, age: int) -> None:
    # A deletion carries the same attributes: browsers refuse a __Host- cookie without Secure.
    response.set_cookie(
        name, value, max_age=age, path="/", secure=settings.HTTPS, httponly=True, samesite="Lax"
    )
