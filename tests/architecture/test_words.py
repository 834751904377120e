"""Every word a template shows can be translated: none stands outside the translation tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "templates"
FOLDERS = [".", *sorted(path.name for path in TEMPLATES.iterdir() if path.is_dir())]
# The component sheet shows sample words; it is for the demo and for tests.
SAMPLES = {"components.html"}
# Names and units, the same in every language.
ALLOWED = {"Shoal", "UTC", "px"}
SPOKEN_ATTRIBUTES = {
    "aria-label",
    "title",
    "placeholder",
    "alt",
    "data-confirm",
    "data-confirm-yes",
}
SILENT_ELEMENTS = {"script", "style", "svg", "code", "kbd"}
# Tags whose strings are names of ours: of files, routes, icons, libraries, places in a page.
NAMING_TAGS = {
    *("translate", "blocktranslate", "load", "extends", "block", "endblock", "url", "static"),
    *("lucide", "cover", "comment", "if", "elif", "ifequal", "now", "cache", "time_tag"),
}

TOKEN = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)
ENTITY = re.compile(r"&#?\w+;")
LITERAL = re.compile(r"""(_\()?("[^"]*"|'[^']*')""")
FILTERED_DATE = re.compile(r"""\|(?:date|time):("[^"]*"|'[^']*')""")


def untranslated(source: str, *, plain: bool = False) -> list[str]:
    """Return the words of a template that no tag translates; `plain` is a text without HTML."""
    reader, before = Reader(plain), ""
    for kind, piece in pieces(source):
        if kind == "text":
            reader.read(piece)
        elif kind == "block" and piece.endswith("_attrs"):
            before = reader.where
            reader.into_tag()  # what a block of attributes holds stands inside a tag
        else:
            reader.pause()
            if kind == "endblock" and before:
                reader.where, before = before, ""
            elif kind == "literal":
                reader.found.append(piece)
    reader.pause()
    return [words for found in reader.found if (words := found.strip()) and is_said(words)]


def pieces(source: str) -> Iterator[tuple[str, str]]:
    """Split a template into text and tags; what is translated or commented out is left out."""
    end, until = 0, ""
    for match in TOKEN.finditer(source):
        token = match.group()
        name = re.split(r"\s", token[2:-2].strip(), maxsplit=1)[0]
        if until:
            if token.startswith("{%") and name == until:
                until = ""
        else:
            yield "text", source[end : match.start()]
            if token.startswith("{%") and name in ("comment", "verbatim", "blocktranslate"):
                until = f"end{name}"
            elif token.startswith("{%") and name == "block":
                yield "block", token[2:-2].split()[1]
            elif token.startswith("{%") and name == "endblock":
                yield "endblock", ""
            else:
                yield "tag", token
            if not token.startswith("{#") and name not in NAMING_TAGS:
                for literal in literals(token):
                    yield "literal", literal
        end = match.end()
    yield "text", source[end:]


def literals(token: str) -> Iterator[str]:
    """Find the strings in a tag that are sentences or titles and not inside `_()`."""
    for marked, quoted in LITERAL.findall(FILTERED_DATE.sub("", token)):
        if not marked and re.match(r"[A-Z][a-z]|[a-z]+ [a-z]+ ", quoted[1:-1]):
            yield quoted[1:-1]


def is_said(words: str) -> bool:
    bare = ENTITY.sub("", words)
    return any(word not in ALLOWED for word in re.findall(r"[^\W\d_]+", bare))


class Reader:
    """Follows HTML through pieces of text: which letters are shown or read out, which are code."""

    def __init__(self, plain: bool) -> None:
        self.plain = plain
        self.found: list[str] = []
        self.words = ""
        self.where = "text"  # or "tag", "value"
        self.silent = ""  # the element whose content is not words
        self.tag = self.attribute = self.quote = ""

    def pause(self) -> None:
        """A tag of the template: words go on after it as others."""
        self.found.append(self.words)
        self.words = ""

    def into_tag(self) -> None:
        self.pause()
        self.where, self.tag, self.attribute = "tag", "", ""

    def read(self, text: str) -> None:
        if self.plain:
            self.words += text
            return
        for at, letter in enumerate(text):
            following = text[at + 1 : at + 2]
            if self.where == "text":
                self.read_text(letter, following, text[at:])
            elif self.where == "tag":
                self.read_tag(letter)
            elif letter == self.quote:
                self.pause()
                self.where, self.attribute = "tag", ""
            elif self.attribute in SPOKEN_ATTRIBUTES:
                self.words += letter

    def read_text(self, letter: str, following: str, rest: str) -> None:
        opens = letter == "<" and (not following or following.isalpha() or following in "/!")
        if opens and (not self.silent or rest.startswith(f"</{self.silent}")):
            self.into_tag()
            self.silent = ""
        elif not self.silent:
            self.words += letter

    def read_tag(self, letter: str) -> None:
        if letter == ">":
            self.where = "text"
            self.silent = self.tag if self.tag in SILENT_ELEMENTS else ""
        elif letter in "\"'":
            self.where, self.quote = "value", letter
        elif letter.isspace():
            self.tag, self.attribute = self.tag or self.attribute, ""
        elif letter != "=":
            self.attribute += letter
            if not self.tag and self.attribute in SILENT_ELEMENTS:
                self.tag = self.attribute


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_word_of_a_template_stands_outside_the_translation_tags(folder: str) -> None:
    paths = (TEMPLATES / folder).glob("*" if folder == "." else "**/*")
    said = {
        path.relative_to(TEMPLATES).as_posix(): words
        for path in sorted(paths)
        if path.suffix in (".html", ".txt")
        and path.name not in SAMPLES
        and (words := untranslated(path.read_text(), plain=path.suffix == ".txt"))
    }
    assert said == {}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>{{ name }} says hello</p>", ["says hello"]),
        ("<p>{% if new %}new{% else %}old{% endif %}</p>", ["new", "old"]),
        ('<a title="Home" href="/home">{{ name }}</a>', ["Home"]),
        ('<input placeholder="{% if a %}Find{% endif %}">', ["Find"]),
        ('{% include "_form.html" with submit="Save" %}', ["Save"]),
        ('{{ words|default:"Older" }}', ["Older"]),
        ("<svg><path d='M1 2'/></svg>after", ["after"]),
        ('{% block x_attrs %} data-a="b"{% endblock %}<p>Hello</p>', ["Hello"]),
        ("<{% if a %}ul{% else %}ol{% endif %} class='x'>List</ul>", ["List"]),
    ],
)
def test_the_reader_finds_words_that_nobody_translates(source: str, words: list[str]) -> None:
    assert untranslated(source) == words


@pytest.mark.parametrize(
    "source",
    [
        '<p class="muted">{% translate "Hello" %}</p>',
        "<p>{% blocktranslate %}Hello <b>{{ name }}</b>{% endblocktranslate %} · 3 &amp; 4</p>",
        "{% comment %}What this is.{% endcomment %}<!doctype html>",
        '<script nonce="x">const hello = "Hello" < 3;</script><kbd>Ctrl</kbd>',
        '{% include "_form.html" with submit=_("Save") tone="deal" %}',
        '{{ at|date:"DATE_FORMAT" }}{% lucide "House" %}{# A note. #}',
        '{% block shell_attrs %} data-nav="none"{% endblock %}',
    ],
)
def test_the_reader_leaves_translated_words_and_code_alone(source: str) -> None:
    assert untranslated(source) == []
