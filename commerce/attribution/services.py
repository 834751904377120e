"""Verbs of attribution: bring an order's credits in line with what is known, or all of them anew.

Whoever writes a credit locks its order first, so that two workers see each other's rows. Nothing
is ever changed: what is no longer so is taken back by another row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from commerce.attribution.balance import Balance, orders_off, weigh
from commerce.attribution.entries import CODE_VERSION, Key, Ledger, Part, ledger
from commerce.attribution.errors import AlreadyRunning, Unbalanced
from commerce.attribution.facts import Known, read_facts
from commerce.attribution.models import (
    AttributionRun,
    Credit,
    CreditModel,
    CreditReason,
    CurrentRun,
    RunStatus,
)
from commerce.attribution.policy import Kind, Policy
from commerce.merchants.models import Merchant
from commerce.orders.models import Order

log = structlog.stdlib.get_logger(__name__)

BATCH_ORDERS: Final = 100
# A run says how far it is after every batch; one that has been silent for so long is dead.
SILENT_AFTER: Final = timedelta(minutes=5)
CATCH_UP_ROUNDS: Final = 5
LOCK_TRIES: Final = 5
CHECK_SECONDS: Final = 300

Progress = Callable[[int, int], None]


def current_run(
    merchant: Merchant, model: CreditModel = CreditModel.LAST_TOUCH
) -> AttributionRun | None:
    """The run pages show, None before the merchant's first order. One query."""
    pointer = (
        CurrentRun.objects.select_related("run").filter(merchant=merchant, model=model).first()
    )
    return pointer.run if pointer else None


# -- one order --------------------------------------------------------------------------------


def credit_order(order_id: int) -> None:
    """Bring the credits of an order in line with it, in the current run and any at work.

    Safe to run again and in any order: it reads the order as it is now. Raises Unbalanced.
    """
    order = Order.objects.select_related("merchant").get(pk=order_id)
    credit_orders(order.merchant, [order_id])


@transaction.atomic
def credit_orders(merchant: Merchant, order_ids: Sequence[int]) -> None:
    """Do for many orders of a merchant what credit_order does for one. Raises Unbalanced."""
    runs = [_current_or_new(merchant)]
    runs += AttributionRun.objects.filter(merchant=merchant, status=RunStatus.RUNNING).exclude(
        pk=runs[0].pk
    )
    converge(runs, order_ids)


@transaction.atomic
def converge(runs: Sequence[AttributionRun], order_ids: Sequence[int]) -> int:
    """Write what the ledgers of these orders lack in each of the runs; return how many rows.

    The orders are of the runs' merchant. About 14 queries for any number of orders. Raises
    Unbalanced, with nothing written, if an order's credits are not what it is worth afterwards.
    """
    # Not FOR NO KEY UPDATE: a refund, a row that only points at the order, must wait for us as
    # well, or it could come between reading the facts and checking the sums.
    orders = list(
        Order.objects.select_for_update(of=("self",)).filter(pk__in=order_ids).order_by("pk")
    )
    known = read_facts(
        orders,
        run_ids=_with_current(runs),
        since=max(timedelta(seconds=_policy(run).click_window_seconds) for run in runs),
    )
    written = 0
    for run in runs:
        policy = _policy(run)
        wanted = {order.pk: ledger(known.facts[order.pk], policy) for order in orders}
        _warn_of_dropped(wanted)
        written += _write(run, known, wanted)
        if off := orders_off(run, [order.pk for order in orders]):
            raise Unbalanced(off)
    return written


