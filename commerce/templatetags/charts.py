"""Charts drawn on the server: SVG with a title, a finding and a table, no script needed.

Values are whole numbers: minor units where the chart has a currency, else counts. Nothing here
asks the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from config.money import exponent, in_words

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

register = template.Library()

TICKS: Final = 4  # steps of the value axis, about
DAY: Final = _("Day")
THIS_AND_BEFORE: Final = (_("This period"), _("Period before"))
# What large numbers are counted in.
_SIZES: Final = {
    "en": ((1_000_000, "m"), (1_000, "k")),
    "zh-hans": ((100_000_000, "亿"), (10_000, "万")),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a chart: "24 Oct", its value, the one of the period before, and where it leads.

    `href` opens what the value is made of.
    """

    label: str
    value: int
    before: int | None = None
    before_label: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line over time. `name` is its id in the page; `finding` says in a sentence what it shows.

    `unit` heads the table's first column ("Day"); without `currency` values are counts.
    """

    name: str
    title: str
    finding: str
    points: Sequence[Point]
    currency: str = ""
    unit: StrOrPromise = DAY
    series: tuple[StrOrPromise, StrOrPromise] = THIS_AND_BEFORE

    @property
    def has_before(self) -> bool:
        return any(point.before is not None for point in self.points)

    def write(self, value: int) -> str:
        return (
            in_words(value, self.currency)
            if self.currency
            else number_format(value, force_grouping=True)
        )

    def write_short(self, value: int) -> str:
        return compact(value, self.currency)


def compact(value: int, currency: str = "") -> str:
    """Write a value short, for axes: "£1.5k", "£250", "CHF 2m", "12". Rounded to three figures."""
    whole = value / 10 ** (exponent(currency) if currency else 0)
    for size, suffix in _SIZES.get(get_language() or "", _SIZES["en"]):
        if whole >= size:
            figures = f"{float(f'{whole / size:.3g}'):,g}{suffix}"
            break
    else:
        if currency and whole != int(whole):
            return in_words(value, currency)  # £61.20, not £61.2
        figures = f"{round(whole, 2):g}"
    symbol = in_words(0, currency).removesuffix("0") if currency else ""
    return f"{symbol}{figures}"


def nice_ticks(highest: int, least_step: int = 1) -> list[int]:
    """Return round values from 0 to at least `highest`, TICKS steps or fewer.

    Steps are 1, 2, 2.5 or 5 times a power of ten (3 for 2.5 below ten), in whole multiples of
    `least_step`: 1 for counts, one unit of money for amounts.
    """
    if highest <= 0:
        return [0, least_step]
    rough = max(1, -(-highest // (TICKS * least_step)))
    power = 1
    while power * 10 <= rough:
        power *= 10
    steps = [power, 2 * power, 5 * power // 2 if power >= 10 else 3 * power, 5 * power, 10 * power]
    step = next(each for each in steps if each >= rough) * least_step
    return [step * number for number in range(-(-highest // step) + 1)]


@dataclass(slots=True)
class _Plot:
    """Where things are in an SVG of `width` by `height`: plain geometry, in its own units."""

    chart: LineChart
    width: int
    height: int
    labels: int  # how many steps are named below
    left: int = 50
    right: int = 10
    top: int = 22
    bottom: int = 28
    ticks: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        values = [value for p in self.chart.points for value in (p.value, p.before or 0)]
        currency = self.chart.currency
        least = 10 ** exponent(currency) if currency else 1
        self.ticks = nice_ticks(max(values, default=0), least)

    def x(self, number: int) -> float:
        steps = max(1, len(self.chart.points) - 1)
        return round(self.left + (self.width - self.left - self.right) * number / steps, 1)

    def y(self, value: int) -> float:
        room = self.height - self.top - self.bottom
        return round(self.top + room * (1 - max(0, value) / self.ticks[-1]), 1)

    def path(self, values: Sequence[int]) -> str:
        # Straight from point to point: a smoothed line would show sales nobody made.
        return "M" + " L".join(f"{self.x(n):g} {self.y(value):g}" for n, value in enumerate(values))

    @property
    def named(self) -> list[int]:
        """The steps named below: first, last, and some evenly between."""
        last = len(self.chart.points) - 1
        count = min(self.labels, last + 1)
        if count <= 1:
            return list(range(count))
        return sorted({round(last * n / (count - 1)) for n in range(count)})


def _draw(plot: _Plot, variant: str) -> SafeString:
    chart, points = plot.chart, plot.chart.points
    base, right = plot.y(0), plot.width - plot.right
    grid = format_html_join(
        "",
        '<line class="{}" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" text-anchor="end">'
        "{}</text>",
        (
            (
                "gridline" if tick else "axis",
                *(plot.left, right, f"{plot.y(tick):g}", f"{plot.y(tick):g}"),
                *(plot.left - 8, f"{plot.y(tick) + 4:g}", chart.write_short(tick)),
            )
            for tick in plot.ticks
        ),
    )
    last = len(points) - 1
    names = format_html_join(
        "",
        '<text x="{}" y="{}" text-anchor="{}">{}</text>',
        (
            (
                f"{plot.x(n):g}",
                plot.height - 8,
                "start" if n == 0 < last else "end" if n == last > 0 else "middle",
                points[n].label,
            )
            for n in plot.named
        ),
    )
    values = [point.value for point in points]
    lines = [
        format_html(
            '<path class="a1" d="{} L{} {} L{} {}Z"/>',
            *(plot.path(values), plot.x(last), base, plot.x(0), base),
        )
    ]
    if chart.has_before:
        before = plot.path([point.before or 0 for point in points])
        lines.append(format_html('<path class="l0" d="{}"/>', before))
    lines.append(format_html('<path class="l1" d="{}"/>', plot.path(values)))
    end = points[last]
    lines.append(
        format_html(
            '<g class="end"><circle class="dot" cx="{}" cy="{}" r="4.5"/>'
            '<text class="strong" x="{}" y="{}" text-anchor="end">{}</text></g>',
            *(plot.x(last), plot.y(end.value), plot.x(last) + 4),
            *(max(12.0, plot.y(end.value) - 11), chart.write_short(end.value)),
        )
    )
    step = plot.x(1) - plot.x(0) if last else right - plot.left
    hits = format_html_join(
        "",
        '<rect class="hit" x="{}" y="{}" width="{}" height="{}" data-x="{}" data-y="{}">'
        "<title>{}</title></rect>",
        (
            (
                *(f"{plot.x(n) - step / 2:.1f}", plot.top, f"{step:.1f}", f"{base - plot.top:g}"),
                *(f"{plot.x(n):g}", f"{plot.y(point.value):g}", _say(chart, point)),
            )
            for n, point in enumerate(points)
        ),
    )
    cursor = format_html(
        '<g class="cursor" visibility="hidden"><line class="axis" y1="{}" y2="{}"/>'
        '<circle class="dot" r="4.5"/><text class="strong" y="{}"></text></g>',
        *(plot.top, base, plot.top - 8),
    )
    name = f"{chart.name}-{variant}"
    return format_html(
        '<svg class="chart only-{}" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-t {}-d">'
        '<title id="{}-t">{}</title><desc id="{}-d">{}</desc>{}{}{}{}{}</svg>',
        *(variant, plot.width, plot.height, name, name, name, chart.title, name, chart.finding),
        *(grid, names, mark_safe("".join(lines)), hits, cursor),
    )


def _say(chart: LineChart, point: Point) -> str:
    told = {"label": point.label, "value": chart.write(point.value)}
    if point.before is None:
        return f"{point.label}: {told['value']}"
    told |= {"before": chart.write(point.before), "before_label": point.before_label}
    if point.before_label:
        return gettext("%(label)s: %(value)s, before (%(before_label)s) %(before)s") % told
    return gettext("%(label)s: %(value)s, before %(before)s") % told


@register.inclusion_tag("commerce/insights/_line_chart.html")
def line_chart(chart: LineChart) -> dict[str, Any]:
    """Draw a line chart: a wide and a narrow drawing, of which one is shown, and its table."""
    if not chart.points:
        return {"chart": chart}
    return {
        "chart": chart,
        "wide": _draw(_Plot(chart, 960, 272, labels=6), "wide"),
        "narrow": _draw(_Plot(chart, 360, 228, labels=3), "narrow"),
        "rows": [
            (point, chart.write(point.value), chart.write(point.before or 0))
            for point in chart.points
        ],
    }


@register.simple_tag
def sparkline(values: Sequence[int]) -> SafeString:
    """Draw the shape of a figure's days beside it; decoration, the figure says it in words."""
    if len(values) < 2:
        return mark_safe("")
    low, high = min(0, *values), max(1, *values)
    path = "M" + " L".join(
        f"{2 + 116 * n / (len(values) - 1):.1f} {33 - 30 * (value - low) / (high - low):.1f}"
        for n, value in enumerate(values)
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 120 36" preserveAspectRatio="none" aria-hidden="true">'
        '<path d="{}"/></svg>',
        path,
    )


@register.simple_tag
def share_of(part: int, whole: int) -> str:
    """Write a share of a whole: "24%"; "under 1%" where there is some, a dash of nothing."""
    if whole <= 0:
        return "–"
    share = part / whole
    if 0 < share < 0.01:
        return gettext("under %(share)s") % {"share": "1%"}
    return f"{share:.0%}"
