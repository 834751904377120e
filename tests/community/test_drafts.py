"""Drafts: the later one wins, none is lost, and each ends with what is posted of it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from community.drafts.errors import AlreadyPosted, DraftOutdated, TooManyDrafts
from community.drafts.models import Draft
from community.drafts.services import save_draft, take_back
from community.drafts.views import DRAFTS_PER_PAGE
from community.groups.models import Membership
from community.threads.models import Post, Thread
from community.threads.reading import read_up_to
from community.threads.services import lock_thread, publish_post, start_thread
from community.threads.unread import unread_counts
from tests.factories import PASSWORD, make_group, make_post, make_thread

pytestmark = pytest.mark.django_db


def text_of(response) -> str:
    return unescape(response.content.decode())


def put(client: Client, target: str, body: str, sequence: int, **more: Any):
    said = {"body": body, "sequence": sequence, **more}
    return client.put(f"/drafts/{target}/", json.dumps(said), content_type="application/json")


def typed_in(response) -> str:
    """What stands in the composer of a page."""
    found = re.search(r'<textarea[^>]*name="body"[^>]*>\n(.*?)</textarea>', text_of(response), re.S)
    assert found is not None
    return found[1]


# -- keeping ----------------------------------------------------------------------------------


def test_what_is_typed_is_kept_and_read_again(as_bo, bo, thread):
    target = f"thread:{thread.pk}"
    response = put(as_bo, target, "Half a thou", 1, extra={"reply_to": "1"})
    assert (response.status_code, response.json()) == (200, {"sequence": 1})
    kept = as_bo.get(f"/drafts/{target}/", headers={"Accept": "application/json"})
    assert kept["Cache-Control"] == "no-store"
    said = kept.json()
    assert (said["body"], said["sequence"], said["extra"]) == ("Half a thou", 1, {"reply_to": "1"})


def test_a_later_sequence_wins_and_an_older_one_gets_the_newer_draft(as_bo, bo, thread):
    target = f"thread:{thread.pk}"
    put(as_bo, target, "first", 1)
    assert put(as_bo, target, "from the phone", 5).status_code == 200
    late = put(as_bo, target, "from the desk", 3)
    assert late.status_code == 409
    assert late.json()["draft"]["body"] == "from the phone"
    assert Draft.objects.get().body == "from the phone"


def test_of_two_windows_with_the_same_sequence_the_second_is_told(as_bo, thread):
    target = f"thread:{thread.pk}"
    put(as_bo, target, "one window", 1)
    assert put(as_bo, target, "other window", 1).status_code == 409
    assert put(as_bo, target, "one window", 1).status_code == 200  # sent twice, said once


def test_an_emptied_text_ends_the_draft(as_bo, thread):
    target = f"thread:{thread.pk}"
    put(as_bo, target, "Never mind", 1)
    assert put(as_bo, target, "  \n", 2).json() == {"sequence": 0}
    assert not Draft.objects.exists()


def test_a_member_has_one_draft_for_a_place(bo, thread):
    for sequence in (1, 2, 3):
        save_draft(member=bo, target=f"thread:{thread.pk}", body="x", sequence=sequence)
    save_draft(member=bo, target=f"group:{thread.group_id}", body="y", title="Y", sequence=1)
    assert Draft.objects.filter(member=bo).count() == 2


def test_drafts_are_each_members_own(as_ada, as_bo, thread):
    target = f"thread:{thread.pk}"
    put(as_bo, target, "mine alone", 1)
    assert as_ada.get(f"/drafts/{target}/").status_code == 404
    assert "mine alone" not in text_of(as_ada.get("/drafts/"))


def test_nothing_is_kept_for_places_one_cannot_see(as_cy, hidden_group, ada):
    thread = make_thread(ada, hidden_group)
    post = thread.posts.get()
    for target in (f"thread:{thread.pk}", f"group:{hidden_group.pk}", f"post:{post.pk}"):
        assert put(as_cy, target, "hello?", 1).status_code == 404
    assert put(as_cy, "cellar:1", "hello?", 1).status_code == 404
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "said",
    [
        "no json",
        "[]",
        '{"sequence": 1}',
        '{"body": "x", "sequence": 0}',
        '{"body": "x", "sequence": true}',
        '{"body": 5, "sequence": 1}',
        '{"body": "x", "sequence": 99999999999}',
        '{"body": "x", "sequence": 1, "extra": {"a": {"b": 1}}}',
        '{"body": "x", "sequence": 1, "client_key": "not one"}',
        pytest.param("[" * 100_000, id="nested too deep"),
    ],
)
def test_nonsense_is_refused(as_bo, thread, said):
    address = f"/drafts/thread:{thread.pk}/"
    assert as_bo.put(address, said, content_type="application/json").status_code == 400
    assert not Draft.objects.exists()


def test_a_draft_is_brought_back_without_fields_nobody_can_read(as_bo, thread):
    target = f"thread:{thread.pk}"
    said = {"_method": "put", "body": "Mine.", "extra": "[" * 100_000}
    assert as_bo.post(f"/drafts/{target}/", said).status_code == 302
    draft = Draft.objects.get()
    assert (draft.body, draft.extra) == ("Mine.", {})


def test_a_text_too_long_to_post_is_still_a_draft_but_not_without_end(as_bo, thread):
    target = f"thread:{thread.pk}"
    assert put(as_bo, target, "x" * 60_000, 1).status_code == 200
    assert put(as_bo, target, "x" * 100_001, 2).status_code == 422
    assert len(Draft.objects.get().body) == 60_000


def test_there_is_room_for_so_many(bo, thread, monkeypatch):
    monkeypatch.setattr("community.drafts.services.DRAFTS_MAX", 1)
    save_draft(member=bo, target=f"thread:{thread.pk}", body="x", sequence=1)
    with pytest.raises(TooManyDrafts):
        save_draft(member=bo, target=f"group:{thread.group_id}", body="y", sequence=1)
    save_draft(member=bo, target=f"thread:{thread.pk}", body="still", sequence=2)


def test_keeping_costs_few_queries(bo, as_bo, thread, django_assert_num_queries):
    target = f"thread:{thread.pk}"
    put(as_bo, target, "one", 1)
    # Session, member, the place; then within a savepoint: there?, the row, its update.
    with django_assert_num_queries(8):
        put(as_bo, target, "two", 2)


# -- ending with the post ---------------------------------------------------------------------


def reply_with(client: Client, thread: Thread, body: str, sequence: int, **more: Any):
    return client.post(
        f"/t/{thread.pk}/replies/",
        {
            "body": body,
            "draft-target": f"thread:{thread.pk}",
            "draft-sequence": sequence,
            **more,
        },
    )


def test_a_draft_ends_with_its_post(as_bo, thread):
    put(as_bo, f"thread:{thread.pk}", "Yes.", 4)
    assert reply_with(as_bo, thread, "Yes.", 4).status_code == 302
    assert not Draft.objects.exists()


def test_a_draft_that_another_window_typed_on_stays(as_bo, thread):
    put(as_bo, f"thread:{thread.pk}", "Yes, and here is more", 5)
    reply_with(as_bo, thread, "Yes.", 4)
    assert Draft.objects.get().body == "Yes, and here is more"


def test_a_refused_post_keeps_its_draft(as_bo, bo, thread, mo):
    put(as_bo, f"thread:{thread.pk}", "Too late", 1)
    lock_thread(thread=thread, by=mo, reason="Enough.")
    assert reply_with(as_bo, thread, "Too late", 1).status_code == 409
    assert Draft.objects.get().body == "Too late"


def test_a_new_threads_draft_ends_with_it_and_an_edits_with_the_edit(as_bo, bo, group, thread):
    put(as_bo, f"group:{group.pk}", "Foam or wool?", 1, title="Light seals")
    as_bo.post(
        f"/g/{group.slug}/new/",
        {
            "title": "Light seals",
            "body": "Foam or wool?",
            "draft-target": f"group:{group.pk}",
            "draft-sequence": 1,
        },
    )
    assert not Draft.objects.exists()
    post = Post.objects.get(thread__title="Light seals")
    put(as_bo, f"post:{post.pk}", "Foam, or wool?", 1)
    as_bo.post(
        f"/p/{post.pk}/edit/",
        {"body": "Foam, or wool?", "draft-target": f"post:{post.pk}", "draft-sequence": 1},
    )
    post.refresh_from_db()
    assert post.body == "Foam, or wool?"
    assert not Draft.objects.exists()


def test_nobody_ends_anothers_draft(as_ada, as_bo, thread):
    put(as_bo, f"thread:{thread.pk}", "bo types", 1)
    reply_with(as_ada, thread, "ada posts", 9)
    assert Draft.objects.get().body == "bo types"


def test_a_draft_that_comes_after_its_post_is_not_kept(bo, thread):
    key = uuid4()
    publish_post(author=bo, thread=thread, body="Yes.", client_key=key)
    with pytest.raises(AlreadyPosted):
        save_draft(member=bo, target=f"thread:{thread.pk}", body="Yes.", sequence=3, client_key=key)
    assert not Draft.objects.exists()


# -- coming back to it ------------------------------------------------------------------------


def test_the_form_of_a_new_thread_has_the_draft_in_it(as_bo, group):
    put(as_bo, f"group:{group.pk}", "Foam or wool?", 7, title="Light seals")
    page = as_bo.get(f"/g/{group.slug}/new/")
    assert typed_in(page) == "Foam or wool?"
    assert 'value="Light seals"' in text_of(page)
    assert 'name="draft-sequence" value="7"' in text_of(page)


def test_a_thread_asks_for_the_draft_only_when_its_address_says_so(as_bo, thread):
    put(as_bo, f"thread:{thread.pk}", "Half a thou", 2)
    assert typed_in(as_bo.get(thread.get_absolute_url())) == ""
    assert typed_in(as_bo.get(thread.get_absolute_url() + "?draft=1")) == "Half a thou"


def test_an_edit_begins_with_the_post_and_offers_its_draft(as_ada, thread):
    post = thread.posts.get()
    put(as_ada, f"post:{post.pk}", "Prices have tripled.", 1)
    page = as_ada.get(f"/p/{post.pk}/edit/")
    assert typed_in(page) == post.body
    assert "You began to change this before." in text_of(page)
    assert typed_in(as_ada.get(f"/p/{post.pk}/edit/?draft=1")) == "Prices have tripled."


def test_a_whole_post_is_quoted_without_scripts(as_bo, ada, thread):
    post = make_post(ada, thread, "> older words\n\nPrices **doubled**.")
    page = as_bo.get(f"{thread.get_absolute_url()}?quote={post.pk}")
    assert typed_in(page) == f"> [Ada Quist](/p/{post.pk}/):\n> Prices **doubled**.\n\n"


def test_a_post_one_cannot_read_is_not_quoted(as_bo, ada, hidden_group, thread):
    secret = make_thread(ada, hidden_group).posts.get()
    page = as_bo.get(f"{thread.get_absolute_url()}?quote={secret.pk}")
    assert typed_in(page) == ""


def test_the_list_leads_to_where_each_is_meant_for(as_bo, bo, group, thread):
    save_draft(member=bo, target=f"group:{group.pk}", body="b", title="Light seals", sequence=1)
    save_draft(
        member=bo,
        target=f"thread:{thread.pk}",
        body="Half a **thou**",
        extra={"reply_to": "1"},
        sequence=1,
    )
    page = text_of(as_bo.get("/drafts/"))
    assert f"{thread.get_absolute_url()}?page=last&draft=1&reply_to=1#reply" in page
    assert f"/g/{group.slug}/new/?draft=1" in page
    assert "Half a thou" in page
    assert page.index("Half a thou") < page.index("Light seals")


def test_a_draft_for_a_place_no_longer_visible_is_still_readable(as_bo, bo, ada, hidden_group):
    thread = make_thread(ada, hidden_group, title="The secret sale")
    inside = Membership.objects.create(group=hidden_group, member=bo)
    save_draft(member=bo, target=f"thread:{thread.pk}", body="I would take two", sequence=1)
    assert "The secret sale" in text_of(as_bo.get("/drafts/"))
    inside.delete()
    page = text_of(as_bo.get("/drafts/"))
    assert "I would take two" in page
    assert "The secret sale" not in page
    assert "Cellar" not in page
    assert "A place you can no longer see" in page


def test_a_locked_thread_is_said_to_take_no_post(as_bo, bo, mo, thread):
    save_draft(member=bo, target=f"thread:{thread.pk}", body="Too late", sequence=1)
    lock_thread(thread=thread, by=mo, reason="Enough.")
    page = text_of(as_bo.get("/drafts/"))
    assert "You cannot post there now." in page
    assert "draft=1" not in page


def test_the_list_is_paged(as_bo, bo, ada, group, django_assert_max_num_queries):
    now = timezone.now()
    for number in range(DRAFTS_PER_PAGE + 3):
        thread = make_thread(ada, group, title=f"Thread {number}")
        save_draft(member=bo, target=f"thread:{thread.pk}", body=f"Draft {number}.", sequence=1)
        Draft.objects.filter(target=f"thread:{thread.pk}").update(
            changed_at=now - timedelta(minutes=number // 2)  # pairs at the same instant
        )
    with django_assert_max_num_queries(7):
        first = text_of(as_bo.get("/drafts/"))
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None
    second = text_of(as_bo.get(older[1]))
    seen = re.findall(r"Draft \d+\.", first) + re.findall(r"Draft \d+\.", second)
    assert len(seen) == len(set(seen)) == DRAFTS_PER_PAGE + 3


def test_what_is_discarded_can_be_brought_back_without_scripts(as_bo, bo, thread):
    target = f"thread:{thread.pk}"
    save_draft(member=bo, target=target, body="Two\nlines", extra={"reply_to": "1"}, sequence=3)
    page = text_of(as_bo.post(f"/drafts/{target}/", {"_method": "delete"}))
    assert not Draft.objects.exists()
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.split("discarded.")[1]))
    body = re.search(r'<textarea name="body" hidden>\n(.*?)</textarea>', page, re.S)
    assert body is not None
    response = as_bo.post(
        f"/drafts/{target}/",
        {"_method": "put", "body": body[1], "extra": '{"reply_to": "1"}', "sequence": "4"},
    )
    assert response.status_code == 302
    assert form["_method"] == "put"
    kept = Draft.objects.get()
    assert (kept.body, kept.extra, kept.sequence) == ("Two\nlines", {"reply_to": "1"}, 4)


def test_nothing_is_brought_back_for_a_place_one_may_not_see(as_bo, bo, ada, hidden_group):
    target = f"thread:{make_thread(ada, hidden_group).pk}"
    said = {"_method": "put", "body": "Hello", "sequence": "1"}
    for nowhere in (target, "thread:999999"):
        assert as_bo.post(f"/drafts/{nowhere}/", said).status_code == 404
    assert not Draft.objects.exists()


def test_a_draft_for_a_place_one_no_longer_sees_is_discarded_for_good(as_bo, bo, ada, hidden_group):
    target = f"thread:{make_thread(ada, hidden_group).pk}"
    save_draft(member=bo, target=target, body="Left behind", sequence=1)
    page = text_of(as_bo.post(f"/drafts/{target}/", {"_method": "delete"}))
    assert "Left behind" not in page
    assert not Draft.objects.exists()


def test_a_script_discards(as_bo, bo, thread):
    save_draft(member=bo, target=f"thread:{thread.pk}", body="x", sequence=1)
    assert as_bo.delete(f"/drafts/thread:{thread.pk}/").status_code == 204
    assert not Draft.objects.exists()


# -- signing in first -------------------------------------------------------------------------


def sign_in(client: Client, handle: str, address: str):
    next_page = re.search(r"next=([^&]+)", address)
    assert next_page is not None
    return client.post(
        address, {"login": handle, "password": PASSWORD, "next": unquoted(next_page[1])}
    )


def unquoted(text: str) -> str:
    from urllib.parse import unquote

    return unquote(text)


def test_a_reply_after_the_session_ended_waits_behind_the_sign_in(guest, bo, thread):
    sent = reply_with(guest, thread, "Typed for half an hour", 3, reply_to="1")
    assert sent.status_code == 302
    assert not thread.posts.filter(author=bo).exists()
    back = sign_in(guest, "bo", sent["Location"])
    assert back["Location"] == f"/t/{thread.pk}/?page=last&draft=1#reply"
    page = guest.get(back["Location"], follow=True)
    assert typed_in(page) == "Typed for half an hour"
    assert Draft.objects.get(member=bo).extra == {"reply_to": "1"}


def test_a_new_thread_of_a_hidden_group_waits_too(guest, ada, hidden_group):
    address = f"/g/{hidden_group.slug}/new/"
    sent = guest.post(address, {"title": "Light seals", "body": "Foam or wool?"})
    back = sign_in(guest, "ada", sent["Location"])
    assert typed_in(guest.get(back["Location"])) == "Foam or wool?"


def test_a_guest_learns_of_no_hidden_group_by_posting_to_it(guest, hidden_group):
    there = guest.post(f"/g/{hidden_group.slug}/new/", {"title": "a", "body": "b"})
    nowhere = guest.post("/g/nowhere/new/", {"title": "a", "body": "b"})
    assert nowhere["Location"] == there["Location"].replace(hidden_group.slug, "nowhere")


def test_what_waits_goes_above_what_was_kept_before(guest, bo, thread):
    save_draft(member=bo, target=f"thread:{thread.pk}", body="Last week's", sequence=2)
    sent = reply_with(guest, thread, "Today's", 0)
    sign_in(guest, "bo", sent["Location"])
    kept = Draft.objects.get()
    assert (kept.body, kept.sequence) == ("Today's\n\nLast week's", 3)


def test_a_guest_begins_below_a_thread_and_finishes_as_a_member(guest, cy, thread):
    page = text_of(guest.get(thread.get_absolute_url()))
    assert 'action="/drafts/typed/"' in page
    sent = guest.post(
        "/drafts/typed/", {"target": f"thread:{thread.pk}", "body": "I own two.", "sign_in": "1"}
    )
    assert sent["Location"].startswith("/accounts/login/")
    joining = guest.post("/drafts/typed/", {"target": f"thread:{thread.pk}", "body": "I own two."})
    assert joining["Location"].startswith("/accounts/signup/?next=")
    sign_in(guest, "cy", sent["Location"])
    assert Draft.objects.get(member=cy).body == "I own two."


def test_a_form_without_its_token_gives_the_words_back(bo, thread):
    client = Client(enforce_csrf_checks=True)
    client.force_login(bo)
    response = reply_with(client, thread, "Typed <before> signing in elsewhere", 1)
    assert response.status_code == 403
    assert "Typed <before> signing in elsewhere</textarea>" in text_of(response)


def test_what_waited_makes_no_session_short(guest, bo, thread):
    guest.post("/drafts/typed/", {"target": f"thread:{thread.pk}", "body": "I own two."})
    assert guest.session.get_expiry_age() == 24 * 3600
    guest.force_login(bo)
    assert guest.session.get_expiry_age() == 60 * 24 * 3600


def test_other_sites_put_no_words_into_a_guests_mouth(guest, thread):
    response = guest.post(
        "/drafts/typed/",
        {"target": f"thread:{thread.pk}", "body": "Buy now"},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert response.status_code == 403
    assert "typed" not in guest.session


# -- undo -------------------------------------------------------------------------------------


def test_a_post_is_taken_back_within_seconds_and_is_a_draft_again(as_bo, bo, thread):
    post = publish_post(
        author=bo, thread=thread, body="Oops, teh patch", reply_to=thread.posts.get()
    )
    response = as_bo.post(f"/p/{post.pk}/undo/", headers={"Accept": "application/json"})
    assert response.status_code == 200
    said = response.json()
    assert (said["target"], said["body"]) == (f"thread:{thread.pk}", "Oops, teh patch")
    assert said["extra"] == {"reply_to": "1"}
    post.refresh_from_db()
    thread.refresh_from_db()
    assert post.is_deleted
    assert thread.reply_count == 0


def test_what_is_taken_back_is_as_if_it_had_never_been(as_bo, as_ada, guest, bo, ada, group):
    thread = make_thread(ada, group, replies=19)
    read_up_to(member=ada, thread_id=thread.pk, number=20)
    post = make_post(bo, thread, "Oops, teh patch")
    assert unread_counts(ada, [thread])[thread.pk] == (1, 21)
    as_bo.post(f"/p/{post.pk}/undo/", headers={"Accept": "application/json"})
    address = thread.get_absolute_url()
    for client in (as_ada, as_bo, guest):
        for page in ("?page=1", "?page=2", "?page=last"):
            shown = text_of(client.get(address + page))
            assert 'id="p21"' not in shown and "deleted by its author" not in shown
        assert 'id="p20"' in text_of(client.get(f"{address}?page=last"))
    assert "Oops" not in text_of(as_ada.get(f"/t/{thread.pk}/new-posts/?after=20"))
    assert as_ada.get(f"/t/{thread.pk}/jump/?number=21")["Location"] == f"{address}#p20"
    assert unread_counts(ada, [thread]) == {}
    # What is written next has a number of its own, so that it is unread to who saw the other.
    read_up_to(member=ada, thread_id=thread.pk, number=21)
    assert make_post(bo, thread, "The patch").number == 22
    assert unread_counts(ada, [thread])[thread.pk] == (1, 22)


def test_a_post_somebody_quoted_meanwhile_leaves_a_note(as_bo, as_ada, bo, ada, group, thread):
    post = make_post(bo, thread, "Oops")
    make_post(ada, make_thread(ada, group), f"> [Bo Lind](/p/{post.pk}/):\n>\n> Oops\n\nWhat?")
    as_bo.post(f"/p/{post.pk}/undo/", headers={"Accept": "application/json"})
    assert "deleted by its author" in text_of(as_ada.get(thread.get_absolute_url()))


def test_a_thread_is_taken_back_to_the_form_of_a_new_one(as_ada, as_bo, guest, bo, group):
    post = start_thread(author=bo, group=group, title="Light seals", body="Foam?")
    response = as_bo.post(f"/p/{post.pk}/undo/")
    assert response["Location"] == f"/g/{group.slug}/new/?draft=1"
    kept = Draft.objects.get()
    assert (kept.title, kept.body) == ("Light seals", "Foam?")
    thread = Thread.objects.get(pk=post.thread_id)
    assert not thread.is_listed
    for client in (as_ada, as_bo, guest):
        assert client.get(thread.get_absolute_url()).status_code == 404


def test_it_is_too_late_after_some_seconds(as_bo, bo, thread):
    post = make_post(bo, thread, at=timezone.now() - timedelta(seconds=16))
    response = as_bo.post(f"/p/{post.pk}/undo/", headers={"Accept": "application/json"})
    assert response.status_code == 409
    assert "too late" in response.json()["error"]
    post.refresh_from_db()
    assert not post.is_hidden
    assert not Draft.objects.exists()


def test_a_post_somebody_wrote_after_stays(as_bo, bo, ada, thread):
    post = make_post(bo, thread, "Oops")
    make_post(ada, thread, "What oops?")
    response = as_bo.post(f"/p/{post.pk}/undo/", headers={"Accept": "application/json"})
    assert response.status_code == 409
    assert not Draft.objects.exists()


def test_only_its_author_takes_a_post_back(as_ada, as_mo, bo, guest, thread):
    post = make_post(bo, thread)
    for client in (as_ada, as_mo):
        assert client.post(f"/p/{post.pk}/undo/").status_code == 404
    assert guest.post(f"/p/{post.pk}/undo/")["Location"].startswith("/accounts/login/")
    assert as_ada.get(f"/p/{post.pk}/undo/").status_code == 405


def test_what_was_begun_meanwhile_goes_below_what_is_taken_back(bo, thread):
    post = make_post(bo, thread, "First thought")
    save_draft(member=bo, target=f"thread:{thread.pk}", body="Second thought", sequence=4)
    kept = take_back(post=post, by=bo)
    assert (kept.body, kept.sequence) == ("First thought\n\nSecond thought", 5)


def test_an_older_draft_refuses_the_save_by_name(bo, thread):
    save_draft(member=bo, target=f"thread:{thread.pk}", body="new", sequence=2)
    with pytest.raises(DraftOutdated) as caught:
        save_draft(member=bo, target=f"thread:{thread.pk}", body="old", sequence=1)
    assert caught.value.newer.body == "new"


def test_a_group_one_left_is_a_closed_place(as_bo, bo, ada):
    other = make_group("lenses", owner=ada)
    save_draft(member=bo, target=f"group:{other.pk}", body="b", title="Hoods", sequence=1)
    assert "You cannot post there now." in text_of(as_bo.get("/drafts/"))
