"""What search does without a database: words, weights, slips, the language of queries, figures."""

from __future__ import annotations

import math
import random
import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from community.search.documents import text_of
from community.search.evaluation import measured, ndcg, recall, reciprocal, slip
from community.search.excerpts import Span, as_html, excerpt, pieces_of
from community.search.queries import Filter, Query, moment, parse
from community.search.spelling import distance, keys, leavings, nearest, slips
from community.search.weights import (
    DIMENSIONS,
    document_weights,
    fused,
    key_of,
    most_candidates,
    rarest_within,
    rarity,
    sparse,
)
from community.search.words import fold, language_of, terms, words
from community.threads.markup import render

letters = st.text(string.ascii_lowercase, min_size=4, max_size=12)


# -- words --------------------------------------------------------------------------------------


def test_words_are_folded_to_lower_case_without_accents():
    assert words("Über-Café, naïve ŁÓDŹ Straße") == [
        *("uber", "cafe", "ubercafe", "naive", "lodz", "strasse")
    ]
    assert fold("ｗｉｄｅ") == "wide"
    assert fold("ﬁlm") == "film"


def test_a_joined_word_is_found_apart_and_as_one():
    found = list(terms("an XT-30 body"))
    assert [(term.word, term.place) for term in found] == [
        *(("an", 0), ("xt", 1), ("30", 2), ("xt30", 1), ("body", 3)),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("数码相机", ["数", "数码", "码", "码相", "相", "相机", "机"]),
        ("カメラ", ["カ", "カメ", "メ", "メラ", "ラ"]),
        ("카메라", ["카", "카메", "메", "메라", "라"]),
        ("R2 相机 good", ["r2", "相", "相机", "机", "good"]),
    ],
)
def test_scripts_without_spaces_become_characters_and_pairs(text, expected):
    assert words(text) == expected


def test_thai_vowel_signs_are_no_words_of_their_own():
    found = words("กล้อง")
    assert "้" not in found
    assert "กล" in found


def test_devanagari_words_stay_whole():
    assert words("हिन्दी शब्द") == ["हिन्दी", "शब्द"]


@given(st.text())
def test_every_term_stands_where_it_says(text):
    place = -1
    for term in terms(text):
        assert 0 <= term.start < term.end <= len(text)
        assert term.word
        assert term.place >= max(0, place - 1)
        place = term.place


def test_a_members_language_chooses_among_the_sites():
    assert language_of("Guten Tag", "de", ["english", "german"]) == "german"
    assert language_of("Guten Tag", "fr", ["english", "german"]) == "english"
    assert language_of("相机", "de", ["english", "german"]) == "english"


# -- weights ------------------------------------------------------------------------------------


def test_weights_are_bm25_with_the_title_thrice_and_tags_twice():
    weights = document_weights(
        title=["lens"], tags=["lens"], text=["lens", "fungus"], average_length=4
    )
    assert weights["lens"] == pytest.approx(6 * 2.2 / (6 + 1.2))
    assert weights["fungus"] == pytest.approx(1 * 2.2 / (1 + 1.2))


def test_a_long_text_weighs_each_word_less():
    short = document_weights(title=[], tags=[], text=["lens"], average_length=10)
    long = document_weights(title=[], tags=[], text=["lens"] + ["x"] * 99, average_length=10)
    assert short["lens"] > long["lens"]


def test_rare_words_count_for_more_and_none_for_less_than_nothing():
    assert rarity(1, 1000) > rarity(500, 1000) > rarity(1000, 1000) > 0
    assert rarity(5, 0) == pytest.approx(math.log(2))


def test_vectors_are_written_sorted_with_one_entry_a_key():
    written = sparse({"lens": 1.5, "fungus": 0.25})
    inside, dimensions = written[1:].split("}/")
    entries = [entry.split(":") for entry in inside.split(",")]
    assert dimensions == str(DIMENSIONS)
    assert {int(key): float(weight) for key, weight in entries} == {
        key_of("lens") + 1: 1.5,
        key_of("fungus") + 1: 0.25,
    }
    assert [int(key) for key, _ in entries] == sorted(int(key) for key, _ in entries)


