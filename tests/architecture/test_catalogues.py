"""Catalogues: whole, and what is made of them is as it would be made now."""

from __future__ import annotations

from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils.translation import to_locale

from config import words
from config.words import DOMAINS, LOCALE, Text, catalogues, faults, made_of, module_of, texts_in

OTHERS = [code for code, _ in settings.LANGUAGES if code != "en"]


def catalogue(*entries: polib.POEntry, plural: str = "nplurals=1; plural=0;") -> polib.POFile:
    made = polib.POFile()
    made.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Plural-Forms": plural,
    }
    made.extend(entries)
    return made


@pytest.fixture
def says(monkeypatch):
    """Let the code say these texts and no others."""

    def say(*texts: Text) -> None:
        said = {text: ["here.py"] for text in texts}
        monkeypatch.setattr(words, "texts_of", lambda _domain: said)

    return say


# -- ours ---------------------------------------------------------------------------------------


def test_every_language_but_english_has_its_catalogues() -> None:
    wanted = [
        LOCALE / to_locale(code) / "LC_MESSAGES" / f"{domain}.po"
        for code in OTHERS
        for domain in DOMAINS
    ]
    assert catalogues() == sorted(wanted)


def test_every_text_is_translated_with_its_placeholders_and_tags() -> None:
    for path in catalogues():
        assert faults(polib.pofile(str(path)), path.stem) == [], path.relative_to(LOCALE)


def test_what_the_site_reads_was_made_of_the_catalogues_as_they_are() -> None:
    for path in catalogues():
        for made, content in made_of(path).items():
            assert made.read_bytes() == content, f"{made.name}: run manage.py compile_words"


def test_there_are_words_of_scripts_for_the_languages_there_are_and_no_others() -> None:
    assert {path.stem for path in words.MODULES.glob("*.js")} == {"en", *OTHERS}


# -- what the code says -------------------------------------------------------------------------


def test_texts_of_python_are_found() -> None:
    source = """
    a = gettext("One") + translation.gettext_lazy("Two" " parts")
    b = ngettext("%(count)s day", "%(count)s days", n) + _("It's") + gettext_noop("Later")
    c = pgettext_lazy("price", "Free"), npgettext("cases", "a", "b", 1), gettext(a)
    """
    assert set(texts_in("a.py", f"if 1:\n{source}")) == {
        Text("One"),
        Text("Later"),
        Text("Two parts"),
        Text("%(count)s day", "%(count)s days"),
        Text("It's"),
        Text("Free", "", "price"),
        Text("a", "b", "cases"),
    }


def test_texts_of_templates_are_found() -> None:
    source = """{% load i18n %}<a title="{% translate "Edit" %}">{{ day|date:_("j M") }}</a>
    {% translate "Free" context "price" %}{% include "x.html" with title=_("It's") %}
    {% blocktranslate trimmed with name=a.b %}Hello,
    {{ name }}{% endblocktranslate %}
    {% blocktranslate count n=rows %}{{ n }} row{% plural %}{{ n }} rows{% endblocktranslate %}
    {# _("not this") #}{% comment %}{% translate "nor this" %}{% endcomment %}"""
    assert texts_in("a.html", source) == [
        Text("Edit"),
        Text("j M"),
        Text("Free", "", "price"),
        Text("It's"),
        Text("Hello, %(name)s"),
        Text("%(n)s row", "%(n)s rows"),
    ]


def test_texts_of_scripts_are_found() -> None:
    source = """
    say(gettext("Copy %(what)s", { what }), ngettext("%(count)s new", "%(count)s new", n));
    const text = words || gettext('first'); // my_gettext("not this"), x.gettext("nor this")
    """
    assert texts_in("a.js", source) == [
        Text("Copy %(what)s"),
        Text("%(count)s new", "%(count)s new"),
        Text("first"),
    ]


# -- what is wrong with a catalogue -------------------------------------------------------------


