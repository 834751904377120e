"""Who may still hear what: asked every few seconds for all sockets of a process at once.

A ban, a sign-out, a changed password, a group that was left: a socket that was let in may not stay.
Asked for one socket after another, 1,000 idle ones took 400 queries a second; asked together, a
round takes four queries and one for each kind of room that is open, however many listen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.http.cookie import parse_cookie
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from community.chat.here import note_all_here
from community.chat.models import Room
from community.groups.models import JoinMode, Membership
from community.members.models import Member
from community.threads.live import room_of
from community.threads.models import Thread
from config.sessions import SessionStore

ROUND_SECONDS: Final = 2.5
# What was asked longer ago is no answer: what is said then waits for the next one (chat.hub).
CONFIRMED_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Listener:
    """What is asked of one socket: whose it is, by which session, and what it listens to.

    `session_key` and `session_hash` are None for a socket without a session (tests).
    """

    member_id: int
    session_key: str | None = None
    session_hash: str | None = None
    rooms: frozenset[int] = frozenset()
    threads: frozenset[int] = frozenset()


@dataclass
class Allowed:
    """What a round found; `hears` are the names the hub knows, ids of rooms and `thread:<id>`."""

    members: dict[int, list[str]] = field(default_factory=dict)  # and the hashes of their sessions
    sessions: set[str] = field(default_factory=set)
    hears: dict[int | str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def stays(self, listener: Listener) -> bool:
        """Whether the account and the session stand."""
        hashes = self.members.get(listener.member_id)
        if hashes is None:
            return False
        if listener.session_key is None:
            return True
        if listener.session_key not in self.sessions:
            return False
        return _is_known(listener.session_hash or "", hashes)


def look_around(listeners: Iterable[Listener]) -> Allowed:
    """Ask for all of them at once. Also notes that their members are here."""
    listeners = list(listeners)
    found, now = Allowed(), timezone.now()
    ids = {one.member_id for one in listeners}
    if not ids:
        return found
    for member in Member.objects.filter(pk__in=ids, is_active=True):
        if not member.is_suspended(now):
            found.members[member.pk] = _hashes_of(member)
    keys = [one.session_key for one in listeners if one.session_key is not None]
    if keys:
        live = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
        found.sessions = set(live.values_list("session_key", flat=True))
    rooms = {pk for one in listeners for pk in one.rooms}
    by_kind: dict[str, list[Room]] = defaultdict(list)
    for room in Room.objects.filter(pk__in=rooms).select_related("thread") if rooms else ():
        by_kind[room.kind].append(room)
    for same in by_kind.values():
        for pk, readers in same[0].as_kind.readers(same, ids).items():
            found.hears[pk] |= readers
    threads = {pk for one in listeners for pk in one.threads}
    if threads:
        _hear_threads(found, threads, ids)
    note_all_here(found.members)
    return found


def _hear_threads(found: Allowed, threads: set[int], ids: set[int]) -> None:
    rows = list(
        Thread.objects.filter(pk__in=threads).values_list("pk", "group_id", "group__join_mode")
    )
    closed = {group for _pk, group, mode in rows if mode == JoinMode.HIDDEN}
    inside: dict[int, set[int]] = defaultdict(set)
    places = Membership.objects.filter(group__in=closed, member__in=ids) if closed else None
    for group, member in places.values_list("group_id", "member_id") if places else ():
        inside[group].add(member)
    for pk, group, _mode in rows:
        found.hears[room_of(pk)] |= inside[group] if group in closed else ids


@dataclass(frozen=True)
class Opener:
    """Who opens a socket, and by which session."""

    member: Member
    session_key: str | None = None
    session_hash: str | None = None


def who_opens(scope: Mapping[str, Any]) -> Opener | None:
    """Return the member whose session the socket's cookie names; None for a guest.

    At most two queries, none without a cookie. It writes nothing: a socket cannot hand out the
    cookie of a session that is made anew, so one signed with an older key is left as it is.
    """
    if "user" in scope:  # tests
        user = scope["user"]
        return Opener(user) if isinstance(user, Member) else None
    key = cookies_of(scope).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    session = SessionStore(key)
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    pk = session.get(SESSION_KEY, 0)
    found = Member.objects.filter(pk=pk, is_active=True).first()
    if found is None or found.is_suspended(timezone.now()):
        return None
    given = str(session.get(HASH_SESSION_KEY, ""))
    return Opener(found, key, given) if _is_known(given, _hashes_of(found)) else None


def cookies_of(scope: Mapping[str, Any]) -> dict[str, str]:
    said = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    return parse_cookie("; ".join(said)) if said else {}


def _hashes_of(member: Member) -> list[str]:
    return [member.get_session_auth_hash(), *member.get_session_auth_fallback_hash()]


def _is_known(given: str, hashes: list[str]) -> bool:
    return any(constant_time_compare(given, known) for known in hashes)
