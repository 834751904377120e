"""Letters that come in: whose they are, what is posted, and what hostile ones do: nothing."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable
from email.message import EmailMessage
from itertools import islice
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from PIL import Image as Pillow

from community.groups.models import Group
from community.groups.services import leave_group
from community.members.models import Member
from community.notifications import inbound
from community.notifications.compose import message_id
from community.notifications.delivery import send_due
from community.notifications.inbound import Letter, Unreadable, read
from community.notifications.models import Channel, InboundEmail
from community.notifications.quoted import written
from community.notifications.tokens import ReplyMark, read_reply_address, reply_address
from community.threads.models import Post, Thread
from community.threads.services import lock_thread
from tests.community.markup_corpus import payloads
from tests.factories import join, make_post, make_thread
from tests.outbox import run_outbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_earned")]

SECRET = {"Authorization": "Bearer not-a-secret-inbound"}
Deliver = Callable[..., int]


@pytest.fixture
def post(bo: Member, thread: Thread) -> Post:
    """What ada answers."""
    return make_post(bo, thread)


def where(member: Member, post: Post) -> str:
    return reply_address(ReplyMark(member_id=member.pk, post_id=post.pk))


def mime(
    to: str, body: str = "It is clean.", *, sender: str = "Ada <ada@shoal.example>", **headers: str
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to
    message["Subject"] = "Re: [Film cameras] Is the Optra R2 still worth it?"
    message["Message-ID"] = "<one@mail.example>"
    for name, value in headers.items():
        del message[name.replace("_", "-")]
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


def postmark(to: str, body: str = "It is clean.", **more: Any) -> dict[str, Any]:
    return {
        "From": "ada@shoal.example",
        "To": to,
        "OriginalRecipient": to,
        "Subject": "Re: Is it",
        "MessageID": "11111111-2222-3333-4444-555555555555",
        "TextBody": body,
        "HtmlBody": "",
        "Headers": [{"Name": "Message-ID", "Value": "<one@mail.example>"}],
        "Attachments": [],
        **more,
    }


def hand_in(letter: EmailMessage | dict[str, Any] | bytes, **headers: str) -> int:
    """Give a letter to the endpoint as a provider does, let the worker run, return the status."""
    if isinstance(letter, dict):
        raw, kind = json.dumps(letter).encode(), "application/json"
    else:
        raw = letter if isinstance(letter, bytes) else letter.as_bytes()
        kind = "message/rfc822"
    client = Client(enforce_csrf_checks=True)
    response = client.generic(
        "POST", "/inbound-mail/", raw, content_type=kind, headers={**SECRET, **headers}
    )
    run_outbox()
    return response.status_code


def refused() -> str:
    row = InboundEmail.objects.get()
    assert (row.state, row.raw) == ("refused", None)
    return row.reason


def replies(thread: Thread) -> list[str]:
    return list(
        thread.posts.filter(author__handle="ada", number__gt=1).values_list("body", flat=True)
    )


# -- posted -----------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [mime, postmark])
def test_an_answer_becomes_a_reply_to_the_post_it_answers(
    ada: Member, post: Post, write: Callable[..., Any]
):
    assert hand_in(write(where(ada, post))) == 202
    reply = post.thread.posts.get(author=ada, number__gt=1)
    assert (reply.body, reply.reply_to) == ("It is clean.", post)
    row = InboundEmail.objects.get()
    assert (row.state, row.post, row.raw) == ("posted", reply, None)


def test_an_address_in_capitals_works_too(ada: Member, post: Post):
    assert hand_in(mime(where(ada, post).upper(), sender="ADA@Shoal.example")) == 202
    assert replies(post.thread) == ["It is clean."]


@pytest.mark.parametrize("times", [2, 3])
def test_the_same_letter_again_is_one_post(ada: Member, post: Post, times: int):
    statuses = [hand_in(mime(where(ada, post))) for _ in range(times)]
    assert statuses == [202, *[200] * (times - 1)]
    assert replies(post.thread) == ["It is clean."]


def test_a_worker_that_runs_twice_posts_once(ada: Member, post: Post):
    hand_in(mime(where(ada, post)))
    InboundEmail.objects.update(state="due", raw=mime(where(ada, post)).as_bytes())
    from community.events import LetterReceived
    from community.notifications.replies import post_letter

    post_letter(LetterReceived(inbound_email_id=InboundEmail.objects.get().pk))
    assert replies(post.thread) == ["It is clean."]


QUOTED = [
    "It is clean.\n\nOn Sun, 22 Nov 2026 at 12:00, Bo via\nShoal <hello@shoal.example> wrote:\n\nY",
    "It is clean.\n\n在 2026年11月22日，Bo <hello@shoal.example> 写道：\n> Yes, if",
    "It is clean.\n\nLe dim. 22 nov. 2026 à 12:00, Bo <hello@shoal.example> a écrit :\n\n> Yes",
    "It is clean.\n\nOn Sun, 22 Nov 2026 at 12:00, Bo Lind via Shoal <hello@shoal.example> "
    "wrote:\n\n> Yes, if the patch is clean.\n> More.",
    "It is clean.\n\n> Yes, if the patch is clean.",
    "It is clean.\n\n-- \nAda Quist\nQuist Ltd",
    "It is clean.\n\nSent from my iPhone",
    "It is clean.\n\n-----Original Message-----\nFrom: Bo Lind\nSent: Sunday\n\nYes, if",
    "It is clean.\n\nAm 22.11.2026 um 12:00 schrieb Bo Lind <hello@shoal.example>:\n> Yes, if",
    "It is clean.\n\nFrom: Bo <hello@shoal.example>\nReply to: reply+"
    + "a" * 42
    + "@shoal.example\nYes, if",
]


@pytest.mark.parametrize("text", QUOTED)
def test_only_what_the_sender_wrote_is_posted(ada: Member, post: Post, text: str):
    hand_in(mime(where(ada, post), text))
    assert replies(post.thread) == ["It is clean."]


def test_lists_and_days_are_no_signatures_and_no_quotations():
    said = "- one\n- two\n\nOn Monday I went out.\nFrom: there I saw it.\n\nHe wrote: no."
    assert written(said) == said
    assert written(f"{said}\nOn Sun, 22 Nov 2026, Bo wrote:\n> Yes") == said


def test_a_letter_without_plain_text_is_read_from_its_html(ada: Member, post: Post):
    letter = mime(where(ada, post))
    letter.set_content(
        "<html><head><style>p{}</style></head><body><p>It is &amp; stays clean.</p>"
        "<p>Second.<br>Third.</p><blockquote>Yes, if</blockquote></body></html>",
        subtype="html",
    )
    hand_in(letter)
    assert replies(post.thread) == ["It is & stays clean.\nSecond.\nThird."]


def picture(side: int = 400) -> bytes:
    drawn = io.BytesIO()
    Pillow.effect_noise((side, side), 90).convert("RGB").save(drawn, "JPEG")
    return drawn.getvalue()


def test_pictures_of_a_letter_stand_under_its_words(ada: Member, post: Post):
    letter = mime(where(ada, post))
    letter.add_attachment(picture(), maintype="image", subtype="jpeg", filename="patch.jpg")
    letter.add_attachment(picture(20), maintype="image", subtype="jpeg", filename="logo.jpg")
    letter.add_attachment(b"x" * 9000, maintype="image", subtype="png", filename="none.png")
    letter.add_attachment(b"MZ" * 9000, maintype="application", subtype="exe", filename="a.exe")
    hand_in(letter)
    reply = post.thread.posts.get(author=ada, number__gt=1)
    image = reply.images.get()  # not the mark of a signature, nor what is no picture
    assert reply.body == f"It is clean.\n\n![](image:{image.pk})"
    assert (image.owner, image.group) == (ada, post.thread.group)


def test_pictures_in_json_are_taken_too(ada: Member, post: Post):
    content = base64.b64encode(picture()).decode()
    attached = [{"Name": "a.jpg", "ContentType": "image/jpeg", "Content": content}]
    hand_in(postmark(where(ada, post), Attachments=attached))
    assert post.thread.posts.get(author=ada, number__gt=1).images.count() == 1


# -- refused ----------------------------------------------------------------------------------


def test_only_the_member_whom_the_letter_was_for_may_answer_it(ada: Member, bo: Member, post: Post):
    hand_in(mime(where(ada, post), sender="bo@shoal.example"))
    assert refused() == "not sent by the member it was for"
    assert replies(post.thread) == []
    assert send_due(Channel.EMAIL) == 0  # nobody is answered: who knows who wrote it


AUTOMATIC = [
    {"Auto_Submitted": "auto-replied"},
    {"Auto_Submitted": "auto-generated; owner-email=x"},
    {"Precedence": "bulk"},
    {"Precedence": "auto_reply"},
    {"X_Autoreply": "yes"},
    {"X_Autorespond": "1"},
    {"Return_Path": "<>"},
    {"List_Id": "<list.example>"},
    {"X_Shoal": "notification"},
]


@pytest.mark.parametrize("headers", AUTOMATIC, ids=lambda one: next(iter(one)))
def test_what_a_machine_wrote_is_neither_posted_nor_answered(
    ada: Member, post: Post, headers: dict[str, str]
):
    hand_in(mime(where(ada, post), "I am on holiday.", **headers))
    assert refused() == "written by a machine"
    assert replies(post.thread) == []
    assert mail.outbox == []


@pytest.mark.parametrize("sender", ["mailer-daemon@mail.example", "noreply@shop.example", "<>"])
def test_machines_have_addresses(ada: Member, post: Post, sender: str):
    hand_in(mime(where(ada, post), sender=sender))
    assert refused() == "written by a machine"


def test_our_own_letter_is_not_posted(ada: Member, post: Post):
    hand_in(mime(where(ada, post), Message_ID=message_id("post", 7, ada)))
    assert refused() == "our own letter"


def answers_round_the_ring(ada: Member, post: Post, *, guarded: bool) -> int:
    """Let ada's mailbox answer everything it gets, by itself, five times; count what is posted."""
    for number in range(5):
        headers = {"Auto_Submitted": "auto-replied"} if guarded else {}
        hand_in(
            mime(where(ada, post), "I am away.", Message_ID=f"<{number}@mail.example>", **headers)
        )
    return len(replies(post.thread))


