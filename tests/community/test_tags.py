"""Tags: who makes them, what threads carry, how they are counted, merged and found."""

from __future__ import annotations

import pytest

from community.groups.models import Group, JoinMode, Role
from community.members.models import Member, TrustLevel
from community.tags.errors import (
    MayNotKeepTags,
    NotATag,
    NotOfOnePlace,
    TagExists,
    TagInUse,
    TagTooLong,
    TooManyTags,
)
from community.tags.models import Tag
from community.tags.services import create_tag, split_names, tag_slug
from community.threads.errors import MayNotChangeHead, TagsUnfit
from community.threads.models import Post, Thread, ThreadEntry
from community.threads.services import post_hidden_changed, start_thread
from community.threads.tagging import add_synonym, drop_tag, merge_tags, rename_tag, set_tags
from tests.factories import join, make_group, make_member, make_thread

pytestmark = pytest.mark.django_db


def text_of(response) -> str:
    return str(response.content.decode())


def counts() -> dict[str, int]:
    return dict(Tag.objects.filter(synonym_of=None).values_list("name", "thread_count"))


def tagged(author: Member, group: Group, *names: str, title: str = "A thread") -> Thread:
    return start_thread(author=author, group=group, title=title, body="B", tags=names).thread


@pytest.fixture
def trusted(ada: Member) -> Member:
    ada.trust_level = TrustLevel.BASIC
    ada.save()
    return ada


# -- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        (" film ,  light  meters,, ", ["film", "light meters"]),
        ("#film, Film, FILM", ["film"]),
        ("胶片，测光表、暗房", ["胶片", "测光表", "暗房"]),
        ("C++; été", ["C++", "été"]),
    ],
)
def test_tags_are_read_with_commas_of_any_script(text, names):
    assert split_names(text) == names


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("?!", NotATag),
        ("x" * 31, TagTooLong),
        ("a,b,c,d,e,f", TooManyTags),
        ("keep", NotATag),
        ("a\x00b", NotATag),
    ],
)
def test_what_is_no_tag_is_refused(text, refusal):
    with pytest.raises(refusal):
        split_names(text)


def test_a_tag_of_chinese_words_has_an_address(as_mo, mo, guest, group):
    tagged(mo, group, "胶片")
    assert tag_slug("胶片") == "胶片"
    assert "#胶片" in text_of(guest.get("/tags/胶片/"))
    assert "A thread" in text_of(guest.get("/g/film-cameras/?tag=胶片"))


# -- who makes them ---------------------------------------------------------------------------


def test_trust_level_1_and_moderators_make_tags_and_new_members_choose(ada, mo, group):
    ada.trust_level = mo.trust_level = TrustLevel.NEW
    ada.save()
    mo.save()
    with pytest.raises(TagsUnfit, match="There is no tag “film”"):
        tagged(ada, group, "film")
    assert not Thread.objects.exists()
    tagged(mo, group, "film")
    assert counts() == {"film": 1}
    tagged(ada, group, "Film")
    ada.trust_level = TrustLevel.BASIC
    ada.save()
    tagged(ada, group, "film", "repair")
    assert counts() == {"film": 3, "repair": 1}


def test_a_groups_tag_goes_before_the_sites(mo, group):
    Tag.objects.create(slug="film", name="Film")
    Tag.objects.create(slug="light", name="Light")
    own = Tag.objects.create(group=group, slug="film", name="Film here")
    thread = tagged(mo, group, "film", "light")
    assert {(tag.name, tag.group) for tag in thread.tags.all()} == {
        ("Film here", group),
        ("Light", None),
    }
    assert own.group == group


def test_a_synonym_becomes_what_it_stands_for(mo, group):
    main = create_tag(name="camera", group=group, by=mo)
    add_synonym(tag=main, name="cameras", by=mo)
    thread = tagged(mo, group, "cameras", "camera")
    assert list(thread.tags.all()) == [main]
    assert counts() == {"camera": 1}


# -- what threads carry -----------------------------------------------------------------------


def test_counts_follow_when_a_thread_is_retagged_hidden_and_shown(mo, trusted, group):
    thread = tagged(trusted, group, "film", "repair")
    tagged(trusted, group, "film")
    assert counts() == {"film": 2, "repair": 1}
    set_tags(thread=thread, names=["repair", "seals"], by=trusted)
    assert counts() == {"film": 1, "repair": 1, "seals": 1}
    opening = Post.objects.get(thread=thread)
    for hidden, expected in ((True, 0), (False, 1)):
        if hidden:
            opening.hide(by=mo, reason="Off.", at=thread.created_at)
        else:
            opening.show()
        opening.save()
        post_hidden_changed(opening)
        assert counts() == {"film": 1, "repair": expected, "seals": expected}


