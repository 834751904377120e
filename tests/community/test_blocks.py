"""Muting and blocking: whose words fold, where, and who may not write."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from community.chat.rooms import room_of
from community.chat.services import send_message
from community.members.blocking import block, folded_for, unblock
from community.members.errors import NotYourself
from community.members.models import Block, Member
from tests.factories import make_post

pytestmark = pytest.mark.django_db

FOLDED = '<details class="folded" data-number'


def text_of(response) -> str:
    return str(response.content.decode())


# -- verbs ------------------------------------------------------------------------------------


def test_a_block_is_one_row_whose_last_kind_counts_and_can_be_taken_back(ada, bo):
    block(by=ada, of=bo, kind="mute")
    block(by=ada, of=bo)
    assert Block.objects.values_list("by", "of", "kind").get() == (ada.pk, bo.pk, "block")
    unblock(by=ada, of=bo)
    unblock(by=ada, of=bo)
    assert not Block.objects.exists()


def test_nobody_blocks_themselves(ada):
    with pytest.raises(NotYourself):
        block(by=ada, of=ada)
    with pytest.raises(IntegrityError), transaction.atomic():
        Block.objects.create(by=ada, of=ada, kind="mute")


def test_whose_words_fold_is_asked_once_a_request_and_knows_of_changes(ada, bo, cy):
    block(by=ada, of=bo, kind="mute")
    with CaptureQueriesContext(connection) as spent:
        assert folded_for(ada) == folded_for(ada) == frozenset({bo.pk})
    assert len(spent) == 1
    block(by=ada, of=cy)
    assert folded_for(ada) == frozenset({bo.pk, cy.pk})
    unblock(by=ada, of=bo)
    assert folded_for(ada) == frozenset({cy.pk})
    assert folded_for(bo) == folded_for(AnonymousUser()) == frozenset()


# -- where it folds ---------------------------------------------------------------------------


def test_posts_of_a_muted_member_fold_for_whoever_muted_them_alone(as_ada, ada, bo, as_bo, thread):
    make_post(bo, thread, "Folded words.")
    block(by=ada, of=bo, kind="mute")
    page = as_ada.get(thread.get_absolute_url()).content.decode()
    fold = re.findall(FOLDED + ".*?</details>", page, re.DOTALL)
    assert "Folded words." in fold[0]
    assert "Post by someone you muted." in fold[0]
    assert FOLDED not in text_of(as_bo.get(thread.get_absolute_url()))
    pieces = as_ada.get(f"/t/{thread.pk}/new-posts/?after=1").content.decode()
    assert pieces.count(FOLDED) == 1


def test_messages_of_a_muted_member_fold_in_the_room_and_in_what_it_fetches(as_ada, ada, bo, group):
    room = room_of(group)
    send_message(room=room, sender=bo, body="Folded words.")
    block(by=ada, of=bo, kind="mute")
    page = as_ada.get(f"/chat/{group.slug}/").content.decode()
    # This one, and the fold for those that come later.
    assert page.count('<details class="body folded"') == 2
    assert f'data-folded="{bo.pk} "' in page
    (message,) = as_ada.get(reverse("messages_after", args=[room.pk]) + "?after=0").json()[
        "messages"
    ]
    assert '<details class="body folded"' in message["html"]


# -- pages ------------------------------------------------------------------------------------


def test_a_profile_leads_to_muting_and_the_list_undoes_it(as_ada, ada, bo):
    assert 'href="/members/bo/block/"' in as_ada.get("/members/bo/").content.decode()
    assert "Mute or block Bo Lind" in as_ada.get("/members/bo/block/").content.decode()
    response = as_ada.post("/members/bo/block/", {"kind": "mute"})
    assert response["Location"] == "/settings/blocks/"
    assert "Bo Lind" in as_ada.get("/settings/blocks/").content.decode()
    response = as_ada.post("/members/bo/block/", {"_method": "delete", "next": "/settings/blocks/"})
    assert response["Location"] == "/settings/blocks/"
    assert not Block.objects.exists()


@pytest.mark.parametrize("kind", ["", "hate"])
def test_a_kind_there_is_not_is_422(as_ada, bo, kind):
    assert as_ada.post("/members/bo/block/", {"kind": kind}).status_code == 422
    assert not Block.objects.exists()


def test_one_cannot_mute_oneself_by_the_form(as_ada, ada):
    response = as_ada.post("/members/ada/block/", {"kind": "mute"})
    assert response.status_code == 422
    assert "You cannot mute or block yourself." in response.content.decode()


def test_guests_sign_in_and_nobody_else_hears_of_it(guest, as_bo, ada, bo):
    assert guest.post("/members/bo/block/", {"kind": "mute"}).status_code == 302
    assert guest.get("/settings/blocks/").status_code == 302
    block(by=ada, of=bo)
    assert "Ada" not in as_bo.get("/settings/blocks/").content.decode().split("<main")[1]


def test_a_closed_account_can_be_let_go_but_not_blocked(as_ada, ada, bo):
    block(by=ada, of=bo)
    Member.objects.filter(pk=bo.pk).update(is_active=False)
    assert as_ada.post("/members/bo/block/", {"kind": "mute"}).status_code == 404
    assert as_ada.post("/members/bo/block/", {"_method": "delete"}).status_code == 302
    assert not Block.objects.exists()
