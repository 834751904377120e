"""Templates drawn once, with holes: what stands still of them is kept, what differs is drawn anew.

`{% anew %}...{% endanew %}` marks in a template what is drawn for each reader. Everything around it
is told a few facts (words, numbers) and nothing else: no request, no member, no token. Those facts
and the language are its key among the pieces (config/pieces.py), so there is nothing to purge. A
template drawn in the ordinary way shows both as if the marks were not there.
See docs/decisions/cached-pieces.md.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Hashable, Mapping
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import Context, Node, NodeList
from django.template.base import Parser, Template, Token
from django.template.context import make_context
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe

from config.pieces import Key, pieces

# In the context of what is drawn once.
HOLES: Final = "leaves_holes"
# Of this process alone, so that nobody writes a hole into a title.
_MARK: Final = secrets.token_hex(8)
_HOLE: Final = re.compile(rf"<{_MARK}-(\d+)>")

_numbers = itertools.count()
_drawn_anew: dict[int, NodeList] = {}  # one for each `{% anew %}` of the templates in use


class AnewNode(Node):
    """Draws what is in it, or leaves a hole for it."""

    child_nodelists = ("nodelist",)

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self.number = next(_numbers)
        _drawn_anew[self.number] = nodelist

    def render(self, context: Context) -> SafeString:
        if HOLES in context:
            return mark_safe(f"<{_MARK}-{self.number}>")
        return self.nodelist.render(context)


def anew(parser: Parser, token: Token) -> AnewNode:
    nodelist = parser.parse(("endanew",))
    parser.delete_first_token()
    return AnewNode(nodelist)


def still(
    template_name: str, context: Context, told: Mapping[str, Any], key: Key | None = None
) -> SafeString:
    """Draw a part of a page: what stands still is told `told`, its holes the page's context.

    `key` says all that is drawn of what is told, where that is more than words and numbers.
    """
    return mark_safe(_fill(_skeleton(template_name, told, key), context))


def page(
    request: HttpRequest,
    template_name: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
    **told: Hashable,
) -> HttpResponse:
    """Answer as `render` does, with a page whose frame is told `told` alone."""
    template: Template = get_template(template_name).template  # type: ignore[attr-defined]
    skeleton = _skeleton(template_name, told, None)
    whole = make_context({**told, **context}, request)
    with (
        whole.render_context.push_state(template),
        whole.bind_template(template),
    ):
        return HttpResponse(_fill(skeleton, whole), status=status)


def _skeleton(template_name: str, told: Mapping[str, Any], key: Key | None) -> str:
    def draw() -> str:
        names = {"site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
        html: str = get_template(template_name).render({**names, **told, HOLES: True})
        return html

    return pieces.get(("skeleton", template_name, key or tuple(told.items())), draw)


def _fill(skeleton: str, context: Context) -> str:
    parts = _HOLE.split(skeleton)
    for place in range(1, len(parts), 2):
        parts[place] = _drawn_anew[int(parts[place])].render(context)
    return "".join(parts)