def test_a_mailbox_that_answers_by_itself_begins_no_loop_and_its_bad_twin_does(
    ada: Member, post: Post
):
    assert answers_round_the_ring(ada, post, guarded=True) == 0
    InboundEmail.objects.all().delete()
    assert answers_round_the_ring(ada, post, guarded=False) == 5


def test_a_forged_or_old_address_is_nobodys(ada: Member, post: Post):
    good = where(ada, post)
    local, _, host = good.partition("@")
    swapped = local[:-1] + ("a" if local[-1] != "a" else "b")
    assert read_reply_address(good) == ReplyMark(ada.pk, post.pk)
    assert read_reply_address(f"{swapped}@{host}") is None
    assert read_reply_address(f"{local}@evil.example") is None
    assert read_reply_address(good, now=time.time() + 91 * 86_400) is None
    hand_in(mime(f"{swapped}@{host}"))
    assert refused() == "no address of ours, or one too old"


def test_a_locked_thread_takes_no_letter_and_says_so_once_a_day(
    ada: Member, mo: Member, post: Post
):
    lock_thread(thread=post.thread, by=mo, reason="Asked and answered")
    for number in range(3):
        hand_in(mime(where(ada, post), Message_ID=f"<{number}@mail.example>"))
    assert InboundEmail.objects.filter(state="refused").count() == 3
    assert send_due(Channel.EMAIL) == 1
    told = mail.outbox[-1]
    assert told.to == ["ada@shoal.example"]
    assert "This thread was locked" in told.body
    assert told.extra_headers["In-Reply-To"] == "<0@mail.example>"
    assert told.extra_headers["Auto-Submitted"] == "auto-generated"


