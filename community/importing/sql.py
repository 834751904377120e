"""Reading the rows of a MySQL dump as a stream: INSERTs of some tables, nothing is run. Pure.

As mysqldump, phpMyAdmin and phpBB's own backup write them: one row or many a statement, with the
columns named or as CREATE TABLE gave them, strings in either quote with backslashes or doubled
quotes. Memory is bounded by one row, whatever the lengths of lines and statements.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass
from typing import Final, TextIO

CHUNK_CHARS: Final = 256 * 1024
VALUE_MAX_CHARS: Final = 1_000_000
COLUMNS_MAX: Final = 500
LONGEST_WORD: Final = 400

ESCAPES: Final = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
STEP: Final = re.compile(r"\s+|[A-Za-z0-9_.$+-]+|`(?:[^`]|``){0,200}`")
INSIDE: Final = {
    "'": re.compile(r"[^'\\]+"),
    '"': re.compile(r'[^"\\]+'),
}
KEYS: Final = frozenset(
    {"PRIMARY", "KEY", "UNIQUE", "FULLTEXT", "INDEX", "CONSTRAINT", "SPATIAL", "FOREIGN", "CHECK"}
)


@dataclass(frozen=True, slots=True)
class SqlRow:
    """A row of an INSERT, or why it is none. `values` are by column; NULL is None."""

    table: str
    line: int
    values: dict[str, str | None]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # word, name (in backticks), text, mark, end
    text: str
    line: int


class _Ended(Exception):
    """The dump ended inside a statement."""


class _Tokens:
    """The dump's words one after another, a chunk of it in memory at a time."""

    def __init__(self, dump: TextIO) -> None:
        self.dump = dump
        self.buffer = ""
        self.at = 0
        self.line = 1
        self.ended = False

    def next(self) -> _Token:
        while True:
            self._want(LONGEST_WORD)
            if self.at >= len(self.buffer):
                return _Token("end", "", self.line)
            sign = self.buffer[self.at]
            if sign in INSIDE:
                return self._text(sign)
            if sign == "#" or self._stands("-- ") or self._stands("--\n") or self._stands("--\t"):
                self._skip_past("\n")
                continue
            if self._stands("/*"):
                self._take(2)
                self._skip_past("*/")
                continue
            found = STEP.match(self.buffer, self.at)
            if found is None:
                return _Token("mark", self._take(1), self.line)
            while found and found.end() == len(self.buffer) and not self.ended:
                if len(found[0]) > VALUE_MAX_CHARS:
                    break
                self._fill()
                found = STEP.match(self.buffer, self.at)
            line, word = self.line, self._take(len(found[0]) if found else 1)
            if not word.isspace():
                if word[0] == "`":
                    return _Token("name", word[1:-1].replace("``", "`"), line)
                return _Token("word", word, line)

    def _text(self, quote: str) -> _Token:
        """Read a string; of one too long only the beginning is kept."""
        line, pieces, kept = self.line, list[str](), 0
        self._take(1)
        while True:
            self._want(2)
            if self.at >= len(self.buffer):
                raise _Ended
            if found := INSIDE[quote].match(self.buffer, self.at):
                piece = self._take(len(found[0]))
            elif self.buffer[self.at] == "\\":
                sign = self._take(2)[1:]
                piece = ESCAPES.get(sign, sign)
            elif self._stands(quote * 2):
                self._take(2)
                piece = quote
            else:
                self._take(1)
                return _Token("text", "".join(pieces), line)
            if kept <= VALUE_MAX_CHARS:
                pieces.append(piece[: VALUE_MAX_CHARS + 1])
                kept += len(piece)

    def _stands(self, sign: str) -> bool:
        return self.buffer.startswith(sign, self.at)

    def _take(self, length: int) -> str:
        taken = self.buffer[self.at : self.at + length]
        self.at += length
        self.line += taken.count("\n")
        return taken

    def _skip_past(self, sign: str) -> None:
        while (end := self.buffer.find(sign, self.at)) < 0:
            if self.ended:
                self._take(len(self.buffer) - self.at)
                return
            # The sign may be cut in two by the end of the chunk.
            self._take(max(0, len(self.buffer) - self.at - len(sign) + 1))
            self._fill()
        self._take(end + len(sign) - self.at)

    def _want(self, length: int) -> None:
        """Have so much of the dump ahead, or all that is left of it."""
        while len(self.buffer) - self.at < length and not self.ended:
            self._fill()

    def _fill(self) -> None:
        if not self.ended:
            chunk = self.dump.read(CHUNK_CHARS)
            self.ended = not chunk
            self.buffer = self.buffer[self.at :] + chunk
            self.at = 0


def rows(dump: TextIO, tables: Collection[str]) -> Iterator[SqlRow]:
    """Yield the rows the dump inserts into `tables`; those that are broken with their fault."""
    reader = _Reader(_Tokens(dump), frozenset(tables))
    while True:
        try:
            if not (yield from reader.statement()):
                return
        except _Ended:
            line = reader.tokens.line
            yield SqlRow(reader.table, line, {}, "the dump ends inside a statement")
            return


