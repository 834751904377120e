"""Importing Discourse: topics, pages of posts and categories as its API gives them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from community.groups.models import Group, JoinMode
from community.importing.discourse import Discourse
from community.importing.dumps import markdown
from community.importing.engine import Into
from community.importing.spool import Bad
from community.members.models import Member, TrustLevel
from community.polls.models import Poll
from community.threads.editing import edit_post
from community.threads.models import Post, Thread
from community.threads.services import unlock_thread
from tests.community.importing import bring, bring_twice, ensure_counters_are_right
from tests.factories import make_group, make_member, owner_of

pytestmark = pytest.mark.django_db

BASE = "https://talk.example"


def said(number: int, cooked: str, *, username: str = "bob", **more: Any) -> dict[str, Any]:
    """A post as TopicViewSerializer gives it, of topic 7 unless said otherwise."""
    people = {"bob": (11, "Bob Lind"), "sam_b": (12, ""), "system": (-1, "system")}
    user_id, name = people[username]
    return {
        "id": 100 + number,
        "name": name,
        "username": username,
        "avatar_template": "/letter_avatar/bob/{size}.png",
        "created_at": f"2018-03-01T10:{number:02}:00.000Z",
        "cooked": cooked,
        "post_number": number,
        "post_type": 1,
        "updated_at": "2018-03-02T10:00:00.000Z",
        "reply_to_post_number": None,
        "topic_id": 7,
        "topic_slug": "which-grinder",
        "user_id": user_id,
        "hidden": False,
        "deleted_at": None,
        "user_deleted": False,
        "actions_summary": [{"id": 2, "count": 3}, {"id": 8, "count": 9}],
        **more,
    }


def topic(id_: int, title: str, *posts: dict[str, Any], **more: Any) -> dict[str, Any]:
    stream = {"posts": list(posts), "stream": [post["id"] for post in posts]}
    return {
        "post_stream": stream,
        "id": id_,
        "title": title,
        "archetype": "regular",
        "category_id": 4,
        "deleted_at": None,
        **more,
    }


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    folder = tmp_path / "talk"
    (folder / "t").mkdir(parents=True)

    def write(name: str, content: object) -> None:
        (folder / name).write_text(json.dumps(content), encoding="utf-8")

    write(
        "site.json",
        {
            "categories": [
                {"id": 4, "name": "Grinders", "description": "All <b>burrs</b>"},
                {"id": 5, "name": "Staff", "read_restricted": True, "parent_category_id": 4},
            ]
        },
    )
    write(
        "t/7.json",
        topic(
            7,
            "Which grinder & why?",
            said(1, '<p>Ask <a class="mention" href="/u/sam_b">@sam_b</a> or @nobody.</p>'),
            said(2, "<p>This one.</p>", username="sam_b"),
            said(3, "", username="system", post_type=3, action_code="closed.enabled"),
            said(4, "<p>(post deleted by author)</p>", user_deleted=True, reply_to_post_number=2),
            accepted_answer={"post_number": 2, "username": "sam_b"},
        ),
    )
    # The posts the first page leaves out, one of which it had.
    write(
        "t/7-posts.json",
        {
            "post_stream": {
                "posts": [
                    said(2, "<p>This one.</p>", username="sam_b"),
                    said(
                        5,
                        '<aside class="quote" data-username="sam_b" data-post="2" data-topic="7">'
                        '<div class="title">sam_b:</div><blockquote><p>This one.</p></blockquote>'
                        '</aside><p>See <a href="/t/other/8/1">there</a>,'
                        ' <a href="https://talk.example/t/other/8">again</a> and'
                        ' <a href="/t/gone/99">gone</a>.</p>',
                        reply_to_post_number="4",
                    ),
                ]
            },
            "id": 7,
        },
    )
    write(
        "t/8.json",
        topic(8, "Staff only", said(1, "<p>Hush.</p>", id=201, topic_id=8), category_id=5),
    )
    write(
        "t/9.json",
        topic(
            9, "A letter", said(1, "<p>Dear.</p>", id=301, topic_id=9), archetype="private_message"
        ),
    )
    write(
        "u-bob.json",
        {
            "user": {
                "id": 11,
                "username": "bob",
                "name": "Bob Lind",
                "created_at": "2017-01-01T00:00:00.000Z",
                "location": "Lund",
                "bio_cooked": "<p>Coffee.</p>",
            }
        },
    )
    return folder


def source(folder: Path) -> Discourse:
    return Discourse(folder, name="talk", hosts=["talk.example"])


@pytest.fixture
def owner(db: None) -> Member:
    return make_member("keeper")


def test_each_category_becomes_a_group_with_its_talk(dump: Path, owner: Member):
    counts = bring(source(dump), Into(owner=owner))
    assert (counts.groups, counts.threads, counts.replies, counts.members) == (2, 2, 2, 2)
    assert (counts.passed_over, counts.repeated, counts.votes_left, counts.bad) == (3, 1, 18, 0)
    group = Group.objects.get(slug="grinders")
    assert (group.name, group.about, group.join_mode) == ("Grinders", "All **burrs**", "open")
    thread = group.threads.get()
    assert thread.title == "Which grinder & why?"
    assert [post.number for post in thread.posts.order_by("number")] == [1, 2, 3]
    assert thread.created_at == datetime(2018, 3, 1, 10, 1, tzinfo=UTC)
    assert thread.last_post_at == datetime(2018, 3, 1, 10, 5, tzinfo=UTC)
    assert thread.answer == thread.posts.get(number=2)
    bob = Member.objects.get(handle="bob")
    assert (bob.name, bob.place, bob.bio) == ("Bob Lind", "Lund", "Coffee.")
    assert bob.joined_at == datetime(2017, 1, 1, tzinfo=UTC)
    assert Member.objects.get(handle="sam-b").name == "sam_b"
    ensure_counters_are_right()


def test_a_restricted_category_becomes_a_hidden_group(dump: Path, owner: Member, guest):
    bring(source(dump), Into(owner=owner))
    group = Group.objects.get(slug="staff")
    assert group.join_mode == JoinMode.HIDDEN
    assert guest.get(group.threads.get().get_absolute_url()).status_code == 404


def test_restricted_talk_never_goes_into_an_open_group(dump: Path, group: Group):
    bad: list[Bad] = []
    counts = bring(source(dump), group, bad)
    assert [str(each) for each in bad] == [
        "t/8.json post 1: 201: Staff is private there, and Film cameras is not hidden"
    ]
    assert counts.threads == 1
    assert bring(source(dump), make_group("cellar", join_mode=JoinMode.HIDDEN)).threads == 1


def test_a_category_nobody_told_of_is_hidden_until_somebody_looks(dump: Path, owner: Member):
    (dump / "site.json").unlink()
    bring(source(dump), Into(owner=owner))
    made = Group.objects.filter(memberships__member=owner)
    assert sorted(made.values_list("name", "join_mode")) == [
        ("talk 4", "hidden"),
        ("talk 5", "hidden"),
    ]


def test_a_reply_to_what_was_deleted_answers_what_that_answered(dump: Path, group: Group):
    bring(source(dump), group)
    reply = Post.objects.get(thread__title__startswith="Which", number=3)
    assert reply.reply_to == reply.thread.posts.get(number=2)


def test_links_quotes_and_mentions_lead_to_ours(dump: Path, owner: Member):
    bring(source(dump), Into(owner=owner))
    thread = Thread.objects.get(title__startswith="Which")
    hush = Post.objects.get(thread__title="Staff only")
    opening, answer, reply = thread.posts.order_by("number")
    assert opening.body == "Ask @sam-b or @\u2060nobody."
    assert 'class="mention"' in opening.html
    assert [named.member.handle for named in opening.mentions.all()] == ["sam-b"]
    assert thread.excerpt == "Ask @sam-b or @\u2060nobody."
    assert [quote.quoted for quote in reply.quotes.all()] == [answer]
    assert reply.body == (
        f"> [sam\\_b](/p/{answer.pk}/):\n>\n> This one.\n\nSee [there](/p/{hush.pk}/),"
        f" [again](/p/{hush.pk}/) and [gone](https://talk.example/t/gone/99)."
    )


def write_topic(folder: Path, id_: int, title: str, *posts: dict[str, Any], **more: Any) -> None:
    text = json.dumps(topic(id_, title, *posts, **more))
    (folder / f"t/{id_}.json").write_text(text, encoding="utf-8")


def test_a_closed_topic_is_locked_until_somebody_opens_it_here(dump: Path, group: Group):
    write_topic(dump, 20, "Closed", said(1, "<p>Done.</p>", id=2001, topic_id=20), closed=True)
    write_topic(dump, 21, "Kept", said(1, "<p>Old.</p>", id=2101, topic_id=21), archived=True)
    assert bring_twice(source(dump), group).closed == 0
    assert list(Thread.objects.filter(locked_at=None).values_list("title", flat=True)) == [
        "Which grinder & why?"
    ]
    thread = Thread.objects.get(title="Closed")
    assert thread.lock_reason == "It was closed where it came from."
    assert (thread.locked_by, thread.locked_at) == (owner_of(group), thread.last_post_at)
    unlock_thread(thread=thread, by=owner_of(group))
    assert bring(source(dump), group).closed == 0
    thread.refresh_from_db()
    assert not thread.is_locked


POLL = {
    "name": "poll",
    "type": "regular",
    "status": "open",
    "title": "Which <b>burr</b>?",
    "voters": 9,
    "options": [
        {"id": "a", "html": "Flat &amp; wide", "votes": 7},
        {"id": "b", "html": "Conical", "votes": 2},
    ],
}
POLL_HTML = '<p>Say:</p><div class="poll" data-poll-name="poll"><ul><li>Flat</li></ul></div>'


def test_a_poll_comes_as_it_ended_and_takes_no_more_votes(dump: Path, group: Group, as_ada):
    asked = said(1, POLL_HTML, id=2201, topic_id=22, polls=[POLL])
    many = said(2, POLL_HTML, id=2202, topic_id=22, polls=[{**POLL, "type": "multiple", "max": 2}])
    write_topic(dump, 22, "A vote", asked, many)
    assert bring_twice(source(dump), group).polls == 0
    first, second = Poll.objects.order_by("pk")
    assert (first.question, first.choices_max, first.voter_count) == ("Which burr?", 1, 9)
    assert list(first.options.values_list("text", "votes")) == [("Flat & wide", 7), ("Conical", 2)]
    assert second.choices_max == 2
    assert not Poll.objects.open().exists()
    assert first.post.body == "Say:"
    page = as_ada.get(first.post.thread.get_absolute_url()).content.decode()
    assert "Flat &amp; wide" in page and "9 voters" in page


def test_a_poll_of_one_answer_is_listed_and_several_under_a_post_stay_words(
    dump: Path, group: Group
):
    one = said(1, POLL_HTML, id=2301, topic_id=23, polls=[{**POLL, "options": [{"html": "A"}]}])
    two = said(2, POLL_HTML, id=2302, topic_id=23, polls=[POLL, POLL])
    write_topic(dump, 23, "Votes", one, two)
    bad: list[Bad] = []
    bring(source(dump), group, bad)
    assert "its poll has fewer than two answers" in [each.reason for each in bad]
    assert not Poll.objects.exists()
    assert Post.objects.get(thread__title="Votes", number=2).body == "Say:\n\n- Flat"


def test_files_beside_a_post_are_listed_and_their_links_stay(dump: Path, group: Group):
    cooked = '<p><a class="attachment" href="/uploads/x/1.pdf">Manual &amp; more.pdf</a> (2 MB)</p>'
    write_topic(dump, 24, "Files", said(1, cooked, id=2401, topic_id=24))
    bad: list[Bad] = []
    counts = bring(source(dump), group, bad)
    assert (counts.attachments_left, counts.bad) == (1, 1)
    assert [str(each) for each in bad if "file" in each.reason] == [
        "t/24.json post 1: 2401: the file 'Manual & more.pdf' is not in the dump:"
        " it stays where it is"
    ]
    body = Post.objects.get(thread__title="Files").body
    assert body == "[Manual & more.pdf](https://talk.example/uploads/x/1.pdf) (2 MB)"


def test_authors_get_the_level_that_what_they_wrote_earns(dump: Path, group: Group):
    """Sam wrote below seven posts in each of five topics: 35 read, for 20 seconds each."""
    for id_ in range(30, 35):
        posts = [
            said(number, "<p>Hm.</p>", id=id_ * 100 + number, topic_id=id_)
            for number in range(1, 8)
        ]
        last = said(8, "<p>So.</p>", id=id_ * 100 + 8, topic_id=id_, username="sam_b")
        write_topic(dump, id_, f"Talk {id_}", *posts, last)
    assert bring_twice(source(dump), group).known > 0
    levels = dict(Member.objects.values_list("handle", "trust_level"))
    assert (levels["sam-b"], levels["bob"]) == (TrustLevel.BASIC, TrustLevel.NEW)


def test_a_second_run_writes_nothing(dump: Path, owner: Member):
    assert bring_twice(source(dump), Into(owner=owner)).known == 4


def test_a_later_page_adds_what_is_new(dump: Path, group: Group):
    bring(source(dump), group)
    late = {"post_stream": {"posts": [said(6, "<p>Late.</p>")]}, "id": 7}
    only = dump.parent / "late.json"
    only.write_text(json.dumps(late), encoding="utf-8")
    counts = bring(source(only), group)
    assert (counts.threads, counts.replies) == (0, 1)
    assert Thread.objects.get(title__startswith="Which").reply_count == 3
    ensure_counters_are_right()


def test_a_link_to_what_comes_later_leads_there_once_it_is_here(dump: Path, group: Group):
    bring(source(dump), group)
    reply = Post.objects.get(thread__title__startswith="Which", number=3)
    assert "[gone](https://talk.example/t/gone/99)" in reply.body
    late = topic(99, "Gone no more", said(1, "<p>Here.</p>", id=901, topic_id=99))
    (dump / "t/99.json").write_text(json.dumps(late), encoding="utf-8")
    version = reply.thread.version
    counts = bring(source(dump), group)
    assert (counts.threads, counts.relinked) == (1, 1)
    here = Post.objects.get(thread__title="Gone no more")
    reply.refresh_from_db()
    assert f"[gone](/p/{here.pk}/)" in reply.body
    assert f'href="/p/{here.pk}/"' in reply.html
    reply.thread.refresh_from_db()
    assert reply.thread.version == version + 1


def test_what_a_member_edited_here_is_left_alone(dump: Path, group: Group):
    bring(source(dump), group)
    reply = Post.objects.get(thread__title__startswith="Which", number=3)
    edit_post(post=reply, editor=reply.author, body="Mine: https://talk.example/t/7")
    assert bring(source(dump), group).relinked == 0
    reply.refresh_from_db()
    assert reply.body == "Mine: https://talk.example/t/7"


def test_bad_files_and_posts_are_listed_and_the_rest_comes_in(dump: Path, group: Group):
    (dump / "t/0-deep.json").write_text("[" * 200_000, encoding="utf-8")
    (dump / "t/1-cut.json").write_text('{"post_stream":', encoding="utf-8")
    (dump / "t/2-other.json").write_text("{}", encoding="utf-8")
    nested = "<b>" * 5_000 + "x"
    posts = [
        said(1, "<p>Fine.</p>", id=401, topic_id=10),
        said(2, nested, id=402, topic_id=10),
        said(3, "<p>No date.</p>", id=403, topic_id=10, created_at="soon"),
        said(4, "<p>No number.</p>", id=404, topic_id=10, post_number=None),
        said(5, "<p>\x00 and \ud800</p>", id=405, topic_id=10),
    ]
    (dump / "t/3.json").write_text(json.dumps(topic(10, "Mixed", *posts)), encoding="utf-8")
    bad: list[Bad] = []
    counts = bring(source(dump), group, bad)
    listed = [str(each) for each in bad]
    assert listed[0] == "t/0-deep.json: no id: it is nested too deep"
    assert listed[1].startswith("t/1-cut.json: no id: not JSON: ")
    assert listed[2:5] == [
        "t/2-other.json: no id: neither a topic, nor posts, categories or a user",
        "t/3.json post 3: 403: 'soon' is no date and time",
        "t/3.json post : 404: it lacks an id, a number or a topic",
    ]
    assert listed[-1] == "t/3.json post 2: 402: it is nested too deep"
    assert counts.bad == len(listed) == 7
    assert Post.objects.filter(thread__title="Mixed").count() == 2
    ensure_counters_are_right()


def test_the_command_lists_counts_and_refuses(dump: Path, owner: Member, tmp_path: Path, capsys):
    (dump / "t/2-other.json").write_text("{}", encoding="utf-8")
    listed = tmp_path / "bad.txt"
    call_command("import_discourse", str(dump), "--owner", "keeper", "--bad", str(listed))
    out = capsys.readouterr().out
    assert "threads  2" in out
    line = "t/2-other.json: no id: neither a topic, nor posts, categories or a user"
    assert f"passed over: {line}" in out
    assert listed.read_text(encoding="utf-8") == f"{line}\n"
    with pytest.raises(CommandError, match="Name a --group"):
        call_command("import_discourse", str(dump))
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="no JSON files"):
        call_command("import_discourse", str(tmp_path / "empty"), "--owner", "keeper")


# -- pure -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cooked", "becomes"),
    [
        (
            '<p><a class="lightbox" href="/uploads/a.png" title="a"><img src="/s.png" alt="A cup">'
            '<div class="meta"><span class="filename">a</span></div></a></p>',
            "[A cup](https://talk.example/uploads/a.png)",
        ),
        (
            '<p><img src="//cdn.example/x (1).png" alt=""></p>',
            "[x (1).png](https://cdn.example/x%20%281%29.png)",
        ),
        ('<p>Hi <img class="emoji" src="/e.png" alt=":wave:"></p>', "Hi :wave:"),
        (
            '<aside class="onebox" data-onebox-src="https://x.example/a"><article>words</article>'
            "</aside>",
            "<https://x.example/a>",
        ),
        ("<pre><code>@ada = 1</code></pre>", "```\n@ada = 1\n```"),
        ("<p>Mail a@b.example, ask @ada</p>", "Mail a@b.example, ask @\u2060ada"),
        ('<p onclick="x()">a<script>b</script></p>', "a"),
    ],
)
def test_cooked_text_becomes_markdown(cooked: str, becomes: str):
    assert markdown(cooked, base=BASE) == becomes
