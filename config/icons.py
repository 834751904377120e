"""Lucide's icon tag, drawing each icon once a process.

The package builds an icon's XML anew on every use; a thread page shows a hundred of some twenty.
An icon that is fixed in its template becomes text of the template.
Settings put this library in the place of the package's own `{% load lucide %}`.
"""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.template import Context, Node, Variable
from django.template.base import FilterExpression, Parser, TextNode, Token
from django.template.library import SimpleNode
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags import lucide as package

register = template.Library()


@lru_cache(maxsize=2_000)
def _drawn(name: str, size: int | None, attributes: tuple[tuple[str, str], ...]) -> SafeString:
    return mark_safe(package._render_icon(name, size, **dict(attributes)))


def draw(name: str, *, size: int | None = 24, **attributes: object) -> SafeString:
    """Draw the icon `name`, `size` pixels a side (None leaves the size to CSS)."""
    return _drawn(name, size, tuple((key, str(value)) for key, value in attributes.items()))


# Compiled like any simple tag; what is fixed in the template is then drawn once, as its text.
_plain = template.Library()
_plain.simple_tag(draw, name="lucide")


@register.tag
def lucide(parser: Parser, token: Token) -> Node:
    """`{% lucide "tag" size=None class="i" %}`, see `draw`."""
    node: SimpleNode = _plain.tags["lucide"](parser, token)
    if node.target_var or not all(map(_is_fixed, (*node.args, *node.kwargs.values()))):
        return node
    return TextNode(node.render(Context()))


def _is_fixed(value: FilterExpression) -> bool:
    var = value.var
    return not value.filters and (
        not isinstance(var, Variable) or var.lookups is None or var.var in ("None", "True", "False")
    )
