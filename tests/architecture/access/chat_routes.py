"""Chat: rooms of groups, which only members read, and rooms of people, which only those in them do.

`room` is a group's first room, `side` another of its rooms; `pair` is the author's with the
outsider, who was asked and has not answered. In `room` the author wrote `message`, whoever is
blocked wrote `pinned`, and a moderator hid `gone`.
"""

from __future__ import annotations

from typing import Final

from tests.architecture.access.rules import Row, Who, delete, get, members, only, post, signed_in
from tests.architecture.access.world import INSIDE

JSON: Final = {"Accept": "application/json"}
AT: Final = "/rooms/{room.pk}"


def insiders(status: int = 200, **but: int) -> Who:
    """Members of the group; for whoever is outside there is no such room, staff among them."""
    return only(status, *INSIDE, others=404, **but)


def keepers(status: int = 200, **but: int) -> Who:
    """Those who keep order; other members are refused."""
    return insiders(403, moderator=status, owner=status, **but)


def two(status: int = 200, **but: int) -> Who:
    """The two of a room of people."""
    return only(status, "author", "outsider", others=404, **but)


CHAT: Final[list[Row]] = [
    get("/chat/", signed_in()),
    get("/chat/{group.slug}/", insiders()),
    get("/chat/{group.slug}/beside/", insiders()),
    get("/chat/{group.slug}/new/", keepers()),
    post("/chat/{group.slug}/new/", keepers(302), {"name": "Swaps"}),
    get("/rooms/unread/", signed_in()),
    get("/rooms/list/", signed_in()),
    get("/rooms/people/", signed_in(outsider=204), query={"q": "{outsider_handle}"}),
    get("/rooms/people/", two(204, outsider=200), query={"room": "{pair.pk}"}),
    get("/rooms/new/", signed_in()),
    post("/rooms/new/", signed_in(302, silenced=403, outsider=422), {"names": "{outsider_handle}"}),
    post("/rooms/beside/{thread.pk}/", members(302, silenced=403)),
    # -- a room -------------------------------------------------------------------------------
    get(f"{AT}/", insiders(302)),
    get("/rooms/{side.pk}/", insiders()),
    get(f"{AT}/about/", insiders()),
    get(f"{AT}/here/", insiders()),
    get(f"{AT}/pins/", insiders()),
    get(f"{AT}/after/", insiders(), query={"after": "0", "change": "0"}),
    get(f"{AT}/commands/", insiders()),
    post(f"{AT}/messages/", insiders(302, silenced=403), {"body": "Hello."}),
    post(f"{AT}/messages/", keepers(200), {"body": "/pause"}, headers=JSON),
    post(
        f"{AT}/messages/",
        keepers(200, member=403),
        {"body": "/remove @{silenced_handle} Sold it twice"},
        headers=JSON,
    ),
    post(f"{AT}/messages/", insiders(201, silenced=403), {"body": "Hello."}, headers=JSON),
    post(f"{AT}/read/", insiders(302), {"seq": "2"}),
    post(f"{AT}/writing/", insiders(204), may_write=False),
    post(f"{AT}/level/", insiders(302), {"level": "all"}),
    post(f"{AT}/leave/", insiders(403), may_write=False),
    get("/rooms/{side.pk}/settings/", keepers()),
    post(
        "/rooms/{side.pk}/settings/",
        keepers(302),
        {"name": "Swaps", "topic": "", "writers": "everybody", "slow_mode": "30"},
    ),
    post("/rooms/{side.pk}/settings/", keepers(302), {"do": "pause"}),
    get("/search/messages/", signed_in(), query={"q": "chat"}),
    get("/search/messages/", insiders(), query={"q": "chat", "room": "{room.pk}"}),
    get("/search/messages/", two(), query={"q": "you", "room": "{pair.pk}"}),
    get(f"{AT}/into-thread/", insiders(silenced=403)),
    get(f"{AT}/into-thread/", insiders(silenced=403), query={"seq": "{message.seq}", "go": "1"}),
    post(
        f"{AT}/into-thread/",
        keepers(302, author=302),
        {"seq": "{message.seq}", "title": "A talk", "body": "From our chat.", "kind": "talk"},
    ),
    get("/rooms/{pair.pk}/into-thread/", two(404)),
    # -- a message ----------------------------------------------------------------------------
    get(f"{AT}/{{message.seq}}/", insiders()),
    get(f"{AT}/{{gone.seq}}/", insiders()),
    get(f"{AT}/{{message.seq}}/edits/", insiders()),
    get(f"{AT}/{{gone.seq}}/edits/", insiders(302)),
    post(
        f"{AT}/{{message.seq}}/react/",
        insiders(200, silenced=403),
        {"name": "heart"},
        headers=JSON,
    ),
    get(f"{AT}/{{message.seq}}/edit/", insiders(302, author=200)),
    post(
        f"{AT}/{{message.seq}}/edit/",
        insiders(403, author=200),
        {"body": "It says something else."},
        headers=JSON,
    ),
    # Nothing is drawn under it: who may is asked all the same.
    post(f"{AT}/{{message.seq}}/previews/", insiders(403, author=302), may_write=False),
    get(f"{AT}/{{message.seq}}/hide/", insiders(302, moderator=200, owner=200)),
    post(
        f"{AT}/{{message.seq}}/hide/",
        insiders(403, author=302, moderator=302, owner=302),
        {"reason": "Said twice."},
    ),
    delete(f"{AT}/{{gone.seq}}/hide/", keepers(200), headers=JSON, tells="it is shown again"),
    post(f"{AT}/{{message.seq}}/pin/", keepers(200), headers=JSON),
    delete(f"{AT}/{{pinned.seq}}/pin/", keepers(200), headers=JSON),
    # -- a room of people ---------------------------------------------------------------------
    get("/rooms/{pair.pk}/", two()),
    get("/rooms/{pair.pk}/about/", two()),
    get("/rooms/{pair.pk}/here/", two()),
    get("/rooms/{pair.pk}/pins/", two()),
    get("/rooms/{pair.pk}/after/", two(), query={"after": "0"}),
    get("/rooms/{pair.pk}/1/", two()),
    get("/rooms/{pair.pk}/settings/", two(403)),
    # One message is all till the other answers, and who was asked says yes first.
    post(
        "/rooms/{pair.pk}/messages/",
        two(409, outsider=403),
        {"body": "Hello?"},
        headers=JSON,
        may_write=False,
    ),
    post("/rooms/{pair.pk}/1/pin/", two(403), headers=JSON, may_write=False),
    post("/rooms/{pair.pk}/answer/", two(302), {"accept": "1"}),
    post("/rooms/{pair.pk}/leave/", two(302)),
]
