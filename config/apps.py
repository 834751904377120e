"""The ground every domain stands on: outbox, Celery, health."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConfigConfig(AppConfig):
    name = "config"
    label = "config"
    verbose_name = _("Ground")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Makes ours the app that `shared_task` binds to, in every process.
        from config import celery  # noqa: F401
