"""Bringing a picture, and looking at one."""

from __future__ import annotations

from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from community.groups.models import Group
from community.members.web import MemberRequest, member_required
from community.uploads.errors import ImageRefused
from community.uploads.models import Image
from community.uploads.services import save_image
from config.languages import wordless


@require_POST
@member_required
def upload(request: MemberRequest) -> HttpResponse:
    """Take `picture` (a file), `alt` and `group` (a slug of the member's, or empty for everybody).

    With `for=chat` it is confined: those who may read the message it is put into see it.

    201 with `{id, url, thumbnail_url, alt, width, height, markdown}`; 422 with `{error}`.
    """
    group: Group | None = None
    is_confined = request.POST.get("for") == "chat"
    if not is_confined and (slug := request.POST.get("group")):
        group = get_object_or_404(Group.objects.joined_by(request.user), slug=slug)
    picture = request.FILES.get("picture")
    if picture is None or picture.file is None:
        return JsonResponse({"error": _("Choose a picture first.")}, status=422)
    try:
        image = save_image(
            owner=request.user,
            group=group,
            file=picture.file,
            alt=request.POST.get("alt", ""),
            is_confined=is_confined,
        )
    except ImageRefused as refused:
        return JsonResponse({"error": str(refused)}, status=422)
    return JsonResponse(
        {
            "id": str(image.pk),
            "url": image.get_absolute_url(),
            "thumbnail_url": image.thumbnail_url,
            "alt": image.alt,
            "width": image.width,
            "height": image.height,
            "markdown": image.markdown,
        },
        status=201,
    )


@wordless
@require_GET
def show(request: HttpRequest, image_id: UUID, size: str) -> HttpResponseBase:
    """The file itself, `full` or `thumbnail`, to those who may see it; 404 to the others."""
    # Most pictures are everybody's; those are answered without looking at who asks.
    image = Image.objects.filter(pk=image_id, group=None, is_confined=False, hidden_at=None).first()
    shared = image is not None
    if image is None:
        image = get_object_or_404(Image.objects.visible_to(request.user), pk=image_id)
    etag = f'"{image.sha256[:32]}-{size}"'
    # A file under its own random name never changes, but a moderator may hide it.
    keep = "public, max-age=86400" if shared else "private, max-age=600"
    headers = {"ETag": etag, "Cache-Control": keep, "Cross-Origin-Resource-Policy": "same-origin"}
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers=headers)
    try:
        stored = (image.thumbnail if size == "thumbnail" else image.file).open("rb")
    except FileNotFoundError:
        return HttpResponse(status=404)
    return FileResponse(
        stored, content_type="image/webp", headers=headers, filename=f"{image.pk}.webp"
    )
