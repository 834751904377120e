"""Letters that go out: when, to whom, once, and what is in them."""

from __future__ import annotations

import email
import re
import smtplib
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage as Parsed
from email.policy import default
from time import perf_counter
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.utils import timezone

from community.chat import here
from community.groups.models import Group, Role
from community.groups.services import leave_group, set_role
from community.members.models import Block, Member
from community.notifications import compose, delivery
from community.notifications.delivery import forget_lost, send_due
from community.notifications.models import (
    Channel,
    EmailWhen,
    Kind,
    Notification,
    Preferences,
    Sending,
)
from community.notifications.services import mark_all_read, notify, want
from community.notifications.tokens import Off, off_token, read_off_token, read_reply_address
from community.threads.following import follow
from community.threads.marks import Follow, FollowLevel
from community.threads.models import Post, Thread
from tests.factories import join, make_post, make_thread
from tests.outbox import run_outbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_earned")]

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = timedelta(minutes=3)


@pytest.fixture(autouse=True)
def nobody_here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(delivery, "is_here", lambda member_id: False)
    with time_machine.travel(NOON, tick=True):
        yield


def post_mail(after: timedelta = LATER) -> int:
    """Let the outbox run, then send what is due a little later."""
    run_outbox()
    with time_machine.travel(timezone.now() + after, tick=True):
        return send_due(Channel.EMAIL)


def letter(number: int = -1) -> Parsed:
    """A letter as a mail program would read it."""
    found = email.message_from_bytes(mail.outbox[number].message().as_bytes(), policy=default)
    assert isinstance(found, Parsed)
    return found


def dropped(member: Member) -> str:
    return Sending.objects.get(member=member, channel="email").why


# -- when -------------------------------------------------------------------------------------


def test_a_letter_waits_two_minutes_and_goes_once(ada: Member, bo: Member, thread: Thread):
    make_post(bo, thread)
    assert post_mail(timedelta(seconds=100)) == 0
    assert post_mail() == 1
    assert post_mail(timedelta(hours=1)) == 0
    assert [each.to for each in mail.outbox] == [["ada@shoal.example"]]


def test_what_is_read_meanwhile_is_not_sent(ada: Member, bo: Member, thread: Thread):
    make_post(bo, thread)
    run_outbox()
    mark_all_read(ada)
    assert post_mail() == 0
    assert dropped(ada) == "read meanwhile, or not to be read any more"


