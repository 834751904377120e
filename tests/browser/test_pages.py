"""Every page: axe finds nothing, nothing scrolls sideways, bytes in budget.

The main ones are asked in both themes, of the others every second one in each.
"""

from __future__ import annotations

import gzip
from datetime import timedelta
from itertools import islice
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Response, ViewportSize

from commerce.listings.models import Listing
from community.bookmarks.services import keep_bookmark
from community.chat.rooms import room_of
from community.chat.services import send_message
from community.drafts.services import save_draft
from community.groups.models import Group
from community.members.blocking import block
from community.members.models import Member
from community.notifications.models import Kind
from community.notifications.services import notify
from community.polls.services import make_poll
from community.reactions.services import toggle_reaction
from community.search.models import SavedSearch
from community.tags.services import create_tag
from community.threads.editing import edit_post
from community.threads.following import follow
from community.threads.models import Thread
from community.threads.services import lock_thread
from tests.browser.one_port import Site
from tests.factories import make_member, make_post, make_thread
from tests.factories_commerce import keeper_of, make_listing, make_placement

# gzipped bytes of a reading page
BUDGETS = {"document": 25_000, "stylesheet": 20_000, "script": 30_000, "font": 0}

RICH = """A table, for once:

| Body | Grade | Price |
|------|-------|------:|
| R2-M | B     |  £210 |

> Is there anything else that goes wrong on these?

1. seals
2. slow speeds

`1/30` and a [link](https://example.org/). Thanks @bo!
"""

# Every reply says them in another order, so that they do not compress like one.
WORDS = (
    "seals shutter meter rangefinder finder patch aligned service honest price foam wool mirror "
    "bellows cloth slow speeds lens haze fungus coating scratch dent brass leather strap case "
    "film advance rewind counter spring screw mount flange focus infinity aperture blades oil "
    "dust glass viewfinder battery silver zinc adapter receipt box manual postage collected"
)


@pytest.fixture
def lived_in(group: Group, ada: Member, bo: Member, mo: Member, keeper: Member) -> Thread:
    """A group with talk in it: a thread of three pages with listings, a locked one, chat."""
    words = WORDS.split()
    thread = make_thread(ada, group, body=RICH)
    opening = thread.posts.get()
    make_post(bo, thread, RICH, reply_to=opening)
    for number in range(45):
        make_post(ada, thread, f"Reply **{number}**. {' '.join(words[number:] + words[:number])}.")
    edit_post(post=opening, editor=ada, body=RICH.replace("£210", "£205"))
    for number in range(5):
        listing = make_listing(title=f"Optra R2-M, number {number}", group=group, photos=1)
        make_placement(listing, thread=thread, post=opening if number < 3 else None)
    locked = make_thread(bo, group, title="A thread that went on for too long")
    lock_thread(thread=locked, by=mo, reason="It went in circles.")
    send_message(room=room_of(group), sender=ada, body="Anyone near Leith?")
    reply = thread.posts.get(number=2)
    make_poll(post=opening, question="Buy or wait?", options=["Buy", "Wait"])
    toggle_reaction(post=reply, member=mo, name="heart")
    keep_bookmark(
        member=ada, post=reply, note="Measure first", remind_at=timezone.now() + timedelta(days=1)
    )
    save_draft(member=ada, target=f"thread:{locked.pk}", body="Before it was locked", sequence=1)
    SavedSearch.objects.create(member=ada, name="Seals", query="light seals")
    tag = create_tag(name="light seals", group=group, by=mo)
    create_tag(name="repair", group=None, by=keeper)
    for what in (thread, group, tag):
        follow(member=ada, what=what, level=3)
    notify(member=ada, kind=Kind.MENTION, key="pages", actor=bo, post=reply, thread=thread)
    block(by=ada, of=make_member("pim", name="Pim Fold"))
    thread.refresh_from_db()
    return thread


def addresses(thread: Thread) -> dict[str, str]:
    group = thread.group
    return {
        "home": "/",
        "groups": "/groups/",
        "search": "/search/?q=optra+is:thread",
        "what the box understands": "/search/",
        "saved searches": "/search/saved/",
        "group": group.get_absolute_url(),
        "about": f"/g/{group.slug}/about/",
        "members": f"/g/{group.slug}/members/",
        "listings": f"/g/{group.slug}/listings/",
        "thread": thread.get_absolute_url(),
        "second page": f"{thread.get_absolute_url()}?page=2",
        "locked thread": Thread.objects.exclude(pk=thread.pk).get().get_absolute_url(),
        "new thread": f"/g/{group.slug}/new/",
        "new group": "/groups/new/",
        "chat": f"/chat/{group.slug}/",
        "rooms": "/chat/",
        "profile": "/members/ada/",
        "settings": "/settings/",
        "flag": f"/flag/post/{thread.posts.get(number=2).pk}/",
        "decisions": "/settings/decisions/",
        "edit": f"/p/{thread.posts.get(number=1).pk}/edit/",
        "revisions": f"/p/{thread.posts.get(number=1).pk}/revisions/",
        "link a listing": f"/threads/{thread.pk}/listings/?q=optra",
        "listing": Listing.objects.earliest("pk").get_absolute_url(),
        "shop": f"/merchants/{Listing.objects.earliest('pk').merchant.slug}/shop/",
        "selling": "/listings/mine/",
        "new shop": "/merchants/new/",
        "sell": "/sell/",
        "privacy": "/privacy/",
        "two-factor": "/accounts/2fa/",
        "e-mail": "/accounts/email/",
    }


