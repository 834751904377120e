"""People, three groups with everything a group can hold, and words that tell who read what."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone

from commerce.connectors.models import Delivery
from commerce.connectors.services import open_endpoint
from commerce.listings.models import ListingState
from commerce.merchants.services import invite_to_team
from commerce.placements.models import Evidence, Placement, PlacementState
from commerce.touchpoints.links import go_url
from community.bookmarks.services import keep_bookmark
from community.chat.messages import edit_message, hide_message, pin_message
from community.chat.rooms import open_room, room_of, room_with
from community.chat.services import send_message
from community.drafts.services import save_draft
from community.groups.models import JoinMode, JoinRequest, Role
from community.groups.services import invite
from community.importing.models import SITE, ImportedRecord, site_key
from community.members.blocking import block
from community.members.models import Block, Member, TrustLevel
from community.notifications.models import Kind, Notification
from community.notifications.services import notify
from community.notifications.tokens import Off, off_token
from community.polls.services import make_poll
from community.privacy.exporting import ask_for_export, make
from community.privacy.models import Export
from community.reactions.services import toggle_reaction
from community.search.saving import save_search
from community.standing.models import Badge
from community.tags.services import create_tag
from community.threads.editing import edit_post
from community.threads.hiding import delete_post, hide_post
from community.threads.models import Post, Thread, ThreadTag
from community.threads.services import lock_thread
from community.uploads.reencode import Encoded
from community.uploads.services import store
from config.emojis import emoji_file
from config.redis import client as valkey
from moderation.flags.models import FlagReason
from moderation.flags.services import flag
from moderation.queue.roles import ensure_moderator_role
from moderation.sanctions.services import silence
from tests.factories import PASSWORD, join, make_group, make_member, make_post, make_thread
from tests.factories_attribution import line, make_click, report_order
from tests.factories_commerce import make_listing, make_merchant
from tests.outbox import run_outbox

# Who asks. The author wrote all that is read, and what is private is theirs; `blocked` is somebody
# the author blocked; `owner` and `moderator` are the groups', `staff` moderates the whole site.
PEOPLE: Final = (
    *("guest", "outsider", "staff"),
    *("member", "silenced", "blocked", "author", "moderator", "owner"),
)
INSIDE: Final = PEOPLE[3:]
OUTSIDE: Final = PEOPLE[:3]
PLACES: Final = {"open": JoinMode.OPEN, "invite": JoinMode.INVITE, "hidden": JoinMode.HIDDEN}

# Each stands in words of one sort only. Requests never hold one, so an echo is no leak.
IN_HIDDEN_GROUP: Final = "marrowstone"
IN_HIDDEN_POST: Final = "thistlegate"
IN_DELETED_POST: Final = "gorsewick"
IN_HIDDEN_MESSAGE: Final = "ferrymoss"
PRIVATE: Final = "fennelmark"
FOR_STAFF: Final = "hazelnote"
AMONG_TWO: Final = "sorrelgate"
SECRETS: Final = {
    IN_HIDDEN_GROUP: set(INSIDE),
    IN_HIDDEN_POST: {"author", "moderator", "owner"},
    IN_DELETED_POST: {"author", "moderator", "owner"},
    IN_HIDDEN_MESSAGE: set(),  # not even its sender, who reads why
    PRIVATE: {"author"},
    FOR_STAFF: {"staff", "member"},  # the member wrote it
    AMONG_TWO: {"author", "outsider"},
}


@dataclass
class World:
    """`spots` has what a place holds, by names the tables use; `mine` is the author's own."""

    people: dict[str, Member]
    spots: dict[str, dict[str, Any]]
    site: dict[str, Any]
    clients: dict[str, Client] = field(default_factory=dict)
    unconfirmed: Client = field(default_factory=Client)  # the author, signed in long ago
    digests: dict[str, Any] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)  # writes so far, by table

    def filled(self, pattern: str, place: str = "open") -> str:
        """Write `/g/{group.slug}/` for a place."""
        return pattern.format(**self.site, **self.spots[place])


@contextmanager
def built() -> Iterator[World]:
    """Make the world in a transaction that is taken back at the end."""
    whole = transaction.atomic()
    whole._from_testcase = True  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        roots = {"MEDIA_ROOT": Path(folder) / "media", "PRIVATE_ROOT": Path(folder) / "private"}
        # The worker's own clocks are not what is tried here.
        with override_settings(**roots), whole:
            yield _world()
            transaction.set_rollback(True)


