"""Erasure: refused, waited for, taken back, done in batches; and nothing is left of the member."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client, TestCase
from django.utils import timezone

from commerce.connectors.models import Endpoint
from commerce.connectors.services import open_endpoint
from commerce.listings.models import ListingState
from commerce.merchants.models import Merchant, TeamMember
from commerce.merchants.services import add_team_member, personal_merchant
from commerce.orders.models import Order
from commerce.touchpoints.models import Touchpoint, Visitor
from commerce.touchpoints.services import Surface, record_click
from community.bookmarks.services import keep_bookmark
from community.chat.keeping import describe_room, go_on, pause_room
from community.chat.messages import edit_message, pin_message, toggle_message_reaction
from community.chat.models import Message, Place, Room
from community.chat.places import read_to
from community.chat.rooms import room_of, room_with
from community.chat.services import send_message
from community.drafts.services import save_draft
from community.groups.models import Group, Invitation, Membership, Role
from community.groups.services import invite
from community.importing.models import ImportedRecord
from community.members.models import Block, Member
from community.notifications.models import PushSubscription
from community.polls.models import OPTION_MAX_CHARS, QUESTION_MAX_CHARS
from community.polls.services import make_poll, vote
from community.privacy import erasing
from community.privacy.erasing import ask_for_erasure, cancel_erasure, erase
from community.privacy.errors import ErasureAsked, InTheWay, TooLate
from community.privacy.exporting import ask_for_export, make
from community.privacy.models import Erasure, ErasureState
from community.reactions.services import toggle_reaction
from community.search.saving import save_search
from community.threads.editing import edit_post
from community.threads.models import TITLE_MAX_CHARS, Post, PostMention, Thread
from community.uploads.models import Image
from config import personal
from config.personal import Erasing
from moderation.audit.models import AuditEntry
from tests.factories import (
    PASSWORD,
    join,
    make_group,
    make_member,
    make_post,
    make_thread,
    owner_of,
)
from tests.factories_commerce import make_image, make_listing, make_merchant
from tests.outbox import run_outbox
from tests.privacy import found_in_database, found_on_disk

pytestmark = pytest.mark.django_db

# Nobody else is called that, and no word of ours holds it.
HANDLE, NAME, EMAIL = "quenby", "Perpetua Xyloquist", "perpetua.x@tinmail.example"
PLACE, BIO = "Brimscombe", "Gathers sextants and zithers."
WORDS = (HANDLE, "xyloquist", "tinmail", "brimscombe", "zither")


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PRIVATE_ROOT = tmp_path / "private"


@pytest.fixture
def quenby(group: Group) -> Member:
    member = make_member(HANDLE, name=NAME, email=EMAIL, place=PLACE, bio=BIO)
    join(member, group)
    return member


def sign_in(member: Member) -> Client:
    """By the form, as one who has shown who they are a moment ago."""
    client = Client()
    answer = client.post("/accounts/login/", {"login": member.handle, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return client


def run(erasure: Erasure) -> Erasure:
    """Let the workers do it, when it is due."""
    with time_machine.travel(erasure.due_at + timedelta(seconds=1), tick=True):
        assert erase(erasure.pk)
        run_outbox()
    erasure.refresh_from_db()
    return erasure


def forget_all(member: Member) -> Erasure:
    erasure = run(ask_for_erasure(member))
    assert erasure.state == ErasureState.DONE
    return erasure


# -- asking -----------------------------------------------------------------------------------


def test_a_member_asks_and_has_a_week_to_think(quenby: Member):
    client = sign_in(quenby)
    answer = client.post("/settings/data/erasure/", {"sure": "on"})
    if answer.status_code == 302 and "reauthenticate" in answer["Location"]:
        answer = client.post(answer["Location"], {"password": PASSWORD})
    assert answer.status_code == 302
    erasure = Erasure.objects.get(member=quenby)
    assert (erasure.due_at - erasure.asked_at).days == 7
    run_outbox()
    letters = [letter for letter in mail.outbox if "erased" in letter.subject]
    assert [letter.to for letter in letters] == [[EMAIL]]
    assert "/settings/data/erasure/" in letters[0].body
    page = client.get("/settings/data/").content.decode()
    assert "Keep my account" in page
    assert erase(erasure.pk)
    quenby.refresh_from_db()
    assert quenby.is_active
    client.post("/settings/data/erasure/", {"_method": "delete"})
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.CANCELLED
    assert "Keep my account" not in client.get("/settings/data/").content.decode()


def test_who_has_not_shown_who_they_are_is_asked_for_the_password(quenby: Member, as_member: Any):
    answer = as_member(quenby).post("/settings/data/erasure/", {"sure": "on"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not Erasure.objects.exists()


def test_the_password_given_the_request_goes_on(quenby: Member, as_member: Any):
    client = as_member(quenby)
    answer = client.post("/settings/data/erasure/", {"sure": "on"})
    answer = client.post(answer["Location"], {"password": PASSWORD})
    assert answer["Location"] == "/settings/data/"
    assert Erasure.objects.get().member == quenby


def test_without_the_tick_nothing_is_asked(quenby: Member):
    client = sign_in(quenby)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    answer = client.post("/settings/data/erasure/", {})
    assert answer.status_code == 422
    assert "Tick the box" in answer.content.decode()
    assert not Erasure.objects.exists()


def test_a_guest_is_sent_to_sign_in(guest: Client):
    for path in ("/settings/data/", "/settings/data/erasure/", "/settings/data/copy/progress/"):
        assert guest.get(path)["Location"].startswith("/accounts/login/")


def test_asking_twice_is_refused_and_a_begun_one_stays(quenby: Member):
    erasure = ask_for_erasure(quenby)
    with pytest.raises(ErasureAsked):
        ask_for_erasure(quenby)
    assert Erasure.objects.count() == 1
    run(erasure)
    with pytest.raises(TooLate):
        cancel_erasure(quenby)


def test_the_only_owner_of_a_group_hands_over_first(quenby: Member, ada: Member):
    group = make_group("zinc", owner=quenby)
    join(ada, group)
    with pytest.raises(InTheWay) as refused:
        ask_for_erasure(quenby)
    assert [one.address for one in refused.value.obstacles] == ["/g/zinc/members/"]
    page = sign_in(quenby).get("/settings/data/erasure/").content.decode()
    assert "You are the only owner of the group “Zinc”." in page
    assert not Erasure.objects.exists()


def test_a_group_that_grew_since_goes_to_the_moderator_there_longest(quenby: Member, ada: Member):
    group = make_group("zinc", owner=quenby)
    erasure = ask_for_erasure(quenby)
    join(ada, group)
    mo = make_member("mo")
    join(mo, group, Role.MODERATOR)
    run(erasure)
    roles = dict(Membership.objects.filter(group=group).values_list("member__handle", "role"))
    assert roles == {"ada": Role.MEMBER, "mo": Role.OWNER}
    group.refresh_from_db()
    assert group.member_count == 2


def test_the_only_owner_of_a_shop_with_orders_hands_over_first(quenby: Member):
    shop = make_merchant("Zinc Works", owner=quenby)
    make_order(shop)
    with pytest.raises(InTheWay) as refused:
        ask_for_erasure(quenby)
    assert "“Zinc Works”" in str(refused.value.obstacles[0].text)


def test_a_shop_that_sold_since_puts_the_erasure_off(quenby: Member, ada: Member):
    shop = make_merchant("Zinc Works", owner=quenby)
    erasure = ask_for_erasure(quenby)
    make_order(shop)
    with time_machine.travel(erasure.due_at + timedelta(seconds=1)):
        assert erase(erasure.pk)
    quenby.refresh_from_db()
    erasure.refresh_from_db()
    assert (quenby.handle, erasure.state) == (HANDLE, ErasureState.WAITING)
    add_team_member(merchant=shop, member=ada, by=quenby)
    TeamMember.objects.filter(merchant=shop, member=ada).update(role="owner")
    with time_machine.travel(erasure.due_at + timedelta(hours=2), tick=True):
        assert erase(erasure.pk)
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.DONE
    assert list(shop.team.values_list("member__handle", flat=True)) == ["ada"]


# -- done -------------------------------------------------------------------------------------


def make_order(shop: Merchant, **fields: Any) -> Order:
    now = timezone.now()
    fields.setdefault("external_id", "A-1")
    return Order.objects.create(
        merchant=shop, placed_at=now, version_at=now, currency="GBP", total_minor=900, **fields
    )


@pytest.fixture
def life(quenby: Member, ada: Member, group: Group) -> Iterator[dict[str, Any]]:
    """What a member leaves behind in every corner, and what others say of them."""
    client = sign_in(quenby)
    quenby.avatar = make_image(quenby)
    quenby.save()
    thread = make_thread(quenby, group, body="Whose sextant is that? Not @ada's.")
    own = make_post(quenby, thread, f"Write to {EMAIL} or ask @quenby again.")
    edit_post(post=own, editor=quenby, body=f"Write to {EMAIL}, it is @quenby's.", reason="Typo")
    other = make_thread(ada, group, "For @quenby and all", "Ask @Quenby, not @bo.")
    reply = make_post(
        ada, other, f"> [{NAME}]({own.get_absolute_url()}):\n> Write to me\n\nI did, @quenby."
    )
    edit_post(post=reply, editor=ada, body=f"{reply.body} Twice.", reason="More")
    room = room_of(group)
    send_message(room=room, sender=ada, body="Morning @quenby")
    mine = send_message(room=room, sender=quenby, body="Morning all")
    edit_message(message=mine, body=f"Morning all, write to {EMAIL}", by=quenby)
    edit_message(message=mine, body="Morning all, @quenby here", by=quenby)
    toggle_message_reaction(message=mine, by=quenby, name="heart")
    pair = room_with([ada], by=quenby)
    send_message(room=pair, sender=quenby, body=f"Write to {EMAIL}, I am @quenby")
    send_message(room=pair, sender=ada, body="Thanks, @quenby")
    read_to(room=pair, member=quenby, seq=1)
    keeper = owner_of(group)
    pin_message(message=mine, by=keeper)
    pause_room(room=room, by=keeper, reason="Ask @quenby why")
    go_on(room=room, by=keeper)
    describe_room(room=room, name="", topic="Not @quenby again", by=keeper)
    toggle_reaction(post=reply, member=quenby, name="heart")
    keep_bookmark(member=quenby, post=reply, note="from brimscombe")
    save_draft(member=quenby, target=f"thread:{other.pk}", body="zither, unfinished", sequence=1)
    save_draft(member=ada, target=f"thread:{other.pk}", body="Dear @quenby", sequence=1)
    poll = make_poll(post=other.posts.get(number=1), question="Is @quenby right?", options=["a"])
    poll = vote_first(poll, quenby)
    Block.objects.create(by=ada, of=quenby, kind="mute")
    PushSubscription.objects.create(
        member=quenby, endpoint="https://push.example/brimscombe", p256dh="p", auth="a"
    )
    ImportedRecord.objects.create(
        source="old", kind="username", external_id="quenby", object_id=quenby.pk
    )
    ImportedRecord.objects.create(source="old", kind="user", external_id="77", object_id=quenby.pk)
    LogEntry.objects.create(
        user=ada,
        content_type=ContentType.objects.get_for_model(Member),
        object_id=str(quenby.pk),
        object_repr=NAME,
        action_flag=ADDITION,
        change_message="",
    )
    invite(group=make_group("lair", owner=quenby), by=quenby)
    own_sale = make_listing(personal_merchant(quenby), description=f"Mail {EMAIL}", place=PLACE)
    shop = make_merchant(owner=ada)
    digest = hashlib.sha256(EMAIL.encode()).hexdigest()
    order = make_order(shop, buyer_member=quenby, buyer_email_sha256=digest)
    listing = make_listing(shop)
    touch = record_click(
        listing=listing,
        surface=surface_of(reply),
        at=timezone.now(),
        consent=True,
        member=quenby,
    ).touchpoint
    export = ask_for_export(quenby)
    run_outbox()
    assert make(export.pk)
    yield {
        "client": client,
        "thread": thread,
        "own": own,
        "other": other,
        "reply": reply,
        "order": order,
        "touch": touch,
        "own_sale": own_sale,
        "poll": poll,
    }


def vote_first(poll: Any, member: Member) -> Any:
    vote(poll=poll, member=member, option_ids=[poll.options.get().pk])
    return poll


def surface_of(post: Post) -> Surface:
    return Surface(group=post.thread.group, thread=post.thread, post=post, author=post.author)


def test_nothing_in_the_database_or_on_disk_tells_who_it_was(quenby: Member, life: dict[str, Any]):
    before = {line.partition(":")[0] for line in found_in_database(WORDS)}
    assert {"community_member.handle", "community_post.html", "community_word.word"} <= before
    assert {"community_searchdocument.tsv", "django_admin_log.object_repr"} <= before
    erasure = forget_all(quenby)
    assert found_in_database(WORDS) == []
    assert found_on_disk(WORDS) == []
    assert erasure.was == {}
    assert not Session.objects.exists()
    assert not EmailAddress.objects.filter(user=quenby).exists()


def test_whom_one_talked_with_is_still_a_room_and_says_nothing_of_reading(
    quenby: Member, life: dict[str, Any], ada: Member, as_member: Any
):
    forget_all(quenby)
    quenby.refresh_from_db()
    pair = Room.objects.get(kind="direct")
    place = Place.objects.get(room=pair, member=quenby)
    assert (place.state, place.read_seq, place.read_at) == ("left", 0, None)
    assert not Place.objects.filter(member=quenby).exclude(room=pair).exists()
    page = as_member(ada).get(f"/rooms/{pair.pk}/").content.decode()
    assert f"I am @{quenby.handle}" in page
    assert f"<title>{quenby.name}" in page
    # Messages count the sign that was given, and say what they said.
    mine = Message.objects.get(room__group__isnull=False, sender=quenby)
    assert mine.reactions == {"heart": 1}
    assert mine.reaction_rows.count() == 1
    assert [one.body for one in mine.revisions.all()] == ["Morning all", "Morning all, write to …"]


def test_a_leftover_nobody_registered_is_found(quenby: Member, life: dict[str, Any], settings: Any):
    """The search is no better than what it finds: a table of another kind, and a file."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE twin (id serial, note jsonb)")
        cursor.execute("INSERT INTO twin (note) VALUES (%s)", ['{"who": "P. Xyloquist"}'])
    forget_all(quenby)
    stray = Path(settings.MEDIA_ROOT) / "stray.txt"
    stray.write_text("sold in Brimscombe")
    assert found_in_database(WORDS) == ["twin.note: xyloquist"]
    assert found_on_disk(WORDS) == ["stray.txt"]


