"""The ground every domain stands on: outbox, Celery, health."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"
    label = "config"
    verbose_name = "Ground"
    default_auto_field = "django.db.models.BigAutoField"