def _world() -> World:
    people = _people()
    spots = {place: _place(place, people) for place in PLACES}
    silence(member=people["silenced"], by=people["staff"], reason="Sold the same lens twice.")
    run_outbox()
    site = {**_merchant(people, spots), **_own(people, spots)}
    site["pair"] = room_with([people["outsider"]], by=people["author"])
    send_message(room=site["pair"], sender=people["author"], body=f"Only for you: {AMONG_TWO}.")
    site.update({f"{name}_handle": member.handle for name, member in people.items()})
    run_outbox()
    world = World(people, spots, site)
    world.clients = {"guest": Client(raise_request_exception=False)}
    world.unconfirmed.force_login(people["author"])
    for name, member in people.items():
        world.clients[name] = _signed_in(member)
    return world


def _signed_in(member: Member) -> Client:
    """Somebody who has just shown their password, as the pages for data and erasure ask."""
    client = Client(raise_request_exception=False)
    client.force_login(Member.objects.get(pk=member.pk))
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    valkey().flushdb()
    return client


def _people() -> dict[str, Member]:
    people = {
        name: make_member(f"the-{name}", name=f"The {name}", trust_level=TrustLevel.REGULAR)
        for name in PEOPLE
        if name not in ("guest", "staff")
    }
    staff = make_member("the-staff", name="The staff", is_staff=True)
    staff.groups.add(ensure_moderator_role())
    people["staff"] = Member.objects.get(pk=staff.pk)
    block(by=people["author"], of=people["blocked"], kind=Block.Kind.BLOCK)
    return people


def _place(place: str, people: dict[str, Member]) -> dict[str, Any]:
    """A group and all it can hold. What stands in the hidden one says so in each of its words."""
    word = IN_HIDDEN_GROUP if place == "hidden" else "plainstone"
    author, owner, moderator = people["author"], people["owner"], people["moderator"]
    group = make_group(
        f"the-{place}",
        owner=owner,
        name=f"The {word} group",
        join_mode=PLACES[place],
        about=f"About {word} lenses.",
    )
    for name in INSIDE:
        if name == "moderator":
            join(people[name], group, Role.MODERATOR)
        elif name != "owner":
            join(people[name], group)
    other = make_group(f"also-{place}", owner=owner, name=f"Also {word}", join_mode=PLACES[place])
    join(moderator, other, Role.MODERATOR)
    image = store(
        owner=author,
        group=group,
        encoded=Encoded(width=8, height=8, full=word.encode(), thumbnail=word.encode()),
        alt=f"A {word} lens.",
    )
    tag = create_tag(name=f"{word} tag", group=group, by=moderator)
    thread = make_thread(author, group, f"Quillfeather {word} title", f"quillfeather {word} body")
    ThreadTag.objects.create(thread=thread, tag=tag)
    type(tag).objects.filter(pk=tag.pk).update(thread_count=1)
    post = make_post(author, thread, f"A reply, quillfeather {word}: {image.markdown}")
    edit_post(post=post, editor=author, body=f"{post.body} Again.", reason=word, based_on=0)
    poll = make_poll(post=post, question=f"Which {word}?", options=[f"{word} one", f"{word} two"])
    theirs = make_post(moderator, thread, f"From somebody else, {word}.")
    hidden = make_post(author, thread, f"quillfeather {IN_HIDDEN_POST} {word}")
    deleted = make_post(author, thread, f"quillfeather {IN_DELETED_POST} {word}")
    hide_post(post=hidden, by=moderator, reason="Said twice.")
    delete_post(post=deleted, by=author)
    make_post(people["blocked"], thread, f"From one who is blocked, {word}.")
    fresh = make_post(author, thread, f"The last one, {word}.")
    # Taking it back is for its first seconds: they shall not be over before it is asked.
    Post.objects.filter(pk=fresh.pk).update(created_at=timezone.now() + timedelta(minutes=5))
    locked = make_thread(author, group, f"A locked {word} thread", word, replies=1)
    lock_thread(thread=locked, by=moderator, reason="All is said.")
    asked = make_thread(author, group, f"A question about {word}", f"quillfeather {word}?")
    Thread.objects.filter(pk=asked.pk).update(kind="question")
    reply = make_post(people["member"], asked, f"An answer, {word}.")
    room = room_of(group)
    message = send_message(room=room, sender=author, body=f"Chat of {word}.")
    edit_message(message=message, body=f"Chat of {word}, changed.", by=author)
    pinned = send_message(room=room, sender=people["blocked"], body=f"Blocked chat of {word}.")
    pin_message(message=pinned, by=moderator)
    gone = send_message(room=room, sender=author, body=f"{IN_HIDDEN_MESSAGE} of {word}")
    send_message(room=room, sender=people["member"], body=f"To that {word}.", reply_to=gone)
    hide_message(message=gone, by=moderator, reason="Said twice.")
    toggle_reaction(post=post, member=people["member"], name="heart")
    flag(kind="post", target=post, member=people["member"], reason=FlagReason.SPAM, note=FOR_STAFF)
    knocker = make_member(f"knocker-{place}", name="Knocks")
    spot = SimpleNamespace(
        place=place,
        group=group,
        other=other,
        image=image,
        tag=tag,
        thread=Thread.objects.get(pk=thread.pk),
        post=post,
        option=poll.options.order_by("position")[0],
        theirs=theirs,
        hidden_post=hidden,
        deleted_post=deleted,
        fresh=fresh,
        locked=locked,
        locked_post=locked.posts.get(number=2),
        asked=asked,
        reply=reply,
        message=message,
        pinned=pinned,
        gone=gone,
        room=message.room,
        side=open_room(group=group, name=f"The {word} room", topic=word, by=moderator),
        join_request=JoinRequest.objects.create(group=group, member=knocker, message=word),
        link=invite(group=group, by=moderator),
    )
    source = f"talk-{place}"
    ImportedRecord.objects.create(
        source=site_key(source), kind=f"{SITE}:discourse", external_id=source, object_id=0
    )
    ImportedRecord.objects.create(source=source, kind="post", external_id="102", object_id=post.pk)
    return vars(spot)


