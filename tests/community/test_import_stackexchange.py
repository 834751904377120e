"""Importing a Stack Exchange dump: dates, authors, answers and links stay; twice is once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from django.core.management import CommandError, call_command

from community.groups.models import Group, JoinMode, Membership
from community.importing.addresses import absolute, relink
from community.importing.dumps import BrokenDump, handle_base, markdown, rows
from community.importing.engine import Counts
from community.importing.spool import Bad
from community.importing.stackexchange import StackExchange
from community.members.models import Member
from community.threads.models import Post, Thread, ThreadLink
from tests.community.importing import bring as bring_source
from tests.community.importing import bring_twice, ensure_counters_are_right
from tests.factories import make_group

pytestmark = pytest.mark.django_db


def write(path: Path, root: str, *found: dict[str, str]) -> None:
    lines = [
        "  <row " + " ".join(f"{name}={quoteattr(value)}" for name, value in row.items()) + " />"
        for row in found
    ]
    text = '\ufeff<?xml version="1.0" encoding="utf-8"?>\n'
    path.write_text(f"{text}<{root}>\n" + "\n".join(lines) + f"\n</{root}>\n", encoding="utf-8")


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Two questions; the answer stands before its question, as dumps may have it."""
    folder = tmp_path / "beans"
    folder.mkdir()
    write(
        folder / "Posts.xml",
        "posts",
        {
            "Id": "12",
            "PostTypeId": "2",
            "ParentId": "10",
            "CreationDate": "2016-01-02T10:00:00.000",
            "OwnerUserId": "2",
            "Body": '<p>See <a href="/questions/20/tins">this</a> and '
            '<a href="https://beans.example/a/12">here</a>.</p>',
        },
        {
            "Id": "10",
            "PostTypeId": "1",
            "CreationDate": "2016-01-01T10:00:00.500",
            "OwnerUserId": "1",
            "Title": "How do I store beans?",
            "Body": "<p>In a <strong>tin</strong>?</p><pre><code>a &lt; b</code></pre>"
            "<script>alert(1)</script>",
            "AcceptedAnswerId": "12",
        },
        {
            "Id": "20",
            "PostTypeId": "1",
            "CreationDate": "2016-02-01T10:00:00",
            "OwnerDisplayName": "Gone away",
            "Title": "Which tins?",
            "Body": "",
        },
        {"Id": "30", "PostTypeId": "5", "CreationDate": "2016-02-01T10:00:00"},
        {
            "Id": "31",
            "PostTypeId": "2",
            "ParentId": "999",
            "CreationDate": "2016-02-01T10:00:00",
        },
    )
    write(
        folder / "Users.xml",
        "users",
        {"Id": "-1", "DisplayName": "Community", "CreationDate": "2015-01-01T00:00:00"},
        {
            "Id": "1",
            "DisplayName": "Søren Ødegård",
            "CreationDate": "2015-05-05T00:00:00",
            "Location": "Bergen",
            "AboutMe": "<p>Beans.</p>",
        },
        {"Id": "2", "DisplayName": "Søren Ødegård", "CreationDate": "2015-06-05T00:00:00"},
    )
    write(
        folder / "Comments.xml",
        "comments",
        {
            "Id": "7",
            "PostId": "10",
            "Text": "How *much*?",
            "CreationDate": "2016-01-01T12:00:00",
            "UserId": "2",
        },
    )
    write(
        folder / "PostLinks.xml",
        "postlinks",
        {"Id": "1", "PostId": "12", "RelatedPostId": "20", "LinkTypeId": "1"},
        {"Id": "2", "PostId": "20", "RelatedPostId": "10", "LinkTypeId": "3"},
        {"Id": "3", "PostId": "20", "RelatedPostId": "77", "LinkTypeId": "1"},
    )
    return folder


def bring(folder: Path, group: Group, bad: list[Bad] | None = None) -> Counts:
    source = StackExchange(folder, name="beans", hosts=["beans.example"])
    return bring_source(source, group, bad)


