"""Following threads, tags and groups: levels, the menu, the list."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from community.groups.services import leave_group
from community.tags.models import Tag
from community.threads.following import follow, level_of
from community.threads.marks import Follow, FollowLevel
from tests.factories import join, make_post, make_thread

pytestmark = pytest.mark.django_db


def levels_of(member) -> list[int]:
    return list(Follow.objects.filter(member=member).values_list("level", flat=True))


# -- levels -----------------------------------------------------------------------------------


def test_the_last_level_chosen_counts_and_a_guest_follows_nothing(bo, thread):
    for level in (FollowLevel.WATCHING, FollowLevel.MUTED, FollowLevel.TRACKING):
        follow(member=bo, what=thread, level=level)
        assert level_of(bo, thread) == level
    assert levels_of(bo) == [FollowLevel.TRACKING]
    assert level_of(AnonymousUser(), thread) == FollowLevel.NORMAL


def test_writing_does_not_change_what_was_chosen(bo, thread):
    follow(member=bo, what=thread, level=FollowLevel.NORMAL)
    make_post(bo, thread)
    assert level_of(bo, thread) == FollowLevel.NORMAL
    follow(member=bo, what=thread, level=FollowLevel.MUTED)
    make_post(bo, thread)
    assert level_of(bo, thread) == FollowLevel.MUTED


def test_choosing_after_writing_is_a_choice(bo, thread):
    make_post(bo, thread)
    follow(member=bo, what=thread, level=FollowLevel.TRACKING)
    assert Follow.objects.get(member=bo).is_chosen


def test_a_group_or_tag_back_to_normal_leaves_no_row(bo, group):
    tag = Tag.objects.create(slug="prices", name="prices")
    for what in (group, tag):
        follow(member=bo, what=what, level=FollowLevel.WATCHING)
        assert level_of(bo, what) == FollowLevel.WATCHING
        follow(member=bo, what=what, level=FollowLevel.NORMAL)
        assert level_of(bo, what) == FollowLevel.NORMAL
    assert levels_of(bo) == []


def test_a_level_there_is_not_is_refused(bo, thread):
    with pytest.raises(ValueError, match="9"):
        follow(member=bo, what=thread, level=9)


def test_the_database_takes_one_follow_of_one_thing(bo, group, thread):
    follow(member=bo, what=thread, level=FollowLevel.TRACKING)
    with pytest.raises(IntegrityError), transaction.atomic():
        Follow.objects.create(member=bo, thread=thread, level=FollowLevel.MUTED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Follow.objects.create(member=bo, thread=thread, group=group, level=FollowLevel.MUTED)


# -- pages ------------------------------------------------------------------------------------


def test_the_menu_of_a_thread_sets_its_level_and_comes_back(as_bo, bo, thread):
    page = as_bo.get(thread.get_absolute_url()).content.decode()
    assert f'action="/t/{thread.pk}/follow/"' in page
    response = as_bo.post(
        f"/t/{thread.pk}/follow/", {"level": "3", "next": f"{thread.get_absolute_url()}?page=1"}
    )
    assert response["Location"] == f"{thread.get_absolute_url()}?page=1"
    assert level_of(bo, thread) == FollowLevel.WATCHING
    page = as_bo.get(thread.get_absolute_url()).content.decode()
    assert 'name="level" value="3" aria-pressed="true"' in page


def test_a_group_and_a_tag_are_followed_by_their_forms(as_bo, bo, group):
    tag = Tag.objects.create(slug="prices", name="prices")
    assert (
        f'action="/g/{group.slug}/follow/"' in as_bo.get(group.get_absolute_url()).content.decode()
    )
    as_bo.post(f"/g/{group.slug}/follow/", {"level": "2"})
    as_bo.post(f"/tags/{tag.pk}/follow/", {"level": "0"})
    assert (level_of(bo, group), level_of(bo, tag)) == (FollowLevel.TRACKING, FollowLevel.MUTED)


@pytest.mark.parametrize("level", ["", "4", "9", "-1", "watching"])
def test_a_broken_level_is_422_and_changes_nothing(as_bo, bo, thread, level):
    assert as_bo.post(f"/t/{thread.pk}/follow/", {"level": level}).status_code == 422
    assert levels_of(bo) == []


def test_what_one_may_not_see_cannot_be_followed(as_bo, bo, ada, hidden_group):
    thread = make_thread(ada, hidden_group)
    tag = Tag.objects.create(slug="secret", name="secret", group=hidden_group)
    for address in (
        f"/t/{thread.pk}/follow/",
        f"/g/{hidden_group.slug}/follow/",
        f"/tags/{tag.pk}/follow/",
    ):
        assert as_bo.post(address, {"level": "3"}).status_code == 404
    assert levels_of(bo) == []


def test_a_guest_is_sent_to_sign_in_and_a_look_changes_nothing(guest, as_bo, thread):
    assert guest.post(f"/t/{thread.pk}/follow/", {"level": "3"}).status_code == 302
    assert as_bo.get(f"/t/{thread.pk}/follow/").status_code == 405
    assert guest.get("/settings/follows/").status_code == 302


def test_the_list_names_all_one_follows_by_pages_and_nothing_one_may_no_longer_see(
    as_bo, bo, ada, group, hidden_group, monkeypatch
):
    monkeypatch.setattr("community.threads.following_views.FOLLOWS_PER_PAGE", 2)
    join(bo, hidden_group)
    secret = make_thread(ada, hidden_group, "Where the key is")
    tag = Tag.objects.create(slug="prices", name="prices")
    plain = make_thread(ada, group, "Not followed")
    follow(member=bo, what=secret, level=FollowLevel.WATCHING)
    follow(member=bo, what=group, level=FollowLevel.TRACKING)
    follow(member=bo, what=tag, level=FollowLevel.MUTED)
    follow(member=bo, what=plain, level=FollowLevel.NORMAL)
    first = as_bo.get("/settings/follows/").content.decode()
    assert ("prices" in first, group.name in first, "Where the key is" in first) == (
        True,
        True,
        False,
    )
    before = Follow.objects.get(member=bo, group=group).pk
    second = as_bo.get(f"/settings/follows/?before={before}").content.decode()
    assert ("Where the key is" in second, "Not followed" in first + second) == (True, False)
    leave_group(member=bo, group=hidden_group)
    assert (
        "Where the key is" not in as_bo.get(f"/settings/follows/?before={before}").content.decode()
    )
