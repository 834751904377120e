"""What a page asks about the reader's choice to be remembered."""

from __future__ import annotations

from typing import Any

from django import template

from commerce.touchpoints.consent import should_ask

register = template.Library()


@register.simple_tag(takes_context=True)
def ask_consent(context: dict[str, Any]) -> bool:
    """Whether to show the consent bar; False on a page that asks itself (`asks_consent`), and
    where there is no request (an error page)."""
    request = context.get("request")
    return request is not None and not context.get("asks_consent") and should_ask(request)
