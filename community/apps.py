"""Who in the community listens to what."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommunityConfig(AppConfig):
    name = "community"
    verbose_name = _("Community")

    def ready(self) -> None:
        from allauth.account.signals import user_signed_up
        from django.contrib.auth.signals import user_logged_in

        from community import events
        from community.chat import handlers as chat
        from community.chat.commands import register_commands
        from community.chat.pictures import register_audience
        from community.chat.places import AFTER_READING as AFTER_READING_ROOM
        from community.chat.rooms import register_kinds
        from community.chat.services import MESSAGE_GATES
        from community.drafts.forms import DraftPart
        from community.drafts.guests import keep_for_guest, take_over
        from community.members.web import GUEST_FORMS
        from community.notifications import handlers, replies
        from community.notifications.chat import (
            mark_room_read,
            tell_of_edited_message,
            tell_of_message,
        )
        from community.polls.forms import PollForm
        from community.privacy.handlers import begin_export, tell_of_erasure, tell_of_export
        from community.search import handlers as search
        from community.search.telling import tell_of_match
        from community.standing import handlers as standing
        from community.standing.limits import limit_message, limit_post
        from community.standing.services import promote_newcomer
        from community.threads.forms import PARTS
        from community.threads.reading import AFTER_READING
        from community.threads.services import POST_GATES
        from config.outbox import subscribe
        from config.personal import declare_features

        register_kinds()
        register_commands()
        register_audience()
        PARTS.extend((PollForm, DraftPart))
        GUEST_FORMS.append(keep_for_guest)
        user_logged_in.connect(take_over, dispatch_uid="drafts_of_guests")
        # At once, not once the address is confirmed: that may be in another browser.
        user_signed_up.connect(take_over, dispatch_uid="drafts_of_newcomers")

        POST_GATES.append(limit_post)
        MESSAGE_GATES.append(limit_message)
        AFTER_READING.append(promote_newcomer)

        subscribe(events.PostPublished, handlers.tell_of_post)
        subscribe(events.PostEdited, handlers.tell_of_edit)
        AFTER_READING_ROOM.append(mark_room_read)
        subscribe(events.MessageSent, tell_of_message)
        subscribe(events.MessageEdited, tell_of_edited_message)
        subscribe(events.MessageSent, chat.note_links_of_sent)
        subscribe(events.MessageEdited, chat.note_links_of_edit)
        subscribe(events.TalkMadeThread, handlers.tell_of_talk)
        subscribe(events.ReactionGiven, handlers.tell_of_reaction_given)
        subscribe(events.AnswerChosen, handlers.tell_of_answer)
        subscribe(events.MemberInvited, handlers.tell_of_invitation)
        subscribe(events.JoinRequestAnswered, handlers.tell_of_join_request)
        subscribe(events.BookmarkDue, handlers.remind_of_bookmark)
        subscribe(events.TrustChanged, handlers.tell_of_trust)
        subscribe(events.LetterReceived, replies.post_letter, queue="mail")
        subscribe(events.SavedSearchMatched, tell_of_match)
        subscribe(events.PostPublished, search.index_published_post)
        subscribe(events.PostEdited, search.index_edited_post)
        subscribe(events.PostHiddenChanged, search.index_hidden_or_shown_post)
        subscribe(events.ThreadChanged, search.index_changed_thread)
        subscribe(events.MessageSent, search.index_sent_message)
        subscribe(events.MessageEdited, search.index_edited_message)
        subscribe(events.MessageHiddenChanged, search.index_hidden_or_shown_message)
        subscribe(events.MemberChanged, search.index_changed_member)
        subscribe(events.MemberJoined, search.index_joined_member)
        subscribe(events.GroupChanged, search.index_changed_group)
        subscribe(events.PostPublished, standing.earn_by_post)
        subscribe(events.PostPublished, standing.learn_links_of_post)
        subscribe(events.PostEdited, standing.learn_links_of_edit)
        subscribe(events.ReactionGiven, standing.earn_by_reaction)
        subscribe(events.AnswerChosen, standing.earn_by_answer)
        subscribe(events.TrustChanged, standing.earn_by_trust)
        subscribe(events.MemberChanged, standing.earn_by_profile)
        subscribe(events.BadgeEarned, handlers.tell_of_badge)
        subscribe(events.ExportAsked, begin_export)
        subscribe(events.ExportReady, tell_of_export)
        subscribe(events.ErasureAsked, tell_of_erasure, queue="mail")

        declare_features(
            "community",
            *("members", "groups", "uploads", "tags", "threads", "polls", "reactions", "bookmarks"),
            *("drafts", "chat", "standing", "notifications", "search", "privacy", "importing"),
        )