def test_a_letter_to_somebody_here_waits_till_they_are_gone(
    ada: Member, bo: Member, thread: Thread, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(delivery, "is_here", lambda member_id: member_id == ada.pk)
    make_post(bo, thread)
    assert post_mail() == 0
    monkeypatch.setattr(delivery, "is_here", lambda member_id: False)
    assert post_mail() == 0  # looked at again in ten minutes
    assert post_mail(timedelta(minutes=15)) == 1


def test_who_wants_letters_always_gets_them_also_when_here(
    ada: Member, bo: Member, thread: Thread, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(delivery, "is_here", lambda member_id: True)
    Preferences.objects.create(member=ada, email_when=EmailWhen.ALWAYS)
    make_post(bo, thread)
    assert post_mail() == 1


def test_who_wants_none_gets_none(ada: Member, bo: Member, thread: Thread):
    Preferences.objects.create(member=ada, email_when=EmailWhen.NEVER)
    make_post(bo, thread)
    assert post_mail() == 0


def test_a_page_open_in_a_browser_is_a_member_here(ada: Member):
    here._noted.clear()
    assert not here.is_here(ada.pk)
    here.note_here(ada.pk)
    assert here.is_here(ada.pk)


def test_quiet_hours_hold_a_letter_till_they_end_by_the_members_clock(
    ada: Member, bo: Member, thread: Thread
):
    Member.objects.filter(pk=ada.pk).update(time_zone="Asia/Tokyo")  # noon in UTC is 21:00 there
    Preferences.objects.create(member=ada, quiet_from=time(21), quiet_until=time(7))
    make_post(bo, thread)
    assert post_mail() == 0
    assert Sending.objects.get(member=ada).due_at == datetime(2026, 11, 22, 22, tzinfo=UTC)
    with time_machine.travel(datetime(2026, 11, 22, 22, 0, 1, tzinfo=UTC)):
        assert send_due(Channel.EMAIL) == 1


# -- to whom ----------------------------------------------------------------------------------


def cut_off(name: str, ada: Member, bo: Member, post: Post) -> None:
    """Take from ada what let her be told, after she was told and before the letter goes."""
    if name == "left":
        set_role(group=post.thread.group, member=ada, role=Role.OWNER, by=ada)
        set_role(group=post.thread.group, member=bo, role=Role.OWNER, by=ada)
        leave_group(member=ada, group=post.thread.group)
    elif name == "hidden":
        post.hide(by=bo, reason="Rude.", at=timezone.now())
        post.save()
    elif name == "blocked":
        Block.objects.create(by=ada, of=bo, kind="block")
    elif name == "muted":
        follow(member=ada, what=post.thread, level=FollowLevel.MUTED)
    elif name == "unwanted":
        want(ada, Kind.REPLY, Channel.EMAIL, False)
    elif name == "closed":
        Member.objects.filter(pk=ada.pk).update(is_active=False)
    elif name == "unconfirmed":
        EmailAddress.objects.filter(user=ada).update(verified=False)


@pytest.mark.parametrize(
    "name",
    ["nothing", "left", "hidden", "blocked", "muted", "unwanted", "closed", "unconfirmed"],
)
def test_rights_and_wishes_are_asked_again_when_a_letter_is_sent(
    ada: Member, bo: Member, hidden_group: Group, name: str
):
    join(bo, hidden_group)
    post = make_post(bo, make_thread(ada, hidden_group))
    run_outbox()
    assert Sending.objects.filter(member=ada, channel="email").count() == 1
    cut_off(name, ada, bo, post)
    assert post_mail() == (1 if name == "nothing" else 0)


# -- once -------------------------------------------------------------------------------------


class Killed(BaseException):
    """A worker's end: nothing after it runs."""


class DyingMailer(EmailBackend):
    """Sends, and dies before anybody can write it down."""

    def send_messages(self, messages: Any) -> int:
        super().send_messages(messages)
        raise Killed


def test_a_worker_that_dies_while_it_sends_never_makes_a_second_letter(
    ada: Member, bo: Member, thread: Thread, settings: Any
):
    make_post(bo, thread)
    run_outbox()
    theirs = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.DyingMailer"
    with pytest.raises(Killed):
        post_mail()
    settings.EMAIL_BACKEND = theirs
    assert len(mail.outbox) == 1
    assert post_mail() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=20)):
        assert forget_lost(Channel.EMAIL) == 1
        assert send_due(Channel.EMAIL) == 0
    assert len(mail.outbox) == 1
    assert dropped(ada) == "its worker ended while it was being sent"


def test_a_bad_twin_that_writes_down_after_it_sent_makes_two(
    ada: Member, bo: Member, thread: Thread, settings: Any
):
    make_post(bo, thread)
    run_outbox()
    settings.EMAIL_BACKEND = f"{__name__}.DyingMailer"

    def send_then_claim() -> None:
        for sending in Sending.objects.filter(state="due"):
            message = delivery._message(sending, timezone.now())
            assert not isinstance(message, delivery.PushMessage)
            message.send()
            sending.state = "sent"
            sending.save()

    for _ in range(2):
        with pytest.raises(Killed):
            send_then_claim()
    assert len(mail.outbox) == 2


@pytest.mark.django_db(transaction=True)
def test_workers_at_the_same_time_send_each_letter_once(
    ada: Member, bo: Member, thread: Thread, monkeypatch: pytest.MonkeyPatch
):
    for number in range(8):
        notify(member=ada, kind=Kind.DECISION, key=f"decision:{number}")
    errors: list[BaseException] = []
    Sending.objects.update(due_at=timezone.now() - LATER)

    def work() -> None:
        try:
            send_due(Channel.EMAIL)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert errors == []
    assert len(mail.outbox) == 8
    assert len({each.extra_headers["Message-ID"] for each in mail.outbox}) == 8


def failing(error: Exception) -> Callable[..., int]:
    def send(self: object, messages: object) -> int:
        raise error

    return send


