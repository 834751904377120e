"""Charts: round axes, points where they belong, words and a table beside every drawing."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from commerce.templatetags.charts import (
    TICKS,
    LineChart,
    Point,
    compact,
    nice_ticks,
    share_of,
    sparkline,
)


def chart(*values: int, before: tuple[int | None, ...] = (), **fields) -> LineChart:
    before = before or (None,) * len(values)
    points = [
        Point(f"{number} Nov", value, earlier, f"{number} Oct 2026", href=f"/lines/{number}")
        for number, (value, earlier) in enumerate(zip(values, before, strict=True), 1)
    ]
    fields.setdefault("currency", "GBP")
    return LineChart("sales", "Sales by day", "They rose.", points, **fields)


def drawn(some: LineChart) -> str:
    return Template("{% load charts %}{% line_chart chart %}").render(Context({"chart": some}))


def drawings(html: str) -> list[ElementTree.Element]:
    found = re.findall(r"<svg class=\"chart.*?</svg>", html, re.DOTALL)
    return [ElementTree.fromstring(each) for each in found]


# -- axes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("highest", "least", "ticks"),
    [
        (0, 1, [0, 1]),
        (1, 1, [0, 1]),
        (7, 1, [0, 2, 4, 6, 8]),
        (197_300, 100, [0, 50_000, 100_000, 150_000, 200_000]),
        (99, 100, [0, 100]),
        (90_000, 100, [0, 25_000, 50_000, 75_000, 100_000]),
        (1_000, 1, [0, 250, 500, 750, 1_000]),
    ],
)
def test_an_axis_is_ticked_in_round_steps(highest, least, ticks):
    assert nice_ticks(highest, least) == ticks


@given(st.integers(0, 10**15), st.sampled_from([1, 100, 1000]))
def test_an_axis_reaches_its_highest_value_in_a_few_even_steps(highest, least):
    ticks = nice_ticks(highest, least)
    steps = {after - tick for tick, after in itertools.pairwise(ticks)}
    assert ticks[0] == 0
    assert ticks[-1] >= highest
    assert len(steps) == 1 and steps.pop() % least == 0
    assert 2 <= len(ticks) <= TICKS + 1


@pytest.mark.parametrize(
    ("value", "currency", "words"),
    [
        (0, "GBP", "£0"),
        (25_000, "GBP", "£250"),
        (6_120, "GBP", "£61.20"),
        (150_000, "GBP", "£1.5k"),
        (196_012, "GBP", "£1.96k"),
        (123_456_789, "GBP", "£1.23m"),
        (1_500, "JPY", "¥1.5k"),
        (200_000_000, "CHF", "CHF\N{NO-BREAK SPACE}2m"),
        (12, "", "12"),
    ],
)
def test_amounts_on_an_axis_are_short(value, currency, words):
    assert compact(value, currency) == words


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (1, 4, "25%"),
        (0, 4, "0%"),
        (1, 1000, "under 1%"),
        (1, 101, "under 1%"),
        (5, 0, "–"),
        (4, 4, "100%"),
    ],
)
def test_a_share_is_said_in_per_cent(part, whole, words):
    assert share_of(part, whole) == words


# -- drawings ---------------------------------------------------------------------------------


def test_a_chart_is_drawn_wide_and_narrow_each_with_its_title_and_finding():
    wide, narrow = drawings(drawn(chart(100, 300, 200)))
    assert (wide.get("class"), narrow.get("class")) == ("chart only-wide", "chart only-narrow")
    for drawing in (wide, narrow):
        named = (drawing.get("aria-labelledby") or "").split()
        texts = {each.get("id"): each.text for each in drawing}
        assert [texts[name] for name in named] == ["Sales by day", "They rose."]
        assert drawing.get("role") == "img"


def test_no_two_elements_of_a_page_share_an_id():
    ids = re.findall(r'id="([^"]+)"', drawn(chart(100, 300, before=(50, 60))))
    assert len(ids) == len(set(ids)) == 4


def test_points_lie_between_the_axes_in_proportion():
    (wide, _) = drawings(drawn(chart(0, 10_000, 20_000)))
    hits = wide.findall("rect[@class='hit']")
    assert [(hit.get("data-x"), hit.get("data-y")) for hit in hits] == [
        ("50", "244"),
        ("500", "133"),
        ("950", "22"),
    ]


def test_every_point_says_its_day_its_value_and_the_one_before():
    (wide, _) = drawings(drawn(chart(100, 1_250, before=(0, 5_000))))
    words = [title.text for title in wide.iterfind("rect/title")]
    assert words == [
        "1 Nov: £1, before (1 Oct 2026) £0",
        "2 Nov: £12.50, before (2 Oct 2026) £50",
    ]


def test_the_period_before_is_dashed_and_only_there_when_known():
    assert 'class="l0"' in drawn(chart(1, 2, before=(3, 4)))
    assert 'class="l0"' not in drawn(chart(1, 2))


def test_the_table_has_every_value_and_the_link_that_opens_it():
    html = drawn(chart(100, 0, before=(5_000, 700)))
    cells = re.findall(r"<td class=\"n\">(.*?)</td>", html)
    assert cells == ['<a class="link" href="/lines/1">£1</a>', "£50", "£0", "£7"]


def test_one_point_and_nothing_but_zeros_are_drawn():
    (wide, _) = drawings(drawn(chart(0)))
    assert [hit.get("data-y") for hit in wide.iterfind("rect")] == ["244"]
    drawings(drawn(chart(0, 0, 0, before=(0, 0, 0))))


def test_a_chart_without_points_says_its_finding():
    html = drawn(chart())
    assert "<svg" not in html
    assert "They rose." in html


def test_words_of_members_are_escaped():
    html = drawn(LineChart("x", "<b>A</b>", '"&', [Point("<i>", 1)], currency=""))
    assert "<b>" not in html and "<i>" not in html
    assert "&lt;b&gt;A&lt;/b&gt;" in html


def test_nothing_is_styled_or_scripted_inline():
    html = drawn(chart(1, 2, before=(3, 4)))
    assert not re.search(r"\sstyle=|\son\w+=|<script|<style", html)


values = st.lists(
    st.tuples(st.integers(0, 10**12), st.integers(0, 10**12)), min_size=1, max_size=60
)


@given(values)
def test_whatever_is_drawn_stays_inside_its_frame(pairs):
    some = chart(*(now for now, _ in pairs), before=tuple(was for _, was in pairs))
    for drawing in drawings(drawn(some)):
        _, _, width, height = (float(part) for part in (drawing.get("viewBox") or "").split())
        for hit in drawing.iterfind("rect"):
            assert 0 <= float(hit.get("data-x", -1)) <= width
            assert 0 <= float(hit.get("data-y", -1)) <= height


def test_a_sparkline_is_decoration_and_needs_two_values():
    assert sparkline([1]) == ""
    assert 'aria-hidden="true"' in sparkline([1, 2, 3])
    assert "M2.0 33.0 L60.0 18.0 L118.0 3.0" in sparkline([0, 1, 2])
