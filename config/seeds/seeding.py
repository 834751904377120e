"""Plays the script on an empty database: everything by the verbs the site itself uses.

The same script gives the same content every time; the clock only shifts all of it, so that the
newest words are an hour old.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime

from community.threads.scores import refresh_scores
from config.models import OutboxEvent, State
from config.seeds import care, market, mine, people, rooms, sales, standing, talk, tidying, trade
from config.seeds.darkroom import Darkroom
from config.seeds.script import Script
from config.seeds.stage import Progress, Stage, silent


class SeedFailed(RuntimeError):
    """A job that follows from what was written did not run; the message says which and why."""


def seed(
    script: Script,
    *,
    anchor: datetime,
    clicks: int = trade.CLICKS,
    lone_orders: int = trade.LONE_ORDERS,
    progress: Progress = silent,
    darkroom: Darkroom | None = None,
) -> Stage:
    """Write all of `script` into a database without members; `anchor` is its now.

    About `clicks` clicks and as many orders as they lead to, with `lone_orders` that nobody's
    words led to. Pictures of a `darkroom` that is given are drawn once for all that is played with
    it. Raises SeedFailed. Call it outside any transaction.
    """
    with nullcontext(darkroom) if darkroom else Darkroom() as darkroom:
        stage = Stage(script=script, anchor=anchor, darkroom=darkroom, progress=progress)
        # First what posts wait for, then what can be hung later.
        for thread in script.threads:
            for post in thread.posts:
                darkroom.order(post.pictures)
        for number, text in enumerate(script.listings):
            darkroom.order(market.photos_of(text, number))
        people.write_members(stage)
        people.write_groups(stage)
        market.open_merchants(stage)
        market.write_listings(stage)
        tidying.write_tags(stage)
        talk.write_threads(stage)
        talk.write_rooms(stage)
        rooms.write_talks(stage)
        stage.run_jobs("Links")
        sales.date_placements()
        care.look_after(stage)
        tidying.tidy(stage)
        standing.write_standing(stage)
        sales.write_sales(stage, clicks=clicks, lone_orders=lone_orders)
        market.hang_photos(stage)
        stage.run_jobs()
        mine.live_here(stage)
        refresh_scores(anchor)
    if left := OutboxEvent.objects.exclude(state=State.DONE).first():
        raise SeedFailed(f"{left.kind} did not run: {left.last_error}")
    return stage
