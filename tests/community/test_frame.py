"""The page frame: what it asks for, what it writes, and what its templates and modules may hold."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import lucide
import pytest
from django import forms
from django.contrib.staticfiles import finders
from django.core.files import File
from django.db import connection
from django.template import Context, Template
from django.template.loader import get_template, render_to_string
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from community.groups.models import Group
from community.members.models import Member
from community.templatetags import frame
from config.bundles import BUNDLES, HashedStorage, joined, lean
from tests.factories import join, make_group

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = ROOT / "static" / "css"
MODULES = ROOT / "static" / "js"


def group_queries(queries: CaptureQueriesContext) -> list[str]:
    return [
        query["sql"]
        for query in queries.captured_queries
        if 'FROM "community_group"' in query["sql"]
    ]


# -- what the frame asks the database -----------------------------------------------------------


def test_a_guests_page_costs_no_query_and_sets_no_cookie(guest: Client, group: Group) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = guest.get("/components/")
    assert response.status_code == 200
    assert len(queries) == 0
    assert response.cookies == {}
    assert "csrf-token" not in response.content.decode()


def test_a_members_groups_cost_one_query_however_many(
    as_ada: Client, ada: Member, group: Group
) -> None:
    for number in range(5):
        join(ada, make_group(f"more-{number}"))
    with CaptureQueriesContext(connection) as queries:
        page = as_ada.get("/nothing-here/").content.decode()
    assert len(group_queries(queries)) == 1
    assert page.count('class="glyph"') == 6
    assert 'name="csrf-token"' in page


def test_a_members_frame_costs_one_query_with_the_nav_or_without(as_ada: Client) -> None:
    """The badge's count comes with the groups."""
    with CaptureQueriesContext(connection) as queries:
        as_ada.get("/components/")
    assert len(group_queries(queries)) == 1
    assert "community_notification" in group_queries(queries)[0]


def test_an_outsider_sees_no_group_in_the_nav(
    cy: Member, group: Group, as_member: Callable[[Member], Client]
) -> None:
    page = as_member(cy).get("/nothing-here/").content.decode()
    assert "Your groups" not in page


# -- the content security policy ----------------------------------------------------------------


def test_every_script_of_a_page_carries_the_nonce_of_its_header(as_ada: Client) -> None:
    response = as_ada.get("/components/")
    nonce = re.search(r"'nonce-([^']+)'", response.headers["Content-Security-Policy"])
    assert nonce is not None
    scripts = re.findall(r"<script\b[^>]*>", response.content.decode())
    assert len(scripts) == 4  # theme, import map, app, htmx
    assert all(f'nonce="{nonce[1]}"' in script for script in scripts)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_holds_nothing_our_policy_forbids(template: Path) -> None:
    text = re.sub(r"\{%.*?%\}", "", template.read_text())
    assert not re.search(r"\sstyle\s*=", text), "an inline style"
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text), "an inline handler"
    assert "javascript:" not in text
    assert "<style" not in text
    for script in re.findall(r"<script\b[^>]*>", text):
        assert 'nonce="{{ csp_nonce }}"' in script or "application/" in script, script


# -- names that must lead somewhere -------------------------------------------------------------


def test_every_icon_named_in_a_template_exists() -> None:
    archive = next(Path(lucide.__file__).parent.glob("*.zip"))
    icons = {Path(name).stem for name in zipfile.ZipFile(archive).namelist()}
    named = {
        (name, path.name)
        for path in TEMPLATES
        for name in re.findall(r'(?:\{% lucide |icon=)"([\w-]+)"', path.read_text())
    }
    assert [pair for pair in sorted(named) if pair[0] not in icons] == []


def test_every_static_file_named_in_a_template_exists() -> None:
    named = {
        name
        for path in TEMPLATES
        for name in re.findall(r"\{% static ['\"]([^'\"]+)['\"]", path.read_text())
    }
    assert "css/frame.css" in named
    assert [name for name in sorted(named) if finders.find(name) is None] == []


def test_every_module_imports_only_modules_there_are() -> None:
    for path in MODULES.rglob("*.js"):
        imported = set(re.findall(r"(?:from|import)\s*\(?\s*[\"']([^\"']+)[\"']", path.read_text()))
        for name in imported - {"@/words.js"}:
            assert name.startswith("."), (path, name)  # else its hash would not be written in
            assert (path.parent / name).is_file(), (path, name)


