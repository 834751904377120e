"""What every site starts with: interests to choose from, and badges. Names are translated."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext_noop as _

# slug, name, glyph
INTERESTS: Final = (
    ("art", _("Art and drawing"), "🎨"),
    ("audio", _("Audio and hi-fi"), "🎧"),
    ("books", _("Books"), "📚"),
    ("cars", _("Cars and motorcycles"), "🚗"),
    ("coffee", _("Coffee and tea"), "☕"),
    ("collecting", _("Collecting"), "🪙"),
    ("computers", _("Computers"), "💻"),
    ("cooking", _("Cooking and baking"), "🍳"),
    ("crafts", _("Crafts and sewing"), "🧵"),
    ("cycling", _("Cycling"), "🚲"),
    ("electronics", _("Electronics"), "🔌"),
    ("fashion", _("Fashion"), "👗"),
    ("films", _("Films and series"), "🎬"),
    ("fitness", _("Fitness"), "💪"),
    ("games", _("Games"), "🎲"),
    ("gardening", _("Gardening and plants"), "🌱"),
    ("hiking", _("Hiking and mountains"), "🥾"),
    ("music", _("Making music"), "🎸"),
    ("neighbours", _("Neighbours and local help"), "🤝"),
    ("pets", _("Pets"), "🐾"),
    ("photography", _("Photography"), "📷"),
    ("repair", _("Repairing things"), "🔧"),
    ("running", _("Running"), "🏃"),
    ("writing", _("Writing and stationery"), "✒️"),
)

# slug, name, glyph, rank, what it is given for, rule
BADGES: Final[tuple[tuple[str, str, str, int, str, dict[str, Any]], ...]] = (
    ("hello", _("Hello"), "👋", 1, _("Wrote a first reply."), {"first": "reply"}),
    ("opener", _("Opener"), "💬", 1, _("Opened a first thread."), {"first": "thread"}),
    ("kind-word", _("Kind word"), "❤️", 1, _("Gave a first reaction."), {"first": "reaction"}),
    (
        *("well-quoted", _("Close reader"), "📎", 1),
        *(_("Quoted somebody for the first time."), {"first": "quote"}),
    ),
    (
        *("introduction", _("Introduced"), "🪪", 1),
        *(_("Said something about themselves in their profile."), {"first": "profile"}),
    ),
    (
        *("at-home", _("At home"), "🏡", 1),
        *(_("Reached the first trust level by reading."), {"trust": 1}),
    ),
    (
        *("ten-posts", _("Talker"), "🗨️", 1),
        *(_("Wrote ten posts."), {"count": "posts", "at_least": 10}),
    ),
    (
        *("solved-one", _("Problem solver"), "💡", 1),
        *(_("Wrote the answer to a question."), {"first": "answer"}),
    ),
    (
        *("one-year", _("One year"), "🎂", 1),
        *(_("Here for a year, and still about."), {"anniversary_years": 1}),
    ),
    (
        *("liked-post", _("Good post"), "👍", 1),
        *(
            _("Wrote a post that five reactions thanked."),
            {"count": "reactions_received_on_one_post", "at_least": 5},
        ),
    ),
    (
        *("member", _("One of us"), "🐟", 2),
        *(_("Reached the trust level of a member."), {"trust": 2}),
    ),
    (
        *("great-post", _("Great post"), "🌟", 2),
        *(
            _("Wrote a post that fifteen reactions thanked."),
            {"count": "reactions_received_on_one_post", "at_least": 15},
        ),
    ),
    (
        *("good-question", _("Good conversation"), "🔥", 2),
        *(
            _("Opened a thread that others answered twenty times."),
            {"count": "replies_to_one_thread", "at_least": 20},
        ),
    ),
    (
        *("hundred-posts", _("Regular voice"), "📣", 2),
        *(_("Wrote a hundred posts."), {"count": "posts", "at_least": 100}),
    ),
    (
        *("thanked", _("Thanked"), "💐", 2),
        *(_("Received a hundred reactions."), {"count": "reactions_received", "at_least": 100}),
    ),
    (
        *("generous", _("Generous"), "🎁", 2),
        *(_("Gave a hundred reactions."), {"count": "reactions_given", "at_least": 100}),
    ),
    (
        *("solved-ten", _("Guide"), "🧭", 2),
        *(_("Wrote the answer to ten questions."), {"count": "answers", "at_least": 10}),
    ),
    (
        *("hundred-days", _("Hundred days"), "📅", 2),
        *(_("Read here on a hundred days."), {"count": "days_visited", "at_least": 100}),
    ),
    (
        *("five-years", _("Five years"), "🎉", 3),
        *(_("Here for five years, and still about."), {"anniversary_years": 5}),
    ),
    (
        *("regular", _("Pillar"), "🏛️", 3),
        *(_("Reached the trust level of a regular."), {"trust": 3}),
    ),
    (
        *("beloved", _("Beloved"), "💎", 3),
        *(_("Received a thousand reactions."), {"count": "reactions_received", "at_least": 1000}),
    ),
)


def ensure_given(interests: type[Any], badges: type[Any]) -> None:
    """Write what is missing of INTERESTS and BADGES, by slug; the models are a migration's too."""
    for slug, name, glyph in INTERESTS:
        interests.objects.get_or_create(slug=slug, defaults={"name": name, "glyph": glyph})
    for slug, name, glyph, rank, about, rule in BADGES:
        badges.objects.get_or_create(
            slug=slug,
            defaults={"name": name, "glyph": glyph, "rank": rank, "about": about, "rule": rule},
        )
