"""What becomes of what a member is and did: each key to a member declares it, beside its feature.

Every feature with a foreign key to the member has a `privacy.py` with two short answers a key:
how its rows stand in the member's own export (or why they do not), and what erasure does with
them. Domains hang them up in their apps.py; `community.privacy` walks the list. A key nobody
declared fails tests/architecture/test_member_keys.py.

Nothing here knows a table of its own. See docs/privacy.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

BATCH: Final = 500  # rows a step changes at a time, in one transaction
WINDOW: Final = 4_000  # rows a sweep looks through at a time
SWEPT: Final = 100  # rows a sweep rewrites at a time

Row = dict[str, Any]
Rows = models.QuerySet[Any]


# -- the export -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """One key of an exported row: the column (or path) it shows, and what it means."""

    name: str
    path: str
    means: StrOrPromise
    show: Callable[[Any], Any] | None = None


@dataclass(frozen=True)
class Exported:
    """One file of the export: `name`.json, rows by primary key, with these keys.

    `narrowed` leaves out rows (or annotates them); `pictures` names file columns whose files go
    into the folder of the same name as the file.
    """

    name: str
    about: StrOrPromise
    keys: tuple[Key, ...]
    narrowed: Callable[[Rows], Rows] | None = None
    pictures: tuple[str, ...] = ()


def keys(**described: StrOrPromise | tuple[Any, ...]) -> Any:
    """Build keys: `note="what you noted"`, or `post=("post_id", "the post's number")`."""
    made = []
    for name, what in described.items():
        if isinstance(what, tuple):
            made.append(Key(name, *what))
        else:
            made.append(Key(name, name, what))
    return tuple(made)


@dataclass(frozen=True)
class NotExported:
    """Why the member's export leaves rows out, in a sentence."""

    why: StrOrPromise


# -- the erasure ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Erasing:
    """Who is being erased: what they were called until now, and what they are called from now."""

    member_id: int
    handle: str
    name: str
    emails: tuple[str, ...]
    new_handle: str
    new_name: str


# Does one batch after the row `after` (empty: from the start) in the transaction around it, and
# returns where to go on, or None when nothing is left. Safe to run twice.
Step = Callable[[Erasing, str], str | None]


@dataclass(frozen=True)
class Erased:
    """What erasure does with the rows of a key, and why. `step` None: they stay as they are."""

    does: str  # one word for docs/privacy.md
    why: str
    step: Callable[[type[models.Model], str], Step] | None = None


def keeps(why: str) -> Erased:
    """The rows stay, under the neutral name."""
    return Erased("keeps", why)


def deletes(why: str) -> Erased:
    """The rows go, in batches."""

    def build(model: type[models.Model], column: str) -> Step:
        def step(erasing: Erasing, after: str) -> str | None:
            rows = model._base_manager.filter(**{column: erasing.member_id})
            some = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
            if not some:
                return None
            model._base_manager.filter(pk__in=some).delete()
            return after if len(some) == BATCH else None

        return step

    return Erased("deletes", why, build)


def sets_null(why: str) -> Erased:
    """The rows stay and no longer say who it was."""

    def build(model: type[models.Model], column: str) -> Step:
        def step(erasing: Erasing, after: str) -> str | None:
            rows = model._base_manager.filter(**{column: erasing.member_id})
            some = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
            model._base_manager.filter(pk__in=some).update(**{column: None})
            return after if len(some) == BATCH else None

        return step

    return Erased("sets null", why, build)


def runs(does: str, step: Step, why: str) -> Erased:
    """A verb of the feature's own."""
    return Erased(does, why, lambda model, column: step)


# -- the registry -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Policy:
    """What is declared of one key, `app.Model.column`, or of rows found by a longer path."""

    label: str
    path: str
    exported: tuple[Exported, ...]
    not_exported: StrOrPromise
    erased: Erased

    @property
    def model(self) -> type[models.Model]:
        return apps.get_model(".".join(self.label.split(".")[:2]))

    @property
    def step(self) -> Step | None:
        return self.erased.step(self.model, self.path) if self.erased.step else None

    def rows(self, member_id: int) -> Rows:
        return self.model._base_manager.filter(**{self.path: member_id})


@dataclass(frozen=True)
class Obstacle:
    """What a member has to do before the account can be erased: a sentence and where to do it.

    One that `holds` puts off an erasure that is due, too; the others settle themselves by then.
    """

    text: StrOrPromise
    address: str = ""
    holds: bool = True


@dataclass
class Registry:
    policies: dict[str, Policy] = field(default_factory=dict)
    # Steps that follow no key: what holds a member's words or address without pointing at them.
    others: dict[str, tuple[Step, str]] = field(default_factory=dict)
    obstacles: list[Callable[[int], Iterable[Obstacle]]] = field(default_factory=list)


registry: Final = Registry()


