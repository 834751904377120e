from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, transaction
from django.db.models.functions import Now
from django.db.utils import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from community.members.models import Member
from config.models import OutboxEvent, State
from config.outbox import publish
from tests.config.test_outbox import Rang


def count_members(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(Member.objects.count()))


def remember(request: HttpRequest) -> HttpResponse:
    """Ask nothing of PostgreSQL until the session is saved, after the view."""
    request.session["colour"] = "teal"
    return HttpResponse("remembered")


def too_slow(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20ms'")
        cursor.execute("SELECT pg_sleep(5)")
    return HttpResponse("never")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("ada@shoal.example wrote: my secret plan")


urlpatterns = [
    path("members", count_members),
    path("remember", remember),
    path("slow", too_slow),
    path("broken", broken),
]

own_pages = pytest.mark.urls("tests.config.test_health")


@pytest.fixture
def database_away(transactional_db: None) -> Iterator[None]:
    """PostgreSQL refuses connections."""
    host = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    yield
    connection.close()
    connection.settings_dict["HOST"] = host


@pytest.fixture
def quiet() -> Client:
    """A browser that is shown errors as members are, not raised."""
    return Client(raise_request_exception=False)


# -- alive ------------------------------------------------------------------------------------


def test_alive_asks_nothing_of_postgresql_and_gives_no_session(guest):
    # Without the db mark any query fails the test.
    answer = guest.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "alive\n")
    assert not answer.cookies
    assert answer.headers["Cache-Control"] == "no-store"


@override_settings(ALLOWED_HOSTS=["shoal.example"], SECURE_SSL_REDIRECT=True)
def test_a_load_balancer_may_ask_by_any_host_and_without_https(guest):
    answer = guest.get("/healthz", headers={"Host": "10.1.2.3:8000"})
    assert answer.status_code == 200


# -- ready ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_ready_says_so_of_each_part(guest):
    answer = guest.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "database": "ready",
        "broker": "ready",
        "outbox": {"late_seconds": 0.0, "late_limit_seconds": 300.0, "parked": 0},
    }


@pytest.mark.django_db
def test_ready_costs_two_queries(guest, django_assert_num_queries):
    with django_assert_num_queries(2):
        guest.get("/readyz")


@pytest.mark.django_db
@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_without_redis_the_site_is_degraded_and_still_serves(guest):
    answer = guest.get("/readyz")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["broker"]) == ("degraded", "away")


def test_without_postgresql_the_site_is_unready(database_away, guest):
    answer = guest.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unready",
        "database": "away",
        "broker": "ready",
        "outbox": None,
    }


@pytest.mark.django_db
@pytest.mark.parametrize(("late_by", "status"), [(290, 200), (310, 503)])
def test_an_outbox_more_than_five_minutes_late_is_unready(guest, late_by, status):
    with transaction.atomic():
        publish(Rang(1))
    OutboxEvent.objects.update(
        state=State.DUE,
        finished_at=None,
        waiting_for=["tests.nobody"],
        next_try_at=Now() - timedelta(seconds=late_by),
    )
    answer = guest.get("/readyz")
    assert answer.status_code == status
    assert late_by <= answer.json()["outbox"]["late_seconds"] < late_by + 5


@pytest.mark.django_db
def test_parked_events_are_counted_and_change_nothing(guest):
    with transaction.atomic():
        publish(Rang(1))
    OutboxEvent.objects.update(state=State.PARKED, finished_at=None)
    answer = guest.get("/readyz")
    assert (answer.status_code, answer.json()["outbox"]["parked"]) == (200, 1)


# -- PostgreSQL away --------------------------------------------------------------------------


def assert_unavailable(answer: HttpResponse) -> None:
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"Traceback" not in answer.content
    assert b"OperationalError" not in answer.content


@own_pages
def test_a_view_without_postgresql_answers_503_with_retry_after(database_away, quiet):
    answer = quiet.get("/members")
    assert_unavailable(answer)
    assert "Back in a moment" in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@own_pages
def test_a_session_that_cannot_be_saved_answers_503_too(database_away, quiet):
    assert_unavailable(quiet.get("/remember"))


def test_the_home_page_without_postgresql_answers_503(database_away, quiet):
    assert_unavailable(quiet.get("/"))
    assert_unavailable(quiet.post("/accounts/login/", {"login": "ada", "password": "x"}))


@own_pages
def test_the_words_arrive_when_their_template_is_broken(database_away, quiet, monkeypatch):
    def no_template(name: str) -> None:
        raise RuntimeError(name)

    monkeypatch.setattr("config.middleware.get_template", no_template)
    answer = quiet.get("/members")
    assert_unavailable(answer)
    assert answer.text == "Shoal is away for a moment. Please try again shortly.\n"


@own_pages
def test_pages_are_back_as_soon_as_postgresql_is(transactional_db, quiet):
    host = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        assert quiet.get("/members").status_code == 503
    finally:
        connection.settings_dict["HOST"] = host
    assert quiet.get("/members").status_code == 200


@own_pages
def test_a_connection_that_was_cut_is_replaced_for_the_next_request(transactional_db, quiet):
    assert quiet.get("/members").status_code == 200
    with (
        connection.cursor() as cursor,
        connection.get_new_connection(connection.get_connection_params()) as other,
    ):
        cursor.execute("SELECT pg_backend_pid()")
        other.execute("SELECT pg_terminate_backend(%s)", cursor.fetchone())
    assert_unavailable(quiet.get("/members"))
    close_old_connections()  # As Django does after each request, but not in tests.
    assert quiet.get("/members").status_code == 200


@own_pages
@pytest.mark.django_db
def test_a_statement_that_took_too_long_answers_503(quiet):
    with transaction.atomic():
        assert_unavailable(quiet.get("/slow"))
        transaction.set_rollback(True)


@own_pages
@pytest.mark.django_db
def test_any_other_error_stays_a_500(quiet):
    answer = quiet.get("/broken")
    assert answer.status_code == 500
    assert "secret plan" not in answer.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/members/%00/", "/g/film-cameras/listings/?q=%00", "/g/film-cameras/listings/?q=a%00"]
)
def test_a_text_postgresql_cannot_hold_is_the_visitors_fault(quiet, group, path):
    assert quiet.get(path).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("statement_timeout", "5s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ],
)
def test_every_connection_has_its_limits(name, value):
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        assert cursor.fetchone() == (value,)


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_waited_for_two_seconds_at_most(transactional_db):
    with connection.get_new_connection(connection.get_connection_params()) as other:
        other.execute("LOCK TABLE config_outboxevent")
        began = time.monotonic()
        with pytest.raises(OperationalError, match="lock timeout"):
            OutboxEvent.objects.count()
        assert 1.9 < time.monotonic() - began < 3.5
