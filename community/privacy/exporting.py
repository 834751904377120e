"""A member's own copy: asked for, made in slices by a worker, kept for a week.

A slice is one transaction: it locks the export's row, adds one file or one part of a file to the
archive, and says in the row how far it came. A worker that dies leaves the row as it was, and the
next one goes on there; however much a member wrote, no more than a row is in memory.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import structlog
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from community.events import ExportAsked, ExportReady
from community.members.models import Member
from community.privacy.archives import Place, adding_to
from community.privacy.errors import BeingMade, TooSoon
from community.privacy.models import Export, ExportState
from config.outbox import publish
from config.personal import Exported, Policy, registry

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

log = structlog.stdlib.get_logger(__name__)

SLICE_BYTES: Final = 8 * 1024 * 1024  # a part of a file, before it is packed
SLICE_SECONDS: Final = 5.0  # a transaction may idle for 10
RUN_SECONDS: Final = 25.0
TRIES_MAX: Final = 5
BETWEEN: Final = timedelta(hours=1)
COPY_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class File:
    """One step of the work: a file of rows, or the pictures that rows point at."""

    policy: Policy
    exported: Exported
    is_pictures: bool = False

    def rows(self, member_id: int) -> Any:
        rows = self.policy.rows(member_id).order_by("pk")
        return self.exported.narrowed(rows) if self.exported.narrowed else rows


def files() -> list[File]:
    """Return all that an export holds, in its order."""
    found = []
    for policy in registry.policies.values():
        for exported in policy.exported:
            found.append(File(policy, exported))
            if exported.pictures:
                found.append(File(policy, exported, is_pictures=True))
    return found


def path_of(export: Export) -> Path:
    """Where the archive lies. Nothing serves that folder but the view that asks whose it is."""
    return Path(settings.PRIVATE_ROOT) / "exports" / export.pk.hex / "export.zip"


# -- verbs ------------------------------------------------------------------------------------


@transaction.atomic
def ask_for_export(member: Member) -> Export:
    """Begin a copy of what the member is and did; older ones go. Raises BeingMade or TooSoon.

    Announces ExportAsked.
    """
    # The member's row is the lock: two presses at once begin one copy.
    Member.objects.select_for_update(no_key=True).get(pk=member.pk)
    known = Export.objects.visible_to(member)
    if known.unfinished().exists():
        raise BeingMade
    recent = known.filter(state=ExportState.READY, asked_at__gt=timezone.now() - BETWEEN)
    if recent.exists():
        raise TooSoon
    for old in known:
        forget_export(old)
    try:
        export = Export.objects.create(member=member)
    except IntegrityError:
        raise BeingMade from None
    publish(ExportAsked(export_id=str(export.pk)))
    return export


@transaction.atomic
def forget_export(export: Export) -> None:
    """Let go of a copy: its row now, its folder once that is committed."""
    folder = path_of(export).parent
    export.delete()
    transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))


def forget_expired() -> int:
    """Delete copies whose week is over, failed ones of a week ago, and folders without a row."""
    now = timezone.now()
    gone = 0
    old = Export.objects.filter(expires_at__lte=now) | Export.objects.filter(
        state=ExportState.FAILED, asked_at__lt=now - kept_for()
    )
    for export in old:
        forget_export(export)
        gone += 1
    root = Path(settings.PRIVATE_ROOT) / "exports"
    known = {export.hex for export in Export.objects.values_list("pk", flat=True)}
    for folder in root.glob("*") if root.is_dir() else ():
        if folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)
    return gone


def kept_for() -> timedelta:
    return timedelta(days=settings.EXPORT_DAYS)


def make(export_id: UUID, *, seconds: float = RUN_SECONDS) -> bool:
    """Work on a copy for about `seconds`; True when nothing is left to do on it now."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not _begin(export_id):
            return True
        try:
            if not _slice(export_id):
                return True
        except Exception:
            log.exception("export failed", export=str(export_id))
            Export.objects.filter(pk=export_id).update(
                next_try_at=timezone.now() + timedelta(minutes=1)
            )
            return True
    return False


@transaction.atomic
def _begin(export_id: UUID) -> bool:
    """Count a try; False when another worker is at it, it is not due, or it was tried enough.

    Counted before the work: a slice that kills its worker comes to its end too.
    """
    export = (
        Export.objects.unfinished()
        .select_for_update(skip_locked=True)
        .filter(pk=export_id, next_try_at__lte=timezone.now())
        .first()
    )
    if export is None:
        return False
    export.tries += 1
    export.state = ExportState.WORKING if export.tries <= TRIES_MAX else ExportState.FAILED
    export.save(update_fields=["tries", "state"])
    return export.state == ExportState.WORKING


def due() -> list[UUID]:
    """Return the copies that wait for a worker, longest waiting first."""
    waiting = Export.objects.unfinished().filter(next_try_at__lte=timezone.now())
    return list(waiting.order_by("next_try_at").values_list("pk", flat=True)[:100])


# -- a slice ----------------------------------------------------------------------------------


