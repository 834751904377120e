from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from structlog.contextvars import bound_contextvars, get_contextvars

from config import hints, outbox
from config.drainer import Drainer
from config.models import OutboxEvent, State
from config.outbox import Event, drain, publish, replay, subscribed
from tests.factories import make_group, make_member
from tests.outbox import run_outbox


@dataclass(frozen=True)
class Rang(Event):
    number: int
    click: UUID | None = None
    word: str = ""


@dataclass(frozen=True)
class Unheard(Event):
    number: int


seen: Counter[int] = Counter()


@pytest.fixture(autouse=True)
def nothing_seen():
    seen.clear()


def note(event: Rang) -> None:
    seen[event.number] += 1


def note_too(event: Rang) -> None:
    seen[event.number] += 100


def write_a_row(event: Rang) -> None:
    make_group(f"group-{event.number}")


def fail(event: Rang) -> None:
    make_group(f"half-{event.number}")
    raise RuntimeError("the shop is shut")


def ring(number: int = 1, **fields) -> OutboxEvent:
    with transaction.atomic():
        publish(Rang(number, **fields))
    row = OutboxEvent.objects.order_by("-pk").first()
    assert row is not None
    return row


def make_due(row: OutboxEvent) -> None:
    OutboxEvent.objects.filter(pk=row.pk).update(next_try_at=Now())


def fail_until_parked(row: OutboxEvent) -> None:
    for _ in range(8):
        make_due(row)
        assert drain() == 1
    row.refresh_from_db()
    assert row.state == State.PARKED


# -- publishing -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_event_published_outside_a_transaction_is_refused_and_leaves_no_row():
    with pytest.raises(outbox.OutsideTransaction):
        publish(Rang(1))
    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_it_is_refused_in_life_too():
    with pytest.raises(outbox.OutsideTransaction):
        publish(Rang(1))
    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db
def test_an_event_is_gone_with_the_transaction_that_announced_it():
    with subscribed(Rang, note):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            publish(Rang(1))
            raise ZeroDivisionError
        assert run_outbox() == 0
    assert not OutboxEvent.objects.exists()
    assert not seen


@pytest.mark.django_db
def test_one_row_is_written_for_all_handlers_of_a_queue():
    with subscribed(Rang, note), subscribed(Rang, note_too):
        row = ring(7)
    assert OutboxEvent.objects.count() == 1
    assert (row.kind, row.queue, row.state, row.tries) == ("tests.Rang", "default", "due", 0)
    assert row.payload == {"number": 7, "click": None, "word": ""}
    assert row.waiting_for == ["tests.config.test_outbox.note", "tests.config.test_outbox.note_too"]


@pytest.mark.django_db
def test_handlers_of_another_queue_have_a_row_of_their_own():
    with subscribed(Rang, note), subscribed(Rang, note_too, queue="links"):
        ring(1)
        assert drain(queue="links") == 1
        assert seen == {1: 100}
        assert drain(queue="links") == 0
        assert drain(queue="default") == 1
    assert seen == {1: 101}
    assert list(OutboxEvent.objects.values_list("state", flat=True)) == ["done", "done"]


@pytest.mark.django_db
def test_an_event_nobody_listens_to_is_kept_and_done():
    with transaction.atomic():
        publish(Unheard(3))
    row = OutboxEvent.objects.get()
    assert row.state == State.DONE
    assert drain() == 0


@pytest.mark.django_db
def test_an_event_holds_ids_and_nothing_else():
    with pytest.raises(TypeError), transaction.atomic():
        publish(Rang(1, word=["a", "list"]))  # type: ignore[arg-type]
    assert not OutboxEvent.objects.exists()


def test_two_events_of_one_domain_cannot_share_a_name():
    with pytest.raises(TypeError, match=r"Two events are called tests\.Rang"):
        type("Rang", (Event,), {"__module__": "tests.elsewhere"})


def test_a_handler_listens_once():
    with subscribed(Rang, note), pytest.raises(outbox.AlreadySubscribed):
        outbox.subscribe(Rang, note, queue="mail")


def test_a_queue_no_worker_takes_is_refused():
    with pytest.raises(outbox.UnknownQueue):
        outbox.subscribe(Rang, note, queue="slow")


