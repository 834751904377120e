"""Figures, days and stored sentences as readers of another language have them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils.translation import override

from commerce.attribution.why import age_words
from commerce.connectors import outcomes
from commerce.connectors.outcomes import outcome_words
from commerce.insights.period import Period
from commerce.templatetags.charts import compact, share_of
from config.money import in_words, parse_minor


def test_money_has_the_symbol_the_readers_language_knows_it_by() -> None:
    assert [in_words(1250, code) for code in ("USD", "CNY", "GBP", "CHF")] == [
        "$12.50",
        "CN¥12.50",
        "£12.50",
        "CHF\N{NO-BREAK SPACE}12.50",
    ]
    with override("zh-hans"):
        assert [in_words(1250, code) for code in ("USD", "CNY", "GBP", "CHF")] == [
            "US$12.50",
            "¥12.50",
            "£12.50",
            "CHF\N{NO-BREAK SPACE}12.50",
        ]
        assert in_words(-123_456_789, "CNY") == "−¥1,234,567.89"
        assert parse_minor("¥1,250.5", "CNY") == parse_minor("CN¥1250.50", "CNY") == 125_050


def test_axes_count_in_what_the_readers_language_counts_in() -> None:
    assert [compact(value, "CNY") for value in (900_00, 15_000_00, 2_500_000_00)] == [
        "CN¥900",
        "CN¥15k",
        "CN¥2.5m",
    ]
    with override("zh-hans"):
        assert [compact(value, "CNY") for value in (900_00, 15_000_00, 2_500_000_00)] == [
            "¥900",
            "¥1.5万",
            "¥250万",
        ]
        assert compact(300_000_000) == "3亿"


def test_english_words_are_as_they_were() -> None:
    assert str(Period(date(2026, 10, 24), date(2026, 11, 23))) == "24 Oct – 22 Nov 2026"
    assert str(Period(date(2026, 9, 3), date(2026, 9, 4))) == "3 Sep 2026"
    assert Period(date(2026, 9, 3), date(2026, 9, 4)).length == "1 day"
    assert age_words(timedelta(days=2)) == "2 days"
    assert share_of(1, 1000) == "under 1%"


@pytest.mark.parametrize(
    ("said", "values"),
    [
        (outcomes.ORDER_WRITTEN, {"number": "1001"}),
        (outcomes.ORDER_KNOWN, {"number": "A (2)"}),
        (outcomes.REFUND_WRITTEN, {"number": "1001"}),
        (outcomes.REFUND_KNOWN, {}),
        (outcomes.REFUND_WAITS, {"number": "yet; %(number)s"}),
        (outcomes.REFUND_WAITS_ALREADY, {}),
        (outcomes.ORDER_CAME, {}),
        (outcomes.OUR_ERROR, {"error": "KeyError"}),
        (outcomes.OTHER_CURRENCY, {"number": "7 is in EUR", "known": "EUR", "said": "GBP"}),
    ],
)
def test_what_came_of_a_delivery_is_read_in_the_readers_language(
    monkeypatch, said: str, values: dict[str, str]
) -> None:
    kept = said % values
    assert outcome_words(kept) == kept
    # Stands for a catalogue: the text's own placeholders, turned round.
    names = "".join(f" %({name})s" for name in sorted(values))
    monkeypatch.setattr(outcomes, "gettext", lambda text: f"{len(text)}{names}")
    read = [values[name] for name in sorted(values)]
    assert outcome_words(kept) == " ".join([str(len(said)), *read])


def test_words_no_catalogue_has_stay_as_they_were_kept(monkeypatch) -> None:
    monkeypatch.setattr(outcomes, "gettext", lambda _text: "another language")
    assert outcome_words("") == ""
    assert outcome_words("data.lines[0].net: 1,5 is no amount.") == (
        "data.lines[0].net: 1,5 is no amount."
    )
    assert outcome_words("It was said: Order 7 was written.") == (
        "It was said: Order 7 was written."
    )
