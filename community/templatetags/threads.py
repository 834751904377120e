"""Posts and rows of threads as pieces: drawn once for all who see the same."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django import template
from django.http import HttpRequest
from django.template import Context, Node, NodeList
from django.template.base import Parser, Token
from django.template.loader import get_template
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from community.groups.models import Group
from community.threads.forms import PostForm
from community.threads.lists import ThreadRow
from community.threads.models import Thread
from community.threads.pages import ShownPost, ThreadPage
from community.threads.unread import new_said
from config.pieces import Key, pieces, tight, told
from config.skeletons import still

register = template.Library()

# Where a row's piece, the same for everybody, takes what is new to its reader.
NEW_HERE: Final = "<!--new-->"


@register.simple_tag(takes_context=True)
def post_piece(context: Context, shown: ShownPost) -> SafeString:
    """Draw a post; from the pieces kept unless something in it is for this reader alone."""
    return _piece(context, "community/threads/_post.html", shown.told, {"shown": shown})


@register.simple_tag(takes_context=True)
def row_piece(context: Context, row: ThreadRow, show_group: bool = False) -> SafeString:
    """Draw a thread's row in a list."""
    names = {"row": row, "show_group": show_group}
    drawn = _piece(context, "community/threads/_row.html", row.told(show_group), names)
    return mark_safe(drawn.replace(NEW_HERE, _new_in(row), 1))


def _new_in(row: ThreadRow) -> str:
    """The way to the first post of the thread that the reader has not read, if there is one."""
    if not row.unread:
        return ""
    address = reverse("first_unread", args=[row.thread.pk])
    return format_html('<a class="new" href="{}">{}</a>', address, new_said(row.unread))


@register.simple_tag(takes_context=True)
def head_piece(context: Context, page: ThreadPage) -> SafeString:
    """Draw the head of a thread's page; afresh for those who may lock, whose form has a token."""
    thread, names = page.thread, {"page": page, "thread": page.thread}
    tags = tuple((tag["slug"], tag["name"]) for tag in page.tags)
    key = "head", told(thread), told(thread.group), page.number, page.last, page.may_write, tags
    drawn_for_all = None if page.may_lock or page.may_change_head else key
    return _piece(context, "community/threads/_head.html", drawn_for_all, names)


@register.simple_tag(takes_context=True)
def filters_piece(context: Context, all_tags: str) -> SafeString:
    """Draw the orders and filters of a list; its plain address is asked for most."""
    template_name = "community/threads/_filters.html"
    if context["request"].GET:
        return _piece(context, template_name, None, {"all_tags": all_tags})
    names = {name: context[name] for name in ("state", "orders", "periods", "kinds", "kind_labels")}
    key = "filters", all_tags, names["state"], tuple(names["orders"]), tuple(names["kinds"])
    # Links are told what the address has already: nothing.
    plain = HttpRequest()
    drawing = get_template(template_name)
    draw = partial(drawing.render, {**names, "all_tags": all_tags}, plain)
    return mark_safe(pieces.get(key, draw))


@register.simple_tag
def entries_piece(page: ThreadPage, shown: ShownPost | None = None) -> SafeString:
    """Draw what was done to the thread after a post, or before the first one of the page."""
    entries = page.entries_of(shown)
    if not entries:
        return mark_safe("")
    drawing = get_template("community/threads/_entries.html")
    return mark_safe(drawing.render({"entries": entries}))


@register.simple_tag(takes_context=True)
def pages_piece(context: Context, page: ThreadPage, where: str) -> SafeString:
    """Draw the way to other pages of a thread, `where`: above or below the posts."""
    address = page.thread.get_absolute_url()
    key = "pages", address, page.number, page.last, where
    names = {"page": page, "address": address, "where": where}
    return _piece(context, "community/threads/_pages.html", key, names)


