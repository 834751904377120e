"""Template tags of the page frame: modules, people, groups, time, shares. They ask no database."""

from __future__ import annotations

import json
import zlib
from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from django import forms, template
from django.conf import settings
from django.forms import BoundField
from django.template import Context
from django.template.loader import get_template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.html import escape, format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_bidi

from config import skeletons
from config.languages import language_tag
from config.pieces import Key, pieces

register = template.Library()

ENGLISH = "js/words/en.js"  # what scripts of a language without words of its own say
AVATAR_COLOURS = 12  # `--av-0` to `--av-11` in static/css/tokens.css


# -- modules ----------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def words_address(language: str) -> str:
    """Give the address of the words of scripts in `language`, else of English ones."""
    name = f"js/words/{language}.js"
    there = (Path(settings.BASE_DIR) / "static" / name).exists()
    return static(name if there else ENGLISH)


@register.simple_tag
def page_words() -> str:
    """Give the address that `@/words.js` stands for in the page's language."""
    return words_address(get_language() or settings.LANGUAGE_CODE)


@register.simple_tag(takes_context=True)
def import_map(context: Context) -> SafeString:
    """Write the import map: modules import each other by their paths, but words by `@/words.js`."""
    said = json.dumps({"imports": {"@/words.js": page_words()}}, separators=(",", ":"))
    # The JSON holds only our own file name, so nothing in it can close the element.
    return format_html(
        '<script type="importmap" nonce="{}">{}</script>',
        str(context.get("csp_nonce", "")),
        mark_safe(said),
    )


# -- the frame's pieces -----------------------------------------------------------------------

# What stands in a kept piece for what is this answer's alone.
TOKEN = "-the-form-token-"  # noqa: S105
BACK = "-the-way-back-"


@register.simple_tag(takes_context=True)
def frame_piece(context: Context, template_name: str, **names: Any) -> SafeString:
    """Draw a part of the frame, which is told `names` (words, numbers, groups) and its reader.

    It is kept by both. Of the address only what menus know is told, so that a member's bar is one
    piece on almost all pages; the form's token and the way back are set in afterwards.
    """
    request, user = context.get("request"), context.get("user")
    if request is None or user is None:
        with context.push(**names, come_back=""):
            fresh: str = get_template(template_name).template.render(context)  # type: ignore[attr-defined]
        return mark_safe(fresh)
    place = _menu_place(request.path, user)
    if place.startswith(reverse("chat")) and "here" in names:
        names["here"] = ""  # a group's room stands under chat in the menus
    who: Key = (place,)
    if user.is_authenticated:
        who = *who, user.pk, user.handle, user.name, user.avatar_id, user.is_staff
    told = {name: _plain(value) for name, value in names.items()}

    def draw() -> str:
        known = {
            "user": user,
            "site_name": settings.SITE_NAME,
            "request": SimpleNamespace(path=who[0]),
            "come_back": BACK,
            "csrf_token": TOKEN,
        }
        return get_template(template_name).render({**names, **known})

    html = pieces.get((template_name, *who, *told.values()), draw)
    if TOKEN in html:
        html = html.replace(TOKEN, str(context.get("csrf_token", "")))
    if BACK in html:
        html = html.replace(BACK, escape(come_back(context)))
    return mark_safe(html)


register.tag("anew", skeletons.anew)


@register.simple_tag(takes_context=True)
def still(context: Context, template_name: str, **told: Any) -> SafeString:
    """Draw a template once for all who are told the same; see config/skeletons.py."""
    plain = {name: _plain(value) for name, value in told.items()}
    return skeletons.still(template_name, context, plain)


def _plain(value: Any) -> Hashable:
    """What a name tells; a group is what its link draws."""
    if value is None or isinstance(value, str):
        return value and str(value)
    if isinstance(value, int):
        return value + 0  # not what would look it up later
    return tuple((one.pk, one.slug, one.name, one.glyph, one.tint) for one in value)


@lru_cache(maxsize=1)
def _menus() -> tuple[str, ...]:
    return tuple(map(reverse, ("groups", "chat", "notifications", "search")))


