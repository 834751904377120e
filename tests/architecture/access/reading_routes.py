"""Threads, posts, tags: what is read, written and organised in a group."""

from __future__ import annotations

from typing import Final

from tests.architecture.access.rules import (
    Row,
    author,
    delete,
    everybody,
    get,
    members,
    moderators,
    nobody,
    only,
    post,
    signed_in,
    writers,
)
from tests.architecture.access.world import INSIDE

BODY: Final = {"body": "Words of a reply."}
WHY: Final = {"reason": "To keep order."}
# In the author's own threads they may, beside the moderators.
HEAD_KEEPERS: Final = only(200, "author", "moderator", "owner")

LISTS: Final = [
    get("/", everybody()),
    get("/", everybody(), query={"all": "1", "order": "new"}),
    get("/g/{group.slug}/", everybody()),
    get("/g/{group.slug}/tags/", everybody()),
    get("/g/{group.slug}/tags/keep/", moderators()),
    post("/g/{group.slug}/tags/keep/", moderators(302), {"new": "1", "name": "fresh"}),
    get("/tags/", everybody()),
    get("/tags/keep/", only(200, "staff")),
    post("/tags/keep/", only(302, "staff"), {"new": "1", "name": "fresh"}),
    get("/tags/suggest/", everybody(), query={"group": "{group.slug}", "tags": "m"}),
    get("/tags/{tag.slug}/", everybody()),
]

READING: Final = [
    get("/t/{thread.pk}/", everybody(302)),
    get("/t/{thread.pk}/{thread.slug}/", everybody()),
    get("/t/{locked.pk}/{locked.slug}/", everybody()),
    get("/t/{thread.pk}/unread/", everybody(302)),
    get("/t/{thread.pk}/jump/", everybody(302), query={"number": "3"}),
    get("/t/{thread.pk}/new-posts/", everybody(), query={"after": "1"}),
    post("/t/{thread.pk}/read/", signed_in(204), {"number": "2", "seen": "2", "seconds": "60"}),
    post("/t/{thread.pk}/typing/", writers(204), may_write=False),
    post("/t/{thread.pk}/follow/", signed_in(302), {"level": "3"}),
    post("/g/{group.slug}/follow/", signed_in(302), {"level": "3"}),
    post("/tags/{tag.pk}/follow/", signed_in(302), {"level": "3"}),
    get("/settings/follows/", signed_in()),
    get("/p/{post.pk}/unread/", signed_in()),
    post("/p/{post.pk}/unread/", signed_in(302)),
    post("/all-read/", signed_in(302), {"group": "{group.slug}"}),
    get("/p/{post.pk}/", everybody(302)),
    get("/p/{hidden_post.pk}/", only(302, "author", others=404, guest=404)),
    get("/p/{deleted_post.pk}/", only(302, "author", others=404, guest=404)),
    get("/p/{post.pk}/revisions/", everybody()),
    get("/p/{hidden_post.pk}/revisions/", only(200, "author", others=404, guest=404)),
    get("/p/{post.pk}/more/", everybody()),
    get("/p/{hidden_post.pk}/more/", nobody()),
    get("/p/{post.pk}/reactions/", everybody()),
    get("/p/{hidden_post.pk}/reactions/", nobody()),
    get("/mentions/", signed_in(), query={"thread": "{thread.pk}", "q": "the"}),
    get("/mentions/", signed_in(), query={"group": "{group.pk}", "q": "the"}),
]

