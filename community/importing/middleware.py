"""A domain that moved here: everything asked of it is answered by our own address of it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase

Respond = Callable[[HttpRequest], HttpResponseBase]


class OldHostsMiddleware:
    """Send what is asked of settings.OLD_HOSTS to `/old/<host>/…` under SITE_URL.

    Nothing is looked up here: who asks is known only under our own name, where the cookie is.
    """

    def __init__(self, get_response: Respond) -> None:
        if not settings.OLD_HOSTS:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self.hosts = frozenset(host.lower() for host in settings.OLD_HOSTS)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        host = split_domain_port(request.get_host())[0]
        if host not in self.hosts:
            return self.get_response(request)
        return HttpResponsePermanentRedirect(
            f"{settings.SITE_URL}/old/{host}{request.get_full_path()}"
        )
