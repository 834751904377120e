"""Queries put into SQL once a process: writing one down costs more than running it.

PostgreSQL plans each once a connection (config/prepared.py).

Only for queries whose SQL is the same whatever is asked: `write` gets stand-ins for what differs,
each of which must come out as a parameter of its own. All other parameters are put into the text:
a plan that is kept knows nothing of parameters, so `join_mode <> 'hidden'` as one would have it
guess that hardly any group is not hidden, and read them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Final, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler
from psycopg.sql import Literal

from config.prepared import prepared_cursor

M = TypeVar("M", bound=Model)
Asked = int | str | list[int]
# Stand for what is asked: numbers no row has, that every whole-number column could hold.
STAND_INS: Final = tuple(range(1_987_654_321, 1_987_654_329))
_PLACE: Final = re.compile(r"%[%s]")


class Written(Generic[M]):
    """`write(a, b)` returns a queryset; `rows(a, b)` runs it for these whole numbers.

    Where the query takes it, what is asked may be a list (`= ANY`) or a text (cast) as well.
    `prepared` False has it planned each time: its best plan hangs on what is asked.
    """

    def __init__(self, write: Callable[..., QuerySet[M, Any]], *, prepared: bool = True) -> None:
        self.write = write
        self.prepared = prepared
        self._known: dict[int, tuple[SQLCompiler, str, tuple[Any, ...]]] = {}
        self._lock = Lock()

    def rows(self, *values: Asked) -> list[M]:
        """Return the rows, with what they were selected and annotated with. One query."""
        return self._built(*self._found(values))

    def tuples(self, *values: Asked) -> list[tuple[Any, ...]]:
        """Return what a queryset of `values_list` does. One query."""
        compiler, found = self._found(values)
        return [tuple(row) for row in compiler.results_iter([found], tuple_expected=True)]

    def _found(self, values: tuple[Asked, ...]) -> tuple[SQLCompiler, list[Sequence[Any]]]:
        compiler, sql, parameters = self._known.get(len(values)) or self._put_down(len(values))
        asked = dict(zip(STAND_INS, values, strict=False))
        with prepared_cursor() if self.prepared else connection.cursor() as cursor:
            cursor.execute(sql, [asked[one] for one in parameters])
            return compiler, cursor.fetchall()

    def _put_down(self, count: int) -> tuple[SQLCompiler, str, tuple[Any, ...]]:
        with self._lock:
            query = self.write(*STAND_INS[:count]).query
            compiler = query.get_compiler(DEFAULT_DB_ALIAS)
            sql, parameters = compiler.as_sql()
            if not set(STAND_INS[:count]) <= set(parameters):
                raise ValueError("What is asked must be parameters of the query.")
            self._known[count] = compiler, *_with_constants(sql, parameters)
        return self._known[count]

    def _built(self, compiler: SQLCompiler, found: list[Sequence[Any]]) -> list[M]:
        """Make rows of the model, as a queryset does (django.db.models.query.ModelIterable)."""
        info = compiler.klass_info
        model, places = info["model"], info["select_fields"]
        first, last = places[0], places[-1] + 1
        names = [column[0].target.attname for column in compiler.select[first:last]]
        # As Django 5.2 has it; the stubs are ahead.
        beside = get_related_populators(info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        rows = []
        for row in compiler.results_iter([found]):
            built = model.from_db(DEFAULT_DB_ALIAS, names, row[first:last])
            for related in beside:
                related.populate(row, built)
            for name, place in compiler.annotation_col_map.items():
                setattr(built, name, row[place])
            rows.append(built)
        return rows


def _with_constants(sql: str, parameters: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Put all parameters but stand-ins into the text, as the database writes them."""
    left = iter(parameters)
    asked: list[Any] = []
    connection.ensure_connection()

    def put(place: re.Match[str]) -> str:
        if place[0] == "%%":
            return "%%"
        value = next(left)
        if value in STAND_INS:
            asked.append(value)
            return "%s"
        # What is left as text must not look like the place of a parameter.
        return Literal(value).as_string(connection.connection).replace("%", "%%")

    return _PLACE.sub(put, sql), tuple(asked)
