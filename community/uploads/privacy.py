"""What becomes of a member's pictures."""

from __future__ import annotations

from django.apps import apps
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists
from django.utils.translation import gettext_lazy as _

from community.uploads.models import Image
from community.uploads.services import shown_by
from config.personal import Erasing, Exported, declare, keys, runs

PICTURES_A_BATCH = 50
# Texts that show pictures without a row that says so.
TEXTS = (("community.Message", "body"), ("community.Group", "about"))


def register() -> None:
    declare(
        "community.Image.owner",
        Exported(
            "pictures",
            _("Pictures you brought, as we keep them; the files lie beside this list."),
            keys(
                id=_("its number, as texts name it"),
                file=("pk", _("where it lies in this archive"), lambda pk: f"pictures/{pk}.webp"),
                alt=_("what you said it shows"),
                group=("group__slug", _("the group it was brought for; empty: everybody")),
                width=_("pixels"),
                height=_("pixels"),
                created_at=_("when you brought it"),
            ),
            pictures=("file",),
        ),
        runs("deletes", delete_unused, "Those that a post or a listing shows stay with it."),
    )


def delete_unused(erasing: Erasing, after: str) -> str | None:
    """Delete pictures that nothing shows, files too; avatars are let go of before."""
    mine = Image.objects.filter(owner=erasing.member_id).order_by("pk")
    mine = mine.filter(pk__gt=after) if after else mine
    some = list(mine[:PICTURES_A_BATCH])
    unused = set(
        Image.objects.filter(pk__in=[image.pk for image in some])
        .filter(*(~Exists(rows) for rows in shown_by()))
        .values_list("pk", flat=True)
    )
    gone = [image for image in some if image.pk in unused and not _is_in_a_text(image)]
    files = [name for image in gone for name in (image.file.name, image.thumbnail.name) if name]
    Image.objects.filter(pk__in=[image.pk for image in gone]).delete()
    transaction.on_commit(lambda: _remove(files))
    return str(some[-1].pk) if len(some) == PICTURES_A_BATCH else None


def _is_in_a_text(image: Image) -> bool:
    return any(
        apps.get_model(label)
        ._base_manager.filter(**{f"{column}__contains": f"image:{image.pk}"})
        .exists()
        for label, column in TEXTS
    )


def _remove(files: list[str]) -> None:
    for name in files:
        default_storage.delete(name)