def declare(
    label: str,
    exported: Exported | Sequence[Exported] | NotExported,
    erased: Erased,
) -> None:
    """Say what becomes of the rows of one key, `app.Model.column`. Raises ValueError the 2nd time.

    `app.Model.path__to__key` is an export of rows that point at the member over another row.
    """
    if label in registry.policies:
        raise ValueError(f"{label} is declared already.")
    path = label.split(".")[2]
    if isinstance(exported, NotExported):
        registry.policies[label] = Policy(label, path, (), exported.why, erased)
        return
    files = (exported,) if isinstance(exported, Exported) else tuple(exported)
    registry.policies[label] = Policy(label, path, files, "", erased)


def declare_features(domain: str, *features: str) -> None:
    """Let the features of a domain declare theirs, in this order: `<feature>/privacy.py`."""
    for feature in features:
        import_module(f"{domain}.{feature}.privacy").register()


def also_erase(name: str, step: Step, why: str) -> None:
    """Add a step that follows no key. Raises ValueError for a name that is taken."""
    if name in registry.others:
        raise ValueError(f"{name} is declared already.")
    registry.others[name] = (step, why)


def refuse_while(obstacles: Callable[[int], Iterable[Obstacle]]) -> None:
    """Ask before an account is erased: each obstacle found refuses it."""
    registry.obstacles.append(obstacles)


def steps() -> list[tuple[str, Step]]:
    """Return all steps in their order: keys as they were declared, then the others."""
    keyed = [(policy.label, policy.step) for policy in registry.policies.values()]
    return [(name, step) for name, step in keyed if step is not None] + [
        (name, step) for name, (step, _) in registry.others.items()
    ]


def obstacles_of(member_id: int) -> list[Obstacle]:
    return [one for ask in registry.obstacles for one in ask(member_id)]


def member_keys(found: Iterable[type[models.Model]]) -> list[str]:
    """Return every key to the member in these models, as `app.Model.column`."""
    member = apps.get_model(settings.AUTH_USER_MODEL)
    return [
        f"{model._meta.label}.{column.name}"
        for model in found
        for column in model._meta.concrete_fields
        if column.is_relation and column.related_model is member
    ]


def undeclared(found: Iterable[type[models.Model]]) -> list[str]:
    """Return the keys to the member in these models that nobody declared."""
    return [label for label in member_keys(found) if label not in registry.policies]


# -- words of others ---------------------------------------------------------------------------


def neutral(text: str, erasing: Erasing) -> str:
    """Return `text` with the member's mentions and addresses in it made neutral.

    "@ada" becomes "@former-12", whole handles only; an e-mail address of theirs becomes "…".
    """
    for email in erasing.emails:
        text = re.sub(rf"(?<![\w.+-]){re.escape(email)}(?![\w-])", "…", text, flags=re.I)
    mention = rf"(?<![\w@/.+-])@{re.escape(erasing.handle)}(?![\w@-])"
    return re.sub(mention, f"@{erasing.new_handle}", text, flags=re.I)


def naming(columns: Collection[str], erasing: Erasing) -> models.Q:
    """Rows that may hold what `neutral` replaces, for a sweep to look at."""
    wanted = models.Q()
    for column in columns:
        wanted |= models.Q(**{f"{column}__icontains": f"@{erasing.handle}"})
        for email in erasing.emails:
            wanted |= models.Q(**{f"{column}__icontains": email})
    return wanted


def sweeps(label: str, *columns: str) -> Step:
    """Build a step that makes the member neutral in texts of any member, a window at a time."""

    def rewrite(erasing: Erasing, rows: Sequence[models.Model]) -> None:
        for row in rows:
            # The new handle may be longer: what no longer fits is cut, or nobody could leave.
            row.__class__._base_manager.filter(pk=row.pk).update(
                **{
                    column: neutral(getattr(row, column), erasing)[: _room_of(row, column)]
                    for column in columns
                }
            )

    return swept(label, lambda erasing: naming(columns, erasing), rewrite)


def _room_of(row: models.Model, column: str) -> int | None:
    room: int | None = row._meta.get_field(column).max_length  # type: ignore[union-attr]
    return room


def swept(
    label: str,
    wanted: Callable[[Erasing], models.Q],
    rewrite: Callable[[Erasing, Sequence[Any]], None],
) -> Step:
    """Build a step that goes through a table by primary key, WINDOW rows a batch.

    So no statement reads the whole table, whatever its size. `rewrite` gets the rows that are
    wanted, at most SWEPT at a time, in the order of their keys.
    """

    def step(erasing: Erasing, after: str) -> str | None:
        everything = apps.get_model(label)._base_manager.order_by("pk")
        window = everything.filter(pk__gt=after) if after else everything
        ends = list(window.values_list("pk", flat=True)[WINDOW - 1 : WINDOW])
        if ends:
            window = window.filter(pk__lte=ends[0])
        rows = list(window.filter(wanted(erasing))[:SWEPT])
        rewrite(erasing, rows)
        if len(rows) == SWEPT:
            return str(rows[-1].pk)
        return str(ends[0]) if ends else None

    return step