def _menu_place(path: str, user: Any) -> str:
    """The path, where a menu has a link to it or above it; else one that no menu knows."""
    if path.startswith("/rooms/"):
        return reverse("chat") + "-/"
    own = user.is_authenticated and path.startswith(reverse("member", args=[user.handle]))
    return path if path == "/" or own or path.startswith(_menus()) else "/-/"


# -- people and groups ------------------------------------------------------------------------


class Person(Protocol):
    """What a drawn avatar needs of a member."""

    handle: str
    name: str
    avatar_id: Any

    @property
    def initials(self) -> str: ...


def avatar_colour(handle: str) -> int:
    """Give the palette entry of a handle, the same on every machine: 0 to 11."""
    return zlib.crc32(handle.encode()) % AVATAR_COLOURS


@register.simple_tag
def avatar(member: Person | None, size: str = "", here: bool = False) -> SafeString:
    """Draw a member: their picture, or their initials on their colour. `size`: xs, sm, lg, xl.

    Always decorative: the name stands beside it. `None` is a member who left.
    """
    sized = format_html(' data-sz="{}"', size) if size else ""
    if member is None:
        return format_html('<span class="av" data-av="more"{} aria-hidden="true">–</span>', sized)
    on = mark_safe(" data-on") if here else ""
    if member.avatar_id:
        return format_html(
            '<img class="av"{}{} src="{}" alt="" width="40" height="40" loading="lazy">',
            sized,
            on,
            reverse("thumbnail", args=[member.avatar_id]),
        )
    return format_html(
        '<span class="av" data-av="{}"{}{} aria-hidden="true">{}</span>',
        avatar_colour(member.handle),
        sized,
        on,
        member.initials,
    )


class Tinted(Protocol):
    """What a glyph needs of a group."""

    glyph: str
    tint: int


@register.simple_tag
def glyph(group: Tinted | Mapping[str, Any], size: str = "") -> SafeString:
    """Draw a group's emoji on its tint. `size`: md or lg; decorative, the name stands beside it."""
    if isinstance(group, Mapping):
        tint, sign = group["tint"], group["glyph"]
    else:
        tint, sign = group.tint, group.glyph
    return format_html(
        '<span class="glyph" data-tint="{}"{} aria-hidden="true">{}</span>',
        tint,
        format_html(' data-sz="{}"', size) if size else "",
        sign,
    )


@register.simple_tag
def cover(template_name: str) -> str:
    """Give the address of the cover drawn for a group's template: `second_hand` and so on."""
    return static(f"img/covers/{template_name}.svg")


@register.simple_tag(takes_context=True)
def current(context: Context, path: str, exactly: bool = False) -> SafeString:
    """Write ` aria-current="page"` on the link to this page, `"true"` on one above it."""
    request = context.get("request")
    here = request.path if request is not None else ""
    if here == path:
        return mark_safe(' aria-current="page"')
    if not exactly and path != "/" and here.startswith(path):
        return mark_safe(' aria-current="true"')
    return mark_safe("")


@register.simple_tag(takes_context=True)
def come_back(context: Context) -> str:
    """Write `?next=` for links to signing in: this page, or what such a page was asked for."""
    request = context.get("request")
    if request is None:
        return ""
    back = request.get_full_path()
    if request.path.startswith(reverse("account_login").removesuffix("login/")):
        back = request.GET.get("next", "")
    return f"?{urlencode({'next': back})}" if back else ""


# -- language ---------------------------------------------------------------------------------


@register.simple_tag
def page_language() -> SafeString:
    """Write `lang` and `dir` of the page: the active language and the way it runs."""
    way = "rtl" if get_language_bidi() else "ltr"
    return format_html('lang="{}" dir="{}"', language_tag(), way)


@register.simple_tag
def languages() -> list[tuple[str, str, str, bool]]:
    """List what the site speaks: code, tag, its name in itself, whether this page speaks it."""
    now = get_language()
    return [(code, language_tag(code), name, code == now) for code, name in settings.LANGUAGES]


# -- time -------------------------------------------------------------------------------------

CLOCK, DATE, FULL = "clock", "date", "full"


def written(at: datetime, style: str) -> str:
    """Write an instant in UTC: `14:03`, `22 Nov 2026` or `22 Nov 2026, 14:03 UTC`."""
    at = at.astimezone(timezone.get_default_timezone())
    if style == CLOCK:
        return time_format(at, "TIME_FORMAT")
    if style == DATE:
        return date_format(at, "SHORT_DATE_FORMAT")
    return f"{date_format(at, 'SHORT_DATETIME_FORMAT')} UTC"


