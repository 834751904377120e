"""Markdown by one road: what it makes of honest text, and of 3,000 hostile ones."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from community.threads import markup
from community.threads.markup import Picture, plain_text, render
from tests.community.markup_corpus import OWN_IMAGE, payloads

OWN = UUID(OWN_IMAGE)
OTHER = UUID("01890000-0000-7000-8000-000000000002")
PICTURE = Picture(
    url=f"/images/{OWN}/", src=f"/thumbnails/{OWN}/", width=640, height=480, alt="Own"
)


def images(wanted: Sequence[UUID]) -> Mapping[UUID, Picture]:
    return {one: PICTURE for one in wanted if one == OWN}


def members(wanted: Sequence[str]) -> Mapping[str, str]:
    return {one: f"/members/{one}/" for one in wanted if one in ("ada", "bo-b")}


def html_of(source: str, **options: bool) -> str:
    return render(source, images=images, members=members, **options).html


# -- honest text ------------------------------------------------------------------------------

LINK = 'rel="nofollow ugc noopener"'


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("plain", "<p>plain</p>"),
        ("one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>"),
        ("**b** *e* ~~s~~ `c`", "<p><strong>b</strong> <em>e</em> <s>s</s> <code>c</code></p>"),
        ("# One\n## Two\n###### Six", "<h3>One</h3>\n<h4>Two</h4>\n<h5>Six</h5>"),
        ("### Three\n### Three\n# One", "<h3>Three</h3>\n<h3>Three</h3>\n<h3>One</h3>"),
        ("# a\n### c\n## b\n---", "<h3>a</h3>\n<h4>c</h4>\n<h4>b</h4>\n<hr>"),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("```py\nx < 1\n```", '<pre tabindex="0"><code>x &lt; 1\n</code></pre>'),
        ("---", "<hr>"),
        ("a <b>c</b> &copy;", "<p>a &lt;b&gt;c&lt;/b&gt; ©</p>"),
        ("[w](https://a.example 'title')", f'<p><a href="https://a.example" {LINK}>w</a></p>'),
        ("[w](/t/1/)", f'<p><a href="/t/1/" {LINK}>w</a></p>'),
        ("<me@a.example>", f'<p><a href="mailto:me@a.example" {LINK}>me@a.example</a></p>'),
        (
            "see https://a.example/x?a=1&b=2.",
            f'<p>see <a href="https://a.example/x?a=1&amp;b=2" {LINK}>'
            "https://a.example/x?a=1&amp;b=2</a>.</p>",
        ),
        ("it works.It does, see readme.md", "<p>it works.It does, see readme.md</p>"),
        ("[w](javascript:alert(1))", "<p>[w](javascript:alert(1))</p>"),
    ],
)
def test_markdown_becomes_html(source, html):
    assert html_of(source).strip() == html


def test_a_table_scrolls_in_a_box_that_the_keyboard_reaches():
    html = html_of("| a | b | c |\n|---|:-:|--:|\n| 1 | 2 | 3 |")
    assert html.startswith('<div class="table" tabindex="0"><table>')
    assert '<th>a</th>\n<th class="center">b</th>\n<th class="end">c</th>' in html
    assert html.rstrip().endswith("</table></div>")


def test_pictures_of_ours_are_shown_small_and_lead_to_the_whole():
    assert html_of(f"![A *street*](image:{OWN})").strip() == (
        f'<p><a href="/images/{OWN}/" class="picture" {LINK}>'
        f'<img src="/thumbnails/{OWN}/" alt="A street" width="640" height="480"'
        ' loading="lazy" decoding="async"></a></p>'
    )


def test_a_picture_without_words_takes_those_of_its_upload():
    assert 'alt="Own"' in html_of(f"![](image:{OWN})")


def test_a_picture_inside_a_link_makes_no_link_of_its_own():
    html = html_of(f"[![x](image:{OWN})](https://a.example)")
    assert html.count("<a ") == 1
    assert 'href="https://a.example"' in html


@pytest.mark.parametrize(
    ("source", "html"),
    [
        (f"![words](image:{OTHER})", "<p>words</p>"),
        ("![words](image:not-an-id)", "<p>![words](image:not-an-id)</p>"),
        (
            "![words](https://evil.example/pixel.gif)",
            f'<p><a href="https://evil.example/pixel.gif" {LINK}>words</a></p>',
        ),
        ("![words](/images/1/)", "<p>words</p>"),
        (
            "[![words](https://evil.example/x.gif)](https://a.example)",
            f'<p><a href="https://a.example" {LINK}>words</a></p>',
        ),
    ],
)
def test_other_pictures_become_words_or_links(source, html):
    assert html_of(source).strip() == html


@pytest.mark.parametrize(
    ("source", "mentioned"),
    [
        ("@ada", ["ada"]),
        ("(@Ada), @ADA! and @bo-b.", ["ada", "bo-b"]),
        ("**@ada**", ["ada"]),
        ("@ada's", ["ada"]),
        ("@ada_", []),
        ("@ada- and so on", ["ada"]),
        ("@nobody", []),
        ("me@ada", []),
        ("@ada@elsewhere.example", []),
        ("`@ada`", []),
        ("[@ada](https://a.example)", []),
        ("https://a.example/@ada", []),
    ],
)
def test_mentions_are_of_members_that_exist(source, mentioned):
    rendered = render(source, members=members)
    assert list(rendered.mentions) == mentioned
    assert rendered.html.count('class="mention"') == sum(
        len(re.findall(rf"@{handle}\b", source, re.I)) for handle in mentioned
    )


def test_rendering_says_what_a_text_refers_to():
    rendered = render(
        f"@ada https://b.example [w](HTTP://a.example) ![x](image:{OWN}) ![y](image:{OTHER})"
        " ![z](https://c.example/x.png) [r](/t/1/) https://b.example",
        images=images,
        members=members,
    )
    assert rendered.image_ids == (OWN,)
    assert rendered.mentions == ("ada",)
    assert rendered.links == ("https://b.example", "HTTP://a.example", "https://c.example/x.png")


def test_look_ups_are_asked_once_and_not_about_nothing():
    asked: list[object] = []

    def find(wanted: Sequence[object]) -> dict[object, object]:
        asked.append(list(wanted))
        return {}

    render("nothing", images=find, members=find)  # type: ignore[arg-type]
    assert asked == []
    render(f"@a @b ![x](image:{OWN})\n\n> @b @c", images=find, members=find)  # type: ignore[arg-type]
    assert asked == [[OWN], ["a", "b", "c"]]


def test_no_more_is_looked_up_than_one_post_may_show():
    asked: dict[str, int] = {}
    source = " ".join(f"@m{n} ![x](image:00000000-0000-0000-0000-{n:012})" for n in range(100))
    render(
        source,
        images=lambda wanted: asked.update(images=len(wanted)) or {},
        members=lambda wanted: asked.update(members=len(wanted)) or {},
    )
    assert asked == {"images": 40, "members": 50}


def test_a_message_keeps_to_one_line_of_tags():
    html = html_of("# a\n\n- b\n\n> c **d** `e`\n\n| f |\n|---|\n\n    g", inline_only=True)
    assert set(re.findall(r"<(\w+)", html)) == {"p", "br", "strong", "code"}


def test_the_limit_is_50_000_characters():
    assert html_of("x" * 50_000) == f"<p>{'x' * 50_000}</p>\n"
    for refused in (render, plain_text):
        with pytest.raises(markup.SourceTooLong):
            refused("x" * 50_001)


@pytest.mark.parametrize(
    "source",
    [
        "[a]: " + "x" * 20_000 + "\n\n" + "[a]" * 9_000,
        "[a]: /x '" + "x" * 20_000 + "'\n\n" + "[a]" * 9_000,
        "[a]: https://x.example/" + "x" * 20_000 + "\n\n" + "![a]" * 7_000,
    ],
)
def test_a_source_that_grows_a_thousandfold_is_too_long(source):
    """One address, written out nine thousand times: 50 kB of source were 90 MB of links."""
    with pytest.raises(markup.SourceTooLong):
        render(source)
    assert "href" in html_of("[a]: /x\n\n" + "[a]" * 900)


def test_a_wall_of_addresses_is_left_as_it_was_typed():
    """The parser reads all before it at each of them: 50 kB took five seconds."""
    assert html_of("http://a.example " * 500).count("<a ") == 500
    began = time.process_time()
    for wall in ("http://a" * 6_000, "x://a " * 8_000):
        assert "<a " not in html_of(wall)
    assert time.process_time() - began < 3
    assert '<a href="/x"' in html_of("http://a.example " * 501 + "[a](/x)")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("# Title\n\nSome **bold**\nwords, `code`.", "Title Some bold words, code."),
        ("> what they said\n\nMy answer", "My answer"),
        ("> only a quote", "only a quote"),
        (f"![alt](image:{OWN}) after", "after"),
        ("```\na  b\n```", "a b"),
        ("", ""),
    ],
)
def test_plain_text_is_what_a_reader_would_say(source, words):
    assert plain_text(source) == words


def test_two_threads_rendering_at_once_do_not_mix_their_links():
    """linkify-it keeps its last match on itself; one parser for all threads would mix them up."""
    wrong: list[str] = []

    def run(name: str) -> None:
        for number in range(60):
            url = f"https://{name}.example/{'x' * (number % 7)}"
            if render(f"{'word ' * number} {url} end").links != (url,):
                wrong.append(url)

    threads = [threading.Thread(target=run, args=(f"n{number}",)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []


# -- hostile text -----------------------------------------------------------------------------

CLASSES = {"mention", "picture", "table", "center", "end"}
BY_TAG = {
    "a": {"href", "rel", "class"},
    "img": {"src", "alt", "width", "height", "loading", "decoding"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "div": {"class", "role", "aria-label", "tabindex"},
    "th": {"class"},
    "td": {"class"},
}


class Judge(HTMLParser):
    """Reads HTML with another parser than the one that cleaned it, and notes what is not allowed.

    The lists here are written again by hand: those of markup.py must not judge themselves.
    """

    TAGS = frozenset(
        re.findall(
            r"\S+",
            "p br h3 h4 h5 h6 hr strong em s code pre blockquote ul ol li a img"
            " table thead tbody tr th td div",
        )
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.violations: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.TAGS:
            self.violations.append(f"<{tag}>")
        for name, value in attrs:
            if name not in BY_TAG.get(tag, set()):
                self.violations.append(f"<{tag} {name}>")
            if name == "class" and value not in CLASSES:
                self.violations.append(f"class {value}")
            if name == "href" and not self.may_lead_to(value or ""):
                self.violations.append(f"href {value}")
            if name == "src" and value != PICTURE.src:
                self.violations.append(f"src {value}")
        if tag == "a" and ("rel", "nofollow ugc noopener") not in attrs:
            self.violations.append("a without rel")

    @staticmethod
    def may_lead_to(address: str) -> bool:
        # Browsers drop controls and blanks before they read the scheme.
        plain = re.sub(r"[\x00-\x20\x7f-\x9f\u2028\u2029]", "", address).lower()
        return urlsplit(plain).scheme in ("", "http", "https", "mailto") and not plain.startswith(
            ("javascript", "vbscript", "data:")
        )

    def handle_comment(self, data: str) -> None:
        self.violations.append("comment")

    def handle_decl(self, decl: str) -> None:
        self.violations.append("declaration")

    def handle_pi(self, data: str) -> None:
        self.violations.append("instruction")

    def unknown_decl(self, data: str) -> None:
        self.violations.append("declaration")


def violations(html: str) -> list[str]:
    judge = Judge()
    judge.feed(html)
    judge.close()
    return judge.violations


def test_3_000_hostile_texts_leave_nothing_that_is_not_allowed():
    texts = list(payloads())
    assert len(texts) >= 3_000
    assert len(set(texts)) == len(texts)
    bad = {text: found for text in texts if (found := violations(html_of(text)))}
    assert bad == {}


def test_3_000_hostile_messages_leave_nothing_that_is_not_allowed():
    bad = {text for text in payloads() if violations(html_of(text, inline_only=True))}
    assert bad == set()


def test_the_judge_finds_much_in_what_a_careless_renderer_makes_of_them():
    """The bad twin: raw HTML allowed, every address allowed, nothing cleaned."""
    careless = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    careless.validateLink = lambda url: True  # type: ignore[method-assign]
    bad = sum(1 for text in payloads() if violations(careless.render(text)))
    assert bad > 1_500


class Runs(HTMLParser):
    """Notes only what would run: the worst that one half of the road may let by."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        addresses = [value or "" for name, value in attrs if name in ("href", "src")]
        self.found |= (
            tag in ("script", "iframe", "object", "embed", "base", "meta", "style", "svg", "math")
            or any(name.startswith("on") for name, _ in attrs)
            or not all(
                address == PICTURE.src or Judge.may_lead_to(address) for address in addresses
            )
        )


