"""Profiles: what others read about a member, and changing it."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as PillowImage

from commerce.merchants.services import open_shop
from community.groups.models import Group, Interest
from community.members.models import Member
from community.profiles import views
from community.profiles.activity import Figures
from community.reactions.services import toggle_reaction
from community.standing.models import Badge, BadgeGrant
from community.threads.hiding import hide_post
from community.threads.models import Thread
from tests.factories import join, make_group, make_post, make_thread, owner_of

pytestmark = pytest.mark.django_db

TABS = ("", "posts/", "threads/", "reactions/", "badges/", "groups/")


def photo() -> SimpleUploadedFile:
    out = io.BytesIO()
    PillowImage.new("RGB", (300, 200), "teal").save(out, "PNG")
    return SimpleUploadedFile("me.png", out.getvalue(), "image/png")


def test_a_profile_shows_posts_and_groups_to_a_guest(ada: Member, thread: Thread, guest: Client):
    page = guest.get("/members/ada/").content.decode()
    assert "Ada Quist" in page
    assert thread.title in page
    assert "Film cameras" in page
    assert ada.email not in page


def test_what_was_said_in_a_hidden_group_stays_there(
    ada: Member, hidden_group: Group, guest: Client, as_ada: Client
):
    make_thread(ada, hidden_group, title="Down in the cellar")
    for word, tabs in (
        ("Down in the cellar", ("", "posts/", "threads/")),
        ("Cellar", ("", "posts/", "threads/", "groups/")),
    ):
        for tab in tabs:
            assert word not in guest.get(f"/members/ada/{tab}").content.decode()
            assert word in as_ada.get(f"/members/ada/{tab}").content.decode()


def test_a_profile_says_whom_its_member_sells_for(ada: Member, bo: Member, guest: Client):
    open_shop(owner=ada, name="Shore Optical", disclosure="sells cameras.")
    page = guest.get("/members/ada/").content.decode()
    assert "/merchants/shore-optical/shop/" in page
    assert "sells cameras." in page
    assert "Shore Optical" not in guest.get("/members/bo/").content.decode()


def test_a_handle_in_capitals_leads_to_its_member(ada: Member, guest: Client):
    assert guest.get("/members/ADA/")["Location"] == "/members/ada/"
    assert guest.get("/members/ADA/threads/")["Location"] == "/members/ada/threads/"
    assert guest.get("/members/nobody/").status_code == 404


def test_a_closed_account_has_no_page(ada: Member, guest: Client):
    Member.objects.filter(pk=ada.pk).update(is_active=False)
    for tab in TABS:
        assert guest.get(f"/members/ada/{tab}").status_code == 404


def test_posts_page_by_their_ids(ada: Member, group: Group, guest: Client):
    make_thread(ada, group, replies=19)
    first = guest.get("/members/ada/posts/")
    second = guest.get(f"/members/ada/posts/?before={first.context['before']}")
    rows = [*first.context["posts"], *second.context["posts"]]
    numbers = [post.number for post, _ in rows]
    assert numbers == list(range(20, 0, -1))
    assert second.context["before"] == ""


def test_settings_change_the_name_and_the_picture(as_ada: Client, ada: Member):
    answer = as_ada.post(
        "/settings/", {"name": "Ada  Q.", "place": "Leith", "bio": "Lenses.", "picture": photo()}
    )
    assert answer.status_code == 302
    ada.refresh_from_db()
    assert (ada.name, ada.place, ada.bio) == ("Ada Q.", "Leith", "Lenses.")
    assert ada.avatar is not None
    assert as_ada.get(ada.avatar.get_absolute_url()).status_code == 200


def test_bad_settings_keep_what_was_typed(as_ada: Client, ada: Member):
    broken = SimpleUploadedFile("me.png", b"not a picture", "image/png")
    answer = as_ada.post("/settings/", {"name": "Ada", "bio": "Typed.", "picture": broken})
    assert answer.status_code == 422
    assert "Typed." in answer.content.decode()
    assert "Only JPEG, PNG, WEBP and GIF" in answer.content.decode()
    ada.refresh_from_db()
    assert ada.bio == ""


def test_a_guest_has_no_settings(guest: Client):
    assert guest.get("/settings/")["Location"] == "/accounts/login/?next=/settings/"


# -- tabs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_has_words_for_nothing(tab: str, cy: Member, guest: Client, as_cy: Client):
    Member.objects.filter(pk=cy.pk).update(joined_at="2025-03-01T00:00Z")
    page = guest.get(f"/members/cy/{tab}").content.decode()
    assert "March 2025" in page
    assert 'class="card empty"' in page
    assert "You " in as_cy.get(f"/members/cy/{tab}").content.decode()


@pytest.mark.parametrize(("tab", "queries"), [("", 7), ("posts/", 2), ("threads/", 2)])
def test_tabs_cost_the_same_for_one_row_and_for_many(
    tab: str, queries: int, ada: Member, group: Group, guest: Client, django_assert_num_queries
):
    make_thread(ada, group)
    # Member and whom they sell for come first; the overview looks at each of its parts.
    guest.get(f"/members/ada/{tab}")
    with django_assert_num_queries(queries + 1):
        guest.get(f"/members/ada/{tab}")
    for _ in range(3):
        make_thread(ada, group, replies=2)
    with django_assert_num_queries(queries + 1):
        guest.get(f"/members/ada/{tab}")


def test_figures_count_what_the_reader_could_read(
    ada: Member, bo: Member, thread: Thread, hidden_group: Group, guest: Client, as_ada: Client
):
    secret = make_thread(ada, hidden_group, replies=2)
    join(bo, hidden_group)
    for post in (thread.posts.get(), secret.posts.get(number=1)):
        toggle_reaction(post=post, member=bo, name="heart")
    hidden = make_post(ada, thread, "Taken away.")
    hide_post(post=hidden, by=owner_of(thread.group), reason="Off topic.")
    assert guest.get("/members/ada/").context["figures"] == Figures(posts=1, threads=1, thanks=1)
    assert as_ada.get("/members/ada/").context["figures"] == Figures(posts=4, threads=2, thanks=2)


def test_threads_and_reactions_page_by_their_ids(
    ada: Member, bo: Member, group: Group, guest: Client, monkeypatch
):
    monkeypatch.setattr(views, "ROWS_PER_PAGE", 2)
    threads = [make_thread(ada, group, title=f"Number {n}") for n in range(3)]
    for thread in threads:
        toggle_reaction(post=thread.posts.get(), member=bo, name="heart")
    first = guest.get("/members/ada/threads/")
    second = guest.get(f"/members/ada/threads/?before={first.context['before']}")
    rows = [*first.context["threads"], *second.context["threads"]]
    assert [row.pk for row in rows] == [thread.pk for thread in reversed(threads)]
    first = guest.get("/members/bo/reactions/")
    second = guest.get(f"/members/bo/reactions/?before={first.context['before']}")
    given = [row.post.thread_id for row, _ in (*first.context["rows"], *second.context["rows"])]
    assert given == [thread.pk for thread in reversed(threads)]
    assert second.context["before"] == ""


def test_reactions_in_hidden_groups_are_not_shown(
    ada: Member, bo: Member, hidden_group: Group, guest: Client, as_ada: Client
):
    secret = make_thread(ada, hidden_group, title="Down in the cellar")
    join(bo, hidden_group)
    toggle_reaction(post=secret.posts.get(), member=bo, name="heart")
    assert "Down in the cellar" not in guest.get("/members/bo/reactions/").content.decode()
    assert "Down in the cellar" in as_ada.get("/members/bo/reactions/").content.decode()


def test_groups_page_by_size(ada: Member, guest: Client, monkeypatch):
    monkeypatch.setattr(views, "GROUPS_PER_PAGE", 2)
    for number in range(3):
        join(ada, make_group(f"more-{number}"))
    seen, after = [], ""
    for _ in range(2):
        page = guest.get(f"/members/ada/groups/?after={after}" if after else "/members/ada/groups/")
        seen += [one.slug for one in page.context["groups"]]
        after = page.context["after"]
    assert sorted(seen) == ["film-cameras", "more-0", "more-1", "more-2"]
    assert after == ""


def test_a_profile_shows_level_badges_and_interests(ada: Member, guest: Client):
    Member.objects.filter(pk=ada.pk).update(trust_level=3)
    interest = Interest.objects.get_or_create(slug="repair", defaults={"name": "Repairing things"})
    ada.interests.add(interest[0])
    badge = Badge.objects.create(
        slug="mine", name="Lens cleaner", glyph="🧽", about="Cleans.", rule={"trust": 3}
    )
    BadgeGrant.objects.create(badge=badge, member=ada, rule=badge.rule)
    page = guest.get("/members/ada/").content.decode()
    for words in ("Regular", "Repairing things", "Lens cleaner"):
        assert words in page
    assert (
        "Reached the trust level “Regular”." in guest.get("/members/ada/badges/").content.decode()
    )


def test_that_somebody_is_silenced_they_and_staff_see(
    silenced: Member, keeper: Member, guest: Client, as_member
):
    says = "Reads only for now"
    assert says not in guest.get("/members/sil/").content.decode()
    assert says in as_member(silenced).get("/members/sil/").content.decode()
    assert says in as_member(keeper).get("/members/sil/").content.decode()


# -- settings ---------------------------------------------------------------------------------


def test_settings_keep_zone_language_interests_and_the_directory(as_ada: Client, ada: Member):
    interest, _ = Interest.objects.get_or_create(slug="repair", defaults={"name": "Repair"})
    as_ada.cookies["language"] = "en"
    answer = as_ada.post(
        "/settings/",
        {
            "name": "Ada",
            "time_zone": "Europe/London",
            "language": "zh-hans",
            "interests": [interest.pk],
        },
    )
    assert answer.status_code == 302
    assert answer.cookies["language"].value == ""
    ada.refresh_from_db()
    assert (ada.time_zone, ada.language, ada.is_listed) == ("Europe/London", "zh-hans", False)
    assert list(ada.interests.all()) == [interest]


SHOWN = {"name": "Buy at S", "place": "lens.example", "bio": "Buy here.", "picture": photo()}


@pytest.mark.parametrize("field", SHOWN)
def test_who_is_silenced_cannot_change_what_others_read_about_them(
    silenced: Member, as_member, field: str
):
    client = as_member(silenced)
    assert "Sold the same lens twice." in client.get("/settings/").content.decode()
    answer = client.post("/settings/", {"name": "Sil Ence", field: SHOWN[field]})
    assert answer.status_code == 422
    assert "What others read about you stays as it is for now." in answer.content.decode()
    silenced.refresh_from_db()
    assert (silenced.name, silenced.place, silenced.bio) == ("Sil Ence", "", "")
    assert silenced.avatar is None


def test_who_is_silenced_can_change_how_they_read(silenced: Member, as_member):
    said = {"name": "Sil Ence", "time_zone": "Europe/London", "language": "zh-hans"}
    assert as_member(silenced).post("/settings/", said).status_code == 302
    silenced.refresh_from_db()
    assert (silenced.time_zone, silenced.language) == ("Europe/London", "zh-hans")


@pytest.mark.parametrize(
    "bad", [{"time_zone": "Moon/Crater"}, {"language": "tlh"}, {"interests": ["0"]}]
)
def test_settings_take_nothing_that_is_not_offered(as_ada: Client, ada: Member, bad):
    assert as_ada.post("/settings/", {"name": "Ada", **bad}).status_code == 422
    ada.refresh_from_db()
    assert ada.time_zone == "UTC"