def test_talk_comes_with_its_dates_authors_and_answers(dump: Path, group: Group):
    counts = bring(dump, group)
    assert (counts.threads, counts.replies, counts.comments, counts.members) == (2, 1, 1, 3)
    assert (counts.answers, counts.links, counts.orphans, counts.passed_over) == (1, 2, 2, 1)
    thread = Thread.objects.get(title="How do I store beans?")
    assert thread.created_at == datetime(2016, 1, 1, 10, 0, 0, 500_000, tzinfo=UTC)
    said = thread.posts.order_by("number")
    assert [(post.number, post.author.handle) for post in said] == [
        (1, "soren-odegard"),
        (2, said[1].author.handle),
        (3, said[1].author.handle),
    ]
    assert said[1].body == "How *much*?"
    assert said[1].reply_to == said[0]
    assert thread.answer == said[2]
    assert thread.last_post_at == datetime(2016, 1, 2, 10, tzinfo=UTC)
    second = said[1].author
    assert second.handle.startswith("soren-odegard-")
    assert second.name == "Søren Ødegård"
    assert not second.has_usable_password()
    ensure_counters_are_right()


def test_html_becomes_our_markup_and_nothing_runs(dump: Path, group: Group):
    bring(dump, group)
    post = Post.objects.get(thread__title="How do I store beans?", number=1)
    assert "**tin**" in post.body
    assert "<strong>tin</strong>" in post.html
    assert "a &lt; b" in post.html
    assert "alert" not in post.html
    assert Post.objects.get(thread__title="Which tins?").body == "*(This post had no text.)*"


def test_links_between_posts_lead_to_ours(dump: Path, group: Group):
    bring(dump, group)
    answer = Post.objects.get(body__startswith="See")
    tins = Post.objects.get(thread__title="Which tins?")
    assert answer.body == f"See [this](/p/{tins.pk}/) and [here](/p/{answer.pk}/)."
    assert f'href="/p/{tins.pk}/"' in answer.html
    links = ThreadLink.objects.values_list("from_thread__title", "to_thread__title", "kind")
    assert sorted(links) == [
        ("How do I store beans?", "Which tins?", "related"),
        ("Which tins?", "How do I store beans?", "duplicate"),
    ]


def test_a_second_run_changes_nothing(dump: Path, group: Group):
    assert bring_twice(StackExchange(dump, name="beans", hosts=["beans.example"]), group).known == 4


def test_a_newer_dump_adds_what_is_new(dump: Path, group: Group):
    bring(dump, group)
    text = (dump / "Posts.xml").read_text(encoding="utf-8")
    late = (
        '<row Id="40" PostTypeId="2" ParentId="20" CreationDate="2017-01-01T00:00:00"'
        ' OwnerUserId="1" Body="Steel."/></posts>'
    )
    (dump / "Posts.xml").write_text(text.replace("</posts>", late), encoding="utf-8")
    counts = bring(dump, group)
    assert (counts.replies, counts.known) == (1, 4)
    assert Thread.objects.get(title="Which tins?").reply_count == 1


def test_a_hidden_group_takes_its_authors_in(dump: Path):
    group = make_group("beans", join_mode=JoinMode.HIDDEN)
    bring(dump, group)
    group.refresh_from_db()
    assert group.member_count == Membership.objects.filter(group=group).count() == 4


def test_a_dump_without_users_still_has_authors(dump: Path, group: Group):
    (dump / "Users.xml").unlink()
    bring(dump, group)
    assert Member.objects.filter(name="Member 2", handle="member-2").exists()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: text.replace("</posts>", ""), r"Posts\.xml, line \d+, column \d+"),
        (
            lambda text: text.replace(
                "<posts>", '<!DOCTYPE posts [<!ENTITY a "aaaa">]><posts>'
            ).replace("Which tins?", "&a;"),
            "declares entities",
        ),
    ],
)
def test_a_broken_file_says_where(dump: Path, group: Group, spoil, says: str):
    path = dump / "Posts.xml"
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(CommandError, match=says):
        call_command("import_stackexchange", str(dump), "--group", group.slug)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (
            lambda text: text.replace(' CreationDate="2016-02-01T10:00:00"', "", 1),
            "Posts.xml row 3: 20: it has no CreationDate",
        ),
        (
            lambda text: text.replace("2016-02-01T10:00:00", "yesterday", 1),
            "Posts.xml row 3: 20: 'yesterday' is no date and time",
        ),
        (
            lambda text: text.replace("2016-02-01T10:00:00", "2999-01-01T00:00:00", 1),
            "Posts.xml row 3: 20: it is dated 2999-01-01, which is to come",
        ),
    ],
)
def test_a_bad_row_is_listed_and_the_rest_comes_in(dump: Path, group: Group, spoil, says: str):
    path = dump / "Posts.xml"
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    bad: list[Bad] = []
    counts = bring(dump, group, bad)
    assert [str(each) for each in bad] == [says]
    assert (counts.threads, counts.replies, counts.bad) == (1, 1, 1)