@register.simple_tag
def time_tag(at: datetime | None, style: str = "ago") -> SafeString:
    """Write an instant for people and machines; scripts turn it into the reader's own time.

    `ago` (the default) becomes "4 min"; `clock`, `date` and `full` become the reader's zone and
    words. Without scripts `ago` stays a date: pieces of pages are cached for everybody.
    """
    if at is None:
        return mark_safe("")
    return format_html(
        '<time-ago{}><time datetime="{}">{}</time></time-ago>',
        "" if style == "ago" else format_html(' data-style="{}"', style),
        at.astimezone(timezone.get_default_timezone()).strftime("%Y-%m-%dT%H:%M:%SZ"),
        written(at, DATE if style == "ago" else style),
    )


# -- shares of a whole ------------------------------------------------------------------------


def share(part: float, whole: float) -> float:
    """Return `part` of `whole` in per cent within 0 to 100, to one decimal; 0 of nothing is 0."""
    if whole <= 0:
        return 0.0
    return round(min(100.0, max(0.0, 100.0 * part / whole)), 1)


@register.simple_tag
def meter(
    part: float, whole: float = 100, label: str = "", tone: str = "", css: str = "meter"
) -> SafeString:
    """Draw how much of `whole` is done. Without `label` it is decoration beside the figures."""
    named = mark_safe('aria-hidden="true"')
    if label:
        named = format_html('role="img" aria-label="{}"', label)
    return format_html(
        '<svg class="{}"{} {}><rect width="{}%" height="100%"/></svg>',
        css,
        format_html(' data-tone="{}"', tone) if tone else "",
        named,
        f"{share(part, whole):g}",
    )


@register.simple_tag
def stackbar(parts: Iterable[tuple[int | str, float]]) -> SafeString:
    """Draw shares side by side: pairs of series (1 to 5, as in `data-series`) and amount.

    Decoration: put the names and figures in a legend beside it.
    """
    pairs = [(series, max(0.0, float(amount))) for series, amount in parts]
    whole = sum(amount for _, amount in pairs)
    rows, start = [], 0.0
    for series, amount in pairs:
        width = share(amount, whole)
        rows.append((series, f"{start:g}", f"{width:g}"))
        start = round(start + width, 1)
    return format_html(
        '<svg class="stackbar" aria-hidden="true">{}</svg>',
        format_html_join("", '<rect data-series="{}" x="{}%" width="{}%" height="100%"/>', rows),
    )


# -- words ------------------------------------------------------------------------------------


@register.filter
def paragraphs(text: str) -> list[str]:
    """Split plain text at its blank lines; each paragraph keeps its own line breaks."""
    blocks = text.replace("\r\n", "\n").split("\n\n")
    return [block.strip() for block in blocks if block.strip()]


# -- fields -----------------------------------------------------------------------------------


@register.filter
def kind(field: BoundField) -> str:
    """Say which shape of `_field.html` a field takes: hidden, check, choices, file or line."""
    widget = field.field.widget
    if widget.is_hidden:
        return "hidden"
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "choices"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    return "file" if isinstance(widget, forms.FileInput) else "line"


@register.simple_tag
def control(field: BoundField, label: str = "") -> SafeString:
    """Write a field's control with class `input`, and without a placeholder that says its label.

    `label` is the label shown when it is not the field's own; then the placeholder goes too.
    """
    attrs: dict[str, Any] = {}
    own = field.field.widget.attrs
    if kind(field) in ("line", "file"):
        attrs["class"] = " ".join(dict.fromkeys(["input", *own.get("class", "").split()]))
    said, hint = str(field.label).lower(), str(own.get("placeholder", "")).lower()
    if label or said in hint or hint in said:
        attrs["placeholder"] = False  # Django leaves out what is False
    return field.as_widget(attrs=attrs)


@register.filter
def qr(drawing: str) -> SafeString:
    """Put allauth's QR code (an SVG file as text) into the page: our CSP allows no data: image."""
    svg = drawing[drawing.index("<svg") :]
    return mark_safe(svg.replace("svg:", ""))  # drawn by the server from a secret of its own
