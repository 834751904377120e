"""Markup with the look-ups it needs, in two queries at most."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from community.groups.models import Group, JoinMode
from community.members.models import Member
from community.threads import markup
from community.uploads.models import Image

SHOWN_MAX_PIXELS = 640  # the longer side of a thumbnail


def render_body(
    source: str,
    *,
    group: Group | None,
    writers: Collection[Member],
    kept: Collection[UUID] = (),
    inline_only: bool = False,
) -> markup.Rendered:
    """Render what `writers` (the author, and whoever edits) say in `group`.

    They may show pictures of that group, their own, and those in `kept` (already in the text).
    Their own from a hidden group stay there: readers here could not open them.

    Raises markup.SourceTooLong.
    """

    def find_images(ids: Sequence[UUID]) -> Mapping[UUID, markup.Picture]:
        own = Q(owner__in=writers) & (Q(group__isnull=True) | ~Q(group__join_mode=JoinMode.HIDDEN))
        usable = own | Q(pk__in=list(kept))
        if group is not None:
            usable |= Q(group=group)
        return {image.pk: as_picture(image) for image in Image.objects.filter(usable, pk__in=ids)}

    return markup.render(source, images=find_images, members=pages_of, inline_only=inline_only)


def render_message(source: str, *, author: Member, group: Group | None) -> markup.Rendered:
    """Render a chat message: the same road with the smaller set of tags."""
    return render_body(source, group=group, writers=[author], inline_only=True)


def pages_of(handles: Sequence[str]) -> dict[str, str]:
    """Return the page of each handle that exists."""
    here = Member.objects.filter(handle__in=handles, erased_at=None)
    known = here.values_list("handle", flat=True)
    return {handle: reverse("member", args=[handle]) for handle in known}


def as_picture(image: Image) -> markup.Picture:
    shrink = min(1.0, SHOWN_MAX_PIXELS / max(image.width, image.height, 1))
    return markup.Picture(
        url=image.get_absolute_url(),
        src=image.thumbnail_url,
        width=max(1, round(image.width * shrink)),
        height=max(1, round(image.height * shrink)),
        alt=image.alt,
    )