@pytest.mark.parametrize(
    ("error", "state", "later"),
    [
        (smtplib.SMTPDataError(451, b"try later"), "due", 1),
        (smtplib.SMTPDataError(550, b"spam"), "dropped", 0),
        (smtplib.SMTPRecipientsRefused({"ada@shoal.example": (450, b"full")}), "due", 1),
        (smtplib.SMTPRecipientsRefused({"ada@shoal.example": (550, b"who")}), "dropped", 0),
        (smtplib.SMTPSenderRefused(550, b"not you", "us"), "due", 1),
        # Nobody knows whether it went: not again.
        (smtplib.SMTPServerDisconnected("gone"), "dropped", 0),
        (TimeoutError(), "dropped", 0),
    ],
)
def test_what_is_refused_for_now_is_tried_again_and_what_is_unknown_is_not(
    ada: Member,
    bo: Member,
    thread: Thread,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    state: str,
    later: int,
):
    make_post(bo, thread)
    run_outbox()
    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", failing(error))
        assert post_mail() == 0
    assert Sending.objects.get().state == state
    assert post_mail(timedelta(minutes=10)) == later


def test_a_server_that_stays_away_is_given_up_after_six_tries(
    ada: Member, bo: Member, thread: Thread, monkeypatch: pytest.MonkeyPatch
):
    make_post(bo, thread)
    run_outbox()
    monkeypatch.setattr(EmailBackend, "open", failing_open)
    for hours in range(1, 8):
        post_mail(timedelta(hours=8 * hours))
    row = Sending.objects.get()
    assert (row.state, row.tries) == ("dropped", 6)
    assert row.why == "given up: no mail server: ConnectionRefusedError"


def failing_open(self: object) -> bool:
    raise ConnectionRefusedError


# -- what is in it ----------------------------------------------------------------------------


def test_a_letter_says_what_happened_in_text_and_in_html(ada: Member, bo: Member, thread: Thread):
    make_post(bo, thread, "Yes, **if** [the patch](/g/film-cameras/) is clean.")
    post_mail()
    got = letter()
    assert got["Subject"] == "Re: [Film cameras] Is the Optra R2 still worth it?"
    assert got["From"] == "Bo Lind via Shoal <hello@shoal.example>"
    plain = got.get_body(("plain",))
    page = got.get_body(("html",))
    assert plain is not None and page is not None
    words = plain.get_content()
    assert words.startswith(
        "Bo Lind replied to you in “Is the Optra R2 still worth it?”\n\nYes, **if**"
    )
    assert "Mute this thread: http://localhost:8000/mail/off/" in words
    html = page.get_content()
    assert "<strong>if</strong>" in html
    assert 'href="http://localhost:8000/g/film-cameras/"' in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "prefers-color-scheme: dark" in html
    assert re.search(r'<div class="paper" style="background: #ffffff', html)
    assert "<table" not in html and "<img" not in html and "<script" not in html


def test_letters_of_one_thread_hang_together(ada: Member, bo: Member, mo: Member, thread: Thread):
    follow(member=ada, what=thread, level=FollowLevel.WATCHING)
    want(ada, Kind.WATCHED, Channel.EMAIL, True)
    first = make_post(bo, thread)
    make_post(mo, thread, reply_to=first)
    post_mail()
    one, two = (letter(n) for n, each in enumerate(mail.outbox) if each.to == [ada.email])
    root = f"<thread-{thread.pk}.{ada.pk}@localhost>"
    assert one["Message-ID"] == f"<post-{first.pk}.{ada.pk}@localhost>"
    assert (one["In-Reply-To"], one["References"]) == (root, root)
    assert two["In-Reply-To"] == one["Message-ID"]
    assert two["References"] == f"{root} {one['Message-ID']}"
    assert one["Subject"] == two["Subject"]


def test_a_letter_knows_where_an_answer_goes(ada: Member, bo: Member, thread: Thread):
    post = make_post(bo, thread)
    post_mail()
    mark = read_reply_address(letter()["Reply-To"])
    assert mark is not None
    assert (mark.member_id, mark.post_id) == (ada.pk, post.pk)
    assert len(letter()["Reply-To"].partition("@")[0]) <= 64


def test_a_letter_speaks_the_language_of_its_member(ada: Member, bo: Member, thread: Thread):
    from django.utils import translation

    Member.objects.filter(pk=ada.pk).update(language="zh-hans")
    spoken: list[str | None] = []
    make_post(bo, thread)
    run_outbox()
    original = compose.of_notification

    def listen(*args: Any) -> Any:
        spoken.append(translation.get_language())
        return original(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compose, "of_notification", listen)
        post_mail()
    assert spoken == ["zh-hans"]
    page = letter().get_body(("html",))
    assert page is not None and '<html lang="zh-Hans">' in page.get_content()


