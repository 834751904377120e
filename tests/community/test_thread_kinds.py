"""Kinds of threads: which group offers which, what each asks for, and how it reads."""

from __future__ import annotations

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from community.groups.models import Template
from community.threads import moderating
from community.threads.errors import DetailsUnfit, KindUnknown, MayNotChangeHead
from community.threads.kinds import KINDS, OFFERED, clean_details, facts_of, in_hours
from community.threads.models import Thread, ThreadEntry, ThreadKind
from community.threads.moderating import change_kind
from community.threads.services import start_thread
from community.threads.tagging import tags_of
from tests.factories import join, make_group, make_thread

pytestmark = pytest.mark.django_db

RUN = {
    "activity": "run",
    "on": "2026-11-20",
    "distance_m": "12.5",
    "duration_seconds": "1:05:30",
    "effort": "7",
}


def text_of(response) -> str:
    return str(response.content.decode())


def test_every_template_offers_kinds_that_exist():
    assert set(OFFERED) == set(Template.values)
    assert all(kinds[0] == ThreadKind.TALK for kinds in OFFERED.values())
    assert {kind for kinds in OFFERED.values() for kind in kinds} == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("talk", {"anything": "else"}, {}),
        (
            "log",
            RUN,
            {
                "activity": "run",
                "on": "2026-11-20",
                "distance_m": 12_500,
                "duration_seconds": 3_930,
                "effort": 7,
            },
        ),
        (
            "log",
            {"activity": "strength", "on": "2026-11-20", "sets": "5 × 5", "duration_seconds": "45"},
            {"activity": "strength", "on": "2026-11-20", "sets": "5 × 5", "duration_seconds": 2700},
        ),
        ("log", {**RUN, "distance_m": "0,4"}, None),
        ("showcase", {"maker": "Optra", "year": "1960s"}, {"maker": "Optra", "year": "1960s"}),
        (
            "wanted",
            {"budget_minor": "1,250.50", "currency": "GBP", "place": "Leith"},
            {"budget_minor": 125_050, "currency": "GBP", "place": "Leith"},
        ),
        (
            "wanted",
            {"budget_minor": "9000", "currency": "JPY"},
            {"budget_minor": 9000, "currency": "JPY"},
        ),
        ("wanted", {"currency": "EUR"}, {}),
        (
            "review",
            {"subject": "The repair shop", "rating": "4"},
            {"subject": "The repair shop", "rating": 4},
        ),
    ],
)
def test_answers_are_kept_as_numbers_and_words(kind, typed, kept):
    details = clean_details(ThreadKind(kind), typed)
    if kept is None:
        assert details["distance_m"] == 400
    else:
        assert details == kept


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("log", {"on": "2026-11-20"}),
        ("log", {**RUN, "activity": "flying"}),
        ("log", {**RUN, "on": "2999-01-01"}),
        ("log", {**RUN, "on": "20.11.2026"}),
        ("log", {**RUN, "distance_m": "far"}),
        ("log", {**RUN, "distance_m": "NaN"}),
        ("log", {**RUN, "distance_m": "9e999999"}),
        ("log", {**RUN, "distance_m": "1e9"}),
        ("log", {**RUN, "duration_seconds": "1:75"}),
        ("log", {**RUN, "duration_seconds": "0"}),
        ("log", {**RUN, "effort": "11"}),
        ("showcase", {"year": "1960"}),
        ("wanted", {"budget_minor": "ten", "currency": "GBP"}),
        ("wanted", {"budget_minor": "9000.5", "currency": "JPY"}),
        ("wanted", {"budget_minor": "5", "currency": "XXX"}),
        ("review", {"subject": "It", "rating": "6"}),
        ("review", {"subject": "", "rating": "5"}),
    ],
)
def test_answers_that_make_no_sense_are_refused(kind, typed):
    with pytest.raises(DetailsUnfit):
        clean_details(ThreadKind(kind), typed)


@given(st.integers(1, 7 * 24 * 3600))
def test_a_duration_reads_as_it_was_typed(seconds):
    kept = clean_details(ThreadKind.LOG, {**RUN, "duration_seconds": in_hours(seconds)})
    assert kept["duration_seconds"] == seconds


@given(st.integers(1, 1_000_000))
def test_a_distance_in_the_form_is_the_one_that_was_kept(metres):
    field = KINDS[ThreadKind.LOG].form.base_fields["distance_m"]
    assert field.clean(field.prepare_value(metres)) == metres