def test_what_came_before_a_broken_place_stays_and_is_not_brought_again(dump: Path, group: Group):
    whole = (dump / "PostLinks.xml").read_text(encoding="utf-8")
    (dump / "PostLinks.xml").unlink()
    bring(dump, group)
    (dump / "PostLinks.xml").write_text(whole.replace("</postlinks>", ""), encoding="utf-8")
    with pytest.raises(BrokenDump, match=r"PostLinks\.xml"):
        bring(dump, group)
    assert Thread.objects.count() == 2
    (dump / "PostLinks.xml").write_text(whole, encoding="utf-8")
    counts = bring(dump, group)
    assert (counts.threads, counts.known) == (0, 4)
    assert ThreadLink.objects.count() == 2


def test_the_command_counts_and_refuses_what_is_not_there(
    dump: Path, group: Group, tmp_path: Path, capsys
):
    call_command("import_stackexchange", str(dump), "--group", group.slug)
    assert "threads  2" in capsys.readouterr().out
    for folder, slug, says in (
        (dump, "nowhere", "no group 'nowhere'"),
        (tmp_path / "none", group.slug, "is no folder or file"),
        (tmp_path, group.slug, r"no Posts\.xml"),
    ):
        with pytest.raises(CommandError, match=says):
            call_command("import_stackexchange", str(folder), "--group", slug)


# -- pure -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        ("Adam Lear", "adam-lear"),
        ("Søren Ødegård", "soren-odegard"),
        ("李雷", "member"),
        ("  --x--  ", "x"),
        ("A very long display name indeed", "a-very-long-display"),
    ],
)
def test_handles_come_from_names(name: str, handle: str):
    assert handle_base(name) == handle


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/questions/5/how-so", "/p/5/"),
        ("https://a.example/q/5/77", "/p/5/"),
        ("http://a.example/a/5", "/p/5/"),
        ("https://a.example/questions/9/how/5#5", "/p/5/"),
        ("https://other.example/q/5", "https://other.example/q/5"),
        ("/questions/tagged/milk", "https://a.example/questions/tagged/milk"),
        ("/q/404", "https://a.example/q/404"),
        ("//a.example/q/5", "/p/5/"),
    ],
)
def test_addresses_of_the_old_site_become_ours(before: str, after: str):
    found = relink(
        absolute(f"[x]({before})", "https://a.example"),
        style="stackexchange",
        hosts={"a.example"},
        base="https://a.example",
        ours=lambda kind, id_: "/p/5/" if (kind, id_) == ("post", "5") else None,
    )
    assert found == f"[x]({after})"


def test_html_keeps_its_meaning_in_markdown():
    assert markdown("<h2>A</h2><ul><li>b</li></ul>") == "## A\n\n- b"
    assert markdown('<p><a href="https://x.example/">y</a></p>') == "[y](https://x.example/)"
    assert markdown("<p>one\nline</p>\n\n<p>two</p>") == "one line\n\ntwo"


def test_rows_are_read_one_at_a_time(tmp_path: Path):
    write(tmp_path / "Posts.xml", "posts", *({"Id": str(n)} for n in range(3)))
    assert [row["Id"] for row in rows(tmp_path / "Posts.xml")] == ["0", "1", "2"]
