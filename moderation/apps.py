"""Who in moderation listens to what, which gates it joins, and the staff's admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = _("Moderation")

    def ready(self) -> None:
        from community.chat.services import MESSAGE_GATES
        from community.events import ThreadModerated
        from community.members.sanctions import WHY_SILENCED, WHY_SUSPENDED
        from community.standing.records import PENALISED
        from community.threads.services import POST_GATES, POST_HOLDS
        from config.outbox import subscribe
        from config.personal import declare_features
        from moderation.audit.handlers import record_thread_entry
        from moderation.events import ContentShownAgain, DecisionMade, SanctionChanged
        from moderation.flags.handlers import tell_of_decision, tell_of_return
        from moderation.flags.holding import hold_unknown_links
        from moderation.queue.roles import ensure_moderator_role
        from moderation.sanctions import gates
        from moderation.sanctions.commands import register_commands
        from moderation.sanctions.handlers import tell_of_sanction
        from moderation.sanctions.services import penalised_since

        POST_GATES.insert(0, gates.refuse_silenced_post)
        MESSAGE_GATES.insert(0, gates.refuse_silenced_message)
        WHY_SILENCED.append(gates.why_silenced)
        WHY_SUSPENDED.append(gates.why_suspended)
        POST_HOLDS.append(hold_unknown_links)
        PENALISED.append(penalised_since)

        register_commands()

        subscribe(DecisionMade, tell_of_decision)
        subscribe(ContentShownAgain, tell_of_return)
        subscribe(ThreadModerated, record_thread_entry)
        subscribe(SanctionChanged, tell_of_sanction)

        declare_features("moderation", "audit", "flags", "sanctions")

        # Permissions exist only after all migrations have run, so no migration can grant them.
        post_migrate.connect(ensure_moderator_role, sender=self, dispatch_uid="moderator_role")


class StaffAdminConfig(AdminConfig):
    """Django's admin with our site class (theme, second factor)."""

    default_site = "moderation.queue.site.StaffSite"
