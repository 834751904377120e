"""Uploads: what is taken, what is refused, what is left of it, and who may look."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as PillowImage

from community.groups.models import Group
from community.members.models import Member
from community.uploads.errors import ImageRefused
from community.uploads.models import Image
from community.uploads.services import IMAGES_PER_HOUR, save_image

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def picture(kind: str = "JPEG", size: tuple[int, int] = (400, 300), **save: object) -> io.BytesIO:
    out = io.BytesIO()
    PillowImage.new("RGB", size, "teal").save(out, kind, **save)
    out.seek(0)
    return out


def claims_to_be_huge() -> io.BytesIO:
    """A PNG of a few hundred bytes whose header says 50,000 x 50,000."""

    def chunk(name: bytes, body: bytes) -> bytes:
        crc = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return io.BytesIO(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_the_four_formats_become_webp_with_a_thumbnail(kind: str, ada: Member):
    image = save_image(owner=ada, group=None, file=picture(kind, (1600, 800)), alt="A  sea\n")
    assert (image.width, image.height, image.alt) == (1600, 800, "A sea")
    with PillowImage.open(image.file) as full, PillowImage.open(image.thumbnail) as small:
        assert (full.format, full.size) == ("WEBP", (1600, 800))
        assert (small.format, small.size) == ("WEBP", (640, 320))


def test_a_large_picture_is_brought_down(ada: Member):
    image = save_image(owner=ada, group=None, file=picture("JPEG", (5000, 2500)))
    assert (image.width, image.height) == (2400, 1200)


def test_where_it_was_taken_is_forgotten_and_it_stands_upright(ada: Member):
    exif = PillowImage.Exif()
    exif[0x0112] = 6  # turn a quarter
    exif[0x8825] = {1: "N", 2: (55.0, 57.0, 0.0)}
    image = save_image(owner=ada, group=None, file=picture("JPEG", (400, 300), exif=exif))
    assert (image.width, image.height) == (300, 400)
    with PillowImage.open(image.file) as full:
        assert not dict(full.getexif())
        assert not set(full.info) & {"exif", "xmp", "icc_profile", "comment"}


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (io.BytesIO(b""), "empty"),
        (io.BytesIO(b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>"), "Only JPEG"),
        (io.BytesIO(b"GIF89a" + b"\xff" * 64), "cannot be read|Only JPEG"),
        (io.BytesIO(b"\xff\xd8\xff" + b"\0" * (10 * 1024 * 1024)), "larger than 10 MB"),
        (claims_to_be_huge(), "40 megapixels"),
        (picture("BMP"), "Only JPEG"),
        (picture("TIFF"), "Only JPEG"),
        (io.BytesIO(picture("PNG").getvalue()[:-40]), "damaged"),
    ],
    ids=["empty", "svg", "broken gif", "too large", "bomb", "bmp", "tiff", "cut off"],
)
def test_what_is_no_picture_is_refused_and_leaves_nothing(file, says, ada: Member, tmp_path):
    file.seek(0)
    with pytest.raises(ImageRefused, match=says):
        save_image(owner=ada, group=None, file=file)
    assert not Image.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_picture_with_code_at_its_end_loses_it(ada: Member):
    polyglot = io.BytesIO(picture("PNG").getvalue() + b"<script>alert(1)</script>")
    image = save_image(owner=ada, group=None, file=polyglot)
    with image.file.open("rb") as full:
        assert b"<script" not in full.read()


def test_a_member_brings_so_many_an_hour(ada: Member):
    Image.objects.bulk_create(
        Image(owner=ada, width=1, height=1, size_bytes=1, sha256="") for _ in range(IMAGES_PER_HOUR)
    )
    with pytest.raises(ImageRefused, match="enough pictures"):
        save_image(owner=ada, group=None, file=picture())


def test_a_picture_of_a_hidden_group_is_404_for_outsiders(
    ada: Member, hidden_group: Group, as_ada: Client, as_cy: Client, guest: Client
):
    image = save_image(owner=ada, group=hidden_group, file=picture())
    for address in (image.get_absolute_url(), image.thumbnail_url):
        assert as_ada.get(address).status_code == 200
        assert as_cy.get(address).status_code == 404
        assert guest.get(address).status_code == 404


def test_everybodys_picture_is_kept_by_caches_and_sets_no_cookie(ada: Member, guest: Client):
    image = save_image(owner=ada, group=None, file=picture())
    answer = guest.get(image.thumbnail_url)
    assert answer["Content-Type"] == "image/webp"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "public, max-age=86400"
    assert not answer.cookies
    again = guest.get(image.thumbnail_url, headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304


def test_bringing_a_picture_by_script(as_ada: Client, group: Group):
    file = SimpleUploadedFile("a.jpg", picture().getvalue(), "image/jpeg")
    answer = as_ada.post("/uploads/", {"picture": file, "alt": "A [boat]", "group": group.slug})
    told = answer.json()
    assert answer.status_code == 201
    assert told["markdown"] == f"![A (boat)](image:{told['id']})"
    assert Image.objects.get(pk=told["id"]).group == group


def test_a_picture_cannot_be_brought_into_a_group_one_is_not_in(
    as_cy: Client, group: Group, guest: Client
):
    def bring(client: Client):
        file = SimpleUploadedFile("a.jpg", picture().getvalue(), "image/jpeg")
        return client.post("/uploads/", {"picture": file, "group": group.slug})

    assert bring(as_cy).status_code == 404
    assert bring(guest).status_code == 302
    assert as_cy.post("/uploads/", {}).json() == {"error": "Choose a picture first."}
    assert not Image.objects.exists()
