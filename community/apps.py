"""Who in the community listens to what."""

from django.apps import AppConfig


class CommunityConfig(AppConfig):
    name = "community"
    verbose_name = "Community"

    def ready(self) -> None:
        from community import events
        from community.search import handlers as search
        from config.outbox import subscribe

        subscribe(events.PostPublished, search.index_published_post)
        subscribe(events.PostEdited, search.index_edited_post)
        subscribe(events.PostHiddenChanged, search.index_hidden_or_shown_post)
        subscribe(events.ThreadChanged, search.index_changed_thread)
        subscribe(events.MemberChanged, search.index_changed_member)
        subscribe(events.MemberJoined, search.index_joined_member)
        subscribe(events.GroupChanged, search.index_changed_group)
