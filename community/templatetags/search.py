"""What was found, drawn without a template: a page of it has a hundred small parts."""

from __future__ import annotations

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.html import conditional_escape as safe
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from community.search.pages import Answer, ShownPost
from community.templatetags.frame import glyph, time_tag
from config.icons import draw

register = template.Library()


@register.simple_tag
def answers(found: list[Answer]) -> SafeString:
    """Draw threads with their posts that answer, each an item of a list."""
    return mark_safe("\n".join(map(_answer, found)))


def _answer(answer: Answer) -> str:
    thread = answer.thread
    replies = ngettext("reply", "replies", thread.reply_count)
    said = (
        f"<span>{glyph(thread.group)}{escape(thread.group.name)}</span>"
        f"<span>{draw('message-square', size=14, aria_hidden='true')}"
        f'<span class="num">{intcomma(thread.reply_count)}</span>'
        f'<span class="vh"> {escape(replies)}</span></span>'
    )
    if thread.answer_id:
        said += _badge("ok", "circle-check", gettext("Answered"))
    if thread.is_locked:
        said += _badge("warn", "lock", gettext("Locked"))
    more = ""
    if answer.more:
        counted = ngettext(
            "%(n)s more post of this thread answers",
            "%(n)s more posts of this thread answer",
            answer.more,
        ) % {"n": answer.more}
        more = f'<p class="meta">{escape(counted)}</p>'
    return (
        '<li><article class="answer">\n'
        f'<h2><a href="{escape(thread.get_absolute_url())}">{safe(answer.title)}</a></h2>\n'
        f'<p class="meta">{said}</p>\n'
        f'<ul role="list">{"".join(map(_post, answer.posts))}</ul>\n'
        f"{more}\n</article></li>"
    )


def _post(shown: ShownPost) -> str:
    where = escape(gettext("First post")) if shown.number == 1 else f"#{shown.number}"
    return (
        f'<li><a class="hit" href="{escape(shown.address)}"><span class="meta">'
        f"<b>{escape(shown.author)}</b> · {where} · {time_tag(shown.created_at)}</span>"
        f'<span class="said">{safe(shown.excerpt)}</span></a></li>'
    )


def _badge(tone: str, icon: str, words: str) -> str:
    drawn = draw(icon, size=None, aria_hidden="true", **{"class": "i"})
    return f'<span class="badge" data-tone="{tone}">{drawn}{escape(words)}</span>'
