"""Templates drawn once with holes: what is told is kept, the rest is each reader's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.template import Context, engines
from django.test import RequestFactory, override_settings
from django.utils import translation

from config import skeletons
from config.pieces import pieces

TEMPLATES = {
    "card.html": "<b>{{ title }}</b>{{ reader }}<i>{% anew %}{{ reader }}{% endanew %}</i>",
    "page.html": "{% extends 'base.html' %}{% block title %}{{ title }}{% endblock %}"
    "{% block content %}{% anew %}{{ title }}, {{ reader }}, {{ csrf_token }}{% endanew %}"
    "{% endblock %}",
    "base.html": "<title>{% block title %}{% endblock %} {{ site_name }}</title>"
    "{% block content %}{% endblock %}{{ csrf_token }}{{ reader }}",
    "words.html": "{% load i18n %}{% translate 'Reply' %}{% anew %}!{% endanew %}",
}


@pytest.fixture(autouse=True)
def templates() -> Iterator[None]:
    options = {
        "loaders": [
            ("django.template.loaders.cached.Loader", [LOCMEM]),
        ],
        "builtins": ["community.templatetags.frame"],
    }
    backend = "django.template.backends.django.DjangoTemplates"
    with override_settings(TEMPLATES=[{"BACKEND": backend, "OPTIONS": options}]):
        pieces.clear()
        yield
    pieces.clear()


LOCMEM = ("django.template.loaders.locmem.Loader", TEMPLATES)


def test_what_is_told_is_drawn_once_and_its_holes_for_each_reader() -> None:
    drawn = [
        skeletons.still(
            "card.html", Context({"reader": reader, "title": "Another"}), {"title": "A"}
        )
        for reader in ("ada", "bo")
    ]
    assert drawn == ["<b>A</b><i>ada</i>", "<b>A</b><i>bo</i>"]
    assert len(pieces) == 1


def test_other_facts_and_another_language_make_another_skeleton() -> None:
    for title in ("A", "B"):
        skeletons.still("card.html", Context({"reader": "ada"}), {"title": title})
    assert len(pieces) == 2
    english = skeletons.still("words.html", Context(), {})
    with translation.override("zh-hans"):
        chinese = skeletons.still("words.html", Context(), {})
    assert english == "Reply!" != chinese


def test_the_frame_of_a_page_knows_what_it_is_told_and_nothing_of_its_reader(
    rf: RequestFactory,
) -> None:
    pages = [
        skeletons.page(rf.get("/"), "page.html", {"reader": reader}, title="A").content.decode()
        for reader in ("ada", "bo")
    ]
    assert [page[: page.index(",")] for page in pages] == ["<title>A Shoal</title>A"] * 2
    assert [page.split(", ")[1] for page in pages] == ["ada", "bo"]
    assert all(len(page.split(", ")[2]) == 64 for page in pages)  # a token, once
    assert len(pieces) == 1


def test_without_a_skeleton_both_are_drawn_as_if_there_were_no_marks() -> None:
    html = engines["django"].get_template("card.html").render({"title": "A", "reader": "ada"})
    assert html == "<b>A</b>ada<i>ada</i>"


def test_nobody_writes_a_hole_into_what_is_told() -> None:
    first = skeletons.still("card.html", Context({"reader": "ada"}), {"title": "<0-0>"})
    assert first == "<b>&lt;0-0&gt;</b><i>ada</i>"
