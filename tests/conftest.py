"""The cast: ada and bo talk in one group, mo moderates it, cy is an outsider."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from community.groups.models import Group, JoinMode, Role
from community.members.models import Member, TrustLevel
from community.threads.models import Thread
from moderation.queue.roles import ensure_moderator_role
from moderation.sanctions.services import silence
from tests import flushing
from tests.factories import join, make_group, make_member, make_thread
from tests.outbox import nothing_earned  # noqa: F401

flushing.install()


@pytest.fixture
def as_member() -> Callable[[Member], Client]:
    """Sign a member in, without the form."""

    def sign_in(member: Member) -> Client:
        client = Client()
        client.force_login(member)
        return client

    return sign_in


@pytest.fixture
def group(db: None) -> Group:
    """An open group; its owner is made up."""
    return make_group("film-cameras", name="Film cameras", glyph="📷")


@pytest.fixture
def ada(group: Group) -> Member:
    member = make_member("ada", name="Ada Quist")
    join(member, group)
    return member


@pytest.fixture
def bo(group: Group) -> Member:
    member = make_member("bo", name="Bo Lind")
    join(member, group)
    return member


@pytest.fixture
def cy(db: None) -> Member:
    """A member of the site, in no group."""
    return make_member("cy", name="Cy Tran")


@pytest.fixture
def mo(group: Group) -> Member:
    member = make_member("mo", name="Mo Adler")
    join(member, group, Role.MODERATOR)
    return member


@pytest.fixture
def thread(ada: Member, group: Group) -> Thread:
    """Ada's thread in the group: the opening post alone."""
    return make_thread(ada, group)


@pytest.fixture
def hidden_group(ada: Member) -> Group:
    """A group only its members know of: ada owns it."""
    return make_group("cellar", name="Cellar", owner=ada, join_mode=JoinMode.HIDDEN)


@pytest.fixture
def newcomer(group: Group) -> Member:
    """A member at trust level 0, in the group."""
    member = make_member("nina", name="Nina New", trust_level=TrustLevel.NEW)
    join(member, group)
    return member


@pytest.fixture
def keeper(db: None) -> Member:
    """A site moderator: staff with the moderator role and nothing more."""
    member = make_member("kai", name="Kai Falk", is_staff=True)
    member.groups.add(ensure_moderator_role())
    return Member.objects.get(pk=member.pk)


@pytest.fixture
def silenced(group: Group, keeper: Member) -> Member:
    """A member of the group who reads only, for a reason, till somebody lifts it."""
    member = make_member("sil", name="Sil Ence")
    join(member, group)
    silence(member=member, by=keeper, reason="Sold the same lens twice.")
    return member


@pytest.fixture
def guest() -> Client:
    return Client()


@pytest.fixture
def as_ada(ada: Member, as_member: Callable[[Member], Client]) -> Client:
    return as_member(ada)


@pytest.fixture
def as_bo(bo: Member, as_member: Callable[[Member], Client]) -> Client:
    return as_member(bo)


@pytest.fixture
def as_cy(cy: Member, as_member: Callable[[Member], Client]) -> Client:
    return as_member(cy)


@pytest.fixture
def as_mo(mo: Member, as_member: Callable[[Member], Client]) -> Client:
    return as_member(mo)