def _write(run: AttributionRun, known: Known, wanted: dict[int, Ledger]) -> int:
    """Append the rows that lead from what is written to what is wanted; return how many."""
    written, origins = _read_written(run, list(wanted))
    sales: list[tuple[Credit, tuple[int, Key]]] = []
    reversals: list[tuple[Credit, tuple[int, Key]]] = []
    now = timezone.now()
    for order_id, target in wanted.items():
        # Keys in the order of the ledger, then those that are wanted no longer.
        for key in dict.fromkeys([*target.entries, *written.get(order_id, {})]):
            amount = target.entries.get(key, 0) - written.get(order_id, {}).get(key, 0)
            if not amount:
                continue
            credit = Credit(
                run=run,
                merchant_id=run.merchant_id,
                order_id=order_id,
                order_line_id=key.line_id,
                kind=key.kind,
                reason=_reason(key, amount),
                refund_id=key.refund_id,
                amount_minor=amount,
                currency=key.currency,
                placed_at=key.placed_at,
                credited_at=now,
                touchpoint_id=key.touch_id,
                listing_id=key.listing_id,
                **(asdict(known.places[key.touch_id]) if key.touch_id else {}),
            )
            origin = (order_id, replace(key, part=Part.SALE, refund_id=None))
            is_sale = credit.reason == CreditReason.SALE
            (sales if is_sale else reversals).append((credit, origin))
    Credit.objects.bulk_create([credit for credit, _ in sales])
    for credit, origin in sales:
        origins.setdefault(origin, credit.pk)
    for credit, origin in reversals:
        credit.reversal_of_id = origins[origin]
    Credit.objects.bulk_create([credit for credit, _ in reversals])
    return len(sales) + len(reversals)


def _reason(key: Key, amount: int) -> CreditReason:
    if key.part is Part.REFUND:
        return CreditReason.REFUND
    if key.part is Part.CANCELLATION:
        return CreditReason.CANCELLATION
    return CreditReason.SALE if amount > 0 else CreditReason.CHANGE


def _read_written(
    run: AttributionRun, order_ids: Sequence[int]
) -> tuple[dict[int, dict[Key, int]], dict[tuple[int, Key], int]]:
    """Return what the run says of the orders: sums by order and key, and the first row of each
    sale."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT order_id, order_line_id, kind, touchpoint_id, listing_id, placed_at, currency,
                CASE reason WHEN 'change' THEN 'sale' ELSE reason END AS part, refund_id,
                sum(amount_minor)::bigint, min(id)
            FROM commerce_credit
            WHERE run_id = %s AND order_id = ANY(%s)
            GROUP BY order_id, order_line_id, kind, touchpoint_id, listing_id, placed_at, currency,
                part, refund_id
            ORDER BY min(id)
            """,
            [run.pk, list(order_ids)],
        )
        rows = cursor.fetchall()
    sums: dict[int, dict[Key, int]] = {}
    origins: dict[tuple[int, Key], int] = {}
    for order_id, line_id, kind, touch_id, listing_id, placed_at, currency, part, *rest in rows:
        refund_id, amount, first = rest
        key = Key(
            line_id=line_id,
            kind=Kind(kind),
            touch_id=touch_id,
            listing_id=listing_id,
            placed_at=placed_at,
            currency=currency,
            part=Part(part),
            refund_id=refund_id,
        )
        sums.setdefault(order_id, {})[key] = amount
        if key.part is Part.SALE:
            origins[order_id, key] = first
    return sums, origins


def _warn_of_dropped(wanted: dict[int, Ledger]) -> None:
    for order_id, target in wanted.items():
        for refund_id, amount in target.dropped.items():
            log.warning(
                "refund beyond its order", order=order_id, refund=refund_id, dropped_minor=amount
            )


# -- runs -------------------------------------------------------------------------------------


def attribute_all(
    merchant: Merchant,
    *,
    model: CreditModel = CreditModel.LAST_TOUCH,
    on_progress: Progress | None = None,
) -> AttributionRun:
    """Reckon all orders of a merchant anew, with today's settings, and make that the current run.

    Works in batches, each in a transaction of its own, while orders keep coming in: those are
    written into the old run and this one. At the end, in one transaction, the run is caught up,
    weighed and made current. `on_progress` is called with (orders done, orders there are).

    Raises AlreadyRunning; or Unbalanced, and the run is kept as failed, the old one as current.
    """
    run = _begin(merchant, model)
    try:
        order_ids = list(
            Order.objects.filter(merchant=merchant).order_by("pk").values_list("pk", flat=True)
        )
        for start in range(0, len(order_ids), BATCH_ORDERS):
            batch = order_ids[start : start + BATCH_ORDERS]
            _converge_patiently(run, batch)
            done = start + len(batch)
            AttributionRun.objects.filter(pk=run.pk).update(
                progress_at=timezone.now(), order_count=done
            )
            if on_progress:
                on_progress(done, len(order_ids))
        return _finish(run)
    except Exception as error:
        AttributionRun.objects.filter(pk=run.pk).update(
            status=RunStatus.FAILED, failure=f"{type(error).__name__}: {error}"[:500]
        )
        raise