class _Reader:
    def __init__(self, tokens: _Tokens, tables: frozenset[str]) -> None:
        self.tokens = tokens
        self.tables = tables
        self.columns: dict[str, list[str]] = {}
        self.table = ""

    def statement(self) -> Generator[SqlRow, None, bool]:
        """Read one statement. Returns False at the end of the dump."""
        self.table = ""
        token = self.tokens.next()
        if token.kind == "end":
            return False
        verb = token.text.upper() if token.kind == "word" else ""
        if verb == "CREATE":
            self._create()
        elif verb in ("INSERT", "REPLACE"):
            yield from self._insert()
        elif token.text != ";" or token.kind != "mark":
            self._skip()
        return True

    def _skip(self, token: _Token | None = None) -> None:
        """Read on past the end of the statement, which may be the dump's."""
        token = token or self.tokens.next()
        while token.kind != "end" and not is_mark(token, ";"):
            token = self.tokens.next()

    def _name(self, token: _Token) -> tuple[str, _Token]:
        """Read `base`.`table` or table: its last part, and the token after it."""
        name, following = token.text, self.tokens.next()
        while is_mark(following, ".") or (following.kind == "word" and following.text == "."):
            name, following = self.tokens.next().text, self.tokens.next()
        return name.rpartition(".")[2] if token.kind == "word" else name, following

    def _create(self) -> None:
        token = self.tokens.next()
        while token.kind == "word" and token.text.upper() in (
            *("TEMPORARY", "TABLE", "IF", "NOT", "EXISTS"),
        ):
            token = self.tokens.next()
        name, token = self._name(token)
        if name not in self.tables or not is_mark(token, "("):
            self._skip(token)
            return
        columns: list[str] = []
        depth, begins = 1, True
        while depth and token.kind != "end" and not is_mark(token, ";"):
            token = self.tokens.next()
            if begins and len(columns) < COLUMNS_MAX:
                key = token.kind == "word" and token.text.upper() in KEYS
                if token.kind in ("word", "name") and not key:
                    columns.append(token.text)
            begins = depth == 1 and is_mark(token, ",")
            depth += is_mark(token, "(") - is_mark(token, ")")
        self.columns[name] = columns
        self._skip(token)

    def _insert(self) -> Iterator[SqlRow]:
        token = self.tokens.next()
        while token.kind == "word" and token.text.upper() in (
            *("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "INTO"),
        ):
            token = self.tokens.next()
        name, token = self._name(token)
        if name not in self.tables:
            self._skip(token)
            return
        self.table = name
        columns = self.columns.get(name, [])
        if is_mark(token, "("):
            columns, token = [], self.tokens.next()
            while token.kind in ("word", "name", "mark") and not is_mark(token, ")"):
                if token.kind != "mark" and len(columns) < COLUMNS_MAX:
                    columns.append(token.text)
                token = self.tokens.next()
            token = self.tokens.next()
        if token.kind != "word" or token.text.upper() not in ("VALUES", "VALUE"):
            yield SqlRow(name, token.line, {}, "an INSERT without VALUES")
            self._skip(token)
            return
        while is_mark(token := self.tokens.next(), "("):
            line = token.line
            values, fault = self._values()
            if not columns:
                fault = fault or "nothing says which columns there are"
            elif len(values) != len(columns):
                fault = fault or f"{len(values)} values for {len(columns)} columns"
            yield SqlRow(name, line, dict(zip(columns, values, strict=False)), fault)
            token = self.tokens.next()
            if not is_mark(token, ","):
                break
        self._skip(token)

    def _values(self) -> tuple[list[str | None], str]:
        """Read on to the end of the row; return its values and what is wrong with them."""
        values: list[str | None] = []
        parts: list[_Token] = []
        fault, depth = "", 0
        while True:
            token = self.tokens.next()
            if token.kind == "end":
                raise _Ended
            if depth == 0 and (is_mark(token, ",") or is_mark(token, ")")):
                if len(values) < COLUMNS_MAX:
                    values.append(value_of(parts))
                if parts and parts[-1].kind == "text" and len(parts[-1].text) > VALUE_MAX_CHARS:
                    fault = "a value is too long"
                parts = []
                if token.text == ")":
                    return values, fault
                continue
            depth += is_mark(token, "(") - is_mark(token, ")")
            # `_binary 'text'` has two.
            parts = [*parts[-3:], token]


def value_of(parts: list[_Token]) -> str | None:
    """Return a value's text: of a string, a number, a hexadecimal literal; None of NULL."""
    texts = [part.text for part in parts if part.kind == "text"]
    if texts:
        return "".join(texts)
    word = "".join(part.text for part in parts)
    if word.upper() == "NULL" or not parts:
        return None
    if re.fullmatch(r"0x(?:[0-9a-f]{2})+", word, re.I):
        return bytes.fromhex(word[2:]).decode("utf-8", "replace")
    return word


def is_mark(token: _Token, sign: str) -> bool:
    return token.kind == "mark" and token.text == sign