def runs(html: str) -> bool:
    reader = Runs()
    reader.feed(html)
    return reader.found


def test_each_half_of_the_road_holds_alone_if_the_other_fails():
    careless = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    careless.validateLink = lambda url: True  # type: ignore[method-assign]
    careful = markup._make_parser(inline_only=False)
    texts = [text for text in payloads() if "image:" not in text]
    only_cleaned = [text for text in texts if runs(markup.clean(careless.render(text)))]
    only_parsed = [text for text in texts if runs(careful.render(text))]
    neither = [text for text in texts if runs(careless.render(text))]
    assert (only_cleaned, only_parsed) == ([], [])
    assert len(neither) > 1_000


fragments = st.sampled_from(
    [
        *"*_~`[]()<>!#|\\&;:/\"'= \n\t\x00\u2028",
        *("![", "](", "image:", OWN_IMAGE, "javascript:", "https://", "@ada", "```", "---"),
        *("<img src=x onerror=", "<script>", "> ", "- ", "1. "),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(fragments | st.text(max_size=4), max_size=40).map("".join))
def test_no_text_at_all_leaves_what_is_not_allowed(source):
    assert violations(html_of(source)) == []


@settings(max_examples=150, deadline=None)
@given(st.lists(fragments | st.text(max_size=4), max_size=40).map("".join))
def test_the_same_text_renders_the_same_twice(source):
    assert render(source, images=images, members=members) == render(
        source, images=images, members=members
    )