def test_who_left_a_hidden_group_posts_nothing_there_by_e_mail(
    ada: Member, bo: Member, hidden_group: Group
):
    join(bo, hidden_group)
    begun = make_thread(ada, hidden_group)
    address = where(bo, begun.posts.get(number=1))
    leave_group(member=bo, group=hidden_group)
    hand_in(mime(address, sender="bo@shoal.example"))
    assert refused() == "What you answered is no longer there."
    assert begun.posts.count() == 1


def test_a_hidden_post_takes_no_answer(ada: Member, mo: Member, post: Post):
    post.hide(by=mo, reason="Rude.", at=timezone.now())
    post.save()
    hand_in(mime(where(ada, post)))
    assert refused() == "What you answered is no longer there."


def test_an_account_that_is_closed_posts_nothing(ada: Member, post: Post):
    Member.objects.filter(pk=ada.pk).update(is_active=False)
    hand_in(mime(where(ada, post)))
    assert refused() == "not sent by the member it was for"


def test_nothing_but_a_quotation_is_no_reply(ada: Member, post: Post):
    hand_in(mime(where(ada, post), "> Yes, if the patch is clean."))
    assert refused() == "There was nothing above the quoted text."


# -- the endpoint -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Bearer not-a-secret-inbound", 202),
        ("Basic " + base64.b64encode(b"postmark:not-a-secret-inbound").decode(), 202),
        ("Bearer wrong", 401),
        ("Bearer ", 401),
        ("", 401),
        ("Basic !!!", 401),
        ("Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(), 401),
        ("Bearer é", 401),
    ],
)
def test_the_endpoint_wants_its_secret(ada: Member, post: Post, said: str, status: int):
    assert hand_in(mime(where(ada, post)), Authorization=said) == status


