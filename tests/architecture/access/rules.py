"""The words of the tables: who may, and what the others are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Final

from tests.architecture.access.world import OUTSIDE, PEOPLE

LOGIN: Final = "sent to sign in"
CONFIRM: Final = "asked for the password again"
Status = int | str
Who = Mapping[str, Status]

# Names in an address that stand for something of one of the three groups.
OF_A_PLACE: Final = {
    *("group", "other", "image", "tag", "thread", "post", "option", "theirs", "hidden_post"),
    *("deleted_post", "fresh", "locked", "locked_post", "asked", "reply", "message", "link"),
    *("room", "side", "pinned", "gone"),
    *("join_request", "listing", "another", "placement", "suggestion", "go", "place"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One address by one method, and what each person gets.

    In the hidden group whoever is outside gets 404 instead, a guest at a members' page the way to
    sign in; `hidden` says otherwise. A refusal leaves no row. `writes` says why a GET does leave
    one; `may_write` is False for what leaves none by design;
    `tells` says why who is outside reads words of the inside here.
    """

    method: str
    path: str
    who: Who
    data: Mapping[str, Any] = field(default_factory=dict)
    json: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    hidden: Who | None = None
    writes: str = ""
    may_write: bool = True
    tells: str = ""

    @property
    def is_placed(self) -> bool:
        said = [self.path, *(text for text in self.data.values() if isinstance(text, str))]
        names = {
            name.split(".")[0] for text in said for _, name, _, _ in Formatter().parse(text) if name
        }
        return bool(names & OF_A_PLACE)

    def expected(self, person: str, place: str) -> Status:
        if place == "hidden" and self.hidden is not None:
            return self.hidden[person]
        status = self.who[person]
        if place == "hidden" and person in OUTSIDE and status != LOGIN and self.is_placed:
            return 404
        return status

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


# -- who ------------------------------------------------------------------------------------------


def everybody(status: Status = 200, **but: Status) -> Who:
    return {**dict.fromkeys(PEOPLE, status), **but}


def nobody(status: Status = 404) -> Who:
    return dict.fromkeys(PEOPLE, status)


def signed_in(status: Status = 200, **but: Status) -> Who:
    return everybody(status, guest=LOGIN, **but)


def only(status: Status, *people: str, others: Status = 403, **but: Status) -> Who:
    """`people` get `status`, a guest is sent to sign in, the `others` are refused."""
    told = {person: status if person in people else others for person in PEOPLE}
    return {**told, "guest": LOGIN, **but}


def members(status: Status = 200, **but: Status) -> Who:
    return signed_in(status, **{"outsider": 403, "staff": 403, **but})


def writers(status: Status = 302, **but: Status) -> Who:
    """Members of the group who are not silenced."""
    return members(status, **{"silenced": 403, **but})


def moderators(status: Status = 200, **but: Status) -> Who:
    return only(status, "moderator", "owner", **but)


def author(status: Status = 200, others: Status = 404, **but: Status) -> Who:
    return only(status, "author", others=others, **but)


# -- how ------------------------------------------------------------------------------------------


def get(path: str, who: Who, *, query: Mapping[str, Any] | None = None, **more: Any) -> Row:
    return Row("GET", path, who, data=query or {}, **more)


def post(path: str, who: Who, data: Mapping[str, Any] | None = None, **more: Any) -> Row:
    return Row("POST", path, who, data=data or {}, **more)


def put(path: str, who: Who, data: Mapping[str, Any], **more: Any) -> Row:
    return Row("PUT", path, who, data=data, json=True, **more)


def delete(path: str, who: Who, **more: Any) -> Row:
    return Row("DELETE", path, who, **more)
