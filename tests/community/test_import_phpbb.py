"""Importing phpBB: rows of a MySQL dump, BBCode as three versions of phpBB keep it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from community.groups.models import Group
from community.importing import bbcodes, sql
from community.importing.engine import Into
from community.importing.phpbb import PhpBB
from community.importing.spool import Bad, BadRecord
from community.members.models import Member
from community.polls.models import Poll
from community.threads.models import Post, Thread
from tests.community.importing import bring, bring_twice, ensure_counters_are_right
from tests.factories import make_member

pytestmark = pytest.mark.django_db

NOON = 1_300_000_000  # 13 March 2011, 07:06:40 UTC

DUMP = r"""
-- MySQL dump 10.13  Distrib 8.0.33
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS `phpbb_forums`;
CREATE TABLE `phpbb_forums` (
  `forum_id` mediumint unsigned NOT NULL AUTO_INCREMENT,
  `forum_name` varchar(255) NOT NULL DEFAULT 'a, b',
  `forum_desc` text NOT NULL,
  `forum_desc_uid` varchar(8) NOT NULL,
  `forum_password` varchar(255) NOT NULL,
  `size` decimal(10,2) NOT NULL,
  PRIMARY KEY (`forum_id`),
  KEY `left_right_id` (`forum_id`,`forum_name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
LOCK TABLES `phpbb_forums` WRITE;
INSERT INTO `phpbb_forums` VALUES (2,'Boats &amp; oars','All [b:1a2b3c4d]wood[/b:1a2b3c4d]','1a2b3c4d','',1.50),
(3,'Behind the door','','','$H$9xyz',0);
UNLOCK TABLES;
INSERT INTO `phpbb_config` VALUES ('x','it''s; (\'odd\'), \\');
INSERT INTO `phpbb_posts` (`post_id`, `topic_id`, `forum_id`, `poster_id`, `post_time`, `post_username`, `post_text`, `bbcode_uid`, `post_visibility`) VALUES
(21,10,2,54,1300000060,'','<r><QUOTE author=\"Wim O\'Hara\" post_id=\"20\" time=\"1300000000\" user_id=\"53\"><s>[quote=\"Wim O\'Hara\" post_id=20 time=1300000000 user_id=53]</s>Which <B><s>[b]</s>oar<e>[/b]</e></B>?<e>[/quote]</e></QUOTE>\nThis: <URL url=\"http://boats.example/viewtopic.php?f=2&amp;t=11\"><s>[url=http://boats.example/viewtopic.php?f=2&amp;t=11]</s>there<e>[/url]</e></URL> &lt;3</r>','',1),
(20,10,2,53,1300000000,'','<t>Which oar?<br/>\n@ada knows.</t>','',1), (22,10,2,1,1300000120,'Passer by','<t>Ash; \\ or &quot;beech&quot;</t>','',1),
(23,10,2,53,1300000180,'','<t>Hidden</t>','',2);
INSERT INTO phpbb_posts (post_id, topic_id, forum_id, poster_id, post_time, post_username, post_text, bbcode_uid, post_approved) VALUES ('24', '11', '2', '53', '1300000300', '', '[b:3vg7k2ny]Old[/b:3vg7k2ny] &amp; [url=./viewtopic.php?p=22#p22:3vg7k2ny]good[/url:3vg7k2ny] <!-- s:) --><img src=\"{SMILIES_PATH}/s.gif\" alt=\":)\" title=\"Smile\" /><!-- s:) -->\n[list:3vg7k2ny][*:3vg7k2ny]one[/*:m:3vg7k2ny][*:3vg7k2ny]two[/*:m:3vg7k2ny][/list:u:3vg7k2ny]', '3vg7k2ny', '1');
INSERT INTO phpbb_posts (post_id, topic_id, forum_id, poster_id, post_time, post_text) VALUES (25, 12, 3, 53, 1300000400, '<t>Secret</t>'), (26, 13, 2, 53, 1300000500, '<t>In a shadow</t>');
# phpBB Backup Script
INSERT INTO phpbb_topics (topic_id, forum_id, topic_title, topic_status, topic_visibility) VALUES (10, 2, 'Oars &amp; &quot;rowlocks&quot;', 0, 1), (11, 2, 'Older', 1, 1), (12, 3, 'Psst', 0, 1), (13, 2, 'Moved away', 2, 1);
INSERT IGNORE INTO `board`.`phpbb_users` (user_id, user_type, username, user_regdate, user_from, user_sig, user_email) VALUES
(1,2,'Anonymous',1200000000,'','','' ),(53,3,'Wim O\'Hara',1250000000,'Delft','<r><I><s>[i]</s>Row on<e>[/i]</e></I></r>','wim@private.example'),(54,0,'Søren',1250000001,NULL,'','s@private.example');
"""  # noqa: E501


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "boats.sql"
    path.write_text(DUMP, encoding="utf-8")
    return path


@pytest.fixture
def owner(db: None) -> Member:
    make_member("ada")
    return make_member("keeper")


def board(dump: Path) -> PhpBB:
    return PhpBB(dump, name="boats", hosts=["boats.example"])


def test_each_forum_becomes_a_group_with_its_talk(dump: Path, owner: Member):
    counts = bring(board(dump), Into(owner=owner))
    assert (counts.groups, counts.threads, counts.replies, counts.members) == (2, 3, 2, 3)
    assert (counts.passed_over, counts.orphans, counts.bad) == (2, 1, 0)
    group = Group.objects.get(slug="boats-oars")
    assert (group.name, group.about) == ("Boats & oars", "All **wood**")
    thread = group.threads.get(title='Oars & "rowlocks"')
    assert thread.created_at == datetime(2011, 3, 13, 7, 6, 40, tzinfo=UTC)
    assert [post.author.name for post in thread.posts.order_by("number")] == [
        "Wim O'Hara",
        "Søren",
        "Passer by",
    ]
    wim = Member.objects.get(handle="wim-o-hara")
    assert (wim.place, wim.bio) == ("Delft", "*Row on*")
    assert wim.joined_at == datetime(2009, 8, 11, 14, 13, 20, tzinfo=UTC)
    assert wim.email.endswith("@imported.invalid")
    ensure_counters_are_right()


MORE = r"""
INSERT INTO phpbb_poll_options (poll_option_id, topic_id, poll_option_text, poll_option_total) VALUES (2, 14, 'Beech', 3), (1, 14, 'Ash &amp; oak', 5);
INSERT INTO phpbb_topics (topic_id, forum_id, topic_title, topic_status, topic_visibility, poll_title, poll_max_options) VALUES (14, 2, 'Wood', 0, 1, 'Which wood?', 1);
INSERT INTO phpbb_posts (post_id, topic_id, forum_id, poster_id, post_time, post_text) VALUES (27, 14, 2, 53, 1300000600, '<t>Say.</t>');
INSERT INTO phpbb_attachments (attach_id, post_msg_id, topic_id, in_message, is_orphan, real_filename) VALUES (1, 27, 14, 0, 0, 'plan &amp; list.pdf'), (2, 9, 0, 1, 0, 'letter.pdf'), (3, 0, 0, 0, 1, 'lost.pdf');
"""  # noqa: E501


def test_polls_come_closed_locked_topics_locked_and_files_are_listed(dump: Path, owner: Member):
    dump.write_text(DUMP + MORE, encoding="utf-8")
    bad: list[Bad] = []
    counts = bring(board(dump), Into(owner=owner), bad)
    assert (counts.polls, counts.closed, counts.attachments_left, counts.bad) == (1, 1, 1, 0)
    poll = Poll.objects.get()
    assert (poll.post.thread.title, poll.question, poll.voter_count) == ("Wood", "Which wood?", 8)
    assert list(poll.options.values_list("text", "votes")) == [("Ash & oak", 5), ("Beech", 3)]
    assert poll.closed_at is not None
    assert list(Thread.objects.exclude(locked_at=None).values_list("title", flat=True)) == ["Older"]
    assert [each.reason for each in bad] == [
        "the file 'plan & list.pdf' is not in the dump: it stays where it is"
    ]
    assert bring_twice(board(dump), Into(owner=owner)).polls == 0


def test_a_forum_with_a_password_stays_closed(dump: Path, owner: Member, group: Group):
    bad: list[Bad] = []
    bring(board(dump), group, bad)
    assert [each.reason for each in bad] == [
        "Behind the door is private there, and Film cameras is not hidden"
    ]
    bring(PhpBB(dump, name="again"), Into(owner=owner))
    assert Thread.objects.get(title="Psst").group.is_hidden_from_outsiders


def test_texts_quotes_and_links_come_as_they_were_meant(dump: Path, owner: Member):
    bring(board(dump), Into(owner=owner))
    thread = Thread.objects.get(title__startswith="Oars")
    opening, quoting, last = thread.posts.order_by("number")
    older = Post.objects.get(thread__title="Older")
    assert opening.body == "Which oar?\\\n@\u2060ada knows."
    assert quoting.body == (
        f"> [Wim O'Hara](/p/{opening.pk}/):\n>\n> Which **oar**?\n\n"
        f"This: [there](/p/{older.pk}/) <3"
    )
    assert quoting.reply_to == opening
    assert [quote.quoted for quote in quoting.quotes.all()] == [opening]
    assert last.body == 'Ash; \\ or "beech"'
    assert older.body == f"**Old** & [good](/p/{last.pk}/) :)\n\n- one\n- two"


def test_a_second_run_writes_nothing(dump: Path, owner: Member):
    assert bring_twice(board(dump), Into(owner=owner)).known == 5


def test_bad_rows_are_listed_and_the_rest_comes_in(dump: Path, group: Group):
    more = (
        "INSERT INTO phpbb_posts (post_id, topic_id, post_time, post_text) VALUES\n"
        "(30,10,1300000600),\n(31,10,'soon','x'),\n(32,'a',1300000600,'x'),\n"
        f"(33,10,1300000600,'{'[b]' * 2_000}'),\n(34,10,1300000600,'fine'),\n"
        f"(35,10,1300000600,'{'[quote]' * 900}deep'),\n(36,10,1300000600,'cut"
    )
    dump.write_text(DUMP + more, encoding="utf-8")
    first = DUMP.count("\n") + 2
    bad: list[Bad] = []
    counts = bring(board(dump), group, bad)
    assert [str(each) for each in bad if "private" not in each.reason] == [
        f"boats.sql line {first}: phpbb_posts 30: 3 values for 4 columns",
        f"boats.sql line {first + 1}: phpbb_posts 31: 'soon' is no time",
        f"boats.sql line {first + 2}: phpbb_posts 32: its topic_id is no number",
        f"boats.sql line {first + 6}: phpbb_posts : the dump ends inside a statement",
        f"boats.sql line {first + 3}: 33: it has 2,000 tags on 1 lines",
    ]
    assert counts.bad == 6
    assert Post.objects.filter(body="fine").exists()


def test_the_command_knows_other_prefixes_and_refuses_other_files(
    dump: Path, group: Group, tmp_path: Path, capsys
):
    dump.write_text(DUMP.replace("phpbb_", "b3_"), encoding="utf-8")
    call_command("import_phpbb", str(dump), "--group", group.slug, "--prefix", "b3_")
    assert "threads  2" in capsys.readouterr().out
    with pytest.raises(CommandError, match="inserts nothing into phpbb_posts"):
        call_command("import_phpbb", str(dump), "--group", group.slug)


# -- pure -------------------------------------------------------------------------------------


def found(text: str) -> list[list[str | None]]:
    return [
        list(row.values.values()) for row in sql.rows(io.StringIO(text), {"t"}) if not row.fault
    ]


@pytest.mark.parametrize(
    ("values", "read"),
    [
        (r"'it\'s', 'it''s', 'a\\'", ["it's", "it's", "a\\"]),
        ('"x\'y", \'a"b\', "c""d"', ["x'y", 'a"b', 'c"d']),
        (r"'a\nb\tc\0\%', NULL, -1.5e3", ["a\nb\tc\0%", None, "-1.5e3"]),
        ("'a;b),(', _binary 'x', 0xC3A5", ["a;b),(", "x", "å"]),
        ("'-- no', '/* no */', '# no'", ["-- no", "/* no */", "# no"]),
        ("/* one */ 1, -- two\n 2, # three\n 3", ["1", "2", "3"]),
        ("CONCAT('a', 'b'), '', (1)", ["ab", "", "(1)"]),
    ],
)
def test_values_are_read_as_mysql_reads_them(values: str, read: list[str | None]):
    assert found(f"INSERT INTO t (a, b, c) VALUES ({values});") == [read]


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_a_dump_reads_the_same_in_any_chunks(chunk: int, monkeypatch: pytest.MonkeyPatch):
    tables = {"phpbb_posts", "phpbb_users", "phpbb_forums", "phpbb_topics"}
    whole = list(sql.rows(io.StringIO(DUMP), tables))
    assert len(whole) == 16
    monkeypatch.setattr(sql, "CHUNK_CHARS", chunk)
    monkeypatch.setattr(sql, "LONGEST_WORD", 50)
    assert list(sql.rows(io.StringIO(DUMP), tables)) == whole


def test_a_value_without_end_is_kept_in_part_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sql, "VALUE_MAX_CHARS", 1_000)
    text = f"INSERT INTO t (a) VALUES ('{'x' * 500_000}'), ('y');"
    rows = list(sql.rows(io.StringIO(text), {"t"}))
    assert [row.fault for row in rows] == ["a value is too long", ""]
    assert len(rows[0].values["a"] or "") < 300_000


def test_columns_nobody_named_are_a_fault():
    rows = list(sql.rows(io.StringIO("INSERT INTO t VALUES (1);INSERT INTO t SELECT 1;"), {"t"}))
    assert [row.fault for row in rows] == [
        "nothing says which columns there are",
        "an INSERT without VALUES",
    ]


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("[b]a[/b] [i]b[/i] [s]c[/s] [u]d[/u]", "**a** *b* ~~c~~ d"),
        ("[quote]a[/quote]b", "> a\n\nb"),
        ('[quote="Bo B"]a[/quote]', "> Bo B:\n>\n> a"),
        ("[img]http://x.example/a b.png[/img]", "[a b.png](http://x.example/a%20b.png)"),
        ("[code]if a < b:\n  [b]c[/b][/code]", "```\nif a < b:\n  [b]c[/b]\n```"),
        ("[size=200][color=#f00]big[/color][/size]", "big"),
        ("[url=javascript:alert(1)]x[/url]", ""),
        ("[email]a@b.example[/email]", "[a@b.example](mailto:a@b.example)"),
        ("<script>alert(1)</script> [1] [sic]", "<script>alert(1)</script> [1] [sic]"),
        ("[list=1][*]a[*]b[/list]", "1. a\n2. b"),
    ],
)
def test_bbcode_becomes_markdown(typed: str, becomes: str):
    assert bbcodes.markdown(typed, base="https://b.example") == becomes


def test_text_that_only_keeps_us_busy_is_refused():
    with pytest.raises(BadRecord, match="1,500 tags"):
        bbcodes.markdown("[b]" * 1_500)


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("<t>a &lt;b&gt;<br/>\nc</t>", "a <b>\nc"),
        ('<r>x <E>:)</E> <URL url="a">a</URL></r>', "x :) a"),
        ("a &lt;b&gt; &amp;amp;", "a <b> &amp;"),
        (
            '<!-- m --><a class="postlink" href="http://a.example/?x=1&amp;y">a</a><!-- m -->',
            "http://a.example/?x=1&y",
        ),
        (
            "[attachment=0:abcd1234]<!-- ia0 -->a.jpg<!-- ia0 -->[/attachment:abcd1234]",
            "[attachment=0]a.jpg[/attachment]",
        ),
    ],
)
def test_what_was_typed_is_found_again(stored: str, typed: str):
    assert bbcodes.source_of(stored, uid="abcd1234") == typed
