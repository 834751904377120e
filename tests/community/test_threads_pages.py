"""Threads over HTTP: who sees what, what a refusal leaves, and what it all works without."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Picture

from community.groups.models import Group
from community.members.models import Member
from community.threads.editing import edit_post
from community.threads.models import Post, Revision, Thread, ThreadLink
from community.threads.services import choose_answer, lock_thread, post_hidden_changed, publish_post
from community.uploads.models import Image
from tests.factories import join, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db

# The page itself takes 2 (thread with the reader's place, posts), for a member 4 more (session,
# member, groups of the nav with the badge, overlay); the rest is commerce: what is placed, for a
# member also who may decide on it, and own listings. A page that is kept takes 6:
# tests/community/test_shared_pages.py.
GUEST_QUERIES = 3
MEMBER_QUERIES = 8

HTMX = {"HX-Request": "true"}


def text_of(response) -> str:
    return str(response.content.decode())


def hidden(post: Post, by: Member, reason: str = "Off the rails.") -> Post:
    with transaction.atomic():
        post.hide(by=by, reason=reason, at=timezone.now())
        post.save(update_fields=["hidden_at", "hidden_by", "hidden_reason"])
        post_hidden_changed(post)
    return post


def numbers_on(response) -> list[int]:
    return [int(n) for n in re.findall(r'<article class="post" id="p(\d+)"', text_of(response))]


def a_photo() -> io.BytesIO:
    raw = io.BytesIO()
    Picture.new("RGB", (32, 24), "orange").save(raw, "PNG")
    raw.seek(0)
    raw.name = "photo.png"
    return raw


@pytest.fixture(autouse=True)
def own_media(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def no_free_edits(settings) -> None:
    settings.EDIT_GRACE_SECONDS = 0


# -- reading ----------------------------------------------------------------------------------


def test_a_guest_reads_a_thread(guest, ada, bo, thread):
    make_post(bo, thread, "Yes, **if** the patch is clean.")
    response = guest.get(thread.get_absolute_url())
    assert response.status_code == 200
    assert numbers_on(response) == [1, 2]
    assert "<strong>if</strong>" in text_of(response)
    assert "1 reply" in text_of(response)
    assert "Ada Quist" in text_of(response)


def test_a_guest_gets_no_cookie_and_no_form(guest, thread):
    for address in (thread.get_absolute_url(), "/", thread.group.get_absolute_url()):
        response = guest.get(address)
        assert response.status_code == 200
        assert not response.cookies
        assert "csrfmiddlewaretoken" not in text_of(response)


def test_another_slug_leads_to_the_right_one_and_keeps_the_page(guest, thread):
    for wrong in (f"/t/{thread.pk}/", f"/t/{thread.pk}/else/"):
        response = guest.get(f"{wrong}?page=last")
        assert response.status_code == 302
        assert response["Location"] == f"{thread.get_absolute_url()}?page=last"


def test_a_thread_named_like_one_of_its_addresses_is_still_a_thread(guest, ada, group):
    thread = make_thread(ada, group, "Lock")
    assert thread.get_absolute_url() == f"/t/{thread.pk}/lock-thread/"
    assert guest.get(thread.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(
    ("page", "numbers"),
    [("", [1, 20]), ("1", [1, 20]), ("2", [21, 40]), ("3", [41, 45]), ("last", [41, 45])],
)
def test_pages_go_by_twenty_numbers(guest, ada, group, page, numbers):
    thread = make_thread(ada, group, replies=44)
    shown = numbers_on(guest.get(thread.get_absolute_url(), {"page": page}))
    assert [shown[0], shown[-1]] == numbers
    assert shown == list(range(numbers[0], numbers[1] + 1))


@pytest.mark.parametrize("page", ["0", "4", "-1", "x", "1.5", "²", "9" * 30])
def test_a_page_there_is_not_is_404(guest, ada, group, page):
    thread = make_thread(ada, group, replies=44)
    assert guest.get(thread.get_absolute_url(), {"page": page}).status_code == 404


def test_a_permalink_finds_the_page_of_its_post(guest, ada, group):
    thread = make_thread(ada, group, replies=44)
    where = {
        number: guest.get(reverse("post", args=[thread.posts.get(number=number).pk]))["Location"]
        for number in (1, 20, 21, 45)
    }
    base = thread.get_absolute_url()
    assert where == {
        1: f"{base}#p1",
        20: f"{base}#p20",
        21: f"{base}?page=2#p21",
        45: f"{base}?page=3#p45",
    }


def test_roles_answers_replies_and_edits_are_marked(guest, ada, bo, mo, thread, no_free_edits):
    reply = make_post(mo, thread, "Clean it.", reply_to=thread.posts.get(number=1))
    edit_post(post=reply, editor=mo, body="Clean it first.")
    choose_answer(thread=thread, post=reply, by=ada)
    page = text_of(guest.get(thread.get_absolute_url()))
    assert ">Moderator</span>" in page
    assert f'href="/p/{reply.pk}/"' in page
    assert "Answer: #2" in page
    assert "Ada Quist, #1" in page
    assert f'href="/p/{reply.pk}/revisions/"' in page


# -- the cost of a page -----------------------------------------------------------------------


@pytest.mark.parametrize(("who", "queries"), [("guest", GUEST_QUERIES), ("ada", MEMBER_QUERIES)])
def test_a_thread_page_costs_the_same_for_3_and_for_200_posts(
    guest, ada, as_ada, bo, group, who, queries
):
    client = {"guest": guest, "ada": as_ada}[who]
    short, long = make_thread(ada, group, replies=1), make_thread(ada, group, replies=150)
    make_post(bo, short, reply_to=short.posts.get(number=1))
    for _ in range(49):
        make_post(bo, long, reply_to=long.posts.get(number=1))
    assert (short.posts.count(), long.posts.count()) == (3, 200)
    cost = {}
    for thread in (short, long):
        client.get(thread.get_absolute_url())
        with CaptureQueriesContext(
            connection,
        ) as spent:
            assert client.get(thread.get_absolute_url(), {"page": "last"}).status_code == 200
        cost[thread.pk] = len(spent)
    assert list(cost.values()) == [queries, queries]


def test_a_list_costs_the_same_for_1_and_for_20_threads(guest, ada, group):
    image = Image.objects.create(
        owner=ada, group=group, file="a", thumbnail="b", width=9, height=9, size_bytes=1, sha256="0"
    )
    cost = []
    for more in (1, 19):
        for _ in range(more):
            make_thread(ada, group, body=f"Look ![x](image:{image.pk})")
        with CaptureQueriesContext(connection) as spent:
            response = guest.get(group.get_absolute_url())
        assert text_of(response).count('<article class="thread"') == group.threads.count()
        assert text_of(response).count("/thumbnails/") == group.threads.count()
        cost.append(len(spent))
    assert cost[0] == cost[1]


@pytest.mark.parametrize(
    ("who", "page", "queries"),
    [
        ("guest", "home", 2),
        ("guest", "group", 3),
        ("as_ada", "home", 6),  # one for how much of each row is unread
        ("as_ada", "group", 7),
    ],
)
def test_home_and_a_group_cost_so_many_queries_for_1_and_for_25_threads(
    request, bo, group, who, page, queries
):
    client = request.getfixturevalue(who)
    address = {"home": "/", "group": group.get_absolute_url()}[page]
    cost = []
    for more in (1, 24):
        for _ in range(more):
            make_thread(bo, group, replies=1)
        client.get(address)  # the first member to come opens the group's chat
        with CaptureQueriesContext(connection) as spent:
            response = client.get(address)
        assert text_of(response).count('<article class="thread"') == group.threads.count()
        cost.append(len(spent))
    assert cost == [queries, queries]


# -- starting and replying --------------------------------------------------------------------


def test_a_member_starts_a_thread(as_ada, ada, group):
    response = as_ada.post(
        reverse("new_thread", args=[group.slug]),
        {"title": "Light seals", "body": "Foam or wool?", "client_key": uuid4()},
    )
    thread = Thread.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"{thread.get_absolute_url()}#p1"
    assert (thread.title, thread.posts.get().author) == ("Light seals", ada)


def test_a_member_replies_and_lands_on_the_post(as_bo, bo, ada, group):
    thread = make_thread(ada, group, replies=19)
    response = as_bo.post(reverse("reply", args=[thread.pk]), {"body": "Yes.", "reply_to": "3"})
    post = thread.posts.get(author=bo)
    assert post.reply_to is not None
    assert response.status_code == 302
    assert response["Location"] == f"{thread.get_absolute_url()}?page=2#p21"
    assert (post.number, post.body, post.reply_to.number) == (21, "Yes.", 3)


def test_submitting_twice_lands_on_the_same_post(as_bo, thread, group):
    typed = {"title": "T", "body": "Once.", "client_key": str(uuid4())}
    for address in (reverse("new_thread", args=[group.slug]),):
        first, second = as_bo.post(address, typed), as_bo.post(address, typed)
        assert first["Location"] == second["Location"]
    typed["client_key"] = str(uuid4())
    address = reverse("reply", args=[thread.pk])
    assert as_bo.post(address, typed)["Location"] == as_bo.post(address, typed)["Location"]
    assert (Thread.objects.count(), Post.objects.count()) == (2, 3)


@pytest.mark.parametrize("key", ["", "not-a-key", "1; DROP TABLE"])
def test_a_form_with_a_broken_key_still_posts(as_bo, thread, key):
    assert (
        as_bo.post(
            reverse("reply", args=[thread.pk]),
            {"body": "Hello", "client_key": key, "reply_to": key, "seen": key},
        ).status_code
        == 302
    )
    assert thread.posts.count() == 2


@pytest.mark.parametrize(
    ("title", "body", "says"),
    [
        ("", "kept words", "Give the thread a title."),
        ("t" * 151, "kept words", "a title has at most 150 characters"),
        ("kept title", "", "Write something first."),
        ("kept title", "kept words" + "x" * 50_000, "at most 50,000 characters"),
    ],
)
def test_a_refused_thread_comes_back_with_all_that_was_typed(as_ada, group, title, body, says):
    key = str(uuid4())
    response = as_ada.post(
        reverse("new_thread", args=[group.slug]), {"title": title, "body": body, "client_key": key}
    )
    page = unescape(text_of(response))
    assert response.status_code == 422
    assert says in page
    assert f'value="{title}"' in page or not title
    assert f">\n{body}</textarea>" in page
    assert f'name="client_key" value="{key}"' in page
    assert not Thread.objects.exists()


def test_a_refused_reply_comes_back_with_all_that_was_typed(as_bo, ada, thread):
    body = 'kept <words> & "all"' + "x" * 50_000
    typed = {"body": body, "reply_to": "1", "client_key": str(uuid4()), "seen": "1"}
    response = as_bo.post(reverse("reply", args=[thread.pk]), typed)
    page = unescape(text_of(response))
    assert response.status_code == 422
    assert f">\n{body}</textarea>" in page
    assert 'name="reply_to" value="1"' in page
    assert f'name="client_key" value="{typed["client_key"]}"' in page
    assert numbers_on(response) == [1]
    assert thread.posts.count() == 1


def test_leading_line_ends_survive_a_refusal(as_bo, thread):
    """A textarea drops its first line end, so the page writes one more."""
    response = as_bo.post(reverse("reply", args=[thread.pk]), {"body": "\n\nx" + "y" * 50_000})
    assert ">\n\n\nxy" in text_of(response)


def test_a_guest_is_sent_to_sign_in_and_back(guest, thread):
    response = guest.post(
        reverse("reply", args=[thread.pk]),
        {"body": "Hello"},
        headers={"Referer": f"http://testserver{thread.get_absolute_url()}"},
    )
    assert response.status_code == 302
    back = f"/t/{thread.pk}/%3Fpage%3Dlast%26draft%3D1%23reply"  # with what was typed
    assert response["Location"] == f"/accounts/login/?next={back}"
    assert thread.posts.count() == 1


def test_an_outsider_is_told_to_join_first(as_cy, cy, thread):
    page = text_of(as_cy.get(thread.get_absolute_url()))
    assert "Join the group" in page
    assert "<textarea" not in page
    response = as_cy.post(reverse("reply", args=[thread.pk]), {"body": "Hello"})
    assert response.status_code == 403
    assert thread.posts.count() == 1
    address = reverse("new_thread", args=[thread.group.slug])
    for response in (as_cy.get(address), as_cy.post(address, {"title": "T", "body": "B"})):
        assert response.status_code == 403
        assert "Join the group" in text_of(response)
    assert Thread.objects.count() == 1


def test_an_outsiders_picture_is_not_kept(as_cy, thread):
    as_cy.post(reverse("reply", args=[thread.pk]), {"body": "x", "picture": a_photo()})
    assert not Image.objects.exists()


def test_the_reply_link_opens_the_composer_on_its_post(as_bo, ada, thread):
    page = text_of(as_bo.get(thread.get_absolute_url(), {"reply_to": "1"}))
    assert 'name="reply_to" value="1"' in page
    assert "Ada Quist, #1" in page
    for wrong in ("2", "x", "-1", "9" * 40):
        page = text_of(as_bo.get(thread.get_absolute_url(), {"reply_to": wrong}))
        assert 'name="reply_to" value=""' in page


# -- htmx -------------------------------------------------------------------------------------


def test_htmx_gets_the_new_post_those_between_and_a_fresh_composer(as_bo, ada, bo, thread):
    make_post(ada, thread, "Meanwhile.")
    key = str(uuid4())
    response = as_bo.post(
        reverse("reply", args=[thread.pk]),
        {"body": "Yes.", "seen": "1", "client_key": key},
        headers=HTMX,
    )
    page = text_of(response)
    assert response.status_code == 201
    assert numbers_on(response) == [2, 3]
    assert f'data-key="{key}"' in page
    assert f'name="client_key" value="{key}"' not in page
    assert 'name="seen" value="3"' in page
    assert ">\n</textarea>" in page
    assert "2 replies" in page
    assert "<html" not in page


def test_htmx_is_led_to_the_post_when_it_stands_on_another_page(as_bo, ada, group):
    thread = make_thread(ada, group, replies=20)
    response = as_bo.post(
        reverse("reply", args=[thread.pk]), {"body": "Yes.", "seen": "20"}, headers=HTMX
    )
    assert response["HX-Redirect"] == f"{thread.get_absolute_url()}?page=2#p22"


@pytest.mark.parametrize("refusal", ["empty", "locked", "outsider"])
def test_htmx_gets_a_refused_composer_in_the_place_of_the_old(
    as_bo, as_cy, ada, mo, thread, refusal
):
    client = as_cy if refusal == "outsider" else as_bo
    if refusal == "locked":
        lock_thread(thread=thread, by=mo, reason="Settled.")
    response = client.post(
        reverse("reply", args=[thread.pk]),
        {"body": "" if refusal == "empty" else "kept words", "seen": "1"},
        headers=HTMX,
    )
    assert response.status_code == 422
    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#reply", "outerHTML")
    assert ("kept words" in text_of(response)) == (refusal != "empty")
    assert "<html" not in text_of(response)
    assert thread.posts.count() == 1


# -- preview ----------------------------------------------------------------------------------


def test_the_preview_is_what_the_post_will_be(as_bo, bo, ada, thread):
    body = "**Yes**, @ada\n\n- one\n- <b>two</b>"
    seen = as_bo.post(reverse("preview"), {"body": body, "group": thread.group.slug}, headers=HTMX)
    post = publish_post(author=bo, thread=thread, body=body)
    assert seen.status_code == 200
    assert text_of(seen).strip() == post.html.strip()


def test_the_preview_refuses_what_the_post_would(as_bo, group):
    response = as_bo.post(reverse("preview"), {"body": "x" * 50_001, "group": group.slug})
    assert response.status_code == 422
    assert "at most 50,000 characters" in text_of(response)


def test_the_preview_is_for_members_and_their_groups(guest, as_cy, thread):
    assert guest.post(reverse("preview"), {"body": "x"}).status_code == 302
    typed = {"body": "x", "group": thread.group.slug}
    assert as_cy.post(reverse("preview"), typed).status_code == 404


@pytest.mark.parametrize("where", ["reply", "new", "edit"])
def test_without_scripts_the_preview_comes_with_the_form(as_ada, ada, thread, where):
    address = {
        "reply": reverse("reply", args=[thread.pk]),
        "new": reverse("new_thread", args=[thread.group.slug]),
        "edit": reverse("edit_post", args=[thread.posts.get().pk]),
    }[where]
    typed = {"title": "kept title", "body": "**kept** words", "preview": "1", "based_on": "0"}
    response = as_ada.post(address, typed)
    page = text_of(response)
    assert response.status_code == 200
    assert "<strong>kept</strong> words" in page
    assert ">\n**kept** words</textarea>" in page
    assert 'value="kept title"' in page or where != "new"
    assert (Post.objects.count(), Revision.objects.count()) == (1, 0)


# -- pictures without scripts -----------------------------------------------------------------


def test_a_picture_sent_with_the_form_stands_at_the_end_of_the_post(as_bo, bo, thread):
    as_bo.post(
        reverse("reply", args=[thread.pk]),
        {"body": "Mine:", "picture": a_photo(), "picture_alt": "A [small] camera"},
    )
    post, image = thread.posts.get(author=bo), Image.objects.get()
    assert post.body == f"Mine:\n\n![A (small) camera](image:{image.pk})"
    assert (image.owner, image.group) == (bo, thread.group)
    assert post.post_images.get().image == image


def test_a_preview_keeps_the_picture_in_the_text(as_bo, thread):
    response = as_bo.post(
        reverse("reply", args=[thread.pk]),
        {"body": "Mine:", "picture": a_photo(), "picture_alt": "A camera", "preview": "1"},
    )
    image = Image.objects.get()
    assert f">\nMine:\n\n![A camera](image:{image.pk})</textarea>" in text_of(response)
    assert f'src="/thumbnails/{image.pk}/"' in text_of(response)


def test_a_file_that_is_no_picture_is_refused_and_the_words_stay(as_bo, thread):
    file = io.BytesIO(b"<svg onload=alert(1)>")
    file.name = "x.svg"
    response = as_bo.post(
        reverse("reply", args=[thread.pk]), {"body": "kept words", "picture": file}
    )
    assert response.status_code == 422
    assert ">\nkept words</textarea>" in text_of(response)
    assert (thread.posts.count(), Image.objects.count()) == (1, 0)


# -- editing ----------------------------------------------------------------------------------


def test_an_author_edits_and_lands_on_the_post(as_ada, thread, no_free_edits):
    post = thread.posts.get()
    page = text_of(as_ada.get(reverse("edit_post", args=[post.pk])))
    assert f">\n{post.body}</textarea>" in page
    response = as_ada.post(
        reverse("edit_post", args=[post.pk]), {"body": "Second thoughts", "based_on": "0"}
    )
    post.refresh_from_db()
    assert response["Location"] == f"{thread.get_absolute_url()}#p1"
    assert (post.body, post.revisions.count()) == ("Second thoughts", 1)


def test_others_do_not_edit(guest, as_bo, as_cy, thread):
    address = reverse("edit_post", args=[thread.posts.get().pk])
    assert guest.get(address).status_code == 302
    for client in (as_bo, as_cy):
        assert client.get(address).status_code == 403
        assert client.post(address, {"body": "mine now"}).status_code == 403
    assert not Revision.objects.exists()


def test_saving_over_somebody_elses_edit_asks_again_and_loses_nothing(as_ada, mo, thread):
    post = thread.posts.get()
    edit_post(post=post, editor=mo, body="By mo")
    address = reverse("edit_post", args=[post.pk])
    response = as_ada.post(address, {"body": "By ada", "based_on": "0"})
    page = text_of(response)
    assert response.status_code == 409
    assert ">\nBy ada</textarea>" in page
    assert "Somebody changed this post" in page
    assert 'name="based_on" value="1"' in page
    as_ada.post(address, {"body": "By ada", "based_on": "1"})
    post.refresh_from_db()
    assert post.body == "By ada"


def test_a_moderator_has_an_edit_link_on_every_post_and_a_member_on_their_own(
    as_mo, as_bo, ada, bo, thread
):
    own = make_post(bo, thread)
    opening = thread.posts.get(number=1)

    def may_edit(client: Client, post: Post) -> bool:
        assert f'data-more href="/p/{post.pk}/more/"' in text_of(
            client.get(thread.get_absolute_url())
        )
        return f"/p/{post.pk}/edit/" in text_of(client.get(f"/p/{post.pk}/more/"))

    assert [may_edit(as_mo, post) for post in (opening, own)] == [True, True]
    assert [may_edit(as_bo, post) for post in (opening, own)] == [False, True]


def test_revisions_show_everybody_what_changed(guest, ada, thread, no_free_edits):
    post = thread.posts.get()
    edit_post(post=post, editor=ada, body="Prices have nearly tripled since I joined.")
    edit_post(post=post, editor=ada, body="Prices have tripled since I joined <b>you</b>.")
    page = text_of(guest.get(reverse("revisions", args=[post.pk])))
    assert page.index(">Edit 2<") < page.index(">Edit 1<")
    assert '<del><span class="vh">removed: </span>doubled</del>' in page
    assert '<ins><span class="vh">added: </span>tripled</ins>' in page
    assert "&lt;b&gt;you&lt;/b&gt;" in page or "&lt;" in page
    assert "<b>you</b>" not in page


def test_revisions_come_ten_to_a_page(guest, ada, thread, no_free_edits):
    post = thread.posts.get()
    for number in range(25):
        post = edit_post(post=post, editor=ada, body=f"Version {number}")
    seen, address = [], reverse("revisions", args=[post.pk])
    while address:
        page = text_of(guest.get(address))
        seen += [int(n) for n in re.findall(r">Edit (\d+)<", page)]
        older = re.search(r'href="(\?before=\d+)"', page)
        address = reverse("revisions", args=[post.pk]) + older[1] if older else ""
    assert seen == list(range(25, 0, -1))
    assert guest.get(reverse("revisions", args=[post.pk]) + "?before=99").status_code == 404


def test_a_post_never_edited_says_so(guest, thread):
    response = guest.get(reverse("revisions", args=[thread.posts.get().pk]))
    assert response.status_code == 200
    assert "Never edited" in text_of(response)


# -- locking ----------------------------------------------------------------------------------


def test_a_moderator_locks_with_a_reason_that_everybody_reads(as_mo, as_bo, guest, thread):
    address = reverse("lock_thread", args=[thread.pk])
    assert as_mo.get(address).status_code == 200
    response = as_mo.post(address, {"reason": "Going in circles."})
    assert response["Location"] == thread.get_absolute_url()
    for client in (guest, as_bo):
        page = text_of(client.get(thread.get_absolute_url()))
        assert "Going in circles." in page
        assert "<composer-box" not in page
    response = as_bo.post(reverse("reply", args=[thread.pk]), {"body": "kept words"})
    assert response.status_code == 409
    assert thread.posts.count() == 1


@pytest.mark.parametrize("how", ["DELETE", "form"])
def test_a_moderator_unlocks(as_mo, mo, thread, how):
    lock_thread(thread=thread, by=mo, reason="Settled.")
    address = reverse("lock_thread", args=[thread.pk])
    if how == "DELETE":
        as_mo.delete(address)
    else:
        as_mo.post(address, {"_method": "delete"})
    thread.refresh_from_db()
    assert not thread.is_locked


def test_locking_without_a_reason_asks_for_one(as_mo, thread):
    response = as_mo.post(reverse("lock_thread", args=[thread.pk]), {"reason": " "})
    thread.refresh_from_db()
    assert response.status_code == 422
    assert "Say why" in text_of(response)
    assert not thread.is_locked


def test_only_moderators_lock(guest, as_ada, as_cy, thread):
    address = reverse("lock_thread", args=[thread.pk])
    assert guest.post(address, {"reason": "x"}).status_code == 302
    for client in (as_ada, as_cy):
        for response in (client.get(address), client.post(address, {"reason": "x"})):
            assert response.status_code == 403
        assert client.delete(address).status_code == 403
    thread.refresh_from_db()
    assert not thread.is_locked


# -- hidden posts and hidden groups -----------------------------------------------------------


def test_a_hidden_post_is_a_placeholder_for_all_but_its_author(
    guest, as_ada, as_bo, as_mo, ada, bo, mo, thread
):
    post = make_post(bo, thread, "rude words")
    edit_post(post=post, editor=bo, body="other rude words")
    hidden(post, mo, "Off the rails.")
    for client in (guest, as_ada, as_mo):
        page = client.get(thread.get_absolute_url())
        assert numbers_on(page) == [1, 2]
        assert "This post was hidden by a moderator." in text_of(page)
        assert "rude" not in text_of(page)
        assert "Off the rails." not in text_of(page)
    page = text_of(as_bo.get(thread.get_absolute_url()))
    assert "Hidden by a moderator: Off the rails." in page
    assert "other rude words" in page


def test_a_hidden_post_is_404_at_its_own_addresses(guest, as_ada, as_bo, as_mo, bo, mo, thread):
    post = make_post(bo, thread, "rude words")
    edit_post(post=post, editor=bo, body="other rude words")
    hidden(post, mo)
    for name in ("post", "revisions"):
        address = reverse(name, args=[post.pk])
        for client in (guest, as_ada, as_mo):
            assert client.get(address).status_code == 404
        assert as_bo.get(address).status_code in (200, 302)


def test_nobody_answers_a_hidden_post(as_ada, ada, bo, mo, thread):
    post = hidden(make_post(bo, thread, "rude words"), mo)
    page = text_of(as_ada.get(thread.get_absolute_url(), {"reply_to": "2"}))
    assert 'name="reply_to" value=""' in page
    assert "rude" not in page
    as_ada.post(reverse("reply", args=[thread.pk]), {"body": "Hm.", "reply_to": "2"})
    assert thread.posts.get(number=3).reply_to is None
    assert post.answers.count() == 0


def test_a_hidden_opening_post_takes_the_thread_from_lists_and_search_engines(
    guest, as_cy, mo, thread
):
    hidden(thread.posts.get(), mo)
    page = text_of(guest.get(thread.get_absolute_url(), follow=True))
    assert '<meta name="robots" content="noindex">' in page
    assert thread.title not in page
    assert "Prices have nearly doubled" not in page
    for client in (guest, as_cy):
        for address in ("/", thread.group.get_absolute_url()):
            assert thread.title not in text_of(client.get(address))


ADDRESSES = [
    ("GET", "thread", {}),
    ("GET", "thread_without_slug", {}),
    ("GET", "last_page", {}),
    ("GET", "post", {}),
    ("GET", "revisions", {}),
    ("GET", "edit_post", {}),
    ("POST", "edit_post", {"body": "x"}),
    ("POST", "edit_post", {"body": "x", "preview": "1"}),
    ("POST", "reply", {"body": "x"}),
    ("POST", "reply", {"body": "x", "preview": "1"}),
    ("GET", "lock_thread", {}),
    ("POST", "lock_thread", {"reason": "x"}),
    ("DELETE", "lock_thread", {}),
    ("GET", "new_thread", {}),
    ("POST", "new_thread", {"title": "x", "body": "x"}),
    ("POST", "preview", {"body": "x", "group": "cellar"}),
    ("GET", "group", {}),
]


@pytest.mark.parametrize("htmx", [False, True], ids=["page", "fragment"])
@pytest.mark.parametrize(("method", "name", "typed"), ADDRESSES)
def test_a_hidden_group_does_not_exist_for_outsiders(
    guest, as_cy, as_ada, ada, hidden_group: Group, method, name, typed, htmx
):
    thread = make_thread(ada, hidden_group, "The cellar's secret")
    post = thread.posts.get()
    edit_post(post=post, editor=ada, body="Where the wine is")
    address = {
        "thread": thread.get_absolute_url(),
        "thread_without_slug": f"/t/{thread.pk}/",
        "last_page": f"{thread.get_absolute_url()}?page=last",
        "post": reverse("post", args=[post.pk]),
        "revisions": reverse("revisions", args=[post.pk]),
        "edit_post": reverse("edit_post", args=[post.pk]),
        "reply": reverse("reply", args=[thread.pk]),
        "lock_thread": reverse("lock_thread", args=[thread.pk]),
        "new_thread": reverse("new_thread", args=[hidden_group.slug]),
        "preview": reverse("preview"),
        "group": reverse("group", args=[hidden_group.slug]),
    }[name]

    def ask(client: Client):
        send: Callable[..., object] = getattr(client, method.lower())
        return send(address, typed, headers=HTMX if htmx else {})

    def secret(response) -> bool:
        said = unescape(f"{response.headers} {text_of(response)}")
        return "wine" in said or "The cellar's secret" in said

    before = (Post.objects.count(), Revision.objects.count())
    response = ask(as_cy)
    assert response.status_code == 404
    assert not secret(response)
    response = ask(guest)
    # Where a member is asked for, a guest is sent to sign in before anything is looked up.
    assert response.status_code in (404, 302, 204)
    assert not secret(response)
    assert (Post.objects.count(), Revision.objects.count()) == before
    assert ask(as_ada).status_code in (200, 201, 302, 422)


def test_pages_of_hidden_groups_name_no_secret_in_the_way_to_sign_in(guest, ada, hidden_group):
    thread = make_thread(ada, hidden_group, "The cellar's secret")
    response = guest.get(f"/t/{thread.pk}/whatever/")
    assert response.status_code == 404


# -- lists ------------------------------------------------------------------------------------


def test_the_home_page_goes_on_by_keyset_and_shows_every_thread_once(guest, ada, group, settings):
    settings.THREADS_PER_PAGE = 4
    now = timezone.now()
    made = [
        make_thread(ada, group, f"Number {n}", at=now - timedelta(minutes=n // 2))
        for n in range(11)
    ]
    seen, address = [], group.get_absolute_url()
    while address:
        page = text_of(guest.get(address))
        seen += [int(pk) for pk in re.findall(r'<h3><a href="/t/(\d+)/', page)]
        older = re.search(r'href="(\?after=[^"]+)"', page)
        address = group.get_absolute_url() + older[1] if older else ""
    assert seen == [t.pk for t in sorted(made, key=lambda t: (t.last_post_at, t.pk), reverse=True)]


@pytest.mark.parametrize("cursor", ["x", "1-", "-1", "9" * 19 + "-1", "1-" + "9" * 30, "²-1"])
def test_a_broken_cursor_gives_the_first_page(guest, thread, cursor):
    response = guest.get(thread.group.get_absolute_url(), {"after": cursor})
    assert response.status_code == 200


def test_a_join_form_on_the_thread_brings_one_back(as_cy, cy, thread):
    response = as_cy.post(
        reverse("membership", args=[thread.group.slug]), {"next": thread.get_absolute_url()}
    )
    assert response["Location"] == thread.get_absolute_url()
    assert "<textarea" in text_of(as_cy.get(thread.get_absolute_url()))


def test_a_member_of_the_hidden_group_reads_and_writes(as_member, ada, hidden_group):
    dee = make_member("dee")
    join(dee, hidden_group)
    thread = make_thread(ada, hidden_group)
    assert as_member(dee).get(thread.get_absolute_url()).status_code == 200
    as_member(dee).post(reverse("reply", args=[thread.pk]), {"body": "Down here."})
    assert thread.posts.count() == 2


def test_a_thread_shows_the_threads_it_points_at_and_only_to_those_who_may_read_them(
    thread: Thread, hidden_group: Group, ada: Member, as_ada: Client, guest: Client, group: Group
):
    other = make_thread(ada, group, title="Foam or yarn for light seals?")
    secret = make_thread(ada, hidden_group, title="Down in the cellar")
    for far in (other, secret):
        ThreadLink.objects.create(from_thread=thread, to_thread=far)
    page = guest.get(thread.get_absolute_url()).content.decode()
    assert "Foam or yarn for light seals?" in page
    assert "Down in the cellar" not in page
    assert "Down in the cellar" in as_ada.get(thread.get_absolute_url()).content.decode()
    back = guest.get(other.get_absolute_url()).content.decode()
    assert thread.title in back.split("Related threads")[1]
