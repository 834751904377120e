"""Django's view of the community's rows; each feature owns its own."""

from community.chat.models import Message, Room
from community.groups.models import Group, Invitation, JoinRequest, Membership
from community.importing.models import ImportedRecord
from community.members.models import Member
from community.threads.models import Post, PostImage, Revision, Thread, ThreadLink
from community.uploads.models import Image

__all__ = [
    "Group",
    "Image",
    "ImportedRecord",
    "Invitation",
    "JoinRequest",
    "Member",
    "Membership",
    "Message",
    "Post",
    "PostImage",
    "Revision",
    "Room",
    "Thread",
    "ThreadLink",
]