# -- draining ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_handler_gets_the_event_as_it_was_published():
    got: list[Event] = []

    def keep(event: Rang) -> None:
        got.append(event)

    click = UUID("0193f2f4-7c1e-7d15-9c83-3f6a1f0c9b11")
    with subscribed(Rang, keep):
        ring(4, click=click, word="héllo")
        run_outbox()
    assert got == [Rang(4, click=click, word="héllo")]


@pytest.mark.django_db
def test_an_event_is_handled_once_however_often_the_outbox_is_drained():
    with subscribed(Rang, note):
        ring(1)
        assert drain() == 1
        assert drain() == 0
    assert seen == {1: 1}


@pytest.mark.django_db
def test_a_drain_stops_at_its_limit():
    with subscribed(Rang, note):
        for number in range(5):
            ring(number)
        assert drain(limit=3) == 3
        assert drain(limit=3) == 2


@pytest.mark.django_db
def test_a_drain_inside_a_transaction_is_refused():
    with pytest.raises(outbox.InsideTransaction), transaction.atomic():
        drain()


@pytest.mark.django_db
def test_a_failing_handler_undoes_its_own_work_and_no_other():
    from community.groups.models import Group

    with subscribed(Rang, write_a_row), subscribed(Rang, fail), subscribed(Rang, note):
        row = ring(1)
        drain()  # with what the written row announces itself
    row.refresh_from_db()
    assert row.state == State.DUE
    assert row.waiting_for == ["tests.config.test_outbox.fail"]
    assert row.last_error == "tests.config.test_outbox.fail: RuntimeError: the shop is shut"
    assert seen == {1: 1}
    assert list(Group.objects.values_list("slug", flat=True)) == ["group-1"]


@pytest.mark.django_db
def test_only_the_handler_that_failed_runs_again():
    with subscribed(Rang, note), subscribed(Rang, fail):
        row = ring(1)
        drain()
        make_due(row)
        drain()
    assert seen == {1: 1}
    row.refresh_from_db()
    assert row.tries == 2


@pytest.mark.django_db
def test_each_wait_is_four_times_the_one_before_give_or_take_half(settings):
    with subscribed(Rang, fail):
        row = ring(1)
        for expected in (2, 8, 32, 128, 512, 2048, 3600):
            make_due(row)
            drain()
            row.refresh_from_db()
            with connection.cursor() as cursor:
                cursor.execute("SELECT statement_timestamp()")
                (now,) = cursor.fetchone()
            wait = (row.next_try_at - now).total_seconds()
            assert 0.45 * expected <= wait <= min(1.5 * expected, 3600)


@pytest.mark.django_db
def test_an_event_that_failed_is_left_alone_until_its_time():
    with subscribed(Rang, fail):
        ring(1)
        assert drain() == 1
        assert drain() == 0


@pytest.mark.django_db
def test_after_eight_tries_an_event_is_parked_with_its_last_error():
    with subscribed(Rang, fail):
        row = ring(1)
        fail_until_parked(row)
        make_due(row)
        assert drain() == 0
    assert row.tries == 8
    assert row.last_error == "tests.config.test_outbox.fail: RuntimeError: the shop is shut"


@pytest.mark.django_db
def test_an_event_that_killed_its_worker_each_time_is_parked_too():
    with subscribed(Rang, note):
        row = ring(1)
        # Eight tries began and none came to an end.
        OutboxEvent.objects.update(tries=8)
        assert drain() == 1
    row.refresh_from_db()
    assert row.state == State.PARKED
    assert row.last_error == "Its worker ended each time before it was through."
    assert not seen


@pytest.mark.django_db
def test_a_kept_error_holds_no_personal_values():
    ada, bo = make_member("ada"), make_member("bo")

    def clash(event: Rang) -> None:
        type(bo).objects.filter(pk=bo.pk).update(email=ada.email)

    with subscribed(Rang, clash):
        row = ring(1)
        drain()
    row.refresh_from_db()
    assert "IntegrityError" in row.last_error
    assert "shoal.example" not in row.last_error
    assert "\n" not in row.last_error


@pytest.mark.django_db
def test_events_announced_by_a_handler_are_drained_too():
    def again(event: Rang) -> None:
        if event.number < 3:
            publish(Rang(event.number + 1))
        seen[event.number] += 1

    with subscribed(Rang, again):
        ring(1)
        assert run_outbox() == 3
    assert seen == {1: 1, 2: 1, 3: 1}


