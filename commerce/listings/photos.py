"""Photos in the form of a listing: those it has, those to go, and new ones with their alt text.

A new photo is taken in at once, even when another field is wrong: a browser empties file inputs
when a form comes back, and nobody wants to choose eight photos twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.http import HttpRequest

from commerce.listings.errors import TooManyPhotos
from commerce.listings.services import PHOTOS_MAX
from community.members.models import Member
from community.uploads.errors import ImageRefused
from community.uploads.models import ALT_MAX_CHARS, Image
from community.uploads.services import save_image


@dataclass
class Photos:
    """The photos of a form: chosen so far in their order, and why others were not taken."""

    chosen: list[Image] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def free_slots(self) -> range:
        """Numbers of the inputs for further photos."""
        return range(1, PHOTOS_MAX - len(self.chosen) + 1)


def read_photos(request: HttpRequest, *, owner: Member, current: Sequence[Image] = ()) -> Photos:
    """Read `kept` (ids), `drop` (ids), `cover` (an id), `alt_<id>`, and `photo_<n>` with its
    `photo_alt_<n>`, n from 1 to PHOTOS_MAX. Pictures of others are left out unless in `current`.
    """
    kept = [pk for text in request.POST.getlist("kept")[:PHOTOS_MAX] if (pk := _uuid(text))]
    dropped = {_uuid(text) for text in request.POST.getlist("drop")}
    usable = {image.pk: image for image in current}
    usable |= {image.pk: image for image in Image.objects.filter(owner=owner, pk__in=kept)}
    photos = Photos(
        [usable[pk] for pk in dict.fromkeys(kept) if pk in usable and pk not in dropped]
    )
    for image in photos.chosen:
        alt = " ".join(request.POST.get(f"alt_{image.pk}", image.alt).split())[:ALT_MAX_CHARS]
        if alt != image.alt and image.owner_id == owner.pk:
            image.alt = alt
            image.save(update_fields=["alt"])
    for number in range(1, PHOTOS_MAX + 1):
        file = request.FILES.get(f"photo_{number}")
        if file is None:
            continue
        if len(photos.chosen) >= PHOTOS_MAX:
            photos.errors.append(str(TooManyPhotos.message))
            break
        alt = request.POST.get(f"photo_alt_{number}", "")
        try:
            photos.chosen.append(save_image(owner=owner, group=None, file=file, alt=alt))
        except ImageRefused as refusal:
            photos.errors.append(f"{file.name}: {refusal}")
    cover = _uuid(request.POST.get("cover", ""))
    photos.chosen.sort(key=lambda image: image.pk != cover)
    return photos


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
