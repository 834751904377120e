"""Who may earn credit, and how money is shared and taken back: pure rules, exact cases."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.attribution.arithmetic import reverse_refund, split, take
from commerce.attribution.entries import Facts, Key, Line, Part, Refund, ledger
from commerce.attribution.policy import (
    Kind,
    Policy,
    Purchase,
    Touch,
    Verdict,
    contest,
    excluded_by,
    last_touch,
    verdicts,
)

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Policy(click_window_seconds=30 * 24 * 3600)
SHOP, OTHER_SHOP = 1, 2
CAMERA, LENS = 10, 11
ADA, BO = 100, 101


def touch(number: int = 1, *, before: timedelta = DAY, **fields) -> Touch:
    fields.setdefault("merchant_id", SHOP)
    fields.setdefault("listing_id", CAMERA)
    return Touch(id=UUID(int=number), occurred_at=NOON - before, **fields)


def purchase(**fields) -> Purchase:
    return Purchase(merchant_id=SHOP, placed_at=NOON, **fields)


def why(one: Touch, **fields) -> Verdict | None:
    return excluded_by(one, purchase(**fields), POLICY)


# -- eligibility ------------------------------------------------------------------------------


def test_a_click_at_the_instant_of_the_order_is_inside_the_window():
    assert why(touch(before=timedelta(0))) is None


def test_a_click_a_microsecond_after_the_order_is_outside():
    assert why(touch(before=timedelta(microseconds=-1))) is Verdict.AFTER_ORDER


def test_a_click_exactly_thirty_days_before_the_order_is_inside_the_window():
    assert why(touch(before=30 * DAY)) is None


def test_a_click_a_microsecond_more_than_thirty_days_before_is_outside():
    assert why(touch(before=30 * DAY + timedelta(microseconds=1))) is Verdict.TOO_EARLY


@pytest.mark.parametrize("reason", ["bot", "prefetch", "repeat"])
def test_what_was_not_counted_when_it_happened_earns_nothing(reason):
    assert why(touch(not_counted=reason)) == reason


def test_a_click_on_another_merchants_listing_earns_nothing():
    assert why(touch(merchant_id=OTHER_SHOP)) is Verdict.OTHER_MERCHANT


def test_the_author_buying_through_their_own_post_is_a_self_purchase():
    assert why(touch(author_id=ADA), buyers=frozenset({ADA})) is Verdict.OWN_POST


def test_the_author_buying_through_somebody_elses_post_is_not():
    assert why(touch(author_id=BO), buyers=frozenset({ADA})) is None


def test_a_touch_without_an_author_is_nobodys_own_post():
    assert why(touch(author_id=None), buyers=frozenset({ADA})) is None


def test_a_buyer_on_the_merchants_team_earns_nobody_anything():
    assert why(touch(author_id=BO), buyers=frozenset({ADA}), team=frozenset({ADA})) is Verdict.TEAM


def test_the_shops_own_post_sells_to_others():
    assert why(touch(author_id=ADA), buyers=frozenset({BO}), team=frozenset({ADA})) is None


# -- last touch -------------------------------------------------------------------------------


def test_the_last_click_on_the_listing_takes_the_credit():
    first, last = touch(1, before=3 * DAY), touch(2, before=DAY)
    assert verdicts(CAMERA, [first, last], purchase(), POLICY) == [
        (last, Verdict.CREDITED),
        (first, Verdict.NOT_LAST),
    ]


def test_of_two_clicks_at_one_instant_the_greater_id_is_the_last():
    one, two = touch(1), touch(2)
    assert verdicts(CAMERA, [two, one], purchase(), POLICY) == [
        (two, Verdict.CREDITED),
        (one, Verdict.NOT_LAST),
    ]


def test_a_later_click_on_another_listing_does_not_take_a_direct_credit():
    direct, other = touch(1, before=2 * DAY), touch(2, before=DAY, listing_id=LENS)
    assert verdicts(CAMERA, [direct, other], purchase(), POLICY) == [
        (other, Verdict.OTHER_LISTING),
        (direct, Verdict.CREDITED),
    ]


def test_without_a_click_on_the_listing_the_merchants_last_other_one_is_halo():
    older, newer = touch(1, before=2 * DAY, listing_id=LENS), touch(2, listing_id=LENS)
    sharing = contest(CAMERA, [newer, older])
    assert (sharing.kind, sharing.touches) == (Kind.HALO, (older, newer))


def test_a_line_without_a_listing_of_ours_is_halo_at_most():
    assert contest(None, [touch()]).kind is Kind.HALO


def test_without_an_eligible_click_a_line_is_unattributed():
    assert contest(CAMERA, []).kind is Kind.UNATTRIBUTED


def test_an_excluded_last_click_leaves_the_credit_to_the_one_before():
    kept, bot = touch(1, before=2 * DAY), touch(2, not_counted="bot")
    assert verdicts(CAMERA, [kept, bot], purchase(), POLICY) == [
        (bot, Verdict.BOT),
        (kept, Verdict.CREDITED),
    ]


def test_the_weights_of_last_touch_are_all_on_the_last():
    assert last_touch([]) == []
    assert last_touch([touch(1)]) == [1]
    assert last_touch([touch(1), touch(2), touch(3)]) == [0, 0, 1]


# -- sharing out ------------------------------------------------------------------------------


def test_three_share_a_hundred_and_the_first_gets_the_odd_one():
    assert split(100, {1: 1, 2: 1, 3: 1}) == {1: 34, 2: 33, 3: 33}


def test_the_largest_remainders_get_what_is_left_over():
    # 14.29, 28.57 and 57.14: one unit is left over, and .57 is the largest remainder.
    assert split(100, {1: 1, 2: 2, 3: 4}) == {1: 14, 2: 29, 3: 57}


def test_nothing_is_shared_with_nobody():
    assert split(0, {}) == {}
    with pytest.raises(ValueError, match="nobody"):
        split(1, {1: 0})


def test_a_negative_total_is_refused():
    with pytest.raises(ValueError, match="negative"):
        split(-1, {1: 1})


weights = st.dictionaries(st.integers(0, 50), st.integers(0, 10**6), min_size=1, max_size=20)
totals = st.integers(0, 10**13)


@given(totals, weights.filter(lambda some: sum(some.values()) > 0))
def test_parts_add_up_to_the_total_to_the_unit(total, some):
    assert sum(split(total, some).values()) == total


@given(totals, weights.filter(lambda some: sum(some.values()) > 0))
def test_every_part_is_its_exact_share_rounded_down_or_up(total, some):
    whole = sum(some.values())
    for key, part in split(total, some).items():
        assert abs(part - Fraction(total * some[key], whole)) < 1


@given(totals, weights.filter(lambda some: sum(some.values()) > 0), st.integers())
def test_the_order_of_those_who_share_makes_no_difference(total, some, seed):
    shuffled = list(some.items())
    Random(seed).shuffle(shuffled)
    assert split(total, dict(shuffled)) == split(total, some)


@given(st.integers(0, 10**8), weights)
def test_taking_never_takes_more_than_there_is(amount, some):
    taken = take(amount, some)
    assert sum(taken.values()) == min(amount, sum(some.values()))
    assert all(0 < part <= some[key] for key, part in taken.items())


# -- refunds ----------------------------------------------------------------------------------

# Keys are (line, touch): line 1 is shared by two touches, line 2 has one, line 3 one.
CREDITS = {(1, "a"): 600, (1, "b"): 400, (2, "a"): 500, (3, "c"): 300}


def line_of(key: tuple[int, str]) -> int:
    return key[0]


def reverse(parts: dict[int | None, int], credits=CREDITS):
    return reverse_refund(parts, credits, line_of)


def test_a_refund_of_a_line_is_taken_from_its_credits_in_proportion():
    assert reverse({1: 100}) == ({(1, "a"): 60, (1, "b"): 40}, 0)


def test_what_a_line_cannot_give_spills_to_the_refunds_other_lines():
    assert reverse({1: 1200, 2: 100}) == ({(1, "a"): 600, (1, "b"): 400, (2, "a"): 300}, 0)


def test_then_to_the_orders_other_lines():
    assert reverse({2: 600}) == ({(2, "a"): 500, (1, "a"): 46, (1, "b"): 31, (3, "c"): 23}, 0)


def test_and_the_rest_is_dropped():
    taken, dropped = reverse({1: 1000, 2: 500, 3: 450})
    assert (taken, dropped) == (CREDITS, 150)


def test_an_amount_alone_is_taken_from_all_that_remains():
    assert reverse({None: 180}) == (
        {(1, "a"): 60, (1, "b"): 40, (2, "a"): 50, (3, "c"): 30},
        0,
    )


def test_a_refund_of_a_line_that_was_removed_spills():
    assert reverse({9: 30}, {(1, "a"): 100}) == ({(1, "a"): 30}, 0)


credits_left = st.dictionaries(
    st.tuples(st.integers(1, 4), st.sampled_from("abc")), st.integers(0, 1000), max_size=8
)
refund_parts = st.dictionaries(
    st.one_of(st.none(), st.integers(1, 5)), st.integers(1, 1500), min_size=1, max_size=4
)


@given(credits_left, refund_parts)
def test_a_refund_takes_all_it_can_and_nothing_turns_negative(credits, parts):
    taken, dropped = reverse(parts, credits)
    assert sum(taken.values()) + dropped == sum(parts.values())
    assert sum(taken.values()) == min(sum(parts.values()), sum(credits.values()))
    assert all(0 < amount <= credits[key] for key, amount in taken.items())


@given(credits_left, refund_parts, st.integers())
def test_the_order_of_a_refunds_parts_makes_no_difference(credits, parts, seed):
    shuffled = list(parts.items())
    Random(seed).shuffle(shuffled)
    assert reverse(dict(shuffled), credits) == reverse(parts, credits)


# -- the ledger of an order -------------------------------------------------------------------


def key(line: int, kind: Kind, touch_id: int | None, listing: int | None, **fields) -> Key:
    return Key(
        line_id=line,
        kind=kind,
        touch_id=UUID(int=touch_id) if touch_id else None,
        listing_id=listing,
        placed_at=NOON,
        currency="GBP",
        **fields,
    )


def facts(**fields) -> Facts:
    fields.setdefault("purchase", purchase())
    return Facts(currency="GBP", **fields)


def test_each_line_is_direct_halo_or_unattributed_by_itself():
    bought = facts(
        lines=[Line(1, 21_000, CAMERA), Line(2, 3_400, LENS), Line(3, 0, CAMERA)],
        touches=[touch(1)],
    )
    assert ledger(bought, POLICY).entries == {
        key(1, Kind.DIRECT, 1, CAMERA): 21_000,
        key(2, Kind.HALO, 1, LENS): 3_400,
    }
    assert ledger(facts(lines=bought.lines), POLICY).entries == {
        key(1, Kind.UNATTRIBUTED, None, CAMERA): 21_000,
        key(2, Kind.UNATTRIBUTED, None, LENS): 3_400,
    }


def test_a_refund_and_then_a_cancellation_leave_nothing_and_keep_every_entry():
    bought = facts(
        lines=[Line(1, 21_000, CAMERA)],
        touches=[touch(1)],
        refunds=[Refund(7, {1: 5_000})],
        cancelled=True,
    )
    direct = key(1, Kind.DIRECT, 1, CAMERA)
    assert ledger(bought, POLICY).entries == {
        direct: 21_000,
        key(1, Kind.DIRECT, 1, CAMERA, part=Part.REFUND, refund_id=7): -5_000,
        key(1, Kind.DIRECT, 1, CAMERA, part=Part.CANCELLATION): -16_000,
    }


def test_refunds_beyond_the_order_are_dropped_and_named():
    bought = facts(
        lines=[Line(1, 100, CAMERA)], refunds=[Refund(7, {1: 80}), Refund(8, {None: 50})]
    )
    result = ledger(bought, POLICY)
    assert (result.net_minor, result.dropped) == (0, {8: 30})


def test_a_test_order_has_no_ledger():
    bought = facts(lines=[Line(1, 100, CAMERA)], touches=[touch(1)], test=True)
    assert ledger(bought, POLICY).entries == {}


touches = st.lists(
    st.builds(
        touch,
        st.integers(1, 30),
        before=st.timedeltas(timedelta(days=-3), timedelta(days=40)),
        merchant_id=st.sampled_from([SHOP, SHOP, SHOP, OTHER_SHOP]),
        listing_id=st.sampled_from([CAMERA, LENS]),
        author_id=st.sampled_from([None, ADA, BO]),
        not_counted=st.sampled_from(["", "", "", "bot", "prefetch", "repeat"]),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)
order_lines = st.lists(
    st.tuples(st.integers(0, 10**6), st.sampled_from([CAMERA, LENS, None])), max_size=4
).map(lambda rows: [Line(number, *row) for number, row in enumerate(rows, 1)])
refunds = st.lists(refund_parts, max_size=3).map(
    lambda rows: [Refund(number, parts) for number, parts in enumerate(rows, 1)]
)
orders = st.builds(
    facts,
    lines=order_lines,
    touches=touches,
    refunds=refunds,
    cancelled=st.booleans(),
    purchase=st.builds(
        purchase,
        buyers=st.frozensets(st.sampled_from([ADA, BO])),
        team=st.frozensets(st.sampled_from([ADA, BO])),
    ),
)


@given(orders)
def test_an_orders_ledger_adds_up_to_its_net_gmv_to_the_unit(order):
    sold = sum(line.net_minor for line in order.lines)
    given_back = sum(sum(refund.parts.values()) for refund in order.refunds)
    result = ledger(order, POLICY)
    assert result.net_minor == (0 if order.cancelled else max(0, sold - given_back))
    sales = [amount for entry, amount in result.entries.items() if entry.part is Part.SALE]
    assert sum(sales) == sold
    assert sum(result.dropped.values()) == max(0, given_back - sold)


@given(orders)
def test_no_line_of_a_ledger_turns_negative(order):
    left: Counter[tuple[object, ...]] = Counter()
    for entry, amount in ledger(order, POLICY).entries.items():
        left[entry.line_id, entry.kind, entry.touch_id] += amount
    assert all(amount >= 0 for amount in left.values())


@given(orders, st.integers())
def test_the_order_in_which_touches_are_known_makes_no_difference(order, seed):
    shuffled = list(order.touches)
    Random(seed).shuffle(shuffled)
    again = facts(
        lines=order.lines,
        touches=shuffled,
        refunds=order.refunds,
        cancelled=order.cancelled,
        purchase=order.purchase,
    )
    assert ledger(again, POLICY) == ledger(order, POLICY)


@given(orders)
def test_what_earns_credit_is_what_the_verdicts_say(order):
    result = ledger(order, POLICY)
    for line in order.lines:
        earned = {
            entry.touch_id
            for entry in result.entries
            if entry.line_id == line.id and entry.touch_id
        }
        said = {
            one.id
            for one, verdict in verdicts(line.listing_id, order.touches, order.purchase, POLICY)
            if verdict is Verdict.CREDITED
        }
        assert earned == (said if line.net_minor else set())