def test_the_author_and_moderators_retag_and_only_the_latter_leave_an_entry(mo, bo, trusted, group):
    thread = tagged(trusted, group, "film")
    set_tags(thread=thread, names=["film", "seals"], by=trusted)
    assert not ThreadEntry.objects.exists()
    set_tags(thread=thread, names=["seals"], by=mo, reason="Not about film.")
    entry = ThreadEntry.objects.get()
    assert (entry.by, entry.details) == (mo, {"added": [], "removed": ["film"]})
    with pytest.raises(MayNotChangeHead):
        set_tags(thread=thread, names=[], by=bo)
    version = Thread.objects.get().version
    set_tags(thread=thread, names=["seals"], by=mo)
    assert Thread.objects.get().version == version


# -- keeping them -----------------------------------------------------------------------------


def test_merging_tags_counts_a_thread_once_and_keeps_the_old_name(mo, guest, group):
    tagged(mo, group, "film", "films", title="Both")
    tagged(mo, group, "films", title="One")
    film, films = Tag.objects.get(slug="film"), Tag.objects.get(slug="films")
    other = Tag.objects.create(group=group, slug="flim", name="flim", synonym_of=films)
    merge_tags(tag=films, into=film, by=mo)
    assert counts() == {"film": 2}
    other.refresh_from_db()
    assert other.synonym_of == film
    old = guest.get("/tags/films/")
    assert (old.status_code, old.headers["Location"]) == (301, "/tags/film/")
    in_group = guest.get("/g/film-cameras/?tag=films&order=newest")
    assert in_group.headers["Location"] == "/g/film-cameras/?order=newest&tag=film"


def test_tags_of_two_places_do_not_merge(mo, group):
    site = Tag.objects.create(slug="film", name="Film")
    own = Tag.objects.create(group=group, slug="films", name="Films")
    with pytest.raises(NotOfOnePlace):
        merge_tags(tag=own, into=site, by=mo)


def test_a_renamed_tag_is_found_by_both_names(mo, guest, group):
    tagged(mo, group, "film")
    tag = rename_tag(tag=Tag.objects.get(), name="Analogue", by=mo, about="Silver and gelatine.")
    assert guest.get("/tags/film/").headers["Location"] == "/tags/analogue/"
    assert "Silver and gelatine." in text_of(guest.get("/tags/analogue/"))
    rename_tag(tag=tag, name="film", by=mo)
    assert set(Tag.objects.values_list("slug", "synonym_of__slug")) == {
        ("film", None),
        ("analogue", "film"),
    }
    Tag.objects.create(group=group, slug="lens", name="Lens")
    with pytest.raises(TagExists):
        rename_tag(tag=Tag.objects.get(slug="film"), name="lens", by=mo)


def test_only_moderators_keep_a_groups_tags_and_staff_the_sites(ada, mo, group):
    tag = create_tag(name="film", group=group, by=mo)
    for act in (
        lambda: create_tag(name="x", group=group, by=ada),
        lambda: rename_tag(tag=tag, name="x", by=ada),
        lambda: add_synonym(tag=tag, name="x", by=ada),
        lambda: drop_tag(tag=tag, by=ada),
        lambda: create_tag(name="x", group=None, by=mo),
    ):
        with pytest.raises(MayNotKeepTags):
            act()
    mo.is_staff = True
    create_tag(name="x", group=None, by=mo)
    with pytest.raises(TagExists):
        create_tag(name="X", group=None, by=mo)


def test_a_tag_in_use_is_not_dropped(mo, group):
    tagged(mo, group, "film")
    with pytest.raises(TagInUse):
        drop_tag(tag=Tag.objects.get(), by=mo)


# -- pages ------------------------------------------------------------------------------------


def test_the_page_of_a_tag_shows_what_one_may_read(guest, as_ada, ada, mo, group, hidden_group):
    Tag.objects.create(slug="film", name="Film")
    tagged(mo, group, "film", title="In the open")
    tagged(ada, hidden_group, "film", title="In the cellar")
    assert "In the open" in text_of(guest.get("/tags/film/"))
    assert "In the cellar" not in text_of(guest.get("/tags/film/"))
    assert "In the cellar" in text_of(as_ada.get("/tags/film/"))
    assert guest.get("/tags/nothing/").status_code == 404


