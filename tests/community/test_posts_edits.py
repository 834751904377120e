"""Editing a post: free for a moment, then with a revision and a reason; wikis; mentions, quotes."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from community.members.models import Member, TrustLevel
from community.threads.editing import edit_post, rerender_post, set_wiki
from community.threads.errors import MayNotEdit, MayNotMakeWiki, NotAMember, ThreadLocked
from community.threads.markup import MARKUP_VERSION, render
from community.threads.models import Post, PostMention, PostQuote, Thread
from community.threads.services import lock_thread, publish_post
from config.models import OutboxEvent
from tests.factories import join, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db


def text_of(response) -> str:
    return str(response.content.decode())


def trusted(member: Member, level: TrustLevel) -> Member:
    member.trust_level = level
    member.save(update_fields=["trust_level"])
    return member


def written_ago(post: Post, seconds: float) -> Post:
    Post.objects.filter(pk=post.pk).update(created_at=timezone.now() - timedelta(seconds=seconds))
    post.refresh_from_db()
    return post


# -- the free minutes -------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "revisions"), [(0, 0), (290, 0), (310, 1)])
def test_an_author_changes_a_new_post_for_five_minutes_without_a_trace(
    ada, thread, seconds, revisions
):
    post = written_ago(thread.posts.get(), seconds)
    post = edit_post(post=post, editor=ada, body="Prices have tripled.")
    assert post.body == "Prices have tripled."
    assert post.revisions.count() == revisions
    assert (post.edited_at is not None) == bool(revisions)


def test_a_second_edit_within_five_minutes_belongs_to_the_first(ada, thread):
    post = written_ago(thread.posts.get(), 3600)
    before = post.body
    with time_machine.travel(timezone.now(), tick=False) as now:
        for words, minutes in (("One", 4), ("Two", 2), ("Three", 0)):
            post = edit_post(post=post, editor=ada, body=words)
            now.shift(timedelta(minutes=minutes))
        assert [one.body for one in post.revisions.all()] == [before, "Two"]
    assert post.body == "Three"


def test_a_moderators_edit_is_never_free_nor_is_the_authors_after_it(ada, mo, thread):
    post = thread.posts.get()
    edit_post(post=post, editor=mo, body="By mo")
    edit_post(post=post, editor=ada, body="By ada")
    assert [one.replaced_by for one in post.revisions.all()] == [mo, ada]


def test_who_gives_a_reason_leaves_a_revision_at_once(ada, thread):
    post = thread.posts.get()
    post = edit_post(post=post, editor=ada, body="New", reason="  Wrong\nprice ")
    assert [(one.number, one.reason) for one in post.revisions.all()] == [(1, "Wrong price")]
    assert post.edited_at is not None


def test_how_long_edits_are_free_is_a_setting(settings, ada, thread):
    settings.EDIT_GRACE_SECONDS = 0
    post = edit_post(post=thread.posts.get(), editor=ada, body="New")
    assert post.revisions.count() == 1


def test_a_free_edit_is_announced_like_any_other(ada, thread):
    post = edit_post(post=thread.posts.get(), editor=ada, body="New")
    assert OutboxEvent.objects.filter(kind="community.PostEdited").exists()
    thread.refresh_from_db()
    assert (thread.version, thread.excerpt, post.html) == (2, "New", "<p>New</p>\n")


# -- the reason on pages ----------------------------------------------------------------------


def test_everybody_reads_who_changed_what_and_why(guest, as_mo, mo, thread):
    post = thread.posts.get()
    address = reverse("edit_post", args=[post.pk])
    assert 'name="reason"' in text_of(as_mo.get(address))
    form = {"body": "Prices have tripled.", "based_on": "0", "reason": "<b>Figures</b>"}
    assert as_mo.post(address, form).status_code == 302
    page = text_of(guest.get(reverse("revisions", args=[post.pk])))
    assert "Why: &lt;b&gt;Figures&lt;/b&gt;" in page
    assert 'href="/members/mo/">Mo Adler</a>' in page
    assert ">nearly doubled" in page
    assert ">tripled" in page


def test_a_refused_edit_keeps_the_reason(as_mo, thread):
    post = thread.posts.get()
    form = {"body": "", "based_on": "0", "reason": "Figures"}
    response = as_mo.post(reverse("edit_post", args=[post.pk]), form)
    assert response.status_code == 422
    assert 'value="Figures"' in text_of(response)


# -- wikis ------------------------------------------------------------------------------------


def test_a_wiki_is_every_members_to_edit_but_the_newest(ada, bo, cy, mo, thread):
    post = thread.posts.get()
    set_wiki(post=post, by=mo, is_wiki=True)
    with pytest.raises(MayNotEdit):
        edit_post(post=post, editor=trusted(bo, TrustLevel.NEW), body="By bo")
    with pytest.raises(NotAMember):
        edit_post(post=post, editor=trusted(cy, TrustLevel.LEADER), body="By cy")
    post = edit_post(post=post, editor=trusted(bo, TrustLevel.BASIC), body="By bo")
    assert (post.body, post.revisions.get().replaced_by) == ("By bo", bo)
    lock_thread(thread=thread, by=mo, reason="Done.")
    with pytest.raises(ThreadLocked):
        edit_post(post=post, editor=bo, body="Again")


def test_once_closed_a_wiki_is_its_authors_again(ada, bo, mo, thread):
    trusted(bo, TrustLevel.MEMBER)
    post = set_wiki(post=thread.posts.get(), by=mo, is_wiki=True)
    post = set_wiki(post=post, by=mo, is_wiki=False)
    with pytest.raises(MayNotEdit):
        edit_post(post=post, editor=bo, body="By bo")


@pytest.mark.parametrize(("level", "may"), [(2, False), (3, True), (4, True)])
def test_authors_make_wikis_when_they_are_trusted(ada, bo, thread, level, may):
    post = thread.posts.get()
    trusted(ada, TrustLevel(level))
    if may:
        assert set_wiki(post=post, by=ada, is_wiki=True).is_wiki
    else:
        with pytest.raises(MayNotMakeWiki):
            set_wiki(post=post, by=ada, is_wiki=True)
    with pytest.raises(MayNotMakeWiki):
        set_wiki(post=post, by=trusted(bo, TrustLevel.LEADER), is_wiki=True)


def test_a_wiki_says_so_and_its_menu_offers_editing(guest, as_mo, as_bo, bo, thread):
    post = thread.posts.get()
    trusted(bo, TrustLevel.BASIC)
    menu, wiki = reverse("post_menu", args=[post.pk]), reverse("wiki", args=[post.pk])
    edit = f'href="/p/{post.pk}/edit/"'
    assert edit not in text_of(as_bo.get(menu))
    assert as_bo.post(wiki).status_code == 403
    assert guest.post(wiki).status_code == 302
    assert as_mo.post(wiki)["Location"] == f"{thread.get_absolute_url()}#p1"
    assert "Wiki</span>" in text_of(guest.get(thread.get_absolute_url()))
    assert edit in text_of(as_bo.get(menu))
    as_mo.post(wiki, {"_method": "delete"})
    assert "Wiki</span>" not in text_of(guest.get(thread.get_absolute_url()))


# -- mentions and quotes ----------------------------------------------------------------------


def named(post: Post) -> tuple[list[str], list[int]]:
    return (
        sorted(PostMention.objects.filter(post=post).values_list("member__handle", flat=True)),
        sorted(PostQuote.objects.filter(post=post).values_list("quoted", flat=True)),
    )


def test_what_a_post_names_is_kept_and_follows_its_edits(ada, bo, mo, thread):
    opening = thread.posts.get()
    other = make_post(ada, thread, "The patch is clean.")
    body = f"> [Ada](/p/{other.pk}/): The patch is clean.\n\nReally, @ada? Ask @mo, @mo or @nobody."
    post = publish_post(author=bo, thread=thread, body=body)
    assert named(post) == (["ada", "mo"], [other.pk])
    kept = PostMention.objects.get(post=post, member=mo).pk
    edit_post(post=post, editor=bo, body=f"> [A](/p/{opening.pk}/):\n> Hm.\n\nSo, @mo?")
    assert named(post) == (["mo"], [opening.pk])
    assert PostMention.objects.get(post=post).pk == kept
    edit_post(post=post, editor=bo, body="Never mind.")
    assert named(post) == ([], [])


def test_nobody_mentions_themselves_nor_those_named_in_a_quote(ada, bo, mo, thread):
    other = make_post(ada, thread, "Ask @mo.")
    post = publish_post(
        author=bo, thread=thread, body=f"> [Ada](/p/{other.pk}/): Ask @mo.\n\nI am @bo."
    )
    assert named(post) == ([], [other.pk])


def test_quotes_lead_to_posts_their_writer_may_read(ada, bo, thread, hidden_group):
    secret = make_post(ada, make_thread(ada, hidden_group), "Below the stairs.")
    lines = "\n\n".join(f"> [X](/p/{pk}/): y" for pk in (secret.pk, 999_999_999, 10**17))
    assert named(publish_post(author=bo, thread=thread, body=lines)) == ([], [])
    assert named(publish_post(author=ada, thread=thread, body=lines)) == ([], [secret.pk])


def test_old_posts_get_their_rows_when_they_are_rendered_again(ada, bo, thread):
    post = make_post(bo, thread, "Look, @ada.")
    PostMention.objects.all().delete()
    rerender_post(post.pk)
    assert named(post) == (["ada"], [])
    Post.objects.filter(pk=post.pk).update(markup_version=1)
    call_command("rerender_posts")
    post.refresh_from_db()
    assert (post.markup_version, post.revisions.count()) == (MARKUP_VERSION, 0)


@pytest.mark.parametrize(
    ("source", "quotes", "is_quote"),
    [
        ("> [Ivo](/p/12/): words", (12,), True),
        ("> [Ivo](/p/12/):\n> words", (12,), True),
        ("> [Ivo](/p/12/):\n>\n> words", (12,), True),
        ("> [Ivo](/posts/12):\n> words", (12,), True),
        ("> [Ivo](/p/12/) words", (), False),
        ("> words [Ivo](/p/12/):", (), False),
        ("> [Ivo](https://elsewhere.example/p/12/): words", (), False),
        ("> [Ivo](/p/12/edit/): words", (), False),
        ("> [Ivo](/p/0/): words", (), False),
        ("[Ivo](/p/12/): words", (), False),
        ("> - [Ivo](/p/12/): words", (), False),
        ("> [A](/p/1/): a\n> > [B](/p/2/): b\n\n> [C](/p/3/): c", (1, 3), True),
    ],
)
def test_a_quote_names_the_post_it_is_of_on_its_first_line(source, quotes, is_quote):
    rendered = render(source)
    assert rendered.quotes == quotes
    assert ('<blockquote class="quote">' in rendered.html) == is_quote


def test_a_quotes_link_is_the_permalink_whatever_was_typed():
    assert 'href="/p/12/"' in render("> [Ivo](/posts/12): words").html


def test_a_thousand_quotes_are_noted_fifty_times():
    source = "\n\n".join(f"> [x](/p/{number}/): y" for number in range(1, 1001))
    assert len(render(source).quotes) == 50


def test_a_post_that_names_nobody_asks_nothing_for_it(ada, thread, django_assert_max_num_queries):
    from community.threads.references import write_references

    post = thread.posts.get()
    with django_assert_max_num_queries(0):
        write_references(post, render("Plain words."), is_new=True)
    join(member := make_member("eva"), thread.group)
    with django_assert_max_num_queries(2):
        write_references(post, render("@eva", members=lambda _: {"eva": "/"}), is_new=True)
    assert PostMention.objects.get(post=post).member == member
    assert Thread.objects.get().pk == thread.pk