def test_talk_stays_under_a_neutral_name(quenby: Member, life: dict[str, Any], guest: Client):
    forget_all(quenby)
    quenby.refresh_from_db()
    number = quenby.pk
    assert (quenby.name, quenby.handle) == (f"Former member {number}", f"former-{number}")
    assert not quenby.is_active and not quenby.has_usable_password()
    own = Post.objects.get(pk=life["own"].pk)
    assert own.author == quenby
    assert own.body == f"Write to …, it is @former-{number}'s."
    page = guest.get(life["thread"].get_absolute_url()).content.decode()
    assert f"Former member {number}" in page
    profile = guest.get(f"/members/former-{number}/")
    assert (profile.status_code, "no longer here" in profile.content.decode()) == (410, True)
    assert guest.get(f"/members/{HANDLE}/").status_code == 404


def test_mentions_and_quotes_of_others_lose_name_and_link(quenby: Member, life: dict[str, Any]):
    forget_all(quenby)
    reply = Post.objects.get(pk=life["reply"].pk)
    assert reply.body == (
        f"> [Former member {quenby.pk}]({life['own'].get_absolute_url()}):\n> Write to me\n\n"
        f"I did, @former-{quenby.pk}. Twice."
    )
    assert f"@former-{quenby.pk}" in reply.html
    assert "/members/" not in reply.html
    assert reply.revisions.count() == 1
    assert not PostMention.objects.filter(member=quenby).exists()
    opening = life["other"].posts.get(number=1)
    assert opening.body == f"Ask @former-{quenby.pk}, not @bo."
    life["other"].refresh_from_db()
    assert life["other"].title == f"For @former-{quenby.pk} and all"
    assert life["other"].excerpt == opening.body


