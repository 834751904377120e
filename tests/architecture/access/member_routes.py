"""Groups, people, search, news, and what is one member's alone."""

from __future__ import annotations

from typing import Final

from tests.architecture.access.rules import (
    Row,
    author,
    delete,
    everybody,
    get,
    moderators,
    nobody,
    only,
    post,
    put,
    signed_in,
)
from tests.architecture.access.world import INSIDE

INSIDERS: Final = only(200, *INSIDE, others=404)

GROUPS: Final = [
    get("/groups/", everybody()),
    get("/groups/", everybody(), query={"q": "quillfeather"}),
    get("/groups/new/", signed_in()),
    post(
        "/groups/new/",
        signed_in(302, silenced=422),
        {
            "name": "A new one",
            "slug": "a-new-one",
            "template": "fitness",
            "join_mode": "open",
            "glyph": "🐟",
            "tint": "0",
        },
    ),
    get(
        "/invitations/{link.token}/", signed_in(), hidden=signed_in(), tells="whoever has the link"
    ),
    post(
        "/invitations/{link.token}/",
        signed_in(302),
        hidden=signed_in(302),
        tells="whoever has the link",
    ),
    get("/g/{group.slug}/about/", everybody()),
    get("/g/{group.slug}/members/", everybody()),
    get("/g/{group.slug}/edit/", only(200, "owner", others=404)),
    post(
        "/g/{group.slug}/edit/",
        only(302, "owner", others=404),
        {
            "name": "Called so",
            "slug": "{group.slug}",
            "template": "fitness",
            "join_mode": "hidden",
            "glyph": "🐟",
            "tint": "0",
        },
    ),
    post("/g/{group.slug}/members/{member_handle}/role/", moderators(302), {"role": "none"}),
    post(
        "/g/{group.slug}/members/{member_handle}/role/", only(302, "owner"), {"role": "moderator"}
    ),
    post("/g/{group.slug}/membership/", signed_in(302), {"message": "Let me in."}),
    delete("/g/{group.slug}/membership/", signed_in(302)),
    post("/g/{group.slug}/invitations/", moderators(302)),
    post("/g/{group.slug}/requests/{join_request.pk}/", moderators(302), {"accept": "yes"}),
    get("/images/{image.pk}/", everybody()),
    get("/thumbnails/{image.pk}/", everybody()),
    post("/uploads/", only(422, *INSIDE, others=404), {"group": "{group.slug}"}, may_write=False),
]

PEOPLE: Final = [
    get("/members/", everybody()),
    get(
        "/members/",
        everybody(),
        query={"group": "{group.slug}", "order": "newest"},
        hidden=everybody(),
    ),
    *(
        get(f"/members/{{author_handle}}/{tab}", everybody())
        for tab in ("", "posts/", "threads/", "reactions/", "badges/", "groups/")
    ),
    get("/members/{member_handle}/reactions/", everybody()),
    get("/standing/", signed_in()),
    get("/badges/", everybody()),
    get("/badges/{badge.slug}/", everybody()),
    get("/settings/", signed_in()),
    post(
        "/settings/",
        signed_in(302, silenced=422),
        {"name": "Called so", "bio": "", "language": "", "time_zone": "UTC"},
    ),
    get("/members/{member_handle}/block/", signed_in()),
    post("/members/{moderator_handle}/block/", signed_in(302, moderator=422), {"kind": "block"}),
    delete("/members/{blocked_handle}/block/", signed_in(302)),
    get("/settings/blocks/", signed_in()),
    get("/welcome/", signed_in(302)),
    get("/welcome/interests/", signed_in()),
    post("/welcome/interests/", signed_in(302), may_write=False),
    get("/welcome/groups/", signed_in()),
    post(
        "/welcome/groups/",
        signed_in(302),
        {"group": "{group.slug}"},
        hidden=signed_in(302),
        may_write=False,
    ),
    get("/welcome/hello/", signed_in()),
    post("/welcome/hello/", signed_in(422), {"place": "", "body": "Hello."}, may_write=False),
    post("/welcome/done/", signed_in(302), may_write=False),
]

