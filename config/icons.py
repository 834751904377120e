"""Lucide's icon tag, drawing each icon once a process.

The package builds an icon's XML anew on every use; a thread page shows a hundred of some twenty.
Settings put this library in the place of the package's own `{% load lucide %}`.
"""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags import lucide as package

register = template.Library()


@lru_cache(maxsize=2_000)
def _drawn(name: str, size: int | None, attributes: tuple[tuple[str, str], ...]) -> SafeString:
    return mark_safe(package._render_icon(name, size, **dict(attributes)))


@register.simple_tag
def lucide(name: str, *, size: int | None = 24, **attributes: object) -> SafeString:
    """Draw the icon `name`, `size` pixels a side (None leaves the size to CSS)."""
    return _drawn(name, size, tuple((key, str(value)) for key, value in attributes.items()))
