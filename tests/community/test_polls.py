"""Polls: made with a post, voted in once, counted exactly, shown when they may be."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from community.groups.services import leave_group
from community.polls.errors import (
    ChoiceMissing,
    MayNotManage,
    MayNotVote,
    PollClosed,
    TooManyChoices,
    UnknownChoice,
    VotesCast,
)
from community.polls.models import Poll, PollOption, PollVote
from community.polls.services import change_poll, close_poll, make_poll, take_vote_back, vote
from community.templatetags.frame import TOKEN
from community.threads.errors import PostHidden
from community.threads.hiding import delete_post
from community.threads.models import Post, Thread
from community.threads.services import lock_thread
from config.pieces import pieces
from tests.factories import join, make_group, make_member, make_post, make_thread

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
FIELDS = {
    "poll-question": "Foam or wool?",
    "poll-options": "Foam\nWool\n\n Both ",
    "poll-choices_max": "1",
    "poll-results": "always",
    "poll-closes_at": "",
}


def text_of(response) -> str:
    return str(response.content.decode())


def a_poll(post: Post, **fields) -> Poll:
    fields.setdefault("question", "Foam or wool?")
    fields.setdefault("options", ["Foam", "Wool", "Both"])
    return make_poll(post=post, **fields)


def ids(poll: Poll, *positions: int) -> list[int]:
    return [option.pk for option in poll.options.all() if option.position in positions]


def counts(poll: Poll) -> tuple[list[int], int]:
    poll.refresh_from_db()
    return list(poll.options.values_list("votes", flat=True)), poll.voter_count


def ended(poll: Poll) -> Poll:
    """Its time came: what the database's clock says now."""
    now = timezone.now()
    Poll.objects.filter(pk=poll.pk).update(
        created_at=now - timedelta(days=2), closes_at=now - timedelta(seconds=1)
    )
    return poll


@pytest.fixture
def poll(thread: Thread) -> Poll:
    return a_poll(thread.posts.get())


# -- making -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["thread", "reply"])
def test_a_poll_is_made_with_its_post(as_ada, thread, group, what):
    address = {"thread": f"/g/{group.slug}/new/", "reply": f"/t/{thread.pk}/replies/"}[what]
    form = {"title": "Seals", "body": "Which?", **FIELDS, "poll-choices_max": "2"}
    assert as_ada.post(address, form).status_code == 302
    poll = Poll.objects.get()
    assert poll.post.body == "Which?"
    assert (poll.question, poll.choices_max, poll.results) == ("Foam or wool?", 2, "always")
    assert [option.text for option in poll.options.all()] == ["Foam", "Wool", "Both"]
    assert poll.closes_at is None


def test_without_scripts_the_button_brings_the_fields_and_keeps_what_was_typed(as_bo, thread):
    address = reverse("reply", args=[thread.pk])
    page = text_of(as_bo.get(thread.get_absolute_url()))
    assert 'name="add_poll"' in page
    assert 'name="poll-question"' not in page
    response = as_bo.post(address, {"body": "Half a thought", "add_poll": "1"})
    page = text_of(response)
    assert response.status_code == 200
    assert ">\nHalf a thought</textarea>" in page
    assert 'name="poll-question"' in page
    assert "Ask something." not in page
    assert 'name="poll-choices_max" value="1"' in page
    assert thread.posts.count() == 1


def test_a_new_threads_button_does_not_ask_for_the_title_yet(as_ada, group):
    response = as_ada.post(f"/g/{group.slug}/new/", {"body": "Hm", "title": "", "add_poll": "1"})
    assert response.status_code == 200
    assert 'name="poll-question"' in text_of(response)