def further(thread: Thread) -> dict[str, str]:
    """What ada has and reads beyond the main pages."""
    group, reply = thread.group, thread.posts.get(number=2)
    return {
        "unread": "/?order=unread",
        "top of the month": "/?order=top&period=month",
        "of a tag": f"{group.get_absolute_url()}?tag=light-seals",
        "nothing found": "/search/?q=qqzzxx",
        "tags": "/tags/",
        "tag": "/tags/light-seals/",
        "tags of the group": f"/g/{group.slug}/tags/",
        "bookmarks": "/bookmarks/",
        "bookmark": f"/p/{reply.pk}/bookmark/",
        "drafts": "/drafts/",
        "notifications": "/notifications/",
        "what one hears of": "/settings/notifications/",
        "follows": "/settings/follows/",
        "blocks": "/settings/blocks/",
        "block": "/members/bo/block/",
        "data": "/settings/data/",
        "erasure": "/settings/data/erasure/",
        "standing": "/standing/",
        "badges": "/badges/",
        "member directory": "/members/",
        "her posts": "/members/ada/posts/",
        "his threads": "/members/bo/threads/",
        "his reactions": "/members/mo/reactions/",
        "her badges": "/members/ada/badges/",
        "her groups": "/members/ada/groups/",
        "welcome, interests": "/welcome/interests/",
        "welcome, groups": "/welcome/groups/",
        "welcome, hello": "/welcome/hello/",
        "menu of a post": f"/p/{reply.pk}/more/",
        "who reacted": f"/p/{reply.pk}/reactions/",
        "unread from here": f"/p/{reply.pk}/unread/",
        "poll": f"/p/{thread.posts.get(number=1).pk}/poll/",
        "title": f"/t/{thread.pk}/title/",
        "kind and tags": f"/t/{thread.pk}/tags/",
        "password": "/accounts/password/change/",
        "sign out": "/accounts/logout/",
        "offline": "/offline/",
    }


def for_moderators(thread: Thread) -> dict[str, str]:
    verbs = ("lock", "move", "split", "merge", "pin", "slow-mode", "closing")
    return {
        **{verb: f"/t/{thread.pk}/{verb}/" for verb in verbs},
        "hiding": f"/p/{thread.posts.get(number=2).pk}/hiding/",
        "tags to keep": f"/g/{thread.group.slug}/tags/keep/",
        "members, for a moderator": f"/g/{thread.group.slug}/members/",
    }


def for_merchants(listing: Listing) -> dict[str, str]:
    shop = f"/merchants/{listing.merchant.slug}/"
    return {
        "sales": shop,
        "threads that sold": f"{shop}threads/",
        "order lines": f"{shop}lines/",
        "connector": f"{shop}connector/",
        "team": f"{shop}team/",
        "settings of a shop": f"{shop}settings/",
        "edit a listing": f"/listings/{listing.pk}/edit/",
    }


def for_the_staff(thread: Thread) -> dict[str, str]:
    return {
        "staff": "/staff/",
        "staff, members": "/staff/community/member/",
        "staff, a member": f"/staff/community/member/{thread.author_id}/change/",
        "staff, cases": "/staff/moderation/case/",
        "staff, audit": "/staff/moderation/auditentry/",
        "tags of the site": "/tags/keep/",
    }


GUEST_ONLY = {
    "sign in": "/accounts/login/",
    "sign up": "/accounts/signup/",
    "reset": "/accounts/password/reset/",
    "nothing": "/no-such-page/",
}


PHONE: Final[ViewportSize] = {"width": 320, "height": 640}
DESK: Final[ViewportSize] = {"width": 1280, "height": 900}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways_at_320_pixels(
    site: Site, lived_in: Thread, ada: Member, mo: Member, keeper: Member, theme: str
):
    found: list[str] = []
    axe = Axe()
    listing = Listing.objects.earliest("pk")
    start = 0 if theme == "light" else 1
    for member, always, in_turn in (
        (ada, addresses(lived_in), further(lived_in)),
        (mo, {}, for_moderators(lived_in)),
        (keeper_of(listing.merchant), {}, for_merchants(listing)),
        (keeper, {}, for_the_staff(lived_in)),
        (None, GUEST_ONLY, {}),
    ):
        page = site.visit(member, color_scheme=theme, reduced_motion="reduce")
        for name, address in [*always.items(), *islice(in_turn.items(), start, None, 2)]:
            answer = page.goto(address)
            if name != "nothing" and (answer is None or not answer.ok):
                found.append(f"{name}: {answer and answer.status}")
            for violation in axe.run(page).response["violations"]:
                where = "; ".join(" ".join(node["target"]) for node in violation["nodes"][:3])
                found.append(f"{name}, {theme}: {violation['id']} at {where}")
            page.set_viewport_size(PHONE)
            if (width := page.evaluate("document.documentElement.scrollWidth")) > PHONE["width"]:
                found.append(f"{name}: {width} pixels wide")
            page.set_viewport_size(DESK)
    found += [line for line in site.complaints if "404" not in line]
    assert found == []


@pytest.mark.parametrize("who", ["guest", "member"])
def test_a_thread_page_stays_within_its_bytes(site: Site, lived_in: Thread, ada: Member, who: str):
    page = site.visit(ada if who == "member" else None)
    spent = dict.fromkeys(BUDGETS, 0)

    def weigh(response: Response) -> None:
        kind = response.request.resource_type
        if kind in spent and response.ok:
            spent[kind] += len(gzip.compress(response.body(), 6))

    page.on("response", weigh)
    page.goto(lived_in.get_absolute_url(), wait_until="networkidle")
    over = {kind: size for kind, size in spent.items() if size > BUDGETS[kind]}
    print(spent)
    assert over == {}
