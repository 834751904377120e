"""Which language a page speaks.

In this order: the one chosen in the footer of this browser (a cookie), the one the member keeps,
what the browser asks for (Accept-Language), English. Letters speak their reader's: `speaking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers

# As pages and browsers' Intl write them. Our English is British.
TAGS: Final = {"en": "en-GB", "zh-hans": "zh-Hans"}

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def language_tag(code: str | None = None) -> str:
    """Return the BCP 47 tag of a language of ours (the active one by default): `zh-Hans`."""
    code = code or translation.get_language() or settings.LANGUAGE_CODE
    return TAGS.get(code, code)


def is_ours(code: str | None) -> bool:
    """Whether the site speaks the language with this code of settings.LANGUAGES."""
    return code in dict(settings.LANGUAGES)


def chosen_language(request: HttpRequest) -> str | None:
    """Return what was chosen in this browser; None when nothing was."""
    code = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
    return code if is_ours(code) else None


def language_of(request: HttpRequest, person: object) -> str:
    """Return the language to speak to whoever asks; `person` is the member, if they are one."""
    kept = getattr(person, "language", "")
    return (
        chosen_language(request)
        or (kept if is_ours(kept) else None)
        or translation.get_language_from_request(request)
    )


def language_of_socket(scope: Mapping[str, Any]) -> str:
    """Return the language to speak through a socket: that of the page which opened it."""
    asked = HttpRequest()
    asked.COOKIES = scope.get("cookies") or {}
    headers = dict(scope.get("headers") or ())
    asked.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", b"").decode("latin-1")
    return language_of(asked, scope.get("user"))


@contextmanager
def speaking(person: object) -> Iterator[None]:
    """Speak the language a member keeps, for what is written to them later; else English."""
    kept = getattr(person, "language", "")
    with translation.override(kept if is_ours(kept) else settings.LANGUAGE_CODE):
        yield


def wordless(view: V) -> V:
    """Mark a view that answers without words, such as pictures: it needs no reader's language."""
    view.wordless = True  # type: ignore[attr-defined]
    return view


class LanguageMiddleware(LocaleMiddleware):
    """Django's, with what the member keeps between the cookie and Accept-Language.

    It stands above whatever may answer with a page; the member is looked up only once it is clear
    which view answers, when no cookie has settled the matter.
    """

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        if chosen_language(request) or getattr(view, "wordless", False):
            return
        code = language_of(request, request.user)
        translation.activate(code)
        request.LANGUAGE_CODE = code

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Say that the page depends on cookies and Accept-Language; a picture does not."""
        if response.get("Content-Type", "").startswith("image/"):
            return response
        answer: HttpResponseBase = super().process_response(request, response)
        patch_vary_headers(answer, ("Cookie",))
        return answer