def test_a_script_asks_for_the_fields_alone(guest, as_bo):
    page = text_of(as_bo.get(reverse("poll_fields"), headers=HTMX))
    assert 'name="poll-options"' in page
    assert "<html" not in page
    assert guest.get(reverse("poll_fields")).status_code == 302


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"poll-question": " "}, "Ask something."),
        ({"poll-options": "Foam\nFoam"}, "Give at least two different answers."),
        ({"poll-options": "\n".join(map(str, range(21)))}, "At most 20 answers."),
        ({"poll-options": f"a\n{'x' * 121}"}, "An answer has at most 120 characters."),
        ({"poll-choices_max": "4"}, "There are not so many answers."),
        ({"poll-choices_max": "0"}, "greater than or equal to 1"),
        ({"poll-closes_at": "2020-01-01T00:00"}, "That time has passed."),
        ({"poll-closes_at": "soon"}, "Write a date and a time."),
        ({"poll-question": "x" * 201}, "at most 200 characters"),
        ({"poll-results": "never"}, "not one of the available choices"),
    ],
)
def test_a_poll_that_does_not_fit_comes_back_with_all_that_was_typed(as_bo, thread, change, says):
    form = {"body": "Which then?", **FIELDS, **change}
    response = as_bo.post(reverse("reply", args=[thread.pk]), form)
    page = text_of(response)
    assert response.status_code == 422
    assert says in page
    assert "Look at what is marked below." in page
    assert ">\nWhich then?</textarea>" in page
    assert form["poll-options"].strip() in page
    assert (thread.posts.count(), Poll.objects.count()) == (1, 0)


def test_empty_fields_make_no_poll_and_a_preview_keeps_them(as_bo, thread):
    address = reverse("reply", args=[thread.pk])
    empty = {**FIELDS, "poll-question": "", "poll-options": ""}
    page = text_of(as_bo.post(address, {"body": "x", **FIELDS, "preview": "1"}))
    assert 'value="Foam or wool?"' in page
    assert as_bo.post(address, {"body": "x", **empty}).status_code == 302
    assert (thread.posts.count(), Poll.objects.count()) == (2, 0)


def test_a_refused_post_leaves_no_poll(as_bo, mo, thread):
    lock_thread(thread=thread, by=mo, reason="Done.")
    response = as_bo.post(reverse("reply", args=[thread.pk]), {"body": "x", **FIELDS})
    assert response.status_code == 409
    assert (Post.objects.count(), Poll.objects.count()) == (1, 0)


def test_a_poll_closes_on_its_makers_clock(as_bo, bo, thread):
    bo.time_zone = "America/New_York"
    bo.save(update_fields=["time_zone"])
    form = {"body": "x", **FIELDS, "poll-closes_at": "2031-01-02T09:15"}
    as_bo.post(reverse("reply", args=[thread.pk]), form)
    assert Poll.objects.get().closes_at == datetime(2031, 1, 2, 14, 15, tzinfo=UTC)


# -- voting -----------------------------------------------------------------------------------


def test_a_vote_counts_once_and_a_second_moves_it(bo, mo, poll, thread):
    first, second = ids(poll, 0, 1)
    vote(poll=poll, member=bo, option_ids=[first])
    vote(poll=poll, member=bo, option_ids=[first])
    assert counts(poll) == ([1, 0, 0], 1)
    vote(poll=poll, member=bo, option_ids=[second])
    vote(poll=poll, member=mo, option_ids=[second])
    assert counts(poll) == ([0, 2, 0], 2)
    take_vote_back(poll=poll, member=bo)
    take_vote_back(poll=poll, member=bo)
    assert counts(poll) == ([0, 1, 0], 1)
    thread.refresh_from_db()
    assert thread.version == 6


def test_several_choices_are_one_voter(bo, thread):
    poll = a_poll(thread.posts.get(), choices_max=2)
    vote(poll=poll, member=bo, option_ids=ids(poll, 0, 2))
    assert counts(poll) == ([1, 0, 1], 1)
    vote(poll=poll, member=bo, option_ids=ids(poll, 1))
    assert counts(poll) == ([0, 1, 0], 1)


def test_what_a_poll_does_not_take(ada, bo, cy, poll, thread):
    one, two = ids(poll, 0, 1)
    elsewhere = a_poll(make_post(ada, thread)).options.first()
    assert elsewhere is not None
    for member, chosen, refusal in (
        (cy, [one], MayNotVote),
        (bo, [], ChoiceMissing),
        (bo, [one, two], TooManyChoices),
        (bo, [elsewhere.pk], UnknownChoice),
        (bo, [0], UnknownChoice),
    ):
        with pytest.raises(refusal):
            vote(poll=poll, member=member, option_ids=chosen)
    leave_group(member=bo, group=thread.group)
    with pytest.raises(MayNotVote):
        vote(poll=poll, member=bo, option_ids=[one])
    assert (counts(poll), PollVote.objects.count()) == (([0, 0, 0], 0), 0)