def test_facts_read_well_in_either_language():
    log = clean_details(ThreadKind.LOG, RUN)
    assert dict(facts_of("log", log)) == {
        "Activity": "Run",
        "Date": "20 November 2026",
        "Distance": "12.5 km",
        "Duration": "1:05:30",
        "Effort": "7 of 10",
    }
    wanted = {"budget_minor": 125_000, "currency": "GBP"}
    assert facts_of("wanted", wanted) == [("Budget", "£1,250")]
    assert facts_of("review", {"subject": "It", "rating": 4})[1] == ("Rating", "★★★★☆ 4 of 5")
    with translation.override("zh-hans"):
        assert ("2026年11月20日") in dict(facts_of("log", log)).values()


@pytest.mark.parametrize("details", [{"rating": "many"}, {"on": "no day"}, {"budget_minor": 5}, {}])
def test_answers_of_an_older_form_never_break_a_page(details):
    for kind in ThreadKind.values:
        facts_of(kind, details)
    assert facts_of("gone", {"a": 1}) == []


def test_a_kind_the_group_does_not_offer_is_refused(ada, group):
    for kind in ("log", "review", "nonsense"):
        with pytest.raises(KindUnknown):
            start_thread(author=ada, group=group, title="T", body="B", kind=kind)
    assert not Thread.objects.exists()


def test_a_log_is_written_by_its_form_and_shown_as_a_table(as_ada, guest, ada):
    runners = make_group("runners", template=Template.FITNESS)
    join(ada, runners)
    form = {"title": "Long run", "body": "Wet.", "kind": "log"}
    refused = as_ada.post("/g/runners/new/", {**form, "log-distance_m": "12.5"})
    assert refused.status_code == 422
    assert 'value="12.5"' in text_of(refused)
    typed = {f"log-{name}": value for name, value in RUN.items()}
    posted = as_ada.post("/g/runners/new/", {**form, **typed})
    page = text_of(guest.get(posted.headers["Location"].partition("#")[0]))
    assert "<dt>Distance</dt><dd>12.5 km</dd>" in page
    assert "Training log" in page
    assert "Training log" in text_of(guest.get("/g/runners/"))
    edit = text_of(as_ada.get(f"/t/{Thread.objects.get().pk}/tags/"))
    assert 'value="12.5"' in edit
    assert 'value="1:05:30"' in edit
    assert 'value="2026-11-20"' in edit


def test_a_form_shows_the_kinds_of_its_group_alone(as_ada, group):
    page = text_of(as_ada.get("/g/film-cameras/new/?kind=showcase"))
    assert 'value="showcase" checked' in page
    assert 'value="log"' not in page
    assert 'name="showcase-maker"' in page


def test_the_author_and_moderators_change_the_kind(ada, bo, mo, thread):
    change_kind(thread=thread, kind="showcase", details={"maker": "Optra"}, by=ada)
    assert not ThreadEntry.objects.exists()
    with pytest.raises(MayNotChangeHead):
        change_kind(thread=thread, kind="talk", details={}, by=bo)
    change_kind(thread=thread, kind="question", details={}, by=mo)
    thread.refresh_from_db()
    assert (thread.kind, thread.details) == ("question", {})
    entry = ThreadEntry.objects.get()
    assert (entry.by, entry.details) == (mo, {"old_kind": "showcase", "new_kind": "question"})
    with pytest.raises(KindUnknown):
        change_kind(thread=thread, kind="log", details=RUN, by=mo)


def test_a_kind_is_shown_at_once_in_lists_and_pages(guest, ada, group):
    thread = make_thread(ada, group)
    assert "Question" not in text_of(guest.get(thread.get_absolute_url()))
    change_kind(thread=thread, kind="question", details={}, by=ada)
    assert 'kind=question">' in text_of(guest.get(thread.get_absolute_url()))


def test_tags_stay_as_they_were_when_the_kind_is_refused(as_ada, thread, monkeypatch):
    def refuse(**_):
        raise KindUnknown

    monkeypatch.setattr(moderating, "change_kind", refuse)
    answer = as_ada.post(f"/t/{thread.pk}/tags/", {"kind": "question", "tags": "light meters"})
    assert answer.status_code == 422
    assert "light meters" in text_of(answer)
    assert tags_of(thread) == []
