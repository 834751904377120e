"""The community's addresses, feature by feature."""

from django.urls import URLPattern, URLResolver, include, path

from community.threads import feeds, tag_pages

urlpatterns: list[URLPattern | URLResolver] = [
    path("", feeds.home, name="home"),
    path("g/<slug:slug>/", feeds.group_page, name="group"),
    path("g/<slug:slug>/tags/", tag_pages.group_tags, name="group_tags"),
    path("g/<slug:slug>/tags/keep/", tag_pages.keep, name="keep_group_tags"),
    path("tags/", tag_pages.site_tags, name="tags"),
    path("tags/keep/", tag_pages.keep, name="keep_site_tags"),
    path("tags/suggest/", tag_pages.suggest, name="suggest_tags"),
    # Tags are written in any script, which a slug converter does not know.
    path("tags/<str:slug>/", feeds.tag_page, name="tag"),
    path("", include("community.threads.reading_urls")),
    path("", include("community.threads.urls")),
    path("", include("community.polls.urls")),
    path("", include("community.reactions.urls")),
    path("", include("community.bookmarks.urls")),
    path("", include("community.drafts.urls")),
    path("", include("community.groups.urls")),
    path("", include("community.uploads.urls")),
    path("", include("community.chat.urls")),
    path("", include("community.notifications.urls")),
    path("", include("community.standing.urls")),
    path("", include("community.profiles.urls")),
    path("", include("community.welcome.urls")),
    path("", include("community.search.urls")),
    path("", include("community.syndication.urls")),
    path("", include("community.privacy.urls")),
    path("", include("community.importing.urls")),
    path("", include("community.members.urls")),
]