@transaction.atomic
def _slice(export_id: UUID) -> bool:
    """Add the next part; False when another worker is at it or nothing is left."""
    export = (
        Export.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("member")
        .filter(pk=export_id, state=ExportState.WORKING)
        .first()
    )
    if export is None:
        return False
    wanted = files()
    if export.step == 0 and not export.after:
        export.total = sum(each.rows(export.member_id).count() for each in wanted)
    place = Place(export.size_bytes, export.index_at)
    language = export.member.language or settings.LANGUAGE_CODE
    with adding_to(path_of(export), place) as archive, translation.override(language):
        if export.step < len(wanted):
            _add(archive, export, wanted[export.step])
        else:
            _describe(archive, export, wanted)
            export.state, export.ready_at = ExportState.READY, timezone.now()
            export.expires_at = export.ready_at + kept_for()
            export.done = export.total
    export.size_bytes, export.index_at = place.size, place.index_at
    export.tries = 0
    export.save()
    if export.state == ExportState.READY:
        publish(ExportReady(export_id=str(export.pk)))
        return False
    return True


def _add(archive: ZipFile, export: Export, file: File) -> None:
    """Write as much of a file as a slice takes and move the export on."""
    rows = file.rows(export.member_id)
    if export.after:
        rows = rows.filter(pk__gt=export.after)
    if file.is_pictures:
        after, count, ended = _add_pictures(archive, rows, file.exported)
    else:
        after, count, ended = _add_rows(archive, rows, file.exported, export.part)
    export.done += count
    if ended:
        export.step, export.part, export.after = export.step + 1, 1, ""
    else:
        export.part, export.after = export.part + 1, after


def _add_rows(archive: ZipFile, rows: Any, exported: Exported, part: int) -> tuple[str, int, bool]:
    """Write rows as one JSON array; returns the last key, how many, and whether that was all."""
    name = f"{exported.name}.json" if part == 1 else f"{exported.name}-{part}.json"
    found = rows.values_list("pk", *(key.path for key in exported.keys)).iterator(chunk_size=500)
    # An empty file says more than none: there is nothing of this kind.
    after, count, written, ended = "", 0, 0, True
    stops_at = time.monotonic() + SLICE_SECONDS
    with archive.open(_entry(name), "w") as out:
        out.write(b"[")
        for pk, *values in found:
            if written > SLICE_BYTES or time.monotonic() > stops_at:
                ended = False
                break
            row = {
                key.name: key.show(value) if key.show else value
                for key, value in zip(exported.keys, values, strict=True)
            }
            text = json.dumps(row, ensure_ascii=False, default=_plain).encode()
            out.write((b",\n" if count else b"\n") + text)
            after, count, written = str(pk), count + 1, written + len(text)
        out.write(b"\n]\n")
    return after, count, ended


def _add_pictures(archive: ZipFile, rows: Any, exported: Exported) -> tuple[str, int, bool]:
    after, count, written = "", 0, 0
    stops_at = time.monotonic() + SLICE_SECONDS
    for pk, *names in rows.values_list("pk", *exported.pictures).iterator(chunk_size=100):
        if written > SLICE_BYTES or time.monotonic() > stops_at:
            return after, count, False
        for stored in filter(None, names):
            written += _add_picture(archive, picture_name(exported.name, pk), stored)
        after, count = str(pk), count + 1
    return after, count, True


def _add_picture(archive: ZipFile, name: str, stored: str) -> int:
    """Copy a file as it is: pictures are packed already. One that is missing is left out."""
    try:
        source = default_storage.open(stored, "rb")
    except FileNotFoundError:
        return 0
    with source, archive.open(_entry(name, stored=True), "w") as out:
        shutil.copyfileobj(source, out, COPY_BYTES)
        return int(source.size)


def picture_name(folder: str, pk: object) -> str:
    """Where a picture lies in the archive."""
    return f"{folder}/{pk}.webp"


def _entry(name: str, *, stored: bool = False) -> ZipInfo:
    entry = ZipInfo(name, date_time=datetime.now(UTC).timetuple()[:6])
    entry.compress_type = ZIP_STORED if stored else ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _describe(archive: ZipFile, export: Export, wanted: Sequence[File]) -> None:
    """Write what is in the archive and what its keys mean, in the member's language.

    Names of files and keys are the same in every language, for programs.
    """
    about = {
        "site": settings.SITE_URL,
        "member": export.member.handle,
        "asked_at": export.asked_at,
        "made_at": timezone.now(),
        "times": "UTC, ISO 8601",
        "files": {
            f"{file.exported.name}.json": {
                "about": file.exported.about,
                "keys": {key.name: key.means for key in file.exported.keys},
            }
            for file in wanted
            if not file.is_pictures
        },
        "left_out": dict(_left_out()),
    }
    text = json.dumps(about, ensure_ascii=False, default=_plain, indent=2)
    with archive.open(_entry("about.json"), "w") as out:
        out.write(text.encode())
    words = _(
        "This is what %(site)s knows of you, @%(handle)s. Each .json file is a list, one kind "
        "of thing a file; long ones go on in a second file. Your pictures lie in the folder "
        "“pictures”. What the files and their keys mean stands in about.json. Times are UTC."
    ) % {"site": settings.SITE_NAME, "handle": export.member.handle}
    with archive.open(_entry("README.txt"), "w") as out:
        out.write(f"{words}\n".encode())


def _left_out() -> Iterator[tuple[str, StrOrPromise]]:
    for policy in registry.policies.values():
        if policy.not_exported:
            yield policy.label, policy.not_exported


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