def test_a_hidden_groups_own_tag_does_not_exist_for_outsiders(guest, as_ada, ada, hidden_group):
    tagged(ada, hidden_group, "vault")
    assert guest.get("/tags/vault/").status_code == 404
    assert "vault" not in text_of(guest.get("/tags/"))
    assert guest.get("/g/cellar/tags/").status_code == 404
    assert guest.get("/tags/suggest/?group=cellar&tags=va").status_code == 404
    assert "vault" in text_of(as_ada.get("/tags/"))
    assert "vault" in text_of(as_ada.get("/g/cellar/tags/"))


def test_suggestions_go_on_after_the_last_comma(as_bo, guest, mo, group):
    tagged(mo, group, "film", "filter", "lens")
    tagged(mo, group, "filter")
    page = text_of(as_bo.get("/tags/suggest/?group=film-cameras&tags=lens, fi"))
    assert page.count("<option") == 2
    assert page.index('value="lens, filter"') < page.index('value="lens, film"')


def test_a_thread_is_begun_and_retagged_by_forms(as_mo, mo, group):
    as_mo.post(
        "/g/film-cameras/new/", {"title": "T", "body": "B", "kind": "question", "tags": "a, b"}
    )
    thread = Thread.objects.get()
    assert (thread.kind, sorted(counts())) == ("question", ["a", "b"])
    refused = as_mo.post(
        "/g/film-cameras/new/", {"title": "Kept", "body": "B", "tags": "a,b,c,d,e,f"}
    )
    assert refused.status_code == 422
    assert 'value="a,b,c,d,e,f"' in text_of(refused)
    page = text_of(as_mo.get(f"/t/{thread.pk}/tags/"))
    assert 'value="a, b"' in page
    as_mo.post(f"/t/{thread.pk}/tags/", {"kind": "talk", "tags": "b"})
    thread.refresh_from_db()
    assert thread.kind == "talk"
    assert counts() == {"a": 0, "b": 1}


def test_moderators_keep_tags_on_their_page(as_mo, as_ada, guest, mo, group):
    page = "/g/film-cameras/tags/keep/"
    assert guest.get(page).status_code == 302
    assert as_ada.get(page).status_code == as_ada.post(page, {"new": "1", "name": "x"}).status_code
    assert as_ada.get(page).status_code == 403
    assert as_mo.post(page, {"new": "1", "name": "film", "about": "Silver."}).status_code == 302
    assert as_mo.post(page, {"new": "1", "name": "Film"}).status_code == 422
    tag = Tag.objects.get()
    as_mo.post(page, {"tag": tag.pk, "do": "synonym", "name": "films"})
    as_mo.post(page, {"tag": tag.pk, "do": "rename", "name": "Film stock", "about": "Rolls."})
    as_mo.post(page, {"new": "1", "name": "rolls"})
    as_mo.post(page, {"tag": Tag.objects.get(slug="rolls").pk, "do": "merge", "name": "film-stock"})
    assert dict(Tag.objects.values_list("slug", "synonym_of__slug")) == {
        "film-stock": None,
        "film": "film-stock",
        "films": "film-stock",
        "rolls": "film-stock",
    }
    kept = text_of(as_mo.get(page))
    assert "#Film stock" in kept
    assert "#rolls" in kept
    refused = as_mo.post(page, {"tag": tag.pk, "do": "merge", "name": "nothing"})
    assert refused.status_code == 422
    as_mo.post(page, {"tag": tag.pk, "do": "drop"})
    assert not Tag.objects.exists()


def test_a_group_keeps_only_its_own_tags(as_mo, group):
    other = make_group("elsewhere", join_mode=JoinMode.OPEN)
    tag = Tag.objects.create(group=other, slug="x", name="X")
    assert (
        as_mo.post("/g/film-cameras/tags/keep/", {"tag": tag.pk, "do": "drop"}).status_code == 404
    )
    join(make_member("zed"), other, Role.MODERATOR)
    assert Tag.objects.filter(pk=tag.pk).exists()


def test_the_list_of_tags_goes_on_by_keyset(guest, mo, group, monkeypatch):
    from community.threads import tag_pages

    monkeypatch.setattr(tag_pages, "TAGS_A_PAGE", 2)
    tagged(mo, group, "a", "b", "c")
    tagged(mo, group, "b")
    first = text_of(guest.get("/tags/"))
    assert first.index(">b <") < first.index(">a <")
    assert ">c <" not in first
    after = first.split("?after=")[1].split('"')[0]
    second = text_of(guest.get(f"/tags/?after={after}"))
    assert ">c <" in second
    assert ">a <" not in second


def test_a_thread_page_names_its_tags_and_its_kind(guest, mo, group):
    thread = make_thread(mo, group)
    set_tags(thread=thread, names=["light meters"], by=mo)
    page = text_of(guest.get(thread.get_absolute_url()))
    assert 'href="/g/film-cameras/?tag=light-meters">light meters</a>' in page
