"""The rehearsal in small: what it brings, what it compares, and that the comparison can fail."""

from __future__ import annotations

import ast
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from commerce.connectors.models import Delivery
from commerce.listings.models import Listing
from commerce.orders.models import Order
from commerce.touchpoints.models import Touchpoint
from community.groups.models import Group
from community.members.models import Member
from community.threads.models import Thread
from config.rehearsal import sums
from config.rehearsal.log import Entry, read_log
from tests.factories import make_member

CLICKS, ORDERS = 40, 20
# Two questions, an answer to the first; nobody is named, as in a dump without Users.xml.
POSTS = """\
<?xml version="1.0" encoding="utf-8"?>
<posts>
  <row Id="1" PostTypeId="1" AcceptedAnswerId="3" CreationDate="2015-01-27T20:09:32.720"
    Title="Does the TEAC CX-315 still hold its speed?" Body="&lt;p&gt;Mine drifts.&lt;/p&gt;"
    OwnerUserId="4" />
  <row Id="2" PostTypeId="1" CreationDate="2015-01-28T09:00:00.000" Title="Which grinder?"
    Body="&lt;p&gt;For one cup a day.&lt;/p&gt;" OwnerUserId="5" />
  <row Id="3" PostTypeId="2" ParentId="1" CreationDate="2015-01-29T10:00:00.000"
    Body="&lt;p&gt;A new belt helps.&lt;/p&gt;" OwnerUserId="5" />
</posts>
"""
NOUNS = ("lamp", "wheel", "frame", "amplifier", "tripod", "saddle", "monitor", "rack")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny dump and two tiny feeds, laid out as the real ones are."""
    dump = tmp_path / "threads" / "coffee"
    dump.mkdir(parents=True)
    (dump / "Posts.xml").write_text(POSTS, encoding="utf-8")
    listings = tmp_path / "listings"
    listings.mkdir()
    write_feed(listings / "bike.ndjson", first=700_100, models=("Trek", "FX", "Felt", "QX"))
    write_feed(listings / "electronics.ndjson", first=800_100, models=("TEAC", "CX", "Sony", "STR"))
    return tmp_path


def write_feed(path: Path, *, first: int, models: tuple[str, str, str, str]) -> None:
    """Forty listings: every other one names a brand and a model of its own."""
    rows = []
    for number in range(40):
        brand, model = (models[:2], models[2:])[number // 2 % 2]
        named = number % 2 == 0
        row = {"post_id": str(first + number), "price": 20 + 7 * number, "description": ["Works."]}
        row["title"] = (
            f"{brand} {model}-{315 + number}" if named else f"Old {NOUNS[number % 8]}, as it is"
        )
        if named:
            row |= {"brand": brand, "model": f"{model}-{315 + number}"}
        rows.append(json.dumps(row))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def rehearse(folder: Path | None = None, **options) -> str:
    said = StringIO()
    arguments = [folder] if folder else []
    call_command("rehearse", *arguments, stdout=said, verbosity=0, no_color=True, **options)
    return said.getvalue()


def small(folder: Path, **options) -> str:
    return rehearse(
        folder, clicks=CLICKS, orders=ORDERS, seed=1, log=folder / "sent.ndjson", **options
    )


def test_the_main_job_runs_and_every_figure_of_the_merchants_is_the_sum_of_what_was_sent(
    db, folder
):
    said = small(folder)
    assert re.search(r"All \d+ figures are equal\.", said)
    assert " | NO" not in said
    assert Thread.objects.filter(group__slug="coffee").count() == 2
    assert Listing.objects.count() == 80
    assert Touchpoint.objects.count() == CLICKS
    assert Order.objects.count() == ORDERS
    # Each way of naming a listing leads to it, also a brand with its model.
    assert said.count("10 named: 10 linked, 0 suggested, 0 nothing") == 4
    # The real thread that names a model links by itself.
    assert "3 posts: 1 linked, 0 suggested only, 2 nothing." in said
    sent = list(read_log(folder / "sent.ndjson"))
    kinds = {entry["kind"] for entry in sent if entry["what"] == "click"}
    assert kinds == {"counted", "bot", "prefetch", "repeat"}
    types = {entry["type"] for entry in sent if entry["what"] == "delivery"}
    assert types == {"order.created", "order.updated", "order.cancelled", "refund.created"}


def test_an_order_missing_from_the_log_and_a_click_too_many_are_found(db, folder):
    """The bad twins: a log that says less, or more, than what was sent."""
    small(folder)
    log = folder / "sent.ndjson"
    entries = list(read_log(log))
    orders = [entry for entry in entries if entry.get("type") == "order.created"]
    gone = next(entry["data"]["id"] for entry in orders if not entry["data"].get("test"))
    off = differing(
        log, [entry for entry in entries if gone not in _numbers(entry.get("data", {}))]
    )
    assert any(re.match(r"orders +\| +19 +\| +20 ", line) for line in off)
    assert sum(bool(re.match(r"[a-z]+-shop: GMV ", line)) for line in off) == 1

    click = next(entry for entry in entries if entry.get("kind") == "counted")
    off = differing(log, [*entries, {**click, "fc": "never"}])
    assert [line.split(" | ")[0].strip() for line in off][:2] == [
        "clicks: counted",
        f"{click['merchant']}: clicks",
    ]

    # And the whole log is right again.
    write(log, entries)
    assert "figures are equal." in rehearse(compare=log)


def differing(log: Path, entries: list[Entry]) -> list[str]:
    """Compare a log of these entries: it must end with 1. Return the lines that differ."""
    write(log, entries)
    said = StringIO()
    with pytest.raises(CommandError, match=r"^\d+ of \d+ figures differ\.$") as refusal:
        call_command("rehearse", compare=log, stdout=said, verbosity=0, no_color=True)
    assert refusal.value.returncode == 1
    return [line for line in said.getvalue().splitlines() if line.endswith("| NO")]


def write(log: Path, entries: list[Entry]) -> None:
    log.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")


def _numbers(data: dict[str, Any]) -> set[str]:
    """The order a delivery is about, by its number or its refund's."""
    return {data.get("id", ""), data.get("order_id", "")}


def test_a_database_with_members_is_refused_and_stays_as_it_is(db, folder):
    make_member("ada")
    with pytest.raises(CommandError, match="This database has members"):
        small(folder)
    assert Member.objects.count() == 1
    assert not Group.objects.exists()


@pytest.mark.parametrize("mode", ["production", "demo"])
def test_it_runs_nowhere_but_in_a_rehearsal(db, folder, settings, mode):
    settings.MODE = mode
    with pytest.raises(CommandError, match="never in production"):
        small(folder)
    assert not Member.objects.exists()
    assert not Delivery.objects.exists()


def test_the_sum_knows_nothing_of_the_code_it_checks():
    tree = ast.parse(Path(sums.__file__).read_text(encoding="utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [each.name for each in node.names]
        )
    }
    ours = {"config", "commerce", "community", "moderation", "django"}
    assert not {name for name in imported if name.split(".")[0] in ours}