def test_each_fault_of_a_catalogue_is_told(says) -> None:
    entries = [
        polib.POEntry(msgid="Fine", msgstr="好"),
        polib.POEntry(msgid="Empty", msgstr=""),
        polib.POEntry(msgid="Doubtful", msgstr="疑", flags=["fuzzy"]),
        polib.POEntry(msgid="Gone", msgstr="去", obsolete=True),
        polib.POEntry(msgid="%(name)s left", msgstr="%(nmae)s 离开了"),
        polib.POEntry(msgid="<b>Bold</b>", msgstr="粗"),
        polib.POEntry(msgid="Line", msgid_plural="%(n)s lines", msgstr_plural={0: "%(n)s 行"}),
        polib.POEntry(msgid="Day", msgid_plural="Days", msgstr_plural={0: ""}),
    ]
    says(*(words.text_of(entry) for entry in entries), Text("New"), Text("Fine", "", "weather"))
    assert faults(catalogue(*entries), "django") == [
        "fuzzy: 'Doubtful'",
        "no longer said: 'Gone'",
        "not in the catalogue: 'Fine'",
        "not in the catalogue: 'Gone'",
        "not in the catalogue: 'New'",
        "not translated: 'Day'",
        "not translated: 'Empty'",
        "other placeholders: '%(name)s left'",
        "other tags: '<b>Bold</b>'",
    ]


# -- what is made of it -------------------------------------------------------------------------


def test_the_module_of_a_language_is_what_scripts_import() -> None:
    made = module_of(
        catalogue(
            polib.POEntry(msgid='Say "yes"', msgstr="说“是”"),
            polib.POEntry(msgid="day", msgid_plural="days", msgstr_plural={0: "a", 1: "b"}),
            plural="nplurals=2; plural=(n != 1);",
        ),
        "xx",
    )
    assert made == (
        "/* Made by `manage.py compile_words`; change locale/ instead. */\n"
        'import { speaking } from "./en.js";\n\n'
        "export const { gettext, ngettext } = speaking({\n"
        '  "Say \\"yes\\"": "说“是”",\n'
        '  "day": ["a", "b"],\n'
        "}, (n) => Number((n != 1)));\n"
    )


def test_a_plural_that_is_no_sum_of_its_count_gets_into_no_script() -> None:
    for plural in ("nplurals=1; plural=alert(1);", "", "nplurals=1; plural=0}; import('x');"):
        with pytest.raises(ValueError, match="plural forms"):
            module_of(catalogue(plural=plural), "xx")


def test_catalogues_are_begun_brought_up_and_made(says, monkeypatch, tmp_path: Path) -> None:
    says(Text("Copy"), Text("%(count)s day", "%(count)s days"), Text("Free", "", "price"))
    commands = "config.management.commands"
    monkeypatch.setattr(words, "LOCALE", tmp_path / "locale")
    monkeypatch.setattr(f"{commands}.extract_words.LOCALE", tmp_path / "locale")
    monkeypatch.setattr(words, "MODULES", tmp_path)
    monkeypatch.setattr(f"{commands}.extract_words.DOMAINS", ("django",))
    monkeypatch.setattr(f"{commands}.compile_words.ROOT", tmp_path)
    call_command("extract_words", language="zh-hans")

    path = tmp_path / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    begun = polib.pofile(str(path))
    assert [words.text_of(entry) for entry in begun] == [
        Text("Copy"),
        Text("%(count)s day", "%(count)s days"),
        Text("Free", "", "price"),
    ]
    assert begun.find("Copy").occurrences == [("here.py", "")]
    begun.find("Copy").msgstr = "复制"
    begun.find("%(count)s day").msgstr_plural = {0: "%(count)s 天"}
    begun.save()

    says(Text("%(count)s day", "%(count)s days"), Text("Copy"), Text("Cut"))
    call_command("extract_words")
    kept = polib.pofile(str(path))
    assert [(entry.msgid, entry.msgstr) for entry in kept if not entry.msgid_plural] == [
        ("Copy", "复制"),
        ("Cut", ""),
    ]
    assert kept.find("%(count)s day").msgstr_plural == {0: "%(count)s 天"}

    call_command("compile_words")
    read = polib.mofile(str(path.with_suffix(".mo")))
    assert {entry.msgid for entry in read} == {"Copy", "%(count)s day"}
