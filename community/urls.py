"""The community's addresses, feature by feature."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("community.groups.urls")),
    path("", include("community.uploads.urls")),
    path("", include("community.chat.urls")),
]
