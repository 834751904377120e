"""Links in messages: which have something drawn under them, and fetching what it is.

An outbox handler notes the links of a message; a task fetches the pages, one at a time for each
address and HOST_SECONDS apart for each host. Threads of ours are drawn without asking anybody.
See docs/decisions/link-previews.md.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

import structlog
from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, transaction
from django.db.models import OuterRef, Q
from django.db.models.functions import JSONArray
from django.urls import Resolver404, resolve
from django.utils import timezone

from community.chat.messages import message_shows_otherwise
from community.chat.models import LinkPreview, Message, MessageLink, Room
from community.chat.opengraph import SITE_MAX_CHARS, TITLE_MAX_CHARS, Said, read_page, tidy
from community.chat.pace import is_over
from community.groups.models import JoinMode
from community.members.models import Member
from community.threads.models import Post, Thread
from community.uploads.errors import ImageRefused
from community.uploads.models import Image
from community.uploads.services import reencode_apart, store
from config import outgoing

log = structlog.stdlib.get_logger(__name__)

LINKS_A_MESSAGE_MAX: Final = 3
# Of a message full of links that lead nowhere: each may cost a query.
LINKS_LOOKED_AT_MAX: Final = 20
FRESH_FOR: Final = timedelta(days=7)
NOTHING_FOR: Final = timedelta(days=1)
LEASE_SECONDS: Final = 60
TRIES_MAX: Final = 3
HOST_SECONDS: Final = 2
FETCHED_MAX: Final = 100  # pages for one member's links: a slow one takes ten seconds
FETCHED_SECONDS: Final = 3600
TOLD_MESSAGES_MAX: Final = 100  # of a page that many link to, the newest are drawn again
PICTURE_MAX_BYTES: Final = 1_000_000
PICTURE_SIDE_MIN: Final = 40  # pixels; smaller ones count visits, they show nothing
# A number of our own for PostgreSQL's advisory locks: one worker at a time chooses.
_CHOICE_LOCK: Final = 0x11571

_HREF: Final = re.compile(r'<a href="(https?://[^"]+|/[^"]*)"')
State = LinkPreview.State


@dataclass(frozen=True)
class AlsoDrawn:
    """What a domain above draws under messages because of their links: commerce its listings.

    `claims` is told a room and addresses, and returns those that get no preview because of it.
    """

    claims: Callable[[Room, Sequence[str]], set[str]]
    is_there: Callable[[Message], bool]
    remove: Callable[[Message], bool]


ALSO_DRAWN: Final[list[AlsoDrawn]] = []


# -- which links -------------------------------------------------------------------------------


def normal(url: str) -> str:
    """Return a web address as it is stored: host in lower case, no fragment; empty for others."""
    try:
        parts = urlsplit(url.strip())
        scheme, port = parts.scheme.lower(), parts.port
        host = (parts.hostname or "").lower().rstrip(".")
    except ValueError:
        return ""
    if scheme not in outgoing.PORTS or not host or "@" in parts.netloc:
        return ""
    host = f"[{host}]" if ":" in host else host
    place = host + (f":{port}" if port not in (None, outgoing.PORTS[scheme]) else "")
    address = urlunsplit((scheme, place, parts.path or "/", parts.query, ""))
    return address if len(address) <= outgoing.ADDRESS_MAX_CHARS else ""


def links_in(body: str) -> list[str]:
    """Return the addresses a rendered message links to, in their order, each once."""
    return list(dict.fromkeys(html.unescape(found) for found in _HREF.findall(body)))


@transaction.atomic
def note_links(message: Message) -> None:
    """Write the rows of what a message links to, at most LINKS_A_MESSAGE_MAX; again after an edit.

    Running it again changes nothing. Pages hear of it when something can be drawn already.
    """
    message = (
        Message.objects.select_for_update(of=("self",))
        .select_related("room", "sender")
        .get(pk=message.pk)
    )
    before = list(message.links.select_related("preview"))
    wanted = [] if message.is_hidden else _wanted(message)
    known = {(link.preview_id, link.thread_id): link for link in before}
    kept: list[MessageLink] = []
    shown = False
    for position, one in enumerate(wanted):
        link = known.pop((one.preview_id, one.thread_id), None)
        if link is None:
            one.position = position
            one.save()
            link = one
            shown = shown or link.thread_id is not None or _has_something(link)
        elif link.position != position:
            link.position = position
            link.save(update_fields=["position"])
        kept.append(link)
    gone = MessageLink.objects.filter(pk__in=[link.pk for link in known.values()])
    if gone.delete()[0] or shown:
        message_shows_otherwise(message)


def _has_something(link: MessageLink) -> bool:
    return link.preview is not None and bool(link.preview.title)


def _wanted(message: Message) -> list[MessageLink]:
    written = links_in(message.html)[:LINKS_LOOKED_AT_MAX]
    claimed = {url for also in ALSO_DRAWN for url in also.claims(message.room, written)}
    rows: list[MessageLink] = []
    for url in written:
        if len(rows) == LINKS_A_MESSAGE_MAX:
            break
        if url in claimed:
            continue
        if (path := _path_here(url)) is not None:
            thread = _thread_at(path)
            if thread is not None and all(row.thread_id != thread for row in rows):
                rows.append(MessageLink(message=message, thread_id=thread))
        elif address := normal(url):
            preview = _asked_for(address, message.sender)
            if preview is not None and all(row.preview_id != preview.pk for row in rows):
                rows.append(MessageLink(message=message, preview=preview))
    return rows


def _path_here(url: str) -> str | None:
    """The path of an address of ours; None for another site's."""
    if url.startswith("/"):
        return urlsplit(url).path
    hosts = {
        urlsplit(settings.SITE_URL).netloc.lower(),
        *(one.lower() for one in settings.OLD_HOSTS),
    }
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.path if parts.netloc.lower() in hosts else None