def test_every_custom_element_with_a_file_is_fetched_when_it_is_on_a_page() -> None:
    there = {path.stem for path in (MODULES / "elements").glob("*.js")}
    text = (MODULES / "app.js").read_text()
    said = re.findall(r'"([a-z-]+)": \(\) => import\("\./elements/([a-z-]+)\.js"\)', text)
    assert {name for name, _ in said} == there
    assert [pair for pair in said if pair[0] != pair[1]] == []


def test_scripts_have_the_words_of_the_page_or_english_ones() -> None:
    for language in ("en", "xx"):
        assert frame.words_address(language) == "/static/js/words/en.js"
    assert frame.words_address("zh-hans") == "/static/js/words/zh-hans.js"
    with translation.override("zh-hans"):
        said = frame.import_map(Context({"csp_nonce": "n"}))
    assert said == (
        '<script type="importmap" nonce="n">'
        '{"imports":{"@/words.js":"/static/js/words/zh-hans.js"}}</script>'
    )


def test_scripts_go_out_without_comments_and_indentation() -> None:
    script = """/* What it\n   does. */\nf = () => {\n  // why\n\n  return '; // "'; // one\n};\n"""
    assert lean(script) == """f = () => {\nreturn '; // "';\n};\n"""
    several = "const words = `\n  // stays\n`;\n"
    assert lean(several) == several
    served = Path(str(finders.find("js/elements/time-ago.js"))).read_text()
    assert served == lean((MODULES / "elements" / "time-ago.js").read_text())
    assert not served.startswith("/*") and "\n  " not in served


def test_modules_import_each_other_by_names_that_change_with_what_is_in_them(tmp_path) -> None:
    storage = HashedStorage(location=tmp_path / "public")
    names = ("js/lib/toast.js", "js/elements/copy-text.js")
    for name in names:
        storage.save(name, File(joined().open(name)))
    done = {name: (storage, name) for name in names}
    assert [error for *_, error in storage.post_process(done) if isinstance(error, Exception)] == []
    toast, copying = (storage.stored_name(name) for name in names)
    assert re.fullmatch(r"js/lib/toast\.[0-9a-f]{12}\.js", toast)
    text = (tmp_path / "public" / copying).read_text()
    assert f'import {{ toast }} from "../lib/{Path(toast).name}";' in text
    assert 'import { gettext } from "@/words.js";' in text


def test_style_sheets_load_nothing_and_stay_in_their_layers() -> None:
    layers = {"reset", "tokens", "base", "layout", "components", "features", "utilities"}
    for path in STYLES.rglob("*.css"):
        text = path.read_text()
        if path.name.startswith("admin"):
            continue  # the admin's own style sheets are outside our layers
        assert "@import" not in text and "url(" not in text, path.name
        assert set(re.findall(r"@layer ([\w-]+) *\{", text)) <= layers, path.name


# -- weight -------------------------------------------------------------------------------------