def test_a_vector_keeps_the_heaviest_of_too_many():
    written = sparse({f"w{number}": number for number in range(16_100)})
    assert written.count(":") == 16_000


def test_the_rarest_words_are_looked_up_within_the_limit_and_one_always():
    counts = {"the": 9_000, "lens": 1_500, "fungus": 400}
    assert rarest_within(counts, 2_000) == ["fungus", "lens"]
    assert rarest_within({"the": 9_000}, 2_000) == ["the"]
    assert [most_candidates(n) for n in (10, 40_000, 500_000)] == [2_000, 2_000, 25_000]


def test_two_rankings_are_added_after_stretching():
    both = fused({1: 10.0, 2: 5.0, 3: 0.0}, {3: 0.9, 2: 0.1}, dense_weight=0.6)
    assert both == pytest.approx({1: 0.4, 2: 0.2, 3: 0.6})
    assert fused({1: 2.0}, {}, dense_weight=0.6) == {1: 2.0}


# -- slips --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [("lens", "lens", 0), ("lens", "lnes", 1), ("lens", "len", 1), ("ca", "abc", 3), ("", "ab", 2)],
)
def test_distance_counts_swapped_neighbours_once(one, other, far):
    assert distance(one, other) == far


@given(letters, letters)
def test_distance_is_the_same_both_ways(one, other):
    assert distance(one, other) == distance(other, one)


@given(letters, st.randoms())
def test_a_word_and_its_slip_share_a_leaving(word, chance):
    wrong = slip(word, chance)
    if slips(wrong) and distance(word, wrong) <= min(slips(word), slips(wrong)):
        assert leavings(word) & leavings(wrong)
        assert set(keys(word)) & set(keys(wrong))


def test_the_nearest_word_has_fewest_slips_then_the_same_letter_then_most_documents():
    known = [("camera", 9), ("cameras", 3), ("tamera", 50), ("chimera", 99)]
    assert nearest("camear", known) == "camera"
    assert nearest("xamera", known) == "tamera"
    assert nearest("rangefinfer", [("rangefinder", 2)]) == "rangefinder"
    assert nearest("lens", [("lens", 5)]) is None
    assert nearest("seal", [("shawls", 5)]) is None


def test_short_words_numbers_and_models_are_left_alone():
    assert [slips(word) for word in ("len", "lens", "shutters", "r2m4", "相机")] == [0, 1, 2, 0, 0]
    assert keys("len") == []


# -- queries ------------------------------------------------------------------------------------


def test_a_query_is_words_phrases_minus_and_filters():
    query = parse(
        'fungus "light seals" -repair -"as is" in:film-cameras by:@Ada tag:"old lenses" '
        "after:2025-01 -is:locked"
    )
    assert query == Query(
        words=("fungus",),
        phrases=("light seals",),
        without=("repair", "as is"),
        filters=(
            Filter("in", "film-cameras"),
            Filter("by", "ada"),
            Filter("tag", "old lenses"),
            Filter("after", "2025-01"),
            Filter("is", "locked", negated=True),
        ),
    )


@pytest.mark.parametrize(
    "text", ["is:nonsense", "before:yesterday", "http://x.example", "foo:bar", "after:2025-13"]
)
def test_what_is_no_filter_is_words(text):
    query = parse(text)
    assert query.filters == ()
    assert query.words == (text,)


def test_an_open_quote_and_curly_quotes_make_a_phrase():
    assert parse('"light seals').phrases == ("light seals",)
    assert parse("“light seals”").phrases == ("light seals",)


@pytest.mark.parametrize("text", ["", "   ", '""', "-", "!!!", "\x00", '-""'])
def test_nothing_said_is_an_empty_query(text):
    assert parse(text).is_empty


@given(st.text(max_size=400))
def test_any_text_is_understood_and_understood_the_same_again(text):
    query = parse(text)
    again = parse(str(query))
    assert again.filters == query.filters
    assert parse(str(again)) == again