def _thread_at(path: str) -> int | None:
    """The thread that a page of ours shows, by its own address or a post's. One query at most."""
    try:
        found = resolve(unquote(path))
    except Resolver404:
        return None
    if "thread_id" in found.kwargs and path.startswith("/t/"):
        threads = Thread.objects.filter(pk=found.kwargs["thread_id"])
        return threads.values_list("pk", flat=True).first()
    if found.url_name == "post":
        posts = Post.objects.filter(pk=found.kwargs["post_id"])
        return posts.values_list("thread_id", flat=True).first()
    return None


def _asked_for(url: str, sender: Member) -> LinkPreview | None:
    """The preview of an address: as it is when it is fresh, else due to be fetched.

    None for a new one of whoever had FETCHED_MAX fetched: others' links wait behind.
    """
    now = timezone.now()
    digest = hashlib.sha256(url.encode()).hexdigest()
    preview = LinkPreview.objects.filter(url_hash=digest).first()
    if preview is None:
        if _is_enough(sender):
            return None
        host = (urlsplit(url).hostname or "")[:253]
        preview, _made = LinkPreview.objects.get_or_create(
            url_hash=digest,
            defaults={"url": url, "host": host, "due_at": now, "asked_at": now - NOTHING_FOR},
        )
    old = FRESH_FOR if preview.state == State.READY else NOTHING_FOR
    is_old = preview.fetched_at is None or preview.fetched_at < now - old
    if preview.due_at is None and is_old and not _is_enough(sender):
        LinkPreview.objects.filter(pk=preview.pk, due_at=None).update(due_at=now, tries=0)
    return preview


def _is_enough(sender: Member) -> bool:
    return is_over("links", sender, most=FETCHED_MAX, seconds=FETCHED_SECONDS)


def remove_links(message: Message) -> None:
    """Take what is drawn under a message away, for good; its sender asked for that."""
    with transaction.atomic():
        rows = MessageLink.objects.filter(message=message, removed_at=None)
        gone = [rows.update(removed_at=timezone.now()) > 0]
        gone += [also.remove(message) for also in ALSO_DRAWN]
        if any(gone):
            message_shows_otherwise(message)


def has_cards(message: Message) -> bool:
    """Whether anything is drawn under a message because of its links."""
    return message.links.filter(removed_at=None).exists() or any(
        also.is_there(message) for also in ALSO_DRAWN
    )


def link_notes() -> ArraySubquery:
    """What is drawn under a message, as part of a query of messages: a LinkCard's columns each.

    Of threads those that everybody who reads the message may read.
    """
    open_to_all = Q(thread__is_listed=True) & (
        ~Q(thread__group__join_mode=JoinMode.HIDDEN) | Q(thread__group=OuterRef("room__group"))
    )
    shown = MessageLink.objects.filter(message=OuterRef("pk"), removed_at=None).filter(
        Q(preview__isnull=False) & ~Q(preview__title="") | open_to_all
    )
    columns = ("preview__url", "preview__title", "preview__description", "preview__site_name")
    of_thread = ("thread_id", "thread__title", "thread__group__name", "thread__reply_count")
    return ArraySubquery(
        shown.order_by("position").values(card=JSONArray(*columns, "preview__image", *of_thread))
    )


class LinkCard(NamedTuple):
    """What is drawn of a link: a page elsewhere, or a thread of ours."""

    url: str | None
    title: str | None
    description: str | None
    site_name: str | None
    image: str | None
    thread: int | None
    thread_title: str | None
    group: str | None
    replies: int | None


# -- fetching ----------------------------------------------------------------------------------