def test_walls_of_a_handle_and_of_brackets_keep_nobody_from_leaving(
    quenby: Member, ada: Member, group: Group
):
    """The neutral handle is longer than theirs: what was full grows over its limit."""
    calls = f"@{HANDLE} "
    thread = make_thread(ada, group, (calls * 30)[:TITLE_MAX_CHARS], calls * (50_000 // len(calls)))
    brackets = make_post(ada, thread, "[\\" * 24_000 + " [a](/p/1/)")
    question = (calls * 40)[:QUESTION_MAX_CHARS].strip()
    options = [(f"{n} {calls}" + calls * 20)[:OPTION_MAX_CHARS].strip() for n in (1, 2)]
    poll = make_poll(post=brackets, question=question, options=options)
    save_draft(member=ada, target=f"group:{group.pk}", title=calls * 37, body="x", sequence=1)
    save_search(member=ada, query=calls * 30)
    edit_post(post=thread.posts.get(number=1), editor=ada, body="Gone.", reason="y", based_on=0)
    edit_post(
        post=thread.posts.get(number=1),
        editor=ada,
        body=calls * (50_000 // len(calls)),
        reason="z",
        based_on=1,
    )
    forget_all(quenby)
    thread.refresh_from_db()
    poll.refresh_from_db()
    opening = thread.posts.get(number=1)
    for text in (thread.title, thread.excerpt, opening.body, opening.html, poll.question):
        assert HANDLE not in text
        assert f"@former-{quenby.pk}" in text


def test_money_and_counts_stay(quenby: Member, life: dict[str, Any]):
    forget_all(quenby)
    order = Order.objects.get(pk=life["order"].pk)
    assert (order.total_minor, order.buyer_member, order.buyer_email_sha256) == (900, None, "")
    touch = Touchpoint.objects.get(pk=life["touch"].pk)
    assert (touch.member, touch.visitor, touch.consent) == (None, None, True)
    assert not Visitor.objects.filter(member=quenby).exists()
    reply = Post.objects.get(pk=life["reply"].pk)
    assert reply.reactions == {"heart": 1}
    life["poll"].refresh_from_db()
    assert life["poll"].voter_count == 1
    sale = life["own_sale"]
    sale.refresh_from_db()
    assert (sale.state, sale.description, sale.place) == (ListingState.WITHDRAWN, "", "")
    assert sale.merchant.name == f"Former member {quenby.pk}"
    assert sale.merchant.slug == f"closed-{sale.merchant_id}"
    assert not Invitation.objects.filter(invited_by=quenby).exists()


def test_pictures_that_posts_show_stay_and_the_others_go(quenby: Member, group: Group):
    avatar, shown, loose, said = (make_image(quenby) for _ in range(4))
    Member.objects.filter(pk=quenby.pk).update(avatar=avatar)
    make_thread(quenby, group, body=f"Look: {shown.markdown}")
    send_message(room=room_of(group), sender=quenby, body=f"See {said.markdown}")
    gone = [Path(name.path) for one in (avatar, loose) for name in (one.file, one.thumbnail)]
    assert all(path.exists() for path in gone)
    with TestCase.captureOnCommitCallbacks(execute=True):
        forget_all(quenby)
    assert not any(path.exists() for path in gone)
    kept = set(Image.objects.filter(owner=quenby))
    assert kept == {shown, said}
    assert all(Path(image.file.path).exists() for image in kept)


def test_an_open_endpoint_of_a_shop_that_closes_is_revoked(quenby: Member):
    shop = make_merchant("Brimscombe Glass", owner=quenby)
    open_endpoint(merchant=shop, by=quenby)
    forget_all(quenby)
    shop.refresh_from_db()
    assert shop.name == f"Closed shop {shop.pk}"
    assert Endpoint.objects.get(merchant=shop).revoked_at is not None


def test_the_account_is_closed_with_the_first_batch(
    quenby: Member, monkeypatch: pytest.MonkeyPatch
):
    client = sign_in(quenby)
    erasure = ask_for_erasure(quenby, at_once=True)
    assert erasing._batch(erasure.pk)
    assert client.get("/settings/data/").status_code == 302
    assert Client().login(username=HANDLE, password=PASSWORD) is False
    erasure.refresh_from_db()
    assert erasure.was["handle"] == HANDLE


def test_an_erasure_that_dies_anywhere_goes_on_and_ends_the_same(
    quenby: Member, life: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    erasure = ask_for_erasure(quenby, at_once=True)
    steps = personal.steps()
    deaths = iter(range(len(steps)))

    def dying(step: Any) -> Any:
        alive = {"yet": False}

        def once(who: Erasing, after: str) -> str | None:
            result: str | None = step(who, after)
            if not alive["yet"]:
                alive["yet"] = True
                next(deaths)
                raise RuntimeError("The worker died after its work and before the commit.")
            return result

        return once

    mortal = [(name, dying(step)) for name, step in steps]
    monkeypatch.setattr(personal, "steps", lambda: mortal)
    for turn in range(len(steps) + 2):
        with time_machine.travel(timezone.now() + timedelta(minutes=2 * turn + 1), tick=True):
            assert erase(erasure.pk)
    assert next(deaths, None) is None
    run_outbox()
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.DONE
    assert found_in_database(WORDS) == []
    assert Thread.objects.get(pk=life["thread"].pk).author == quenby


def test_every_step_may_run_again(quenby: Member, life: dict[str, Any]):
    forget_all(quenby)
    who = Erasing(
        quenby.pk, HANDLE, NAME, (EMAIL,), f"former-{quenby.pk}", f"Former member {quenby.pk}"
    )
    for name, step in personal.steps():
        after: str | None = ""
        for _ in range(3):
            after = step(who, after or "")
            if after is None:
                break
        assert after is None, name


def test_another_member_keeps_everything(quenby: Member, ada: Member, life: dict[str, Any]):
    forget_all(quenby)
    ada.refresh_from_db()
    assert (ada.name, ada.is_active) == ("Ada Quist", True)
    assert ada.posts.count() == 2
    assert ada.drafts.get().body == f"Dear @former-{quenby.pk}"
    assert EmailAddress.objects.filter(user=ada).count() == 1


def test_a_handle_of_those_who_left_cannot_be_taken(guest: Client):
    form = {"email": "x@shoal.example", "username": "former-12", "password1": PASSWORD, "name": "X"}
    page = guest.post("/accounts/signup/", form)
    assert "kept for members who left" in page.content.decode()
    assert not Member.objects.filter(handle="former-12").exists()


def test_a_handle_somebody_has_is_passed_over(quenby: Member):
    make_member(f"former-{quenby.pk}")
    assert erasing.neutral_handle(quenby.pk) == f"former-{quenby.pk}-2"


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ("Hi @quenby, @Quenby!", "Hi @former-7, @former-7!"),
        ("@quenbyx @quenby_b @quenby-c x@quenby", "@quenbyx @quenby_b @quenby-c x@quenby"),
        ("(P.X@tin.example)", "(…)"),
        ("ap.x@tin.example p.x@tin.example.org", "ap.x@tin.example ….org"),
        ("quenby said", "quenby said"),
    ],
)
def test_only_whole_handles_and_addresses_become_neutral(said: str, becomes: str):
    who = Erasing(7, HANDLE, NAME, ("p.x@tin.example",), "former-7", "Former member 7")
    assert personal.neutral(said, who) == becomes


# -- by staff ---------------------------------------------------------------------------------


@pytest.fixture
def as_staff(db: None, as_member: Any) -> Client:
    chief = Member.objects.create_superuser("chief", "chief@shoal.example", PASSWORD)
    return as_member(chief)  # type: ignore[no-any-return]


def test_staff_erase_on_request_and_the_trail_says_so(quenby: Member, as_staff: Client):
    path = "/staff/community/erasure/add/"
    assert as_staff.get(path).status_code == 200
    answer = as_staff.post(path, {"handle": "quenby", "reason": "Letter 12", "at_once": "on"})
    assert answer.status_code == 302
    erasure = Erasure.objects.get(member=quenby)
    assert erasure.asked_by is not None and erasure.asked_by.handle == "chief"
    entry = AuditEntry.objects.get(action="member.erase")
    assert (entry.subject, entry.reason, entry.target) == (
        quenby,
        "Letter 12",
        f"member:{quenby.pk}",
    )
    assert erase(erasure.pk)
    assert found_in_database(["xyloquist", "tinmail"]) == []
    assert as_staff.get("/staff/community/erasure/").status_code == 200


def test_staff_may_not_name_the_member_in_the_trail(quenby: Member, as_staff: Client):
    for reason in ("quenby asked", f"letter from {EMAIL}", NAME):
        form = {"handle": "quenby", "reason": reason}
        answer = as_staff.post("/staff/community/erasure/add/", form)
        assert "names the member" in answer.content.decode()
    assert not Erasure.objects.exists() and not AuditEntry.objects.exists()


def test_staff_take_an_erasure_back(quenby: Member, as_staff: Client):
    erasure = ask_for_erasure(quenby)
    form = {"action": "take_back", "_selected_action": [erasure.pk]}
    as_staff.post("/staff/community/erasure/", form)
    erasure.refresh_from_db()
    assert erasure.state == ErasureState.CANCELLED
    assert AuditEntry.objects.get().action == "member.keep"


def test_moderators_erase_nobody(quenby: Member, mo: Member, as_mo: Client):
    Member.objects.filter(pk=mo.pk).update(is_staff=True)
    form = {"handle": "quenby", "reason": "Letter 12"}
    assert as_mo.post("/staff/community/erasure/add/", form).status_code == 403
    assert not Erasure.objects.exists()
