"""Taking a picture in: limits, a clean re-encoding, a row."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Collection
from datetime import timedelta
from typing import IO, Final
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from uuid_utils.compat import uuid7

from community.groups.models import Group
from community.members.models import Member
from community.uploads.errors import ImageRefused
from community.uploads.models import ALT_MAX_CHARS, Image
from community.uploads.reencode import MAX_BYTES, Encoded

CHILD_TIMEOUT_SECONDS: Final = 20
IMAGES_PER_HOUR: Final = 120


def save_image(
    *,
    owner: Member,
    group: Group | None,
    file: IO[bytes],
    alt: str = "",
    is_confined: bool = False,
) -> Image:
    """Re-encode `file` and keep it for the readers of `group` (everybody when None).

    A confined one, without a group, is for those who may read the message it is put into. At most
    10 MB, 40 megapixels, 10,000 px a side, JPEG, PNG, WEBP or GIF; `alt` is cut at ALT_MAX_CHARS
    characters; 120 pictures an hour a member. Raises ImageRefused with a sentence.
    """
    recent = Image.objects.filter(
        owner=owner, created_at__gt=timezone.now() - timedelta(hours=1)
    ).count()
    if recent >= IMAGES_PER_HOUR:
        raise ImageRefused(_("That is enough pictures for an hour. Come back a little later."))
    raw = file.read(MAX_BYTES + 1)
    if not raw:
        raise ImageRefused(_("The file is empty."))
    if len(raw) > MAX_BYTES:
        raise ImageRefused(_("The picture is larger than 10 MB."))
    encoded = reencode_apart(raw)
    return store(owner=owner, group=group, encoded=encoded, alt=alt, is_confined=is_confined)


def store(
    *,
    owner: Member | None,
    group: Group | None,
    encoded: Encoded,
    alt: str = "",
    is_confined: bool = False,
) -> Image:
    """Keep a picture that is already clean: from `save_image`, or drawn by ourselves."""
    key = uuid7()
    image = Image(
        id=key,
        owner=owner,
        group=group,
        is_confined=is_confined,
        alt=" ".join(alt.split())[:ALT_MAX_CHARS],
        width=encoded.width,
        height=encoded.height,
        size_bytes=len(encoded.full),
        sha256=hashlib.sha256(encoded.full).hexdigest(),
    )
    # Random names in folders of at most 256 entries; the key itself never shows where it lies.
    name = f"{key.hex[-2:]}/{key.hex}.webp"
    image.file.save(name, ContentFile(encoded.full), save=False)
    image.thumbnail.save(name, ContentFile(encoded.thumbnail), save=False)
    try:
        with transaction.atomic():
            image.save(force_insert=True)
    except Exception:
        image.file.delete(save=False)
        image.thumbnail.delete(save=False)
        raise
    return image


def confine(images: Collection[UUID], *, owner: Member) -> None:
    """Confine those of the owner's pictures that nothing but messages shows: talk is for some."""
    free = Image.objects.filter(pk__in=images, owner=owner, is_confined=False)
    if not free.exists():
        return
    free = free.filter(*(~Exists(rows) for rows in shown_by(but="community.Message")))
    found = list(free.values_list("pk", flat=True))
    Image.objects.filter(pk__in=found).update(is_confined=True, group=None)


def let_out(images: Collection[UUID], *, group: Group) -> None:
    """Let readers of `group` see what was confined: a post shows it now."""
    Image.objects.filter(pk__in=images, is_confined=True).update(is_confined=False, group=group)


def shown_by(*, but: str = " ") -> list[models.QuerySet[models.Model]]:
    """Rows of any table that point at a picture, `but` those of models named so."""
    return [
        model._base_manager.filter(**{column.name: OuterRef("pk")})
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.label.startswith(but)
        for column in model._meta.concrete_fields
        if column.is_relation and column.related_model is Image
    ]


def reencode_apart(raw: bytes) -> Encoded:
    """Encode anew in a child with limits. Raises ImageRefused with a sentence."""
    try:
        child = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD, str(settings.BASE_DIR)],
            input=raw,
            capture_output=True,
            timeout=CHILD_TIMEOUT_SECONDS,
            check=False,
            env={},
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        raise ImageRefused(_("The picture takes too long to read.")) from None
    head_line, _newline, body = child.stdout.partition(b"\n")
    try:
        head = json.loads(head_line)
    except ValueError:
        raise ImageRefused(_("The picture cannot be read.")) from None
    if refused := head.get("refused"):
        raise ImageRefused(_(refused) if refused in _CHILD_SAYS else refused)
    return Encoded(head["width"], head["height"], body[: head["full"]], body[head["full"] :])


# What the child may say: it knows no languages, so its sentences are translated here.
_CHILD_SAYS: Final = (
    gettext_noop("The picture is larger than 10 MB."),
    gettext_noop("The picture has more than 40 megapixels or 10,000 pixels a side."),
    gettext_noop("Only JPEG, PNG, WEBP and GIF pictures are taken."),
    gettext_noop("The picture is damaged and cannot be read."),
    gettext_noop("The picture is too large to decode."),
)

# Isolated mode ignores the environment and the current folder, so the path is handed over.
_CHILD: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from community.uploads.reencode import main; main()"
)