WRITING: Final = [
    get("/g/{group.slug}/new/", members()),
    post("/g/{group.slug}/new/", writers(), {"title": "A thread of mine", **BODY}),
    post("/t/{thread.pk}/replies/", writers(), BODY),
    post("/t/{locked.pk}/replies/", only(409, *INSIDE), BODY, may_write=False),
    post(
        "/preview/",
        only(200, "member", "silenced", "blocked", "author", "moderator", "owner", others=404),
        {"group": "{group.slug}", **BODY},
        may_write=False,
    ),
    get("/p/{post.pk}/edit/", only(200, "author", "moderator", "owner")),
    post(
        "/p/{post.pk}/edit/",
        only(302, "author", "moderator", "owner"),
        {"body": "Other words.", "reason": "Clearer.", "based_on": "1"},
    ),
    post("/p/{hidden_post.pk}/edit/", only(403, "author", others=404), BODY, may_write=False),
    post(
        "/p/{locked_post.pk}/edit/",
        only(302, "moderator", "owner"),
        {"body": "Other words.", "reason": "Clearer.", "based_on": "0"},
    ),
    get("/p/{theirs.pk}/hiding/", only(200, "moderator", "owner", others=404)),
    post("/p/{theirs.pk}/hiding/", only(302, "moderator", "owner", others=404), WHY),
    post("/p/{fresh.pk}/hiding/", only(302, "author", "moderator", "owner", others=404), WHY),
    delete("/p/{deleted_post.pk}/hiding/", only(302, "author", "moderator", "owner", others=404)),
    delete("/p/{hidden_post.pk}/hiding/", only(302, "moderator", "owner", others=404, author=403)),
    post("/p/{post.pk}/wiki/", only(302, "author", "moderator", "owner")),
    delete("/p/{post.pk}/wiki/", only(302, "author", "moderator", "owner"), may_write=False),
    post("/p/{reply.pk}/answer/", only(302, "author", "moderator", "owner")),
    delete("/p/{reply.pk}/answer/", signed_in(302), may_write=False),
    post("/p/{fresh.pk}/undo/", author(302)),
    get("/polls/fields/", signed_in()),
    get("/p/{post.pk}/poll/", only(200, "author", "moderator", "owner")),
    post(
        "/p/{post.pk}/poll/",
        only(302, "author", "moderator", "owner"),
        {
            "poll-question": "Or which?",
            "poll-options": "One\nTwo",
            "poll-choices_max": "1",
            "poll-results": "always",
        },
    ),
    post("/p/{post.pk}/poll/votes/", writers(), {"option": "{option.pk}"}),
    delete("/p/{post.pk}/poll/votes/", writers(), may_write=False),
    post("/p/{post.pk}/poll/closing/", only(302, "author", "moderator", "owner")),
    post("/p/{post.pk}/reactions/", signed_in(302, author=403, silenced=403), {"name": "heart"}),
    post("/p/{hidden_post.pk}/reactions/", signed_in(404), {"name": "heart"}, may_write=False),
    get("/p/{post.pk}/bookmark/", signed_in()),
    post("/p/{post.pk}/bookmark/", signed_in(302), {"note": "Later."}),
    post("/p/{hidden_post.pk}/bookmark/", author(302), {"note": "Later."}),
    delete("/p/{post.pk}/bookmark/", signed_in(302)),
    get("/flag/post/{theirs.pk}/", signed_in()),
    post("/flag/post/{theirs.pk}/", signed_in(302, moderator=422), {"reason": "spam"}),
    post(
        "/flag/post/{hidden_post.pk}/",
        only(422, "author", others=404),
        {"reason": "spam"},
        may_write=False,
    ),
    post(
        "/flag/message/{message.pk}/",
        only(302, "member", "silenced", "blocked", "moderator", "owner", others=404, author=422),
        {"reason": "spam"},
    ),
    post("/flag/listing/{listing.pk}/", signed_in(302, author=422), {"reason": "spam"}),
]

ORGANISING: Final = [
    get("/t/{thread.pk}/lock/", moderators()),
    post("/t/{thread.pk}/lock/", moderators(302), WHY),
    delete("/t/{locked.pk}/lock/", moderators(302)),
    get("/t/{thread.pk}/move/", moderators()),
    post("/t/{thread.pk}/move/", moderators(302), {"to": "{other.slug}", **WHY}),
    get("/t/{thread.pk}/split/", moderators()),
    post(
        "/t/{thread.pk}/split/",
        moderators(302),
        {"posts": "{fresh.pk}", "title": "A part of it", **WHY},
    ),
    get("/t/{thread.pk}/merge/", moderators()),
    post("/t/{thread.pk}/merge/", moderators(302), {"into": "{asked.pk}", **WHY}),
    get("/t/{thread.pk}/pin/", moderators()),
    post("/t/{thread.pk}/pin/", moderators(302), WHY),
    delete("/t/{thread.pk}/pin/", moderators(302), may_write=False),
    get("/t/{thread.pk}/slow-mode/", moderators()),
    post("/t/{thread.pk}/slow-mode/", moderators(302), {"seconds": "60", **WHY}),
    get("/t/{thread.pk}/closing/", moderators()),
    post("/t/{thread.pk}/closing/", moderators(302), {"days": "30", **WHY}),
    get("/t/{thread.pk}/title/", HEAD_KEEPERS),
    post(
        "/t/{thread.pk}/title/",
        only(302, "author", "moderator", "owner"),
        {"title": "Called otherwise", **WHY},
    ),
    get("/t/{thread.pk}/tags/", HEAD_KEEPERS),
    post("/t/{thread.pk}/tags/", only(302, "author", "moderator", "owner"), {"tags": ""}),
    get("/t/{locked.pk}/title/", moderators()),
]

ROWS: Final[list[Row]] = [*LISTS, *READING, *WRITING, *ORGANISING]