def test_without_a_secret_in_the_settings_there_is_no_endpoint(
    ada: Member, post: Post, settings: Any
):
    settings.INBOUND_SECRET = ""
    assert hand_in(mime(where(ada, post)), Authorization="Bearer ") == 404


def test_ten_megabytes_are_the_most(ada: Member, post: Post, settings: Any):
    settings.INBOUND_MAX_BYTES = 2_000
    assert hand_in(mime(where(ada, post), "word " * 1_000)) == 413
    assert not InboundEmail.objects.exists()


def test_another_type_or_method_is_refused(guest: Client):
    sent = guest.generic("POST", "/inbound-mail/", b"x", "text/html", headers=SECRET)
    assert sent.status_code == 415
    assert guest.get("/inbound-mail/", headers=SECRET).status_code == 405


# -- hostile letters --------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    head = b"From: ada@shoal.example\r\nMessage-ID: <deep@mail.example>\r\nMIME-Version: 1.0\r\n"
    body = b""
    for level in range(depth):
        body += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
    return head + body + b"Content-Type: text/plain\r\n\r\nhello\r\n"


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "noise": bytes(range(256)) * 40,
    "no headers": b"\r\n\r\nhello",
    "nested 30": nested(30),
    "nested 5,000": nested(5_000),
    "messages in messages": b"From: a@b.example\r\nContent-Type: message/rfc822\r\n\r\n" * 3_000,
    "a header of 2 MB": b"From: ada@shoal.example\r\nX-Long: " + b"a" * 2_000_000 + b"\r\n\r\nhi",
    "20,000 headers": b"From: a@b.example\r\n" + b"X: y\r\n" * 20_000 + b"\r\nhi",
    "parts without end": b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\n\r\nx\r\n" * 20_000,
    "a charset nobody knows": b"From: a@b.example\r\nContent-Type: text/plain; charset=x-evil\r\n"
    b"\r\nh\xe9llo",
    "a charset that is none": b"From: a@b.example\r\nContent-Type: text/plain; charset=rot13\r\n"
    b"\r\nhello",
    "a charset with NUL": b"From: a@b.example\r\nContent-Type: text/plain; charset=\x00\r\n\r\nhi",
    "broken base64": b"From: a@b.example\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!=a=b",
    "broken words in headers": b"From: =?utf-8?b?!!!?= <a@b.example>\r\n"
    b"Subject: =?x-evil?q?=FF?=\r\nMessage-ID: =?utf-8?q?=00?=\r\n\r\nhi",
    "brackets without end": b"From: " + b"<" * 50_000 + b"\r\nTo: " + b"(" * 50_000 + b"\r\n\r\nhi",
    "NUL everywhere": b"From: a\x00@b.example\r\nMessage-ID: <\x00>\r\n\r\n\x00\x00",
    "a file name of traps": b"From: a@b.example\r\nContent-Type: image/png; "
    b"name*=utf-8''%FF%00..%2F\r\n\r\n" + b"x" * 5_000,
    "quotation marks": b"From: a@b.example\r\nMessage-ID: <q@x>\r\n\r\n" + b"> " * 40_000,
    "a wall of dashes": b"From: a@b.example\r\nMessage-ID: <d@x>\r\n\r\n" + b"-_" * 40_000,
    "a wall of breaks": b"From: a@b.example\r\nMessage-ID: <n@x>\r\n\r\n" + b"\n\t \n" * 20_000,
    "300,000 lines in 100 multiparts": nested(100) + b"x\n" * 300_000,
    "a boundary among semicolons": b'From: a@b.example\r\nContent-Type: multipart/mixed; a="'
    + b";" * 200_000
    + b"\r\n\r\nhi",
    "punycode": b"From: a@b.example\r\nContent-Type: text/plain; charset=punycode\r\n\r\n-"
    + b"ab9" * 100_000,
    "HTML 3,000 deep": b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 30_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_letter_is_refused_and_breaks_nothing(name: str):
    began = time.monotonic()
    assert hand_in(HOSTILE[name]) in ((415,) if not HOSTILE[name] else (202, 422))
    assert time.monotonic() - began < 8
    assert set(InboundEmail.objects.values_list("state", flat=True)) <= {"refused"}


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"[]", b"null", b"{", b'"x"', b"[" * 100_000, b'{"a":' * 50_000),
        *(b'{"Headers": 5}', b'{"Headers": [5]}', b'{"Headers": [{"Name": 1}]}'),
        *(b'{"From": 5, "TextBody": [], "Attachments": [{}]}', b'{"ToFull": [1]}'),
        b'{"From": "a@b.example", "MessageID": "\\u0000", "TextBody": "\\ud800"}',
        b'{"Attachments": [{"ContentType": "image/png", "Content": 7}]}',
    ],
)
def test_hostile_json_is_refused_and_breaks_nothing(raw: bytes):
    client = Client()
    response = client.generic(
        "POST", "/inbound-mail/", raw, content_type="application/json", headers=SECRET
    )
    run_outbox()
    assert response.status_code in ((202, 422) if raw else (415,))
    assert set(InboundEmail.objects.values_list("state", flat=True)) <= {"refused"}


