"""Importing Reddit: submissions and comments, a record a line, as Pushshift wrote them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from community.groups.models import Group
from community.importing import dumps
from community.importing.engine import Into
from community.importing.reddit import Reddit
from community.importing.spool import Bad
from community.members.models import Member
from community.threads.models import Post, Thread
from tests.community.importing import bring, bring_twice, ensure_counters_are_right
from tests.factories import make_member

pytestmark = pytest.mark.django_db

NOON = 1_500_000_000  # 14 July 2017, 02:40 UTC


def submission(id_: str, title: str, selftext: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "name": f"t3_{id_}",
        "title": title,
        "selftext": selftext,
        "author": "Tin_Man",
        "author_created_utc": NOON - 1000,
        "created_utc": NOON,
        "is_self": True,
        "url": f"https://www.reddit.com/r/Beans/comments/{id_}/x/",
        "subreddit": "Beans",
        "subreddit_type": "public",
        "score": 5,
        "removed_by_category": None,
        **more,
    }


def comment(id_: str, parent: str, body: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "link_id": "t3_aaa1",
        "parent_id": parent,
        "author": "bean-fan",
        "body": body,
        # Older dumps have it as a text.
        "created_utc": str(NOON + int(id_, 36) % 1000),
        "subreddit": "Beans",
        "score": -2,
        **more,
    }


RECORDS = [
    submission(
        "aaa1",
        "Beans &amp; tins",
        "I **like** tins &gt; bags. Thanks u/bean-fan and /u/stranger, not @ada.\n\n    @ada = 1",
    ),
    submission(
        "aaa2", "A link", is_self=False, url="https://x.example/?a=1&amp;b=2", author="[deleted]"
    ),
    submission("aaa3", "Gone, with answers", "[removed]"),
    submission("aaa4", "Gone, alone", "[deleted]", author="[deleted]"),
    submission("aaa5", "Taken down", "Spam!", removed_by_category="moderator"),
]
COMMENTS = [
    comment("c3", "t1_c2", "Deeper."),
    comment("c2", "t1_c1", "[deleted]", author="[deleted]"),
    comment(
        "c1",
        "t3_aaa1",
        "See [it](/r/Beans/comments/aaa2/a_link/) or https://old.reddit.com/r/Beans/comments/aaa1/x/c3/.",
    ),
    comment("c4", "t3_aaa3", "Pity.", link_id="t3_aaa3", author="[deleted]"),
    comment("c5", "t3_zzz", "Whose?", link_id="t3_zzz"),
]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    folder = tmp_path / "beans"
    folder.mkdir()
    for name, records in (("r_beans_comments.jsonl", COMMENTS), ("r_beans_posts.jsonl", RECORDS)):
        text = "".join(json.dumps(record) + "\n" for record in records)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def owner(db: None) -> Member:
    make_member("ada")
    return make_member("keeper")


def test_a_subreddit_becomes_a_group_with_its_talk(dump: Path, owner: Member):
    counts = bring(Reddit(dump), Into(owner=owner))
    assert (counts.groups, counts.threads, counts.comments, counts.members) == (1, 3, 3, 3)
    # Two deleted for good, one removed that has an answer, one comment; one comment's thread.
    assert (counts.passed_over, counts.orphans, counts.bad, counts.votes_left) == (4, 1, 0, 25)
    group = Group.objects.get(slug="beans")
    assert group.name == "Beans"
    assert sorted(group.threads.values_list("title", flat=True)) == [
        "A link",
        "Beans & tins",
        "Gone, with answers",
    ]
    thread = group.threads.get(title="Beans & tins")
    assert thread.created_at == datetime(2017, 7, 14, 2, 40, tzinfo=UTC)
    assert [post.body for post in thread.posts.filter(number=3)] == ["Deeper."]
    author = thread.author
    assert (author.name, author.handle) == ("Tin_Man", "tin-man")
    assert author.joined_at == datetime(2017, 7, 14, 2, 23, 20, tzinfo=UTC)
    ensure_counters_are_right()


def test_who_left_and_what_was_removed_have_no_name(dump: Path, owner: Member):
    bring(Reddit(dump), Into(owner=owner))
    gone = Thread.objects.get(title="Gone, with answers")
    assert [(post.author.name, post.body) for post in gone.posts.order_by("number")] == [
        ("Former member", "*(This post had no text.)*"),
        ("Former member", "Pity."),
    ]
    assert not Post.objects.filter(body__contains="Spam").exists()
    assert Member.objects.filter(name="Former member").count() == 1


def test_a_comment_answers_what_the_deleted_one_between_answered(dump: Path, owner: Member):
    bring(Reddit(dump), Into(owner=owner))
    deeper, first = Post.objects.get(body="Deeper."), Post.objects.get(body__startswith="See")
    assert deeper.reply_to == first
    assert first.reply_to is not None
    assert first.reply_to.is_opening


def test_links_and_names_lead_to_ours(dump: Path, owner: Member):
    bring(Reddit(dump), Into(owner=owner))
    opening = Post.objects.get(thread__title="Beans & tins", number=1)
    link = Post.objects.get(thread__title="A link")
    assert opening.body == (
        "I **like** tins > bags. Thanks @bean-fan and"
        " [u/stranger](https://www.reddit.com/user/stranger), not @\u2060ada.\n\n    @ada = 1"
    )
    assert link.body == "<https://x.example/?a=1&b=2>"
    deeper = Post.objects.get(body="Deeper.")
    first = Post.objects.get(body__startswith="See")
    assert first.body == (
        f"See [it](/p/{link.pk}/) or"
        f" [https://old.reddit.com/r/Beans/comments/aaa1/x/c3/](/p/{deeper.pk}/)."
    )


def test_a_second_run_writes_nothing(dump: Path, owner: Member):
    assert bring_twice(Reddit(dump), Into(owner=owner)).known == 6


def test_all_goes_into_one_group_when_one_is_named(dump: Path, group: Group):
    counts = bring(Reddit(dump), group)
    assert (counts.groups, counts.threads) == (0, 3)
    assert group.threads.count() == 3


def test_a_private_subreddit_stays_private(tmp_path: Path, group: Group, owner: Member):
    path = tmp_path / "RS_2017-07"
    path.write_text(json.dumps(submission("aaa1", "Psst", "x", subreddit_type="private")))
    bad: list[Bad] = []
    assert bring(Reddit(path), group, bad).threads == 0
    assert "private there" in bad[0].reason
    bring(Reddit(path), Into(owner=owner))
    assert Group.objects.get(slug="beans").is_hidden_from_outsiders


def test_bad_lines_are_listed_and_the_rest_comes_in(
    dump: Path, group: Group, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dumps, "LINE_MAX_CHARS", 5_000)
    lines = [
        json.dumps(submission("bbb1", "Good", "x")),
        "{",
        "[" * 4_000,
        "",
        json.dumps(submission("bbb2", "Huge", "y" * 12_000)),
        json.dumps(submission("b b", "No id")),
        json.dumps(submission("bbb3", "When?", created_utc="NaN")),
        json.dumps(submission("bbb4", "Later", created_utc=NOON * 100)),
        '"text"',
        '{"id": "bbb5"}',
        json.dumps(submission("bbb6", "Also good", "\ud800\x00", score="9" * 400)),
        '{"id": "bbb7", "title": "x", "score": ' + "9" * 4_900,
    ]
    path = dump / "more.ndjson"
    path.write_text("\n".join(lines), encoding="utf-8")
    bad: list[Bad] = []
    counts = bring(Reddit(path), group, bad)
    assert [(each.place, each.id) for each in bad] == [
        ("more.ndjson line 2", ""),
        ("more.ndjson line 3", ""),
        ("more.ndjson line 5", ""),
        ("more.ndjson line 6", "b b"),
        ("more.ndjson line 7", "bbb3"),
        ("more.ndjson line 8", "bbb4"),
        ("more.ndjson line 9", ""),
        ("more.ndjson line 10", "bbb5"),
        ("more.ndjson line 12", ""),
    ]
    assert (counts.threads, counts.bad) == (2, 9)


def test_a_text_longer_than_ours_may_be_is_cut_and_says_so(tmp_path: Path, group: Group):
    path = tmp_path / "long"
    path.write_text(json.dumps(submission("aaa1", "Long", "word " * 12_000)), encoding="utf-8")
    assert bring(Reddit(path), group).threads == 1
    body = Post.objects.get().body
    assert len(body) <= 50_000
    assert body.endswith("word\n\n*(The original is longer.)*")


def test_the_command_counts_and_refuses(dump: Path, group: Group, tmp_path: Path, capsys):
    call_command("import_reddit", str(dump), "--group", group.slug)
    assert "comments  3" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no group 'nowhere'"):
        call_command("import_reddit", str(dump), "--group", "nowhere")
    with pytest.raises(CommandError, match="is no folder or file"):
        call_command("import_reddit", str(tmp_path / "none"), "--group", group.slug)
