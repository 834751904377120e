"""Where the emoji of the page's language are."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.utils.translation import get_language

from config.emojis import emoji_address

register = template.Library()


@register.simple_tag
def emoji_url() -> str:
    """Return the address of the emoji by name, for the composer."""
    return emoji_address(get_language() or settings.LANGUAGE_CODE)