def test_a_closed_poll_takes_no_votes_and_gives_none_back(ada, bo, mo, cy, thread):
    for close in (lambda one: close_poll(poll=one, by=ada), ended):
        poll = a_poll(make_post(ada, thread))
        vote(poll=poll, member=bo, option_ids=ids(poll, 0))
        close(poll)
        for act in (
            lambda one: vote(poll=one, member=mo, option_ids=ids(one, 0)),
            lambda one: vote(poll=one, member=bo, option_ids=ids(one, 1)),
            lambda one: take_vote_back(poll=one, member=bo),
        ):
            with pytest.raises(PollClosed):
                act(poll)
        assert counts(poll) == ([1, 0, 0], 1)


def test_a_poll_under_a_hidden_post_takes_no_votes(ada, bo, thread):
    post = make_post(ada, thread)
    poll = a_poll(post)
    delete_post(post=post, by=ada)
    with pytest.raises(PostHidden):
        vote(poll=poll, member=ada, option_ids=ids(poll, 0))


def test_its_author_and_moderators_close_a_poll(ada, bo, mo, cy, poll):
    for member in (bo, cy):
        with pytest.raises(MayNotManage):
            close_poll(poll=poll, by=member)
    close_poll(poll=poll, by=mo)
    poll.refresh_from_db()
    closed_at = poll.closed_at
    close_poll(poll=poll, by=ada)
    poll.refresh_from_db()
    assert closed_at is not None
    assert poll.closed_at == closed_at


def test_after_the_first_vote_only_the_closing_time_changes(ada, bo, poll):
    says: dict[str, Any] = {
        "question": "Wool?",
        "options": ["Yes", "No"],
        "choices_max": 2,
        "results": "closed",
    }
    poll = change_poll(poll=poll, by=ada, closes_at=None, **says)
    assert [option.text for option in poll.options.all()] == ["Yes", "No"]
    vote(poll=poll, member=bo, option_ids=ids(poll, 0))
    at = timezone.now() + timedelta(days=1)
    for change in (
        {"question": "Foam?"},
        {"options": ["Yes", "No", "Maybe"]},
        {"options": ["No", "Yes"]},
        {"choices_max": 1},
        {"results": "always"},
    ):
        with pytest.raises(VotesCast):
            change_poll(poll=poll, by=ada, closes_at=at, **{**says, **change})
    with pytest.raises(MayNotManage):
        change_poll(poll=poll, by=bo, closes_at=at, **says)
    change_poll(poll=poll, by=ada, closes_at=at, **says)
    assert counts(poll) == ([1, 0], 1)
    assert poll.closes_at == at


def test_the_database_keeps_a_single_vote_single(bo, poll):
    for option in poll.options.all()[:2]:
        made = PollVote(poll=poll, option=option, member=bo, is_single=True)
        if option.position == 0:
            made.save()
    with pytest.raises(IntegrityError):
        made.save()


# -- races ------------------------------------------------------------------------------------


def all_at_once(acts: list[Any]) -> list[Exception]:
    start, failed = threading.Barrier(len(acts)), list[Exception]()

    def run(act) -> None:
        try:
            start.wait(20)
            act()
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    runs = [threading.Thread(target=run, args=[act]) for act in acts]
    for one in runs:
        one.start()
    for one in runs:
        one.join(30)
    return failed


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("choices_max", [1, 2])
def test_votes_at_once_count_once_each(choices_max):
    group, ada = make_group(), make_member("ada")
    join(ada, group)
    voters = [make_member() for _ in range(5)]
    for member in voters:
        join(member, group)
    poll = a_poll(make_thread(ada, group).posts.get(), choices_max=choices_max)
    a, b, c = ids(poll, 0, 1, 2)
    acts = [
        *[lambda m=m: vote(poll=poll, member=m, option_ids=[a]) for m in voters],
        *[lambda m=m: vote(poll=poll, member=m, option_ids=[a]) for m in voters],
        *[lambda m=m: vote(poll=poll, member=m, option_ids=[b]) for m in voters[:2]],
        lambda: take_vote_back(poll=poll, member=voters[4]),
    ]
    assert all_at_once(acts) == []
    votes, voter_count = counts(poll)
    rows = PollVote.objects.filter(poll=poll)
    assert votes == [rows.filter(option=pk).count() for pk in (a, b, c)]
    assert sum(votes) == rows.count() == voter_count
    assert voter_count == rows.values("member").distinct().count()
    assert voter_count in (4, 5)