def weight(*paths: Path) -> int:
    """Bytes on the wire: each file gzipped by itself, as WhiteNoise serves it."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def test_the_styles_of_a_thread_page_weigh_at_most_20_kb() -> None:
    found = [finders.find(name) for name in ("css/frame.css", "css/reading.css")]
    found.append(finders.find("css/commerce/consent.css"))
    assert weight(*(Path(str(path)) for path in found)) <= 20_000


def test_a_bundle_is_its_parts_in_order() -> None:
    for name, parts in BUNDLES.items():
        text = Path(str(finders.find(name))).read_text()
        assert text == "\n".join((ROOT / "static" / part).read_text() for part in parts)
    assert BUNDLES["css/frame.css"][0] == "css/app.css"  # declares the layers


def scripts(*names: str) -> int:
    return weight(*(Path(str(finders.find(name))) for name in names))


EVERYWHERE = (
    *("django_htmx/htmx-2.min.js", "js/app.js", "js/words/en.js", "js/lib/http.js"),
    *("js/lib/toast.js", "js/elements/theme-toggle.js", "js/elements/time-ago.js"),
)
READING = (
    *("js/lib/mine.js", "js/lib/socket.js", "js/elements/notice-count.js"),
    *("js/elements/thread-reader.js", "js/elements/post-acts.js", "js/elements/composer-box.js"),
)


def test_the_scripts_every_page_loads_weigh_at_most_21_kb() -> None:
    """Of the 30 kB a reading page may load; the rest is for its own elements."""
    assert scripts(*EVERYWHERE) <= 21_000


def test_the_scripts_of_a_members_thread_page_weigh_at_most_30_kb_with_the_chat_beside_it() -> None:
    assert scripts(*EVERYWHERE, *READING, "js/elements/chat-room.js") <= 30_000


# -- tags ---------------------------------------------------------------------------------------


def person(**fields: object) -> SimpleNamespace:
    return SimpleNamespace(
        **{"handle": "ada", "name": "Ada Quist", "initials": "AQ", "avatar_id": None, **fields}
    )


def test_a_member_without_a_picture_is_drawn_by_initials_on_their_colour() -> None:
    assert frame.avatar(person(), "sm") == (
        '<span class="av" data-av="0" data-sz="sm" aria-hidden="true">AQ</span>'
    )
    assert frame.avatar(person()) == frame.avatar(person(name="Ada Renamed"))


def test_a_member_with_a_picture_is_drawn_by_its_thumbnail() -> None:
    drawn = frame.avatar(person(avatar_id="0192f0c1-0000-7000-8000-000000000001"))
    assert drawn.startswith('<img class="av" src="/')
    assert 'alt=""' in drawn


def test_a_member_who_left_is_drawn_as_a_dash() -> None:
    assert ">–<" in frame.avatar(None)


def test_initials_are_escaped() -> None:
    assert "<b" not in frame.avatar(person(initials="<b"))


def test_a_glyph_sits_on_its_groups_tint() -> None:
    group = SimpleNamespace(glyph="📷", tint=7)
    assert frame.glyph(group, "lg") == (
        '<span class="glyph" data-tint="7" data-sz="lg" aria-hidden="true">📷</span>'
    )


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("ago", "22 Nov 2026"),
        ("date", "22 Nov 2026"),
        ("clock", "09:05"),
        ("full", "22 Nov 2026, 09:05 UTC"),
    ],
)
def test_a_time_reads_without_scripts_and_names_its_instant(style: str, words: str) -> None:
    moment = datetime(2026, 11, 22, 9, 5, 30, tzinfo=UTC)
    said = "" if style == "ago" else f' data-style="{style}"'
    assert frame.time_tag(moment, style) == (
        f'<time-ago{said}><time datetime="2026-11-22T09:05:30Z">{words}</time></time-ago>'
    )
    assert frame.time_tag(None) == ""


@pytest.mark.parametrize(
    ("part", "whole", "per_cent"),
    [(34, 50, 68.0), (0, 50, 0.0), (51, 50, 100.0), (-1, 50, 0.0), (1, 0, 0.0), (1, 3, 33.3)],
)
def test_a_share_stays_between_nothing_and_all(part: int, whole: int, per_cent: float) -> None:
    assert frame.share(part, whole) == per_cent


def test_a_meter_draws_its_share_and_says_its_label() -> None:
    assert frame.meter(34, 50, label="34 of 50 joined") == (
        '<svg class="meter" role="img" aria-label="34 of 50 joined">'
        '<rect width="68%" height="100%"/></svg>'
    )
    assert 'aria-hidden="true"' in frame.meter(34, 50)


def test_the_parts_of_a_stack_stand_end_to_end() -> None:
    drawn = frame.stackbar([(1, 30), (2, 10), (3, 0)])
    assert re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', drawn) == [
        ("0", "75"),
        ("75", "25"),
        ("100", "0"),
    ]


def test_a_link_knows_its_page_and_the_pages_below_it() -> None:
    here = Context({"request": SimpleNamespace(path="/g/film/about/")})
    assert frame.current(here, "/g/film/about/") == ' aria-current="page"'
    assert frame.current(here, "/g/film/") == ' aria-current="true"'
    assert frame.current(here, "/g/film/", exactly=True) == ""
    assert frame.current(here, "/") == ""
    assert frame.current(Context({}), "/") == ""


def test_signing_in_leads_back_to_the_page_one_was_on(rf: RequestFactory) -> None:
    def link(address: str) -> str:
        return frame.come_back(Context({"request": rf.get(address)}))

    assert link("/g/film/?page=2") == "?next=%2Fg%2Ffilm%2F%3Fpage%3D2"
    assert link("/accounts/login/?next=/sell/") == "?next=%2Fsell%2F"
    assert link("/accounts/login/") == ""
    assert frame.come_back(Context({})) == ""


def test_paragraphs_part_at_blank_lines() -> None:
    assert frame.paragraphs("One\r\ntwo\r\n\r\n\r\n three \n") == ["One\ntwo", "three"]


def test_a_qr_code_becomes_part_of_the_page() -> None:
    drawing = "<?xml version='1.0' encoding='UTF-8'?>\n<svg:svg><svg:path d='M0'/></svg:svg>"
    assert frame.qr(drawing) == "<svg><path d='M0'/></svg>"


# -- fields -------------------------------------------------------------------------------------


class ListingForm(forms.Form):
    title = forms.CharField(help_text="What it is.", widget=forms.TextInput({"class": "wide"}))
    place = forms.CharField(required=False, widget=forms.TextInput({"placeholder": "Place"}))
    how = forms.ChoiceField(widget=forms.RadioSelect, choices=[("a", "Meet"), ("b", "Post")])
    sure = forms.BooleanField(label="Sure")
    token = forms.CharField(widget=forms.HiddenInput)
    photo = forms.FileField(required=False)


def field_page(name: str, data: dict[str, str] | None = None, **more: str) -> str:
    form = ListingForm(data)
    return render_to_string("_field.html", {"field": form[name], **more})


def test_an_invalid_field_keeps_what_was_typed_and_points_at_its_help_and_error() -> None:
    page = field_page("title", {"title": ""})
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_title_helptext id_title_error"' in page
    assert 'id="id_title_helptext"' in page
    assert 'id="id_title_error"' in page
    assert "This field is required." in page
    typed = render_to_string("_form.html", {"form": ListingForm({"title": "Optra <R2>"})})
    assert 'value="Optra &lt;R2&gt;"' in typed


def test_a_field_wears_the_class_of_inputs_and_its_own() -> None:
    assert 'class="input wide"' in field_page("title")
    assert 'class="input"' in field_page("photo")


def test_a_placeholder_that_repeats_the_label_is_left_out() -> None:
    assert "placeholder" not in field_page("place")
    assert "optional" in field_page("place")


def test_choices_are_a_group_with_a_legend() -> None:
    page = field_page("how")
    assert page.count('type="radio"') == 2
    assert "<fieldset" in page
    assert "<legend>How</legend>" in page


def test_a_check_is_one_line_to_press() -> None:
    assert '<label class="check" for="id_sure">' in field_page("sure")


def test_a_hidden_field_has_no_label() -> None:
    assert "label" not in field_page("token")


def test_a_page_may_give_a_field_other_words() -> None:
    page = field_page("title", field_label="Name of the thing", field_help="In short.")
    assert "Name of the thing" in page
    assert "In short." in page
    assert "What it is." not in page


# -- onward, empty, messages --------------------------------------------------------------------


def test_a_pager_with_nowhere_to_go_is_not_there() -> None:
    assert render_to_string("_pager.html", {}).strip() == ""
    page = render_to_string("_pager.html", {"older": "?after=12"})
    assert 'href="?after=12"' in page
    assert "Newer" not in page


def test_good_news_may_float_and_bad_news_stays_in_the_page() -> None:
    levels = [SimpleNamespace(level=25, __str__=lambda: "Saved")]
    good = render_to_string("_messages.html", {"messages": levels})
    assert "data-toast" in good and 'role="status"' in good
    bad = render_to_string("_messages.html", {"messages": [SimpleNamespace(level=40)]})
    assert "data-toast" not in bad and 'role="alert"' in bad


# -- error pages --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["400", "500", "503"])
def test_the_page_for_something_broken_needs_neither_request_nor_database(name: str) -> None:
    # No `db` mark: a query would fail this test.
    page = get_template(f"{name}.html").render()
    assert page.count("<h1>") == 1
    assert "<script" not in page


@pytest.mark.parametrize("name", ["403", "403_csrf", "404", "429"])
def test_an_error_page_has_one_heading_and_a_way_on(name: str) -> None:
    page = render_to_string(f"{name}.html")
    assert page.count("<h1>") == 1
    assert 'data-tone="brand"' in page


def test_a_missing_page_is_404_in_our_words(guest: Client, db: None) -> None:
    response = guest.get("/nothing-here/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_a_form_without_its_token_is_answered_in_our_words(db: None) -> None:
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {})
    assert response.status_code == 403
    assert "This form is too old" in response.content.decode()


def test_the_tags_load_by_one_name() -> None:
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    text = Template("{% load frame %}{% time_tag at 'date' %}").render(Context({"at": moment}))
    assert "22 Nov 2026" in text