@pytest.mark.parametrize("name", ["nested 5,000", "noise"])
def test_reading_says_unreadable_and_a_bad_twin_raises_something_else(name: str):
    with pytest.raises(Unreadable):
        read(HOSTILE[name], "mime")
    with pytest.raises(Exception) as raised:
        inbound._from_mime(HOSTILE[name])
    assert raised.type is not AssertionError


def test_what_postgresql_cannot_hold_is_left_out_of_a_letter(ada: Member, post: Post):
    head = f"From: ada@shoal.example\r\nTo: {where(ada, post)}\r\n".encode()
    text = b"Content-Type: text/plain; charset=utf-7\r\n\r\nhalf +2AA- of a pair, +AAA-NUL"
    hand_in(head + b"Message-ID: <half@mail.example>\r\n" + text)
    assert replies(post.thread)[-1] == "half  of a pair, NUL"


def test_a_refused_letter_with_nul_in_its_subject_is_answered(ada: Member, mo: Member, post: Post):
    lock_thread(thread=post.thread, by=mo, reason="All is said.")
    head = f"From: ada@shoal.example\r\nTo: {where(ada, post)}\r\n".encode()
    named = b"Subject: =?utf-8?q?a=00b?=\r\nMessage-ID: <nul@mail.example>\r\n"
    hand_in(head + named + b"\r\nhello")
    assert InboundEmail.objects.get().state == "refused"
    send_due(Channel.EMAIL)
    assert mail.outbox[-1].subject == "Not posted: ab"


def test_what_a_letter_says_is_cleaned_as_any_post_is(ada: Member, post: Post):
    hostile = [one.replace("\x00", "") for one in islice(payloads(), 300)]
    hand_in(mime(where(ada, post), "Look:\n\n" + "\n\n".join(hostile)[:20_000]))
    html = post.thread.posts.get(author=ada, number__gt=1).html.lower()
    body = post.thread.posts.get(author=ada, number__gt=1).body.lower()
    for sign in ("<script", "<iframe", "<svg", "<style"):
        assert sign not in html
    assert "<script" in body  # the bad twin: shown as it came, it would run


def test_a_wall_of_text_is_cut_where_posts_end(ada: Member, post: Post):
    hand_in(mime(where(ada, post), "word " * 30_000))
    assert "at most 50,000" in refused()


def test_words_are_found_in_bounded_time():
    walls = [
        "> ",
        "-",
        "On ",
        "On x\n",
        "\n",
        "a\n_",
        "From:",
        "On\n wrote",
        "-- ",
        " \t",
        "schrieb x ",
    ]
    for wall in walls:
        began = time.monotonic()
        written(wall * (100_000 // len(wall)))
        assert time.monotonic() - began < 1, wall


def test_a_letter_without_a_name_is_known_by_its_sum():
    one, two = (
        read(b"From: a@b.example\r\n\r\nhi", "mime"),
        read(b"From: a@b.example\r\n\r\nho", "mime"),
    )
    assert one.message_id.startswith("<sha256-")
    assert one.message_id != two.message_id
    assert isinstance(one, Letter)