@pytest.mark.django_db(transaction=True)
def test_the_race_is_real_a_look_before_each_vote_doubles_it():
    """The bad twin: nobody has voted yet, so write; of several choices the database minds none."""
    group, ada = make_group(), make_member("ada")
    join(ada, group)
    poll = a_poll(make_thread(ada, group).posts.get(), choices_max=2)
    met = threading.Barrier(2)

    def careless(option_id: int) -> None:
        if not PollVote.objects.filter(poll=poll, member=ada).exists():
            met.wait(20)
            PollVote.objects.create(poll=poll, member=ada, option_id=option_id, is_single=False)

    assert all_at_once([lambda pk=pk: careless(pk) for pk in ids(poll, 0, 1)]) == []
    assert PollVote.objects.count() == 2


# -- over HTTP --------------------------------------------------------------------------------


def poll_on(client, thread: Thread) -> str:
    page = text_of(client.get(thread.get_absolute_url()))
    found = re.search(r'<section class="poll".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def test_a_vote_by_form_and_by_htmx(as_bo, as_mo, poll, thread):
    address = reverse("poll_votes", args=[poll.post_id])
    chosen = ids(poll, 1)
    response = as_bo.post(address, {"option": chosen}, follow=True)
    assert response.redirect_chain == [(f"{thread.get_absolute_url()}#p1", 302)]
    assert "Your vote is counted." in text_of(response)
    piece = text_of(as_mo.post(address, {"option": chosen}, headers=HTMX))
    assert piece.lstrip().startswith('<section class="poll"')
    assert "2 votes" in piece
    assert "Take my vote back" in piece
    piece = text_of(as_mo.post(address, {"_method": "delete"}, headers=HTMX))
    assert 'type="radio"' in piece
    response = as_mo.post(address, {}, headers=HTMX)
    assert response.status_code == 422
    assert "Choose an answer first." in text_of(response)
    assert "Choose an answer first." in text_of(as_mo.post(address, {}, follow=True))
    assert counts(poll) == ([0, 1, 0], 1)


def test_who_may_vote(guest, as_cy, as_bo, ada, poll, thread, hidden_group):
    secret = a_poll(make_thread(ada, hidden_group).posts.get())
    for client, which, status in (
        (guest, poll, 302),
        (as_cy, poll, 403),
        (as_bo, secret, 404),
        (as_bo, poll, 302),
    ):
        form = {"option": ids(which, 0)}
        response = client.post(reverse("poll_votes", args=[which.post_id]), form)
        assert response.status_code == status
    for option in ("x", "9" * 30, "-1"):
        as_bo.post(reverse("poll_votes", args=[poll.post_id]), {"option": option})
    assert counts(poll) == ([1, 0, 0], 1)
    no_poll = make_post(ada, thread)
    assert as_bo.post(reverse("poll_votes", args=[no_poll.pk]), {"option": 1}).status_code == 404


@pytest.mark.parametrize(
    ("results", "before", "after", "at_the_end"),
    [
        ("always", True, True, True),
        ("voted", False, True, True),
        ("closed", False, False, True),
    ],
)
def test_results_wait_as_the_poll_says(
    guest, as_bo, as_ada, mo, bo, thread, results, before, after, at_the_end
):
    poll = a_poll(thread.posts.get(), results=results)
    vote(poll=poll, member=mo, option_ids=ids(poll, 0))

    def seen(client) -> bool:
        shown = poll_on(client, thread)
        assert "Foam or wool?" in shown
        assert bool(re.search(r">\d votes?<", shown)) == ('<svg class="meter"' in shown)
        return '<svg class="meter"' in shown

    assert [seen(client) for client in (guest, as_ada, as_bo)] == [before] * 3
    vote(poll=poll, member=bo, option_ids=ids(poll, 0))
    assert seen(as_bo) == after
    assert [seen(client) for client in (guest, as_ada)] == [before] * 2
    ended(poll)
    assert [seen(client) for client in (guest, as_ada, as_bo)] == [at_the_end] * 3


def test_each_reader_sees_the_poll_as_theirs_whoever_came_first(
    guest, as_bo, as_mo, as_cy, bo, thread
):
    pieces.clear()
    poll = a_poll(thread.posts.get())
    vote(poll=poll, member=bo, option_ids=ids(poll, 1))
    for _ in range(2):
        assert 'type="radio"' in poll_on(as_mo, thread)
        assert "Change the poll" in poll_on(as_mo, thread)
        shown = poll_on(as_bo, thread)
        assert 'type="radio"' not in shown
        assert "Your choice:" in shown
        for client in (guest, as_cy):
            shown = poll_on(client, thread)
            assert "<form" not in shown
            assert "Your choice:" not in shown
            assert "members of the group vote" in shown
    kept = "".join(piece for piece, _ in pieces._kept.values())
    assert "Your choice:" not in kept
    # Forms of the frame are kept with a stand-in for the reader's own token.
    assert set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]*)"', kept)) <= {TOKEN}


