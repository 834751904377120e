"""The checks of the matrix, apart from the tests, so that they can be tried on bad twins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver, resolve

from tests.architecture.access.asking import Answer, ask
from tests.architecture.access.rules import CONFIRM, LOGIN, Row
from tests.architecture.access.world import PEOPLE, World

# All below these is somebody else's to list: Django's admin site, which lets only staff in, and
# allauth's pages of signing in.
PREFIXES: Final = ("staff/", "accounts/")
METHODS: Final = ("GET", "POST", "PUT", "DELETE")
REFUSED: Final = {LOGIN, CONFIRM, 401, 403, 404, 405, 409, 410, 422}
# A form a guest sent waits in their own session till they have signed in.
GUESTS_OWN: Final = "django_session"

# Who is asked where. In the open group everybody is, but what answers all members alike is asked
# by the first of these and by one of the others in turn; elsewhere those for whom it is another
# place.
ALWAYS: Final = ("guest", "outsider", "author")
IN_TURN: Final = tuple(person for person in PEOPLE if person not in ALWAYS)
ELSEWHERE: Final = {
    "invite": ("guest", "outsider"),
    "hidden": ("guest", "outsider", "staff", "member"),
}


def routes(patterns: Iterable[URLPattern | URLResolver], above: str = "") -> Iterator[str]:
    """Every route of the site as its pattern, but those below PREFIXES."""
    for each in patterns:
        route = above + str(each.pattern)
        if route.startswith(PREFIXES):
            continue
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, route)
        else:
            yield route


def routes_of(rows: Iterable[Row], world: World, urlconf: str | None = None) -> set[str]:
    """The routes that the rows of a table lead to."""
    return {resolve(address(row, world), urlconf).route for row in rows}


def unlisted(rows: Iterable[Row], world: World, urlconf: str | None = None) -> list[str]:
    """The routes no row of the tables leads to."""
    known = routes_of(rows, world, urlconf)
    return [route for route in routes(get_resolver(urlconf).url_patterns) if route not in known]


def address(row: Row, world: World) -> str:
    return world.filled(row.path)


def askers(row: Row, number: int) -> list[tuple[str, str]]:
    """Pairs of person and place that are tried on a row."""
    alike = len({str(status) for person, status in row.who.items() if person != "guest"}) == 1
    turn = IN_TURN[number % len(IN_TURN)]
    here = [each for each in PEOPLE if not alike or each in ALWAYS or each == turn]
    pairs = [(person, "open") for person in here]
    if row.is_placed:
        pairs += [(person, place) for place, some in ELSEWHERE.items() for person in some]
    return pairs


def holes(world: World, rows: Iterable[Row]) -> list[str]:
    """What is otherwise than the rows say, a sentence each."""
    found: list[str] = []
    for number, row in enumerate(rows):
        wrote = False
        for person, place in askers(row, number):
            answer = ask(world, row, person, place)
            wrote = wrote or bool(answer.written)
            expected = row.expected(person, place)
            found += [
                f"{row} ({place}, {person}): {wrong}"
                for wrong in _wrong(row, person, answer, expected)
            ]
        if row.method != "GET" and row.may_write and not wrote:
            found.append(f"{row}: nobody's request left a row, so that a refusal proves nothing")
    return found


def _wrong(row: Row, person: str, answer: Answer, expected: int | str) -> Iterator[str]:
    if answer.status != expected:
        yield f"{answer.status} instead of {expected}"
    written = answer.written - ({GUESTS_OWN} if person == "guest" else set())
    if written and (answer.status in REFUSED or (row.method == "GET" and not row.writes)):
        yield f"left rows in {', '.join(sorted(written))}"
    if answer.leaked and not row.tells:
        yield f"told {', '.join(sorted(answer.leaked))}"


def methods_of(rows: Iterable[Row], world: World) -> dict[str, tuple[Row, set[str]]]:
    """By route: a row of it, and the methods the tables know."""
    known: dict[str, tuple[Row, set[str]]] = {}
    for row in rows:
        known.setdefault(resolve(address(row, world)).route, (row, set()))[1].add(row.method)
    return known


def other(row: Row, method: str) -> Row:
    """The same address asked by another method."""
    return Row(method, row.path, row.who)


def csrf_exempt(patterns: Iterable[URLPattern | URLResolver], above: str = "") -> Iterator[str]:
    """The routes whose views take forms without a token."""
    for each in patterns:
        route = above + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from csrf_exempt(each.url_patterns, route)
        else:
            view: Any = each.callback
            if getattr(view, "csrf_exempt", False):
                yield route
