"""Verbs that write tags: making one, renaming it, what it is about.

Names are compared by their slug: "Light Meters" and "light-meters" are one tag. Letters of every
script may stand in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext

from community.groups.models import Group
from community.groups.services import membership_of
from community.members.errors import MayNotWrite
from community.members.models import Member, TrustLevel
from community.members.sanctions import ensure_may_write
from community.tags.errors import (
    MayNotKeepTags,
    NotATag,
    TagExists,
    TagTooLong,
    TagUnknown,
    TooManyTags,
)
from community.tags.models import TAG_MAX_CHARS, Tag

TAGS_A_THREAD_MAX: Final = 5
ABOUT_MAX_CHARS: Final = 200
# Words that stand where a tag's slug does in addresses of their own.
RESERVED_SLUGS: Final = frozenset({"keep", "suggest"})
# A comma of any script ends a name.
_COMMAS: Final = re.compile(r"[,\n\uff0c\u3001\u060c;\uff1b]")


def tag_slug(name: str) -> str:
    """Return what a tag is known by: "Light Meters" is `light-meters`, "胶片" stays as it is."""
    return slugify(name, allow_unicode=True)


def split_names(text: str) -> list[str]:
    """Read tags typed with commas between them: each once, in order, empty ones left out.

    Raises NotATag, TagTooLong or TooManyTags.
    """
    names: dict[str, str] = {}
    for part in _COMMAS.split(text):
        name = " ".join(part.split()).lstrip("#")
        if name:
            names.setdefault(_checked(name), name)
    if len(names) > TAGS_A_THREAD_MAX:
        raise TooManyTags
    return list(names.values())


def known_tags(names: Iterable[str], group: Group) -> dict[str, Tag]:
    """Return the tag of each name's slug that threads of the group may carry. One query.

    A synonym gives the tag it stands for, the group's own tag goes before the site's.
    """
    slugs = [tag_slug(name) for name in names]
    if not slugs:
        return {}
    found = Tag.objects.of(group).filter(slug__in=slugs).select_related("synonym_of")
    tags: dict[str, Tag] = {}
    for tag in sorted(found, key=lambda tag: tag.group_id is not None):
        tags[tag.slug] = tag.synonym_of or tag
    return tags


def tags_named(names: Sequence[str], *, group: Group, by: Member) -> list[Tag]:
    """Return the tags of these names in the group, each once; those there are not are made.

    Making one takes trust level 1, or moderating the group. Raises TagUnknown, NotATag,
    TagTooLong or TooManyTags. At most one query when all are known.
    """
    known = known_tags(names, group)
    missing = [name for name in names if tag_slug(name) not in known]
    if missing and not may_make_tags(by, group):
        raise TagUnknown(
            gettext("There is no tag “%(name)s” here. New members choose among those there are.")
            % {"name": missing[0]}
        )
    for name in missing:
        known[tag_slug(name)] = _make(name, group=group, by=by)
    tags = {tag.pk: tag for name in names for tag in [known[tag_slug(name)]]}
    if len(tags) > TAGS_A_THREAD_MAX:
        raise TooManyTags
    return list(tags.values())


@transaction.atomic
def create_tag(*, name: str, group: Group | None, by: Member, about: str = "") -> Tag:
    """Make a tag of the group, or of the site (`group` None), before any thread carries it.

    Raises MayNotKeepTags, NotATag, TagTooLong or TagExists.
    """
    ensure_keeps_tags(by, group)
    name = " ".join(name.split()).lstrip("#")
    if Tag.objects.filter(group=group, slug=_checked(name)).exists():
        raise TagExists
    tag = _make(name, group=group, by=by)
    if about := " ".join(about.split())[:ABOUT_MAX_CHARS]:
        tag.about = about
        tag.save(update_fields=["about"])
    return tag


@transaction.atomic
def rename_tag(*, tag: Tag, name: str, by: Member, about: str | None = None) -> Tag:
    """Call a tag something else. Its old name stays as a synonym, so old addresses lead here.

    Raises MayNotKeepTags, NotATag, TagTooLong or TagExists.
    """
    ensure_keeps_tags(by, tag.group)
    name = " ".join(name.split()).lstrip("#")
    slug = _checked(name)
    tag = Tag.objects.select_for_update(no_key=True).get(pk=tag.pk)
    old_name, old_slug = tag.name, tag.slug
    if slug != old_slug:
        there = Tag.objects.filter(group=tag.group_id, slug=slug).first()
        if there is not None and there.synonym_of_id != tag.pk:
            raise TagExists
        if there is not None:
            there.delete()  # its own older name: it is called so again
    tag.name, tag.slug = name, slug
    if about is not None:
        tag.about = " ".join(about.split())[:ABOUT_MAX_CHARS]
    tag.save(update_fields=["name", "slug", "about"])
    if slug != old_slug:
        Tag.objects.create(
            group=tag.group,
            name=old_name,
            slug=old_slug,
            synonym_of=tag.synonym_of or tag,
            created_by=by,
        )
    return tag


def may_make_tags(member: Member, group: Group) -> bool:
    """Whether `member` may name a tag there is not. At most one query."""
    if member.trust_level >= TrustLevel.BASIC:
        return True
    membership = membership_of(member, group)
    return membership is not None and membership.moderates


def ensure_keeps_tags(member: Member, group: Group | None) -> None:
    """Raise MayNotKeepTags unless `member` moderates the group; the site's tags are the staff's.

    Who is silenced keeps none.
    """
    try:
        ensure_may_write(member)
    except MayNotWrite as refusal:
        raise MayNotKeepTags(refusal.reason) from refusal
    if group is None:
        if not member.is_staff:
            raise MayNotKeepTags(gettext("Only the staff can change the site's tags."))
        return
    membership = membership_of(member, group)
    if membership is None or not membership.moderates:
        raise MayNotKeepTags


# -- inside -----------------------------------------------------------------------------------


def _checked(name: str) -> str:
    """Return the slug of a name that may be a tag's. Raises NotATag or TagTooLong."""
    slug = tag_slug(name)
    if not slug or slug in RESERVED_SLUGS or "\x00" in name:
        raise NotATag
    if max(len(name), len(slug)) > TAG_MAX_CHARS:
        raise TagTooLong
    return slug


def _make(name: str, *, group: Group | None, by: Member) -> Tag:
    """Make a tag, or return the one that somebody else made at the same time."""
    slug = _checked(name)
    try:
        with transaction.atomic():
            return Tag.objects.create(group=group, slug=slug, name=name, created_by=by)
    except IntegrityError:
        tag = Tag.objects.select_related("synonym_of").get(group=group, slug=slug)
        return tag.synonym_of or tag