@register.simple_tag(takes_context=True)
def join_piece(context: Context, thread: Thread, to_do: str) -> SafeString:
    """Draw the way in for those who may read a thread's group but not write there."""
    is_member = context["user"].is_authenticated
    group = _columns(thread.group, "slug", "name", "glyph", "tint", "join_mode")
    names = {"thread": {"pk": thread.pk}, "group": group, "to_do": to_do, "is_member": is_member}
    key = thread.pk, *group.values(), to_do, is_member
    return still("community/threads/_join.html", context, names, key)


@register.simple_tag(takes_context=True)
def about_piece(context: Context, group: Group) -> SafeString:
    """Draw a group in short, beside its thread."""
    drawn = _columns(group, "slug", "name", "about", "member_count", "thread_count")
    key = tuple(drawn.values())
    return still("community/threads/_thread_about.html", context, {"group": drawn}, key)


def _columns(group: Group, *names: str) -> dict[str, Any]:
    """What a piece draws of a group, of which other columns change with every reply."""
    return {name: getattr(group, name) for name in names}


@register.simple_tag(takes_context=True)
def composer_piece(context: Context) -> SafeString:
    """Draw the composer below a thread; what nobody has begun to fill in is the same for all."""
    form: PostForm = context["form"]
    template_name = "community/threads/_composer.html"
    label = gettext("Reply")
    is_begun = form.is_bound or context["answered"] or context["preview"]
    if is_begun or context["request"].GET.keys() - {"page"}:
        return _piece(context, template_name, None, {"composer_label": label})
    group: Group = context["composer_group"]
    words = ("composer_action", "composer_draft", "composer_submit", "composer_placeholder")
    names = {name: context[name] for name in words}
    facts = {"thread": context["thread"], "composer_group": group, "form": type(form)()}
    key = *names.values(), context["thread"].pk, group.pk, group.slug
    return still(template_name, context, {**names, **facts, "composer_label": label}, key)


@register.simple_tag(takes_context=True)
def picture_fields(context: Context, form: PostForm) -> SafeString:
    """Draw the composer's fields for a picture, the same for everybody until they are sent."""
    key = None if form.is_bound else ("picture fields", type(form), form.prefix)
    return _piece(context, "community/threads/_picture_fields.html", key, {"form": form})


class AlikeNode(Node):
    """`{% alike "posts" %} ... {% endalike %}`: a part of a thread's page most members see alike.

    It is drawn without this reader's `mine`; their divider is set into it afterwards.
    """

    child_nodelists = ("nodelist",)

    def __init__(self, name: str, nodelist: NodeList) -> None:
        self.name = name
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        page, mine = context["page"], context.get("mine")
        sharing = page.sharing
        kept = sharing.kept if sharing else None
        if kept is not None and not (mine and mine.folded & kept.authors):
            html = kept.parts[self.name]
        elif sharing is None or kept is not None or (mine and mine.folded):
            return self.nodelist.render(context)
        else:
            with context.push(mine=None):
                html = sharing.drawn[self.name] = tight(self.nodelist.render(context))
        return mark_safe(_divided(html, mine.divides) if mine and mine.divides else html)


def _divided(html: str, number: int) -> str:
    """Set the divider before the first unread post, if that stands here."""
    before, article, after = html.partition(f'<article class="post" id="p{number}"')
    if not article:
        return html
    words = conditional_escape(gettext("New since your last visit"))
    return f'{before}<p class="divider" id="new"><span>{words}</span></p>\n{article}{after}'


@register.tag
def alike(parser: Parser, token: Token) -> AlikeNode:
    name = token.split_contents()[1].strip('"')
    nodelist = parser.parse(("endalike",))
    parser.delete_first_token()
    return AlikeNode(name, nodelist)


def _piece(
    context: Context, template_name: str, key: Key | None, names: dict[str, Any]
) -> SafeString:
    drawing = get_template(template_name)
    if key is None:
        with context.push(**names):
            fresh: str = drawing.template.render(context)  # type: ignore[attr-defined]
        return mark_safe(fresh)
    # Without the page's context: what is kept can know nothing of the reader.
    return mark_safe(pieces.get(key, lambda: drawing.render(names)))
