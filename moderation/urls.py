"""Moderation's addresses, feature by feature."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("moderation.flags.urls")),
]