def _merchant(people: dict[str, Member], spots: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The author's shop with an order and a delivery, and a listing in each place."""
    author = people["author"]
    shop = make_merchant("The shop", owner=author)
    invite_to_team(merchant=shop, member=people["member"], by=author)
    for place, spot in spots.items():
        word = IN_HIDDEN_GROUP if place == "hidden" else "plainstone"
        listing = make_listing(shop, f"Quillfeather {word} lens", group=spot["group"])
        suggested = make_listing(shop, f"A suggested {word} lens", group=spot["group"])
        spot["listing"] = listing
        spot["another"] = make_listing(shop, f"Another {word} lens", group=spot["group"])
        spot["placement"] = Placement.objects.create(
            thread=spot["thread"],
            post=spot["post"],
            listing=listing,
            evidence=Evidence.HAND,
            placed_by=author,
        )
        spot["suggestion"] = Placement.objects.create(
            thread=spot["thread"],
            post=spot["post"],
            listing=suggested,
            evidence=Evidence.MODEL,
            state=PlacementState.SUGGESTED,
        )
        spot["go"] = go_url(listing, post=spot["post"])
    unsold = make_listing(shop, f"A {PRIVATE} draft", state=ListingState.DRAFT)
    sold = make_listing(shop, "Sold here")
    click = make_click(sold, spots["open"]["post"])
    order = report_order(shop, line(9_000, sold, title=PRIVATE), number=PRIVATE, click=click)
    endpoint, _secret = open_endpoint(merchant=shop, by=author)
    delivery = Delivery.objects.create(
        endpoint=endpoint,
        external_id=f"msg-{PRIVATE}",
        kind="order.created",
        order_external_id=PRIVATE,
        body=b"{}",
        body_sha256="0" * 64,
        sent_at=timezone.now(),
    )
    return {
        "shop": shop,
        "unsold": unsold,
        "sold": sold,
        "order": order,
        "endpoint": endpoint,
        "ending": endpoint.last_four,
        "delivery": delivery,
    }


def _own(people: dict[str, Member], spots: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is the author's alone: notes, drafts, searches, news, a copy of their data."""
    author = people["author"]
    post = spots["open"]["post"]
    keep_bookmark(member=author, post=post, note=f"{PRIVATE} note")
    target = f"thread:{spots['open']['thread'].pk}"
    save_draft(member=author, target=target, body=f"{PRIVATE} draft", sequence=1)
    saved = save_search(member=author, query="quillfeather", name=f"{PRIVATE} search")
    told = notify(
        member=author,
        kind=Kind.REPLY,
        key="the-matrix",
        actor=people["member"],
        post=spots["open"]["reply"],
        details={"words": PRIVATE},
    )
    export = ask_for_export(author)
    while not make(export.pk):
        pass
    Export.objects.filter(pk=export.pk).update(asked_at=timezone.now() - timedelta(days=2))
    return {
        "draft_target": target,
        "saved": saved,
        "told": told or Notification.objects.filter(member=author).latest("pk"),
        "export": export,
        "off": off_token(Off(author.pk, "digest")),
        "badge": Badge.objects.active()[0],
        "emoji": emoji_file("en")[0],
    }
