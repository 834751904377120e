"""Who in moderation listens to what, and the staff's admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ModerationConfig(AppConfig):
    name = "moderation"
    verbose_name = "Moderation"


class StaffAdminConfig(AdminConfig):
    """Django's admin with our site class (theme, second factor)."""

    default_site = "moderation.queue.site.StaffSite"