FINDING: Final = [
    get("/search/", everybody(), query={"q": "quillfeather"}),
    get("/search/", everybody(), query={"q": "quillfeather", "kind": "group"}),
    get("/search/", everybody(), query={"q": "the", "kind": "member"}),
    get("/search/", everybody(), query={"q": "quillfeather in:the-hidden"}),
    get("/search/suggest/", everybody(), query={"q": "quillf"}),
    get(
        "/threads/similar/",
        signed_in(),
        query={"group": "{group.pk}", "title": "quillfeather title"},
    ),
    get("/search/saved/", signed_in()),
    post("/search/saved/", signed_in(302), {"q": "a lens", "alert": "daily"}),
    post("/search/saved/{saved.pk}/", author(302), {"name": "Other", "alert": "daily"}),
    delete("/search/saved/{saved.pk}/", author(302)),
    get("/robots.txt", everybody()),
    get("/sitemap.xml", everybody()),
    *(
        get(f"/sitemaps/{kind}-0.xml", everybody())
        for kind in ("pages", "threads", "groups", "members")
    ),
    get("/atom.xml", everybody()),
    # A reader of feeds cannot sign in: what guests may not read has none.
    get("/g/{group.slug}/atom.xml", everybody(), hidden=nobody()),
    get("/tags/{tag.slug}/atom.xml", everybody(), hidden=nobody()),
    get("/members/{author_handle}/atom.xml", everybody()),
    get("/old/talk-open/", nobody()),
    get("/old/talk-{place}/p/102", everybody(301)),
]

OWN: Final = [
    get("/bookmarks/", signed_in()),
    get("/drafts/", signed_in()),
    get("/drafts/{draft_target}/", signed_in(404, author=302)),
    get(
        "/drafts/{draft_target}/",
        signed_in(204, author=200),
        headers={"Accept": "application/json"},
    ),
    put("/drafts/thread:{thread.pk}/", signed_in(200), {"body": "Typed.", "sequence": 9}),
    delete("/drafts/{draft_target}/", signed_in(204)),
    post("/drafts/{draft_target}/", signed_in(200), {"_method": "delete"}),
    post(
        "/drafts/typed/",
        everybody(302),
        {"target": "thread:{thread.pk}", "body": "Typed."},
        hidden=everybody(302),
        may_write=False,
    ),
    get("/notifications/", signed_in()),
    get("/notifications/{told.pk}/", author(302), writes="who follows a notification has read it"),
    post("/notifications/{told.pk}/read", author(302)),
    delete("/notifications/{told.pk}/read", author(302), may_write=False),
    post("/notifications/read", signed_in(302)),
    get("/notifications/badge", signed_in()),
    post("/notifications/push", signed_in(422), may_write=False),
    delete("/notifications/push", signed_in(302), may_write=False),
    get("/settings/notifications/", signed_in()),
    post(
        "/settings/notifications/",
        signed_in(302),
        {"email_when": "away", "digest": "never", "time_zone": "UTC"},
    ),
    get("/mail/off/{off}/", everybody()),
    post("/mail/off/{off}/", everybody(), may_write=False),
    post("/inbound-mail/", everybody(401), may_write=False),
    get("/settings/data/", signed_in()),
    post("/settings/data/copy/", signed_in(302)),
    get("/settings/data/copy/progress/", signed_in()),
    get("/settings/data/copy/{export.pk}/", author()),
    get("/settings/data/erasure/", signed_in()),
    # Who owns a shop or a group hands it over first.
    post("/settings/data/erasure/", signed_in(302, author=409, owner=409), {"sure": "on"}),
    delete("/settings/data/erasure/", signed_in(302), may_write=False),
    get("/settings/decisions/", signed_in()),
    post("/language/", everybody(302), {"language": "en"}),
]

ROWS: Final[list[Row]] = [*GROUPS, *PEOPLE, *FINDING, *OWN]