def test_a_line_break_in_a_title_or_name_adds_no_header(ada: Member, bo: Member, thread: Thread):
    Member.objects.filter(pk=bo.pk).update(name="Bo\r\nBcc: all@evil.example")
    Thread.objects.filter(pk=thread.pk).update(title="Hello\nX-Evil: yes")
    make_post(bo, thread)
    post_mail()
    assert letter()["Bcc"] is None
    assert letter()["X-Evil"] is None


def test_what_somebody_wrote_is_words_in_a_letter_too(ada: Member, bo: Member, thread: Thread):
    make_post(bo, thread, '<script>alert(1)</script> <img src=x onerror="alert(1)">')
    post_mail()
    page = letter().get_body(("html",))
    assert page is not None
    assert "<script" not in page.get_content() and "<img" not in page.get_content()


# -- switching off ----------------------------------------------------------------------------


def test_a_wall_of_picture_marks_is_written_in_bounded_time():
    for wall in ("![", "![](image:", "![a](image: ", "![]("):
        began = perf_counter()
        compose._post_text(Post(body=wall * (50_000 // len(wall))))
        assert perf_counter() - began < 2, wall
    assert compose._post_text(Post(body="So: ![a lens](image:1-2).")) == "So: [a lens]."


def test_a_letter_that_cannot_be_written_keeps_none_from_leaving(
    ada: Member, bo: Member, mo: Member, thread: Thread, monkeypatch: pytest.MonkeyPatch
):
    make_post(bo, thread, "The first.")
    make_post(mo, thread, "The second.")
    of_notification = compose.of_notification

    def broken(row: Notification, member: Member) -> EmailMultiAlternatives:
        if row.actor_id == bo.pk:
            raise ZeroDivisionError
        return of_notification(row, member)

    monkeypatch.setattr(compose, "of_notification", broken)
    assert post_mail() == 1
    assert "The second." in str(mail.outbox[-1].body)
    assert Sending.objects.get(state="dropped").why == "it could not be written: ZeroDivisionError"


def one_click(parsed: Parsed) -> str:
    return str(parsed["List-Unsubscribe"]).strip(" <>").removeprefix("http://localhost:8000")


def test_one_click_switches_a_kind_off_without_session_or_token(
    ada: Member, bo: Member, thread: Thread
):
    make_post(bo, thread)
    post_mail()
    assert letter()["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    program = Client(enforce_csrf_checks=True)
    address = one_click(letter())
    asked = program.get(address)
    assert asked.status_code == 200
    assert "Stop them" in asked.content.decode()
    make_post(bo, thread)
    assert post_mail() == 1  # looking changes nothing
    assert program.post(address, {"List-Unsubscribe": "One-Click"}).status_code == 200
    make_post(bo, thread)
    assert post_mail() == 0
    assert Notification.objects.filter(member=ada).count() == 3  # the list still tells


def test_the_link_of_a_letter_mutes_its_thread(
    ada: Member, bo: Member, thread: Thread, guest: Client
):
    address = f"/mail/off/{off_token(Off(ada.pk, 'thread', str(thread.pk)))}/"
    assert "Is the Optra R2 still worth it?" in guest.get(address).content.decode()
    guest.post(address)
    guest.post(address)
    assert Follow.objects.get(member=ada, thread=thread).level == FollowLevel.MUTED


def test_a_link_to_a_thread_one_may_not_read_any_more_does_not_name_it(
    ada: Member, bo: Member, hidden_group: Group, guest: Client
):
    join(bo, hidden_group)
    secret = make_thread(ada, hidden_group, title="The key is under the mat")
    leave_group(member=bo, group=hidden_group)
    token = off_token(Off(bo.pk, "thread", str(secret.pk)))
    assert "under the mat" not in guest.get(f"/mail/off/{token}/").content.decode()


def test_all_off_is_all_off(ada: Member, bo: Member, thread: Thread, guest: Client):
    guest.post(f"/mail/off/{off_token(Off(ada.pk, 'all'))}/")
    make_post(bo, thread)
    assert post_mail() == 0


@pytest.mark.parametrize("change", ["x", "", "a:b:c"])
def test_a_token_we_did_not_sign_switches_nothing_off(ada: Member, guest: Client, change: str):
    good = off_token(Off(ada.pk, "all"))
    bad = change or good[:-2]
    assert read_off_token(bad) is None
    assert guest.post(f"/mail/off/{bad}/").status_code == 404
    assert read_off_token(good) == Off(ada.pk, "all", "")
