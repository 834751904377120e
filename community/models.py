"""Django's view of the community's rows; each feature owns its own."""

from community.bookmarks.models import Bookmark
from community.chat.models import (
    LinkPreview,
    Message,
    MessageImage,
    MessageLink,
    MessageMention,
    MessagePost,
    MessageReaction,
    MessageRevision,
    Place,
    Room,
    RoomEntry,
)
from community.drafts.models import Draft
from community.groups.models import (
    Group,
    Interest,
    Invitation,
    JoinRequest,
    Membership,
)
from community.importing.models import ImportedRecord
from community.members.models import Block, Member
from community.notifications.models import (
    ChannelChoice,
    InboundEmail,
    Notification,
    Preferences,
    PushSubscription,
    Sending,
    Told,
)
from community.polls.models import Poll, PollOption, PollVote
from community.privacy.models import Erasure, Export
from community.reactions.models import Reaction
from community.search.models import (
    Lexeme,
    MessageDocument,
    SavedSearch,
    SearchDocument,
    SearchFigures,
    Word,
)
from community.standing.models import Badge, BadgeGrant, KnownDomain, LevelChange
from community.tags.models import Tag
from community.threads.marks import Follow, ReadingDay, ReadMark
from community.threads.models import (
    Post,
    PostImage,
    PostMention,
    PostMove,
    PostQuote,
    Revision,
    Thread,
    ThreadEntry,
    ThreadLink,
    ThreadScore,
    ThreadTag,
)
from community.uploads.models import Image

__all__ = [
    "Badge",
    "BadgeGrant",
    "Block",
    "Bookmark",
    "ChannelChoice",
    "Draft",
    "Erasure",
    "Export",
    "Follow",
    "Group",
    "Image",
    "ImportedRecord",
    "InboundEmail",
    "Interest",
    "Invitation",
    "JoinRequest",
    "KnownDomain",
    "LevelChange",
    "Lexeme",
    "LinkPreview",
    "Member",
    "Membership",
    "Message",
    "MessageDocument",
    "MessageImage",
    "MessageLink",
    "MessageMention",
    "MessagePost",
    "MessageReaction",
    "MessageRevision",
    "Notification",
    "Place",
    "Poll",
    "PollOption",
    "PollVote",
    "Post",
    "PostImage",
    "PostMention",
    "PostMove",
    "PostQuote",
    "Preferences",
    "PushSubscription",
    "Reaction",
    "ReadMark",
    "ReadingDay",
    "Revision",
    "Room",
    "RoomEntry",
    "SavedSearch",
    "SearchDocument",
    "SearchFigures",
    "Sending",
    "Tag",
    "Thread",
    "ThreadEntry",
    "ThreadLink",
    "ThreadScore",
    "ThreadTag",
    "Told",
    "Word",
]