def test_a_filter_is_taken_away_by_its_chip():
    query = parse("lens in:cameras is:answered")
    assert str(query.without_filter(Filter("in", "cameras"))) == "lens is:answered"
    assert query.with_filter(Filter("in", "cameras")) == query


def test_moments_begin_their_day_month_or_year():
    assert moment("2025-06-30") == datetime(2025, 6, 30, tzinfo=UTC)
    assert moment("2025-06") == datetime(2025, 6, 1, tzinfo=UTC)
    assert moment("2025") == datetime(2025, 1, 1, tzinfo=UTC)
    assert [moment(text) for text in ("2025-02-30", "0000", "20250", "x")] == [None] * 4


# -- texts and excerpts -------------------------------------------------------------------------


def test_the_text_of_a_post_leaves_quotes_out_and_takes_pictures_words():
    html = (
        "<blockquote><p>old</p><blockquote><p>older</p></blockquote></blockquote>"
        '<p>New &amp; <em>shi</em>ny</p><img src="/i/1" alt="a clean lens" width="4">'
    )
    assert text_of(html) == "New & shiny a clean lens"
    assert text_of("<blockquote><p>only a quote</p></blockquote>") == "only a quote"


def test_a_quote_of_a_post_of_ours_is_no_word_of_the_answer():
    quoting = "> [Ada](/p/12/):\n> the shutter sticks\n\nOil it."
    rendered = render(quoting).html
    assert '<blockquote class="quote">' in rendered
    assert text_of(rendered) == "Oil it."


def test_marks_are_put_round_escaped_words():
    text = "a <b>lens</b> & more"
    at = text.index("lens")
    html = as_html(pieces_of(text, [Span(at, at + 4, "lens")]))
    assert html == "a &lt;b&gt;<mark>lens</mark>&lt;/b&gt; &amp; more"


def test_marks_that_touch_are_one():
    pieces = pieces_of("数码相机", [Span(0, 2, "数码"), Span(1, 3, "码相"), Span(2, 4, "相机")])
    assert [(piece.text, piece.marked) for piece in pieces] == [("数码相机", True)]


def test_an_excerpt_is_cut_where_most_different_words_are():
    text = "lens " + "filler " * 100 + "fungus on the lens " + "filler " * 100
    spans = [
        Span(at, at + len(word), word)
        for word in ("lens", "fungus")
        for at in range(len(text))
        if text.startswith(word, at)
    ]
    shown = "".join(piece.text for piece in excerpt(text, sorted(spans, key=lambda s: s.start)))
    assert "fungus on the lens" in shown
    assert len(shown) <= 250
    assert shown.startswith("…") and shown.endswith("…")


@given(st.text(max_size=600))
def test_an_excerpt_is_text_of_the_text(text):
    spans = [Span(t.start, t.end, t.word) for t in terms(text) if len(t.word) > 2]
    shown = "".join(piece.text for piece in excerpt(text, spans) if piece.text != "…")
    assert shown.strip("…") in text or shown in text


# -- figures ------------------------------------------------------------------------------------


def test_figures_of_a_ranking_by_hand():
    names, relevant = ["a", "x", "b"], {"a": 1, "b": 1, "c": 1}
    best = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg(names, relevant, 10) == pytest.approx((1 + 1 / math.log2(4)) / best)
    assert recall(names, relevant, 10) == pytest.approx(2 / 3)
    assert reciprocal(["x", "b"], relevant, 10) == 0.5
    assert reciprocal(["x"], relevant, 10) == 0.0
    figures = measured({"q": names}, {"q": relevant}, [1.0, 2.0, 3.0])
    assert (figures.queries, figures.p50, figures.p95) == (1, 2.0, 3.0)


def test_a_slip_changes_a_word_but_not_its_first_letter():
    chance = random.Random(3)
    for _ in range(200):
        wrong = slip("shutter", chance)
        assert wrong != "shutter"
        assert wrong[0] == "s"
        assert distance("shutter", wrong) == 1
