"""Old addresses: to what became of the thing they named, for whoever may see it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from community.groups.models import Group
from community.importing.addresses import PEOPLE, Name, names_in
from community.importing.models import SITE, ImportedRecord
from community.members.models import Member, Viewer
from community.threads.models import Post

IMPORTS_MAX = 50  # of one host


@require_safe
def old_address(request: HttpRequest, site: str, address: str = "") -> HttpResponse:
    """`/old/<host or source>/<the address there>`: 301, or 404 for what the viewer may not see."""
    imports = ImportedRecord.objects.of_site(site).order_by("pk")[:IMPORTS_MAX]
    styles = {each.external_id: each.kind.removeprefix(f"{SITE}:") for each in imports}
    query = {name: str(value) for name, value in request.GET.items()}
    for style in sorted(set(styles.values())):
        sources = [source for source, its in styles.items() if its == style]
        names = names_in(style, f"/{address}", query)
        if found := _first_visible(sources, names, request.user):
            response = HttpResponsePermanentRedirect(found)
            # One reader's answer is not another's.
            patch_cache_control(response, private=True)
            return response
    raise Http404


def _first_visible(sources: list[str], names: list[Name], viewer: Viewer) -> str | None:
    """Return our address of the best name that `viewer` may see. One query, and one a name."""
    if not names:
        return None
    rows = ImportedRecord.objects.filter(
        source__in=sources,
        kind__in=[kind for kind, _ in names],
        external_id__in=[id_ for _, id_ in names],
    ).values_list("kind", "external_id", "object_id")
    found: dict[Name, list[int]] = {}
    for kind, external_id, object_id in rows:
        found.setdefault((kind, external_id), []).append(object_id)
    for name in names:
        if name in found and (place := _place_of(name[0], found[name], viewer)):
            return place
    return None


def _place_of(kind: str, ids: list[int], viewer: Viewer) -> str | None:
    if kind == "room":
        group = Group.objects.visible_to(viewer).filter(pk__in=ids).order_by("pk").first()
        return group.get_absolute_url() if group else None
    if kind in PEOPLE:
        # Whoever is in hidden groups only came with a site outsiders are not told of.
        readable = Group.objects.visible_to(viewer)
        member = (
            Member.objects.filter(pk__in=ids, is_active=True, memberships__group__in=readable)
            .order_by("pk")
            .first()
        )
        return member.get_absolute_url() if member else None
    posts = Post.objects.visible_to(viewer).filter(pk__in=ids).select_related("thread")
    post = posts.order_by("pk").first()
    if post is None:
        return None
    return post.thread.get_absolute_url() if post.is_opening else post.get_absolute_url()