@pytest.mark.django_db
def test_what_waits_for_a_handler_is_done_together_and_the_rest_of_it_waits_on():
    with subscribed(Rang, note), subscribed(Rang, note_too):
        first, second = ring(1), ring(2)
        together: list[list[int]] = []

        def do(events: Sequence[Rang]) -> None:
            together.append([event.number for event in events])

        assert outbox.run_together(Rang, note, do) == 2
        assert together == [[1, 2]]
        first.refresh_from_db()
        assert (first.state, first.waiting_for) == (State.DUE, [f"{__name__}.note_too"])
        assert outbox.run_together(Rang, note, do) == 0
        assert run_outbox() == 2
    assert seen == {1: 100, 2: 100}
    second.refresh_from_db()
    assert second.state == State.DONE and second.finished_at is not None


@pytest.mark.django_db
def test_what_is_done_together_is_done_for_all_or_none():
    from community.groups.models import Group

    def fail_at_the_second(events):
        write_a_row(events[0])
        raise RuntimeError("the shop is shut")

    with subscribed(Rang, write_a_row):
        row = ring(1)
        with pytest.raises(RuntimeError):
            outbox.run_together(Rang, write_a_row, fail_at_the_second)
        row.refresh_from_db()
        assert row.state == State.DUE and row.waiting_for
        assert outbox.run_together(Rang, write_a_row, lambda events: None) == 1
        row.refresh_from_db()
        assert row.state == State.DONE and row.finished_at is not None
    assert not Group.objects.exists()


@pytest.mark.django_db
def test_a_handler_unknown_to_this_version_leaves_its_event_waiting():
    with subscribed(Rang, note):
        row = ring(1)
    drain()
    row.refresh_from_db()
    assert row.state == State.DUE
    assert "does not listen to tests.Rang" in row.last_error
    assert row.waiting_for == ["tests.config.test_outbox.note"]


@pytest.mark.django_db
def test_the_helper_for_tests_fails_when_a_handler_does():
    with subscribed(Rang, fail):
        ring(1)
        with pytest.raises(AssertionError, match="the shop is shut"):
            run_outbox()


@pytest.mark.django_db
def test_the_request_that_announced_an_event_is_known_to_its_handlers():
    known: list[object] = []

    def look(event: Rang) -> None:
        known.append(get_contextvars()["request_id"])

    with subscribed(Rang, look):
        with bound_contextvars(request_id="0123456789abcdef"):
            row = ring(1)
        assert "request_id" not in get_contextvars()
        run_outbox()
    assert row.request_id == "0123456789abcdef"
    assert known == ["0123456789abcdef"]


# -- several at once --------------------------------------------------------------------------

EVENTS = 60
THREADS = 4


def slowly(event: Rang) -> None:
    time.sleep(0.002)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO outbox_effect VALUES (%s)", [event.number])


