"""Catalogues of translations: what the code says, what a catalogue must have, what is made of it.

Nothing but polib (for developers) is needed: GNU gettext is not. The domains are Django's: `django`
for Python and templates, `djangojs` for static/js. Made files are committed, so that a site needs
neither (tests/architecture/test_catalogues.py compares them).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import polib
from django.conf import settings
from django.utils.translation import to_language
from django.utils.translation.template import templatize

ROOT: Final = Path(settings.BASE_DIR)
LOCALE: Final = ROOT / "locale"
MODULES: Final = ROOT / "static" / "js" / "words"
PACKAGES: Final = ("config", "community", "commerce", "moderation")
DOMAINS: Final = ("django", "djangojs")

_STRING: Final = r"""u?("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
_CALL: Final = re.compile(
    rf"(?<![\w.])(n?p?gettext|_)\(\s*{_STRING}(?:\s*,\s*{_STRING})?(?:\s*,\s*{_STRING})?"
)
_PLACEHOLDER: Final = re.compile(r"%\(\w+\)[sd]|%(?!\()[sd]|\{\w*\}")
_TAG: Final = re.compile(r"</?[a-z]+")
_PLURAL: Final = re.compile(r"nplurals=\d+;\s*plural=([n\d\s%&|!=<>?:()+*/-]+);")


class Text(NamedTuple):
    """A text to translate; `plural` and `context` are empty where it has none."""

    singular: str
    plural: str = ""
    context: str = ""


# -- what the code says -----------------------------------------------------------------------


def texts_of(domain: str) -> dict[Text, list[str]]:
    """Return every text of the code with the files that say it, in the order of the files.

    Said with a plural and without, a text is one with a plural, as catalogues want it.
    """
    found: dict[tuple[str, str], tuple[Text, list[str]]] = {}
    for path in _sources(domain):
        for text in texts_in(path.name, path.read_text(encoding="utf-8")):
            before, places = found.get((text.context, text.singular), (text, []))
            if before.plural and text.plural not in ("", before.plural):
                raise ValueError(f"{path}: another plural of {text.singular!r}")
            name = path.relative_to(ROOT).as_posix()
            if name not in places:
                places.append(name)
            kept = before if before.plural else text
            found[text.context, text.singular] = kept, places
    return dict(found.values())


def texts_in(name: str, source: str) -> list[Text]:
    """Return the texts of one file, which is Python, a script or else a template by its name."""
    if name.endswith(".py"):
        return list(_in_python(source))
    return list(_in_calls(source if name.endswith(".js") else templatize(source)))


def _sources(domain: str) -> Iterator[Path]:
    if domain == "djangojs":
        scripts = (ROOT / "static" / "js").rglob("*.js")
        yield from sorted(path for path in scripts if MODULES not in path.parents)
        return
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))
    yield from sorted(path for path in (ROOT / "templates").rglob("*.*") if path.is_file())


def _in_python(source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        name = name.removesuffix("_lazy").removesuffix("_noop")
        if name in ("_", "gettext", "ngettext", "pgettext", "npgettext"):
            said = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            yield from _text(name, [text for text in said if isinstance(text, str)])


def _in_calls(source: str) -> Iterator[Text]:
    for name, *said in _CALL.findall(source):
        yield from _text(name, [ast.literal_eval(text) for text in said if text])


def _text(name: str, said: list[str]) -> Iterator[Text]:
    context = said.pop(0) if "pgettext" in name and said else ""
    if said:
        yield Text(said[0], said[1] if name.startswith("n") and len(said) > 1 else "", context)


# -- a catalogue ------------------------------------------------------------------------------


def catalogues() -> list[Path]:
    """Return the .po files there are."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))


def text_of(entry: polib.POEntry) -> Text:
    return Text(entry.msgid, entry.msgid_plural or "", entry.msgctxt or "")


def take_up(catalogue: polib.POFile, domain: str) -> None:
    """Add what the code says and the catalogue lacks; take out what is no longer said."""
    said = texts_of(domain)
    known = {text_of(entry): entry for entry in catalogue}
    catalogue.clear()
    for text, places in said.items():
        entry = known.get(text) or polib.POEntry(
            msgid=text.singular,
            msgid_plural=text.plural,
            msgctxt=text.context or None,
            msgstr_plural=dict.fromkeys(range(_forms(catalogue)), "") if text.plural else {},
        )
        entry.obsolete = False
        entry.occurrences = [(place, "") for place in places]
        if "%(" in text.singular and "python-format" not in entry.flags:
            entry.flags.append("python-format")
        catalogue.append(entry)


def _forms(catalogue: polib.POFile) -> int:
    found = re.search(r"nplurals=(\d+)", catalogue.metadata.get("Plural-Forms", ""))
    return int(found[1]) if found else 2


def faults(catalogue: polib.POFile, domain: str) -> list[str]:
    """Say what is missing or wrong in a catalogue, a line each."""
    found = []
    known = {text_of(entry) for entry in catalogue if not entry.obsolete}
    found += [
        f"not in the catalogue: {text.singular!r}" for text in texts_of(domain).keys() - known
    ]
    for entry in catalogue:
        forms = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        sources = [entry.msgid, *([entry.msgid_plural] if entry.msgid_plural else [])]
        if entry.obsolete:
            found.append(f"no longer said: {entry.msgid!r}")
        elif entry.fuzzy:
            found.append(f"fuzzy: {entry.msgid!r}")
        elif not all(forms) or (entry.msgid_plural and len(forms) != _forms(catalogue)):
            found.append(f"not translated: {entry.msgid!r}")
        else:
            for of, what in ((_PLACEHOLDER, "placeholders"), (_TAG, "tags")):
                wanted = [sorted(set(of.findall(source))) for source in sources]
                if any(sorted(set(of.findall(form))) not in wanted for form in forms):
                    found.append(f"other {what}: {entry.msgid!r}")
    return sorted(found)


# -- what is made of it -----------------------------------------------------------------------


def made_of(path: Path) -> dict[Path, bytes]:
    """Return the files made of a .po file: its .mo, and of `djangojs` the scripts' module too."""
    catalogue = polib.pofile(str(path))
    made = {path.with_suffix(".mo"): bytes(catalogue.to_binary())}
    if path.stem == "djangojs":
        code = to_language(path.parent.parent.name)
        made[MODULES / f"{code}.js"] = module_of(catalogue, code).encode()
    return made


def module_of(catalogue: Iterable[polib.POEntry], code: str) -> str:
    """Return the module by which pages' scripts speak a language, as static/js/words/en.js does."""
    metadata = getattr(catalogue, "metadata", {})
    plural = _PLURAL.search(metadata.get("Plural-Forms", ""))
    if plural is None:
        raise ValueError(f"The catalogue of {code} does not say its plural forms.")
    lines = []
    for entry in catalogue:
        if entry.msgctxt:
            raise ValueError(f"Scripts have no contexts: {entry.msgid!r}")
        said = list(entry.msgstr_plural.values()) if entry.msgid_plural else entry.msgstr
        lines.append(f"  {_js(entry.msgid)}: {_js(said)},\n")
    return (
        "/* Made by `manage.py compile_words`; change locale/ instead. */\n"
        'import { speaking } from "./en.js";\n\n'
        "export const { gettext, ngettext } = speaking({\n"
        f"{''.join(lines)}}}, (n) => Number({plural[1].strip()}));\n"
    )


def _js(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
