"""Telling a member of something new that fits a search they saved."""

from __future__ import annotations

from django.urls import reverse
from django.utils.http import urlencode

from community.events import SavedSearchMatched
from community.notifications.models import Kind
from community.notifications.services import notify
from community.search.models import SavedSearch, SearchDocument
from community.threads.models import Post


def tell_of_match(event: SavedSearchMatched) -> None:
    """Tell who saved the search, if what was found is still there for them to read."""
    saved = SavedSearch.objects.select_related("member").filter(pk=event.saved_search_id).first()
    if saved is None:
        return
    found = SearchDocument.objects.visible_to(saved.member).filter(pk=event.document_id).first()
    if found is None:
        return
    post = None
    if found.kind == SearchDocument.Kind.POST:
        posts = Post.objects.visible_to(saved.member).select_related("thread__group", "author")
        post = posts.filter(pk=found.object_id).first()
        if post is None or post.author_id == saved.member_id:
            return
    search = f"{reverse('search')}?{urlencode({'q': saved.query})}"
    notify(
        member=saved.member,
        kind=Kind.SEARCH,
        key=f"search:{saved.pk}:{found.pk}",
        actor=post.author if post else None,
        post=post,
        thread=post.thread if post else None,
        details={"search": saved.name} | ({} if post else {"address": search}),
    )
