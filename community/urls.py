"""The community's addresses, feature by feature."""

from django.urls import URLPattern, URLResolver, include, path

from community.threads import feeds

urlpatterns: list[URLPattern | URLResolver] = [
    path("", feeds.home, name="home"),
    path("g/<slug:slug>/", feeds.group_page, name="group"),
    path("", include("community.threads.urls")),
    path("", include("community.groups.urls")),
    path("", include("community.uploads.urls")),
    path("", include("community.chat.urls")),
    path("", include("community.profiles.urls")),
    path("", include("community.search.urls")),
    path("", include("community.importing.urls")),
    path("", include("community.members.urls")),
]
