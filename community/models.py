"""Django's view of the community's rows; each feature owns its own."""

from community.bookmarks.models import Bookmark
from community.chat.models import Message, Room
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
from community.polls.models import Poll, PollOption, PollVote
from community.reactions.models import Reaction
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
    "Block",
    "Bookmark",
    "Draft",
    "Follow",
    "Group",
    "Image",
    "ImportedRecord",
    "Interest",
    "Invitation",
    "JoinRequest",
    "Member",
    "Membership",
    "Message",
    "Poll",
    "PollOption",
    "PollVote",
    "Post",
    "PostImage",
    "PostMention",
    "PostMove",
    "PostQuote",
    "Reaction",
    "ReadMark",
    "ReadingDay",
    "Revision",
    "Room",
    "Tag",
    "Thread",
    "ThreadEntry",
    "ThreadLink",
    "ThreadScore",
    "ThreadTag",
]