def test_a_vote_and_the_end_show_at_once_in_kept_pieces(guest, bo, poll, thread):
    assert "0 voters" in poll_on(guest, thread)
    vote(poll=poll, member=bo, option_ids=ids(poll, 0))
    assert "1 voter" in poll_on(guest, thread)
    assert "· closed" not in poll_on(guest, thread)
    ended(poll)
    assert "· closed" in poll_on(guest, thread)


@pytest.mark.parametrize("who", ["guest", "as_bo"])
def test_polls_cost_one_query_a_page_and_none_without_any(request, who, ada, bo, thread):
    client = request.getfixturevalue(who)
    for _ in range(3):
        make_post(ada, thread)
    cost = []
    for _ in range(4):
        client.get(thread.get_absolute_url())
        with CaptureQueriesContext(connection) as spent:
            client.get(thread.get_absolute_url())
        cost.append(len(spent))
        bare = thread.posts.filter(poll__isnull=True).first()
        assert bare is not None
        poll = a_poll(bare)
        vote(poll=poll, member=bo, option_ids=ids(poll, 0))
    assert [each - cost[0] for each in cost] == [0, 1, 1, 1]


def test_a_reply_with_a_poll_comes_to_htmx_with_it(as_bo, thread):
    form = {"body": "Which?", "seen": "1", **FIELDS}
    piece = text_of(as_bo.post(reverse("reply", args=[thread.pk]), form, headers=HTMX))
    assert "Foam or wool?" in piece
    assert 'type="radio"' in piece
    assert 'name="poll-question"' not in piece  # the fresh composer has no poll


def test_a_polls_page_changes_and_closes_it(guest, as_ada, as_bo, ada, bo, poll, thread):
    address = reverse("edit_poll", args=[poll.post_id])
    assert "Foam\nWool\nBoth</textarea>" in text_of(as_ada.get(address))
    assert as_bo.get(address).status_code == 403
    assert guest.get(address).status_code == 302
    assert as_ada.post(address, {**FIELDS, "poll-question": "Felt?"}).status_code == 302
    vote(poll=poll, member=bo, option_ids=ids(poll, 0))
    response = as_ada.post(address, {**FIELDS, "poll-question": "Cork?"})
    assert response.status_code == 409
    assert "nothing but the closing time" in text_of(response)
    assert 'value="Cork?"' in text_of(response)
    response = as_ada.post(address, {**FIELDS, "poll-question": "", "poll-options": ""})
    assert response.status_code == 422
    closing = reverse("close_poll", args=[poll.post_id])
    assert as_bo.post(closing).status_code == 403
    assert as_ada.post(closing).status_code == 302
    poll.refresh_from_db()
    assert (poll.question, poll.closed_at is not None) == ("Felt?", True)
    assert PollOption.objects.count() == 3
