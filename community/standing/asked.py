# ruff: noqa: S608 - every piece is ours; values are bound
"""What the rules of badges ask PostgreSQL, by subject: members, and a post that shows it.

Each takes `n`, how often or how much.
"""

from __future__ import annotations

from typing import Final

# Posts everybody can read.
_PUBLIC: Final = """
    community_post AS post
    JOIN community_thread AS thread ON thread.id = post.thread_id AND thread.is_listed
    JOIN community_group AS grp ON grp.id = thread.group_id AND grp.join_mode <> 'hidden'
"""
_POSTS: Final = (
    "SELECT post.author_id AS member_id, {post} AS post_id FROM " + _PUBLIC + " {more}"
    " WHERE post.hidden_at IS NULL {where} GROUP BY post.author_id"
    " HAVING count({counted}) >= %(n)s"
)
_FIRST: Final = {"post": "min(post.id)", "counted": "*", "more": "", "where": ""}
_COUNT: Final = {**_FIRST, "post": "NULL::bigint"}
_REACTED: Final = (
    "SELECT {member} AS member_id, {post} AS post_id FROM "
    + _PUBLIC
    + " JOIN community_reaction AS reaction ON reaction.post_id = post.id"
    " WHERE post.hidden_at IS NULL GROUP BY 1 HAVING count(*) >= %(n)s"
)
_ANSWERED: Final = (
    "SELECT post.author_id AS member_id, {post} AS post_id FROM "
    + _PUBLIC
    + " WHERE thread.answer_id = post.id AND thread.author_id <> post.author_id"
    " AND post.hidden_at IS NULL GROUP BY 1 HAVING count(*) >= %(n)s"
)
_READ: Final = (
    "SELECT member_id, NULL::bigint AS post_id FROM community_readingday GROUP BY member_id"
    " HAVING {} >= %(n)s"
)

ASKED: Final[dict[str, str]] = {
    "posts": _POSTS.format(**_COUNT),
    "threads": _POSTS.format(**{**_COUNT, "where": "AND post.number = 1"}),
    "first thread": _POSTS.format(**{**_FIRST, "where": "AND post.number = 1"}),
    "first reply": _POSTS.format(**{**_FIRST, "where": "AND post.number > 1"}),
    "first quote": _POSTS.format(
        **{
            **_FIRST,
            "more": "JOIN community_postquote AS quote ON quote.post_id = post.id"
            " JOIN community_post AS quoted ON quoted.id = quote.quoted_id"
            " AND quoted.author_id <> post.author_id",
        }
    ),
    "first mention": _POSTS.format(
        **{**_FIRST, "more": "JOIN community_postmention AS mention ON mention.post_id = post.id"}
    ),
    "reactions_given": _REACTED.format(member="reaction.member_id", post="NULL::bigint"),
    "first reaction": _REACTED.format(member="reaction.member_id", post="min(post.id)"),
    "reactions_received": _REACTED.format(member="post.author_id", post="NULL::bigint"),
    "reactions_received_on_one_post": (
        "SELECT post.author_id AS member_id, min(post.id) AS post_id FROM "
        + _PUBLIC
        + " WHERE post.hidden_at IS NULL AND post.reaction_count >= %(n)s GROUP BY 1"
    ),
    "replies_to_one_thread": (
        "SELECT member_id, min(post_id) AS post_id FROM ("
        " SELECT thread.author_id AS member_id, opening.id AS post_id FROM "
        + _PUBLIC
        + " JOIN community_post AS opening ON opening.thread_id = thread.id AND opening.number = 1"
        " WHERE post.number > 1 AND post.hidden_at IS NULL"
        " AND post.author_id <> thread.author_id AND thread.reply_count >= %(n)s"
        " GROUP BY thread.author_id, opening.id HAVING count(*) >= %(n)s"
        ") AS talk GROUP BY member_id"
    ),
    "answers": _ANSWERED.format(post="NULL::bigint"),
    "first answer": _ANSWERED.format(post="min(post.id)"),
    "days_visited": _READ.format("count(*)"),
    "posts_read": _READ.format("sum(posts)"),
    "first profile": (
        "SELECT id AS member_id, NULL::bigint AS post_id FROM community_member WHERE bio <> ''"
    ),
    "trust": (
        "SELECT id AS member_id, NULL::bigint AS post_id FROM community_member"
        " WHERE trust_level >= %(n)s"
    ),
    "anniversary_years": (
        "SELECT id AS member_id, NULL::bigint AS post_id FROM community_member AS one"
        " WHERE joined_at <= now() - make_interval(years => %(n)s) AND EXISTS ("
        ' SELECT FROM community_readingday WHERE member_id = one.id AND "on" >= current_date'
        " - %(days)s::int)"
    ),
}