@pytest.fixture
def effects(transactional_db):
    """A table that lets an effect happen twice."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE outbox_effect (number integer)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE outbox_effect")


def effects_by_number() -> Counter[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM outbox_effect")
        return Counter(number for (number,) in cursor.fetchall())


def in_threads(work) -> None:
    barrier = threading.Barrier(THREADS)

    def run() -> None:
        try:
            barrier.wait()
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def drain_without_claims() -> None:
    """The bad twin: look what is due, run it, say it is done."""
    while (row := OutboxEvent.objects.due().order_by("pk").first()) is not None:
        with transaction.atomic():
            slowly(Rang(**row.payload))
            OutboxEvent.objects.filter(pk=row.pk).update(
                state=State.DONE, waiting_for=[], finished_at=Now()
            )


def test_four_drains_at_once_share_the_work_and_double_none_of_it(effects):
    with subscribed(Rang, slowly):
        for number in range(EVENTS):
            ring(number)
        in_threads(lambda: drain(limit=1_000))
    assert effects_by_number() == dict.fromkeys(range(EVENTS), 1)


def test_drains_that_claim_nothing_double_some_of_it(effects):
    with subscribed(Rang, slowly):
        for number in range(EVENTS):
            ring(number)
    in_threads(drain_without_claims)
    assert sum(effects_by_number().values()) > EVENTS


@pytest.mark.django_db(transaction=True)
def test_a_handler_slower_than_the_wait_is_not_begun_again_beside_itself():
    begun, let_go = threading.Event(), threading.Event()

    def wait(event: Rang) -> None:
        seen[event.number] += 1
        begun.set()
        assert let_go.wait(5)

    with subscribed(Rang, wait):
        row = ring(1)

        def drain_elsewhere() -> None:
            drain()
            connection.close()

        first = threading.Thread(target=drain_elsewhere)
        first.start()
        assert begun.wait(5)
        # Locked by its handler: the try that is due now is passed over.
        assert drain() == 0
        let_go.set()
        first.join()
    row.refresh_from_db()
    assert row.state == State.DONE
    assert seen == {1: 1}


# -- waking -----------------------------------------------------------------------------------


def heard_during(work) -> list[str]:
    with connection.get_new_connection(connection.get_connection_params()) as listener:
        listener.autocommit = True
        listener.execute(f"LISTEN {outbox.CHANNEL}")
        work()
        return [hint.payload for hint in listener.notifies(timeout=0.2)]


@pytest.mark.django_db(transaction=True)
def test_workers_hear_of_a_transaction_once_a_queue_and_after_its_commit():
    def work() -> None:
        with transaction.atomic():
            for number in range(3):
                publish(Rang(number))

    with subscribed(Rang, note), subscribed(Rang, note_too, queue="mail"):
        assert heard_during(work) == ["default", "mail"]


@pytest.mark.django_db(transaction=True)
def test_workers_hear_nothing_of_a_transaction_that_is_undone():
    def work() -> None:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            publish(Rang(1))
            raise ZeroDivisionError

    with subscribed(Rang, note):
        assert heard_during(work) == []


@pytest.mark.django_db(transaction=True)
def test_a_wake_that_fails_does_not_reach_the_caller(monkeypatch):
    monkeypatch.setattr(hints, "_NOTIFY", "SELECT no FROM unnest(%s::text[], %s::text[])")
    with subscribed(Rang, note):
        row = ring(1)
    assert row.state == State.DUE


@pytest.mark.django_db(transaction=True)
def test_a_drainer_runs_an_event_as_soon_as_it_is_committed():
    done = threading.Event()
    took: list[float] = []

    def mark(event: Rang) -> None:
        done.set()

    drainer = Drainer(["default", "links"])

    def publish_and_wait() -> None:
        try:
            time.sleep(0.5)  # Long enough to be listening, and idle.
            began = time.monotonic()
            ring(1)
            done.wait(5)
            took.append(time.monotonic() - began)
        finally:
            connection.close()
            drainer.stopping.set()

    with subscribed(Rang, mark), signals_kept():
        publisher = threading.Thread(target=publish_and_wait)
        publisher.start()
        drainer.run()
        publisher.join()
    assert done.is_set()
    # By its own look it would take up to two seconds.
    assert took[0] < 1.5


@contextmanager
def signals_kept():
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


# -- looking after it -------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_replayed_event_runs_only_what_was_missing():
    shut = True

    def buy(event: Rang) -> None:
        if shut:
            raise RuntimeError("the shop is shut")
        seen[event.number] += 10

    with subscribed(Rang, note), subscribed(Rang, buy):
        row = ring(1)
        fail_until_parked(row)
        shut = False
        replay(row)
        assert drain() == 1
    row.refresh_from_db()
    assert row.state == State.DONE
    assert row.tries == 1
    assert seen == {1: 11}


@pytest.mark.django_db
def test_a_replay_gives_the_work_of_a_renamed_handler_to_its_successor():
    with subscribed(Rang, fail):
        row = ring(1)
        fail_until_parked(row)
    with subscribed(Rang, note):
        replay(row)
        drain()
    row.refresh_from_db()
    assert row.state == State.DONE
    assert seen == {1: 1}


@pytest.mark.django_db
def test_a_replay_for_nobody_is_not_taken_for_done():
    with subscribed(Rang, fail):
        row = ring(1)
        fail_until_parked(row)
    replay(row)
    drain()
    row.refresh_from_db()
    assert row.state == State.DUE
    assert row.waiting_for == ["tests.config.test_outbox.fail"]


@pytest.mark.django_db
def test_an_event_that_is_not_parked_cannot_be_replayed():
    with subscribed(Rang, note):
        row = ring(1)
        with pytest.raises(outbox.NotParked):
            replay(row)
        run_outbox()
        with pytest.raises(outbox.NotParked):
            replay(row)
        assert drain() == 0
    assert seen == {1: 1}


@pytest.mark.django_db
def test_the_outbox_is_as_late_as_its_latest_row():
    assert outbox.oldest_due_seconds() == 0.0
    with subscribed(Rang, note), subscribed(Rang, note_too, queue="mail"):
        ring(1)
        ring(2)
    rows = OutboxEvent.objects.filter(queue="mail")
    rows.filter(payload__number=1).update(next_try_at=Now() - timedelta(seconds=90))
    assert 90.0 <= outbox.oldest_due_seconds() < 95.0
    assert outbox.oldest_due_seconds("default") < 5.0
    rows.update(next_try_at=Now() + timedelta(seconds=90))
    assert outbox.oldest_due_seconds("mail") == 0.0


@pytest.mark.django_db
def test_events_are_forgotten_two_weeks_after_they_are_done():
    with subscribed(Rang, note):
        old, recent = ring(1), ring(2)
        run_outbox()
        waiting = ring(3)
    OutboxEvent.objects.filter(pk=old.pk).update(finished_at=Now() - timedelta(days=14, minutes=1))
    OutboxEvent.objects.filter(pk=recent.pk).update(
        finished_at=Now() - timedelta(days=13, hours=23)
    )
    OutboxEvent.objects.filter(pk=waiting.pk).update(published_at=Now() - timedelta(days=30))
    assert outbox.sweep() == 1
    assert set(OutboxEvent.objects.values_list("pk", flat=True)) == {recent.pk, waiting.pk}


@pytest.mark.django_db
def test_a_large_sweep_goes_in_steps(monkeypatch):
    monkeypatch.setattr(outbox, "SWEEP_ROWS", 2)
    for number in range(5):
        with transaction.atomic():
            publish(Unheard(number))
    OutboxEvent.objects.update(finished_at=Now() - timedelta(days=15))
    assert outbox.sweep() == 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"state": "lost"}, "outbox_state_known"),
        ({"state": "done", "waiting_for": []}, "outbox_done_has_an_end"),
        ({"state": "done", "finished_at": Now()}, "outbox_done_waits_for_nobody"),
        ({"finished_at": Now()}, "outbox_done_has_an_end"),
    ],
)
def test_the_database_refuses_a_row_that_contradicts_itself(values, constraint):
    with subscribed(Rang, note):
        ring(1)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        OutboxEvent.objects.update(**values)


# -- in the admin -----------------------------------------------------------------------------


@pytest.fixture
def parked(db) -> OutboxEvent:
    with subscribed(Rang, fail):
        row = ring(1)
        fail_until_parked(row)
    return row


def staff_with(*codenames: str) -> Client:
    member = make_member("mo", is_staff=True)
    member.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(member)
    return client


LIST = "admin:config_outboxevent_changelist"


def test_staff_see_what_is_parked_and_why(parked):
    with subscribed(Rang, note):
        ring(2)
    page = staff_with("view_outboxevent").get(reverse(LIST), {"state": "parked"})
    assert page.status_code == 200
    assert "the shop is shut" in page.text
    assert [row.pk for row in page.context["cl"].result_list] == [parked.pk]


def test_staff_open_an_event_and_cannot_write_it(parked):
    client = staff_with("view_outboxevent", "change_outboxevent", "delete_outboxevent")
    address = reverse("admin:config_outboxevent_change", args=[parked.pk])
    page = client.get(address)
    assert "tests.config.test_outbox.fail" in page.text
    assert 'name="_save"' not in page.text
    assert client.post(address, {"state": "done"}).status_code == 403
    delete = reverse("admin:config_outboxevent_delete", args=[parked.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert client.get(reverse("admin:config_outboxevent_add")).status_code == 403


def test_staff_with_the_right_replay_what_is_parked(parked):
    client = staff_with("view_outboxevent", "replay_outboxevent")
    chosen = {"action": "replay", "_selected_action": [parked.pk]}
    page = client.post(reverse(LIST), chosen, follow=True)
    assert "1 due again." in page.text
    parked.refresh_from_db()
    assert (parked.state, parked.tries) == ("due", 0)
    page = client.post(reverse(LIST), chosen, follow=True)
    assert "1 not parked, left alone." in page.text


def test_staff_without_the_right_cannot_replay(parked):
    client = staff_with("view_outboxevent")
    client.post(reverse(LIST), {"action": "replay", "_selected_action": [parked.pk]})
    parked.refresh_from_db()
    assert parked.state == State.PARKED


def test_a_member_who_is_no_staff_sees_nothing_of_it(parked, as_cy):
    page = as_cy.get(reverse(LIST), follow=True)
    assert "the shop is shut" not in page.text