def claim_next() -> LinkPreview | None:
    """Take the next address that is due, for LEASE_SECONDS.

    A host is asked once in HOST_SECONDS. Whoever took it and died leaves it to another, TRIES_MAX
    times in all.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHOICE_LOCK])
        cursor.execute(
            """
            UPDATE community_linkpreview
            SET due_at = clock_timestamp() + make_interval(secs => %s),
                asked_at = clock_timestamp(), tries = tries + 1
            WHERE id = (
                SELECT waiting.id FROM community_linkpreview AS waiting
                WHERE waiting.due_at <= clock_timestamp() AND NOT EXISTS (
                    SELECT 1 FROM community_linkpreview AS other
                    WHERE other.host = waiting.host
                    AND other.asked_at > clock_timestamp() - make_interval(secs => %s)
                )
                ORDER BY waiting.due_at, waiting.id LIMIT 1
            )
            RETURNING id
            """,
            [LEASE_SECONDS, HOST_SECONDS],
        )
        row = cursor.fetchone()
    return LinkPreview.objects.get(pk=row[0]) if row else None


def fetch_due(*, until: Callable[[], bool]) -> int:
    """Fetch what is due till nothing is, or `until` says so; return how many."""
    fetched = 0
    while not until() and (preview := claim_next()) is not None:
        fetch_preview(preview)
        fetched += 1
    return fetched


@dataclass(frozen=True)
class _Found:
    state: str
    said: Said = field(default_factory=Said)
    picture: bytes = b""
    why: str = ""


def fetch_preview(preview: LinkPreview) -> None:
    """Fetch the page and its picture, and let messages that link to it show them.

    What cannot be had is noted with its reason; nothing is raised for it.
    """
    if preview.tries > TRIES_MAX:
        _write(preview, _Found(State.NOTHING, why="It could not be read in three tries."))
        return
    _write(preview, _look(preview.url))


def _look(url: str) -> _Found:
    try:
        page = outgoing.fetch(url, kinds=outgoing.HTML | outgoing.PICTURES, until=b"</head")
    except outgoing.Forbidden as refused:
        return _Found(State.REFUSED, why=str(refused))
    except outgoing.Unreachable as error:
        return _Found(State.NOTHING, why=str(error))
    host = urlsplit(page.url).hostname or ""
    if page.kind in outgoing.PICTURES:
        name = tidy(unquote(urlsplit(page.url).path.rpartition("/")[2]), TITLE_MAX_CHARS) or host
        return _Found(State.READY, Said(title=name), page.body)
    said = read_page(page.body, url=page.url, charset=page.charset)
    if not said.title:
        return _Found(State.NOTHING, why="It has no title.")
    return _Found(State.READY, said, _picture_at(said.image) if said.image else b"")


def _picture_at(url: str) -> bytes:
    try:
        return outgoing.fetch(url, kinds=outgoing.PICTURES, most_bytes=PICTURE_MAX_BYTES).body
    except (outgoing.Forbidden, outgoing.Unreachable) as error:
        log.info("preview without picture", why=str(error))
        return b""


def _stored(picture: bytes) -> Image | None:
    """Our own copy: drawn anew in a child, as members' pictures are, and confined."""
    if not picture:
        return None
    try:
        encoded = reencode_apart(picture)
    except ImageRefused as refused:
        log.info("preview without picture", why=str(refused))
        return None
    if min(encoded.width, encoded.height) < PICTURE_SIDE_MIN:
        return None
    return store(owner=None, group=None, encoded=encoded, is_confined=True)


def _write(preview: LinkPreview, found: _Found) -> None:
    image = _stored(found.picture)
    with transaction.atomic():
        row = LinkPreview.objects.select_for_update().get(pk=preview.pk)
        row.fetched_at, row.due_at, row.tries = timezone.now(), None, 0
        if row.state == State.READY and found.state == State.NOTHING:
            # The site is away: what it said last week stands, and it is asked again tomorrow.
            row.fetched_at -= FRESH_FOR - NOTHING_FOR
            row.save(update_fields=["fetched_at", "due_at", "tries"])
            return
        old, looked = row.image, _looks_of(row)
        if image is not None and old is not None and image.sha256 == old.sha256:
            row.image, old = old, image  # the same picture again: the new copy goes
        else:
            row.image = image
        row.state, row.why = found.state, found.why[:200]
        row.title, row.description = found.said.title, found.said.description
        row.site_name = (found.said.site_name or row.host.removeprefix("www."))[:SITE_MAX_CHARS]
        row.save()
        changed = looked != _looks_of(row)
        if old is not None:
            _forget(old)
    if changed:
        _tell(row)


def _looks_of(preview: LinkPreview) -> tuple[object, ...]:
    """What is drawn of it; nothing without a title."""
    if not preview.title:
        return ()
    return preview.title, preview.description, preview.site_name, preview.image_id


def _tell(preview: LinkPreview) -> None:
    links = MessageLink.objects.filter(preview=preview, removed_at=None, message__hidden_at=None)
    newest = links.select_related("message").order_by("-message__sent_at")[:TOLD_MESSAGES_MAX]
    # Each in a transaction of its own: whoever writes in its room waits for no other room.
    for link in newest:
        message_shows_otherwise(link.message)


def _forget(image: Image) -> None:
    files = [image.file, image.thumbnail]
    Image.objects.filter(pk=image.pk).delete()

    def remove() -> None:
        for file in files:
            file.storage.delete(str(file.name))

    transaction.on_commit(remove)
