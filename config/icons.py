"""Lucide's icon tag: pages name their icons, whose shapes come once, in one file.

A thread's page shows a hundred icons of some twenty shapes. Those that templates name stand in
SPRITE, which browsers keep (config/bundles.py writes it); others are drawn where they are. An icon
that is fixed in its template is drawn once a process.
Settings put this library in the place of the package's own `{% load lucide %}`.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from django import template
from django.conf import settings
from django.template import Context, Node, Variable
from django.template.base import FilterExpression, Parser, Token
from django.template.library import SimpleNode
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags import lucide as package

register = template.Library()

SPRITE: Final = "i.svg"  # short: a page names it some sixty times
NAMED: Final = re.compile(r'(?:{% lucide |icon=)"([a-z0-9-]+)"')
WHOLE: Final = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


@cache
def named() -> frozenset[str]:
    """Every icon that a template names."""
    pages = (Path(settings.BASE_DIR) / "templates").rglob("*.html")
    return frozenset(
        name for page in pages for name in NAMED.findall(page.read_text(encoding="utf-8"))
    )


def sprite() -> str:
    """Write the file of shapes. Colour and width of lines are those of where it is shown."""
    shapes = []
    for name in sorted(named()):
        found = WHOLE.search(package._render_icon(name, None))
        lines = (found[1] if found else "").split("\n")
        shape = "".join(line.strip() for line in lines)
        shapes.append(
            f'<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
            f' stroke-linecap="round" stroke-linejoin="round">{shape}</symbol>'
        )
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(shapes)}</svg>\n'


@lru_cache(maxsize=2_000)
def _drawn(name: str, size: int | None, attributes: tuple[tuple[str, str], ...]) -> SafeString:
    if name not in named():
        return _whole(name, size, attributes)
    said = [(key.replace("_", "-"), value) for key, value in attributes]
    if size is not None:
        said = [("width", str(size)), ("height", str(size)), ("stroke-width", "2"), *said]
    return format_html(
        '<svg{}><use href="{}#{}"/></svg>',
        format_html_join("", ' {}="{}"', said),
        static(SPRITE),
        name,
    )


def draw(name: str, *, size: int | None = 24, **attributes: object) -> SafeString:
    """Draw the icon `name`, `size` pixels a side (None leaves the size to CSS)."""
    told = tuple((key, str(value)) for key, value in attributes.items())
    try:
        return _drawn(name, size, told)
    except ValueError:  # the static files were not gathered yet: seeding draws chat messages
        return _whole(name, size, told)


def _whole(name: str, size: int | None, attributes: tuple[tuple[str, str], ...]) -> SafeString:
    return mark_safe(package._render_icon(name, size, **dict(attributes)))


# Compiled like any simple tag; what is fixed in the template is then drawn once.
_plain = template.Library()
_plain.simple_tag(draw, name="lucide")


@register.tag
def lucide(parser: Parser, token: Token) -> Node:
    """`{% lucide "tag" size=None class="i" %}`, see `draw`."""
    node: SimpleNode = _plain.tags["lucide"](parser, token)
    if node.target_var or not all(map(_is_fixed, (*node.args, *node.kwargs.values()))):
        return node
    return _FixedNode(node)


class _FixedNode(Node):
    """An icon that is the same whenever its template is drawn."""

    def __init__(self, node: SimpleNode) -> None:
        self.node = node

    def render(self, context: Context) -> SafeString:
        # Not sooner: templates are read before the addresses of files are known.
        if not hasattr(self, "drawn"):
            self.drawn = mark_safe(self.node.render(Context()))
        return self.drawn


def _is_fixed(value: FilterExpression) -> bool:
    var = value.var
    return not value.filters and (
        not isinstance(var, Variable) or var.lookups is None or var.var in ("None", "True", "False")
    )
