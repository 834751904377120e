"""Who in moderation listens to what, and the staff's admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = "Moderation"

    def ready(self) -> None:
        from community.events import ThreadModerated
        from config.outbox import subscribe
        from moderation.audit.handlers import record_thread_entry
        from moderation.events import ContentShownAgain, DecisionMade
        from moderation.flags.handlers import tell_of_decision, tell_of_return
        from moderation.queue.roles import ensure_moderator_role

        subscribe(DecisionMade, tell_of_decision)
        subscribe(ContentShownAgain, tell_of_return)
        subscribe(ThreadModerated, record_thread_entry)

        # Permissions exist only after all migrations have run, so no migration can grant them.
        post_migrate.connect(ensure_moderator_role, sender=self, dispatch_uid="moderator_role")


class StaffAdminConfig(AdminConfig):
    """Django's admin with our site class (theme, second factor)."""

    default_site = "moderation.queue.site.StaffSite"