def _converge_patiently(run: AttributionRun, order_ids: Sequence[int]) -> None:
    """Like converge, but wait for whoever holds an order's lock."""
    for left in reversed(range(LOCK_TRIES)):
        try:
            converge([run], order_ids)
        except OperationalError as error:
            # 55P03 lock_not_available, 40P01 deadlock_detected: the transaction is undone.
            if not left or getattr(error.__cause__, "sqlstate", "") not in ("55P03", "40P01"):
                raise
        else:
            return


@transaction.atomic
def _begin(merchant: Merchant, model: CreditModel) -> AttributionRun:
    Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    now = timezone.now()
    at_work = AttributionRun.objects.filter(
        merchant=merchant, model=model, status=RunStatus.RUNNING
    )
    at_work.filter(progress_at__lt=now - SILENT_AFTER).update(
        status=RunStatus.FAILED, failure="It stopped half-way."
    )
    if other := at_work.first():
        raise AlreadyRunning(other.pk)
    return _create_run(merchant, model, RunStatus.RUNNING)


@transaction.atomic
def _finish(run: AttributionRun) -> AttributionRun:
    """Catch up with what came meanwhile, check that all adds up, and switch the pointer.

    An order that was written a moment ago is not in the run yet: its worker comes. So orders that
    disagree are brought in line here; each is then right, or converge raises Unbalanced.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{CHECK_SECONDS}s'")
    for _ in range(CATCH_UP_ROUNDS):
        balance = weigh(run)
        if not balance.off:
            break
        for start in range(0, len(balance.off), BATCH_ORDERS):
            converge([run], balance.off[start : start + BATCH_ORDERS])
    else:
        raise Unbalanced(balance.off)
    _close(run, balance)
    CurrentRun.objects.update_or_create(
        merchant_id=run.merchant_id, model=run.model, defaults={"run": run}
    )
    return run


def _close(run: AttributionRun, balance: Balance) -> None:
    run.totals = {
        each.currency: {
            "net_gmv_minor": each.net_gmv_minor,
            "direct_minor": each.direct_minor,
            "halo_minor": each.halo_minor,
            "unattributed_minor": each.unattributed_minor,
        }
        for each in balance.totals
    }
    own = run.totals.get(run.currency, {})
    run.net_gmv_minor = own.get("net_gmv_minor", 0)
    run.credited_minor = own.get("direct_minor", 0) + own.get("halo_minor", 0)
    run.unattributed_minor = own.get("unattributed_minor", 0)
    run.order_count = sum(each.order_count for each in balance.totals)
    run.status = RunStatus.FINISHED
    run.finished_at = run.progress_at = timezone.now()
    run.save()


def _current_or_new(merchant: Merchant) -> AttributionRun:
    """The merchant's current run; an empty one when this is the first order."""
    run = current_run(merchant)
    if run is None:
        # Two first orders at once: the merchant's row is the lock.
        Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
        run = current_run(merchant)
    if run is None:
        model = CreditModel.LAST_TOUCH
        run = _create_run(merchant, model, RunStatus.FINISHED)
        CurrentRun.objects.create(merchant=merchant, model=model, run=run)
    return run


def _create_run(merchant: Merchant, model: CreditModel, status: RunStatus) -> AttributionRun:
    params = {"click_window_seconds": settings.CLICK_WINDOW_SECONDS}
    now = timezone.now()
    return AttributionRun.objects.create(
        merchant=merchant,
        model=model,
        params=params,
        params_hash=_hash({"model": model.value, **params}),
        code_version=CODE_VERSION,
        status=status,
        started_at=now,
        progress_at=now,
        finished_at=now if status == RunStatus.FINISHED else None,
        cut_off=now,
        currency=merchant.currency,
    )


def _hash(params: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()


def _policy(run: AttributionRun) -> Policy:
    """The numbers the run was begun with: settings that change since make no difference to it."""
    return Policy(click_window_seconds=run.params["click_window_seconds"])


def _with_current(runs: Sequence[AttributionRun]) -> set[int]:
    pointers = CurrentRun.objects.filter(
        merchant__in={run.merchant_id for run in runs}, model__in={run.model for run in runs}
    )
    return {run.pk for run in runs} | set(pointers.values_list("run_id", flat=True))
